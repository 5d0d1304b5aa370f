//! Ada lost her phone. Backup 3 is current, backup 1 has another key, backup 2 was deleted.

use std::collections::BTreeMap;

use super::{
    super::{
        account::{Account, Damage},
        forge::{EntryPlan, Forge},
        random::Seeded,
        rooms::PLAIN,
    },
    Story,
    places::{OLDER, Place, entry, places, timelines},
};
use crate::{backup::decryption::DecryptionKey, base::random::array};

/// What is wrong in the current version, and how often.
const DAMAGES: [(Damage, usize); 8] = [
    (Damage::OtherKey, 13),
    (Damage::Padding, 7),
    (Damage::OtherSession, 5),
    (Damage::OtherRoom, 4),
    (Damage::NoSessionKey, 3),
    (Damage::Algorithm, 5),
    (Damage::Ephemeral, 2),
    (Damage::NoObject, 1),
];

pub(super) fn account() -> Account {
    let story = Story::Plain;
    let seed = story.seed();
    let places = places(&seed, &PLAIN);
    let storage = story.key("secret storage");
    let current = DecryptionKey::new(story.key("backup 3"));
    let older = DecryptionKey::new(story.key("backup 1"));
    let elsewhere = places.last().map_or("", |place| &place.room.id);
    let forge = |version, owner: &DecryptionKey, stranger: &DecryptionKey| Forge {
        seed: &seed,
        locks: seed.derive("locks", version),
        owner: owner.public_key(),
        stranger: stranger.public_key(),
        elsewhere,
    };
    let newest = current_entries(&seed, &places);
    let oldest = older_entries(&seed, &places, &newest);
    let master = story.signature(&seed, "master", &current);
    let laptop = story.signature(&seed, "device OLDLAPTOP", &older);
    let versions = BTreeMap::from([
        (1, Some(forge(1, &older, &current).version(&oldest, laptop, 9))),
        (2, None),
        (3, Some(forge(3, &current, &older).version(&newest, master, 61))),
    ]);
    Account {
        timelines: timelines(&seed, &places, &newest),
        master_key: story.master_key(&seed),
        device_keys: BTreeMap::from([("OLDLAPTOP".to_owned(), story.laptop(&seed))]),
        user_id: story.user_id().to_owned(),
        password: story.password().expose().to_owned(),
        account_data: story.account_data(&seed, &places, &storage, Some(&current)),
        rooms: places.into_iter().map(|place| place.room).collect(),
        versions,
    }
}

fn current_entries<'a>(seed: &Seeded, places: &'a [Place]) -> Vec<EntryPlan<'a>> {
    let mut entries: Vec<_> = places
        .iter()
        .flat_map(|place| (0..place.plan.keys).map(|number| entry(seed, place, number)))
        .collect();
    let mut damages: Vec<_> =
        DAMAGES.iter().flat_map(|(damage, times)| vec![*damage; *times]).collect();
    let mut random = seed.derive("damage", 0);
    damages.sort_by_cached_key(|_| array::<8>(&mut random));
    let step = entries.len() / damages.len();
    for (entry, damage) in entries.iter_mut().skip(step / 2).step_by(step).zip(damages) {
        entry.damage = Some(damage);
    }
    entries
}

/// Sessions that only the older version has, and some of the current one: mostly those that the
/// current version holds from a later message on.
fn older_entries<'a>(
    seed: &Seeded,
    places: &'a [Place],
    newest: &[EntryPlan<'a>],
) -> Vec<EntryPlan<'a>> {
    let places_of_old = places.iter().filter(|place| place.plan.older > 0);
    places_of_old
        .flat_map(|place| {
            let id = place.room.id.as_str();
            let kept = newest.iter().filter(move |entry| entry.room_id == id);
            let kept = kept.filter(|entry| match entry.index {
                0 => entry.session.is_multiple_of(80),
                _ => !entry.session.is_multiple_of(2),
            });
            let kept =
                kept.map(|entry| EntryPlan { index: 0, told_index: 0, damage: None, ..*entry });
            let gone = (0..place.plan.older).map(|number| entry(seed, place, OLDER + number));
            kept.chain(gone)
        })
        .collect()
}
