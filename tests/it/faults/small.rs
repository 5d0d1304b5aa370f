//! A small account: one backup with five keys in two rooms, all of which open.

use std::collections::BTreeMap;

use keyhaul::demo::account::Account;
use serde_json::Value;

use crate::program::Ada;

/// How many keys the backup has.
pub(super) const KEYS: usize = 5;

/// One entry, where it stands and what it says.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) room: String,
    pub(super) session: String,
    pub(super) json: String,
}

/// Ada with the small backup, and its entries in the order of the body.
pub(super) fn ada() -> (Ada, Vec<Entry>) {
    let mut entries = Vec::new();
    let ada = Ada::with(|account| entries = shrink(account));
    (ada, entries)
}

/// Leaves three keys of one room and two of another.
fn shrink(account: &mut Account) -> Vec<Entry> {
    account.versions.retain(|number, _| *number == 3);
    let version = account.versions.get_mut(&3).unwrap().as_mut().unwrap();
    let damaged = std::mem::take(&mut version.damaged);
    let is_sound =
        |room: &String, session: &String| !damaged.contains_key(&(room.clone(), session.clone()));
    let mut wanted = [3, 2].into_iter();
    let mut kept = BTreeMap::new();
    for (room, sessions) in &version.rooms {
        let sound = sessions.iter().filter(|(session, _)| is_sound(room, session));
        let sound: Vec<_> = sound.map(|(id, json)| (id.clone(), json.clone())).collect();
        if sound.len() < 3 {
            continue;
        }
        let Some(count) = wanted.next() else { break };
        kept.insert(room.clone(), sound.into_iter().take(count).collect::<BTreeMap<_, _>>());
    }
    version.rooms = kept;
    account.rooms.retain(|room| version.rooms.contains_key(&room.id));
    account.timelines.clear();
    let all = version.rooms.iter().flat_map(|(room, sessions)| {
        sessions.iter().map(|(session, json)| Entry {
            room: room.clone(),
            session: session.clone(),
            json: String::from_utf8(json.to_vec()).unwrap(),
        })
    });
    let all: Vec<_> = all.collect();
    assert_eq!(all.len(), KEYS);
    all
}

/// The whole keys body.
pub(super) fn body(entries: &[Entry]) -> String {
    let mut rooms: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Entry { room, session, json } in entries {
        let entry = format!("{}:{json}", Value::from(session.as_str()));
        rooms.entry(room).or_default().push(entry);
    }
    let rooms = rooms.iter().map(|(room, entries)| {
        format!("{}:{{\"sessions\":{{{}}}}}", Value::from(*room), entries.join(","))
    });
    format!("{{\"rooms\":{{{}}}}}", rooms.collect::<Vec<_>>().join(","))
}
