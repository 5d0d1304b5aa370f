//! Who wrote what: names, answers, and texts that were changed later.

use keyhaul::demo::{account::Person, timeline::Timeline};
use serde_json::{Value, json};

use super::{
    app::{App, event, locked},
    restored, room, told,
};
use crate::program::Ada;

const BEA: &str = "@bea:example.org";
const CY: &str = "@cy:example.org";

fn member<'d>(document: &'d Value, name: &str) -> Vec<&'d Value> {
    document["events"].as_array().unwrap().iter().map(|event| &event[name]).collect()
}

#[test]
fn only_authors_change_their_texts() {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let mut lost = App::new(&id);
        let clear = json!({
            "msgtype": "m.text",
            "body": "* by the server",
            "m.new_content": {"msgtype": "m.text", "body": "by the server"},
            "m.relates_to": {"rel_type": "m.replace", "event_id": "$event2"},
        });
        let events = vec![
            locked(1, BEA, app.says("one")),
            locked(2, BEA, app.says("two")),
            locked(3, BEA, app.edits("$event1", "one, better")),
            locked(4, CY, app.edits("$event2", "two, by somebody else")),
            event(5, BEA, "m.room.message", clear),
            locked(6, BEA, app.edits("$event1", "one, best")),
            locked(7, BEA, lost.says("closed")),
            locked(8, BEA, app.edits("$event7", "no way to open it")),
            locked(9, BEA, app.edits("$far-away", "of long ago")),
        ];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let document = restored(&ada, &id, &[]);
    assert_eq!(told(&document), ["one, best", "two", "no_key", "of long ago"]);
    assert_eq!(member(&document, "edited"), [true, false, false, true]);
}

#[test]
fn answers_name_what_they_answer() {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let mut answer = |to: &str| {
            let content = json!({"msgtype": "m.text", "body": "> <@bea:x> a lie\n\nyes"});
            let relation = json!({"m.in_reply_to": {"event_id": to}});
            app.sends("m.room.message", &content, Some(relation))
        };
        let (known, unknown) = (answer("$event1"), answer("$far-away"));
        let reaction = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$event1"}});
        let events = vec![
            locked(1, BEA, app.says("shall we?")),
            locked(2, CY, known),
            locked(3, CY, unknown),
            locked(4, CY, app.sends("m.reaction", &reaction, None)),
        ];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let document = restored(&ada, &id, &[]);
    assert_eq!(told(&document), ["shall we?", "yes", "yes"]);
    assert_eq!(
        member(&document, "answers"),
        [&json!(null), &json!("$event1"), &json!("$far-away")]
    );
    let people = ada.lab.run(&ada.opens(&["history", &id])).exited(0).stdout;
    assert!(people.contains("↳ answers “shall we?”\n"), "{people}");
    assert!(people.contains("↳ answers an older message\n"), "{people}");
    // What an answer says of the one before is not believed.
    assert!(!people.contains("a lie"), "{people}");
}

#[test]
fn people_are_told_apart() {
    let mut id = String::new();
    let person = |user_id: &str, display_name: &str| Person {
        user_id: user_id.to_owned(),
        display_name: display_name.to_owned(),
    };
    let text = json!({"msgtype": "m.text", "body": "hello"});
    let ada = Ada::with(|account| {
        id = room(account);
        let own = account.user_id.clone();
        let room = account.rooms.iter_mut().find(|room| room.id == id).unwrap();
        room.people = vec![
            person(BEA, "Bea"),
            person(CY, "B\u{200b}ea"),
            person("@dee:example.org", "You"),
            person("@eve:example.org", "\u{202e}"),
        ];
        let senders = [BEA, CY, "@dee:example.org", "@eve:example.org", "@fay:example.org", &own];
        let numbered = (1..).zip(senders);
        let events = numbered.map(|(n, sender)| event(n, sender, "m.room.message", text.clone()));
        account.timelines.insert(id.clone(), Timeline::of(events.collect()));
    });
    let document = restored(&ada, &id, &[]);
    assert_eq!(
        member(&document, "name"),
        [
            "Bea (@bea:example.org)",
            "Bea (@cy:example.org)",
            "You (@dee:example.org)",
            "@eve:example.org",
            "@fay:example.org",
            "ada",
        ]
    );
    assert_eq!(member(&document, "sender")[5], &json!(ada.account.user_id));
    let people = ada.lab.run(&ada.opens(&["history", &id])).exited(0).stdout;
    let yours = people.lines().filter(|line| line.contains("  you  ")).count();
    assert_eq!(yours, 1, "{people}");
}
