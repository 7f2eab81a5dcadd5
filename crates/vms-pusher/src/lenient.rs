//! Reading JSON field by field: a value of the wrong type is reported and skipped, and never stops the reading of
//! what surrounds it.
//!
//! Everything is read in one pass over the text, without a tree of values in between. An `Err` from here means
//! that the text is not JSON (or, from `serde_json`, a number too large for it, see `decode::repair`).

mod list;
mod scalar;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize as _, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::quoted::{Reader, Strict, Unfit};
use crate::whole_number;

/// What was found where a `T` was looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Read<T> {
    #[default]
    Missing,
    Null,
    Value(T),
    Bad(Defect),
}

/// Why a value could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Defect {
    /// The member of the value that is at fault; empty when it is the value itself.
    pub(crate) key: &'static str,
    /// Completes "the value …".
    pub(crate) reason: &'static str,
}

impl<T> Read<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null | Self::Bad(_) => None,
        }
    }

    /// The value, `None` when it is missing or null, the defect when it is there and unusable.
    pub(crate) fn optional(self) -> Result<Option<T>, Defect> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Missing | Self::Null => Ok(None),
            Self::Bad(defect) => Err(defect),
        }
    }

    pub(crate) fn required(self) -> Result<T, Defect> {
        self.optional()?.ok_or(Defect { key: "", reason: MISSING })
    }

    fn from_option(value: Option<T>, reason: &'static str) -> Self {
        value.map_or(Self::Bad(Defect { key: "", reason }), Self::Value)
    }
}

/// A type that can be looked for in any JSON value. Whatever is not overridden is a value of the wrong type.
pub(crate) trait Lenient<'de>: Sized {
    /// Completes "the value …" when it is of a wrong type.
    const DEFECT: &'static str;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }
    fn from_i64(_: i64) -> Option<Self> {
        None
    }
    fn from_u64(value: u64) -> Option<Self> {
        i64::try_from(value).ok().and_then(Self::from_i64)
    }
    fn from_f64(_: f64) -> Option<Self> {
        None
    }
    fn from_str(_: &str) -> Option<Self> {
        None
    }
    fn from_string(text: String) -> Option<Self> {
        Self::from_str(&text)
    }
    fn from_seq<A: SeqAccess<'de>, S: Source>(mut seq: A) -> Result<Read<Self>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Read::from_option(None, Self::DEFECT))
    }
    fn from_map<A: MapAccess<'de>, S: Source>(mut map: A) -> Result<Read<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Read::from_option(None, Self::DEFECT))
    }
    fn read<D: Deserializer<'de>, S: Source>(deserializer: D) -> Result<Read<Self>, D::Error> {
        deserializer.deserialize_any(field::<Self, S>())
    }
}

/// What values are read from.
pub(crate) trait Source {
    /// Reads a `T` that is made from whole numbers.
    fn read_whole<'de, T: Lenient<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Read<T>, D::Error>;
}

/// The text of a payload. `3.0` is a whole number in it, and seen as such without a float between.
pub(crate) struct Payload;

impl Source for Payload {
    fn read_whole<'de, T: Lenient<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Read<T>, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match text.as_bytes() {
            b"null" => Read::Null,
            b"true" => Read::from_option(T::from_bool(true), T::DEFECT),
            b"false" => Read::from_option(T::from_bool(false), T::DEFECT),
            [b'"', ..] => {
                let text = serde_json::from_str::<String>(text).ok();
                Read::from_option(text.and_then(T::from_string), T::DEFECT)
            }
            _ => Read::from_option(whole_number::parse(text).and_then(T::from_i64), T::DEFECT),
        })
    }
}

/// What this crate has written, from wherever `serde` takes it: a whole number has no fraction there.
pub(crate) struct Written;

impl Source for Written {
    fn read_whole<'de, T: Lenient<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Read<T>, D::Error> {
        deserializer.deserialize_any(field::<T, Self>())
    }
}

/// An object that is filled in place, so that a boxed one is never moved.
pub(crate) trait Model<'de>: Default {
    /// Returns the defect when a member that identifies the object is missing or unusable.
    fn fill<A: MapAccess<'de>, S: Source>(&mut self, map: A) -> Result<Option<Defect>, A::Error>;
}

/// Reads an object; an empty array is PHP's way to write an empty map, and counts as none.
pub(crate) fn model_from_seq<'de, T, A: SeqAccess<'de>>(mut seq: A) -> Result<Read<T>, A::Error> {
    let mut empty = true;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        empty = false;
    }
    Ok(if empty { Read::Null } else { Read::Bad(Defect { key: "", reason: NOT_AN_OBJECT }) })
}

pub(crate) const MISSING: &str = "is missing";
pub(crate) const NOT_AN_OBJECT: &str = "is not an object";

impl<'de, T: Model<'de>> Lenient<'de> for Box<T> {
    const DEFECT: &'static str = NOT_AN_OBJECT;

    fn from_seq<A: SeqAccess<'de>, S: Source>(seq: A) -> Result<Read<Self>, A::Error> {
        model_from_seq(seq)
    }

    fn from_map<A: MapAccess<'de>, S: Source>(map: A) -> Result<Read<Self>, A::Error> {
        let mut model = Self::default();
        Ok(model.fill::<A, S>(map)?.map_or(Read::Value(model), Read::Bad))
    }
}

impl<T: Strict> Strict for Read<T> {
    #[inline]
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        if reader.null() { Ok(Self::Null) } else { T::strict(reader).map(Self::Value) }
    }
}

/// Looks for a `T` in the next value.
pub(crate) fn field<T, S>() -> Field<T, S> {
    Field(PhantomData)
}

pub(crate) struct Field<T, S>(PhantomData<(T, S)>);

impl<'de, T: Lenient<'de>, S: Source> DeserializeSeed<'de> for Field<T, S> {
    type Value = Read<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<T>, D::Error> {
        T::read::<D, S>(deserializer)
    }
}

impl<'de, T: Lenient<'de>, S: Source> Visitor<'de> for Field<T, S> {
    type Value = Read<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Read<T>, E> {
        Ok(Read::from_option(T::from_bool(value), T::DEFECT))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Read<T>, E> {
        Ok(Read::from_option(T::from_i64(value), T::DEFECT))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Read<T>, E> {
        Ok(Read::from_option(T::from_u64(value), T::DEFECT))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Read<T>, E> {
        Ok(Read::from_option(T::from_f64(value), T::DEFECT))
    }
    fn visit_str<E>(self, text: &str) -> Result<Read<T>, E> {
        Ok(Read::from_option(T::from_str(text), T::DEFECT))
    }
    fn visit_string<E>(self, text: String) -> Result<Read<T>, E> {
        Ok(Read::from_option(T::from_string(text), T::DEFECT))
    }
    fn visit_unit<E>(self) -> Result<Read<T>, E> {
        Ok(Read::Null)
    }
    fn visit_none<E>(self) -> Result<Read<T>, E> {
        Ok(Read::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Read<T>, A::Error> {
        T::from_seq::<A, S>(seq)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Read<T>, A::Error> {
        T::from_map::<A, S>(map)
    }
}

/// The key of an object member, told apart without keeping its text.
pub(crate) trait Key: Sized {
    fn parse(key: &str) -> Self;
}

pub(crate) struct KeySeed<K>(PhantomData<K>);

impl<K> KeySeed<K> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<'de, K: Key> DeserializeSeed<'de> for KeySeed<K> {
    type Value = K;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<K: Key> Visitor<'_> for KeySeed<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<K, E> {
        Ok(K::parse(key))
    }
}

/// Reads a `T` for `Deserialize`: what is lenient inside a payload is an error for the value itself.
pub(crate) fn deserialize<'de, T: Lenient<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    match field::<T, Written>().deserialize(deserializer)?.required() {
        Ok(value) => Ok(value),
        Err(Defect { key: "", reason }) => Err(D::Error::custom(format_args!("the value {reason}"))),
        Err(Defect { key, reason }) => Err(D::Error::custom(format_args!("`{key}` {reason}"))),
    }
}
