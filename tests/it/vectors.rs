//! Known answers: the vectors of other implementations (SPEC §10), each with what must refuse them.

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, MalformedEntry, Refusal, Workroom},
        encryption::seal,
        entry::RawEntry,
        recovery_key::{self, RecoveryKeyFault},
    },
    base::{base64, secret::Secret32},
    megolm::{
        room_key::{RoomKey, RoomKeyFault},
        session_key::{SessionKey, Standing},
    },
    secret_storage::{
        key::{DescriptionFault, KeyCheck, KeyDescription},
        secret::{self, SecretFault, StoredSecret},
    },
};
use serde_json::{Value, json};
use vodozemac::megolm::{ExportedSessionKey, InboundGroupSession, SessionConfig};

use crate::chance::Counting;

fn recovery_keys() -> Value {
    serde_json::from_str(include_str!("../cases/vectors/recovery_keys.json")).unwrap()
}

fn backup_decryption(which: usize) -> Value {
    let all: Value =
        serde_json::from_str(include_str!("../cases/vectors/backup_decryption.json")).unwrap();
    all[which].clone()
}

fn secret_storage(which: usize) -> Value {
    let all: Value =
        serde_json::from_str(include_str!("../cases/vectors/secret_storage.json")).unwrap();
    all[which].clone()
}

fn megolm() -> Value {
    let all: Value = serde_json::from_str(include_str!("../cases/vectors/megolm.json")).unwrap();
    all[0].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn from_hex(hex: &Value) -> Secret32 {
    let hex = text(hex);
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    Secret32::from_slice(&bytes).unwrap()
}

fn from_base64(text: &str) -> Secret32 {
    Secret32::from_slice(&base64::decode(text).unwrap()).unwrap()
}

/// Opens the `session_data` of a vector as the entry of this room and session.
fn open(vector: &Value, room_id: &str, session_id: &str) -> Result<RoomKey, Refusal> {
    let key = DecryptionKey::new(from_base64(text(&vector["private_b64"])));
    let json = json!({ "session_data": vector["session_data"] }).to_string();
    let entry = RawEntry { room_id, session_id, json: json.as_bytes(), fault: None };
    key.open(&entry, &mut Workroom::default())
}

fn refusal(vector: &Value) -> Refusal {
    open(vector, "!room:id", text(&megolm()["session_id"])).map(|_| ()).unwrap_err()
}

// --- Recovery keys (SPEC §10.1) ---

#[test]
fn recovery_keys_are_read_and_written() {
    for case in recovery_keys()["valid"].as_array().unwrap() {
        let typed = text(&case["text"]);
        let key = recovery_key::parse(typed).unwrap();
        assert!(key.same_as(&from_hex(&case["key_hex"])), "{typed}");
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(recovery_key::format(&key).expose()), letters(typed));
        if let Some(expected) = case["key_b64"].as_str() {
            assert_eq!(base64::encode(key.expose()), expected);
        }
        if let Some(expected) = case["x25519_public"].as_str() {
            assert_eq!(DecryptionKey::new(key).public_key().to_base64(), expected);
        }
    }
}

#[test]
fn wrong_recovery_keys_are_refused_for_their_reason() {
    let faults: Vec<_> = recovery_keys()["invalid"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| recovery_key::parse(text(&case["text"])).map(|_| ()).unwrap_err())
        .collect();
    assert_eq!(
        faults,
        [
            RecoveryKeyFault::Parity,
            RecoveryKeyFault::Parity,
            RecoveryKeyFault::Prefix,
            RecoveryKeyFault::Length { got: 32 },
            RecoveryKeyFault::Alphabet { position: 28, character: '0', likely: "o D Q C" },
        ]
    );
}

#[test]
fn the_key_coder_of_another_client_agrees() {
    let fixture: Value =
        serde_json::from_str(include_str!("../fixtures/recovery-keys.json")).unwrap();
    for case in fixture["valid"].as_array().unwrap() {
        let key = from_base64(text(&case["base64"]));
        assert_eq!(recovery_key::format(&key).expose(), text(&case["recovery_key"]));
        assert!(recovery_key::parse(text(&case["recovery_key"])).unwrap().same_as(&key));
    }
    for case in fixture["variants"].as_array().unwrap() {
        let key = recovery_key::parse(text(&case["input"]));
        match text(&case["kind"]) {
            "lower_case" => {
                let fault = key.map(|_| ()).unwrap_err();
                assert_eq!(fault, RecoveryKeyFault::OneCase { capitals: false });
            }
            // js-sdk strips U+0020 only and refuses line breaks and tabs. We are kinder on purpose:
            // a key pasted from a printed sheet has them, and they cannot change its meaning.
            kind @ ("newlines" | "tabs") => {
                assert_eq!(case["js_sdk"]["ok"], false, "{kind}");
                let key = key.unwrap();
                let same = fixture["valid"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|valid| key.same_as(&from_base64(text(&valid["base64"]))));
                assert!(same, "{kind}");
            }
            kind => {
                let expected = from_base64(text(&case["js_sdk"]["base64"]));
                assert!(key.unwrap().same_as(&expected), "{kind}");
            }
        }
    }
    let faults: Vec<_> = fixture["invalid"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let fault = recovery_key::parse(text(&case["input"])).map(|_| ()).unwrap_err();
            (text(&case["kind"]).to_owned(), fault)
        })
        .collect();
    let expected = [
        ("flipped", RecoveryKeyFault::Parity),
        ("short", RecoveryKeyFault::Length { got: 24 }),
        (
            "zero_char",
            RecoveryKeyFault::Alphabet { position: 48, character: '0', likely: "o D Q C" },
        ),
        ("empty", RecoveryKeyFault::Empty),
        // Its groups are out of order, so it is 36 bytes or begins with others than a Matrix key.
        ("swapped", RecoveryKeyFault::Bytes { got: 36 }),
    ];
    assert_eq!(faults, expected.map(|(kind, fault)| (kind.to_owned(), fault)));
}

// --- Opening entries (SPEC §10.2) ---

#[test]
fn an_entry_of_js_sdk_opens() {
    let megolm = megolm();
    let session_id = text(&megolm["session_id"]);
    let key = open(&backup_decryption(0), "!room:id", session_id).unwrap();
    assert_eq!(key.key.to_base64().expose(), text(&megolm["session_key_index0"]));
    assert_eq!(key.session_id().to_string(), session_id);
    assert_eq!(key.key.first_known_index(), 0);
    let encoded = |key: Option<[u8; 32]>| base64::encode(&key.unwrap());
    assert_eq!(encoded(key.claims.sender_key), text(&megolm["sender_key"]));
    assert_eq!(encoded(key.claims.ed25519), text(&megolm["claimed_ed25519"]));
    assert!(key.claims.direct);
    let others: Vec<_> =
        key.claims.others.iter().map(|(name, raw)| (name.as_str(), raw.get())).collect();
    assert_eq!(others, [("m.shared_history", "true")]);
}

#[test]
fn an_entry_for_another_backup_key_of_js_sdk_opens() {
    let vector = backup_decryption(1);
    let session_id = text(&vector["session_id"]);
    let key = open(&vector, "!room:id", session_id).unwrap();
    assert_eq!(key.session_id().to_string(), session_id);
}

#[test]
fn an_entry_of_matrix_rust_sdk_opens() {
    let vector = backup_decryption(2);
    let key = DecryptionKey::new(from_base64(text(&vector["private_b64"])));
    assert_eq!(key.public_key().to_base64(), text(&vector["public"]));
    let expected = &vector["plaintext"];
    let session_id = SessionKey::from_base64(text(&expected["session_key"])).unwrap().session_id();
    let key = open(&vector, "!any:room", &session_id.to_string()).unwrap();
    let again: Value = serde_json::from_str(&key.to_plaintext()).unwrap();
    assert_eq!(&again, expected);
}

#[test]
fn sealing_with_a_known_ephemeral_key_gives_the_known_entry() {
    let vector = backup_decryption(3);
    let public = DecryptionKey::new(from_base64(text(&vector["private_b64"]))).public_key();
    let plaintext = text(&vector["plaintext"]);
    let sealed = seal(plaintext.as_bytes(), public, &mut Counting(1)).unwrap();
    assert_eq!(serde_json::to_value(&sealed).unwrap(), vector["session_data"]);
    // It opens: what is refused afterwards is that only an algorithm is inside.
    let missing = RoomKeyFault::MissingField { field: "session_key" };
    assert_eq!(refusal(&vector), Refusal::RoomKey(missing));
}

#[test]
fn the_tag_over_the_ciphertext_is_refused() {
    let mut vector = backup_decryption(3);
    vector["session_data"]["mac"] = vector["mac_if_over_ciphertext"].clone();
    assert_eq!(refusal(&vector), Refusal::Mac);
}

#[test]
fn an_entry_under_other_names_is_refused() {
    let session_id = text(&megolm()["session_id"]).to_owned();
    let reason = |room_id: &str, session_id: &str| {
        open(&backup_decryption(0), room_id, session_id).map(|_| ()).unwrap_err().reason()
    };
    assert_eq!(reason("!other:id", &session_id), "room_mismatch");
    let other = text(&backup_decryption(1)["session_id"]).to_owned();
    assert_eq!(reason("!room:id", &other), "id_mismatch");
}

#[test]
fn each_damage_of_an_entry_has_its_reason() {
    let damaged = |part: &str, value: Value| {
        let mut vector = backup_decryption(0);
        vector["session_data"][part] = value;
        refusal(&vector)
    };
    let malformed = Refusal::Malformed;
    let not_base64 = |part| malformed(MalformedEntry::Base64 { part });
    let zero = json!(base64::encode(&[0; 32]));
    assert_eq!(damaged("ephemeral", zero), Refusal::Ephemeral);
    assert_eq!(damaged("ephemeral", json!(base64::encode(&[9; 31]))), Refusal::Ephemeral);
    assert_eq!(damaged("ephemeral", json!(base64::encode(&[9; 33]))), Refusal::Ephemeral);
    assert_eq!(damaged("ephemeral", json!(base64::encode(&[9; 32]))), Refusal::Mac);
    assert_eq!(damaged("mac", json!("OibmACbORhM")), Refusal::Mac);
    // vodozemac takes any beginning of a tag; one byte would let every 256th key seem right.
    assert_eq!(damaged("mac", json!("Og")), malformed(MalformedEntry::Tag));
    assert_eq!(damaged("mac", json!("")), malformed(MalformedEntry::Tag));
    assert_eq!(damaged("ciphertext", json!("")), malformed(MalformedEntry::Blocks));
    assert_eq!(damaged("ciphertext", json!("AAAA")), malformed(MalformedEntry::Blocks));
    assert_eq!(damaged("ciphertext", json!(base64::encode(&[0; 16]))), Refusal::Padding);
    for part in ["ephemeral", "ciphertext", "mac"] {
        assert_eq!(damaged(part, json!("!")), not_base64(part));
        assert_eq!(damaged(part, json!(7)), malformed(MalformedEntry::Parts));
    }
}

// --- Secret storage (SPEC §10.4) ---

fn description(vector: &Value) -> KeyDescription {
    KeyDescription::parse("id", &vector["description"].to_string()).unwrap()
}

#[test]
fn a_key_from_a_passphrase_fits_its_description() {
    let vector = secret_storage(0);
    let key = from_hex(&vector["derived_key_hex"]);
    let described = description(&vector);
    let recipe = described.passphrase().unwrap().as_ref().unwrap();
    let made = recipe.stretch(text(&vector["passphrase"]).as_bytes(), &mut |_| true).unwrap();
    assert_eq!(made.expose(), key.expose());
    assert_eq!(description(&vector).check(key.expose()), KeyCheck::Fits);
    assert_eq!(description(&secret_storage(1)).check(key.expose()), KeyCheck::DoesNotFit);
}

#[test]
fn cross_signing_secrets_open() {
    let vector = secret_storage(1);
    let key = from_hex(&vector["key_hex"]);
    assert_eq!(description(&vector).check(key.expose()), KeyCheck::Fits);
    for (name, secret) in vector["secrets"].as_object().unwrap() {
        let content = json!({"encrypted": {"id": secret["data"]}}).to_string();
        let stored = StoredSecret::parse(name, &content).unwrap();
        let plaintext = stored.open("id", key.expose()).unwrap();
        assert_eq!(plaintext.expose(), text(&secret["plaintext"]).as_bytes(), "{name}");
        let seed = secret::read_key(&plaintext).unwrap();
        let public = vodozemac::Ed25519SecretKey::from_slice(seed.expose()).public_key();
        assert_eq!(public.to_base64(), text(&secret["ed25519_public"]), "{name}");
    }
}

#[test]
fn a_backup_key_in_secret_storage_opens_and_is_sealed_the_same() {
    let key = from_hex(&secret_storage(1)["key_hex"]);
    let vector = secret_storage(2);
    let name = text(&vector["name"]);
    let stored = StoredSecret::parse(name, &json!({"encrypted": {"id": vector}}).to_string());
    let plaintext = stored.unwrap().open("id", key.expose()).unwrap();
    assert_eq!(plaintext.expose(), text(&vector["plaintext"]).as_bytes());

    let sealed = secret::seal(name, key.expose(), plaintext.expose(), &mut Counting(0));
    for part in ["iv", "ciphertext", "mac"] {
        assert_eq!(sealed[part], vector[part]);
    }
}

#[test]
fn the_check_of_an_all_zero_key_is_known() {
    let vector = secret_storage(3);
    let zero = Secret32::take(&mut [0; 32]);
    let iv = base64::encode(&[0; 16]);
    let algorithm = "m.secret_storage.v1.aes-hmac-sha2";
    let content = json!({"algorithm": algorithm, "iv": iv, "mac": vector["mac"]}).to_string();
    assert_eq!(KeyDescription::parse("id", &content).unwrap().check(zero.expose()), KeyCheck::Fits);
    let one = Secret32::take(&mut [1; 32]);
    let described = secret::describe(one.expose(), &mut Counting(0xf8)).to_string();
    let described = KeyDescription::parse("id", &described).unwrap();
    assert_eq!(described.check(one.expose()), KeyCheck::Fits);
    assert_eq!(described.check(zero.expose()), KeyCheck::DoesNotFit);
}

#[test]
fn a_secret_cannot_stand_in_for_another() {
    let vector = secret_storage(1);
    let key = from_hex(&vector["key_hex"]);
    let data = &vector["secrets"]["m.cross_signing.self_signing"]["data"];
    let content = json!({"encrypted": {"id": data}}).to_string();
    let stored = StoredSecret::parse("m.cross_signing.master", &content).unwrap();
    assert_eq!(stored.open("id", key.expose()).map(|_| ()), Err(SecretFault::Mac));
    assert_eq!(stored.open("other", key.expose()).map(|_| ()), Err(SecretFault::OtherKeys));
}

#[test]
fn checks_of_wrong_lengths_are_malformed() {
    let short = |part: &str, bytes: usize| {
        let mut vector = secret_storage(1);
        vector["description"][part] = json!(base64::encode(&vec![7; bytes]));
        let secret = &mut vector["secrets"]["m.cross_signing.master"]["data"];
        secret[part] = json!(base64::encode(&vec![7; bytes]));
        let description = KeyDescription::parse("id", &vector["description"].to_string());
        let content =
            json!({"encrypted": {"id": vector["secrets"]["m.cross_signing.master"]["data"]}});
        let stored = StoredSecret::parse("m.cross_signing.master", &content.to_string()).unwrap();
        let opened = stored.open("id", from_hex(&vector["key_hex"]).expose());
        (description.map(|_| ()), opened.map(|_| ()))
    };
    let malformed = (Err(DescriptionFault::Check), Err(SecretFault::Shape));
    assert_eq!(short("mac", 30), malformed);
    assert_eq!(short("mac", 33), malformed);
    assert_eq!(short("iv", 14), malformed);
    assert_eq!(short("iv", 17), malformed);
    assert_eq!(short("mac", 32).1, Err(SecretFault::Mac));
}

#[test]
fn a_description_without_a_check_is_unverifiable() {
    let key = from_hex(&secret_storage(1)["key_hex"]);
    for part in ["iv", "mac"] {
        for nothing in [None, Some(Value::Null)] {
            let mut content = secret_storage(1)["description"].clone();
            match nothing {
                None => drop(content.as_object_mut().unwrap().remove(part)),
                Some(null) => content[part] = null,
            }
            let description = KeyDescription::parse("id", &content.to_string()).unwrap();
            assert_eq!(description.check(key.expose()), KeyCheck::Unverifiable, "{content}");
        }
    }
}

// --- Megolm (SPEC §10.6) ---

#[test]
fn a_session_key_that_was_passed_on_later_is_worse_and_connected() {
    let vector = megolm();
    let first = SessionKey::from_base64(text(&vector["session_key_index0"])).unwrap();
    assert_eq!(first.compare(&first), Standing::Equal);
    for (index, later) in vector["ratcheted"].as_object().unwrap() {
        let later = SessionKey::from_base64(text(later)).unwrap();
        assert_eq!(later.first_known_index().to_string(), *index);
        assert_eq!(later.session_id(), first.session_id());
        assert_eq!(later.compare(&first), Standing::Worse, "index {index}");
        assert_eq!(first.compare(&later), Standing::Better, "index {index}");
    }
}

#[test]
fn ratcheting_gives_the_known_keys() {
    let vector = megolm();
    let bytes = base64::decode(text(&vector["session_key_index0"])).unwrap();
    let exported = ExportedSessionKey::from_bytes(&bytes).unwrap();
    let mut session = InboundGroupSession::import(&exported, SessionConfig::version_1());
    for (index, later) in vector["ratcheted"].as_object().unwrap() {
        let exported = session.export_at(index.parse().unwrap()).unwrap();
        assert_eq!(exported.to_base64(), text(later));
    }
}

#[test]
fn a_changed_ratchet_is_another_one_of_the_same_session() {
    let vector = megolm();
    let first = SessionKey::from_base64(text(&vector["session_key_index0"])).unwrap();
    let later = SessionKey::from_base64(text(&vector["ratcheted"]["1"])).unwrap();
    for place in [5, 60, 100, 132] {
        let mut bytes = *first.expose();
        bytes[place] ^= 1;
        let changed = SessionKey::from_bytes(&bytes).unwrap();
        assert_eq!(changed.session_id(), first.session_id());
        for genuine in [&first, &later] {
            assert_eq!(changed.compare(genuine), Standing::Unconnected, "byte {place}");
            assert_eq!(genuine.compare(&changed), Standing::Unconnected, "byte {place}");
        }
    }
}
