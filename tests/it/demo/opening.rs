//! What the account holds: each backup opens with its own key, and fails where it is meant to.

use std::collections::{BTreeMap, BTreeSet};

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::{Metadata, RawEntry},
        recovery_key,
        version::BackupVersion,
    },
    base::secret::Secret32,
    demo::{
        account::{Expected, Membership},
        stories::Story,
    },
    megolm::{
        room_key::RoomKey,
        session_key::{SessionId, Standing},
    },
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX, KeyCheck, KeyDescription},
        secret::{BACKUP_SECRET, StoredSecret, read_key},
    },
};
use serde_json::json;

use super::account;

/// The key of backup 3 by the way a person takes: paper, secret storage, secret.
fn current_key() -> DecryptionKey {
    let data = &account().account_data;
    let paper = recovery_key::parse(Story::Plain.recovery_key().expose()).unwrap();
    let id = data[DEFAULT_KEY]["key"].as_str().unwrap();
    let description = data[&format!("{KEY_PREFIX}{id}")].to_string();
    assert_eq!(
        KeyDescription::parse(id, &description).unwrap().check(paper.expose()),
        KeyCheck::Fits
    );
    let secret = StoredSecret::parse(BACKUP_SECRET, &data[BACKUP_SECRET].to_string()).unwrap();
    DecryptionKey::new(read_key(&secret.open(id, paper.expose()).unwrap()).unwrap())
}

fn older_key() -> DecryptionKey {
    let paper = Story::Plain.old_recovery_key();
    DecryptionKey::new(recovery_key::parse(paper.expose()).unwrap())
}

/// What came of each entry, by room and session id of the map keys.
type Opened = BTreeMap<(&'static str, &'static str), Result<RoomKey, &'static str>>;

/// Opens a whole version.
fn open(number: u64, key: &DecryptionKey) -> Opened {
    let mut room = Workroom::default();
    let rooms = account().version(number).unwrap().rooms.iter();
    let entries = rooms.flat_map(|(room_id, sessions)| {
        sessions.iter().map(move |(session_id, json)| (room_id.as_str(), session_id.as_str(), json))
    });
    entries
        .map(|(room_id, session_id, json)| {
            let entry = RawEntry { room_id, session_id, json, fault: None };
            let opened = key.open(&entry, &mut room).map_err(|refusal| refusal.reason());
            ((room_id, session_id), opened)
        })
        .collect()
}

fn counted(opened: &Opened) -> Expected {
    let mut refused = BTreeMap::new();
    for reason in opened.values().filter_map(|opened| opened.as_ref().err()) {
        *refused.entry(*reason).or_default() += 1;
    }
    let openable = opened.values().filter(|opened| opened.is_ok()).count();
    Expected { entries: opened.len(), openable, refused }
}

#[test]
fn a_story_gives_the_same_account_twice() {
    let (one, two) = (account(), Story::Plain.account());
    assert_eq!(one.rooms, two.rooms);
    assert_eq!(one.account_data, two.account_data);
    for number in 1..=3 {
        let (one, two) = (one.version(number), two.version(number));
        assert_eq!(one.map(|version| &version.rooms), two.map(|version| &version.rooms));
        assert_eq!(one.map(|version| &version.auth_data), two.map(|version| &version.auth_data));
    }
}

#[test]
fn the_current_backup_opens_with_the_key_in_secret_storage() {
    let version = account().version(3).unwrap();
    let opened = open(3, &current_key());
    for ((room_id, session_id), result) in &opened {
        let damage = version.damaged.get(&((*room_id).to_owned(), (*session_id).to_owned()));
        match (result, damage) {
            (Ok(key), None) => assert_eq!(Some(key.session_id()), SessionId::parse(session_id)),
            (Err(reason), Some(damage)) => assert_eq!(*reason, damage.reason()),
            (result, damage) => {
                panic!("{room_id} {session_id}: {damage:?}, {:?}", result.as_ref().err())
            }
        }
    }
    assert_eq!(counted(&opened), version.expected());
    assert!(version.expected().entries > 5_000);
    assert_eq!(version.expected().refused.len(), 8);
    assert!((35..=45).contains(&version.damaged.len()));
}

#[test]
fn the_older_backup_reaches_further_back() {
    let (current, older) = (open(3, &current_key()), open(1, &older_key()));
    assert_eq!(counted(&older), account().version(1).unwrap().expected());
    assert!(older.values().all(Result::is_ok));
    assert!((350..=450).contains(&older.len()), "{}", older.len());
    let mut standings = BTreeMap::new();
    for (place, key) in &older {
        let newer = current.get(place).and_then(|newer| newer.as_ref().ok());
        let standing = newer.map(|newer| key.as_ref().unwrap().key.compare(&newer.key));
        *standings.entry(format!("{standing:?}")).or_insert(0) += 1;
    }
    let seen: BTreeSet<_> = standings.keys().map(String::as_str).collect();
    let better = format!("{:?}", Some(Standing::Better));
    assert_eq!(seen, BTreeSet::from(["None", "Some(Equal)", better.as_str()]));
    assert!(standings[&better] > 50, "{standings:?}");
}

#[test]
fn each_backup_is_closed_to_the_other_key() {
    let rescued = open(3, &older_key());
    let opened: BTreeSet<_> =
        rescued.iter().filter(|(_, result)| result.is_ok()).map(|(place, _)| *place).collect();
    let damaged = &account().version(3).unwrap().damaged;
    let locked: BTreeSet<_> = damaged
        .iter()
        .filter(|(_, damage)| damage.reason() == "mac")
        .map(|((room, session), _)| (room.as_str(), session.as_str()))
        .collect();
    assert_eq!(opened, locked);
    assert!(open(1, &current_key()).values().all(|result| result.as_ref().err() == Some(&"mac")));
}

#[test]
fn the_account_has_something_of_everything() {
    let account = account();
    let version = account.version(3).unwrap();
    let sizes: Vec<_> = account
        .rooms
        .iter()
        .map(|room| version.rooms.get(&room.id).map_or(0, BTreeMap::len))
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), version.count());
    assert!(sizes.iter().any(|size| *size > 1_000) && sizes.contains(&1) && sizes.contains(&0));
    let ids: BTreeSet<_> = account.rooms.iter().map(|room| &room.id).collect();
    assert_eq!(ids.len(), account.rooms.len());
    assert!(ids.iter().any(|id| id.ends_with(":example.org")));
    assert!(ids.iter().any(|id| !id.contains(':') && id.len() == 44));
    for membership in [Membership::Joined, Membership::Left, Membership::Forgotten] {
        assert!(account.rooms.iter().any(|room| room.membership == membership));
    }
    let names: Vec<_> = account.rooms.iter().filter_map(|room| room.name.as_deref()).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len() + 1, names.len(), "two rooms share a name");
    assert!(names.iter().any(|name| name.chars().count() > 120));
    let direct = account.account_data["m.direct"].as_object().unwrap();
    for id in direct.values().flat_map(|rooms| rooms.as_array().unwrap()) {
        assert_eq!(account.room(id.as_str().unwrap()).unwrap().name, None);
    }

    let opened = open(3, &current_key());
    let keys = opened.iter().filter_map(|(place, result)| Some((place, result.as_ref().ok()?)));
    let (mut partial, mut lies, mut forwarded, mut verified, mut shared) = (0, 0, 0, 0, 0);
    for ((room_id, session_id), key) in keys {
        let metadata = Metadata::parse(&version.rooms[*room_id][*session_id]);
        let real = u64::from(key.key.first_known_index());
        partial += usize::from(real > 0);
        lies += usize::from(metadata.first_message_index != Some(real));
        forwarded += usize::from(metadata.forwarded_count > Some(0) && !key.claims.direct);
        verified += usize::from(metadata.is_verified == Some(true));
        shared += usize::from(key.claims.others.iter().any(|(name, _)| name == "m.shared_history"));
    }
    for some in [partial, lies, forwarded, verified, shared] {
        assert!((10..opened.len() / 2).contains(&some), "{some}");
    }
    assert!(lies < partial);
}

#[test]
fn the_description_names_the_public_key_and_is_signed() {
    for (number, key) in [(1, older_key()), (3, current_key())] {
        let version = account().version(number).unwrap();
        let answer = BackupVersion::parse(&version.describe(number).to_string(), None).unwrap();
        assert_eq!(answer.public_key().unwrap(), key.public_key());
        assert_eq!(answer.version, number.to_string());
        assert_eq!(answer.count, Some(version.count() as u64));
        assert_eq!(
            version.auth_data["signatures"]["@ada:example.org"].as_object().unwrap().len(),
            1
        );
    }
    // The master key signs the current one; its id is its public key, so the check needs no more.
    let auth_data = &account().version(3).unwrap().auth_data;
    let (id, signature) =
        auth_data["signatures"]["@ada:example.org"].as_object().unwrap().iter().next().unwrap();
    let key = vodozemac::Ed25519PublicKey::from_base64(id.strip_prefix("ed25519:").unwrap());
    let signature = vodozemac::Ed25519Signature::from_base64(signature.as_str().unwrap()).unwrap();
    let signed = json!({ "public_key": auth_data["public_key"] }).to_string();
    key.unwrap().verify(signed.as_bytes(), &signature).unwrap();
}

#[test]
fn both_papers_are_stable() {
    let same = |text: &str, key: &Secret32| recovery_key::parse(text).unwrap().same_as(key);
    let story = Story::Plain;
    assert_eq!(Story::named("plain"), Some(story));
    assert!(same(story.old_recovery_key().expose(), older_key().secret()));
    assert_ne!(story.recovery_key().expose(), story.old_recovery_key().expose());
    assert_eq!(story.recovery_key().expose(), Story::Plain.recovery_key().expose());
}
