//! Backups that are not there, cannot be read or do not open.

use keyhaul::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{base64, random::SystemRandom, secret::Secret32},
    demo::{account::Account, stories::Story},
    secret_storage::secret::{BACKUP_SECRET, seal},
};
use serde_json::json;

use crate::program::{Ada, Trick};

#[test]
fn no_backup() {
    let ada = Ada::with(|account| account.versions.clear());
    for words in [["backups"], ["rooms"], ["restore"]] {
        ada.lab.fails_untouched(&ada.opens(&words), 11, "no-backup");
    }
}

#[test]
fn version_that_does_not_exist() {
    let ada = Ada::new();
    for version in ["2", "7", "abc", "../../login"] {
        let named = format!("--backup-version={version}");
        for words in [["restore", &named], ["rooms", &named]] {
            let told = ada.lab.fails_untouched(&ada.opens(&words), 11, "backup-gone-for-good");
            assert_eq!(told.what, format!("Backup {version} does not exist any more."));
        }
    }
}

/// Where versions have no small numbers, nobody can tell which older ones exist.
#[test]
fn older_versions_that_cannot_be_found() {
    let ada = Ada::new();
    assert_eq!(ada.lab.json(&ada.asks(&["backups"]), 0)["all_found"], true);
    let mut named = ada.account.version(3).unwrap().describe(3);
    named["version"] = "opaque".into();
    let between = ada.between(vec![("/room_keys/version", Trick::Say(200, named))]);
    let args = ada.through(&between, ada.asks(&["backups"]));
    assert_eq!(ada.lab.json(&args, 0)["all_found"], false);
    let people = ada.lab.run(&args).exited(0);
    assert!(people.stdout.contains("does not tell which older backups exist"), "{people}");
}

#[test]
fn version_of_an_unknown_kind() {
    let ada = Ada::new();
    let unknown = json!({
        "algorithm": "org.example.unknown", "auth_data": {}, "version": "3", "count": 7,
        "etag": "1",
    });
    let between = ada.between(vec![("/room_keys/version", Trick::Say(200, unknown))]);
    for words in [["restore"], ["rooms"]] {
        let args = ada.through(&between, ada.opens(&words));
        let told = ada.lab.fails_untouched(&args, 11, "backup-unknown-kind");
        assert!(told.what.starts_with("Backup 3 is locked in a way"), "{}", told.what);
        assert!(told.detail.unwrap().contains("org.example.unknown"));
    }
}

#[test]
fn version_that_is_described_wrongly() {
    let ada = Ada::with(|account| change_auth_data(account, json!({"public_key": "AAAA"})));
    // Its keys themselves prove the recovery key.
    let document = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_eq!(document["runs"][0]["opened"], 5427, "{document:#}");
}

#[test]
fn key_of_the_current_backup_for_an_older_one() {
    let ada = Ada::new();
    let told = ada.lab.fails_untouched(
        &ada.opens(&["restore", "--backup-version=1"]),
        10,
        "opens-another-only",
    );
    assert_eq!(told.what, "It opens backup 3, not backup 1.");
    assert!(told.next.contains("--backup-version 3"), "{}", told.next);
}

fn change_auth_data(account: &mut Account, auth_data: serde_json::Value) {
    account.versions.get_mut(&3).unwrap().as_mut().unwrap().auth_data = auth_data;
}

#[test]
fn key_that_fits_nothing() {
    let ada = Ada::new();
    let stranger = recovery_key::format(&Secret32::take(&mut [7; 32]));
    ada.lab.secret("recovery key", stranger.expose());
    for words in [&["restore"] as &[_], &["restore", "--backup-version=all"], &["unlock"]] {
        ada.lab.fails_untouched(&ada.opens(words), 10, "fits-nothing");
    }
}

/// It would open another backup than the one that is wanted: that one is named, with the option.
#[test]
fn key_that_fits_an_older_version_only() {
    let ada = Ada::new();
    ada.lab.secret("recovery key", Story::Plain.old_recovery_key().expose());
    let told = ada.lab.fails_untouched(&ada.opens(&["restore"]), 10, "opens-older-only");
    let count = ada.account.version(1).unwrap().count();
    assert_eq!(told.what, "It opens backup 1, not the current one.");
    assert_eq!(told.safe, format!("{count} keys are within reach."));
    assert!(told.next.contains("--backup-version 1"), "{}", told.next);
}

#[test]
fn secret_storage_without_the_key() {
    let ada = Ada::with(|account| drop(account.account_data.remove(BACKUP_SECRET)));
    ada.lab.fails_untouched(&ada.opens(&["restore"]), 10, "storage-without-key");
    // That the lock opens is a result, and what is missing is said beside it.
    let ended = ada.lab.run(&ada.opens(&["unlock"])).exited(0);
    assert!(ended.stdout.contains("no key of a backup lies in it"), "{ended}");
}

#[test]
fn secret_storage_that_is_damaged() {
    for damage in ["ciphertext", "mac", "iv"] {
        let ada = Ada::with(|account| {
            let secret = &mut account.account_data.get_mut(BACKUP_SECRET).unwrap()["encrypted"];
            let parts = secret.as_object_mut().unwrap().values_mut().next().unwrap();
            let mut bytes = base64::decode(parts[damage].as_str().unwrap()).unwrap();
            bytes[0] ^= 1;
            // An iv is not covered by the MAC: what opens is no key any more.
            if damage == "iv" {
                bytes[0] ^= 0x81;
            }
            parts[damage] = base64::encode(&bytes).into();
        });
        ada.lab.fails_untouched(&ada.opens(&["restore"]), 10, "storage-damaged");
    }
}

#[test]
fn secret_storage_for_a_backup_that_is_gone() {
    let ada = Ada::with(|account| put_into_storage(account, &[9; 32]));
    let told = ada.lab.fails_untouched(&ada.opens(&["restore"]), 10, "storage-for-another");
    assert!(!told.next.contains("that is not here"), "{}", told.next);
}

/// Puts a backup's private key into secret storage, as another client would.
fn put_into_storage(account: &mut Account, key: &[u8; 32]) {
    let storage = recovery_key::parse(Story::Plain.recovery_key().expose()).unwrap();
    let id =
        account.account_data["m.secret_storage.default_key"]["key"].as_str().unwrap().to_owned();
    let text = base64::encode(key);
    let sealed = seal(BACKUP_SECRET, storage.expose(), text.as_bytes(), &mut SystemRandom);
    account.account_data.insert(BACKUP_SECRET.to_owned(), json!({"encrypted": {id: sealed}}));
}

/// A key in secret storage that opens only an older backup is like such a key on paper.
#[test]
fn secret_storage_for_an_older_backup() {
    let old = recovery_key::parse(Story::Plain.old_recovery_key().expose()).unwrap();
    assert_ne!(
        DecryptionKey::new(old.duplicate()).public_key(),
        crate::program::backup_key().public_key()
    );
    let ada = Ada::with(|account| put_into_storage(account, old.expose()));
    let told = ada.lab.fails_untouched(&ada.opens(&["restore"]), 10, "opens-older-only");
    assert!(told.what.contains("backup 1"), "{}", told.what);
}

/// A lock that is described by nonsense is left out; the others open as ever.
#[test]
fn lock_that_makes_no_sense() {
    let ada = Ada::new();
    for trick in [
        Trick::Say(200, json!({"key": "k".repeat(200_000)})),
        Trick::Body("{\"key\":"),
        Trick::Say(200, json!({"key": "k".repeat(2_000_000)})),
    ] {
        let between = ada.between(vec![("m.secret_storage.default_key", trick)]);
        let told = ada.lab.json(&ada.through(&between, ada.opens(&["unlock"])), 0);
        assert_eq!(told["opens_backups"], json!(["3"]));
    }
}

#[test]
fn room_that_has_no_keys() {
    let ada = Ada::new();
    for room in ["!nowhere:example.org", "no room at all"] {
        let told = ada.lab.fails_untouched(&ada.asks(&["sessions", room]), 11, "room-unknown");
        assert!(told.what.contains("Backup 3"), "{}", told.what);
        let args = ada.opens(&["restore", "--room", room]);
        ada.lab.fails(&args, 11, "room-unknown");
    }
}

/// Some servers deny that a room without keys exists. The others that were asked for are restored.
#[test]
fn room_that_the_server_denies() {
    let ada = Ada::new();
    let none = json!({"errcode": "M_NOT_FOUND", "error": "no such room"});
    let between = ada.between(vec![("/room_keys/keys/%21nowhere", Trick::Say(404, none))]);
    let asks = |words: &[&str]| ada.through(&between, ada.opens(words));
    ada.lab.fails(&asks(&["restore", "--room=!nowhere:example.org"]), 11, "room-unknown");
    let rooms = &ada.account.version(3).unwrap().rooms;
    let (room, keys) = rooms.iter().min_by_key(|(_, keys)| keys.len()).unwrap();
    let named = format!("--room={room}");
    let also = asks(&["restore", &named, "--room=!nowhere:example.org"]);
    let done = ada.lab.json(&also, 0);
    assert_eq!(done["runs"][0]["entries"], keys.len());
}

/// As from a snapshot, where each entry is met once.
#[test]
fn room_that_is_named_twice() {
    let ada = Ada::new();
    let rooms = &ada.account.version(3).unwrap().rooms;
    let (room, keys) = rooms.iter().min_by_key(|(_, keys)| keys.len()).unwrap();
    let named = format!("--room={room}");
    let done = ada.lab.json(&ada.opens(&["restore", &named, &named]), 0);
    assert_eq!(done["runs"][0]["entries"], keys.len());
}

/// Such names would lead to another endpoint, so nobody asks for them.
#[test]
fn names_that_no_address_can_carry() {
    let ada = Ada::new();
    for name in ["", ".", ".."] {
        ada.lab.fails_untouched(&ada.asks(&["sessions", name]), 2, "usage");
        let version = format!("--backup-version={name}");
        ada.lab.fails_untouched(&ada.opens(&["restore", &version]), 2, "usage");
    }
}

#[test]
fn empty_backup() {
    let ada = Ada::with(|account| {
        let version = account.versions.get_mut(&3).unwrap().as_mut().unwrap();
        version.rooms.clear();
    });
    let told = ada.lab.fails(&ada.opens(&["restore"]), 11, "backup-empty");
    assert!(told.next.contains("--backup-version"), "{}", told.next);
    // It does not stand in the way of an older one.
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let done = ada.lab.json(&ada.opens(&["restore", "--backup-version=all", &old]), 0);
    assert_eq!(done["stored_total"], ada.account.version(1).unwrap().count());
}
