//! The four backups that real clients made: what each command that looks and compares says of them.

use serde_json::Value;

use super::{case::Case, computer::Call, text};
use crate::{
    synapse::synapse,
    unlocking::accounts::{LEGACY, LEGACY_PASSPHRASE, MODERN, PASSPHRASE},
};

/// The findings of a check-up, and what it proves.
fn judged(document: &Value, mark: &str) -> Vec<String> {
    let checks = document["checks"].as_array().unwrap().iter();
    let checks = checks.filter(|check| check["mark"] == mark);
    checks.map(|check| check["finding"].as_str().unwrap_or(text(check, "id")).to_owned()).collect()
}

async fn commands_say(fixture: &str, wrong: &[&str]) {
    let Some(synapse) = synapse() else { return };
    let case = Case::of(synapse, serde_json::from_str(fixture).unwrap()).await;
    let count = case.fixture["sessions"].as_array().unwrap().len();
    let version = &case.there.version;
    let call = |arguments: &[&str]| -> Call<'_> {
        let call = case.computer.keyhaul(arguments);
        call.token_of(&case.there.account, case.server).secret(case.paper())
    };

    let backup = format!("backup:{version}");
    call(&["diff", &backup, "store"]).done().fails(14, "store-empty");
    let exit = if wrong.is_empty() { 0 } else { 3 };
    let checked = call(&["doctor"]).done().ends_with(exit);
    assert_eq!(judged(&checked, "wrong"), wrong, "{checked:#}");
    let proven = judged(&checked, "ok");
    for id in ["server", "fits", "count", "sample"] {
        assert!(proven.iter().any(|known| known == id), "{id}: {checked:#}");
    }
    assert!(case.computer.files().is_empty(), "they write nothing");

    let restored = call(&["restore", "--backup-version", version]).succeeds();
    assert_eq!(restored["runs"][0]["new"], count);
    let after = call(&["diff", &backup, "store"]).succeeds();
    let rooms = after["rooms"].as_array().unwrap();
    let figures = ["only_a", "only_b", "both"]
        .map(|name| rooms.iter().map(|room| room[name].as_u64().unwrap()).sum::<u64>());
    assert_eq!(figures, [0, 0, count as u64], "{after:#}");
    let checked = call(&["doctor"]).done().ends_with(exit);
    assert!(judged(&checked, "ok").contains(&"store".to_owned()), "{checked:#}");

    let report = case.computer.file("report");
    call(&["report", report.to_str().unwrap()]).succeeds();
    let written = std::fs::read_to_string(&report).unwrap();
    let public_key = text(&case.fixture["version_response"]["auth_data"], "public_key");
    assert!(written.contains(public_key), "{written}");
    let rooms = case.fixture["keys_response"]["rooms"].as_object().unwrap();
    for id in rooms.keys().chain([&case.there.account.user_id]) {
        assert!(!written.contains(id), "{id}: {written}");
    }

    let sheet = case.computer.file("sheet");
    let document = call(&["sheet", sheet.to_str().unwrap()]).succeeds();
    assert_eq!(document["tried"], true);
    let written = std::fs::read_to_string(&sheet).unwrap();
    assert!(written.contains(&case.there.account.user_id), "{written}");
    assert!(!written.contains(&case.paper()[..9]), "{written}");
}

#[tokio::test]
async fn of_a_modern_account() {
    commands_say(MODERN, &[]).await;
}

#[tokio::test]
async fn of_an_account_with_a_passphrase() {
    commands_say(PASSPHRASE, &[]).await;
}

#[tokio::test]
async fn of_a_legacy_account() {
    commands_say(LEGACY, &[]).await;
}

#[tokio::test]
async fn of_a_legacy_account_with_a_passphrase() {
    commands_say(LEGACY_PASSPHRASE, &[]).await;
}
