//! `GET channels`, `GET channels/{channel}` and `GET channels/{channel}/users`.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde_json::{Map, Value, json};

use super::{
    api::{Api, Parameters},
    event::Info,
    failure::Failure,
    occupancy::{Occupancy, is_presence},
};

type Answer = Result<Json<Value>, Failure>;

/// `GET channels`
pub(super) async fn all(State(api): State<Arc<Api>>, Extension(parameters): Extension<Parameters>) -> Answer {
    let prefix = parameters.get("filter_by_prefix").map_or("", String::as_str);
    let info = info(&api, &parameters, prefix)?;
    let describe = |occupancy: &Occupancy| {
        let mut answer = occupancy.describe(info);
        if api.habits.always_counts {
            answer["occupied"] = true.into();
        }
        answer
    };
    let occupied = api.occupied().into_iter().filter(|(channel, _)| channel.starts_with(prefix));
    let channels: Map<_, _> = occupied.map(|(channel, occupancy)| (channel, describe(&occupancy))).collect();
    Ok(Json(json!({"channels": channels})))
}

/// `GET channels/{channel}`
pub(super) async fn one(
    State(api): State<Arc<Api>>,
    Path((_, channel)): Path<(String, String)>,
    Extension(parameters): Extension<Parameters>,
) -> Answer {
    let info = info(&api, &parameters, &channel)?;
    let occupancy = api.occupancy(&channel);
    let mut answer = occupancy.describe(info);
    answer["occupied"] = (occupancy.subscriptions > 0).into();
    Ok(Json(answer))
}

/// `GET channels/{channel}/users`
pub(super) async fn users(State(api): State<Arc<Api>>, Path((_, channel)): Path<(String, String)>) -> Answer {
    let users = api.occupancy(&channel).users;
    let users = users.ok_or_else(|| Failure::invalid("channel", "only a presence channel has users"))?;
    let users: Vec<_> = users.into_iter().map(|id| json!({"id": id})).collect();
    Ok(Json(json!({"users": users})))
}

/// What is asked about `channel`, or about the channels that begin so.
fn info(api: &Api, parameters: &Parameters, channel: &str) -> Result<Info, Failure> {
    let info = Info::parse(parameters.get("info").map(String::as_str));
    if info.user_count && api.habits.checks_user_count && !is_presence(channel) {
        let text = "only presence channels have a user_count: their names begin with `presence-`";
        return Err(Failure::invalid("info", text));
    }
    let always = api.habits.always_counts;
    Ok(Info { user_count: info.user_count || always, subscription_count: info.subscription_count || always })
}
