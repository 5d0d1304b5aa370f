//! The small accounts: the same few rooms, and one thing that is not as people expect it.

use std::{collections::BTreeMap, ops::Range};

use serde_json::{Value, json};

use super::{
    super::{
        account::{Account, Damage, Version},
        bulk::Bulk,
        forge::{EntryPlan, Forge},
        random::Seeded,
        rooms::{RoomPlan, SCRIPTS, SMALL},
    },
    PASSPHRASE, Story,
    person::{direct_chats, sealed_backup, stretched},
    places::{LETTERS, OLDER, Place, entry, places, timelines},
};
use crate::{
    backup::decryption::DecryptionKey,
    base::secret::Secret32,
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX},
        secret::{BACKUP_SECRET, describe},
    },
};

/// Rounds for passphrases: enough to be felt, and not more than a test has time for.
const ROUNDS: u64 = 100_000;
const SALT: &str = "Salt of the demo, 32 letters long";

pub(super) fn account(story: Story, keys: u64) -> Account {
    let seed = story.seed();
    let plans: &'static [_] = if story == Story::ManyScripts { &SCRIPTS } else { &SMALL };
    let case = Case { story, seed: &seed, places: &places(&seed, plans) };
    let storage = match story {
        Story::Passphrase => stretched(PASSPHRASE, SALT, ROUNDS),
        _ => story.key("secret storage"),
    };
    let (first, second) = (case.backup_key("backup 1"), case.backup_key("backup 2"));
    let older = case.older();
    let mut entries = case.entries();
    let stored = |backup| story.account_data(&seed, case.places, &storage, backup);
    let chats = || BTreeMap::from([("m.direct".to_owned(), direct_chats(case.places))]);
    let only = |data| {
        let version = case.version(1, &first, &second, &entries);
        (BTreeMap::from([(1, Some(version))]), data)
    };
    let (versions, account_data) = match story {
        Story::NoBackup => (BTreeMap::new(), stored(None)),
        Story::OlderKey | Story::DeletedNewest => {
            let mut versions = BTreeMap::from([
                (1, Some(case.version(1, &first, &second, &older))),
                (2, Some(case.version(2, &second, &first, &entries))),
            ]);
            if story == Story::DeletedNewest {
                versions.insert(3, None);
            }
            (versions, stored(Some(&second)))
        }
        Story::MixedKeys => {
            for entry in entries.iter_mut().skip(1).step_by(3) {
                entry.damage = Some(Damage::OtherKey);
            }
            let versions = BTreeMap::from([
                (1, Some(case.version(1, &first, &second, &older))),
                (2, Some(case.version(2, &second, &first, &entries))),
            ]);
            (versions, stored(Some(&second)))
        }
        Story::Passphrase => {
            let mut data = stored(Some(&first));
            let passphrase = json!({ "algorithm": "m.pbkdf2", "salt": SALT, "iterations": ROUNDS });
            let mut described = data.iter_mut().filter(|(kind, _)| kind.starts_with(KEY_PREFIX));
            if let Some((_, Value::Object(description))) = described.next() {
                description.insert("passphrase".to_owned(), passphrase);
            }
            only(data)
        }
        Story::SeveralKeys => only(several_keys(&case, stored(Some(&first)), &first)),
        Story::LegacyKey => only(chats()),
        Story::LegacyPassphrase => {
            let key = DecryptionKey::new(stretched(PASSPHRASE, SALT, ROUNDS));
            let mut version = case.version(1, &key, &second, &entries);
            // In the order of the names, as it is signed.
            let auth_data = json!({
                "private_key_iterations": ROUNDS,
                "private_key_salt": SALT,
                "public_key": key.public_key().to_base64(),
            });
            version.auth_data = story.signed(&seed, "device OLDLAPTOP", auth_data);
            (BTreeMap::from([(1, Some(version))]), chats())
        }
        Story::Huge => {
            let mut version = case.version(1, &first, &second, &[]);
            let rooms = case.places.iter().map(|place| (place.room.id.clone(), place.others));
            version.bulk = Some(Bulk::new(&seed, first.public_key(), rooms.collect(), keys));
            entries.clear();
            (BTreeMap::from([(1, Some(version))]), stored(Some(&first)))
        }
        _ => only(stored(Some(&first))),
    };
    Account {
        timelines: timelines(&seed, case.places, &entries),
        master_key: story.master_key(&seed),
        device_keys: BTreeMap::from([("OLDLAPTOP".to_owned(), story.laptop(&seed))]),
        user_id: story.user_id().to_owned(),
        password: story.password().expose().to_owned(),
        account_data,
        rooms: case.places.iter().map(|place| place.room.clone()).collect(),
        versions,
    }
}

struct Case<'a> {
    story: Story,
    seed: &'a Seeded,
    places: &'a [Place],
}

impl<'a> Case<'a> {
    fn backup_key(&self, name: &str) -> DecryptionKey {
        DecryptionKey::new(self.story.key(name))
    }

    /// What the rooms have in the backup of today.
    fn entries(&self) -> Vec<EntryPlan<'a>> {
        self.numbered(|plan| 0..plan.keys)
    }

    /// What only an older backup has.
    fn older(&self) -> Vec<EntryPlan<'a>> {
        self.numbered(|plan| OLDER..OLDER + plan.older)
    }

    /// The entries of all rooms that have these numbers.
    fn numbered(&self, numbers: impl Fn(&RoomPlan) -> Range<u32>) -> Vec<EntryPlan<'a>> {
        let of = |place: &'a Place| numbers(place.plan).map(move |number| (place, number));
        let all = self.places.iter().flat_map(of);
        all.map(|(place, number)| entry(self.seed, place, number)).collect()
    }

    fn version(
        &self,
        number: u64,
        owner: &DecryptionKey,
        stranger: &DecryptionKey,
        entries: &[EntryPlan<'_>],
    ) -> Version {
        let forge = Forge {
            seed: self.seed,
            locks: self.seed.derive("locks", number),
            owner: owner.public_key(),
            stranger: stranger.public_key(),
            elsewhere: self.places.last().map_or("", |place| &place.room.id),
        };
        forge.version(entries, self.story.signature(self.seed, "master", owner), 4)
    }
}

/// Two keys beside the one on the paper: a new default, under which the backup's key lies as well, and one
/// that was made and never used.
fn several_keys(
    case: &Case<'_>,
    mut data: BTreeMap<String, Value>,
    backup: &DecryptionKey,
) -> BTreeMap<String, Value> {
    let mut random = case.seed.derive("more keys", 0);
    let newest: Secret32 = case.story.key("newest secret storage");
    for (key, is_default) in [(newest, true), (case.story.key("unused secret storage"), false)] {
        let id = random.text(LETTERS, 32);
        data.insert(format!("{KEY_PREFIX}{id}"), describe(key.expose(), &mut random));
        if is_default {
            let sealed = sealed_backup(&key, backup, &mut random);
            let encrypted = data.get_mut(BACKUP_SECRET).and_then(|it| it.get_mut("encrypted"));
            if let Some(Value::Object(encrypted)) = encrypted {
                encrypted.insert(id.clone(), sealed);
            }
            data.insert(DEFAULT_KEY.to_owned(), json!({ "key": id }));
        }
    }
    data
}
