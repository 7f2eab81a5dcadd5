//! Turns a push into the events that are sent.

use serde_json::{Map, Value, json};

use super::{
    Broadcast, Push, PushError, PushEvent, PushStatus, Target,
    catalogue::{default_body, usual_event},
};
use crate::accounts::{Accounts, token_channel, user_channel};

/// The events of a push: one for each channel of the target.
pub(crate) fn broadcasts(push: &Push, accounts: &Accounts, notification_id: &str) -> Result<Vec<Broadcast>, PushError> {
    let event = event_of(push);
    let data = match event {
        PushEvent::Notification => flat(push, notification_id)?,
        PushEvent::Token | PushEvent::User => nested(push, event),
    };
    let broadcast = |channel| Broadcast { channel, event: event.as_str().to_owned(), data: data.clone() };
    Ok(channels(&push.to, accounts)?.into_iter().map(broadcast).collect())
}

fn event_of(push: &Push) -> PushEvent {
    if let Some(event) = push.event {
        return event;
    }
    match (usual_event(&push.type_), &push.to) {
        (Some(PushEvent::Notification), _) => PushEvent::Notification,
        (_, Target::Session(_)) => PushEvent::Token,
        (_, Target::Everyone | Target::User(_)) => PushEvent::User,
    }
}

fn channels(to: &Target, accounts: &Accounts) -> Result<Vec<String>, PushError> {
    match to {
        Target::Everyone => Ok(accounts.user_ids().into_iter().map(user_channel).collect()),
        Target::Session(id) if accounts.session(id).is_some() => Ok(vec![token_channel(id)]),
        Target::Session(id) => Err(PushError::UnknownSession { id: id.clone() }),
        Target::User(id) if accounts.user(*id).is_some() => Ok(vec![user_channel(*id)]),
        Target::User(id) => Err(PushError::UnknownUser { id: *id }),
    }
}

fn nested(push: &Push, event: PushEvent) -> Value {
    let failed = push.status == PushStatus::Error;
    let body = push.data.clone().unwrap_or_else(|| default_body(&push.type_, event, failed));
    let subject = push.subject.clone().or_else(|| default_subject(&push.type_, failed));
    json!({
        "data": {"type": push.type_, "status": push.status, "data": body},
        "subject": subject,
        "message": push.message,
    })
}

fn flat(push: &Push, notification_id: &str) -> Result<Value, PushError> {
    let body = push.data.clone().unwrap_or_else(|| default_body(&push.type_, PushEvent::Notification, false));
    let mut fields = match body {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(PushError::NotAnObject { type_: push.type_.clone(), found: kind(&body) });
        }
    };
    fields.insert("type".to_owned(), Value::String(push.type_.clone()));
    fields.entry("id").or_insert_with(|| Value::String(notification_id.to_owned()));
    Ok(Value::Object(fields))
}

fn default_subject(type_: &str, failed: bool) -> Option<String> {
    match type_ {
        "logout" => Some("This session was ended from another device".to_owned()),
        "archive_generated" if failed => Some("The archive could not be created".to_owned()),
        "archive_generated" => Some("The archive is ready".to_owned()),
        _ => None,
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UserConfig;

    fn accounts() -> Accounts {
        Accounts::new(vec![UserConfig::new(42, "a", "a"), UserConfig::new(43, "b", "b")], 1)
    }

    fn one(push: &Push) -> Broadcast {
        broadcasts(push, &accounts(), "the-id").unwrap().remove(0)
    }

    #[test]
    fn a_push_to_a_session_is_a_token_push_and_one_to_a_user_is_a_user_push() {
        let session = accounts().sessions().remove(0).access_token_id;
        let to_session = one(&Push::new("logout").to(Target::Session(session.clone())));
        assert_eq!(to_session.channel, format!("private-token.{session}"));
        assert_eq!(to_session.event, r"App\Events\TokenPush");
        let to_user = one(&Push::new("logout").to(Target::User(43)));
        assert_eq!(to_user.channel, "private-user.43");
        assert_eq!(to_user.event, r"App\Events\UserPush");
    }

    #[test]
    fn a_push_to_everyone_goes_to_the_channel_of_every_user() {
        let sent = broadcasts(&Push::new("groups_updated"), &accounts(), "").unwrap();
        let channels: Vec<_> = sent.iter().map(|b| b.channel.as_str()).collect();
        assert_eq!(channels, ["private-user.42", "private-user.43"]);
    }

    #[test]
    fn null_is_a_body_and_no_body_means_the_default() {
        let with_null = one(&Push::new("cameras_updated").data(Value::Null));
        assert_eq!(with_null.data["data"]["data"], Value::Null);
        let with_default = one(&Push::new("cameras_updated"));
        assert!(with_default.data["data"]["data"]["attached"].is_array());
        let parsed: Push = serde_json::from_str(r#"{"type":"x","data":null}"#).unwrap();
        assert_eq!(parsed.data, Some(Value::Null));
        let parsed: Push = serde_json::from_str(r#"{"type":"x"}"#).unwrap();
        assert_eq!(parsed.data, None);
    }

    #[test]
    fn a_notification_is_flat_and_carries_its_type_and_id() {
        let sent = one(&Push::new("intercom.delete"));
        assert_eq!(sent.event, r"Illuminate\Notifications\Events\BroadcastNotificationCreated");
        assert_eq!(sent.data["type"], "intercom.delete");
        assert_eq!(sent.data["id"], "the-id");
        assert!(sent.data["deleted_ids"].is_array());
    }

    #[test]
    fn a_notification_whose_body_is_no_object_is_refused() {
        let refused = broadcasts(&Push::new("intercom.store").data(json!([1])), &accounts(), "");
        let expected = PushError::NotAnObject { type_: "intercom.store".into(), found: "an array" };
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn a_failed_archive_has_status_error_and_null_urls() {
        let sent = one(&Push::new("archive_generated").failed());
        assert_eq!(sent.data["data"]["status"], "error");
        assert_eq!(sent.data["data"]["data"], json!({"url": null, "download": {"url": null}}));
    }

    #[test]
    fn an_unknown_session_or_user_is_named() {
        let session = broadcasts(&Push::new("x").to(Target::Session("no".into())), &accounts(), "");
        assert_eq!(session, Err(PushError::UnknownSession { id: "no".into() }));
        let user = broadcasts(&Push::new("x").to(Target::User(7)), &accounts(), "");
        assert_eq!(user, Err(PushError::UnknownUser { id: 7 }));
    }
}
