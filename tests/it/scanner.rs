//! The scanner against everything a server could send, cut anywhere.

use keyhaul::{
    backup::{
        entry::{EntryFault, RawEntry},
        scanner::{Ending, ScanFault, Scanner, Shape},
    },
    base::limits,
};

mod anything;

/// An entry as it was given out, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    room: String,
    session: String,
    json: String,
    fault: Option<EntryFault>,
}

/// All that a scan said.
#[derive(Clone, Debug, PartialEq)]
struct Scan {
    given: Vec<Given>,
    end: Result<Ending, ScanFault>,
    /// Bytes of the body that belong to it.
    used: usize,
}

impl Scan {
    fn names(&self) -> Vec<(&str, &str)> {
        self.given.iter().map(|entry| (entry.room.as_str(), entry.session.as_str())).collect()
    }
}

fn scan<'a>(shape: Shape, chunks: impl IntoIterator<Item = &'a [u8]>) -> Scan {
    let mut scanner = Scanner::new(shape);
    let mut given = Vec::new();
    let mut used = 0;
    for chunk in chunks {
        let mut keep = |entry: RawEntry<'_>| {
            given.push(Given {
                room: entry.room_id.to_owned(),
                session: entry.session_id.to_owned(),
                json: String::from_utf8_lossy(entry.json).into_owned(),
                fault: entry.fault,
            });
        };
        match scanner.feed(chunk, &mut keep) {
            Ok(taken) => {
                used += taken;
                if taken < chunk.len() {
                    assert_eq!(scanner.finish(), Ending::Whole, "bytes are left only at the end");
                    break;
                }
            }
            Err(fault) => {
                assert_eq!(scanner.entries(), given.len() as u64);
                return Scan { given, end: Err(fault), used: 0 };
            }
        }
    }
    assert_eq!(scanner.entries(), given.len() as u64);
    Scan { given, end: Ok(scanner.finish()), used }
}

fn whole(body: &str) -> Scan {
    scan(Shape::WholeBody, [body.as_bytes()])
}

fn one_room(body: &str) -> Scan {
    scan(Shape::Room { room_id: "!r:x".to_owned() }, [body.as_bytes()])
}

fn shapes() -> [Shape; 3] {
    let room_id = "!r:x".to_owned();
    [
        Shape::WholeBody,
        Shape::Room { room_id: room_id.clone() },
        Shape::Session { room_id, session_id: "S".to_owned() },
    ]
}

fn given(room: &str, session: &str, json: &str) -> Given {
    let (room, session, json) = (room.to_owned(), session.to_owned(), json.to_owned());
    Given { room, session, json, fault: None }
}

// --- Shapes ---

#[test]
fn a_whole_body_is_cut_into_entries() {
    let body = r#" {"etag":"7","rooms":{"!a:x":{"sessions":{"S1":{"a":[1,"}"]},"S2":5 }},
        "!b:x":{"more":{"sessions":{"no":1}},"sessions":{"S1":"text"}},"!c:x":null},"count":{}}"#;
    let scan = whole(body);
    let expected = [
        given("!a:x", "S1", r#"{"a":[1,"}"]}"#),
        given("!a:x", "S2", "5"),
        given("!b:x", "S1", r#""text""#),
    ];
    assert_eq!(scan.given, expected);
    assert_eq!((scan.end, scan.used), (Ok(Ending::Whole), body.len()));
}

#[test]
fn one_room_is_cut_into_entries() {
    let scan = one_room(r#"{"rooms":{"!b:x":{"sessions":{"no":{}}}},"sessions":{"S":{}}}"#);
    assert_eq!(scan.given, [given("!r:x", "S", "{}")]);
    assert_eq!(scan.end, Ok(Ending::Whole));
}

#[test]
fn one_session_is_one_entry() {
    let body = "\n{\"sessions\":{\"no\":{}}} ";
    let shape = Shape::Session { room_id: "!r:x".to_owned(), session_id: "S".to_owned() };
    let scan = scan(shape, [body.as_bytes()]);
    assert_eq!(scan.given, [given("!r:x", "S", r#"{"sessions":{"no":{}}}"#)]);
    assert_eq!((scan.end, scan.used), (Ok(Ending::Whole), body.len() - 1));
}

#[test]
fn bodies_without_entries_are_whole() {
    for body in ["{}", r#"{"rooms":{}}"#, r#"{"rooms":null}"#, r#"{"rooms":[{}],"x":"rooms"}"#] {
        let scan = whole(body);
        assert_eq!((scan.given.len(), scan.end), (0, Ok(Ending::Whole)), "{body}");
    }
}

#[test]
fn other_json_is_no_body() {
    for body in ["null", "[]", "\"x\"", "7", "<html>", "}"] {
        for shape in shapes() {
            let end = scan(shape, [body.as_bytes()]).end;
            assert_eq!(end, Err(ScanFault::NotJson { expected: "an object", at: 0 }), "{body}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let scan = whole("\u{feff}{\"rooms\":{\"!a:x\":{\"sessions\":{\"S\":{}}}}}");
    assert_eq!(scan.given, [given("!a:x", "S", "{}")]);
}

#[test]
fn no_duplicate_hides_an_entry() {
    let scan = whole(
        r#"{"rooms":{"!a:x":{"sessions":{"S":{"n":1},"S":{"n":2}},"sessions":{"S":{"n":3}}},
            "!a:x":{"sessions":{"S":{"n":4}}}},"rooms":{"!a:x":{"sessions":{"S":{"n":5}}}}}"#,
    );
    let expected: Vec<_> = (1..=5).map(|n| given("!a:x", "S", &format!("{{\"n\":{n}}}"))).collect();
    assert_eq!(scan.given, expected);
}

#[test]
fn names_are_read_as_json_reads_them() {
    let scan = whole(
        r#"{"r\u006foms":{"!\u00e4\"\\:x":{"s\u0065ssions":{"\ud83d\udd11":{},"a\/b":{}}}}}"#,
    );
    assert_eq!(scan.names(), [("!ä\"\\:x", "🔑"), ("!ä\"\\:x", "a/b")]);
}

#[test]
fn unreadable_names_cost_only_their_entries() {
    let body = b"{\"sessions\":{\"\\ud800\":{},\"a\nb\":{},\"\xff\":{},\"\\x\":{},\"good\":{}}}";
    let scan = scan(Shape::Room { room_id: "!r:x".to_owned() }, [&body[..]]);
    let faults: Vec<_> = scan.given.iter().map(|entry| entry.fault).collect();
    let bad = Some(EntryFault::BadName);
    assert_eq!(faults, [bad, bad, bad, bad, None]);
    assert_eq!(scan.end, Ok(Ending::Whole));
}

#[test]
fn what_follows_the_body_is_not_taken() {
    for rest in [" ", "\n", "{}", "garbage", "}"] {
        let body = r#"{"rooms":{}}"#;
        let both = format!("{body}{rest}");
        let scan = whole(&both);
        assert_eq!((scan.end, scan.used), (Ok(Ending::Whole), body.len()));
    }
}

#[test]
fn each_fault_of_structure_is_named_with_its_place() {
    for (body, expected, at) in [
        ("{]", "a name", 1),
        (r#"{"a":1,}"#, "a name", 7),
        (r#"{"a" 1}"#, "a colon", 5),
        (r#"{"a":}"#, "a value", 5),
        (r#"{"a":x}"#, "a value", 5),
        (r#"{"a":{} "b":1}"#, "a comma or a brace", 8),
        (r#"{"a":{]}"#, "a matching bracket", 6),
        (r#"{"a":[}]"#, "a matching bracket", 6),
        (r#"{"sessions":{"S":{"x":[1}]}}"#, "a matching bracket", 24),
        (r#"{"sessions":{"S":5]}}"#, "a comma or a brace", 18),
        (r#"{"sessions":{"S":{}]}"#, "a comma or a brace", 19),
    ] {
        let scan = one_room(body);
        assert_eq!(scan.end, Err(ScanFault::NotJson { expected, at }), "{body}");
    }
}

// --- Cuts ---

#[test]
fn a_cut_gives_exactly_the_entries_before_it() {
    let entries = [
        (r#"!a:x"#, "S1", r#"{"session_data":{"mac":"\"}]\\","n":[[],{}]}}"#),
        ("!a:x", "S2", r#"{"i":-1.5e3}"#),
        ("!b:x", "S1", r#""te\"xt""#),
        ("!b:x", "ü", r#"[{"a":{}},null]"#),
    ];
    let [e1, e2, e3, e4] = entries.map(|(_, _, json)| json);
    let body = format!(
        "\u{feff}{{ \"x\":[{{}}],\"rooms\":{{\"!a:x\":{{\"sessions\":{{\"S1\":{e1},\n\"S2\" : {e2}}}}},\
         \"!b:x\":{{\"y\":\"}}\",\"sessions\":{{\"S1\":{e3},\"\\u00fc\":{e4}}}}}}},\"z\":0}}"
    );
    let ends = entries.map(|(_, _, json)| body.find(json).unwrap() + json.len());
    let all = whole(&body);
    assert_eq!(all.end, Ok(Ending::Whole));
    for cut in 0..body.len() {
        let scan = scan(Shape::WholeBody, [&body.as_bytes()[..cut]]);
        let before = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(scan.given, all.given[..before], "cut at {cut}");
        assert_eq!(scan.end, Ok(Ending::Cut), "cut at {cut}");
    }
    let expected: Vec<_> =
        entries.iter().map(|(room, session, json)| given(room, session, json)).collect();
    assert_eq!(all.given, expected);
}

// --- Limits ---

fn nested(levels: u32) -> String {
    let levels = levels as usize;
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn an_entry_may_be_nested_to_the_limit() {
    let deep = nested(limits::JSON_DEPTH);
    let deeper = nested(limits::JSON_DEPTH + 1);
    let deepest = "{\"a\":[".repeat(5_000) + &"]}".repeat(5_000);
    let body = format!(r#"{{"sessions":{{"A":{deep},"B":{deeper},"C":{deepest},"D":{{}}}}}}"#);
    let scan = one_room(&body);
    let faults: Vec<_> = scan.given.iter().map(|entry| entry.fault).collect();
    let too_deep = Some(EntryFault::TooDeep);
    assert_eq!(faults, [None, too_deep, too_deep, None]);
    assert_eq!(scan.given[0].json, deep);
    assert_eq!(scan.end, Ok(Ending::Whole));
}

#[test]
fn nothing_else_may_be_nested_deeper() {
    let limit = limits::JSON_DEPTH;
    assert_eq!(one_room(&format!(r#"{{"x":{}}}"#, nested(limit))).end, Ok(Ending::Whole));
    let end = one_room(&format!(r#"{{"x":{}}}"#, nested(limit + 1))).end;
    assert_eq!(end, Err(ScanFault::TooDeep { limit, at: 5 + u64::from(limit) }));
}

#[test]
fn an_entry_may_be_as_large_as_the_limit() {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let (largest, larger) = (text(limits::ENTRY), text(limits::ENTRY + 1));
    let huge = nested(10 * limits::ENTRY as u32);
    let then_deep = format!("[{larger},{}]", nested(40));
    let body = format!(
        r#"{{"sessions":{{"A":{largest},"B":{larger},"C":{huge},"D":{then_deep},"E":{{}}}}}}"#
    );
    let at_once = one_room(&body);
    let too_large =
        |session: &str| Given { fault: Some(EntryFault::TooLarge), ..given("!r:x", session, "") };
    let expected = [
        given("!r:x", "A", &largest),
        too_large("B"),
        too_large("C"),
        too_large("D"),
        given("!r:x", "E", "{}"),
    ];
    assert!(at_once.given == expected, "{:?}", at_once.names());
    for size in [1, 1_000, limits::ENTRY - 1, limits::ENTRY, limits::ENTRY + 1] {
        let shape = Shape::Room { room_id: "!r:x".to_owned() };
        assert!(scan(shape, body.as_bytes().chunks(size)) == at_once, "chunks of {size}");
    }
}

#[test]
fn names_may_be_as_long_as_the_limit() {
    let longest = "n".repeat(limits::NAME);
    let body = format!(
        r#"{{"rooms":{{"{longest}":{{"sessions":{{"{longest}":1,"{longest}n":2}}}},
            "{longest}n":{{"sessions":{{"S":3}}}},"!a:x":{{"sessions":{{"S":4}}}}}}}}"#
    );
    let scan = whole(&body);
    let faults: Vec<_> = scan.given.iter().map(|entry| entry.fault).collect();
    let bad = Some(EntryFault::BadName);
    assert_eq!(faults, [None, bad, bad, None]);
    assert!(scan.given.iter().all(|entry| entry.session.len() <= limits::NAME));
}

/// Feeds a beginning and then one piece again and again; says after how many the scanner stopped.
fn repeated(begin: &str, piece: &str, most: u64) -> (u64, Option<ScanFault>) {
    let mut scanner = Scanner::new(Shape::WholeBody);
    scanner.feed(begin.as_bytes(), &mut |_| {}).unwrap();
    let mut given = 0;
    for _ in 0..most {
        let fed = scanner.feed(piece.as_bytes(), &mut |_| given += 1);
        assert_eq!(scanner.entries(), given);
        if let Err(fault) = fed {
            return (given, Some(fault));
        }
    }
    (given, None)
}

#[test]
fn rooms_are_counted() {
    let piece = "\"!a:x\":{\"sessions\":{\"S\":{}}},";
    assert_eq!(repeated("{\"rooms\":{", piece, limits::ROOMS), (limits::ROOMS, None));
    let fault = ScanFault::TooManyRooms { limit: limits::ROOMS };
    let more = repeated("{\"rooms\":{", piece, limits::ROOMS + 1);
    assert_eq!(more, (limits::ROOMS, Some(fault)));
}

#[test]
fn entries_are_counted() {
    let thousand = "\"S\":{},".repeat(1_000);
    let begin = "{\"rooms\":{\"!a:x\":{\"sessions\":{";
    let limit = limits::ENTRIES;
    assert_eq!(repeated(begin, &thousand, limit / 1_000), (limit, None));
    let fault = ScanFault::TooManyEntries { limit };
    assert_eq!(repeated(begin, &thousand, limit / 1_000 + 1), (limit, Some(fault)));
}
