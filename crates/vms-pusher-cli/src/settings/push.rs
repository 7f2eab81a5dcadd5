use channels_client::http::HttpUrl;
use serde_json::Value;
use vms_sandbox::{EVENT_TYPES, Push};

use super::files;
use crate::{args::PushArgs, failure::Failure};

/// Checks the address of a sandbox.
pub(crate) fn base_url(text: &str) -> Result<HttpUrl, Failure> {
    HttpUrl::parse(text).map_err(|error| {
        Failure::usage(format!("--sandbox: {error}"))
            .tip("write it as `vms-pusher sandbox` prints it, like http://127.0.0.1:8080")
    })
}

/// What `push` was asked to push.
pub(crate) fn push(args: &PushArgs) -> Result<Push, Failure> {
    let type_ = args.event_type.clone().unwrap_or_default();
    if !args.force && !EVENT_TYPES.iter().any(|row| row.name == type_) {
        return Err(unknown(&type_));
    }
    let mut push = Push::new(type_).to(args.to.clone());
    if let Some(path) = &args.data {
        let bytes = files::read_bytes("--data", path)?;
        let body: Value = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::usage(format!("--data {} is not JSON: {error}", path.display()))
                .tip("`vms-pusher push TYPE --show` prints a body to start from")
        })?;
        push = push.data(body);
    }
    push.event = args.event;
    push.subject.clone_from(&args.subject);
    Ok(if args.failed { push.failed() } else { push })
}

fn unknown(type_: &str) -> Failure {
    let near = near(type_);
    let shown = crate::output::escape::line(type_).into_owned();
    let failure = Failure::usage(format!("a VMS has no event type `{shown}`"));
    let list = "`vms-pusher push --list` lists them all, --force pushes it anyway";
    match near.as_slice() {
        [] => failure.tip(list),
        near => failure.tip(format!("did you mean {}? {list}", near.join(" or "))),
    }
}

/// The types that `wanted` may have been meant for, the nearest first.
fn near(wanted: &str) -> Vec<String> {
    let wanted: String = wanted.chars().take(MAX_CHARACTERS).map(|c| c.to_ascii_lowercase()).collect();
    let mut rows = Vec::new();
    for row in EVENT_TYPES {
        let distance = distance(&wanted, row.name);
        let is_part = wanted.chars().count() > 2 && row.name.contains(&wanted);
        if distance <= 2 + row.name.len() / 6 || is_part {
            rows.push((distance, format!("`{}`", row.name)));
        }
    }
    rows.sort();
    rows.dedup();
    rows.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let above = *cell;
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Longer than any type, and short enough to compare.
const MAX_CHARACTERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_letters() {
        for (from, to, letters) in
            [("", "", 0), ("abc", "abc", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(from, to), letters, "{from} {to}");
        }
    }

    #[test]
    fn a_slip_of_the_fingers_finds_its_type() {
        assert_eq!(near("mark_creatd").first().map(String::as_str), Some("`mark_created`"));
        assert_eq!(near("Intercom.Sotre").first().map(String::as_str), Some("`intercom.store`"));
        assert_eq!(near("license_plate"), ["`analytic_case_license_plate_event_created`"]);
        assert_eq!(near("x"), Vec::<String>::new());
    }
}
