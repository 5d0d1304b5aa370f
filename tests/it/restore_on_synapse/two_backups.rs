//! Two versions with different keys, which hold partly the same sessions: what comes of them in one
//! store, whatever the order, and what a key of only one of them may do.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use keyhaul::{
    backup::{decryption::DecryptionKey, encryption::seal, version::ALGORITHM},
    base::{
        random::SystemRandom,
        secret::{Secret32, SecretText},
    },
    store::error::StoreError,
};
use serde_json::{Value, json};
use vodozemac::megolm::{
    ExportedSessionKey, GroupSession, InboundGroupSession, SessionConfig, SessionOrdering,
};

use super::{
    computer::{Call, Computer, Done},
    fixture,
    gate::{Gate, Passing},
    kept_keys::{KeptKey, Opener, keys},
    on_paper, text,
};
use crate::synapse::{FixtureAccount, Synapse, synapse};

const KEY_OF_2: u8 = 9;

/// Version 1 is the fixture's, with one session more; version 2 has a key of its own.
struct TwoBackups {
    fixture: Value,
    there: FixtureAccount,
    server: &'static str,
    /// In both, but in version 2 it reaches further back.
    further_back: InboundGroupSession,
    /// In version 2 only.
    fresh: InboundGroupSession,
    /// In both with another ratchet: the session's id, and its key in version 2.
    disagreeing: (String, String),
}

impl TwoBackups {
    async fn new(synapse: &'static Synapse) -> Self {
        let fixture = fixture();
        let there = synapse.account_of_fixture(&fixture).await;
        let account = &there.account;
        let room = text(&fixture["rooms"][0], "room_id");
        let [further_back, fresh] = [session(), session()];

        let first = DecryptionKey::new(
            Secret32::from_slice(
                &BASE64_STANDARD_NO_PAD
                    .decode(text(&fixture, "backup_private_key_base64"))
                    .unwrap(),
            )
            .unwrap(),
        );
        let at_5 = [(further_back.session_id(), export(&further_back, 5), 5)];
        account.put_keys(&there.version, &body(room, &at_5, &first)).await;

        let second = DecryptionKey::new(Secret32::take(&mut [KEY_OF_2; 32]));
        let auth_data = json!({"public_key": second.public_key().to_base64()});
        assert_eq!(account.create_version(ALGORITHM, &auth_data).await, "2");
        let of_room: Vec<_> = fixture["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|session| text(session, "room_id") == room)
            .collect();
        let [same, other] = of_room[..] else { panic!("two sessions in the fixture's first room") };
        let same = (text(same, "session_id").to_owned(), text(same, "session_key").to_owned(), 0);
        let other_ratchet = with_other_ratchet(text(other, "session_key"));
        let disagreeing = (text(other, "session_id").to_owned(), other_ratchet);
        let later_room = text(&fixture["rooms"][1], "room_id");
        let later = fixture["sessions"].as_array().unwrap();
        let later = later.iter().find(|session| text(session, "room_id") == later_room).unwrap();
        let at_7 = {
            let key = ExportedSessionKey::from_base64(text(later, "session_key")).unwrap();
            export(&InboundGroupSession::import(&key, SessionConfig::version_1()), 7)
        };
        let of_first_room = [
            same,
            (disagreeing.0.clone(), disagreeing.1.clone(), 0),
            (further_back.session_id(), export(&further_back, 0), 0),
            (fresh.session_id(), export(&fresh, 0), 0),
        ];
        account.put_keys("2", &body(room, &of_first_room, &second)).await;
        let of_later_room = [(text(later, "session_id").to_owned(), at_7, 7)];
        account.put_keys("2", &body(later_room, &of_later_room, &second)).await;

        let server = synapse.base_url();
        Self { fixture, there, server, further_back, fresh, disagreeing }
    }

    fn restore<'c>(&self, computer: &'c Computer, version: &str) -> Call<'c> {
        let call = computer.keyhaul(&["restore", "--backup-version", version]);
        call.token_of(&self.there.account, self.server)
    }

    /// Opens version 1, through secret storage.
    fn paper_of_1(&self) -> &str {
        text(&self.fixture, "recovery_key")
    }

    fn openers(&self) -> [Opener; 3] {
        [Opener::storage_key_of(&self.fixture), Opener::backup_key_of(&self.fixture), opener_of_2()]
    }

    fn open(&self, computer: &Computer, opener: &Opener) -> Result<Vec<KeptKey>, StoreError> {
        let store = opener.open(computer, &self.there.account.user_id, self.server)?;
        Ok(keys(&store))
    }

    /// Both versions merged, as DESIGN has it: nothing is ever worsened, nothing in doubt is lost.
    #[track_caller]
    fn check_merged(&self, kept: &[KeptKey]) {
        let of = |id: &str| -> Vec<_> { kept.iter().filter(|key| key.session_id == id).collect() };
        assert_eq!(kept.len(), 11);
        for session in [&self.further_back, &self.fresh] {
            let [key] = of(&session.session_id())[..] else { panic!("one key of a session") };
            assert_eq!((key.rank, key.first_known_index), (0, 0));
            assert_eq!(key.export, export(session, 0));
            assert_eq!(key.held_by.len(), 1);
            assert!(key.held_by[0].starts_with("2 "));
        }
        let [newer, older] = of(&self.disagreeing.0)[..] else {
            panic!("both candidates are kept")
        };
        assert_eq!((newer.rank, older.rank), (0, 1));
        assert_eq!(newer.export, self.disagreeing.1);
        assert_eq!(older.export, self.export_in_fixture(&self.disagreeing.0));
        assert!(newer.held_by[0].starts_with("2 ") && older.held_by[0].starts_with("1 "));
        let mut in_both = 0;
        for session in self.fixture["sessions"].as_array().unwrap() {
            let id = text(session, "session_id");
            if id == self.disagreeing.0 {
                continue;
            }
            let [key] = of(id)[..] else { panic!("one key of session {id}") };
            assert_eq!(key.export, text(session, "session_key"));
            assert!(key.held_by[0].starts_with("1 "));
            in_both += usize::from(key.held_by.len() == 2);
        }
        assert_eq!(in_both, 1);
    }

    fn export_in_fixture(&self, id: &str) -> &str {
        let mut sessions = self.fixture["sessions"].as_array().unwrap().iter();
        text(sessions.find(|session| text(session, "session_id") == id).unwrap(), "session_key")
    }
}

fn paper_of_2() -> SecretText {
    on_paper(KEY_OF_2)
}

fn opener_of_2() -> Opener {
    Opener::backup_key(Secret32::take(&mut [KEY_OF_2; 32]))
}

fn session() -> InboundGroupSession {
    let sender = GroupSession::new(SessionConfig::version_1());
    InboundGroupSession::new(&sender.session_key(), SessionConfig::version_1())
}

fn export(session: &InboundGroupSession, index: u32) -> String {
    let import =
        |key: &ExportedSessionKey| InboundGroupSession::import(key, SessionConfig::version_1());
    let mut copy = import(&session.export_at_first_known_index());
    copy.export_at(index).unwrap().to_base64()
}

/// The same session id over another ratchet, as only a forger or a broken client makes it.
fn with_other_ratchet(key: &str) -> String {
    let mut bytes = BASE64_STANDARD_NO_PAD.decode(key).unwrap();
    bytes[5..133].iter_mut().for_each(|byte| *byte ^= 0x5a);
    let other = BASE64_STANDARD_NO_PAD.encode(bytes);
    let [mut a, mut b] = [key, &other].map(|key| {
        let key = ExportedSessionKey::from_base64(key).unwrap();
        InboundGroupSession::import(&key, SessionConfig::version_1())
    });
    assert_eq!(a.session_id(), b.session_id());
    assert_eq!(a.compare(&mut b), SessionOrdering::Unconnected);
    other
}

/// The body of an upload: session ids with keys and their first indexes, sealed for a backup.
fn body(room: &str, sessions: &[(String, String, u32)], backup: &DecryptionKey) -> Value {
    let mut entries = serde_json::Map::new();
    for (id, key, index) in sessions {
        let plaintext = json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "forwarding_curve25519_key_chain": [],
            "sender_claimed_keys": {},
            "sender_key": "",
            "session_key": key,
        });
        let sealed = seal(plaintext.to_string().as_bytes(), backup.public_key(), &mut SystemRandom);
        entries.insert(
            id.clone(),
            json!({
                "first_message_index": index,
                "forwarded_count": 0,
                "is_verified": false,
                "session_data": sealed.unwrap(),
            }),
        );
    }
    json!({"rooms": {room: {"sessions": entries}}})
}

/// Of each run: entries, new, better, unchanged, candidates.
#[track_caller]
fn figures(document: &Value) -> Vec<(&str, [u64; 5])> {
    let runs = document["runs"].as_array().unwrap().iter();
    runs.map(|run| {
        assert_eq!(run["refused_count"], 0);
        let names = ["entries", "new", "better", "unchanged", "candidates"];
        (text(run, "version"), names.map(|name| run[name].as_u64().unwrap()))
    })
    .collect()
}

#[tokio::test]
async fn both_become_one_store_that_each_key_opens() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let step_by_step = Computer::new();
    let first = case.restore(&step_by_step, "1").secret(case.paper_of_1()).succeeds();
    assert_eq!(figures(&first), [("1", [9, 9, 0, 0, 0])]);
    assert!(case.open(&step_by_step, &opener_of_2()).is_err());
    let second = case.restore(&step_by_step, "2").secret(case.paper_of_1());
    let second = second.secret(paper_of_2().expose()).succeeds();
    assert_eq!(figures(&second), [("2", [5, 1, 1, 2, 1])]);
    assert_eq!(second["stored_total"], 10);

    let at_once = Computer::new();
    let both = case.restore(&at_once, "all").secret(paper_of_2().expose());
    let both = both.secret(case.paper_of_1()).succeeds();
    assert_eq!(figures(&both), [("2", [5, 5, 0, 0, 0]), ("1", [9, 5, 1, 2, 1])]);
    assert_eq!(both["stored_total"], 10);

    let merged = case.open(&step_by_step, &opener_of_2()).unwrap();
    case.check_merged(&merged);
    for computer in [&step_by_step, &at_once] {
        for opener in case.openers() {
            assert_eq!(case.open(computer, &opener).unwrap(), merged);
        }
    }

    // Nothing is new any more, with either key alone.
    let again = case.restore(&at_once, "2").secret(paper_of_2().expose()).succeeds();
    assert_eq!(figures(&again), [("2", [5, 0, 0, 5, 0])]);
    // What stays closed of all is missed.
    let again = case.restore(&step_by_step, "all").secret(case.paper_of_1()).done().ends_with(3);
    assert_eq!(figures(&again), [("1", [9, 0, 0, 9, 0])]);
    let [closed] = again["closed"].as_array().unwrap().as_slice() else { panic!("{again:#}") };
    assert_eq!((&closed["version"], &closed["count"]), (&json!("2"), &json!(5)));
    assert_eq!(closed["could_open"], json!([{"kind": "recovery_key"}]));
    assert_eq!(case.open(&step_by_step, &opener_of_2()).unwrap(), merged);
}

#[tokio::test]
async fn a_key_that_opens_the_backup_but_not_the_store_changes_nothing() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let computer = Computer::new();
    case.restore(&computer, "1").secret(case.paper_of_1()).succeeds();
    let before = computer.files();
    let stranger = || case.restore(&computer, "2").secret(paper_of_2().expose());
    let error = stranger().done().fails(14, "store-other-lock");
    let detail = text(&error, "detail");
    let public_key = text(&case.fixture["version_response"]["auth_data"], "public_key");
    assert!(detail.contains(text(&case.fixture, "ss_key_id")), "{detail}");
    assert!(detail.contains(&public_key[..12]), "{detail}");
    stranger().arguments(&["--dry-run"]).done().fails(14, "store-other-lock");
    assert_eq!(computer.files(), before);

    // Looking works all the same; what is restored is not known then.
    let rooms = computer.keyhaul(&["rooms"]).token_of(&case.there.account, case.server);
    let rooms = rooms.secret(paper_of_2().expose()).succeeds();
    assert!(rooms["rooms"].as_array().unwrap().iter().all(|room| room["restored"].is_null()));
    assert_eq!(computer.files(), before);
}

#[tokio::test]
async fn a_key_of_an_older_version_says_which_one() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let computer = Computer::new();
    let call = case.restore(&computer, "current").secret(case.paper_of_1());
    let error = call.done().fails(10, "opens-older-only");
    assert!(text(&error, "what").contains("backup 1"), "{error}");
    assert!(text(&error, "next").contains("--backup-version 1"), "{error}");
    assert!(!computer.data_dir().exists());
    let older = case.restore(&computer, "1").secret(case.paper_of_1()).succeeds();
    assert_eq!(figures(&older), [("1", [9, 9, 0, 0, 0])]);

    let before = computer.files();
    let call = case.restore(&computer, "current").secret(case.paper_of_1());
    call.done().fails(10, "opens-older-only");
    assert_eq!(computer.files(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_changes_meanwhile_does_not_keep_the_other_back() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let address = case.server.strip_prefix("http://").unwrap().parse().unwrap();
    let gate = Gate::before(address).await;
    gate.set(Passing::HoldAt("/room_keys/keys?version=2"));
    let computer = Computer::new();
    let call = computer.keyhaul(&["restore", "--backup-version", "all"]);
    let call = call.token_of(&case.there.account, &gate.base_url).secret(case.paper_of_1());
    let running = call.secret(paper_of_2().expose()).begin();
    gate.holds().await;
    let late = session();
    let room = text(&case.fixture["rooms"][0], "room_id");
    let late = [(late.session_id(), export(&late, 0), 0)];
    let second = DecryptionKey::new(Secret32::take(&mut [KEY_OF_2; 32]));
    case.there.account.put_keys("2", &body(room, &late, &second)).await;
    gate.set(Passing::All);

    let done = Done::of(running);
    assert!(done.talk().contains("backup-changed"), "{done:#?}");
    let both = done.ends_with(3);
    assert_eq!(figures(&both), [("2", [5, 5, 0, 0, 0]), ("1", [9, 5, 1, 2, 1])]);
    let rest = computer.keyhaul(&["restore"]).token_of(&case.there.account, &gate.base_url);
    let rest = rest.secret(paper_of_2().expose()).succeeds();
    assert_eq!(figures(&rest), [("2", [6, 1, 0, 5, 0])]);
}

#[tokio::test]
async fn every_secret_is_tried_on_every_lock() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let computer = Computer::new();
    let unlock = || computer.keyhaul(&["unlock"]).token_of(&case.there.account, case.server);
    let both = unlock().secret(paper_of_2().expose()).secret(case.paper_of_1()).succeeds();
    let row = |row: &Value| {
        let secrets = row["secrets"].as_array().unwrap().iter();
        let secrets: Vec<_> = secrets.map(|secret| text(secret, "as_key").to_owned()).collect();
        (text(row, "kind").to_owned(), text(row, "id").to_owned(), secrets)
    };
    let rows: Vec<_> = both["table"].as_array().unwrap().iter().map(row).collect();
    let storage = text(&case.fixture, "ss_key_id");
    let expected = [
        ("secret_storage", storage, ["no", "opens"]),
        ("backup", "2", ["opens", "no"]),
        ("backup", "1", ["no", "opens"]),
    ];
    let expected = expected.map(|(kind, id, secrets)| {
        (kind.to_owned(), id.to_owned(), secrets.map(str::to_owned).to_vec())
    });
    assert_eq!(rows, expected);
    assert_eq!(both["closed"], json!([]));
    let one = unlock().secret(case.paper_of_1()).succeeds();
    assert_eq!(one["closed"][0]["version"], "2");
    assert!(text(&one, "way_on").contains("backup 1 (9 keys)"), "{one:#}");
    assert!(!computer.data_dir().exists());
}

#[tokio::test]
async fn keys_for_another_recovery_key_come_when_that_is_at_hand() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    // Into version 1 go keys that are locked for the key of version 2.
    let other = DecryptionKey::new(Secret32::take(&mut [KEY_OF_2; 32]));
    let strays = [session(), session()];
    let sealed = strays.each_ref().map(|one| (one.session_id(), export(one, 0), 0));
    let room = text(&case.fixture["rooms"][0], "room_id");
    // A server takes keys for its newest version only.
    case.there.account.delete_version("2").await;
    case.there.account.put_keys(&case.there.version, &body(room, &sealed, &other)).await;

    let computer = Computer::new();
    let figures = |document: &Value| {
        let run = &document["runs"][0];
        let other = &run["for_another_key"];
        [&run["entries"], &run["opened"], &other["count"], &run["by_another_key"]]
            .map(|figure| figure.as_u64().unwrap())
    };
    let alone = case.restore(&computer, "1").secret(case.paper_of_1()).done().ends_with(3);
    assert_eq!(figures(&alone), [11, 9, 2, 0]);
    let rooms = &alone["runs"][0]["for_another_key"]["rooms"];
    assert_eq!(*rooms, json!([{"room_id": room, "count": 2}]));
    let both = || case.restore(&computer, "1").secret(case.paper_of_1());
    let both = || both().secret(paper_of_2().expose());
    assert_eq!(figures(&both().arguments(&["--dry-run"]).succeeds()), [11, 11, 0, 2]);
    assert_eq!(figures(&both().succeeds()), [11, 11, 0, 2]);
    let kept = case.open(&computer, &Opener::storage_key_of(&case.fixture)).unwrap();
    let public_key = other.public_key().to_base64();
    for stray in &strays {
        let id = stray.session_id();
        let [key] = kept.iter().filter(|key| key.session_id == id).collect::<Vec<_>>()[..] else {
            panic!("one key of a session")
        };
        assert_eq!(key.export, export(stray, 0));
        assert_eq!(key.held_by, [format!("1 {public_key}")]);
    }
    // Nothing but a lock proves a key so far that it opens the store.
    assert!(case.open(&computer, &opener_of_2()).is_err());
}

/// Side by side: five only in backup 1, one only in backup 2, and of four in both each has one that
/// reaches further back.
#[tokio::test]
async fn both_beside_each_other_and_beside_the_store() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let computer = Computer::new();
    let diff = |a: &str, b: &str| {
        let call = computer.keyhaul(&["diff", a, b]).token_of(&case.there.account, case.server);
        call.secret(case.paper_of_1()).secret(paper_of_2().expose()).succeeds()
    };
    let figures = |document: &Value| {
        ["only_a", "only_b", "both", "earlier_a", "earlier_b"]
            .map(|name| document["all"][name].as_u64().unwrap())
    };
    let document = diff("backup:1", "backup:current");
    assert_eq!(figures(&document), [5, 1, 4, 1, 1]);
    let sides = document["sides"].as_array().unwrap();
    assert!(sides.iter().all(|side| side["read"] == "keys" && side["whole"] == true));
    assert!(!computer.data_dir().exists());

    case.restore(&computer, "all")
        .secret(case.paper_of_1())
        .secret(paper_of_2().expose())
        .succeeds();
    // The store has the better of each key.
    assert_eq!(figures(&diff("store", "backup:1")), [1, 0, 9, 1, 0]);
    assert_eq!(figures(&diff("backup:2", "store")), [0, 5, 5, 0, 1]);
}

/// Secret storage still holds the key of backup 1, although backup 2 is current.
#[tokio::test]
async fn a_check_up_finds_the_secret_of_the_other_version() {
    let Some(synapse) = synapse() else { return };
    let case = TwoBackups::new(synapse).await;
    let computer = Computer::new();
    let call = computer.keyhaul(&["doctor"]).token_of(&case.there.account, case.server);
    let document = call.secret(case.paper_of_1()).done().ends_with(3);
    let checks = document["checks"].as_array().unwrap();
    let of = |id: &str| checks.iter().find(|check| check["id"] == id).unwrap();
    assert_eq!(of("fits")["finding"], "storage-of-another-backup", "{document:#}");
    assert!(text(of("fits"), "next").starts_with("restore backup 1."), "{document:#}");
    assert_eq!(of("signature")["finding"], "unsigned");
    let ok = ["server", "sign_in", "backup", "switched_on", "storage", "key", "secret", "count"];
    for id in ok.into_iter().chain(["sample", "clock"]) {
        assert_eq!(of(id)["mark"], "ok", "{document:#}");
    }
    assert_eq!(of("sample")["says"], "all 9");
    assert!(!computer.data_dir().exists());
}
