//! Why messages stay closed.

use std::fs;

use keyhaul::{
    backup::{decryption::DecryptionKey, recovery_key},
    demo::{stories::Story, timeline::Timeline},
    megolm::session_key::SessionId,
    store::{folder::DataDir, reader::Reader, slots::SlotSecret},
};
use serde_json::json;

use super::{
    app::{App, event, locked},
    figures, read, restored, room, told,
};
use crate::program::{Ada, backup_key};

const BEA: &str = "@bea:example.org";

#[test]
fn every_reason_is_told() {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let twice = app.says("once");
        let mut elsewhere = App::new("!elsewhere:example.org");
        let moved = elsewhere.says("for another room");
        // The key of another room's session, put under this room: only what is inside tells.
        let entry = elsewhere.entry(backup_key().public_key(), 0);
        let version = account.versions.get_mut(&3).unwrap().as_mut().unwrap();
        let sessions = version.rooms.entry(id.clone()).or_default();
        sessions.insert(elsewhere.session_id(), entry.to_string().into());
        let mut late = App::new(&id);
        late.keep(account, 2);
        let mut forged = App::new(&id);
        let entry = forged.forged_entry(backup_key().public_key());
        forged.put(account, 3, &entry);
        let mut lost = App::new(&id);
        let mut changed = app.says("as it was");
        changed["ciphertext"] =
            twice["ciphertext"].as_str().unwrap().replacen("AwgA", "AwgB", 1).into();
        let mut olm = app.says("unknown");
        olm["algorithm"] = "m.megolm.v9".into();
        let mut odd = app.says("odd");
        odd["session_id"] = "short".into();
        let mut before = locked(11, BEA, lost.says("before"));
        before["unsigned"]["membership"] = "leave".into();
        let mut deleted = event(13, BEA, "m.room.message", json!({}));
        deleted["unsigned"]["redacted_because"] = json!({"type": "m.room.redaction"});
        let events = vec![
            locked(1, BEA, twice.clone()),
            locked(2, BEA, twice),
            locked(3, BEA, moved),
            locked(4, BEA, late.says("first")),
            locked(5, BEA, late.says("second")),
            locked(6, BEA, late.says("third")),
            locked(7, BEA, forged.says("forged")),
            locked(8, BEA, changed),
            locked(9, BEA, olm),
            locked(10, BEA, odd),
            before,
            locked(12, BEA, lost.says("lost")),
            deleted,
            locked(14, BEA, json!({})),
            event(15, BEA, "m.room.message", json!({"msgtype": "m.text", "body": "in clear"})),
        ];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let document = restored(&ada, &id, &[]);
    assert_eq!(
        told(&document),
        [
            "once",
            "replay",
            "mac",
            "starts_later",
            "starts_later",
            "third",
            "mac",
            "mac",
            "algorithm",
            "mac",
            "before_join",
            "no_key",
            "redacted",
            "redacted",
            "in clear",
        ]
    );
    assert_eq!(figures(&document), [3, 10, 2]);
    let locked: Vec<_> =
        document["events"].as_array().unwrap().iter().map(|event| &event["locked"]).collect();
    assert_eq!(locked[14], false);
    assert_eq!(locked[0], true);
    assert_eq!(ada.server.writes(), 0);

    let people = ada.lab.run(&ada.opens(&["history", &id])).exited(0).stdout;
    assert!(people.contains("x closed  its key starts later"), "{people}");
    assert!(people.ends_with("3 of the last 15 messages opened, 2 were deleted.\n"), "{people}");
}

/// Two ratchets for one session, one of them forged: the message tells which is genuine, and the store
/// remembers it.
#[test]
fn every_candidate_is_tried_and_the_right_one_is_proven() {
    let mut id = String::new();
    let mut session = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        session = app.session_id();
        let forged = app.forged_entry(backup_key().public_key());
        app.put(account, 3, &forged);
        let old = recovery_key::parse(Story::Plain.old_recovery_key().expose()).unwrap();
        let genuine = app.entry(DecryptionKey::new(old).public_key(), 0);
        app.put(account, 1, &genuine);
        let events = vec![locked(1, BEA, app.says("genuine"))];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let all = ada.opens(&["restore", "--backup-version=all", "--no-snapshot", &old]);
    ada.lab.run(&all).exited(3);
    let proven = || {
        let data_dir = DataDir::find(&ada.lab.data()).unwrap().unwrap();
        let folder = data_dir.find_account(&ada.account.user_id, ada.server.base_url());
        let key = backup_key();
        let secret =
            SlotSecret::BackupKey { secret: key.secret().expose(), public_key: key.public_key() };
        let reader = Reader::open(&folder.unwrap().unwrap(), &[secret]).unwrap();
        let keys = reader.keys_of(&id, &SessionId::parse(&session).unwrap()).unwrap();
        keys.iter().map(|key| (key.rank, key.proven)).collect::<Vec<_>>()
    };
    assert_eq!(proven(), [(0, false), (1, false)]);
    assert_eq!(told(&read(&ada, &id, &[])), ["genuine"]);
    assert_eq!(proven(), [(0, true), (1, false)]);
    assert_eq!(told(&read(&ada, &id, &[])), ["genuine"]);
}

/// A key that is in the backup, but not here yet, or in one that stays locked.
#[test]
fn keys_in_backups_are_named() {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let events = vec![locked(1, BEA, app.says("not here yet"))];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let other = ada.account.rooms.iter().find(|room| room.name.as_deref() == Some("Bakery shift"));
    let other = other.unwrap().id.clone();
    ada.lab.run(&ada.opens(&["restore", "--no-snapshot", "--room", &other]));
    assert_eq!(told(&read(&ada, &id, &[])), ["no_key"]);
    let people = ada.lab.run(&ada.opens(&["history", &id])).exited(0).stdout;
    assert!(people.contains("x closed  its key is in backup 3, not restored yet"), "{people}");
    assert_eq!(told(&restored(&ada, &id, &[])), ["not here yet"]);
}

/// Somebody pressed “reset”: the paper opens nothing on the server any more, and still what was restored.
#[test]
fn the_paper_opens_what_was_restored_after_a_reset() {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let events = vec![locked(1, BEA, app.says("before the reset"))];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let reset = |ada: &Ada| {
        ada.server.change(|account| {
            account.versions.clear();
            account.account_data.clear();
        });
    };
    assert_eq!(told(&restored(&ada, &id, &[])), ["before the reset"]);
    reset(&ada);
    assert_eq!(told(&read(&ada, &id, &[])), ["before the reset"]);
    // A paper that opens neither is told as it is.
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let document = ada.lab.json(&ada.asks(&["history", &id, &old]), 10);
    assert_eq!(document["error"]["code"], "fits-nothing");
}

/// A text is for the screen of whoever asked, and for nothing else.
#[test]
fn texts_are_left_nowhere() {
    let mut id = String::new();
    const TEXT: &str = "Kanarienvogel in the attic";
    let ada = Ada::with(|account| {
        id = room(account);
        let mut app = App::new(&id);
        app.keep(account, 0);
        let clear = json!({"msgtype": "m.text", "body": TEXT});
        let events = vec![locked(1, BEA, app.says(TEXT)), event(2, BEA, "m.room.message", clear)];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    let log = ada.lab.path("home/log");
    let log_option = format!("--log-file={}", log.to_str().unwrap());
    assert_eq!(told(&restored(&ada, &id, &[&log_option])), [TEXT, TEXT]);
    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, b"Kanarienvogel").is_some();
    assert!(holds(&[b"a ", TEXT.as_bytes()].concat()));
    assert!(!holds(&fs::read(&log).unwrap()));
    for (path, bytes) in &ada.lab.kept().entries {
        assert!(!holds(bytes.as_deref().unwrap_or_default()), "{}", path.display());
    }
}
