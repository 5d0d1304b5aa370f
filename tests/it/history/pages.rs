//! Page after page: where history ends, and servers that cannot be relied on.

use keyhaul::demo::{account::Membership, timeline::Timeline};
use serde_json::{Value, json};

use super::{
    app::{App, event, locked},
    figures, read, restored, room, told,
};
use crate::program::{Ada, Trick};

const BEA: &str = "@bea:example.org";

/// Ada, to whom somebody wrote so many texts, `text 1` and so on.
fn with_texts(count: u64) -> (Ada, String) {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let text = |number| locked(number, BEA, app.says(&format!("text {number}")));
        let events = (1..=count).map(text).collect();
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    (ada, id)
}

#[test]
fn no_more_than_wanted_and_all_if_wanted() {
    let (ada, id) = with_texts(230);
    let newest = restored(&ada, &id, &["--limit", "3"]);
    assert_eq!(told(&newest), ["text 228", "text 229", "text 230"]);
    assert_eq!(newest["earlier"], true);
    assert_eq!(read(&ada, &id, &[])["events"].as_array().unwrap().len(), 50);
    let all = read(&ada, &id, &["--limit", "10000"]);
    let expected: Vec<_> = (1..=230).map(|number| format!("text {number}")).collect();
    assert_eq!(told(&all), expected);
    assert_eq!((figures(&all), &all["earlier"]), ([230, 0, 0], &json!(false)));
}

#[test]
fn an_empty_page_is_not_the_end() {
    let (ada, id) = with_texts(4);
    let mut empty = json!({"chunk": [], "start": "t4", "end": "t4"});
    let words = "/messages?dir=b&limit=50&filter";
    let between = ada.between(vec![]);
    let first = |answer: &Value| {
        // The first request has no place to begin at; the others have.
        between.play(vec![
            ("&from=", Trick::Cut(usize::MAX)),
            (words, Trick::Say(200, answer.clone())),
        ]);
    };
    first(&empty);
    let args = ada.through(&between, ada.opens(&["history", &id]));
    ada.lab.run(&ada.through(&between, ada.opens(&["restore", "--no-snapshot"]))).exited(3);
    assert_eq!(figures(&ada.lab.json(&args, 0)), [4, 0, 0]);
    // A place that makes no sense.
    for end in [json!(""), json!("x".repeat(5_000))] {
        empty["end"] = end;
        first(&empty);
        ada.lab.fails(&args, 12, "answer-odd");
    }
}

#[test]
fn a_server_that_goes_in_circles_is_left() {
    let (ada, id) = with_texts(2);
    let between = ada.between(vec![]);
    ada.lab.run(&ada.through(&between, ada.opens(&["restore", "--no-snapshot"]))).exited(3);
    let args = ada.through(&between, ada.opens(&["history", &id]));
    for chunk in [json!([]), json!([event(1, BEA, "m.room.message", json!({"body": "x"}))])] {
        let page = json!({"chunk": chunk, "start": "a", "end": "b"});
        between.play(vec![("/messages?", Trick::Say(200, page))]);
        let ended = ada.lab.run(&args).exited(3);
        assert!(ended.stderr.contains("(history-in-circles"), "{ended}");
        // The same event again is no further message.
        let document = ada.lab.json(&args, 3);
        assert_eq!(document["events"].as_array().unwrap().len(), chunk.as_array().unwrap().len());
    }
}

#[test]
fn what_came_before_a_fault_is_shown() {
    let (ada, id) = with_texts(3);
    let between = ada.between(vec![]);
    ada.lab.run(&ada.through(&between, ada.opens(&["restore", "--no-snapshot"]))).exited(3);
    let args = ada.through(&between, ada.opens(&["history", &id]));
    let fault = json!({"errcode": "M_UNKNOWN", "error": "Internal server error"});
    between.play(vec![("&from=", Trick::Say(500, fault.clone()))]);
    let ended = ada.lab.run(&args).exited(3);
    assert!(ended.stdout.contains("3 of the last 3 messages opened."), "{ended}");
    assert!(ended.stderr.contains("(server-fault"), "{ended}");
    assert_eq!(ada.lab.json(&args, 3)["earlier"], true);
    between.play(vec![("/messages?", Trick::Say(500, fault))]);
    ada.lab.fails(&args, 12, "server-fault");
}

/// One odd event never costs the others.
#[test]
fn odd_events_cost_only_themselves() {
    let text = |number, body: &str| {
        event(number, BEA, "m.room.message", json!({"msgtype": "m.text", "body": body}))
    };
    let change = |number, name: &str, value: Value| {
        let mut event = text(number, "odd");
        event[name] = value;
        event
    };
    let (ada, id) = with_texts(1);
    let between = ada.between(vec![]);
    ada.lab.run(&ada.through(&between, ada.opens(&["restore", "--no-snapshot"]))).exited(3);
    let chunk = json!([
        text(9, "last"),
        7,
        null,
        [],
        {},
        change(1, "event_id", json!(7)),
        change(2, "event_id", json!("")),
        change(3, "event_id", json!("x".repeat(2_000))),
        change(4, "sender", json!(null)),
        change(5, "state_key", json!("")),
        event(6, BEA, "m.room.message", json!([])),
        event(7, BEA, "m.room.message", json!({"body": "x".repeat(300 << 10)})),
        change(8, "origin_server_ts", json!(-9_999_999_999_999_999_i64)),
        change(10, "origin_server_ts", json!("now")),
        change(11, "unsigned", json!([])),
        text(0, "first"),
    ]);
    let page = json!({"chunk": chunk, "start": "a", "state": 7});
    between.play(vec![("/messages?", Trick::Say(200, page))]);
    let args = ada.through(&between, ada.opens(&["history", &id]));
    let document = ada.lab.json(&args, 0);
    let bodies: Vec<_> =
        document["events"].as_array().unwrap().iter().map(|event| &event["body"]).collect();
    assert_eq!(
        bodies,
        [
            &json!("first"),
            &json!("odd"),
            &json!("odd"),
            &json!("odd"),
            &json!(null),
            &json!("last")
        ]
    );
    let times: Vec<_> =
        document["events"].as_array().unwrap().iter().map(|event| event["ts"].is_null()).collect();
    assert_eq!(times, [false, false, true, true, false, false]);
    let people = ada.lab.run(&args).exited(0).stdout;
    assert!(people.contains("(something of the kind m.room.message)"), "{people}");
}

#[test]
fn rooms_that_were_left_or_never_seen() {
    let (ada, _) = with_texts(1);
    let with = |membership| {
        let known = &ada.account.version(3).unwrap().rooms;
        let mut rooms = ada.account.rooms.iter().filter(|room| known.contains_key(&room.id));
        rooms.find(|room| room.membership == membership && room.name.is_some()).unwrap()
    };
    let left = &with(Membership::Left).id;
    assert_eq!(figures(&restored(&ada, left, &[])), [4, 0, 0]);
    let forgotten = &with(Membership::Forgotten).id;
    let told = ada.lab.fails_untouched(&ada.opens(&["history", forgotten]), 12, "not-in-room");
    let version = ada.account.version(3).unwrap();
    let damaged = version.damaged.keys().filter(|(room, _)| room == forgotten).count();
    let keys = version.rooms[forgotten].len() - damaged;
    assert_eq!(told.safe, format!("Its {keys} keys are kept."));
    ada.lab.fails_untouched(&ada.opens(&["history", "!nowhere:x"]), 12, "not-in-room");
    for odd in ["!", "!..", "!%2e%2e/x"] {
        ada.lab.fails_untouched(&ada.opens(&["history", odd]), 12, "not-in-room");
    }
}
