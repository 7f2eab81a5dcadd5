use serde_json::json;
use vms_sandbox::{
    Push, Scenario, Session, Target,
    scenario::{Action, Step},
};

/// The sandbox's day, and two things that a newcomer should see once: an event while nobody is connected, which only the
/// gap tells of, and one that cannot be read.
pub(super) fn of(session: &Session) -> Scenario {
    let mut day = Scenario::day(session);
    let to_session = |type_: &str| Push::new(type_).to(Target::Session(session.access_token_id.clone()));
    let missed = to_session("groups_updated");
    insert_after(&mut day, |step| step.action == Action::Cut, missed);
    let unreadable = to_session("mark_updated").data(json!({"title": "A mark without an id"}));
    insert_after(
        &mut day,
        |step| matches!(&step.action, Action::Push(push) if push.type_ == "weather_changed"),
        unreadable,
    );
    day
}

/// Inserts a push after the step that is wanted, at the same time.
fn insert_after(day: &mut Scenario, wanted: impl Fn(&Step) -> bool, push: Push) {
    if let Some(place) = day.steps.iter().position(wanted)
        && let Some(offset) = day.steps.get(place).map(|step| step.offset)
    {
        day.steps.insert(place + 1, Step { offset, action: Action::Push(Box::new(push)) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_pushed_right_after_the_cut_and_an_unreadable_one_before_the_evening() {
        let session = Session { user_id: 42, access_token_id: "id".to_owned(), access_token: "token".to_owned() };
        let steps = of(&session).steps;
        let cut = steps.iter().position(|step| step.action == Action::Cut).unwrap();
        assert!(matches!(&steps[cut + 1].action, Action::Push(push) if push.type_ == "groups_updated"));
        assert_eq!(steps[cut + 1].offset, steps[cut].offset);
        let unreadable = |step: &Step| matches!(&step.action, Action::Push(push) if push.type_ == "mark_updated" && push.data.is_some());
        assert!(steps[cut..].iter().any(unreadable));
    }
}
