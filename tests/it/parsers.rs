//! Nothing that reads what a server or a file says panics, whatever it says.

use std::{
    io::{Cursor, Write},
    panic,
};

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::{Metadata, RawEntry, Sealed},
        recovery_key,
        scanner::{Scanner, Shape},
        signatures::{Identity, signatures},
        version::BackupVersion,
    },
    base::{
        base64,
        secret::{Secret32, SecretBytes, SecretText},
        shown::Shown,
    },
    key_file::{
        crypt::{FileKeys, Head},
        portable::Portable,
        reading,
        writing::KeyFile,
    },
    megolm::{
        room_key::RoomKey,
        session_key::{SessionId, SessionKey},
    },
    secret_storage::{
        key::KeyDescription,
        raw_key,
        secret::{self, StoredSecret},
    },
    snapshot::reader::Snapshot,
};
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::chance::{Counting, cases};

fn file_keys(head: &Head) -> FileKeys {
    head.keys(&SecretText::new("passphrase".to_owned()), &mut |_| true).unwrap()
}

const ROOM: &str = "!r:x";
const SESSION: &str = "ipdI6Zs/7DzFTEhiA2iGaMDfHkIYCleqXT6L+5e1/co";

fn key() -> Secret32 {
    Secret32::take(&mut [7; 32])
}

/// A parser, with its name.
type Parser = (&'static str, fn(&[u8]));

/// Everything that reads what a server or a file says.
const PARSERS: [Parser; 18] = [
    ("base64", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = (base64::decode(&text), base64::decode_exact::<32>(&text));
    }),
    ("recovery key", |bytes| drop(recovery_key::parse(&String::from_utf8_lossy(bytes)))),
    ("sealed parts", |bytes| drop(Sealed::parse(bytes))),
    ("metadata", |bytes| drop(Box::new(Metadata::parse(bytes)))),
    ("entry", |json| {
        let entry = RawEntry { room_id: ROOM, session_id: SESSION, json, fault: None };
        let _ = DecryptionKey::new(key()).open(&entry, &mut Workroom::default());
    }),
    ("version", |bytes| {
        if let Ok(version) = BackupVersion::parse(&String::from_utf8_lossy(bytes), Some("1")) {
            let _ = (version.public_key(), version.to_json(), version.passphrase());
            let identity = Identity::default();
            let _ = signatures(&version, "@a:x", Some(&identity));
        }
    }),
    ("identity", |bytes| {
        if let Ok(answer) = serde_json::from_slice(bytes) {
            let _ = Identity::parse("@a:x", &answer);
        }
    }),
    ("raw key", |bytes| drop(raw_key::parse(&String::from_utf8_lossy(bytes)))),
    ("exported room key", |bytes| {
        if let Ok(key) = RoomKey::parse_exported(bytes) {
            let _ = Portable::of(&key);
        }
    }),
    ("key file", |bytes| {
        let _ = reading::head(bytes);
        let head = Head::fresh(1, &mut Counting(1));
        let keys = file_keys(&head);
        let _ = reading::check(bytes, &head, &keys, &|| false);
        let armored = [b"-----BEGIN MEGOLM SESSION DATA-----\n".as_slice(), bytes].concat();
        let _ = reading::check(armored.as_slice(), &head, &keys, &|| false);
    }),
    ("what is in a key file", |bytes| {
        let head = Head::fresh(1, &mut Counting(1));
        let keys = file_keys(&head);
        let json = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        let mut file = KeyFile::new(Vec::new(), &head, &keys).unwrap();
        file.add(&Portable { json, dropped: Vec::new() }).unwrap();
        let file = file.finish().unwrap();
        let (mut checked, _) = reading::check(file.as_slice(), &head, &keys, &|| false).unwrap();
        let _ = checked.look_through(Cursor::new(file.as_slice()), &head, &keys, &|| false);
        let _ = checked.sessions(file.as_slice(), &head, &keys, &mut |_| true);
    }),
    ("snapshot", |bytes| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        if let Ok(snapshot) = Snapshot::open(file.path()) {
            let _ = snapshot.names();
            let mut body = snapshot.into_body().unwrap();
            while body.read(&mut [0; 64]).unwrap() > 0 {}
            let _ = body.is_intact();
        }
    }),
    ("scanner", |bytes| {
        let _ = Scanner::new(Shape::WholeBody).feed(bytes, &mut |_| {});
    }),
    ("room key", |bytes| drop(RoomKey::parse(bytes, ROOM, SESSION))),
    ("session key", |bytes| {
        let _ = SessionKey::from_base64(&String::from_utf8_lossy(bytes));
        let _ = (SessionKey::from_bytes(bytes), SessionKey::from_checked(bytes));
        let _ = SessionId::parse(&String::from_utf8_lossy(bytes));
    }),
    ("description", |bytes| {
        if let Ok(description) = KeyDescription::parse("id", &String::from_utf8_lossy(bytes)) {
            let _ = (description.check(key().expose()), description.passphrase());
        }
    }),
    ("stored secret", |bytes| {
        if let Ok(stored) = StoredSecret::parse("name", &String::from_utf8_lossy(bytes)) {
            for id in stored.key_ids() {
                let _ = (stored.open(id, key().expose()), stored.open_key(id, key().expose()));
            }
        }
        let _ = secret::read_key(&SecretBytes::new(bytes.to_vec()));
    }),
    ("shown", |bytes| {
        let shown = Shown::limited(&String::from_utf8_lossy(bytes), 7);
        let _ = (shown.cut(3), shown.cut_middle(3));
    }),
];

/// The parsers that panic on these bytes.
fn panicking(parsers: &[Parser], bytes: &[u8]) -> Vec<&'static str> {
    let panics = |parser: fn(&[u8])| panic::catch_unwind(|| parser(bytes)).is_err();
    parsers.iter().filter(|(_, parser)| panics(*parser)).map(|(name, _)| *name).collect()
}

/// JSON that looks like what the parsers wait for, in a wrong order and with wrong values.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"session_data\":{",
        "\"ephemeral\":\"\"",
        "\"ciphertext\":\"AAAA\"",
        "\"mac\":\"\"",
        "\"algorithm\":\"m.megolm.v1.aes-sha2\"",
        "\"algorithm\":\"m.secret_storage.v1.aes-hmac-sha2\"",
        "\"session_key\":\"AQ\"",
        "\"auth_data\":{}",
        "\"encrypted\":{\"a\":",
        "\"passthrough\":true",
        "\"passphrase\":{\"algorithm\":\"m.pbkdf2\",\"salt\":\"\",\"iterations\":",
        "\"private_key_salt\":\"\",\"private_key_iterations\":",
        "\"signatures\":{\"@a:x\":{\"ed25519:A\":\"AAAA\"}}",
        "\"master_keys\":{\"@a:x\":{\"user_id\":\"@a:x\",\"keys\":",
        "{\"keyhaul_snapshot\":1,",
        "\"room_id\":\"!r:x\"",
        "-----END MEGOLM SESSION DATA-----",
        "\n",
        "\"iv\":\"\"",
        "\"first_message_index\":-1e999",
        "\"rooms\":{",
        "\"sessions\":{",
        "null",
        "1",
        "\u{202e}",
        "ü",
        "\\ud800",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn no_parser_panics(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly()]) {
        prop_assert_eq!(panicking(&PARSERS, &bytes), [""; 0]);
    }
}

#[test]
fn a_panicking_parser_is_found() {
    let planted: [Parser; 2] = [("careless", |bytes| assert!(bytes[0] < 9)), ("careful", |_| {})];
    assert_eq!(panicking(&planted, b"1"), ["careless"]);
    assert_eq!(panicking(&planted, b""), ["careless"]);
    assert_eq!(panicking(&planted, b"\x01"), [""; 0]);
}
