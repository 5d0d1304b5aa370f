//! A room's history, read with the built program: what opens, what stays closed and why, and servers
//! that play tricks.

pub(crate) mod app;
mod closed;
mod pages;
mod people;

use keyhaul::demo::account::Account;
use serde_json::Value;

use crate::program::Ada;

/// A room of Ada's without any conversation.
fn room(account: &Account) -> String {
    let named = account.rooms.iter().find(|room| room.name.as_deref() == Some("Radio"));
    named.unwrap().id.clone()
}

/// Restores everything, and reads the room.
fn restored(ada: &Ada, room: &str, more: &[&str]) -> Value {
    ada.lab.run(&ada.opens(&["restore", "--no-snapshot"])).exited(3);
    read(ada, room, more)
}

fn read(ada: &Ada, room: &str, more: &[&str]) -> Value {
    ada.lab.json(&ada.opens(&[&["history", room], more].concat()), 0)
}

/// What each message says, or the word for why it says nothing.
fn told(document: &Value) -> Vec<&str> {
    let events = document["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            assert_eq!(event["readable"] == true, event["reason"].is_null(), "{event}");
            event["body"].as_str().or(event["reason"].as_str()).unwrap()
        })
        .collect()
}

fn figures(document: &Value) -> [u64; 3] {
    ["readable", "unreadable", "deleted"].map(|name| document[name].as_u64().unwrap())
}
