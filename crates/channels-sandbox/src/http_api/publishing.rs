//! `POST events` and `POST batch_events`.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Map, Value, json};

use super::{api::Api, event::Event, failure::Failure};

type Answer = Result<Json<Value>, Failure>;

/// `POST events`
pub(super) async fn one(State(api): State<Arc<Api>>, body: Bytes) -> Answer {
    let event = Event::parse(&body, &api.habits)?;
    publish(&api, &event).await;
    if event.info.is_empty() || !api.habits.tells_info {
        return Ok(Json(api.habits.done()));
    }
    let channels = event.channels.iter();
    let channels: Map<_, _> = channels.map(|name| (name.clone(), api.occupancy(name).describe(event.info))).collect();
    Ok(Json(json!({"channels": channels})))
}

/// `POST batch_events`: all of it, or nothing if one of the events may not be published.
pub(super) async fn batch(State(api): State<Arc<Api>>, body: Bytes) -> Answer {
    let events = Event::parse_batch(&body, &api.habits)?;
    for event in &events {
        publish(&api, event).await;
    }
    if events.iter().all(|event| event.info.is_empty()) || !api.habits.tells_info {
        return Ok(Json(api.habits.batch_done()));
    }
    let first_channel = |event: &Event| event.channels.first().cloned().unwrap_or_default();
    let infos: Vec<_> = events.iter().map(|event| api.occupancy(&first_channel(event)).describe(event.info)).collect();
    Ok(Json(json!({"batch": infos})))
}

async fn publish(api: &Api, event: &Event) {
    for push in event.pushes() {
        api.shared.publish(push.event.clone(), push).await;
    }
}
