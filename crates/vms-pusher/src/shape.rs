//! What each model consists of, for the tests that go through every member of every model.

use serde::Serialize;
use serde_json::Value;

use crate::decode;
use crate::lenient::{Defect, Lenient};
use crate::quoted::{Reader, Strict};
use crate::time::VmsTime;

pub(crate) trait Shaped {
    const SHAPE: Shape;
}

#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Whole,
    Float,
    Bool,
    Text,
    Time,
    /// An enumeration that keeps what it does not know.
    Word,
    List(&'static Self),
    Object(&'static Object),
}

pub(crate) struct Object {
    pub(crate) name: &'static str,
    /// The key, whether the member identifies the object, and what it is.
    pub(crate) members: &'static [(&'static str, bool, Shape)],
    /// Reads one from a document.
    pub(crate) read: fn(&str) -> BothWays,
}

/// What a document has become, as JSON: the lenient way, and the strict way if that took it.
pub(crate) type BothWays = (Result<Value, Defect>, Option<Value>);

pub(crate) fn read_both_ways<T: for<'de> Lenient<'de> + Strict + Serialize>(document: &str) -> BothWays {
    let written = |value: T| serde_json::to_value(value).unwrap();
    let lenient = decode::read::<T>(document).unwrap_or_else(|error| panic!("{document}: {error}")).required();
    let string = Value::from(document).to_string();
    let mut reader = Reader::new(&string[1..string.len() - 1]);
    let strict = T::strict(&mut reader).ok().filter(|_| reader.end().is_ok());
    (lenient.map(written), strict.map(written))
}

impl Shaped for i64 {
    const SHAPE: Shape = Shape::Whole;
}

impl Shaped for f64 {
    const SHAPE: Shape = Shape::Float;
}

impl Shaped for bool {
    const SHAPE: Shape = Shape::Bool;
}

impl Shaped for String {
    const SHAPE: Shape = Shape::Text;
}

impl Shaped for VmsTime {
    const SHAPE: Shape = Shape::Time;
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

impl<T: Shaped> Shaped for Box<T> {
    const SHAPE: Shape = T::SHAPE;
}
