//! The four backups that real clients made, each restored by every kind of secret that belongs to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{case::Case, computer::Computer, kept_keys::Opener, text};
use crate::{
    synapse::synapse,
    unlocking::accounts::{LEGACY, LEGACY_PASSPHRASE, MODERN, PASSPHRASE, secrets},
};

async fn every_secret_restores(fixture: &str) {
    let Some(synapse) = synapse() else { return };
    let case = Case::of(synapse, serde_json::from_str(fixture).unwrap()).await;
    let opener = Opener::backup_key_of(&case.fixture);
    let mut kinds = BTreeSet::new();
    for (secret, kind, opens_storage) in secrets(&case.fixture) {
        let computer = Computer::new();
        let call = |command: &'static str| {
            let call = computer.keyhaul(&[command]);
            call.token_of(&case.there.account, case.server).secret(&secret)
        };
        let unlocked = call("unlock").succeeds();
        let word = serde_json::to_value(kind).unwrap();
        assert_eq!(unlocked["secret_is"], word, "{secret:?}");
        assert_eq!(unlocked["opens_backups"], json!([case.there.version]), "{secret:?}");
        let locks: Vec<&str> =
            unlocked["fits"].as_array().unwrap().iter().map(|fit| text(fit, "kind")).collect();
        let expected: &[&str] =
            if opens_storage { &["secret_storage", "backup"] } else { &["backup"] };
        assert_eq!(locks, expected, "{secret:?}");
        // Every form opens; of each kind one has to restore.
        if kinds.insert((word.to_string(), opens_storage)) {
            let restored = call("restore").succeeds();
            let count = case.fixture["sessions"].as_array().unwrap().len();
            assert_eq!(restored["runs"][0]["new"], count, "{secret:?}");
            case.check(&case.kept_on(&computer, &opener), |_| true);
        }
    }
    let has = |name: &str| case.fixture[name].is_string();
    // The paper, a raw key, perhaps a passphrase; and each raw key and paper of secret storage.
    let expected = 2 + usize::from(has("passphrase")) + 2 * usize::from(has("ss_key_id"));
    assert_eq!(kinds.len(), expected, "{kinds:?}");
}

#[tokio::test]
async fn modern() {
    every_secret_restores(MODERN).await;
}

#[tokio::test]
async fn passphrase() {
    every_secret_restores(PASSPHRASE).await;
}

#[tokio::test]
async fn legacy() {
    every_secret_restores(LEGACY).await;
}

#[tokio::test]
async fn legacy_passphrase() {
    every_secret_restores(LEGACY_PASSPHRASE).await;
}

/// The passphrase that is wrong by one letter is told as one that opens nothing, not as a recovery key.
#[tokio::test]
async fn passphrase_with_a_slip() {
    let Some(synapse) = synapse() else { return };
    let case = Case::of(synapse, serde_json::from_str(PASSPHRASE).unwrap()).await;
    let slip = text(&case.fixture, "passphrase").replacen('p', "b", 1);
    let call = case.computer.keyhaul(&["restore"]).token_of(&case.there.account, case.server);
    call.secret(&slip).done().fails(10, "passphrase-fits-nothing");
    assert!(case.computer.files().is_empty());
}

/// Without a server, a passphrase opens the store through the snapshot beside it.
#[tokio::test]
async fn passphrase_opens_the_store_later() {
    let Some(synapse) = synapse() else { return };
    let case = Case::of(synapse, serde_json::from_str(PASSPHRASE).unwrap()).await;
    let passphrase = text(&case.fixture, "passphrase");
    let call = case.computer.keyhaul(&["restore"]).token_of(&case.there.account, case.server);
    call.secret(passphrase).succeeds();
    let info: Value = case.computer.keyhaul(&["store", "info"]).secret(passphrase).succeeds();
    assert_eq!(info["keys"], 8);
    let kinds: Vec<_> =
        info["locks"].as_array().unwrap().iter().map(|lock| text(lock, "kind")).collect();
    assert_eq!(kinds, ["backup-key", "storage-key"]);
    let call = case.computer.keyhaul(&["store", "info"]);
    call.secret("another passphrase").done().fails(14, "store-other-lock");
}

/// A passphrase that is half remembered, on locks that a real client made, from a server that is real, too.
#[tokio::test]
async fn list_with_a_slip_in_the_passphrase() {
    let Some(synapse) = synapse() else { return };
    for (fixture, kind) in [(PASSPHRASE, "secret_storage"), (LEGACY_PASSPHRASE, "backup")] {
        let case = Case::of(synapse, serde_json::from_str(fixture).unwrap()).await;
        let passphrase = text(&case.fixture, "passphrase");
        let list = case.computer.file("list");
        std::fs::write(&list, format!("not this one\n{passphrase}1\n")).unwrap();
        let call = |more: &[&str]| {
            let call = case.computer.keyhaul(&["unlock"]).arguments(more);
            call.token_of(&case.there.account, case.server).path("--secret-list", &list)
        };
        call(&[]).done().fails(10, "list-exhausted");
        let unlocked = call(&["--vary=ending", "--yes"]).succeeds();
        let [opened] = unlocked["list"]["opened"].as_array().unwrap().as_slice() else {
            panic!("{unlocked:#}")
        };
        assert_eq!((&opened["line"], text(opened, "variation")), (&json!(2), "ending_away"));
        assert_eq!(text(opened, "kind"), kind);
        assert_eq!(unlocked["opens_backups"], json!([case.there.version]));
        assert!(case.computer.files().is_empty(), "it writes nothing");
    }
}
