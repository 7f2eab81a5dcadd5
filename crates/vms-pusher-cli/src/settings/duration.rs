//! Lengths of time as people write them.

use std::time::Duration;

/// Reads `20s`, `1m30s`, `500ms`, `2h`, or a number of seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let wrong = "write it like 20s, 1m30s, 500ms or 2h";
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|character: char| character.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: u32 = number.parse().map_err(|_| wrong)?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(wrong),
        };
        total = unit.checked_mul(number).and_then(|part| total.checked_add(part)).ok_or(wrong)?;
        rest = after;
    }
    if text.is_empty() { Err(wrong) } else { Ok(total) }
}

/// The same, but for no time at all.
pub(crate) fn parse_positive(text: &str) -> Result<Duration, &'static str> {
    parse(text).and_then(|time| if time.is_zero() { Err("it must not be zero") } else { Ok(time) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_as_people_write_it() {
        for (text, millis) in [("20s", 20_000), ("20", 20_000), ("1m30s", 90_000), ("500ms", 500), ("2h", 7_200_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "s", "1x", "1.5s", "-1s", "s1", "1s2", "99999999999s", " 1s", "1 s", "ß"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("0s").is_ok() && parse_positive("0s").is_err() && parse_positive("1ms").is_ok());
    }
}
