//! Hostile text from servers and files reaches no terminal: every character that is printed passes
//! `Shown`, in sentences, tables and JSON alike, and a parser of the JSON still gets the original.
//!
//! That every print passes is asserted for each run of the program, here and in all other tests;
//! `program::printed` plants what it must find.

mod anything;

use serde_json::{Value, json};

use keyhaul::{
    base::shown::Shown,
    demo::{
        account::{Account, Membership, Person, Room},
        timeline::Timeline,
    },
};

use crate::program::{Ada, Ended, Trick};

/// Colours, the clipboard, a title, C1, a bell, turned text, hidden text, a flood of marks, tags.
const HOSTILE: &str = "a\u{1b}[31m\u{1b}]52;c;QUFB\u{7}\u{1b}]0;title\u{1b}\\\u{9b}2J\u{90}q\u{9c}\r\n\t\u{8}\
    \u{202e}drawkcab\u{2066}\u{200b}\u{feff}\u{e0041}\u{e0020}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\
    \u{301}\u{301}\u{7f}\u{85}\u{2028}\u{e000}z";

fn flood() -> String {
    format!("e{}{}", "\u{301}".repeat(500), HOSTILE)
}

#[test]
fn the_text_is_hostile() {
    let stopped = HOSTILE.chars().filter(|c| !Shown::passes(*c)).count();
    assert!(stopped > 20, "{stopped}");
    // Not stopped one by one, but as a flood.
    assert!(Shown::new(&flood()).as_str().matches('\u{301}').count() <= 8);
}

/// Runs a command for people and as JSON; the checks of every print are made on the way.
fn both(ada: &Ada, args: &[String]) -> (Ended, Value) {
    let mut with_json = args.to_vec();
    with_json.push("--json".to_owned());
    let people = ada.lab.run(args);
    for text in [&people.stdout, &people.stderr] {
        assert!(!text.contains(&"\u{301}".repeat(5)), "{people}");
    }
    (people, ada.lab.run(&with_json).document())
}

/// Ada in a room whose id and name are hostile, with keys whose ids are.
fn hostile_room(account: &mut Account) -> String {
    let id = format!("!{HOSTILE}:example.org");
    let room = Room {
        id: id.clone(),
        name: Some(flood()),
        alias: None,
        people: Vec::new(),
        membership: Membership::Joined,
    };
    account.rooms.push(room);
    let version = account.versions.get_mut(&3).unwrap().as_mut().unwrap();
    let (_, json) = version.rooms.values().next().unwrap().iter().next().unwrap();
    let json = json.clone();
    version.rooms.insert(id.clone(), [(HOSTILE.to_owned(), json)].into());
    id
}

#[test]
fn room_names_and_ids() {
    let mut id = String::new();
    let ada = Ada::with(|account| id = hostile_room(account));
    let (people, document) = both(&ada, &ada.asks(&["rooms"]));
    let rooms = document["rooms"].as_array().unwrap();
    let room = rooms.iter().find(|room| room["room_id"] == id.as_str()).expect("the original id");
    assert_eq!(room["name"], Shown::limited(&flood(), 255).as_str());
    assert!(people.stdout.contains("a␛[31m␛]52;c;QUFB␇␛]0;title␛"), "{people}");

    let (_, document) = both(&ada, &ada.asks(&["sessions", &id]));
    assert_eq!(document["room_id"], id.as_str());
    assert_eq!(document["sessions"][0]["session_id"], HOSTILE);

    let (_, document) = both(&ada, &ada.opens(&["restore"]));
    let refused = document["runs"][0]["refused"].as_array().unwrap();
    let entry = refused.iter().find(|entry| entry["session_id"] == HOSTILE).expect("refused");
    assert_eq!(entry["room_id"], id.as_str());
}

#[test]
fn user_ids() {
    let user_id = "@ada\u{1b}]0;title\u{7}\u{202e}\u{9b}31m:example.org";
    let ada = Ada::with(|account| account.user_id = user_id.to_owned());
    for words in [&["backups"] as &[_], &["unlock"], &["restore"]] {
        let (_, document) = both(&ada, &ada.opens(words));
        assert!(document.get("error").is_none(), "{document:#}");
    }
    let (_, document) = both(&ada, &ada.asks(&["backups"]));
    assert_eq!(document["user_id"], user_id);
    let args: Vec<_> = ada
        .asks(&["backups"])
        .into_iter()
        .map(
            |arg| if arg.starts_with("--user") { format!("--user=@grace{HOSTILE}:x") } else { arg },
        )
        .collect();
    // A NUL cannot stand in an argument; there is none in the text.
    ada.lab.fails_untouched(&args, 13, "token-of-another");
}

#[test]
fn error_messages() {
    let ada = Ada::new();
    let said = json!({"errcode": HOSTILE, "error": flood()});
    for (status, code) in [(400, "answer-odd"), (403, "answer-odd"), (500, "server-fault")] {
        let between = ada.between(vec![("/room_keys/version", Trick::Say(status, said.clone()))]);
        let args = ada.through(&between, ada.asks(&["backups"]));
        let told = ada.lab.fails_untouched(&args, 12, code);
        assert!(told.detail.unwrap().contains("␛]52;c;QUFB␇"));
    }
    let forbidden = json!({"errcode": "M_FORBIDDEN", "error": flood()});
    let between = ada.between(vec![("POST ", Trick::Say(403, forbidden))]);
    let password = format!("--password-file={}", ada.file("password"));
    let server = format!("--homeserver={}", between.base);
    let args = ["backups", &server, "--user=ada", &password];
    ada.lab.fails(&args, 13, "password-wrong");
}

#[test]
fn version_names_and_descriptions() {
    let ada = Ada::new();
    let name = HOSTILE;
    let mut described = ada.account.version(3).unwrap().describe(3);
    described["version"] = name.into();
    described["etag"] = HOSTILE.into();
    described["auth_data"]["signatures"] =
        json!({&ada.account.user_id: {format!("ed25519:{HOSTILE}"): "AAAA"}});
    let between = ada.between(vec![("/room_keys/version", Trick::Say(200, described.clone()))]);
    let (_, document) = both(&ada, &ada.through(&between, ada.opens(&["backups"])));
    let version = &document["versions"][0];
    assert_eq!(version["version"], name);
    assert_eq!(version["etag"], HOSTILE);
    assert_eq!(version["signatures"][0]["key_id"], format!("ed25519:{HOSTILE}"));
    let (_, document) = both(&ada, &ada.through(&between, ada.opens(&["unlock"])));
    assert_eq!(document["opens_backups"][0], name);
    // Its keys are asked for under its whole name, which the server does not have.
    both(&ada, &ada.through(&between, ada.opens(&["restore"])));

    described["algorithm"] = HOSTILE.into();
    let between = ada.between(vec![("/room_keys/version", Trick::Say(200, described))]);
    let (_, document) = both(&ada, &ada.through(&between, ada.opens(&["backups"])));
    assert_eq!(document["versions"][0]["algorithm"], HOSTILE);
    let args = ada.through(&between, ada.opens(&["restore"]));
    ada.lab.fails_untouched(&args, 11, "backup-unknown-kind");
}

#[test]
fn secret_storage_ids() {
    let ada = Ada::with(|account| {
        let data = &mut account.account_data;
        let id = data["m.secret_storage.default_key"]["key"].as_str().unwrap().to_owned();
        let description = data.remove(&format!("m.secret_storage.key.{id}")).unwrap();
        data.insert(format!("m.secret_storage.key.{HOSTILE}"), description);
        data.insert("m.secret_storage.default_key".to_owned(), json!({"key": HOSTILE}));
        let secret = data["m.megolm_backup.v1"]["encrypted"][&id].clone();
        data.insert("m.megolm_backup.v1".to_owned(), json!({"encrypted": {HOSTILE: secret}}));
    });
    let (_, document) = both(&ada, &ada.opens(&["unlock"]));
    assert_eq!(document["fits"][0]["id"], HOSTILE);
    both(&ada, &ada.opens(&["restore"]));
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let (_, document) = both(&ada, &["store", "info", &secret].map(str::to_owned));
    let locks = document["locks"].as_array().unwrap();
    assert!(locks.iter().any(|lock| lock["id"] == HOSTILE), "{document:#}");
}

#[test]
fn device_ids() {
    let ada = Ada::new();
    let who = json!({"user_id": ada.account.user_id, "device_id": HOSTILE});
    let between = ada.between(vec![("/account/whoami", Trick::Say(200, who))]);
    let (_, document) = both(&ada, &ada.through(&between, ada.opens(&["backups"])));
    assert!(document.get("error").is_none(), "{document:#}");
    // A device that keyhaul cannot remove: what is said of that is safe, too.
    let [user, token] =
        [&ada.account.user_id, &std::fs::read_to_string(ada.file("token")).unwrap()];
    let login = json!({"user_id": user, "device_id": HOSTILE, "access_token": token});
    let refusal = json!({"errcode": HOSTILE, "error": HOSTILE});
    let between = ada
        .between(vec![("/login", Trick::Say(200, login)), ("/logout", Trick::Say(400, refusal))]);
    let server = format!("--homeserver={}", between.base);
    let password = format!("--password-file={}", ada.file("password"));
    let args = ["backups", &server, "--user=ada", &password].map(str::to_owned);
    let (people, _) = both(&ada, &args);
    assert!(people.stderr.contains("(device-remains"), "{people}");
}

#[test]
fn snapshot_headers() {
    let ada = Ada::new();
    let mut version = ada.account.version(3).unwrap().describe(3);
    version["version"] = HOSTILE.into();
    let header = json!({
        "keyhaul_snapshot": 1, "server": HOSTILE, "user": HOSTILE,
        "started": "2026-01-01T00:00:00Z", "version": version, "account_data": {},
    });
    let body = json!({"rooms": {HOSTILE: {"sessions": {HOSTILE: {}}}}});
    let file = ada.lab.secret("snapshot", format!("{header}\n{body}"));
    let (_, document) = both(&ada, &["snapshot", "info", &file].map(str::to_owned));
    assert_eq!(document["user_id"], HOSTILE);
    assert_eq!(document["server"], HOSTILE);
    assert_eq!(document["version"], HOSTILE);
    let snapshot = format!("--snapshot={file}");
    for words in [["backups", &snapshot], ["rooms", &snapshot]] {
        let (_, document) = both(&ada, &words.map(str::to_owned));
        assert!(document.get("error").is_none(), "{document:#}");
    }
}

/// Names of files and options come from the person, and are shown as safely.
#[test]
fn names_from_the_command_line() {
    let ada = Ada::new();
    let name = "x\u{1b}[2J\u{202e}\u{9b}31m";
    ada.lab.fails(&["snapshot", "info", name], 14, "no-snapshot");
    ada.lab.fails(&["store", "info", &format!("--secret-file={name}")], 14, "file-unreadable");
    for args in [&[name] as &[_], &["restore", "--\u{1b}[2J"], &["--demo=\u{1b}[2J"]] {
        ada.lab.run(args).exited(2);
        ada.lab.json(args, 2);
    }
    let file = ada.lab.path("home").join(name).to_str().unwrap().to_owned();
    let (_, document) = both(&ada, &ada.asks(&["snapshot", "save", "--overwrite", &file]));
    assert_eq!(document["file"], file);
}

/// The log is no terminal, but people look at it in one.
#[test]
fn log_files() {
    let mut id = String::new();
    let ada = Ada::with(|account| id = hostile_room(account));
    let log = ada.lab.path("home/log");
    let mut args = ada.opens(&["restore"]);
    args.push(format!("--log-file={}", log.to_str().unwrap()));
    ada.lab.run(&args).exited(3);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("/room_keys/keys"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || Shown::passes(c)), "{text:?}");
}

/// Ids, names and texts of a conversation.
#[test]
fn messages() {
    let hostile = |kind: &str, content: Value| {
        json!({
            "event_id": format!("${HOSTILE}{kind}"),
            "sender": format!("@{HOSTILE}:x"),
            "origin_server_ts": 1,
            "type": kind,
            "content": content,
            "unsigned": {"membership": HOSTILE},
        })
    };
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = hostile_room(account);
        let room = account.rooms.iter_mut().find(|room| room.id == id).unwrap();
        room.people = vec![Person { user_id: format!("@{HOSTILE}:x"), display_name: flood() }];
        let text = json!({"msgtype": "m.text", "body": flood()});
        let file = json!({
            "msgtype": "m.file", "body": HOSTILE, "filename": flood(), "info": {"size": u64::MAX},
        });
        let locked = json!({"algorithm": HOSTILE, "session_id": HOSTILE, "ciphertext": HOSTILE});
        let events = vec![
            hostile("m.room.message", text),
            hostile("m.sticker", file),
            hostile("m.room.encrypted", locked),
        ];
        account.timelines.insert(id.clone(), Timeline::of(events));
    });
    both(&ada, &ada.opens(&["restore"]));
    let (people, document) = both(&ada, &ada.opens(&["history", &id]));
    let events = document["events"].as_array().unwrap();
    assert_eq!(events.len(), 3, "{people}");
    assert_eq!(events[0]["body"], flood());
    assert_eq!(events[0]["sender"], format!("@{HOSTILE}:x"));
    assert_eq!(events[0]["event_id"], format!("${HOSTILE}m.room.message"));
    assert_eq!(events[2]["reason"], "algorithm");
}
