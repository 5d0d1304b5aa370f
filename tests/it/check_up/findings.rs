//! Accounts and computers to which something happened, and what a check-up says of it.

use std::fs;

use keyhaul::{
    backup::version::ALGORITHM,
    base::base64,
    demo::account::{Account, Version},
};
use serde_json::{Value, json};

use super::{check, wrong};
use crate::program::Ada;

/// The words of all findings after something happened to Ada's account, without the damaged entries that
/// the story always has.
fn found(happen: impl FnOnce(&mut Account)) -> Vec<String> {
    let ada = Ada::with(happen);
    findings(&ada.lab.json(&ada.opens(&["doctor"]), 3))
}

/// What is wrong, and what is worth knowing although nothing is.
fn findings(document: &Value) -> Vec<String> {
    wrong(document);
    let checks = document["checks"].as_array().unwrap().iter();
    let found = checks.filter_map(|check| check["finding"].as_str()).map(str::to_owned);
    found.filter(|finding| finding != "entries-for-another-key").collect()
}

fn current(account: &mut Account) -> &mut Version {
    account.versions.get_mut(&3).unwrap().as_mut().unwrap()
}

#[test]
fn settings_that_switch_backing_up_off() {
    let set = |kind: &'static str, content: Value| {
        move |account: &mut Account| {
            account.account_data.insert(kind.to_owned(), content);
        }
    };
    let old = "m.org.matrix.custom.backup_disabled";
    assert_eq!(found(set("m.key_backup", json!({"enabled": false}))), ["switched-off"]);
    assert_eq!(found(set(old, json!({"disabled": true}))), ["switched-off"]);
    assert_eq!(found(set("m.key_backup", json!({"enabled": true}))), [""; 0]);
    assert_eq!(found(set("m.key_backup", json!({"enabled": "no"}))), [""; 0]);
    let both = |account: &mut Account| {
        set(old, json!({"disabled": true}))(account);
        set("m.key_backup", json!({"enabled": true}))(account);
    };
    assert_eq!(found(both), [""; 0], "the newer word counts");
}

#[test]
fn secret_storage_that_does_not_lead_to_the_backup() {
    let default = "m.secret_storage.default_key";
    let former = |account: &mut Account| {
        let id = account.account_data[default]["key"].as_str().unwrap().to_owned();
        let described = account.account_data[&format!("m.secret_storage.key.{id}")].clone();
        account.account_data.insert("m.secret_storage.key.newer".to_owned(), described);
        account.account_data.insert(default.to_owned(), json!({"key": "newer"}));
    };
    assert_eq!(found(former), ["key-for-former-lock"]);
    let undescribed = |account: &mut Account| {
        let id = account.account_data[default]["key"].as_str().unwrap().to_owned();
        account.account_data.remove(&format!("m.secret_storage.key.{id}"));
    };
    assert_eq!(found(undescribed), ["description-missing"]);
    let without = |account: &mut Account| {
        account.account_data.remove("m.megolm_backup.v1");
    };
    assert_eq!(found(without), ["no-key-in-storage"]);
    // A new backup whose key never came into secret storage.
    let replaced = |account: &mut Account| {
        let key = base64::encode(&[9; 32]);
        let version = Version::new(ALGORITHM, json!({"public_key": key}));
        account.versions.insert(4, Some(version));
    };
    assert_eq!(found(replaced), ["storage-of-another-backup", "unsigned"]);
}

#[test]
fn descriptions_of_a_backup_that_are_odd() {
    let unsigned = |account: &mut Account| {
        current(account).auth_data.as_object_mut().unwrap().remove("signatures");
    };
    assert_eq!(found(unsigned), ["unsigned"]);
    let twice = |account: &mut Account| {
        let key = current(account).auth_data["public_key"].as_str().unwrap().to_owned();
        current(account).auth_data["public_key"] = base64::encode(key.as_bytes()).into();
    };
    assert_eq!(found(twice), ["key-encoded-twice", "signature-broken"]);
    let malformed = |account: &mut Account| {
        current(account).auth_data["public_key"] = "nonsense".into();
    };
    let found_malformed = found(malformed);
    assert!(found_malformed.contains(&"key-malformed".to_owned()), "{found_malformed:?}");
    let unknown = |account: &mut Account| current(account).algorithm = "m.backup.v9".to_owned();
    assert!(found(unknown).contains(&"unknown-kind".to_owned()));
    let exchanged = |account: &mut Account| {
        let key = base64::encode(&[7; 32]);
        account.master_key["keys"] = json!({format!("ed25519:{key}"): key});
    };
    assert_eq!(found(exchanged), ["account-key-exchanged"]);
}

/// The looks of an earlier day tell what happened since.
#[test]
fn backups_that_came_and_went_since_the_last_visit() {
    let ada = Ada::new();
    ada.lab.run(&ada.opens(&["restore", "--no-snapshot"])).exited(3);
    let checked = |exit| ada.lab.json(&ada.opens(&["doctor", "--quiet"]), exit);
    assert_eq!(findings(&checked(3)), [""; 0]);
    ada.server.change(|account| {
        account.versions.insert(3, None);
    });
    let document = checked(3);
    let found = findings(&document);
    assert!(found.contains(&"newest-deleted".to_owned()), "{document:#}");
    assert_eq!(check(&document, "backup").1, "backup 1 again; backup 3 is gone");
    // Two more within a moment are made by apps that do not agree.
    ada.server.change(|account| {
        for (number, byte) in [(4, 8), (5, 9)] {
            let key = base64::encode(&[byte; 32]);
            let version = Version::new(ALGORITHM, json!({"public_key": key}));
            account.versions.insert(number, Some(version));
        }
    });
    let found = findings(&checked(3));
    assert!(found.contains(&"apps-fighting".to_owned()), "{found:?}");
}

#[test]
fn servers_that_do_not_answer_or_let_nobody_in() {
    let ada = Ada::new();
    let away = ["doctor", "--homeserver=http://127.0.0.1:1", "--user=@ada:example.org"];
    let token = format!("--access-token-file={}", ada.file("token"));
    let document = ada.lab.json(&[&away[..], &[&token]].concat(), 3);
    assert_eq!(wrong(&document), [("server", "server-silent")]);
    assert_eq!(document["unknown"], 12);
    ada.lab.secret("token", "syt_of_nobody");
    let document = ada.lab.json(&ada.opens(&["doctor"]), 3);
    assert_eq!(wrong(&document), [("sign_in", "token-refused")]);
    assert_eq!(check(&document, "server").0, "ok");
    // What is no matter of the server is a failure of the command.
    fs::remove_file(ada.file("token")).unwrap();
    ada.lab.fails(&ada.opens(&["doctor"]), 14, "file-unreadable");
}

/// Nothing changes, neither on the server nor here; a borrowed token stays what it was.
#[test]
fn a_check_up_only_reads() {
    let ada = Ada::new();
    let untouched = ada.lab.json(&ada.opens(&["doctor"]), 3);
    assert!(!ada.lab.data().exists());
    assert_eq!(check(&untouched, "store"), ("unknown", "no key is here yet"));
    ada.lab.run(&ada.opens(&["restore"])).exited(3);
    let before = ada.lab.kept();
    let document = ada.lab.json(&ada.opens(&["doctor"]), 3);
    before.assert_same(&ada.lab.kept());
    assert_eq!(ada.server.writes(), 0);
    assert_eq!(check(&document, "store").0, "ok");
    assert!(check(&document, "count").1.ends_with("counted in the snapshot"));
    // Without a recovery key, what needs one is not known, and nothing is wrong.
    let document = ada.lab.json(&ada.asks(&["doctor"]), 0);
    for id in ["key", "fits", "sample", "store", "signature"] {
        assert_eq!(check(&document, id).0, "unknown", "{id}");
    }
    // With another one the store stays closed.
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let document = ada.lab.json(&ada.asks(&["doctor", &old]), 3);
    assert_eq!(wrong(&document), [("fits", "key-of-another-backup")]);
    assert_eq!(check(&document, "store"), ("unknown", "closed: under another recovery key"));
}

#[test]
fn a_snapshot_is_checked_without_a_server() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    ada.lab.run(&ada.asks(&["snapshot", "save", &file])).exited(0);
    let snapshot = format!("--snapshot={file}");
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let document = ada.lab.json(&["doctor", &snapshot, &secret], 3);
    assert_eq!(wrong(&document), [("sample", "entries-for-another-key")]);
    for id in ["server", "sign_in", "backup", "switched_on", "signature", "clock"] {
        assert_eq!(check(&document, id).0, "unknown", "{id}");
    }
    for id in ["storage", "key", "secret", "fits", "count"] {
        assert_eq!(check(&document, id).0, "ok", "{id}");
    }
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let document = ada.lab.json(&["doctor", &snapshot, &secret], 3);
    assert!(wrong(&document).contains(&("count", "read-in-part")), "{document:#}");
}
