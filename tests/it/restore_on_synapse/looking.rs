//! What a look at an account tells: its backups, their rooms and keys, and what a secret opens.

use std::collections::BTreeMap;

use keyhaul::backup::version::ALGORITHM;
use serde_json::{Value, json};

use super::{
    computer::{Call, Computer},
    fixture, text,
};
use crate::synapse::{Account, FixtureAccount, Synapse, synapse};

/// Version 1 is the fixture's, with the keys of one room copied into a room that the account has
/// joined; version 2 was deleted; version 3 is empty and has another key.
struct Case {
    fixture: Value,
    account: Account,
    server: &'static str,
    joined: String,
    computer: Computer,
}

const KEY_OF_3: &str = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo";

impl Case {
    async fn new(synapse: &'static Synapse) -> Self {
        let fixture = fixture();
        let FixtureAccount { account, version } = synapse.account_of_fixture(&fixture).await;
        let joined = account.create_room("Tea party 🎈").await;
        let copied = &fixture["keys_response"]["rooms"][text(&fixture["rooms"][0], "room_id")];
        account.put_keys(&version, &json!({"rooms": {&joined: copied}})).await;
        let deleted = account.create_version(ALGORITHM, &json!({"public_key": KEY_OF_3})).await;
        let third = account.create_version(ALGORITHM, &json!({"public_key": KEY_OF_3})).await;
        account.delete_version(&deleted).await;
        assert_eq!([version, deleted, third], ["1", "2", "3"]);
        Self { fixture, account, server: synapse.base_url(), joined, computer: Computer::new() }
    }

    fn look(&self, arguments: &[&str]) -> Call<'_> {
        self.computer.keyhaul(arguments).token_of(&self.account, self.server)
    }

    fn paper(&self) -> &str {
        text(&self.fixture, "recovery_key")
    }
}

#[tokio::test]
async fn backups_names_every_version_that_exists() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let path = "/_matrix/client/v3/room_keys/version/1";
    let etag = case.account.get(path).await["etag"].clone();
    let public_key = &case.fixture["version_response"]["auth_data"]["public_key"];
    let version = |version: &str, key: &Value, count: u64, etag: &Value, stored: Option<bool>| {
        json!({
            "version": version,
            "algorithm": ALGORITHM,
            "supported": true,
            "current": version == "3",
            "public_key": key,
            "count": count,
            "etag": etag,
            // The fixture's signatures are those of another account.
            "signatures": [],
            "in_secret_storage": stored,
        })
    };
    let expected = |third: Option<bool>, first: Option<bool>| {
        json!({
            "user_id": case.account.user_id,
            "current": "3",
            "versions": [
                version("3", &KEY_OF_3.into(), 0, &"0".into(), third),
                version("1", public_key, 10, &etag, first),
            ],
            "all_found": true,
            // The test's account never made any signing keys.
            "account_key_proven": null,
        })
    };
    assert_eq!(case.look(&["backups"]).succeeds(), expected(None, None));
    let opened = case.look(&["backups"]).secret(case.paper()).succeeds();
    assert_eq!(opened, expected(Some(false), Some(true)));
    case.look(&["rooms", "--backup-version", "2"]).done().fails(11, "backup-gone-for-good");
    let call = case.look(&["restore", "--backup-version", "2"]).secret(case.paper());
    call.done().fails(11, "backup-gone-for-good");
}

#[tokio::test]
async fn an_account_without_a_backup_says_so() {
    let Some(synapse) = synapse() else { return };
    let account = synapse.register("nobody", "a password of the tests").await;
    let computer = Computer::new();
    for command in ["backups", "rooms", "unlock", "restore"] {
        let call = computer.keyhaul(&[command]).token_of(&account, synapse.base_url());
        let done = call.secret(text(&fixture(), "recovery_key")).done();
        match command {
            "unlock" => done.fails(10, "fits-nothing"),
            _ => done.fails(11, "no-backup"),
        };
    }
    assert!(!computer.data_dir().exists());
}

#[tokio::test]
async fn rooms_and_sessions_tell_what_the_entries_tell() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let in_1 = |arguments: &[&str]| case.look(arguments).arguments(&["--backup-version", "1"]);
    let mut expected: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (id, room) in case.fixture["keys_response"]["rooms"].as_object().unwrap() {
        let entries = room["sessions"].as_object().unwrap();
        let partial = entries.values().filter(|entry| entry["first_message_index"] != 0).count();
        expected.insert(id, (entries.len() as u64, partial as u64));
    }
    let copied = expected[text(&case.fixture["rooms"][0], "room_id")];
    expected.insert(&case.joined, copied);

    let check = |document: &Value, restored: &dyn Fn(u64) -> Value| {
        assert_eq!((&document["version"], &document["sessions"]), (&json!("1"), &json!(10)));
        let rooms = document["rooms"].as_array().unwrap();
        assert_eq!(rooms.len(), expected.len());
        for room in rooms {
            let id = text(room, "room_id");
            let (sessions, partial) = expected[id];
            let name = if id == case.joined { json!("Tea party 🎈") } else { Value::Null };
            assert_eq!(
                *room,
                json!({
                    "room_id": id,
                    "name": name,
                    "sessions": sessions,
                    "partial": partial,
                    "unverified": sessions,
                    "forwarded": 0,
                    "restored": restored(sessions),
                })
            );
        }
    };
    check(&in_1(&["rooms"]).succeeds(), &|_| Value::Null);
    // There is no store yet, so nobody knows of any key in it.
    check(&in_1(&["rooms"]).secret(case.paper()).succeeds(), &|_| Value::Null);
    let restored = in_1(&["restore"]).secret(case.paper()).succeeds();
    let named: Vec<_> = restored["runs"][0]["rooms"].as_array().unwrap().clone();
    let named: Vec<_> = named.iter().filter(|room| !room["name"].is_null()).collect();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (&named[0]["room_id"], &named[0]["name"]),
        (&json!(case.joined), &json!("Tea party 🎈"))
    );
    check(&in_1(&["rooms"]).succeeds(), &|_| Value::Null);
    check(&in_1(&["rooms"]).secret(case.paper()).succeeds(), &|sessions| json!(sessions));

    for room in case.fixture["rooms"].as_array().unwrap() {
        let id = text(room, "room_id");
        let listed = in_1(&["sessions", id]).secret(case.paper()).succeeds();
        assert_eq!((&listed["room_id"], &listed["version"]), (&json!(id), &json!("1")));
        let mut listed = listed["sessions"].as_array().unwrap().clone();
        listed.sort_by_key(|session| text(session, "session_id").to_owned());
        let entries = case.fixture["keys_response"]["rooms"][id]["sessions"].as_object().unwrap();
        let entries: BTreeMap<_, _> = entries.iter().collect();
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(id, entry)| {
                json!({
                    "session_id": id,
                    "first_message_index": entry["first_message_index"],
                    "is_verified": entry["is_verified"],
                    "forwarded_count": entry["forwarded_count"],
                    "restored": true,
                })
            })
            .collect();
        assert_eq!(listed, entries);
    }
    in_1(&["sessions", "!nowhere:harness.test"]).done().fails(11, "room-unknown");
}

#[tokio::test]
async fn unlock_names_every_lock_that_opens() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let storage = json!({
        "kind": "secret_storage",
        "id": case.fixture["ss_key_id"],
        "current": true,
        "proof": "mac",
    });
    let backup = json!({"kind": "backup", "id": "1", "current": false, "proof": "public_key"});
    // What else it tells is tested where several secrets are.
    let known = |mut opened: Value| {
        let members = opened.as_object_mut().unwrap();
        for more in ["secrets", "table", "closed", "way_on"] {
            assert!(members.remove(more).is_some(), "{more}");
        }
        opened
    };
    let opened = case.look(&["unlock"]).secret(case.paper()).succeeds();
    assert_eq!(
        known(opened),
        json!({
            "secret_is": "recovery_key",
            "fits": [storage, backup],
            "opens_backups": ["1"],
            "cannot_check": [],
            "left_out_seconds": null,
        })
    );
    let form = text(&case.fixture, "backup_private_key_recovery_form");
    let opened = case.look(&["unlock"]).secret(form).succeeds();
    assert_eq!(
        known(opened),
        json!({
            "secret_is": "recovery_key",
            "fits": [backup],
            "opens_backups": ["1"],
            "cannot_check": [],
            "left_out_seconds": null,
        })
    );
    assert!(!case.computer.data_dir().exists());
}
