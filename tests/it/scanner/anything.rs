//! Bodies that nobody would think of: however they are cut the scanner says the same, and of good
//! ones it says what a JSON parser says.

use keyhaul::{backup::scanner::Ending, base::limits};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{nested, scan, shapes, whole};
use crate::chance::cases;

fn blank() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\r\n\t  ")]
}

/// Names as they stand in JSON text, good and bad.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        r#"rooms"#,
        r#"sessions"#,
        r#"r\u006foms"#,
        r#"sessions\u0000"#,
        r#"!a:x"#,
        r#"S"#,
        r#"S\\"#,
        r#"\""#,
        r#"\ud83d\udd11"#,
        r#"\ud800"#,
        r#"\x"#,
        r#"漢é"#,
        "a\nb",
        "\u{7f}",
        r#""#,
        r#"}{]["#,
    ]);
    let long = (limits::NAME - 2..limits::NAME + 3).prop_map(|length| "é".repeat(length / 2) + "!");
    prop_oneof![20 => known.prop_map(|name| format!("\"{name}\"")),
        1 => long.prop_map(|name| format!("\"{name}\""))]
}

/// Values as JSON text: good ones, odd ones, and garbage that the scanner may or may not refuse.
fn odd_value() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "null",
        "true",
        "-1.5e3",
        "0",
        "1e400",
        r#""text""#,
        r#""\"}{\\""#,
        r#""\ud800""#,
        r#""""#,
        "{}",
        "[]",
        "tru",
        "nul:l",
        "-",
        "{\"a\" \"b\"}",
        "[,,]",
        "{:}",
        "[}",
        "{]",
        "\"\u{feff}\"",
    ]);
    let deep = (30_u32..36).prop_map(nested);
    let leaf = prop_oneof![20 => scalar.prop_map(str::to_owned), 1 => deep];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            odd_object(name(), inner.clone()),
            (prop::collection::vec(inner, 0..4), blank())
                .prop_map(|(items, blank)| format!("[{blank}{}]", items.join(","))),
        ]
    })
}

fn odd_object(
    name: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let member = (blank(), name, blank(), blank(), value, blank())
        .prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"));
    (blank(), prop::collection::vec(member, 0..4))
        .prop_map(|(blank, members)| format!("{{{blank}{}}}", members.join(",")))
}

/// Wraps values as the member `known`, among odd members.
fn around(
    known: &'static str,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let odd = odd_object(name(), odd_value());
    (odd, value, blank(), any::<bool>()).prop_map(move |(odd, value, blank, twice)| {
        let rest = odd.trim_start_matches('{').trim_start();
        let comma = if rest == "}" { "" } else { "," };
        let again = if twice { format!("\"{known}\":{value},") } else { String::new() };
        format!("{{{again}\"{known}\":{blank}{value}{comma}{rest}")
    })
}

fn odd_body() -> impl Strategy<Value = String> {
    let sessions = prop_oneof![4 => odd_object(name(), odd_value()), 1 => odd_value()];
    let room = prop_oneof![4 => around("sessions", sessions), 1 => odd_value()];
    let rooms = prop_oneof![4 => odd_object(name(), room.boxed()), 1 => odd_value()];
    let begin = prop_oneof![8 => Just(""), 1 => Just("\u{feff}"), 1 => Just("\n ")];
    let end = prop_oneof![8 => Just(""), 1 => Just("\n"), 1 => Just("{}"), 1 => Just("x")];
    (begin, around("rooms", rooms.boxed()), end)
        .prop_map(|(begin, body, end)| format!("{begin}{body}{end}"))
}

/// Splits a body at places given as shares of its length.
fn pieces<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.sort_unstable();
    let begins = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([body.len()]);
    begins.zip(ends).map(|(begin, end)| &body[begin..end]).collect()
}

fn same_however_cut(body: &[u8], cuts: &[prop::sample::Index]) {
    for shape in shapes() {
        let at_once = scan(shape.clone(), [body]);
        let in_pieces = scan(shape.clone(), pieces(body, cuts));
        assert_eq!(in_pieces, at_once);
        assert_eq!(scan(shape, body.chunks(1)), at_once);
    }
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..6)
}

/// JSON without duplicates, within all limits, that may or may not have the shape of a body.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::from(0.5)),
        any::<String>().prop_map(Value::from),
        Just(Value::from("\"}]\\")),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("rooms".to_owned()),
        Just("sessions".to_owned()),
        any::<String>(),
        "[!A-Z\"\\\\:]{0,3}",
    ];
    prop::collection::btree_map(name, value, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn with(known: &'static str, value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (object(self::value()), value).prop_map(move |(mut object, value)| {
        object[known] = value;
        object
    })
}

fn body() -> impl Strategy<Value = Value> {
    let sessions = prop_oneof![4 => object(value()), 1 => value()];
    let room = prop_oneof![4 => with("sessions", sessions), 1 => value()];
    with("rooms", prop_oneof![6 => object(room), 1 => value()])
}

/// Writes JSON with escapes and blanks wherever `odd` says so.
fn write(value: &Value, odd: &mut impl FnMut() -> bool, json: &mut String) {
    if odd() {
        json.push_str("\n ");
    }
    match value {
        Value::Array(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                json.push_str(if at > 0 { "," } else { "" });
                write(item, odd, json);
            }
            json.push(']');
        }
        Value::Object(members) => {
            json.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                json.push_str(if at > 0 { "," } else { "" });
                write(&Value::from(name.as_str()), odd, json);
                json.push_str(if odd() { "\t: " } else { ":" });
                write(member, odd, json);
            }
            json.push('}');
        }
        Value::String(text) => {
            json.push('"');
            for letter in text.chars() {
                if odd() {
                    let mut units = [0; 2];
                    for unit in letter.encode_utf16(&mut units) {
                        json.push_str(&format!("\\u{unit:04x}"));
                    }
                } else {
                    let quoted = Value::from(letter.to_string()).to_string();
                    json.push_str(&quoted[1..quoted.len() - 1]);
                }
            }
            json.push('"');
        }
        scalar => json.push_str(&scalar.to_string()),
    }
    if odd() {
        json.push(' ');
    }
}

/// The entries of a parsed body: what the scanner must find.
fn entries_of(body: &Value) -> Vec<(String, String, Value)> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let rooms = members(&body["rooms"]).into_iter();
    rooms
        .flat_map(|(room, value)| {
            let sessions = members(value.get("sessions").unwrap_or(&Value::Null));
            sessions.into_iter().map(move |(session, entry)| (room.clone(), session, entry))
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_chunking_gives_the_same(body in odd_body(), cuts in cuts()) {
        same_however_cut(body.as_bytes(), &cuts);
    }

    #[test]
    fn any_chunking_of_a_damaged_body_gives_the_same(
        body in odd_body(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cuts in cuts(),
    ) {
        let mut body = body.into_bytes();
        for (place, byte) in damage {
            let place = place.index(body.len());
            body[place] = byte;
        }
        same_however_cut(&body, &cuts);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(
        begin in prop::sample::select(vec!["", "{", "{\"rooms\":{\"", "{\"rooms\":{\"a\":{\"sessions\":{\"b\":"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cuts in cuts(),
    ) {
        same_however_cut(&[begin.as_bytes(), &bytes].concat(), &cuts);
    }

    #[test]
    fn a_parser_finds_the_same_entries(body in body(), styles in prop::collection::vec(0_u8..8, 1..64)) {
        let mut style = styles.iter().cycle();
        let mut text = String::new();
        write(&body, &mut || *style.next().unwrap() == 0, &mut text);
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &body);

        let scan = whole(&text);
        prop_assert_eq!(&scan.end, &Ok(Ending::Whole));
        let found: Vec<(String, String, Value)> = scan
            .given
            .into_iter()
            .map(|entry| {
                assert_eq!(entry.fault, None);
                (entry.room, entry.session, serde_json::from_str(&entry.json).unwrap())
            })
            .collect();
        prop_assert_eq!(found, entries_of(&body));
    }
}
