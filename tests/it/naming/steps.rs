//! The steps, each only where those before it left a room without a name.

use std::{collections::BTreeMap, sync::Arc};

use keyhaul::{
    base::{
        cancel::Cancel,
        limits,
        progress::{News, Stage},
    },
    recovery::names::{Kind, RoomName, names},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, Request, ResponseTemplate,
    matchers::{method, path_regex},
};

use super::*;

const FIRST: [&str; 2] = ["/joined_rooms", "/user/@ada:example.org/account_data/m.direct"];
const AT_ONCE: [&str; 2] = [
    "/versions",
    "POST /unstable/org.matrix.simplified_msc3575/sync?timeout=0&set_presence=offline",
];

fn asked<'a>(steps: &[&[&'a str]]) -> Vec<&'a str> {
    steps.concat()
}

/// The rooms that a request subscribes to.
fn subscribed(request: &Request) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["room_subscriptions"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn one_answer_names_many_rooms() {
    let house = House::new().await;
    house.joined(&["!named:s", "!alias:s", "!people:s", "!empty:s"]).await;
    let state =
        |kind: &str, content: Value| json!([{"type": kind, "state_key": "", "content": content}]);
    let rooms = json!({
        "!named:s": {
            "name": "Garden", "joined_count": 4, "invited_count": 1,
            "required_state": state("m.room.name", json!({"name": "Garden"})),
        },
        "!alias:s": {
            "joined_count": 2, "invited_count": 0, "heroes": [{"user_id": "@a:s"}],
            "required_state": state("m.room.canonical_alias", json!({"alias": "#attic:s"})),
        },
        "!people:s": {
            "joined_count": 2, "invited_count": 2,
            "heroes": [{"user_id": "@b:s", "displayname": "Bea"}, {"user_id": "@a:s"}],
        },
        "!empty:s": {"joined_count": 1, "invited_count": 0},
        "!left:s": {"name": "Choir"},
    });
    house.at_once(answer(200, &json!({"pos": "1", "rooms": rooms, "extensions": {}}))).await;
    let wanted = ["!named:s", "!alias:s", "!people:s", "!empty:s", "!left:s"];
    let (told, requests) = house.ask(Whose::Own, &wanted).await;
    assert_eq!(
        last(&told),
        [
            ("!alias:s", "#attic:s", Kind::Alias, false),
            ("!empty:s", "Empty room", Kind::People, false),
            ("!left:s", "Choir", Kind::Named, true),
            ("!named:s", "Garden", Kind::Named, false),
            ("!people:s", "@a:s, Bea and 1 other", Kind::People, false),
        ]
    );
    assert_eq!(told.len(), wanted.len(), "each is told once");
    let people: BTreeMap<_, _> =
        told.iter().map(|(room, name)| (room.as_str(), name.people)).collect();
    assert_eq!((people["!named:s"], people["!people:s"]), (Some(5), Some(4)));
    assert_eq!((people["!empty:s"], people["!left:s"]), (Some(1), None));
    assert_eq!(requests, asked(&[&FIRST, &AT_ONCE]));

    let all = house.server.received_requests().await.unwrap();
    let sync = all.iter().find(|request| request.url.path() == SYNC).unwrap();
    let body: Value = serde_json::from_slice(&sync.body).unwrap();
    let fields: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["conn_id", "room_subscriptions"]);
    assert_eq!(
        (&body["conn_id"], &body["room_subscriptions"]["!left:s"]),
        (
            &json!("keyhaul-names"),
            &json!({
                "required_state": [["m.room.name", ""], ["m.room.canonical_alias", ""]],
                "timeline_limit": 0,
            })
        )
    );
}

#[tokio::test]
async fn rooms_are_asked_one_by_one_until_something_names_them() {
    let house = House::new().await;
    house.joined(&["!alias:s", "!named:s", "!people:s"]).await;
    house.named("!named:s", "Garden").await;
    let alias = answer(200, &json!({"alias": "#attic:s"}));
    house.room("!alias:s", "state/m.room.canonical_alias", alias).await;
    let members = json!({"joined": {
        USER: {"display_name": "Ada", "avatar_url": null},
        "@b:s": {"display_name": "Bea", "avatar_url": null},
        "@c:s": {"display_name": null},
    }});
    house.room("!people:s", "joined_members", answer(200, &members)).await;
    let member = |id: &str, name: &str, membership: &str| {
        json!({
            "type": "m.room.member", "state_key": id,
            "content": {"membership": membership, "displayname": name},
        })
    };
    let chunk = [member("@b:s", "Bea", "join"), member("@d:s", "Dan", "leave")];
    house.room("!was:s", "members", answer(200, &json!({"chunk": chunk}))).await;
    house.named("!old:s", "Choir").await;
    house.room("!gone:s", "state/m.room.name", forbidden()).await;
    let wanted = ["!alias:s", "!named:s", "!people:s", "!was:s", "!old:s", "!gone:s"];
    for whose in [Whose::Own, Whose::Borrowed] {
        let (told, mut requests) = house.ask(whose, &wanted).await;
        assert_eq!(
            last(&told),
            [
                ("!alias:s", "#attic:s", Kind::Alias, false),
                ("!gone:s", "", Kind::Nothing, true),
                ("!named:s", "Garden", Kind::Named, false),
                ("!old:s", "Choir", Kind::Named, true),
                ("!people:s", "Bea and @c:s", Kind::People, false),
                ("!was:s", "Bea", Kind::People, true),
            ]
        );
        assert_eq!(told.iter().find(|(room, _)| room == "!people:s").unwrap().1.people, Some(3));
        // The rooms are asked at the same time, each in its own order.
        let first = requests.drain(..FIRST.len()).collect::<Vec<_>>();
        assert_eq!(first, FIRST);
        let versions = requests.iter().filter(|request| *request == "/versions").count();
        assert_eq!(versions, usize::from(whose == Whose::Own));
        let of = |room: &str| -> Vec<&str> {
            let at = format!("/rooms/{room}/");
            requests.iter().filter_map(|request| request.strip_prefix(&at)).collect()
        };
        let (name, alias) = ("state/m.room.name", "state/m.room.canonical_alias");
        assert_eq!(of("!named:s"), [name]);
        assert_eq!(of("!alias:s"), [name, alias]);
        assert_eq!(of("!people:s"), [name, alias, "joined_members"]);
        assert_eq!(of("!was:s"), [name, alias, "members?membership=join"]);
        assert_eq!((of("!old:s"), of("!gone:s")), (vec![name], vec![name]));
        assert_eq!(requests.last().unwrap(), "/v1/room_summary/!gone:s?via=s");
    }
}

#[tokio::test]
async fn a_borrowed_token_is_for_reading_only() {
    let house = House::new().await;
    house.joined(&["!a:s"]).await;
    house.at_once(answer(200, &json!({"rooms": {"!a:s": {"name": "Garden"}}}))).await;
    let (told, requests) = house.ask(Whose::Borrowed, &["!a:s", "!b:s"]).await;
    assert!(told.iter().all(|(_, name)| name.name.is_none()));
    assert!(requests.iter().all(|request| request.starts_with('/')), "{requests:?}");
    assert!(!requests.iter().any(|request| request.contains("sync") || request.contains("since")));
}

#[tokio::test]
async fn direct_chats_are_named_after_the_other_person() {
    let house = House::new().await;
    house.joined(&["!alone:s", "!named:s"]).await;
    house
        .direct(json!({
            USER: ["!both:s", "!notes:s"],
            "@grace:s": ["!alone:s", "!both:s", "!named:s", "!elsewhere:s"],
            "@zoe:s": ["!both:s"],
        }))
        .await;
    house.named("!named:s", "Garden").await;
    let alone = answer(200, &json!({"joined": {USER: {}}}));
    house.room("!alone:s", "joined_members", alone).await;
    for room in ["!both:s", "!notes:s"] {
        house.room(room, "state/m.room.name", forbidden()).await;
    }
    let (told, requests) =
        house.ask(Whose::Own, &["!alone:s", "!both:s", "!named:s", "!notes:s"]).await;
    assert_eq!(
        last(&told),
        [
            ("!alone:s", "@grace:s", Kind::Direct, false),
            ("!both:s", "@grace:s", Kind::Direct, true),
            ("!named:s", "Garden", Kind::Named, false),
            ("!notes:s", USER, Kind::Direct, true),
        ]
    );
    // The better name comes after the poorer one.
    let of_alone: Vec<_> = told.iter().filter(|(room, _)| room == "!alone:s").collect();
    let kinds: Vec<_> = of_alone.iter().map(|(_, name)| name.kind).collect();
    assert_eq!(kinds, [Kind::People, Kind::Direct]);
    assert!(!requests.iter().any(|request| request.contains("room_summary")), "{requests:?}");
}

#[tokio::test]
async fn strangers_questions_come_last_and_are_few() {
    let house = House::new().await;
    house.joined(&[]).await;
    let no_name = Mock::given(method("GET")).and(path_regex("/state/m.room.name$"));
    no_name.respond_with(forbidden()).with_priority(7).mount(&house.server).await;
    let summary = json!({"room_id": "x", "name": "Square", "num_joined_members": 90});
    house.serve("/_matrix/client/v1/room_summary/%2100%3As", summary).await;
    let unnamed = json!({"canonical_alias": "#hall:s", "num_joined_members": 1});
    house.serve("/_matrix/client/v1/room_summary/%2101%3As", unnamed).await;
    let nobody = json!({"num_joined_members": 1});
    house.serve("/_matrix/client/v1/room_summary/%2102", nobody).await;
    let rooms: Vec<String> = (0..70).map(|n| format!("!{n:02}:s").replace("02:s", "02")).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let (told, requests) = house.ask(Whose::Own, &rooms).await;
    let named: Vec<_> =
        last(&told).into_iter().filter(|(_, _, kind, _)| *kind != Kind::Nothing).collect();
    assert_eq!(
        named,
        [("!00:s", "Square", Kind::Named, true), ("!01:s", "#hall:s", Kind::Alias, true)]
    );
    assert_eq!(last(&told).len(), 70);
    let summaries = requests.iter().filter(|request| request.contains("/room_summary/"));
    let summaries: Vec<_> = summaries.collect();
    assert_eq!(summaries.len(), limits::SUMMARIES);
    assert!(summaries.contains(&&"/v1/room_summary/!02".to_owned()), "{summaries:?}");
    assert!(summaries.contains(&&"/v1/room_summary/!03:s?via=s".to_owned()), "{summaries:?}");
    let state = requests.iter().rposition(|request| request.contains("/state/")).unwrap();
    let summary = requests.iter().position(|request| request.contains("/room_summary/")).unwrap();
    assert!(state < summary);
}

#[tokio::test]
async fn a_server_without_summaries_is_not_asked_for_all() {
    let house = House::new().await;
    house.joined(&[]).await;
    let no_name = Mock::given(method("GET")).and(path_regex("/state/m.room.name$"));
    no_name.respond_with(forbidden()).with_priority(7).mount(&house.server).await;
    let unrecognized = json!({"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"});
    let no_such = Mock::given(method("GET")).and(path_regex("/room_summary/"));
    no_such.respond_with(answer(404, &unrecognized)).with_priority(7).mount(&house.server).await;
    let rooms: Vec<String> = (0..40).map(|n| format!("!{n}:s")).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let (told, requests) = house.ask(Whose::Own, &rooms).await;
    assert_eq!(last(&told).len(), 40);
    let summaries = requests.iter().filter(|request| request.contains("/room_summary/")).count();
    assert!(summaries <= limits::NAMES_AT_A_TIME, "{summaries}");
}

#[tokio::test]
async fn many_rooms_come_in_pages() {
    let house = House::new().await;
    house.joined(&[]).await;
    let named = |request: &Request| {
        let rooms: serde_json::Map<_, _> = subscribed(request)
            .into_iter()
            .map(|id| (id.clone(), json!({"name": format!("Room {id}")})))
            .collect();
        answer(200, &json!({"rooms": rooms}))
    };
    house.at_once(named).await;
    let rooms: Vec<String> = (0..250).map(|n| format!("!{n}:s")).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let (told, requests) = house.ask(Whose::Own, &rooms).await;
    assert!(last(&told).iter().all(|(room, name, ..)| *name == format!("Room {room}")));
    assert_eq!(told.len(), 250);
    assert_eq!(requests.len(), FIRST.len() + 1 + 3);
    let all = house.server.received_requests().await.unwrap();
    let pages = all.iter().filter(|request| request.url.path() == SYNC).map(subscribed);
    let pages: Vec<_> = pages.map(|page| page.len()).collect();
    assert_eq!(pages, [100, 100, 50]);
}

#[tokio::test]
async fn too_large_a_page_is_halved_and_then_given_up() {
    for (most, expected) in [(30, vec![100, 50, 25, 25, 25, 25]), (0, vec![100, 50, 25, 12])] {
        let house = House::new().await;
        house.joined(&[]).await;
        let too_large = move |request: &Request| {
            let ids = subscribed(request);
            if ids.len() > most {
                let rest = "x".repeat(limits::ANSWER as usize);
                return ResponseTemplate::new(200).set_body_string(format!("{{\"x\":\"{rest}\"}}"));
            }
            let rooms = ids.into_iter().map(|id| (id, json!({"name": "Garden"})));
            answer(200, &json!({"rooms": rooms.collect::<serde_json::Map<_, _>>()}))
        };
        house.at_once(too_large).await;
        let rooms: Vec<String> = (0..100).map(|n| format!("!{n:03}:s")).collect();
        let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
        house.named("!007:s", "Garden").await;
        let (told, requests) = house.ask(Whose::Own, &rooms).await;
        let all = house.server.received_requests().await.unwrap();
        let pages = all.iter().filter(|request| request.url.path() == SYNC).map(subscribed);
        assert_eq!(pages.map(|page| page.len()).collect::<Vec<_>>(), expected);
        // What the pages did not bring is asked for one by one.
        let (_, name, kind, _) = last(&told)[7];
        assert_eq!((name, kind), ("Garden", Kind::Named));
        assert_eq!(requests.iter().any(|request| request.contains("/state/")), most == 0);
    }
}

#[tokio::test]
async fn no_more_than_four_rooms_are_asked_for_at_a_time() {
    let house = House::new().await;
    house.joined(&[]).await;
    let rooms: Vec<String> = (0..40).map(|n| format!("!{n}:s")).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let (_, requests) = house.ask(Whose::Own, &rooms).await;
    // Each room has three questions, and the next room's turn comes with the last of them.
    let questions = requests.iter().filter(|request| request.starts_with("/rooms/"));
    let (mut open, mut most) = (0_usize, 0);
    for question in questions {
        if question.ends_with("m.room.name") {
            open += 1;
        }
        most = most.max(open);
        if question.contains("/members") {
            open -= 1;
        }
    }
    assert!((2..=limits::NAMES_AT_A_TIME).contains(&most), "{most}");
}

#[tokio::test]
async fn a_visit_asks_once_for_each_room() {
    let house = House::new().await;
    house.joined(&["!a:s", "!b:s"]).await;
    house.named("!a:s", "Garden").await;
    house.named("!c:s", "Choir").await;
    let visit = house.visit(Whose::Own).await;
    let first = house.told(&visit, &["!a:s", "!b:s", "!a:s"]).await;
    let asked = async || house.server.received_requests().await.unwrap().len();
    let before = asked().await;
    assert_eq!(last(&house.told(&visit, &["!a:s", "!b:s"]).await), last(&first));
    assert_eq!(asked().await, before);
    let more = house.told(&visit, &["!a:s", "!c:s"]).await;
    assert_eq!(last(&more)[1], ("!c:s", "Choir", Kind::Named, true));
    let all = house.server.received_requests().await.unwrap();
    let again = all[before..].iter().map(shortened).filter(|at| at.contains("/rooms/"));
    assert_eq!(again.collect::<Vec<_>>(), ["/rooms/!c:s/state/m.room.name"]);
}

#[tokio::test]
async fn it_says_when_it_begins_and_when_it_is_done() {
    let house = House::new().await;
    house.joined(&["!a:s"]).await;
    let visit = house.visit(Whose::Own).await;
    let heard = Heard::default();
    let rooms = [Arc::from("!a:s")];
    let mut told = |_: &Arc<str>, _: &RoomName| {};
    let cancel = Cancel::default();
    let asking = names(&visit, &rooms, None, &mut told, &heard, &cancel);
    // Whoever runs it may do so on any thread.
    spawnable(&asking);
    asking.await;
    assert_eq!(*heard.0.lock().unwrap(), [Some(News::Began(Stage::Naming)), None]);
}

fn spawnable(_: &impl Send) {}
