//! Answers that want to harm: too much, escapes, other types.

use keyhaul::{
    base::{limits, shown::Shown},
    recovery::names::Kind,
};
use serde_json::{Value, json};

use super::*;

const HOSTILE: &str = "a\u{1b}]52;c;QUFB\u{7}\u{202e}b\u{9b}2J\r\n\u{e0041}c";

fn is_safe(told: &Told) {
    for (room, told) in told {
        let name = told.name.as_ref().map_or("", |name| name.as_str());
        assert!(name.chars().all(Shown::passes), "{room}: {name:?}");
        // One sign more says that something was cut.
        assert!(name.chars().count() <= limits::ROOM_NAME + 1, "{room}");
    }
}

#[tokio::test]
async fn every_name_is_made_safe() {
    let flood = format!("{HOSTILE}{}", "x".repeat(10_000));
    let state =
        |kind: &str, content: Value| json!([{"type": kind, "state_key": "", "content": content}]);
    let heroes = json!([{"user_id": flood, "displayname": flood}, {"user_id": HOSTILE}]);
    let rooms = json!({
        "!a:s": {"required_state": state("m.room.name", json!({"name": flood}))},
        "!b:s": {"required_state": state("m.room.canonical_alias", json!({"alias": flood}))},
        "!c:s": {"heroes": heroes, "joined_count": 3},
    });
    let house = House::new().await;
    house.joined(&["!c:s", "!d:s", "!e:s", "!f:s"]).await;
    house.at_once(answer(200, &json!({"rooms": rooms}))).await;
    house.named("!d:s", &flood).await;
    let members = json!({"joined": {&flood: {"display_name": flood}}});
    house.room("!e:s", "joined_members", answer(200, &members)).await;
    house.direct(json!({&flood: ["!f:s"]})).await;
    let wanted = ["!a:s", "!b:s", "!c:s", "!d:s", "!e:s", "!f:s"];
    let (told, _) = house.ask(Whose::Own, &wanted).await;
    is_safe(&told);
    let kinds: Vec<_> =
        last(&told).into_iter().map(|(_, name, kind, _)| (kind, &name[..1])).collect();
    use Kind::{Alias, Direct, Named, People};
    assert_eq!(
        kinds,
        [(Named, "a"), (Alias, "a"), (People, "a"), (Named, "a"), (People, "a"), (Direct, "a")]
    );
}

#[tokio::test]
async fn endless_people_are_a_few_and_others() {
    let heroes: Vec<_> = (0..20_000).map(|n| json!({"user_id": format!("@{n:05}:s")})).collect();
    let house = House::new().await;
    house.joined(&["!a:s", "!b:s", "!c:s"]).await;
    let rooms = json!({
        "!a:s": {"heroes": heroes, "joined_count": 20_001, "invited_count": u64::MAX},
    });
    house.at_once(answer(200, &json!({"rooms": rooms}))).await;
    let many: serde_json::Map<_, _> =
        (0..9_000).map(|n| (format!("@{n:05}:s"), json!({}))).collect();
    house.room("!b:s", "joined_members", answer(200, &json!({"joined": many}))).await;
    let too_many: serde_json::Map<_, _> =
        (0..90_000).map(|n| (format!("@{n:05}:s"), json!({}))).collect();
    house.room("!c:s", "joined_members", answer(200, &json!({"joined": too_many}))).await;
    let (told, _) = house.ask(Whose::Own, &["!a:s", "!b:s", "!c:s"]).await;
    is_safe(&told);
    let five = "@00000:s, @00001:s, @00002:s, @00003:s, @00004:s and";
    let last = last(&told);
    assert!(last[0].1.starts_with(five), "{}", last[0].1);
    assert_eq!(last[1].1, format!("{five} 8 995 others"));
    assert_eq!(last[2].2, Kind::Nothing);
}

#[tokio::test]
async fn other_types_cost_only_what_they_stand_for() {
    let odd = [
        json!(null),
        json!(7),
        json!([]),
        json!("text"),
        json!({"name": {}, "heroes": "x", "joined_count": -1, "required_state": 3}),
        json!({"name": "", "heroes": [1, {}, {"user_id": 7}], "joined_count": 1e99}),
        json!({"required_state": [null, "x", {"type": "m.room.name"}, {"type": 7, "state_key": ""}]}),
        json!({"required_state": [{"type": "m.room.name", "state_key": "", "content": "x"}]}),
        json!({"required_state": [{"type": "m.room.name", "state_key": "a", "content": {"name": "x"}}]}),
        json!({"required_state": [{"type": "m.room.name", "state_key": "", "content": {"name": 1}}]}),
    ];
    let mut rooms: serde_json::Map<_, _> =
        odd.iter().enumerate().map(|(n, room)| (format!("!{n:02}:s"), room.clone())).collect();
    rooms.insert("!good:s".to_owned(), json!({"name": "Garden"}));
    rooms.insert("!strange:s".to_owned(), json!({"name": "Nobody asked"}));
    for direct in
        [json!([]), json!({"@a:s": "!00:s", "@b:s": [7, null, {}], "@c:s": {}, "": ["!01:s"]})]
    {
        let house = House::new().await;
        house.at_once(answer(200, &json!({"rooms": rooms}))).await;
        house.direct(direct).await;
        let mut wanted: Vec<&str> = rooms.keys().map(String::as_str).collect();
        wanted.retain(|room| *room != "!strange:s");
        let (told, _) = house.ask(Whose::Own, &wanted).await;
        assert_eq!(last(&told).len(), wanted.len());
        for (room, name, kind, _) in last(&told) {
            match room {
                "!good:s" => assert_eq!((name, kind), ("Garden", Kind::Named)),
                _ => assert_eq!((name, kind), ("", Kind::Nothing), "{room}"),
            }
        }
    }

    let house = House::new().await;
    house.joined(&["!00:s", "!01:s", "!02:s", "!03:s"]).await;
    let bodies = [json!({"joined": 7}), json!({"joined": {"@a:s": 7}}), json!([])];
    for (n, body) in bodies.iter().enumerate() {
        house.room(&format!("!{n:02}:s"), "joined_members", answer(200, body)).await;
    }
    let chunk =
        json!({"chunk": [1, {}, {"state_key": "@a:s"}, {"content": {"membership": "join"}}]});
    house.room("!04:s", "members", answer(200, &chunk)).await;
    let wanted = ["!00:s", "!01:s", "!02:s", "!04:s", "", "..", "!/:s"];
    let (told, _) = house.ask(Whose::Own, &wanted).await;
    let named: Vec<_> =
        last(&told).into_iter().filter(|(_, _, kind, _)| *kind != Kind::Nothing).collect();
    assert_eq!(
        named,
        [("!01:s", "@a:s", Kind::People, false), ("!04:s", "Empty room", Kind::People, true)]
    );
}

#[tokio::test]
async fn a_name_that_the_server_made_up_counts_last() {
    let rooms = json!({
        "!a:s": {"name": "Bea and 2 others", "heroes": [{"user_id": "@b:s", "displayname": "Bea"}],
                 "joined_count": 2},
    });
    let house = House::new().await;
    house.joined(&["!a:s"]).await;
    house.at_once(answer(200, &json!({"rooms": rooms}))).await;
    let (told, _) = house.ask(Whose::Own, &["!a:s"]).await;
    assert_eq!(last(&told), [("!a:s", "Bea", Kind::People, false)]);
}
