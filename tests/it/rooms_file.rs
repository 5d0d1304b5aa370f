//! `--rooms-file`: the rooms to restore or to take along, one in a line.

use serde_json::Value;

use crate::program::Ada;

fn restored(ada: &Ada, more: &[String], input: &str) -> Value {
    let mut args = ada.opens(&["restore", "--dry-run", "--json"]);
    args.extend(more.iter().cloned());
    let ended = ada.lab.run_with_input(&args, input.as_bytes());
    serde_json::from_str(&ended.stdout).unwrap()
}

fn ids(document: &Value) -> Vec<&str> {
    let rooms = document["runs"][0]["rooms"].as_array().unwrap();
    rooms.iter().map(|room| room["room_id"].as_str().unwrap()).collect()
}

#[test]
fn rooms_come_from_a_file_or_from_standard_input() {
    let ada = Ada::new();
    let mut rooms: Vec<&str> =
        ada.account.rooms.iter().take(5).map(|room| room.id.as_str()).collect();
    rooms.sort_unstable();
    let text = format!("{}\r\n\n  {}\n", rooms[..4].join("\n"), rooms[4]);
    let file = ada.lab.path("rooms");
    std::fs::write(&file, &text).unwrap();
    let by_file = restored(&ada, &[format!("--rooms-file={}", file.display())], "");
    assert_eq!(ids(&by_file), rooms);
    let by_input = restored(&ada, &["--rooms-file=-".to_owned()], &text);
    assert_eq!(by_input["runs"][0]["rooms"], by_file["runs"][0]["rooms"]);
    // A room that is named twice is taken once.
    let both = [format!("--rooms-file={}", file.display()), format!("--room={}", rooms[0])];
    assert_eq!(ids(&restored(&ada, &both, "")), rooms);
}

/// A file that names no room is no wish for all of them, and one that is not there is told.
#[test]
fn files_without_rooms_are_told() {
    let ada = Ada::new();
    let empty = ada.lab.path("empty");
    std::fs::write(&empty, "\n \n").unwrap();
    for (file, code) in [(empty, "usage"), (ada.lab.path("nowhere"), "file-unreadable")] {
        let document = restored(&ada, &[format!("--rooms-file={}", file.display())], "");
        assert_eq!(document["error"]["code"], code, "{document}");
    }
}
