//! Another implementation, in another language and with another library, reads what we write and
//! writes what we read.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use keyhaul::{
    backup::{decryption::Workroom, entry::RawEntry},
    megolm::room_key::RoomKey,
};
use serde_json::{Value, json};

use crate::{
    program::{Ada, backup_key},
    synapse::python,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/key_files/key_file.py");
const WORDS: &str = "granite otter velvet – ünï 🔑";

/// Runs the script; gives what it printed.
fn run(python: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(python);
    command.arg("-I").arg(SCRIPT).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    said.stdout
}

/// Every key of the story's current backup that opens, by room and session.
fn keys(ada: &Ada) -> BTreeMap<(String, String), RoomKey> {
    let (backup, mut room) = (backup_key(), Workroom::default());
    let mut keys = BTreeMap::new();
    for (room_id, sessions) in &ada.account.version(3).unwrap().rooms {
        for (session_id, json) in sessions {
            let entry = RawEntry { room_id, session_id, json, fault: None };
            if let Ok(key) = backup.open(&entry, &mut room) {
                keys.insert((room_id.clone(), key.session_id().to_string()), key);
            }
        }
    }
    keys
}

#[test]
fn what_we_write_is_read() {
    let Some(python) = python() else { return };
    let ada = Ada::new();
    ada.lab.run(&ada.opens(&["restore"])).exited(3);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let words = ada.lab.secret("words", WORDS);
    let passphrase = format!("--passphrase-file={words}");
    let file = ada.lab.path("home/keys.txt").to_str().unwrap().to_owned();
    ada.lab.json(&["export", &file, &secret, &passphrase], 0);

    let inside = run(&python, &["read", &words, &file], b"");
    let sessions: Vec<Value> = serde_json::from_slice(&inside).unwrap();
    let mut expected = keys(&ada);
    assert_eq!(sessions.len(), expected.len());
    for session in sessions {
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        let key = expected.remove(&(text("room_id"), text("session_id"))).unwrap();
        assert_eq!(text("session_key"), key.key.to_base64().expose());
        assert_eq!(text("algorithm"), "m.megolm.v1.aes-sha2");
        let known: Value = serde_json::from_str(&key.to_plaintext()).unwrap();
        for claim in ["sender_key", "sender_claimed_keys", "forwarding_curve25519_key_chain"] {
            assert_eq!(session[claim], known[claim], "{claim}");
        }
        let shared = known["m.shared_history"] == true;
        assert_eq!(
            session.get("org.matrix.msc3061.shared_history"),
            shared.then_some(&json!(true))
        );
    }
    assert!(expected.is_empty());
}

#[test]
fn what_it_writes_we_read() {
    let Some(python) = python() else { return };
    let ada = Ada::new();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let words = ada.lab.secret("words", WORDS);
    let passphrase = format!("--passphrase-file={words}");
    let room = ada.account.version(3).unwrap().rooms.keys().next().unwrap().clone();
    ada.lab.run(&ada.opens(&["restore", "--room", &room]));
    let before = ada.lab.json(&["store", "info", &secret], 0)["keys"].as_u64().unwrap();

    let keys = keys(&ada);
    let exported = |((room_id, session_id), key): (&(String, String), &RoomKey)| {
        let mut value: Value = serde_json::from_str(&key.to_plaintext()).unwrap();
        value["room_id"] = room_id.as_str().into();
        value["session_id"] = session_id.as_str().into();
        value
    };
    let all: Vec<Value> = keys.iter().map(exported).collect();
    let json = serde_json::to_vec(&all).unwrap();
    for low in ["0", "1"] {
        let file = ada.lab.path("home").join(format!("keys-{low}.txt"));
        let file = file.to_str().unwrap();
        run(&python, &["write", &words, file, low], &json);
        let told = ada.lab.json(&["import", file, &secret, &passphrase], 0);
        let new = if low == "0" { all.len() as u64 - before } else { 0 };
        assert_eq!(told["sessions"], all.len(), "counter {low}");
        assert_eq!((&told["new"], &told["refused_count"]), (&json!(new), &json!(0)));
        assert_eq!(told["unchanged"], all.len() as u64 - new);
        assert_eq!(told["stored_total"], all.len());
    }
}
