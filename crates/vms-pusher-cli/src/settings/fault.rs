use std::str::FromStr;

use vms_sandbox::{Endpoint, Fault, FaultKind, RestAnswer, SubscribeAnswer, UpgradeAnswer};

use super::duration;
use crate::{
    args::{FaultArgs, FaultTarget},
    failure::Failure,
};

/// The fault to inject; none if faults are to be cleared.
pub(crate) fn fault(args: &FaultArgs) -> Result<Option<Fault>, Failure> {
    let Some(target) = args.target else { return Ok(None) };
    let kind = kind(args, target)?;
    refuse_what_does_not_belong(args, &kind)?;
    Ok(Some(Fault { kind, times: if args.always { 0 } else { args.times.get() } }))
}

fn kind(args: &FaultArgs, target: FaultTarget) -> Result<FaultKind, Failure> {
    let channel = args.channel.clone();
    let endpoint = match target {
        FaultTarget::Ping => return Ok(FaultKind::Ping),
        FaultTarget::Subscribe => {
            return Ok(FaultKind::Subscribe { channel, answer: subscribe_answer(&answer(args)?)? });
        }
        FaultTarget::Upgrade => return Ok(FaultKind::Upgrade { answer: upgrade_answer(args, &answer(args)?)? }),
        FaultTarget::Api => Endpoint::Any,
        FaultTarget::Auth => Endpoint::BroadcastingAuth,
        FaultTarget::Login => Endpoint::Token,
        FaultTarget::SyncGroups => Endpoint::SyncGroups,
        FaultTarget::Wsurl => Endpoint::WsUrl,
    };
    Ok(FaultKind::Rest { endpoint, channel, answer: rest_answer(args, &answer(args)?)? })
}

/// A word, and perhaps what stands behind a colon.
struct Answer<'a> {
    whole: &'a str,
    word: &'a str,
    value: Option<&'a str>,
}

fn answer(args: &FaultArgs) -> Result<Answer<'_>, Failure> {
    let whole = args.answer.as_deref().ok_or_else(|| explained("the answer is missing"))?;
    let (word, value) = whole.split_once(':').map_or((whole, None), |(word, value)| (word, Some(value)));
    Ok(Answer { whole, word, value })
}

fn subscribe_answer(answer: &Answer<'_>) -> Result<SubscribeAnswer, Failure> {
    match (answer.word, answer.value) {
        ("acknowledge-twice", None) => Ok(SubscribeAnswer::AcknowledgeTwice),
        ("ignore", None) => Ok(SubscribeAnswer::Ignore),
        ("refuse", None) => Ok(SubscribeAnswer::Refuse),
        _ => Err(unknown(answer)),
    }
}

fn upgrade_answer(args: &FaultArgs, answer: &Answer<'_>) -> Result<UpgradeAnswer, Failure> {
    let retry_after = args.retry_after.clone();
    match (answer.word, answer.value) {
        ("delay", Some(time)) => Ok(UpgradeAnswer::Delay { millis: millis(answer, time)? }),
        ("drop", None) => Ok(UpgradeAnswer::Drop),
        ("greeting", Some(text)) => Ok(UpgradeAnswer::Greeting { text: text.to_owned() }),
        ("html", None) => Ok(UpgradeAnswer::Html),
        ("redirect", Some(location)) => Ok(UpgradeAnswer::Redirect { location: location.to_owned() }),
        ("silent", None) => Ok(UpgradeAnswer::Silent),
        ("status", Some(status)) => Ok(UpgradeAnswer::Status { status: self::status(answer, status)?, retry_after }),
        ("switch-then-drop", None) => Ok(UpgradeAnswer::SwitchThenDrop),
        ("switch-then-nothing", None) => Ok(UpgradeAnswer::SwitchThenNothing),
        ("wrong-accept", None) => Ok(UpgradeAnswer::WrongAccept),
        _ => Err(unknown(answer)),
    }
}

fn rest_answer(args: &FaultArgs, answer: &Answer<'_>) -> Result<RestAnswer, Failure> {
    let retry_after = args.retry_after.clone();
    match (answer.word, answer.value) {
        ("delay", Some(time)) => Ok(RestAnswer::Delay { millis: millis(answer, time)? }),
        ("drop", None) => Ok(RestAnswer::Drop),
        ("hang", None) => Ok(RestAnswer::Hang),
        ("html", Some(status)) => Ok(RestAnswer::Html { status: self::status(answer, status)? }),
        ("huge", Some(bytes)) => Ok(RestAnswer::Huge { bytes: number(answer, bytes)? }),
        ("redirect", Some(location)) => Ok(RestAnswer::Redirect { status: 302, location: location.to_owned() }),
        ("status", Some(status)) => Ok(RestAnswer::Status { status: self::status(answer, status)?, retry_after }),
        _ => Err(unknown(answer)),
    }
}

/// An option that would change nothing is a mistake.
fn refuse_what_does_not_belong(args: &FaultArgs, kind: &FaultKind) -> Result<(), Failure> {
    let takes_channel = match kind {
        FaultKind::Subscribe { .. } => true,
        FaultKind::Rest { endpoint, .. } => matches!(endpoint, Endpoint::Any | Endpoint::BroadcastingAuth),
        FaultKind::Ping | FaultKind::Upgrade { .. } => false,
    };
    let takes_retry_after = matches!(
        kind,
        FaultKind::Rest { answer: RestAnswer::Status { .. }, .. }
            | FaultKind::Upgrade { answer: UpgradeAnswer::Status { .. } }
    );
    if *kind == FaultKind::Ping && args.answer.is_some() {
        return Err(explained("`ping` takes no answer: the ping goes unanswered"));
    }
    if args.channel.is_some() && !takes_channel {
        return Err(explained("--channel applies only to `subscribe` and `auth`"));
    }
    if args.retry_after.is_some() && !takes_retry_after {
        return Err(explained("--retry-after applies only to a status"));
    }
    Ok(())
}

fn millis(answer: &Answer<'_>, time: &str) -> Result<u64, Failure> {
    let time = duration::parse(time).map_err(|wrong| explained(&format!("`{}`: {wrong}", answer.whole)))?;
    Ok(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn status(answer: &Answer<'_>, status: &str) -> Result<u16, Failure> {
    let status = number(answer, status)?;
    if (200..=599).contains(&status) { Ok(status) } else { Err(unknown(answer)) }
}

fn number<N: FromStr>(answer: &Answer<'_>, number: &str) -> Result<N, Failure> {
    number.parse().map_err(|_| unknown(answer))
}

fn unknown(answer: &Answer<'_>) -> Failure {
    let shown = crate::output::escape::line(answer.whole).into_owned();
    explained(&format!("`{shown}` is not an answer that this target can give"))
}

fn explained(problem: &str) -> Failure {
    Failure::usage(problem).tip("`vms-pusher fault --help` lists the answers of each target")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn parsed(arguments: &str) -> Result<Option<Fault>, String> {
        let words = ["vms-pusher", "fault"].into_iter().chain(arguments.split_whitespace());
        let Command::Fault(args) = Cli::try_parse_from(words).map_err(|error| error.to_string())?.command else {
            panic!("{arguments}");
        };
        fault(&args).map_err(|failure| failure.to_string())
    }

    fn rest(endpoint: Endpoint, channel: Option<&str>, answer: RestAnswer) -> FaultKind {
        FaultKind::Rest { endpoint, channel: channel.map(str::to_owned), answer }
    }

    #[test]
    fn a_fault_is_what_its_words_say() {
        let some = |text: &str| Some(text.to_owned());
        let upgrade = |answer| FaultKind::Upgrade { answer };
        for (arguments, kind) in [
            ("ping", FaultKind::Ping),
            ("subscribe ignore", FaultKind::Subscribe { channel: None, answer: SubscribeAnswer::Ignore }),
            (
                "subscribe refuse --channel private-*",
                FaultKind::Subscribe { channel: some("private-*"), answer: SubscribeAnswer::Refuse },
            ),
            ("upgrade delay:1m30s", upgrade(UpgradeAnswer::Delay { millis: 90_000 })),
            (
                "upgrade greeting:{\"event\":\"x\"}",
                upgrade(UpgradeAnswer::Greeting { text: r#"{"event":"x"}"#.to_owned() }),
            ),
            ("upgrade redirect:http://a/", upgrade(UpgradeAnswer::Redirect { location: "http://a/".to_owned() })),
            (
                "upgrade status:503 --retry-after 5",
                upgrade(UpgradeAnswer::Status { status: 503, retry_after: some("5") }),
            ),
            ("upgrade switch-then-drop", upgrade(UpgradeAnswer::SwitchThenDrop)),
            ("api html:200", rest(Endpoint::Any, None, RestAnswer::Html { status: 200 })),
            ("auth drop --channel a", rest(Endpoint::BroadcastingAuth, Some("a"), RestAnswer::Drop)),
            ("login status:429", rest(Endpoint::Token, None, RestAnswer::Status { status: 429, retry_after: None })),
            ("sync-groups huge:70000", rest(Endpoint::SyncGroups, None, RestAnswer::Huge { bytes: 70_000 })),
            ("wsurl hang", rest(Endpoint::WsUrl, None, RestAnswer::Hang)),
        ] {
            assert_eq!(parsed(arguments), Ok(Some(Fault::once(kind))), "{arguments}");
        }
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_is_told() {
        assert_eq!(parsed("ping --times 3"), Ok(Some(Fault::times(FaultKind::Ping, 3))));
        assert_eq!(parsed("ping --always"), Ok(Some(Fault::always(FaultKind::Ping))));
        assert_eq!(parsed("--clear"), Ok(None));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [
            "",
            "ping drop",
            "ping --channel a",
            "ping --times 0",
            "ping --times 2 --always",
            "ping --clear",
            "nonsense drop",
            "upgrade",
            "upgrade hang",
            "upgrade html:200",
            "upgrade drop --retry-after 5",
            "upgrade status:99",
            "upgrade delay:soon",
            "wsurl drop --channel a",
            "subscribe status:500",
            "auth huge:x",
        ] {
            assert!(parsed(arguments).is_err(), "{arguments}");
        }
    }
}
