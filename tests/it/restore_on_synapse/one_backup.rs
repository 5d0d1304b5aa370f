//! A backup that matrix-js-sdk made, restored by the keys that belong to it and by one that does not.

use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use super::{case::Case, computer::Computer, kept_keys::Opener, on_paper, text};
use crate::synapse::synapse;

/// The figures of the only run.
#[track_caller]
fn figures(document: &Value) -> [u64; 7] {
    let runs = document["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    ["entries", "opened", "new", "better", "unchanged", "candidates", "refused_count"]
        .map(|name| runs[0][name].as_u64().unwrap())
}

#[tokio::test]
async fn the_recovery_key_brings_every_key_back() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let document = case.restore().secret(case.paper()).succeeds();

    assert_eq!(figures(&document), [8, 8, 8, 0, 0, 0, 0]);
    let run = &document["runs"][0];
    assert_eq!(run["version"], case.there.version);
    let path = format!("/_matrix/client/v3/room_keys/version/{}", case.there.version);
    assert_eq!(run["etag"], case.there.account.get(&path).await["etag"]);
    assert_eq!((&run["refused"], &run["refused_file"]), (&json!([]), &Value::Null));
    let entries = case.fixture["keys_response"]["rooms"].as_object().unwrap();
    let rooms: Vec<_> = entries
        .iter()
        .map(|(id, room)| (id, room["sessions"].as_object().unwrap().len()))
        .map(|(id, entries)| {
            json!({"room_id": id, "name": null, "entries": entries, "opened": entries, "refused": 0})
        })
        .collect();
    assert_eq!(run["rooms"], json!(rooms));
    let least: usize = entries.values().map(|room| room["sessions"].to_string().len()).sum();
    assert!(run["bytes"].as_u64().unwrap() >= least as u64, "{run}");
    assert!(run["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!((&document["stored_total"], &document["dry_run"]), (&json!(8), &json!(false)));

    // Both proven secrets open the store: that of secret storage and the backup key in it.
    for opener in [Opener::storage_key_of(&case.fixture), Opener::backup_key_of(&case.fixture)] {
        case.check(&case.kept(&opener), |_| true);
    }
    for (path, (mode, _)) in case.computer.files() {
        assert_eq!(mode, 0o600, "{}", path.display());
        let folder = path.parent().unwrap().metadata().unwrap();
        assert_eq!(folder.mode() & 0o777, 0o700, "{}", path.display());
    }
}

#[tokio::test]
async fn a_second_run_finds_nothing_new() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let planned = case.restore().arguments(&["--dry-run"]).secret(case.paper()).succeeds();
    assert_eq!(figures(&planned), [8, 8, 8, 0, 0, 0, 0]);
    assert_eq!((&planned["stored_total"], &planned["dry_run"]), (&json!(0), &json!(true)));
    assert!(case.computer.files().is_empty());

    case.restore().secret(case.paper()).succeeds();
    let opener = Opener::backup_key_of(&case.fixture);
    let first = case.kept(&opener);
    let planned = case.restore().arguments(&["--dry-run"]).secret(case.paper()).succeeds();
    assert_eq!(figures(&planned), [8, 8, 0, 0, 8, 0, 0]);
    let again = case.restore().secret(case.paper()).succeeds();
    assert_eq!(figures(&again), [8, 8, 0, 0, 8, 0, 0]);
    assert_eq!(again["stored_total"], 8);
    assert_eq!(case.kept(&opener), first);
}

#[tokio::test]
async fn one_room_comes_alone() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let room = text(&case.fixture["rooms"][2], "room_id");
    let document = case.restore().arguments(&["--room", room]).secret(case.paper()).succeeds();
    assert_eq!(figures(&document), [3, 3, 3, 0, 0, 0, 0]);
    assert_eq!(document["stored_total"], 3);
    let opener = Opener::backup_key_of(&case.fixture);
    case.check(&case.kept(&opener), |id| id == room);

    let rest = case.restore().secret(case.paper()).succeeds();
    assert_eq!(figures(&rest), [8, 8, 5, 0, 3, 0, 0]);
    case.check(&case.kept(&opener), |_| true);
}

#[tokio::test]
async fn the_backup_keys_own_paper_opens_it_too() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let paper = text(&case.fixture, "backup_private_key_recovery_form");
    let document = case.restore().secret(paper).succeeds();
    assert_eq!(figures(&document), [8, 8, 8, 0, 0, 0, 0]);
    case.check(&case.kept(&Opener::backup_key_of(&case.fixture)), |_| true);
    // The key of secret storage was not given, so it has no lock yet; it gets one when it is.
    let storage = Opener::storage_key_of(&case.fixture);
    let account = &case.there.account;
    assert!(storage.open(&case.computer, &account.user_id, case.server).is_err());
    case.restore().secret(case.paper()).succeeds();
    case.check(&case.kept(&storage), |_| true);
}

#[tokio::test]
async fn a_key_that_fits_nothing_changes_nothing() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let wrong = on_paper(7);
    case.restore().secret(wrong.expose()).done().fails(10, "fits-nothing");
    assert!(case.computer.files().is_empty());
    let borrowing =
        || case.computer.keyhaul(&["restore"]).token_of(&case.there.account, case.server);
    let untouched = Computer::new();
    let call = untouched.keyhaul(&["restore"]).token_of(&case.there.account, case.server);
    call.secret(wrong.expose()).done().fails(10, "fits-nothing");
    assert!(!untouched.data_dir().exists());

    case.restore().secret(case.paper()).succeeds();
    let before = case.computer.files();
    assert!(!before.is_empty());
    case.restore().secret(wrong.expose()).done().fails(10, "fits-nothing");
    borrowing().secret(wrong.expose()).done().fails(10, "fits-nothing");
    for command in ["unlock", "rooms", "backups"] {
        let call = case.computer.keyhaul(&[command]);
        let done = call.token_of(&case.there.account, case.server).secret(wrong.expose()).done();
        match command {
            "unlock" => _ = done.fails(10, "fits-nothing"),
            _ => _ = done.ends_with(0),
        }
    }
    assert_eq!(case.computer.files(), before);
}
