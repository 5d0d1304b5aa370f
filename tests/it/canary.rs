//! No secret is left anywhere: every command is run, and everything it leaves – prints, log, store,
//! snapshots, temporary files – is searched for every secret in every form it could have.
//!
//! The runs go to an ordinary server with the story's account: `--demo` and `demo-server` show their
//! made-up recovery key on purpose. One secret has a place of its own: the access token of
//! `--keep-signed-in`, in `session.json` and nowhere else.

use std::path::Path;

use keyhaul::{
    backup::{decryption::Workroom, entry::RawEntry, recovery_key},
    base::base64,
    demo::stories::Story,
};

use crate::program::{Ada, Ended, Tree, backup_key};

pub(super) const PASSWORD: &str = "Kanarienvogel-7431-\u{e9}t\u{e9}";

/// A secret, and all byte strings that would give it away.
pub(super) struct Canary {
    name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    /// A text as it is, without its spaces, in base64 and in hex.
    pub(super) fn text(name: &'static str, text: &str) -> Self {
        let bare: String = text.split(' ').collect();
        let mut forms = bytes_in_all_forms(text.as_bytes());
        forms.extend(bytes_in_all_forms(bare.as_bytes()));
        // In JSON and in a form of the web.
        forms.push(serde_json::Value::from(text).to_string().trim_matches('"').into());
        forms.push(text.replace(' ', "%20").into());
        forms.push(text.replace(' ', "+").into());
        Self { name, forms }
    }

    /// A text as it is, and in no other form: one too short to be told from chance.
    pub(super) fn exactly(name: &'static str, text: &str) -> Self {
        Self { name, forms: vec![text.into()] }
    }

    /// A key as bytes, in base64 and in hex.
    fn key(name: &'static str, key: &[u8]) -> Self {
        Self { name, forms: bytes_in_all_forms(key) }
    }
}

/// As raw bytes, in hex, and in base64 wherever it begins within three bytes. A part of each is
/// enough: the middle, so that what stands beside it does not matter.
fn bytes_in_all_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let part = &bytes[..bytes.len().min(32)];
    let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![part.to_vec(), hex.to_uppercase().into(), hex.into()];
    for shift in 0..3 {
        let encoded = base64::encode(&[&vec![0; shift], part].concat());
        let middle = &encoded[4..encoded.len() - 4];
        forms.push(middle.into());
        forms.push(middle.replace('+', "-").replace('/', "_").into());
    }
    forms
}

/// The names of the secrets that are in these bytes.
pub(super) fn found(canaries: &[Canary], bytes: &[u8]) -> Vec<&'static str> {
    let holds = |form: &Vec<u8>| memchr::memmem::find(bytes, form).is_some();
    canaries.iter().filter(|canary| canary.forms.iter().any(holds)).map(|c| c.name).collect()
}

/// Every secret of Ada's.
pub(super) fn canaries(ada: &Ada) -> Vec<Canary> {
    let storage = recovery_key::parse(Story::Plain.recovery_key().expose()).unwrap();
    let old = recovery_key::parse(Story::Plain.old_recovery_key().expose()).unwrap();
    let token = std::fs::read_to_string(ada.file("token")).unwrap();
    let backup = backup_key();
    let version = ada.account.version(3).unwrap();
    let (room_id, sessions) = version.rooms.iter().find(|(_, s)| s.len() > 3).unwrap();
    let mut canaries = vec![
        Canary::text("password", PASSWORD),
        Canary::text("access token", &token),
        Canary::text("recovery key", Story::Plain.recovery_key().expose()),
        Canary::text("old recovery key", Story::Plain.old_recovery_key().expose()),
        Canary::key("key of secret storage", storage.expose()),
        Canary::key("key of backup 1", old.expose()),
        Canary::key("key of backup 3", backup.secret().expose()),
    ];
    for (session_id, json) in sessions.iter().take(3) {
        let entry = RawEntry { room_id, session_id, json, fault: None };
        let Ok(key) = backup.open(&entry, &mut Workroom::default()) else { continue };
        // Version, index and then the ratchet: that is what opens messages.
        canaries.push(Canary::key("ratchet of a session", &key.key.expose()[5..133]));
    }
    assert!(canaries.len() > 8);
    canaries
}

/// Searches all that is there: what was printed, and every file but the ones with secrets in them.
#[track_caller]
fn assert_clean(canaries: &[Canary], ada: &Ada, ended: &Ended) {
    for printed in [&ended.stdout, &ended.stderr] {
        assert_eq!(found(canaries, printed.as_bytes()), Vec::<&str>::new(), "{ended}");
    }
    for place in ["data", "home", "tmp"] {
        let tree = Tree::of(&ada.lab.path(place));
        for (path, bytes) in &tree.entries {
            let names = found(canaries, bytes.as_deref().unwrap_or_default());
            assert_eq!(names, Vec::<&str>::new(), "{place}/{} after {ended}", path.display());
            let name = path.to_string_lossy();
            assert_eq!(found(canaries, name.as_bytes()), Vec::<&str>::new(), "{name}");
        }
    }
}

fn ada() -> Ada {
    Ada::with(|account| account.password = PASSWORD.to_owned())
}

#[test]
fn the_search_finds_what_is_planted() {
    let ada = ada();
    let canaries = canaries(&ada);
    let key = recovery_key::parse(Story::Plain.recovery_key().expose()).unwrap();
    let text = Story::Plain.recovery_key().expose().to_owned();
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    for planted in [
        text.clone().into_bytes(),
        text.replace(' ', "").into_bytes(),
        [b"before ", key.expose().as_slice(), b" after"].concat(),
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        format!("{{\"key\":\"{}\"}}", base64::encode(key.expose())).into_bytes(),
        base64::encode(&[b"x", key.expose().as_slice(), b"yz"].concat()).into_bytes(),
        base64::encode(&[b"xy", key.expose().as_slice()].concat()).into_bytes(),
    ] {
        assert!(!found(&canaries, &planted).is_empty(), "{:?}", String::from_utf8_lossy(&planted));
    }
    assert_eq!(found(&canaries, b"Backup 3: 5 392 keys in 39 rooms."), Vec::<&str>::new());

    // In a file deep down in the data directory.
    let folder = ada.lab.data().join("a/b");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("left over"), key.expose()).unwrap();
    let ended = ada.lab.run(&["--version"]).exited(0);
    let search = std::panic::AssertUnwindSafe(|| assert_clean(&canaries, &ada, &ended));
    assert!(std::panic::catch_unwind(search).is_err());
}

#[test]
fn no_command_leaves_a_secret() {
    let ada = ada();
    let mut canaries = canaries(&ada);
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    let log = format!("--log-file={}", ada.lab.path("home/log").to_str().unwrap());
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let room = ada.account.version(3).unwrap().rooms.keys().next().unwrap().clone();
    let mut rooms = ada.account.rooms.iter();
    let family = rooms.find(|room| room.name.as_deref() == Some("Family")).unwrap().id.clone();
    let [server, user] = [ada.server.base_url(), &ada.account.user_id];
    let signing_in: Vec<String> = [
        format!("--homeserver={server}"),
        format!("--user={user}"),
        format!("--password-file={}", ada.file("password")),
    ]
    .into();
    let kept = |words: &[&str]| -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).chain(signing_in[..2].iter().cloned()).collect()
    };
    let password = |words: &[&str]| -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).chain(signing_in.iter().cloned()).collect()
    };
    let snapshot = format!("--snapshot={file}");
    let words = "granite Kanarienvogel velvet";
    let passphrase = format!("--passphrase-file={}", ada.lab.secret("passphrase", words));
    canaries.push(Canary::text("passphrase of a key file", words));
    let [report, sheet] = ["report.txt", "sheet.txt"]
        .map(|name| ada.lab.path(&format!("home/{name}")).to_str().unwrap().to_owned());
    let keys = ada.lab.path("home/keys.txt").to_str().unwrap().to_owned();
    let raw = ada.lab.secret("raw key", base64::encode(backup_key().secret().expose()));
    let raw = format!("--secret-file={raw}");
    // A paper that was copied with a slip is as good as the right one.
    let mut slipped = Story::Plain.recovery_key().expose().to_owned();
    slipped.remove(31);
    canaries.push(Canary::text("recovery key with a slip", &slipped));
    let slipped = format!("--secret-file={}", ada.lab.secret("slipped", &slipped));
    for (args, exit) in [
        (ada.asks(&["repair", &slipped]), 0),
        (ada.opens(&["backups"]), 0),
        (ada.opens(&["rooms"]), 0),
        (ada.opens(&["sessions", &room]), 0),
        (ada.opens(&["unlock"]), 0),
        (ada.opens(&["restore", "--dry-run"]), 3),
        (ada.opens(&["restore", "--room", &room]), 0),
        (ada.opens(&["restore"]), 3),
        (ada.opens(&["restore", "--backup-version=all", &old]), 3),
        (ada.opens(&["history", &family]), 0),
        (ada.asks(&["restore", &old]), 10),
        (ada.opens(&["doctor"]), 3),
        (ada.opens(&["diff", "backup:3", "backup:1", &old]), 0),
        (ada.opens(&["diff", "backup:3", "store"]), 0),
        (ada.opens(&["report", &report, "--with-ids"]), 0),
        (ada.opens(&["sheet", &sheet]), 0),
        (ada.asks(&["snapshot", "save", &file]), 0),
        (["snapshot", "info", &file].map(str::to_owned).into(), 0),
        (["restore", &snapshot, &secret].map(str::to_owned).into(), 3),
        (["store", "info", &secret].map(str::to_owned).into(), 0),
        (["store", "check", &secret].map(str::to_owned).into(), 0),
        (password(&["backups", &secret]), 0),
        (ada.asks(&["unlock", &raw]), 0),
        (["export", &keys, &secret, &passphrase].map(str::to_owned).into(), 0),
        (["import", &keys, &raw, &passphrase].map(str::to_owned).into(), 0),
        (["import", &keys, &snapshot, &secret, &passphrase].map(str::to_owned).into(), 0),
        (["snapshot", "prune", &file].map(str::to_owned).into(), 0),
    ] {
        for json in [None, Some("--json")] {
            let mut args = args.clone();
            args.push(log.clone());
            args.extend(json.map(str::to_owned));
            let writes = ["snapshot", "export", "report", "sheet"].contains(&args[0].as_str());
            if json.is_some() && writes {
                args.push("--overwrite".to_owned());
            }
            let exit = if args.contains(&"--room".to_owned()) { None } else { Some(exit) };
            let ended = ada.lab.run(&args);
            assert!(exit.is_none_or(|exit| exit == ended.exit), "{ended}");
            assert_clean(&canaries, &ada, &ended);
        }
    }

    // The one exception, and for how long it stands.
    let ended = ada.lab.run(&password(&["backups", "--keep-signed-in", &log])).exited(0);
    assert_clean(&canaries, &ada, &ended);
    let (place, token) = kept_token(&ada);
    canaries.push(Canary::text("kept token", &token));
    let file = std::fs::read(&place).unwrap();
    assert_eq!(found(&canaries, &file), ["kept token"]);
    for args in [kept(&["restore", &secret, &log]), kept(&["sign-out", &log])] {
        let ended = ada.lab.run(&args);
        assert!(ended.exit == 3 || ended.exit == 0, "{ended}");
        let away = std::fs::rename(&place, ada.lab.path("secrets/session")).is_ok();
        assert_clean(&canaries, &ada, &ended);
        if away {
            std::fs::rename(ada.lab.path("secrets/session"), &place).unwrap();
        }
    }
    assert!(!place.exists());
}

fn kept_token(ada: &Ada) -> (std::path::PathBuf, String) {
    let tree = ada.lab.kept();
    let path = ada.lab.data().join(tree.named("session.json").next().unwrap());
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    (path, json["access_token"].as_str().unwrap().to_owned())
}

/// A reader of the database keeps its log alive, which is searched like all other files.
#[test]
fn the_log_of_the_database_holds_no_secret() {
    let ada = ada();
    let canaries = canaries(&ada);
    let room = ada.account.version(3).unwrap().rooms.keys().next().unwrap().clone();
    ada.lab.run(&ada.opens(&["restore", "--room", &room]));
    let tree = ada.lab.kept();
    let store = ada.lab.data().join(tree.named("store.sqlite3").next().unwrap());
    let database = rusqlite::Connection::open(&store).unwrap();
    database.execute_batch("BEGIN").unwrap();
    let _: i64 = database.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
    let ended = ada.lab.run(&ada.opens(&["restore"])).exited(3);
    let log = ada.lab.kept().named("-wal").map(Path::to_owned).next().unwrap();
    assert!(std::fs::metadata(ada.lab.data().join(log)).unwrap().len() > 100_000);
    assert_clean(&canaries, &ada, &ended);
}

#[test]
fn failures_leave_no_secret() {
    let ada = ada();
    let mut canaries = canaries(&ada);
    let typed = "EsTw 1111 Kanarienvogel";
    ada.lab.secret("recovery key", typed);
    canaries.push(Canary::text("what was typed", typed));
    let ended = ada.lab.run(&ada.opens(&["restore", "--json"])).exited(10);
    assert_clean(&canaries, &ada, &ended);
    ada.lab.secret("token", "syt_Kanarienvogel_dead_token_value");
    canaries.push(Canary::text("dead token", "syt_Kanarienvogel_dead_token_value"));
    let ended = ada.lab.run(&ada.asks(&["backups", "--json"])).exited(13);
    assert_clean(&canaries, &ada, &ended);
}

/// Under a umask that forbids nothing, whatever keyhaul makes is its owner's alone.
#[test]
fn files_are_private_whatever_the_umask() {
    let ada = ada();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    let log = format!("--log-file={}", ada.lab.path("home/log").to_str().unwrap());
    let before = Tree::of(&ada.lab.path("home"));
    for args in [ada.opens(&["restore", &log]), ada.asks(&["snapshot", "save", &file])] {
        let ended = ada.lab.run_without_umask(&args);
        assert!([0, 3].contains(&ended.exit), "{ended}");
    }
    let password = format!("--password-file={}", ada.file("password"));
    let [server, user] = [ada.server.base_url(), &ada.account.user_id];
    let keep = ["backups", "--keep-signed-in", "--homeserver", server, "--user", user, &password];
    ada.lab.run_without_umask(&keep).exited(0);
    let mut files = 0;
    for (place, tree) in [("data", ada.lab.kept()), ("home", Tree::of(&ada.lab.path("home")))] {
        for (path, mode) in &tree.modes {
            let is_folder = tree.entries[path].is_none();
            if place == "home" && before.entries.contains_key(path) {
                continue;
            }
            let private = if is_folder { 0o700 } else { 0o600 };
            assert_eq!(*mode, private, "{place}/{}: {mode:o}", path.display());
            files += usize::from(!is_folder);
        }
    }
    // Store, lock, looks, names, logins, session and snapshot; the snapshot and the log at home.
    assert_eq!(files, 9);
}
