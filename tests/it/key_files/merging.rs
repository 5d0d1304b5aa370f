//! Keys of one session in a backup and in a file: the better one counts, and only a key that
//! disagrees is left out of the next file.

use std::{collections::BTreeMap, fs};

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::RawEntry,
        recovery_key,
    },
    base::base64,
    demo::stories::Story,
    megolm::{
        room_key::RoomKey,
        session_key::{SessionKey, Standing},
    },
};
use serde_json::{Value, json};

use super::{
    locked,
    program::{Case, WORDS},
    sessions,
};
use crate::program::{Ada, backup_key};

/// A room, a session of it, and its keys in the current backup and in the older one, which reaches
/// further back.
struct Twice {
    case: Case,
    room: String,
    current: RoomKey,
    older: RoomKey,
}

fn opened(ada: &Ada, version: u64, key: &DecryptionKey) -> BTreeMap<(String, String), RoomKey> {
    let mut workroom = Workroom::default();
    let mut keys = BTreeMap::new();
    for (room_id, sessions) in &ada.account.version(version).unwrap().rooms {
        for (session_id, json) in sessions {
            let entry = RawEntry { room_id, session_id, json, fault: None };
            if let Ok(key) = key.open(&entry, &mut workroom) {
                keys.insert((room_id.clone(), session_id.clone()), key);
            }
        }
    }
    keys
}

impl Twice {
    /// After that room was restored from the current backup.
    fn new() -> Self {
        let case = Case::of(Ada::new());
        let paper = Story::Plain.old_recovery_key();
        let old = DecryptionKey::new(recovery_key::parse(paper.expose()).unwrap());
        let mut current = opened(&case.ada, 3, &backup_key());
        let older = opened(&case.ada, 1, &old);
        let mut pairs = older.into_iter().filter_map(|(place, older)| {
            let current = current.remove(&place)?;
            (older.key.compare(&current.key) == Standing::Better).then_some((current, older))
        });
        let (current, older) = pairs.next().unwrap();
        let room = current.room_id.clone();
        case.lab().run(&case.ada.opens(&["restore", "--room", &room]));
        Self { case, room, current, older }
    }

    fn session_id(&self) -> String {
        self.current.session_id().to_string()
    }

    /// Imports one key of the session.
    fn import(&self, key: &SessionKey) -> Value {
        let mut session: Value = serde_json::from_str(&self.current.to_plaintext()).unwrap();
        session["room_id"] = self.room.as_str().into();
        session["session_key"] = key.to_base64().expose().into();
        let file = self.case.home("one.txt");
        fs::write(&file, locked(&session.to_string(), WORDS)).unwrap();
        self.case.lab().json(&self.case.args(&["import", &file]), 0)
    }

    /// Exports the room: what it said, and the session's key in the file.
    fn export(&self) -> (Value, String) {
        let file = self.case.home("out.txt");
        let told = self.case.export(&[&file, "--overwrite", "--room", &self.room], 0);
        let found = sessions(&fs::read_to_string(&file).unwrap(), WORDS).unwrap();
        assert_eq!(told["sessions"], found.len());
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        let own: Vec<_> =
            found.iter().filter(|k| k.session_id() == self.current.session_id()).collect();
        assert_eq!(own.len(), 1, "one key of each session");
        (told, own[0].key.to_base64().expose().to_owned())
    }

    fn stored(&self) -> Value {
        self.case.lab().json(&["store", "info", &self.case.secret], 0)["keys"].clone()
    }

    fn text(key: &RoomKey) -> String {
        key.key.to_base64().expose().to_owned()
    }
}

/// The worse key stays hidden in the store; it is in no doubt, so nothing is said of it.
#[test]
fn key_of_a_file_that_reaches_further_back() {
    let twice = Twice::new();
    assert_eq!(twice.export().1, Twice::text(&twice.current));
    let told = twice.import(&twice.older.key);
    assert_eq!((&told["better"], &told["new"]), (&json!(1), &json!(0)));
    let (told, key) = twice.export();
    assert_eq!(key, Twice::text(&twice.older));
    assert_eq!((&told["left_out"], &told["left_out_count"]), (&json!([]), &json!(0)));
}

#[test]
fn key_of_a_file_that_adds_nothing() {
    let twice = Twice::new();
    twice.import(&twice.older.key);
    // The same session from where the backup has it, out of another file.
    let told = twice.import(&twice.current.key);
    assert_eq!((&told["unchanged"], &told["stored_total"]), (&json!(1), &twice.stored()));
    let (told, key) = twice.export();
    assert_eq!(key, Twice::text(&twice.older));
    assert_eq!(told["left_out_count"], 0);
}

/// A file is its owner's, a backup what a server says: the file's key is the one that is handed on.
#[test]
fn key_of_a_file_that_disagrees() {
    let twice = Twice::new();
    let before = twice.stored();
    let mut bytes = twice.current.key.expose().to_vec();
    bytes[40] ^= 1;
    let other = SessionKey::from_bytes(&bytes).unwrap();
    let told = twice.import(&other);
    assert_eq!((&told["candidates"], &told["new"]), (&json!(1), &json!(0)));
    assert_eq!(told["stored_total"], before);
    let (told, key) = twice.export();
    assert_eq!(key, base64::encode(&bytes));
    let left_out = &told["left_out"];
    assert_eq!(left_out.as_array().unwrap().len(), 1);
    assert_eq!(
        [&left_out[0]["room_id"], &left_out[0]["session_id"], &left_out[0]["reason"]],
        [&json!(twice.room), &json!(twice.session_id()), &json!("candidate")]
    );
    assert_eq!(told["left_out_count"], 1);
}
