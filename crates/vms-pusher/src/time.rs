//! [`VmsTime`]: a moment as a VMS writes it.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::lenient::Lenient;
use crate::quoted::{Reader, Strict, Unfit};

/// A moment in UTC, to the microsecond, between the years 0000 and 9999.
///
/// Written and read as `2024-03-05T10:11:12.000000Z`. Reading also accepts
///
/// * a space in place of the `T`, as in `2024-03-05 10:11:12`;
/// * fewer or no fraction digits, and a comma before them; digits after the sixth are ignored;
/// * an offset from UTC: `+03:00`, `+0300`, `+03`, `Z` or ` UTC`, also with a space before it. Without one it is UTC.
///
/// Text that is not a moment, or is ambiguous, is never turned into one: [`VmsTime::parse`] returns `None` for a date
/// alone, a time without seconds, a number (seconds or milliseconds?) and a time zone abbreviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VmsTime {
    unix_micros: i64,
}

impl VmsTime {
    /// Reads a moment, or returns `None` when the text is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(time) = read_usual(text.as_bytes()) {
            return Some(time);
        }
        let (date, rest) = read_date(text.as_bytes())?;
        let (b'T' | b't' | b' ', rest) = rest.split_first()? else { return None };
        let (time, rest) = read_time(rest)?;
        let moment = PrimitiveDateTime::new(date, time).assume_offset(read_offset(rest)?);
        Self::from_offset_date_time(moment)
    }

    /// Returns the moment that many microseconds after 1970-01-01T00:00:00Z, or `None` outside the years 0000 to 9999.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        (MIN_UNIX_MICROS..=MAX_UNIX_MICROS).contains(&micros).then_some(Self { unix_micros: micros })
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z; negative before it.
    #[must_use]
    pub fn unix_micros(self) -> i64 {
        self.unix_micros
    }

    /// Returns the nearest moment to `time` that can be written.
    pub(crate) fn saturating_from(time: SystemTime) -> Self {
        let is_past = time < SystemTime::UNIX_EPOCH;
        Self::try_from(time).unwrap_or(Self { unix_micros: if is_past { MIN_UNIX_MICROS } else { MAX_UNIX_MICROS } })
    }

    fn from_offset_date_time(moment: OffsetDateTime) -> Option<Self> {
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000)).ok().and_then(Self::from_unix_micros)
    }
}

impl TryFrom<VmsTime> for SystemTime {
    type Error = VmsTimeRangeError;

    /// Fails where the system's time does not reach that far: on Windows it begins in 1601.
    fn try_from(time: VmsTime) -> Result<Self, Self::Error> {
        let distance = Duration::from_micros(time.unix_micros.unsigned_abs());
        let epoch = Self::UNIX_EPOCH;
        let moment = if time.unix_micros < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
        moment.ok_or(VmsTimeRangeError)
    }
}

impl TryFrom<SystemTime> for VmsTime {
    type Error = VmsTimeRangeError;

    fn try_from(time: SystemTime) -> Result<Self, Self::Error> {
        let micros = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()),
            Err(before) => i64::try_from(before.duration().as_micros()).map(|micros| -micros),
        };
        micros.ok().and_then(Self::from_unix_micros).ok_or(VmsTimeRangeError)
    }
}

/// A system time outside the years 0000 to 9999, or a [`VmsTime`] outside the range of the system's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time is outside the range of the target type")]
pub struct VmsTimeRangeError;

impl fmt::Display for VmsTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = Written::of(*self).ok_or(fmt::Error)?;
        f.write_str(written.as_str())
    }
}

impl Serialize for VmsTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written::of(*self).ok_or_else(|| S::Error::custom(VmsTimeRangeError))?;
        serializer.serialize_str(written.as_str())
    }
}

/// A moment as text, which has the same length for every year there is.
struct Written([u8; 27]);

impl Written {
    fn of(time: VmsTime) -> Option<Self> {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.unix_micros) * 1_000).ok()?;
        let (year, month, day) = moment.to_calendar_date();
        let (hour, minute, second, micros) = moment.to_hms_micro();
        let mut written = Self(*b"0000-00-00T00:00:00.000000Z");
        written.put(4, u32::try_from(year).ok()?);
        for (end, number) in [(7, u8::from(month)), (10, day), (13, hour), (16, minute), (19, second)] {
            written.put(end, u32::from(number));
        }
        written.put(26, micros);
        Some(written)
    }

    /// Writes `number` in place of the zeros that end before `end`.
    fn put(&mut self, end: usize, mut number: u32) {
        for digit in self.0.iter_mut().take(end).rev() {
            if number == 0 {
                return;
            }
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for VmsTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::lenient::deserialize(deserializer)
    }
}

impl Lenient<'_> for VmsTime {
    const DEFECT: &'static str = "is not a time";

    fn from_str(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Strict for VmsTime {
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        Self::parse(reader.string()?).ok_or(Unfit)
    }
}

/// Reads `2024-03-05T10:11:12.000000Z`, which is nearly every time there is, without the generality of the rest.
fn read_usual(text: &[u8]) -> Option<VmsTime> {
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
        b'.',
        f0,
        f1,
        f2,
        f3,
        f4,
        f5,
        b'Z',
    ] = text
    else {
        return None;
    };
    let digits = [y0, y1, y2, y3, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1, f0, f1, f2, f3, f4, f5];
    if !digits.iter().fold(true, |all, byte| all & byte.is_ascii_digit()) {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (year, month, day) = (two(y0, y1) * 100 + two(y2, y3), two(m0, m1), two(d0, d1));
    let (hour, minute, second) = (two(h0, h1), two(n0, n1), two(s0, s1));
    let micros = (two(f0, f1) * 100 + two(f2, f3)) * 100 + two(f4, f5);
    // The last days of a month are left to the general way, which knows the calendar.
    let is_usual = (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !is_usual {
        return None;
    }
    // Days since 0000-03-01, counting years from March so that the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 1
            - DAYS_TO_EPOCH;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    VmsTime::from_unix_micros(seconds * 1_000_000 + micros)
}

fn read_date(text: &[u8]) -> Option<(Date, &[u8])> {
    let (year, text) = read_number(text, 4)?;
    let (month, text) = read_number(text.strip_prefix(b"-")?, 2)?;
    let (day, text) = read_number(text.strip_prefix(b"-")?, 2)?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    Some((date, text))
}

fn read_time(text: &[u8]) -> Option<(Time, &[u8])> {
    let (hour, text) = read_number(text, 2)?;
    let (minute, text) = read_number(text.strip_prefix(b":")?, 2)?;
    let (second, text) = read_number(text.strip_prefix(b":")?, 2)?;
    let (micros, text) = match text.split_first() {
        Some((b'.' | b',', fraction)) => read_fraction(fraction)?,
        Some(_) | None => (0, text),
    };
    let clock = |value: u32| u8::try_from(value).ok();
    let time = Time::from_hms_micro(clock(hour)?, clock(minute)?, clock(second)?, micros).ok()?;
    Some((time, text))
}

/// Reads the digits behind the point as microseconds.
fn read_fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count)?;
    if digits.is_empty() {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0'));
    let micros = padded.take(6).fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((micros, rest))
}

fn read_offset(text: &[u8]) -> Option<UtcOffset> {
    if text.is_empty() {
        return Some(UtcOffset::UTC);
    }
    let (sign, text) = match text.strip_prefix(b" ").unwrap_or(text) {
        b"Z" | b"z" | b"UTC" => return Some(UtcOffset::UTC),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, text) = read_number(text, 2)?;
    let (minutes, text) = match text {
        [] => (0, text),
        [b':', minutes @ ..] | minutes => read_number(minutes, 2)?,
    };
    if hours > 23 || minutes > 59 || !text.is_empty() {
        return None;
    }
    let signed = |value: u32| i8::try_from(value).ok().map(|value| value * sign);
    UtcOffset::from_hms(signed(hours)?, signed(minutes)?, 0).ok()
}

/// Reads exactly `count` digits.
fn read_number(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits
        .iter()
        .try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))?;
    Some((value, rest))
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
/// 0000-01-01T00:00:00Z.
const MIN_UNIX_MICROS: i64 = -62_167_219_200_000_000;
/// 9999-12-31T23:59:59.999999Z.
const MAX_UNIX_MICROS: i64 = 253_402_300_799_999_999;

#[cfg(test)]
mod tests;
