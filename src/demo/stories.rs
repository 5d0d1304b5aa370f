//! The scenarios: who the made-up person is, what rooms they have, what happened to their backups.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use vodozemac::Ed25519SecretKey;

use super::{
    account::{Account, Damage, Room},
    chats,
    forge::{EntryPlan, Forge, Sender},
    random::Seeded,
    rooms::{PLAIN, RoomPlan},
    timeline::{Script, Sessions, Timeline},
};
use crate::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{
        base64,
        random::{Random, array},
        secret::{Secret32, SecretText},
    },
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX},
        secret::{BACKUP_SECRET, MASTER_SECRET, describe, seal},
    },
};

const SERVER: &str = "example.org";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Session numbers from here on exist in the older version only.
const OLDER: u32 = 1 << 20;
/// A session number that exists in no version.
const NOWHERE: u32 = 1 << 21;
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

/// A scenario of the demo; the same on every computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Ada lost her phone. Backup 3 is current, backup 1 has another key, backup 2 was deleted.
    Plain,
}

impl Story {
    /// All stories, for a list.
    pub const ALL: [Self; 1] = [Self::Plain];

    /// The moment at which every story plays, for whoever shows times.
    pub const NOW: Timestamp = Timestamp::constant(1_795_608_000, 0);

    /// The word that chooses it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
        }
    }

    /// What happens in it, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Plain => {
                "two backups with different keys; some keys start late, some are damaged"
            }
        }
    }

    /// The story with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|story| story.name() == name)
    }

    /// The person's whole Matrix id.
    pub fn user_id(self) -> &'static str {
        match self {
            Self::Plain => "@ada:example.org",
        }
    }

    /// The person's password.
    pub fn password(self) -> SecretText {
        SecretText::new("an engine weaves patterns".to_owned())
    }

    /// The recovery key on the person's paper: the key of secret storage.
    pub fn recovery_key(self) -> SecretText {
        recovery_key::format(&self.key("secret storage"))
    }

    /// The recovery key of backup 1 on an older paper: that backup's own private key.
    pub fn old_recovery_key(self) -> SecretText {
        recovery_key::format(&self.key("backup 1"))
    }

    /// Makes the account. Takes some tenths of a second on all cores.
    pub fn account(self) -> Account {
        let Self::Plain = self;
        let seed = self.seed();
        let places = places(&seed, &PLAIN);
        let current = DecryptionKey::new(self.key("backup 3"));
        let older = DecryptionKey::new(self.key("backup 1"));
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
        let master = self.signature(&seed, "master", &current);
        let laptop = self.signature(&seed, "device OLDLAPTOP", &older);
        let versions = BTreeMap::from([
            (1, Some(forge(1, &older, &current).version(&oldest, laptop, 9))),
            (2, None),
            (3, Some(forge(3, &current, &older).version(&newest, master, 61))),
        ]);
        Account {
            timelines: timelines(&seed, &places, &newest),
            master_key: self.master_key(&seed),
            device_keys: BTreeMap::from([("OLDLAPTOP".to_owned(), self.laptop(&seed))]),
            user_id: self.user_id().to_owned(),
            password: self.password().expose().to_owned(),
            account_data: self.account_data(&seed, &places, &current),
            rooms: places.into_iter().map(|place| place.room).collect(),
            versions,
        }
    }

    fn seed(self) -> Seeded {
        Seeded::new(self.name())
    }

    fn key(self, name: &str) -> Secret32 {
        let mut random = self.seed().derive(name, 0);
        Secret32::filled_by(|bytes| random.fill(bytes))
    }

    /// The cross-signing object of the account's own key (SPEC §5.8).
    fn master_key(self, seed: &Seeded) -> Value {
        let key = signing_key(seed, "master").public_key().to_base64();
        json!({
            "user_id": self.user_id(),
            "usage": ["master"],
            "keys": { format!("ed25519:{key}"): key },
        })
    }

    fn laptop(self, seed: &Seeded) -> Value {
        let signing = signing_key(seed, "device OLDLAPTOP").public_key().to_base64();
        json!({
            "user_id": self.user_id(),
            "device_id": "OLDLAPTOP",
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": { "ed25519:OLDLAPTOP": signing },
            "unsigned": { "device_display_name": "Old laptop" },
        })
    }

    /// `auth_data` with the signature of one of the account's keys (SPEC §3.2).
    fn signature(self, seed: &Seeded, signer: &str, key: &DecryptionKey) -> Value {
        let signing = signing_key(seed, signer);
        let public_key = key.public_key().to_base64();
        let signed = json!({ "public_key": public_key }).to_string();
        let signature = signing.sign(signed.as_bytes()).to_base64();
        let id =
            signer.strip_prefix("device ").map_or(signing.public_key().to_base64(), str::to_owned);
        json!({
            "public_key": public_key,
            "signatures": { self.user_id(): { format!("ed25519:{id}"): signature } },
        })
    }

    fn account_data(
        self,
        seed: &Seeded,
        places: &[Place],
        backup: &DecryptionKey,
    ) -> BTreeMap<String, Value> {
        let mut random = seed.derive("account data", 0);
        let storage = self.key("secret storage");
        let id = random.text(LETTERS, 32);
        // Clients write the key with padding.
        let secret = format!("{}=", base64::encode(backup.secret().expose()));
        let sealed = seal(BACKUP_SECRET, storage.expose(), secret.as_bytes(), &mut random);
        let mut direct = BTreeMap::<_, Vec<_>>::new();
        for place in places {
            if let Some(person) = place.plan.direct {
                direct.entry(person).or_default().push(&place.room.id);
            }
        }
        let master = base64::encode(&*signing_key(seed, "master").to_bytes());
        let master = seal(MASTER_SECRET, storage.expose(), master.as_bytes(), &mut random);
        BTreeMap::from([
            (MASTER_SECRET.to_owned(), json!({ "encrypted": { &id: master } })),
            (DEFAULT_KEY.to_owned(), json!({ "key": id })),
            (format!("{KEY_PREFIX}{id}"), describe(storage.expose(), &mut random)),
            (BACKUP_SECRET.to_owned(), json!({ "encrypted": { id: sealed } })),
            ("m.direct".to_owned(), json!(direct)),
        ])
    }
}

/// The signing key of a signer of the story.
fn signing_key(seed: &Seeded, signer: &str) -> Ed25519SecretKey {
    Ed25519SecretKey::from_slice(&array(&mut seed.derive(signer, 0)))
}

/// A room with what only its maker knows.
struct Place {
    number: u64,
    room: Room,
    plan: &'static RoomPlan,
    others: Sender,
    own: Sender,
}

fn places(seed: &Seeded, plans: &'static [RoomPlan]) -> Vec<Place> {
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

/// The conversations, each with sessions that the backups hold as its lines need them.
fn timelines(
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

fn entry<'a>(seed: &Seeded, place: &'a Place, number: u32) -> EntryPlan<'a> {
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
