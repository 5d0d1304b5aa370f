//! Forms that clients really wrote, and their nearest impossible neighbours: session keys, secrets,
//! versions, metadata.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use keyhaul::{
    backup::{
        entry::Metadata,
        version::{AuthDataFault, BackupVersion, PublicKey, VersionFault},
    },
    base::{
        base64, limits,
        secret::{Secret32, SecretBytes},
    },
    megolm::{
        room_key::{RoomKey, RoomKeyFault},
        session_key::{EXPORT_LENGTH, SessionId, SessionKey, SessionKeyFault},
    },
    secret_storage::secret::{self, BACKUP_SECRET, SecretFault, StoredSecret},
};
use serde_json::{Value, json};
use sha2::Sha256;
use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};

use crate::chance::Counting;

/// A fresh session's key in the sharing format (v2) and in the export format (v1).
fn session() -> (Vec<u8>, Vec<u8>) {
    let shared = GroupSession::new(SessionConfig::version_1()).session_key();
    let session = InboundGroupSession::new(&shared, SessionConfig::version_1());
    (shared.to_bytes(), session.export_at_first_known_index().to_bytes())
}

fn fault(bytes: &[u8]) -> SessionKeyFault {
    SessionKey::from_bytes(bytes).map(|_| ()).unwrap_err()
}

#[test]
fn both_formats_of_a_session_key_are_read_as_one() {
    let (shared, exported) = session();
    let texts = [
        base64::encode(&shared),
        base64::encode(&exported),
        format!("{}==\n", base64::encode(&shared)),
        base64::encode(&exported).replace('+', "-").replace('/', "_"),
    ];
    for text in texts {
        let key = SessionKey::from_base64(&text).unwrap();
        assert_eq!(key.expose().as_slice(), exported, "{text}");
        assert_eq!(key.session_id().as_bytes(), &exported[133..]);
    }
}

#[test]
fn session_keys_of_impossible_forms_are_refused() {
    let (shared, exported) = session();
    for length in [0, 164, 166, 228, 230] {
        let mut bytes = shared.clone();
        bytes.resize(length, 0);
        assert_eq!(fault(&bytes), SessionKeyFault::Length { got: length });
    }
    let with_version = |bytes: &[u8], version: u8| [&[version], &bytes[1..]].concat();
    for got in [0, 2, 3] {
        let expected = SessionKeyFault::Version { expected: 1, got };
        assert_eq!(fault(&with_version(&exported, got)), expected);
    }
    for got in [0, 1, 3] {
        let expected = SessionKeyFault::Version { expected: 2, got };
        assert_eq!(fault(&with_version(&shared, got)), expected);
    }
    for place in [1, 60, 170, 228] {
        let mut bytes = shared.clone();
        bytes[place] ^= 1;
        assert_eq!(fault(&bytes), SessionKeyFault::Signature, "byte {place}");
    }
    // vodozemac takes both; whoever knows them can sign anything.
    for point in [[0; 32], [0xff; 32]] {
        assert_eq!(fault(&[&exported[..133], &point].concat()), SessionKeyFault::Point);
    }
    let not_base64 = SessionKey::from_base64("AQ!").map(|_| ()).unwrap_err();
    assert_eq!(not_base64, SessionKeyFault::NotBase64);
}

#[test]
fn a_key_that_was_checked_before_needs_its_form_only() {
    let (shared, exported) = session();
    let key = SessionKey::from_checked(&exported).unwrap();
    assert_eq!(key.expose().as_slice(), exported);
    assert!(SessionKey::from_checked(&shared).is_none());
    assert!(SessionKey::from_checked(&shared[..EXPORT_LENGTH]).is_none());
}

#[test]
fn a_session_id_is_the_same_in_every_spelling() {
    let (_, exported) = session();
    let plain = base64::encode(&exported[133..]);
    let id = SessionId::parse(&plain).unwrap();
    assert_eq!(id.to_string(), plain);
    for other in [format!("{plain}="), plain.replace('+', "-").replace('/', "_")] {
        assert_eq!(SessionId::parse(&other), Some(id));
        let key = base64::encode(&exported);
        let text = json!({"algorithm": "m.megolm.v1.aes-sha2", "session_key": key}).to_string();
        assert!(RoomKey::parse(text.as_bytes(), "!r:x", &other).is_ok());
        let mismatch = RoomKey::parse(text.as_bytes(), "!r:x", &plain[1..]).map(|_| ());
        assert!(matches!(mismatch, Err(RoomKeyFault::IdMismatch { got, .. }) if got == id));
    }
    assert_eq!(SessionId::parse(&plain[..40]), None);
}

#[test]
fn a_room_key_without_claims_gets_empty_ones() {
    // Strict readers refuse a key without these three.
    let (_, exported) = session();
    let key = base64::encode(&exported);
    let text = json!({"session_key": key, "algorithm": "m.megolm.v1.aes-sha2"}).to_string();
    let id = base64::encode(&exported[133..]);
    let again = RoomKey::parse(text.as_bytes(), "!r:x", &id).unwrap().to_plaintext();
    let expected = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "forwarding_curve25519_key_chain": [],
        "sender_claimed_keys": {},
        "sender_key": "",
        "session_key": key,
    });
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), expected);
}

// --- Secrets ---

fn read(text: &str) -> Result<Vec<u8>, SecretFault> {
    secret::read_key(&SecretBytes::new(text.as_bytes().to_vec())).map(|key| key.expose().to_vec())
}

#[test]
fn a_backup_key_is_read_in_every_form_it_was_stored_in() {
    let bytes: Vec<u8> = (200..232).collect();
    let plain = base64::encode(&bytes);
    let decimal: Vec<String> = bytes.iter().map(u8::to_string).collect();
    for text in [
        plain.clone(),
        format!("{plain}="),
        format!(" {plain}\n"),
        plain.replace('+', "-").replace('/', "_"),
        decimal.join(","),
        decimal.join(", "),
    ] {
        assert_eq!(read(&text), Ok(bytes.clone()), "{text}");
    }
    for text in [
        String::new(),
        base64::encode(&bytes[..31]),
        base64::encode(&[7; 33]),
        decimal[..31].join(","),
        format!("{},1", decimal.join(",")),
        decimal.join(",").replace("200", "256"),
        "correct horse".to_owned(),
    ] {
        assert_eq!(read(&text), Err(SecretFault::Format), "{text}");
    }
    let not_text = secret::read_key(&SecretBytes::new(vec![0xff; 32])).map(|_| ());
    assert_eq!(not_text, Err(SecretFault::Format));
}

#[test]
fn a_secret_that_is_not_there_is_absent() {
    for content in ["{}", "[]", "null", r#"{"encrypted":{}}"#, r#"{"encrypted":null}"#, "{"] {
        let fault = StoredSecret::parse(BACKUP_SECRET, content).map(|_| ()).unwrap_err();
        assert_eq!(fault, SecretFault::Absent, "{content}");
    }
}

#[test]
fn a_secret_of_another_shape_is_refused() {
    let key = Secret32::take(&mut [7; 32]);
    for data in [json!(null), json!("x"), json!({"passthrough": 1}), json!({"iv": "", "mac": 1})] {
        let content = json!({ "encrypted": {"id": data} }).to_string();
        let stored = StoredSecret::parse(BACKUP_SECRET, &content).unwrap();
        assert_eq!(
            stored.open("id", key.expose()).map(|_| ()),
            Err(SecretFault::Shape),
            "{content}"
        );
    }
}

#[test]
fn the_counter_of_a_secret_runs_through_all_its_bits() {
    // Another implementation of AES-CTR locks, with an IV whose counter overflows at once.
    let (key, iv, text) =
        ([7; 32], [0xff; 16], *b"more than three blocks of sixteen bytes: overflow");
    let mut keys = [0; 64];
    Hkdf::<Sha256>::new(None, &key).expand(b"name", &mut keys).unwrap();
    let aes = UnboundCipherKey::new(&AES_256, &keys[..32]).unwrap();
    let mut data = text;
    let context = EncryptionContext::Iv128(iv.into());
    EncryptingKey::ctr(aes).unwrap().less_safe_encrypt(&mut data, context).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&keys[32..]).unwrap();
    mac.update(&data);
    let parts = json!({
        "iv": base64::encode(&iv),
        "ciphertext": base64::encode(&data),
        "mac": base64::encode(&mac.finalize().into_bytes()),
    });
    let stored =
        StoredSecret::parse("name", &json!({"encrypted": {"id": parts}}).to_string()).unwrap();
    let opened = stored.open("id", Secret32::take(&mut { key }).expose()).unwrap();
    assert_eq!(opened.expose(), text);
}

#[test]
fn a_fresh_iv_keeps_the_counter_from_overflowing() {
    let key = Secret32::take(&mut [7; 32]);
    let sealed = secret::seal("name", key.expose(), b"text", &mut Counting(0xf0));
    let iv = base64::decode(sealed["iv"].as_str().unwrap()).unwrap();
    let mut expected: Vec<u8> = (0xf0..=0xff).collect();
    expected[8] = 0x78;
    assert_eq!(iv, expected);
}

// --- Versions and metadata ---

#[test]
fn a_version_name_has_a_limit() {
    let parse = |version: Value, asked: Option<&str>| {
        let body = json!({"algorithm": "x", "auth_data": {}, "version": version}).to_string();
        BackupVersion::parse(&body, asked).map(|version| version.version)
    };
    let limit = limits::VERSION_NAME;
    let longest = "v".repeat(limit);
    assert_eq!(parse(json!(longest), None), Ok(longest.clone()));
    let longer = format!("{longest}v");
    assert_eq!(parse(json!(longer), None), Err(VersionFault::Name { limit, got: limit + 1 }));
    assert_eq!(parse(json!(7), None), Ok("7".to_owned()));
    assert_eq!(parse(json!(null), Some("4")), Ok("4".to_owned()));
    for nothing in [json!(""), json!(null), json!([])] {
        assert_eq!(parse(nothing, None), Err(VersionFault::Name { limit, got: 0 }));
    }
}

#[test]
fn counts_without_sense_are_unknown() {
    for (count, expected) in [
        ("8", Some(8)),
        ("9007199254740993", Some((1 << 53) + 1)),
        ("-1", None),
        ("1.5", None),
        ("\"12\"", None),
        ("18446744073709551616", None),
        ("null", None),
    ] {
        let body = format!(r#"{{"algorithm":"x","auth_data":{{}},"version":"1","count":{count}}}"#);
        assert_eq!(BackupVersion::parse(&body, None).unwrap().count, expected, "{count}");
    }
}

#[test]
fn damaged_auth_data_does_not_hide_the_version() {
    let parsed = |auth_data: &str| {
        let algorithm = "m.megolm_backup.v1.curve25519-aes-sha2";
        let body =
            format!(r#"{{"algorithm":"{algorithm}","auth_data":{auth_data},"version":"1"}}"#);
        BackupVersion::parse(&body, None).unwrap()
    };
    let fault = |auth_data: &str| parsed(auth_data).public_key().unwrap_err();
    for auth_data in ["{}", "[]", "null", "7", r#"{"public_key":null}"#, r#"{"public_key":7}"#] {
        assert_eq!(fault(auth_data), AuthDataFault::Missing, "{auth_data}");
    }
    // Base64 of base64, as nheko wrote it, is read; once more is too often.
    let twice = base64::encode(base64::encode(&[7; 32]).as_bytes());
    let described = |public_key: &str| json!({ "public_key": public_key }).to_string();
    assert_eq!(parsed(&described(&twice)).public_key().unwrap(), PublicKey([7; 32]));
    let often = base64::encode(twice.as_bytes());
    let length = often.len();
    assert_eq!(fault(&described(&often)), AuthDataFault::PublicKey { length });
}

#[test]
fn metadata_makes_sense_or_is_unknown() {
    let index = |json: &str| {
        Metadata::parse(format!(r#"{{"first_message_index":{json}}}"#).as_bytes())
            .first_message_index
    };
    for (json, expected) in [
        ("0", Some(0)),
        ("4294967295", Some(u64::from(u32::MAX))),
        ("4294967296", None),
        ("0.0", Some(0)),
        ("7e1", Some(70)),
        ("0.5", None),
        ("-1", None),
        ("-0.0", Some(0)),
        ("1e400", None),
        ("\" 12 \"", Some(12)),
        ("\"soon\"", None),
        ("null", None),
        ("[]", None),
        ("true", None),
    ] {
        assert_eq!(index(json), expected, "{json}");
    }
}
