//! The quick way against the plain one: whatever the quick way reads, the plain one reads the same.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::VmsDecoder;

/// As PHP does by default, `json_encode` escapes slashes and everything beyond ASCII.
fn as_php(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        match character {
            '/' => text.push_str("\\/"),
            ' '..='~' => text.push(character),
            _ => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}

/// The document as the content of a string, as an encoder that escapes only what it must writes it.
fn quoted(document: &str) -> String {
    let string = Value::from(document).to_string();
    string[1..string.len() - 1].to_owned()
}

/// The document as the content of a string, as PHP writes it.
fn quoted_as_php(document: &str) -> String {
    let string = as_php(&Value::from(document));
    string[1..string.len() - 1].to_owned()
}

/// Any value at all, for comparing.
impl Strict for Value {
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        match reader.peek() {
            Some(b'{') => {
                let mut map = serde_json::Map::new();
                let mut more = reader.open_object()?;
                while more {
                    let key = reader.key()?.to_owned();
                    map.insert(key, Self::strict(reader)?);
                    more = reader.next_member()?;
                }
                Ok(map.into())
            }
            Some(b'[') => Vec::<Self>::strict(reader).map(Self::from),
            Some(b'\\') => String::strict(reader).map(Self::from),
            Some(b'n') => reader.null().then_some(Self::Null).ok_or(Unfit),
            Some(b't' | b'f') => bool::strict(reader).map(Self::from),
            _ => {
                let start = reader.at;
                match i64::strict(reader) {
                    Ok(value) => Ok(value.into()),
                    Err(Unfit) => {
                        reader.at = start;
                        f64::strict(reader).map(Self::from)
                    }
                }
            }
        }
    }
}

fn quickly(content: &str) -> Option<Value> {
    let mut reader = Reader::new(content);
    let value = Value::strict(&mut reader).ok()?;
    reader.end().ok()?;
    // What is passed over has to be as valid as what is read.
    let mut reader = Reader::new(content);
    assert_eq!(reader.skip().and_then(|()| reader.end()), Ok(()), "{content}");
    Some(value)
}

/// What the plain way makes of it: the string first, then the document inside.
fn plainly(content: &str) -> Option<Value> {
    let document: String = serde_json::from_str(&format!("\"{content}\"")).ok()?;
    serde_json::from_str(&document).ok()
}

/// Returns whether the quick way took the text.
fn agree(content: &str) -> bool {
    let quick = quickly(content);
    if quick.is_some() {
        assert_eq!(quick, plainly(content), "{content}");
    }
    let mut reader = Reader::new(content);
    if reader.skip().and_then(|()| reader.end()).is_ok() {
        assert!(plainly(content).is_some(), "{content}");
    }
    quick.is_some()
}

#[derive(serde::Deserialize)]
struct Fixture {
    event: String,
    payload: Option<String>,
    data: Option<Box<serde_json::value::RawValue>>,
}

/// The fixtures: event name, document, and whether it is one of those that servers write.
fn fixtures() -> Vec<(String, String, bool)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testing/fixtures");
    let mut all = Vec::new();
    for folder in ["app", "intercom", "lenient"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let fixture: Fixture = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            let document = fixture.payload.unwrap_or_else(|| compact(fixture.data.unwrap().get()));
            all.push((fixture.event, document, folder != "lenient"));
        }
    }
    assert!(all.len() > 80, "{}", all.len());
    all
}

/// Takes the white space between tokens away, and keeps the order of members.
fn compact(document: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let kept = |character: &char| {
        let keep = in_string || !character.is_ascii_whitespace();
        in_string ^= *character == '"' && !escaped;
        escaped = in_string && *character == '\\' && !escaped;
        keep
    };
    document.chars().filter(kept).collect()
}

#[test]
fn what_servers_write_is_read_quickly() {
    let documents = [
        r#"{"a":1,"b":[true,false,null,-7],"c":{"d":"text","e":""},"f":0.93,"g":"2024-03-05T10:11:12.000000Z"}"#,
        r#"{"path":"C:\\x","quote":"say \"hi\"","slash":"a/b","lines":"a\nb\tc","cyrillic":"Вход","emoji":"😀"}"#,
        "[]",
        "{}",
        "17",
        "\"text\"",
        r#" { "a" : [ 1 , 2 ] } "#,
    ];
    for document in documents {
        assert!(agree(&quoted(document)), "{document}");
        let php = as_php(&serde_json::from_str(document).unwrap());
        assert!(agree(&quoted_as_php(&php)), "{document}");
        assert!(agree(&quoted(&php)), "{document}");
    }
}

// M01, M03, M05, M06
#[test]
fn what_is_not_for_the_quick_way_is_left_to_the_plain_one() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let documents = [
        "",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "-0",
        "-",
        "1.",
        "1e999",
        "99999999999999999999",
        "nul",
        "tru",
        "{\"a\":1}x",
        "{a:1}",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "[1 2]",
        "{\"a\" 1}",
        "\"\n\"",
        "{\n}",
        deep.as_str(),
    ];
    for document in documents {
        assert!(!agree(&quoted(document)), "{document}");
    }
    for content in [r#"\u0022a\u0022"#, r#"\"a\u00e9\""#, r"\n1", r#"\"\\u00+9\""#] {
        assert!(!agree(content), "{content}");
    }
}

#[test]
fn random_texts_are_read_alike_or_left() {
    let atoms = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\\\"",
        "\\\\\\\"",
        "\\\\\\\\",
        "\\\\n",
        "\\\\/",
        "\\/",
        "\\\\u00e9",
        "\\\\ud83d\\\\ude00",
        "\\n",
        "a",
        "é",
        "\\\"k\\\":",
        "\\\"v\\\"",
        "12",
        "-3",
        "0.5",
        "1e5",
        "true",
        "null",
        " ",
        "\\u0041",
        "\\\\\\/",
        "\\\\ud83d",
    ];
    let mut random = fastrand::Rng::with_seed(5);
    let (mut taken, mut left) = (0, 0);
    for round in 0..60_000 {
        let length = random.usize(0..10);
        let atoms = if round % 2 == 0 { &atoms[..] } else { &atoms[..8] };
        let inner: String = (0..length).map(|_| *random.choice(atoms).unwrap()).collect();
        for content in [format!("{{\\\"k\\\":{inner}}}"), format!("[\\\"{inner}\\\"]"), inner] {
            if agree(&content) {
                taken += 1;
            } else {
                left += 1;
            }
        }
    }
    assert!(taken > 2_000 && left > 2_000, "{taken} {left}");
}

#[test]
fn every_fixture_becomes_the_same_push_both_ways_at_every_cut() {
    let decoder = VmsDecoder::new("https://example.com");
    let check = |event: &str, content: &str| {
        let quick = decoder.decode_quoted(event, "private-user.42", content);
        if let Some(quick) = &quick {
            let document: String = serde_json::from_str(&format!("\"{content}\"")).unwrap();
            assert_eq!(*quick, decoder.decode(event, "private-user.42", &document), "{content}");
        }
        quick.is_some()
    };
    let (mut quick, mut ordinary) = (0, 0);
    for (event, document, is_ordinary) in fixtures() {
        for content in [quoted(&document), quoted_as_php(&document)] {
            let taken = check(&event, &content);
            quick += usize::from(taken && is_ordinary);
            ordinary += usize::from(is_ordinary);
            for end in (0..content.len()).filter(|&end| content.is_char_boundary(end)) {
                check(&event, &content[..end]);
            }
        }
    }
    // Cancelled calls are the exception: their payload is read when all the rest is known.
    assert!(quick * 10 >= ordinary * 8, "{quick} of {ordinary}");
}

#[test]
fn every_fixture_with_one_byte_changed_becomes_the_same_push_both_ways() {
    let decoder = VmsDecoder::new("https://example.com");
    let mut random = fastrand::Rng::with_seed(6);
    let mut quick = 0;
    for (event, document, _) in fixtures() {
        let content = quoted(&document);
        for _ in 0..200 {
            let mut bytes = content.clone().into_bytes();
            let Some(at) = (!bytes.is_empty()).then(|| random.usize(0..bytes.len())) else { continue };
            bytes[at] = *random.choice(b"\\\"{}[]:,0129-.eEtnu /a").unwrap();
            // Only contents of valid strings get here.
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let Ok(document) = serde_json::from_str::<String>(&format!("\"{changed}\"")) else { continue };
            if let Some(socket) = decoder.decode_quoted(&event, "private-user.42", &changed) {
                quick += 1;
                assert_eq!(socket, decoder.decode(&event, "private-user.42", &document), "{changed}");
            }
        }
    }
    assert!(quick > 2_000, "{quick}");
}

/// The document with the members of each object in another order, some of them twice or left out, and spaces here and there.
fn shaken(value: &Value, random: &mut fastrand::Rng) -> String {
    let space = |random: &mut fastrand::Rng| if random.u8(..) < 20 { " " } else { "" };
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|_| random.u8(..) > 15).collect();
            if random.bool() {
                random.shuffle(&mut members);
            }
            if let Some(member) = random.choice(&members).copied().filter(|_| random.u8(..) < 30) {
                members.push(member);
            }
            let members = members.iter().map(|(key, value)| {
                let (before, behind) = (space(random), space(random));
                format!("{}{before}:{behind}{}", Value::from(key.as_str()), shaken(value, random))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| shaken(element, random));
            format!("[{}]", elements.collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[test]
fn members_in_any_order_become_the_same_push_both_ways() {
    let decoder = VmsDecoder::new("https://example.com");
    let mut random = fastrand::Rng::with_seed(7);
    let (mut quick, mut all) = (0, 0);
    for (event, document, is_ordinary) in fixtures() {
        let Ok(value) = serde_json::from_str::<Value>(&document) else { continue };
        for _ in 0..40 * usize::from(is_ordinary) {
            let document = shaken(&value, &mut random);
            all += 1;
            if let Some(socket) = decoder.decode_quoted(&event, "private-user.42", &quoted(&document)) {
                quick += 1;
                assert_eq!(socket, decoder.decode(&event, "private-user.42", &document), "{document}");
            }
        }
    }
    // About a third keeps the order in which servers write; how many exactly depends on the fixtures.
    assert!(quick * 5 > all, "{quick} of {all}");
}
