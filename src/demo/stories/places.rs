//! The rooms of a story: where they are, which sessions they have, and what was said in them.

use std::collections::BTreeMap;

use super::super::{
    account::{Damage, Room},
    chats,
    forge::{EntryPlan, Sender},
    random::Seeded,
    rooms::RoomPlan,
    timeline::{Script, Sessions, Timeline},
};
use crate::base::{base64, random::array};

const SERVER: &str = "example.org";
pub(super) const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Session numbers from here on exist in the older version only.
pub(super) const OLDER: u32 = 1 << 20;
/// A session number that exists in no version.
const NOWHERE: u32 = 1 << 21;

/// A room with what only its maker knows.
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) room: Room,
    pub(super) plan: &'static RoomPlan,
    pub(super) others: Sender,
    pub(super) own: Sender,
}

/// The rooms that are planned, with their ids.
pub(super) fn places(seed: &Seeded, plans: &'static [RoomPlan]) -> Vec<Place> {
    let own = Sender::new(seed, "device OLDLAPTOP");
    let numbered = (0..).zip(plans);
    numbered
        .map(|(number, plan)| {
            let mut random = seed.derive("room", number);
            let id = if plan.version_12 {
                base64::encode(&array::<32>(&mut random)).replace('+', "-").replace('/', "_")
            } else {
                format!("{}:{}", random.text(LETTERS, 18), plan.server.unwrap_or(SERVER))
            };
            let room = Room {
                id: format!("!{id}"),
                name: plan.name.map(str::to_owned),
                alias: plan.alias.map(str::to_owned),
                people: plan.neighbours(),
                membership: plan.membership,
            };
            Place { number, room, plan, others: Sender::new(seed, &format!("device of {id}")), own }
        })
        .collect()
}

/// The conversations, each with sessions that the backups hold as its lines need them.
pub(super) fn timelines(
    seed: &Seeded,
    places: &[Place],
    newest: &[EntryPlan<'_>],
) -> BTreeMap<String, Timeline> {
    let planned = chats::PLAIN.iter().filter_map(|chat| {
        let called = |place: &&Place| {
            place.plan.name == Some(chat.room) || place.plan.direct == Some(chat.room)
        };
        let place = places.iter().find(called)?;
        let entries = || newest.iter().filter(|entry| entry.room_id == place.room.id);
        let sound = || entries().filter(|entry| entry.damage.is_none());
        let older = (0..place.plan.older).map(|number| entry(seed, place, OLDER + number));
        let sessions = Sessions {
            held: sound().filter(|entry| entry.index == 0).map(|entry| entry.session).collect(),
            late: sound()
                .find(|entry| (2..65_536).contains(&entry.index))
                .map(|entry| (entry.session, entry.index)),
            older: older.filter(|entry| entry.index == 0).map(|entry| entry.session).next(),
            damaged: entries()
                .find(|entry| entry.damage.is_some_and(|damage| damage != Damage::OtherSession))
                .map(|entry| entry.session),
            nowhere: place.number << 32 | u64::from(NOWHERE),
        };
        let room_id = place.room.id.clone();
        let script = Script { chat, room_id, seed: seed.clone(), sessions };
        Some((place.room.id.clone(), Timeline::planned(script)))
    });
    planned.collect()
}

/// A session of a room by its number, as one device or another backed it up.
pub(super) fn entry<'a>(seed: &Seeded, place: &'a Place, number: u32) -> EntryPlan<'a> {
    let session = place.number << 32 | u64::from(number);
    let mut random = seed.derive("entry", session);
    let index = match (random.percent(place.plan.late), random.percent(4)) {
        (true, true) => 65_536 + random.below(300),
        (true, false) => 1 + random.below(400),
        (false, _) => 0,
    };
    let told_index = match (random.percent(1), index) {
        (false, _) => index,
        (true, 0) => 1 + random.below(50),
        (true, _) => 0,
    };
    EntryPlan {
        room_id: &place.room.id,
        session,
        sender: if random.percent(30) { place.own } else { place.others },
        index,
        told_index,
        verified: random.percent(35),
        forwarded: if random.percent(4) { 1 + random.below(2) } else { 0 },
        shared_history: random.percent(20).then(|| random.percent(80)),
        damage: None,
    }
}
