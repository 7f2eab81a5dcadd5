//! Whole numbers by their text, so that no float comes between.

/// Reads a whole number of 64 bits however it is spelled: `3`, `3.0` and `30e-1` are the same. Anything else is `None`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    // The usual spelling, and the one that an i64 has.
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    // Where the point stands, counted in digits from the first one.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    shifted(whole.bytes().chain(fraction.bytes()), point, negative)
}

/// The whole number that the digits are with a point so far behind the first; `None` when a fraction remains.
fn shifted(digits: impl Iterator<Item = u8>, point: i64, negative: bool) -> Option<i64> {
    let mut value: i64 = 0;
    let mut place = 0;
    for digit in digits.map(|byte| i64::from(byte - b'0')) {
        if place < point {
            value = appended(value, digit, negative)?;
        } else if digit != 0 {
            return None;
        }
        place += 1;
    }
    // Nineteen zeros are more than fit behind any digit.
    let zeros = if value == 0 { 0 } else { (point - place).clamp(0, 19) };
    (0..zeros).try_fold(value, |value, _| appended(value, 0, negative))
}

/// Counts away from zero in the direction of the sign, for the lowest number has no positive counterpart.
fn appended(value: i64, digit: i64, negative: bool) -> Option<i64> {
    value.checked_mul(10)?.checked_add(if negative { -digit } else { digit })
}

/// An exponent of more digits than these makes no number of 64 bits that anybody writes.
fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_exponent = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_exponent { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    // M05
    #[test]
    fn a_whole_number_is_read_in_every_spelling_and_nothing_else_is() {
        for (text, expected) in [
            ("3", Some(3)),
            ("-3", Some(-3)),
            ("007", Some(7)),
            ("3.0", Some(3)),
            ("3.00", Some(3)),
            ("3e0", Some(3)),
            ("3E+2", Some(300)),
            ("30e-1", Some(3)),
            ("0.3e1", Some(3)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("0e999999999", Some(0)),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("9223372036854775807.0", Some(i64::MAX)),
            ("-9223372036854775808.0", Some(i64::MIN)),
            ("9.223372036854775807e18", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("9223372036854775808.0", None),
            ("-9223372036854775809.0", None),
            ("1e19", None),
            ("1e999999999", None),
            ("1e-999999999", None),
            ("1e99999999999999999999", None),
            ("3.5", None),
            ("3.0000000000000000001", None),
            ("3e-1", None),
            ("", None),
            ("-", None),
            (".", None),
            ("3.", None),
            (".0", None),
            ("3e", None),
            ("3e+", None),
            ("3e0.0", None),
            ("--3", None),
            ("-+3", None),
            (" 3", None),
            ("3 ", None),
            ("3,0", None),
            ("1_000", None),
            ("0x3", None),
            ("３", None),
            ("inf", None),
            ("[3]", None),
            ("{}", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
