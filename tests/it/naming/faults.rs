//! What goes wrong costs names and nothing else, and ends the asking where it should.

use keyhaul::{
    base::{cancel::Cancel, limits},
    recovery::names::Kind,
};
use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path_regex},
};

use super::*;

fn asked_to_wait() -> ResponseTemplate {
    answer(429, &json!({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 300_000}))
}

fn fault() -> ResponseTemplate {
    answer(500, &json!({"errcode": "M_UNKNOWN", "error": "Internal server error"}))
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("!{n:03}:s")).collect()
}

fn by_reference(rooms: &[String]) -> Vec<&str> {
    rooms.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_left_alone() {
    let house = House::new().await;
    house.joined(&["!000:s"]).await;
    house.direct(json!({"@grace:s": ["!090:s"]})).await;
    house.named("!000:s", "Garden").await;
    house.room("!001:s", "state/m.room.name", asked_to_wait()).await;
    let rooms = numbered(100);
    let (told, requests) = house.ask(Whose::Own, &by_reference(&rooms)).await;
    let last = last(&told);
    assert_eq!(last[0], ("!000:s", "Garden", Kind::Named, false));
    // What needs no question is told all the same.
    assert_eq!(last[90], ("!090:s", "@grace:s", Kind::Direct, true));
    assert_eq!(last.len(), 100);
    assert!(requests.len() < 20, "{requests:?}");

    for at in ["/joined_rooms", "/user/%40ada%3Aexample.org/account_data/m.direct"] {
        let house = House::new().await;
        house.on("GET", at, asked_to_wait()).await;
        let (told, requests) = house.ask(Whose::Own, &["!000:s"]).await;
        assert_eq!(told.len(), 1);
        assert!(requests.len() <= 2, "{requests:?}");
    }
    let house = House::new().await;
    house.at_once(asked_to_wait()).await;
    let (_, requests) = house.ask(Whose::Own, &["!000:s"]).await;
    assert!(requests.last().unwrap().contains("sync"), "{requests:?}");
}

#[tokio::test]
async fn a_fault_of_one_room_does_not_hide_the_others() {
    let house = House::new().await;
    house.joined(&["!000:s", "!001:s", "!002:s"]).await;
    house.room("!000:s", "state/m.room.name", fault()).await;
    let page = ResponseTemplate::new(404).set_body_string("<html>");
    house.room("!001:s", "state/m.room.name", page).await;
    house.named("!002:s", "Garden").await;
    let (told, _) = house.ask(Whose::Own, &["!000:s", "!001:s", "!002:s"]).await;
    assert_eq!(last(&told)[2], ("!002:s", "Garden", Kind::Named, false));
    assert_eq!((last(&told)[0].2, last(&told)[1].2), (Kind::Nothing, Kind::Nothing));
}

#[tokio::test]
async fn a_server_that_fails_again_and_again_is_left_alone() {
    let house = House::new().await;
    let broken = Mock::given(method("GET")).and(path_regex("/state/"));
    broken.respond_with(fault()).with_priority(7).mount(&house.server).await;
    let rooms = numbered(100);
    let (told, requests) = house.ask(Whose::Own, &by_reference(&rooms)).await;
    assert!(told.iter().all(|(_, name)| name.kind == Kind::Nothing));
    let asked = requests.iter().filter(|request| request.contains("/state/")).count();
    assert!(asked <= limits::NAMES_FAULTS + limits::NAMES_AT_A_TIME, "{asked}");
    assert!(!requests.iter().any(|request| request.contains("/room_summary/")));
}

#[tokio::test]
async fn the_steps_do_without_each_other() {
    for odd in [fault(), answer(200, &json!([])), answer(200, &json!({"joined_rooms": 7}))] {
        let house = House::new().await;
        house.on("GET", "/joined_rooms", odd).await;
        house.named("!000:s", "Garden").await;
        let (told, _) = house.ask(Whose::Own, &["!000:s"]).await;
        // Where nobody knows whether the room was left, it was not.
        assert_eq!(last(&told), [("!000:s", "Garden", Kind::Named, false)]);
    }
    let unrecognized = json!({"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"});
    for odd in [fault(), answer(404, &unrecognized), answer(200, &json!({"rooms": 7}))] {
        let house = House::new().await;
        house.at_once(odd).await;
        house.named("!000:s", "Garden").await;
        let (told, requests) = house.ask(Whose::Own, &["!000:s"]).await;
        assert_eq!(last(&told)[0].1, "Garden");
        assert_eq!(requests.iter().filter(|request| request.contains("sync")).count(), 1);
    }
}

#[tokio::test]
async fn a_session_that_is_over_asks_no_more() {
    let house = House::new().await;
    let over = answer(401, &json!({"errcode": "M_UNKNOWN_TOKEN", "error": "Unknown token"}));
    house.on("GET", "/joined_rooms", over).await;
    let (told, requests) = house.ask(Whose::Own, &["!000:s", "!001:s"]).await;
    assert_eq!(told.len(), 2);
    assert_eq!(requests, ["/joined_rooms"]);
}

#[tokio::test]
async fn a_wish_to_stop_is_heard() {
    let house = House::new().await;
    let visit = house.visit(Whose::Own).await;
    let before = house.server.received_requests().await.unwrap().len();
    let cancel = Cancel::default();
    cancel.cancel();
    let rooms = numbered(100);
    let told = house.told_until(&visit, &by_reference(&rooms), &cancel).await;
    assert!(told.iter().all(|(_, name)| name.name.is_none()));
    let asked = house.server.received_requests().await.unwrap().len() - before;
    assert_eq!(asked, 0);
    // Nothing was heard, so the next call asks.
    house.named("!000:s", "Garden").await;
    assert_eq!(last(&house.told(&visit, &["!000:s"]).await)[0].1, "Garden");
}

#[tokio::test]
async fn no_rooms_are_no_reason_to_ask() {
    let house = House::new().await;
    let (told, requests) = house.ask(Whose::Own, &[]).await;
    assert!(told.is_empty() && requests.is_empty(), "{requests:?}");
}
