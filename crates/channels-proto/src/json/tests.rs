use super::*;

fn read(text: &str) -> Result<Vec<(String, String)>, JsonError> {
    Members::of(text, 128)?
        .map(|member| member.map(|(key, value)| (key.into_owned(), value.text().to_owned())))
        .collect()
}

#[test]
fn members_come_in_order_with_their_text_untouched() {
    let text = " {\"a\" : 1 , \"b\\u0063\":[1, {\"x\":\"}\"}] ,\"\":null}\n";
    let expected = [("a", "1"), ("bc", "[1, {\"x\":\"}\"}]"), ("", "null")];
    let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(read(text), Ok(expected));
}

// M01, M05, M06
#[test]
fn whatever_breaks_the_grammar_is_an_error() {
    let cases = [
        "",
        " ",
        "[]",
        "\"a\"",
        "1",
        "null",
        "{",
        "}",
        "{}x",
        "{} {}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":tru}",
        "{\"a\":nul}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":NaN}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}}",
        "{\"a\":{]}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{1f}\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "{\"a\":{\"b\"}}",
        "{\"a\":{\"b\":1,}}",
        "{\"a\":{,}}",
        "{\"\\ud800\":1}",
        "\u{feff}{}",
    ];
    for text in cases {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn every_cut_of_a_valid_text_is_an_error() {
    let text = r#"{"event":"a\n\u00e9","data":"{\"x\":[1,2.5e-3,true,null]}","n":{"a":[{}],"b":[]}}"#;
    assert!(read(text).is_ok());
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        assert!(read(&text[..end]).is_err(), "{:?}", &text[..end]);
    }
}

// M03
#[test]
fn the_depth_is_limited_without_recursion() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(127)).is_ok());
    assert_eq!(read(&nested(128)), Err(JsonError::TooDeep { limit: 128, offset: 5 + 127 }));
    assert!(matches!(read(&nested(100_000)), Err(JsonError::TooDeep { .. })));
    let objects = format!("{{\"a\":{}1{}}}", "{\"b\":".repeat(127), "}".repeat(127));
    assert!(read(&objects).is_ok());
}

#[test]
fn escapes_stand_for_their_characters() {
    let unescaped = |content| unescape(content).map(std::borrow::Cow::into_owned);
    assert_eq!(unescaped(r#"\"\\\/\b\f\n\r\t"#), Ok("\"\\/\u{8}\u{c}\n\r\t".to_owned()));
    assert_eq!(unescaped(r"a\u00e9b\u20acc\ud83d\ude00d\u0000"), Ok("aéb€c😀d\0".to_owned()));
    assert_eq!(unescaped("ünescaped"), Ok("ünescaped".to_owned()));
}

// M06
#[test]
fn half_of_a_surrogate_pair_is_an_error() {
    for content in [r"\ud800", r"\ud800x", r"\ud800\n", r"\ud800\u0041", r"\udc00", r"\udc00\ud800", r"\ud800\ud800"] {
        assert_eq!(unescape(content), Err(JsonError::LoneSurrogate), "{content}");
    }
}

#[test]
fn special_bytes_are_found_at_every_offset_of_a_word() {
    for special in [b'"', b'\\', 0, 0x1f] {
        for at in 0..24 {
            let mut text = vec![b'a'; 24];
            text[at] = special;
            let member = [b"{\"k\":\"".as_slice(), &text, b"\"}"].concat();
            let member = String::from_utf8(member).unwrap();
            let taken = read(&member);
            // A quote ends the string early, an escape is `\a`, a control character is not allowed: all are errors.
            assert!(taken.is_err(), "{special} at {at}");
        }
    }
    for plain in ["\u{7f}", "é", "\u{80}", "\u{10ffff}", " "] {
        for at in 0..16 {
            let member = format!("{{\"k\":\"{}{plain}{}\"}}", "a".repeat(at), "b".repeat(16 - at));
            assert!(read(&member).is_ok(), "{plain:?} at {at}");
        }
    }
}

// M05, M11
#[test]
fn scalars_are_read_without_a_float_between() {
    let value = |text: &'static str| {
        let text: &'static str = Box::leak(format!("{{\"v\":{text}}}").into_boxed_str());
        Members::of(text, 8).unwrap().next().unwrap().unwrap().1
    };
    assert_eq!(value("9007199254740993").integer(), Some(9_007_199_254_740_993));
    assert_eq!(value("\" 40 \"").integer(), Some(40));
    assert_eq!(value("-0").integer(), Some(0));
    for text in ["1.5", "1e3", "99999999999999999999", "\"x\"", "null", "true", "[1]", "{}"] {
        assert_eq!(value(text).integer(), None, "{text}");
    }
    assert_eq!(value("12").scalar().as_deref(), Some("12"));
    assert_eq!(value("\"12\"").scalar().as_deref(), Some("12"));
    assert_eq!(value("true").scalar(), None);
}

/// The plain way: one byte after the other.
fn unescape_plainly(content: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{content}\"")).ok()
}

/// Texts made of what is special and what is not, long enough to cross the borders of blocks.
fn generated(rng: &mut fastrand::Rng, atoms: &[&str]) -> String {
    let length = rng.usize(0..150);
    (0..length).map(|_| atoms[rng.usize(0..atoms.len())]).collect()
}

// M05, M06, M11: the fast way and the plain one agree on every text and on every error.
#[test]
fn strings_are_taken_and_unescaped_as_serde_json_does() {
    let atoms = [
        "\\\"",
        "\\\\",
        "\\/",
        "\\n",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\x",
        "\\u12",
        "\\",
        "\"",
        "\n",
        "a",
        "bc",
        "def",
        "0123456789abcdef",
        "é",
        "😀",
        " ",
        "\u{1f}",
        "\u{7f}",
        "{",
        "}",
        ":",
        ",",
    ];
    let mut rng = crate::backoff::seeded(11);
    let mut taken = 0;
    for round in 0..30_000 {
        // Mostly valid texts: the faults among the atoms come one text in two.
        let atoms = if round % 2 == 0 { &atoms[..6] } else { &atoms[..] };
        let content = generated(&mut rng, atoms);
        let text = format!("{{\"k\":\"{content}\"}}");
        let expected: Result<std::collections::BTreeMap<String, String>, _> = serde_json::from_str(&text);
        let members = Members::of(&text, 128).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let value = members.ok().and_then(|members| members.first().map(|(_, value)| *value));
        let unescaped = value.and_then(Value::string).and_then(Result::ok);
        let expected = expected.ok().and_then(|mut map| map.remove("k"));
        assert_eq!(unescaped.as_deref(), expected.as_deref(), "{text:?}");
        if let Some(expected) = expected {
            taken += 1;
            assert_eq!(unescape::unescape_blocks(&content).as_deref(), Ok(expected.as_str()));
            assert_eq!(unescape_plainly(&content), Some(expected));
        }
    }
    assert!(taken > 6_000, "{taken}");
}

// M01
#[test]
fn whole_texts_are_judged_as_serde_json_does() {
    let atoms = [
        "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\":", "1", "-0", "0.5e-3", "01", "true", "null", "fals", " ", "\t",
        "\"\\\"\"", "x",
    ];
    let mut rng = crate::backoff::seeded(12);
    let mut valid = 0;
    for _ in 0..50_000 {
        let length = rng.usize(0..9);
        let inner: String = (0..length).map(|_| atoms[rng.usize(0..atoms.len())]).collect();
        let text = format!("{{\"k\":{inner}}}");
        let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let taken = Members::of(&text, 128).and_then(Iterator::collect::<Result<Vec<_>, _>>).is_ok();
        assert_eq!(taken, expected, "{text:?}");
        valid += u32::from(expected);
    }
    assert!(valid > 300, "{valid}");
}

#[test]
fn an_array_is_read_element_by_element_and_refused_where_it_is_not_one() {
    let read = |text| Elements::of(text, 10)?.map(|element| element.map(Value::text)).collect::<Result<Vec<_>, _>>();
    assert_eq!(read(" [ ] "), Ok(vec![]));
    assert_eq!(read(r#"[1,"a,]" , {"b":[2]},[],null ]"#).unwrap(), ["1", r#""a,]""#, r#"{"b":[2]}"#, "[]", "null"]);
    for wrong in ["", "{}", "1", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[1] x", "[\"a]", "[1}"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    assert!(read(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_err());
}
