//! What people are told, so that nobody takes one thing for another (H3, H15).

use serde_json::json;

use super::small;
use crate::program::{Ada, Trick};

/// Yesterday there was backup 3; today the server says that 2 is the current one.
#[test]
fn a_backup_that_was_here_and_is_no_more_is_told() {
    let (ada, _) = small::ada();
    let words = "Backup 3, seen on ";
    let between = ada.between(Vec::new());
    for command in ["restore", "backups"] {
        let ended = ada.lab.run(&ada.through(&between, ada.opens(&[command]))).exited(0);
        assert!(!ended.stderr.contains(words), "{ended}");
    }
    let mut older = ada.account.version(3).unwrap().describe(2);
    older["count"] = json!(5);
    between.play(vec![("/room_keys/version ", Trick::Say(200, older))]);
    for command in ["backups", "unlock"] {
        let ended = ada.lab.run(&ada.through(&between, ada.opens(&[command]))).exited(0);
        assert!(ended.stderr.contains(words), "{ended}");
        let told = "does not exist on this server any more. The current one is 2.";
        assert!(ended.stderr.contains(told), "{ended}");
    }
}

/// Two rooms of one name are told apart by their ids; the others are shown by their names alone.
#[test]
fn rooms_of_one_name_are_told_apart() {
    let mut ids = Vec::new();
    let ada = Ada::with(|account| {
        let version = account.versions[&3].as_ref().unwrap();
        ids = version.rooms.keys().take(2).cloned().collect();
        for room in account.rooms.iter_mut().filter(|room| ids.contains(&room.id)) {
            room.name = Some("Bank support".to_owned());
        }
    });
    let ended = ada.lab.run(&ada.asks(&["rooms"])).exited(0);
    let rows: Vec<_> = ended.stdout.lines().filter(|row| row.contains("Bank support")).collect();
    assert_eq!(rows.len(), 2, "{ended}");
    for (id, cut) in ids.iter().map(|id| (id, &id[..5])) {
        assert!(rows.iter().any(|row| row.contains(cut)), "{id}: {ended}");
    }
    let alone = ended.stdout.lines().find(|row| row.starts_with("Family")).unwrap();
    assert!(!alone.contains('!'), "{alone}");
}
