//! Every member of every model, in every spelling that a server may give it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::shape::{Object, Shape, Shaped};
use crate::socket::*;

/// A value as it may stand in a payload, and what it is where each type is due, as JSON. Where nothing is given it is
/// nothing: the member is empty.
#[derive(Default)]
struct Spelling {
    text: &'static str,
    whole: Option<i64>,
    float: Option<f64>,
    boolean: Option<bool>,
    string: Option<&'static str>,
    time: Option<&'static str>,
}

impl Spelling {
    fn of(text: &'static str) -> Self {
        Self { text, ..Self::default() }
    }
    /// In a word and a text, a string is itself.
    fn string(text: &'static str) -> Self {
        Self { string: Some(text.trim_matches('"')), ..Self::of(text) }
    }
    /// A number without a point is its digits where text is due.
    fn digits(text: &'static str) -> Self {
        Self { string: Some(text), ..Self::of(text) }
    }
    fn whole(mut self, value: i64) -> Self {
        self.whole = Some(value);
        self
    }
    fn float(mut self, value: f64) -> Self {
        self.float = Some(value);
        self
    }
    fn boolean(mut self, value: bool) -> Self {
        self.boolean = Some(value);
        self
    }
    fn time(mut self) -> Self {
        self.time = Some("2024-03-05T10:11:12.000000Z");
        self
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is what a float makes of it")]
fn spellings() -> Vec<Spelling> {
    let (string, digits) = (Spelling::string, Spelling::digits);
    let plain = Spelling::of;
    const ODD: i64 = (1 << 53) + 1;
    vec![
        plain("null"),
        plain("true").boolean(true),
        plain("false").boolean(false),
        digits("0").whole(0).float(0.0).boolean(false),
        digits("1").whole(1).float(1.0).boolean(true),
        digits("3").whole(3).float(3.0),
        digits("-7").whole(-7).float(-7.0),
        plain("-0").whole(0).float(-0.0).boolean(false),
        plain("0.0").whole(0).float(0.0).boolean(false),
        plain("1.0").whole(1).float(1.0).boolean(true),
        plain("3.0").whole(3).float(3.0),
        plain("3.00").whole(3).float(3.0),
        plain("3e0").whole(3).float(3.0),
        plain("30E-1").whole(3).float(3.0),
        plain("3.5").float(3.5),
        plain("3.0000000000000000001").float(3.0),
        digits("9007199254740993").whole(ODD).float(ODD as f64),
        plain("9007199254740993.0").whole(ODD).float(ODD as f64),
        digits("9223372036854775807").whole(i64::MAX).float(i64::MAX as f64),
        plain("9223372036854775807.0").whole(i64::MAX).float(i64::MAX as f64),
        digits("9223372036854775808").float(i64::MAX as f64),
        plain("-9223372036854775809").float(i64::MIN as f64),
        plain("1e300").float(1e300),
        digits("1709633472").whole(1_709_633_472).float(1_709_633_472.0),
        digits("1709633472000").whole(1_709_633_472_000).float(1_709_633_472_000.0),
        string("\"0\"").whole(0).float(0.0).boolean(false),
        string("\"1\"").whole(1).float(1.0).boolean(true),
        string("\"3\"").whole(3).float(3.0),
        string("\"3.0\"").whole(3).float(3.0),
        string("\"3e0\"").whole(3).float(3.0),
        string("\"3.5\"").float(3.5),
        string("\"9007199254740993\"").whole(ODD).float(ODD as f64),
        string("\"9223372036854775808\"").float(i64::MAX as f64),
        string("\" 3\""),
        string("\"3,0\""),
        string("\"0x3\""),
        string("\"٣\""),
        string("\"\""),
        string("\"true\"").boolean(true),
        string("\"False\"").boolean(false),
        string("\"yes\""),
        string("\"NULL\""),
        string("\"NaN\""),
        string("\"inf\""),
        string("\"-infinity\""),
        string("\"1e400\""),
        string("\"2024-03-05T10:11:12.000000Z\"").time(),
        string("\"2024-03-05T10:11:12Z\"").time(),
        string("\"2024-03-05 10:11:12\"").time(),
        string("\"2024-03-05 13:11:12+03\"").time(),
        string("\"2024-03-05T13:11:12+0300\"").time(),
        string("\"2024-03-05T13:11:12,000+03:00\"").time(),
        string("\"2024-03-05\""),
        string("\"0000-00-00 00:00:00\""),
        string("\"1709633472\"").whole(1_709_633_472).float(1_709_633_472.0),
        string("\"[]\""),
        string("\"{}\""),
        plain("[]"),
        plain("{}"),
        plain("[3]"),
        plain("[3,null]"),
        plain("[\"3\",3.5,\"yes\"]"),
        plain("[[3]]"),
        plain("[{}]"),
        plain("{\"0\":3,\"2\":\"3\"}"),
        plain("{\"0\":3,\"0\":3}"),
        plain("{\"00\":3}"),
        plain("{\"3\":3}"),
        plain("{\"id\":3}"),
        plain("{\"id\":null}"),
        plain("{\"id\":{\"id\":3}}"),
    ]
}

/// What the value is where a `shape` is due. Only what is no scalar is taken apart here.
fn expected(shape: Shape, spelling: &Spelling) -> Option<Value> {
    match shape {
        Shape::Whole => spelling.whole.map(Value::from),
        Shape::Float => spelling.float.map(Value::from),
        Shape::Bool => spelling.boolean.map(Value::from),
        Shape::Time => spelling.time.map(Value::from),
        Shape::Text => spelling.string.map(Value::from),
        Shape::Word => spelling.string.filter(|_| spelling.text.starts_with('"')).map(Value::from),
        Shape::List(element) => {
            let elements = match spelling.text {
                "[]" | "{}" => vec![],
                "[3]" | "{\"3\":3}" => vec!["3"],
                "{\"0\":3,\"2\":\"3\"}" => vec!["3", "\"3\""],
                "[3,null]" => vec!["3", "null"],
                "[\"3\",3.5,\"yes\"]" => vec!["\"3\"", "3.5", "\"yes\""],
                "[[3]]" => vec!["[3]"],
                "[{}]" => vec!["{}"],
                _ => return None,
            };
            elements.iter().map(|text| expected(*element, spelled(text))).collect()
        }
        Shape::Object(object) => {
            let id = match spelling.text {
                "{}" | "{\"0\":3,\"2\":\"3\"}" | "{\"0\":3,\"0\":3}" | "{\"00\":3}" | "{\"3\":3}" => None,
                "{\"id\":3}" => Some("3"),
                "{\"id\":null}" => Some("null"),
                "{\"id\":{\"id\":3}}" => Some("{\"id\":3}"),
                _ => return None,
            };
            let mut members = serde_json::Map::new();
            for (key, required, shape) in object.members {
                let value = id.filter(|_| *key == "id").and_then(|id| expected(*shape, spelled(id)));
                match value {
                    Some(value) => drop(members.insert((*key).to_owned(), value)),
                    None if *required => return None,
                    None => {}
                }
            }
            Some(members.into())
        }
    }
}

fn spelled(text: &str) -> &'static Spelling {
    SPELLINGS.iter().find(|spelling| spelling.text == text).unwrap()
}

static SPELLINGS: LazyLock<Vec<Spelling>> = LazyLock::new(spellings);

/// Every object that is a part of these, and these.
fn objects() -> BTreeMap<&'static str, &'static Object> {
    let mut found = BTreeMap::new();
    let mut open = vec![
        VmsEvent::SHAPE,
        VmsCameraGroup::SHAPE,
        VmsIntercom::SHAPE,
        VmsIntercomCode::SHAPE,
        VmsIntercomCall::SHAPE,
        VmsCanceledCall::SHAPE,
        VmsNotification::SHAPE,
        VmsCamerasUpdateSocket::SHAPE,
        VmsFavoriteCamerasUpdateSocket::SHAPE,
        VmsArchiveLinkSocket::SHAPE,
    ];
    while let Some(shape) = open.pop() {
        match shape {
            Shape::List(element) => open.push(*element),
            Shape::Object(object) => {
                found.insert(object.name, object);
                open.extend(object.members.iter().map(|(_, _, shape)| *shape));
            }
            Shape::Whole | Shape::Float | Shape::Bool | Shape::Text | Shape::Time | Shape::Word => {}
        }
    }
    found
}

/// The members that identify the object, each 1, and these others.
fn document(object: &Object, key: &str, value: &str) -> String {
    let required = object.members.iter().filter(|(other, required, _)| *required && *other != key);
    let mut members: Vec<_> = required.map(|(key, ..)| format!("\"{key}\":1")).collect();
    members.push(format!("\"{key}\":{value}"));
    format!("{{{}}}", members.join(","))
}

/// Checks what a member has become, both ways; `None` is that it is empty. Returns whether the strict way took it.
fn check(object: &Object, (key, is_required, _): &(&str, bool, Shape), value: &str, expected: Option<&Value>) -> bool {
    let document = document(object, key, value);
    let (lenient, strict) = (object.read)(&document);
    match &lenient {
        Ok(model) => {
            assert_eq!(model.get(key), expected, "{} {document}", object.name);
            let others = object.members.iter().filter(|(other, required, _)| *required && other != key).count();
            let members = model.as_object().map(serde_json::Map::len);
            assert_eq!(members, Some(others + usize::from(expected.is_some())), "{} {document}", object.name);
        }
        Err(defect) => {
            assert!(*is_required && expected.is_none(), "{} {document}: {defect:?}", object.name);
            assert_eq!(defect.key, *key, "{} {document}", object.name);
        }
    }
    let is_taken = strict.is_some();
    if let Some(strict) = strict {
        assert_eq!(lenient, Ok(strict), "{} {document}: the two ways differ", object.name);
    }
    is_taken
}

// M05, M13, M19: a value is what was sent, exactly, or it is not there
#[test]
fn every_member_in_every_spelling_is_exact_or_empty() {
    let (mut checked, mut taken) = (0, 0);
    for object in objects().into_values() {
        for member in object.members {
            for spelling in SPELLINGS.iter() {
                taken += usize::from(check(object, member, spelling.text, expected(member.2, spelling).as_ref()));
                checked += 1;
            }
        }
    }
    assert!(checked > 8_000 && taken > 500, "{checked} {taken}");
}

// M13: a list that came out shorter than it was would say that the rest is gone
#[test]
fn a_list_with_an_element_of_no_use_is_empty_and_never_shorter() {
    let (mut whole, mut empty) = (0, 0);
    for object in objects().into_values() {
        for member in object.members {
            let Shape::List(element) = member.2 else { continue };
            let (good, value) = match element {
                Shape::Object(object) => {
                    (document(object, "x", "0"), (object.read)(&document(object, "x", "0")).0.unwrap())
                }
                Shape::Whole
                | Shape::Float
                | Shape::Bool
                | Shape::Text
                | Shape::Time
                | Shape::Word
                | Shape::List(_) => ("\"1\"".to_owned(), expected(*element, spelled("\"1\"")).unwrap()),
            };
            for spelling in SPELLINGS.iter() {
                let expected = expected(*element, spelling).map(|other| json!([value, other, value]));
                check(object, member, &format!("[{good},{},{good}]", spelling.text), expected.as_ref());
                *(if expected.is_some() { &mut whole } else { &mut empty }) += 1;
            }
        }
    }
    assert!(whole > 20 && empty > 200, "{whole} {empty}");
}

#[test]
fn an_address_of_another_host_keeps_its_host() {
    let completed = |base_url: &str, url: &str| {
        let text = format!("{{\"id\":1,\"analytic_file\":{{\"id\":2,\"url\":\"{url}\"}}}}");
        let mut event: VmsEvent = serde_json::from_str(&text).unwrap();
        event.complete(base_url);
        event.analytic_file.unwrap().url.unwrap()
    };
    let base = "https://example.com/vms";
    assert_eq!(completed(base, "/files/2.jpg"), "https://example.com/vms/files/2.jpg");
    assert_eq!(completed(base, "//cdn.example.com/2.jpg"), "https://cdn.example.com/2.jpg");
    assert_eq!(completed("http://example.com", "//cdn.example.com/2.jpg"), "http://cdn.example.com/2.jpg");
    assert_eq!(completed("", "//cdn.example.com/2.jpg"), "//cdn.example.com/2.jpg");
    assert_eq!(completed(base, "https://cdn.example.com/2.jpg"), "https://cdn.example.com/2.jpg");
    assert_eq!(completed(base, "2.jpg"), "2.jpg");
}
