use super::*;
use crate::Data;

fn read_with(data: &str, most: usize) -> Members {
    Members::parse(Data::new(data), Member::parse(r#"{"user_id":"me","user_info":{"name":"I"}}"#), most)
}

fn read(data: &str) -> Vec<(String, Option<String>)> {
    let members = read_with(data, 100);
    assert_eq!(members.count(), members.iter().count());
    members.iter().map(|member| (member.id().to_owned(), member.info().map(str::to_owned))).collect()
}

fn expected(members: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    members.iter().map(|(id, info)| ((*id).to_owned(), info.map(str::to_owned))).collect()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

// S20
#[test]
fn members_are_read_in_every_form_that_servers_send() {
    type Listed<'t> = &'t [(&'t str, Option<&'t str>)];
    let cases: &[(&str, Listed<'_>)] = &[
        (r#"{"presence":{"count":1,"ids":["1"],"hash":{"1":{"name":"A"}}}}"#, &[("1", Some(r#"{"name":"A"}"#))]),
        // Reverb: numbers in `ids`, and nobody at all when one has no id
        (r#"{"presence":{"count":1,"ids":[1],"hash":{"1":{"a":1}}}}"#, &[("1", Some(r#"{"a":1}"#))]),
        (r#"{"presence":{"count":0,"ids":[],"hash":[]}}"#, &[]),
        // push1st
        (r#"{"presence":{"count":0,"hash":{},"ids":[]}}"#, &[]),
        (r#"{"presence":{"hash":{"1":"{\"user_id\":1}"}}}"#, &[("1", Some(r#""{\"user_id\":1}""#))]),
        // PHP, when the ids are 0 and 1
        (r#"{"presence":{"ids":[0,1],"hash":[{"n":"a"},null]}}"#, &[("0", Some(r#"{"n":"a"}"#)), ("1", None)]),
        // One list only, or lists that differ
        (r#"{"presence":{"ids":["b","a"]}}"#, &[("a", None), ("b", None)]),
        (r#"{"presence":{"ids":["b"],"hash":{"a":null}}}"#, &[("a", None), ("b", None)]),
        // The same one in every spelling, and again
        (r#"{"presence":{"count":9,"ids":[1,"1","\u0031",1],"hash":{"1":7,"\u0031":8}}}"#, &[("1", Some("8"))]),
        // A number keeps its text
        (
            r#"{"presence":{"ids":[9007199254740993,1e20,-0.5],"hash":{}}}"#,
            &[("-0.5", None), ("1e20", None), ("9007199254740993", None)],
        ),
        // What is no id
        (r#"{"presence":{"ids":[null,true,{},[1],""],"hash":{}}}"#, &[("", None)]),
        (r#"{"presence":{"ids":[1,2"#, &[]),
        (r#"{"presence":{"ids":7,"hash":"x","count":{}}}"#, &[]),
        (r#"{"presence":null}"#, &[]),
        (r#"{"presence":[]}"#, &[]),
        (r"{}", &[]),
        (r#""""#, &[]),
        ("", &[]),
        ("null", &[]),
        ("[1]", &[]),
    ];
    for (data, members) in cases {
        assert_eq!(read(data), expected(members), "{data}");
        if !data.is_empty() && !data.starts_with('"') && *data != "null" {
            assert_eq!(read(&quoted(data)), expected(members), "{data} as a string");
        }
    }
}

// S20
#[test]
fn a_member_is_read_from_an_object_a_string_and_the_whole_channel_data() {
    let parse = |data: &str| Member::of(Data::new(data)).map(|member| (member.id.to_string(), member.info));
    let object = r#"{"user_id":"7","user_info":{"name":"é"}}"#;
    let member = Some(("7".to_owned(), Some(r#"{"name":"é"}"#.into())));
    assert_eq!(parse(object), member);
    assert_eq!(parse(&quoted(object)), member);
    assert_eq!(parse(r#"{"user_info":{"name":"é"},"more":[1],"user_id":7}"#), member);
    assert_eq!(parse(r#"{"user_id":7}"#), Some(("7".to_owned(), None)));
    assert_eq!(parse(r#"{"user_id":7,"user_info":null}"#), Some(("7".to_owned(), None)));
    assert_eq!(parse(r#"{"user_id":7,"user_info":"x"}"#), Some(("7".to_owned(), Some(r#""x""#.into()))));
    for none in ["", "{}", "null", "7", r#"{"user_id":null}"#, r#"{"user_id":{"a":1}}"#, r#"{"user_id":"7""#, r#""x""#]
    {
        assert_eq!(parse(none), None, "{none}");
    }
}

#[test]
fn one_is_oneself_whether_the_server_lists_one_or_not() {
    let unlisted = read_with("{}", 10);
    assert_eq!((unlisted.count(), unlisted.me().unwrap().info()), (0, Some(r#"{"name":"I"}"#)));
    let listed = read_with(r#"{"presence":{"ids":["me"],"hash":{"me":{"name":"other"}}}}"#, 10);
    assert_eq!((listed.count(), listed.me().unwrap().info()), (1, Some(r#"{"name":"other"}"#)));
    assert_eq!(Members::new(None, 10).me(), None);
}

// S20
#[test]
fn one_who_is_added_twice_is_there_once_and_one_who_is_unknown_is_not_removed() {
    let mut members = read_with(r#"{"presence":{"ids":["a"]}}"#, 10);
    let (a, b) = (Member::new("a", None), Member::new("b", Some("1")));
    assert_eq!((members.added(&a), members.added(&b)), (Addition::Same, Addition::New));
    assert_eq!(members.added(&Member::new("b", Some("2"))), Addition::Changed);
    assert_eq!((members.count(), members.find("b").unwrap().info()), (2, Some("2")));
    assert_eq!(members.remove("c"), None);
    assert_eq!(members.remove("b").unwrap().info(), Some("2"));
    assert_eq!((members.remove("b"), members.count(), members.omitted()), (None, 1, 0));
}

// S20, Y03, I36
#[test]
fn those_beyond_the_limit_are_counted_and_not_kept() {
    let ids: Vec<_> = (0..10_001).map(|id| format!("\"{id}\"")).collect();
    let hash: Vec<_> = ids.iter().map(|id| format!("{id}:null")).collect();
    let data = format!(r#"{{"presence":{{"ids":[{}],"hash":{{{}}}}}}}"#, ids.join(","), hash.join(","));
    let mut members = read_with(&data, 10_000);
    assert_eq!((members.count(), members.omitted(), members.iter().count()), (10_001, 1, 10_000));
    assert_eq!(members.added(&Member::new("late", None)), Addition::New);
    assert_eq!((members.count(), members.omitted(), members.find("late")), (10_002, 2, None));
    assert_eq!(members.remove("late").unwrap().id(), "late");
    assert_eq!(members.remove("10000").unwrap().id(), "10000");
    assert_eq!((members.remove("10000"), members.count(), members.omitted()), (None, 10_000, 0));
    let only_ids = format!(r#"{{"presence":{{"ids":[{}]}}}}"#, ids.join(","));
    assert!(read_with(&only_ids, 10_000).omitted() >= 1);
}

// Y01, I36
#[test]
fn no_more_than_a_limited_size_is_kept_of_the_members() {
    let mut members = Members::new(None, 10_000);
    let info = "1".repeat(1024 * 1024);
    for id in 0..10 {
        members.add(&Member::new(&id.to_string(), Some(&info)));
    }
    assert_eq!((members.count(), members.iter().count(), members.omitted()), (10, 3, 7));
    assert!(members.iter().map(Member::bytes).sum::<usize>() <= MOST_BYTES);
    members.remove("0");
    members.add(&Member::new("x", Some(&info)));
    assert!(members.find("x").is_some());
}

#[test]
fn a_copy_stays_as_it_was_and_shares_what_did_not_change() {
    let mut members = read_with(r#"{"presence":{"ids":["a","b"]}}"#, 10);
    let copy = members.clone();
    assert!(Arc::ptr_eq(&members.0, &copy.0));
    members.remove("c");
    members.add(&Member::new("a", None));
    assert!(Arc::ptr_eq(&members.0, &copy.0), "nothing changed");
    members.remove("a");
    assert_eq!((copy.count(), members.count()), (2, 1));
}
