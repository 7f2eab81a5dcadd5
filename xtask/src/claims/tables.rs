//! The tables of `docs/defects.md` and `docs/parity.md`: no row is missing, and none claims what nothing shows.

use std::collections::BTreeSet;

use super::test_names;

/// A complaint of every defect from 1 to `last` that has no row with a test or a reason, and of every row too many.
pub(super) fn defects(text: &str, last: u32) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut missing: BTreeSet<u32> = (1..=last).collect();
    for row in rows(text) {
        let (Some(number), Some(proof)) = (row.first(), row.last()) else { continue };
        match number.parse() {
            Ok(number) if missing.remove(&number) => {}
            _ => complaints.push(format!("docs/defects.md has a row {number} twice, or too many")),
        }
        if test_names(proof).is_empty() && !proof.starts_with(REASON) {
            complaints.push(format!("docs/defects.md names neither a test nor a reason for {number}: {proof}"));
        }
    }
    complaints.extend(missing.into_iter().map(|number| format!("docs/defects.md has no row {number}")));
    complaints
}

/// A complaint of every row that does not say whether it is here, or says it and shows nothing for it.
pub(super) fn parity(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in rows(text) {
        let [name, .., mark, shown] = row.as_slice() else { continue };
        let holds = match *mark {
            "Y" => !test_names(shown).is_empty(),
            "partly" | "N" | "not needed" => !shown.is_empty(),
            _ => false,
        };
        if !holds {
            complaints.push(format!("docs/parity.md says `{mark}` of {name}, and shows nothing for it: {shown}"));
        }
    }
    complaints
}

/// The cells of the rows of all tables, without the rows at their head.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut is_body = false;
    text.lines().filter_map(move |line| {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.trim_end().strip_suffix('|')) else {
            is_body = false;
            return None;
        };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        let is_line = cells.iter().all(|cell| cell.bytes().all(|byte| matches!(byte, b'-' | b':')));
        let row = is_body.then_some(cells);
        is_body |= is_line;
        row
    })
}

/// How the reason begins why a defect needs no test.
const REASON: &str = "Cannot occur:";

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "| | defect | seen in | here |\n|---|---|---|---|\n";

    #[test]
    fn a_defect_needs_a_test_or_a_reason() {
        let text =
            format!("Text.\n\n{HEAD}| 1 | a | b | `no_event_is_lost` |\n| 2 | a | b | Cannot occur: it is typed. |\n");

        assert_eq!(defects(&text, 2), [""; 0]);
    }

    #[test]
    fn a_defect_that_is_missing_open_listed_twice_or_of_no_list_is_a_complaint() {
        let rows = "| 1 | a | b | open |\n| 3 | a | b | `no_event_is_lost` |\n| 3 | a | b | `no_event_is_lost` |\n";
        let more = "| 5 | a | b | `no_event_is_lost` |\n| x | a | b | `is_connected`, as it should |\n";

        let complaints = defects(&format!("{HEAD}{rows}\n{HEAD}{more}"), 4);

        assert_eq!(
            complaints,
            [
                "docs/defects.md names neither a test nor a reason for 1: open",
                "docs/defects.md has a row 3 twice, or too many",
                "docs/defects.md has a row 5 twice, or too many",
                "docs/defects.md has a row x twice, or too many",
                "docs/defects.md names neither a test nor a reason for x: `is_connected`, as it should",
                "docs/defects.md has no row 2",
                "docs/defects.md has no row 4",
            ]
        );
    }

    #[test]
    fn a_feature_that_is_here_needs_a_test_and_every_other_a_reason() {
        let head = "| theirs | ours | here | shown by |\n|:--|---|:-:|---|\n";
        let good = "| `a` | `b` | Y | `no_event_is_lost` |\n| `a` | | not needed | HTTP is not a fallback. |\n";
        let bad =
            "| `c` | `d` | Y | it works |\n| `e` | | N | |\n| `f` | | open | `no_event_is_lost` |\n| `g` | | | |\n";

        assert_eq!(parity(&format!("{head}{good}")), [""; 0]);
        assert_eq!(
            parity(&format!("{head}{good}{bad}")),
            [
                "docs/parity.md says `Y` of `c`, and shows nothing for it: it works",
                "docs/parity.md says `N` of `e`, and shows nothing for it: ",
                "docs/parity.md says `open` of `f`, and shows nothing for it: `no_event_is_lost`",
                "docs/parity.md says `` of `g`, and shows nothing for it: ",
            ]
        );
    }
}
