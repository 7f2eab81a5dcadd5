use serde::de::Deserializer;

use super::{Lenient, Read, Source};
use crate::whole_number;

/// An id or a count: a whole number, or one in quotes, that fits 64 bits. Never by way of a float.
impl<'de> Lenient<'de> for i64 {
    const DEFECT: &'static str = "is not a 64-bit whole number";

    fn from_i64(value: i64) -> Option<Self> {
        Some(value)
    }
    fn from_str(text: &str) -> Option<Self> {
        whole_number::parse(text)
    }
    fn read<D: Deserializer<'de>, S: Source>(deserializer: D) -> Result<Read<Self>, D::Error> {
        S::read_whole(deserializer)
    }
}

impl<'de> Lenient<'de> for bool {
    const DEFECT: &'static str = "is neither true nor false";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
    fn from_i64(value: i64) -> Option<Self> {
        match value {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
    fn from_str(text: &str) -> Option<Self> {
        match text {
            "0" => Some(false),
            "1" => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            text if text.eq_ignore_ascii_case("true") => Some(true),
            _ => None,
        }
    }
    fn read<D: Deserializer<'de>, S: Source>(deserializer: D) -> Result<Read<Self>, D::Error> {
        S::read_whole(deserializer)
    }
}

impl Lenient<'_> for f64 {
    const DEFECT: &'static str = "is not a number";

    #[expect(clippy::cast_precision_loss, reason = "the field is a measure, not an id")]
    fn from_i64(value: i64) -> Option<Self> {
        Some(value as Self)
    }
    #[expect(clippy::cast_precision_loss, reason = "the field is a measure, not an id")]
    fn from_u64(value: u64) -> Option<Self> {
        Some(value as Self)
    }
    fn from_f64(value: f64) -> Option<Self> {
        Some(value)
    }
    fn from_str(text: &str) -> Option<Self> {
        text.parse().ok().filter(|value: &Self| value.is_finite())
    }
}

/// A whole number stands for its digits: a door code may come without quotes.
impl Lenient<'_> for String {
    const DEFECT: &'static str = "is not a string";

    fn from_i64(value: i64) -> Option<Self> {
        Some(value.to_string())
    }
    fn from_u64(value: u64) -> Option<Self> {
        Some(value.to_string())
    }
    fn from_str(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
    fn from_string(text: String) -> Option<Self> {
        Some(text)
    }
}
