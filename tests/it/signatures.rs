//! Who signed: the known answers of SPEC §10.3, and every way in which a signature or its key can be
//! wrong.

use keyhaul::{
    backup::{
        signatures::{Identity, Signer, SigningKey, is_signed, signatures},
        version::BackupVersion,
    },
    base::base64,
};
use serde_json::{Map, Value, json};
use vodozemac::Ed25519SecretKey;

const USER: &str = "@alice:localhost";

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../cases/vectors/signatures.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn key(text: &str) -> SigningKey {
    base64::decode_exact(text).unwrap()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

// --- The known answers ---

#[test]
fn auth_data_of_js_sdk_is_signed_by_its_device() {
    let vector = &vectors()[0];
    let device = key(text(&vector["device_ed25519"]));
    let signed = object(&vector["auth_data"]);
    assert!(is_signed(signed, text(&vector["user"]), "ed25519:test_device", &device));
    assert!(!is_signed(signed, "@bob:localhost", "ed25519:test_device", &device));
    assert!(!is_signed(signed, USER, "ed25519:other_device", &device));
}

#[test]
fn cross_signing_keys_of_js_sdk_are_signed_by_the_master_key() {
    let vector = &vectors()[1];
    let seed: [u8; 32] = base64::decode_exact(text(&vector["master_seed_b64"])).unwrap();
    let master = *Ed25519SecretKey::from_slice(&seed).public_key().as_bytes();
    assert_eq!(base64::encode(&master), text(&vector["master_public"]));
    let id = format!("ed25519:{}", text(&vector["master_public"]));
    for name in ["self_signing_key", "user_signing_key"] {
        assert!(is_signed(object(&vector[name]), USER, &id, &master), "{name}");
    }
    // What one signature covers, it covers of that object only.
    let mut swapped = vector["self_signing_key"].clone();
    swapped["signatures"] = vector["user_signing_key"]["signatures"].clone();
    assert!(!is_signed(object(&swapped), USER, &id, &master));
}

#[test]
fn device_keys_of_js_sdk_are_signed_by_themselves() {
    let device_keys = &vectors()[2]["device_keys"];
    let device = key(text(&device_keys["keys"]["ed25519:test_device"]));
    assert!(is_signed(object(device_keys), USER, "ed25519:test_device", &device));
    for field in ["device_id", "algorithms", "keys"] {
        let mut changed = device_keys.clone();
        changed[field] = json!("changed");
        assert!(!is_signed(object(&changed), USER, "ed25519:test_device", &device), "{field}");
    }
}

#[test]
fn objects_of_the_spec_are_signed_as_it_says() {
    let vector = &vectors()[3];
    let public = key(text(&vector["public"]));
    for (mut value, signature) in [
        (json!({}), &vector["sig_of_{}"]),
        (json!({"two": "Two", "one": 1}), &vector[r#"sig_of_{"one":1,"two":"Two"}"#]),
    ] {
        value["signatures"] = json!({"domain": {"ed25519:1": signature}});
        value["unsigned"] = json!({"age": 7});
        assert!(is_signed(object(&value), "domain", "ed25519:1", &public), "{value}");
        value["more"] = json!(1);
        assert!(!is_signed(object(&value), "domain", "ed25519:1", &public), "{value}");
    }
}

// --- Judging ---

/// A signing key made of a byte.
fn signing(byte: u8) -> Ed25519SecretKey {
    Ed25519SecretKey::from_slice(&[byte; 32])
}

fn public(byte: u8) -> String {
    signing(byte).public_key().to_base64()
}

/// A version signed by these keys under these ids.
fn version(signers: &[(&str, u8)]) -> BackupVersion {
    let auth_data = json!({"public_key": "AAAA", "kept": {"z": [1, "ü"], "a": null}});
    let bytes = r#"{"kept":{"a":null,"z":[1,"ü"]},"public_key":"AAAA"}"#;
    let signed = signers.iter().map(|(id, byte)| {
        ((*id).to_owned(), Value::from(signing(*byte).sign(bytes.as_bytes()).to_base64()))
    });
    let signed: Map<String, Value> = signed.collect();
    described(auth_data, json!({USER: signed}))
}

fn described(mut auth_data: Value, signatures: Value) -> BackupVersion {
    auth_data["signatures"] = signatures;
    let body = json!({
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": auth_data,
        "version": "1",
    });
    BackupVersion::parse(&body.to_string(), None).unwrap()
}

/// An account with the master key 1 and the devices OLD (2) and NEW (3).
fn answer() -> Value {
    let device = |id: &str, byte: u8, name: Option<&str>| {
        json!({
            "user_id": USER,
            "device_id": id,
            "keys": {format!("ed25519:{id}"): public(byte)},
            "unsigned": {"device_display_name": name},
        })
    };
    json!({
        "master_keys": {USER: {
            "user_id": USER,
            "usage": ["master"],
            "keys": {format!("ed25519:{}", public(1)): public(1)},
        }},
        "device_keys": {USER: {
            "OLD": device("OLD", 2, Some("Old\u{1b}[2J laptop")),
            "NEW": device("NEW", 3, None),
        }},
    })
}

fn judged(signers: &[(&str, u8)], identity: &Identity) -> Vec<(Signer, Option<bool>)> {
    let found = signatures(&version(signers), USER, Some(identity));
    found.into_iter().map(|signature| (signature.signer, signature.valid)).collect()
}

#[test]
fn each_signer_is_named_and_judged() {
    let identity = Identity::parse(USER, &answer());
    let master = format!("ed25519:{}", public(1));
    let replaced = format!("ed25519:{}", public(4));
    let old = || Signer::Device(Some("Old␛[2J laptop".into()));
    assert_eq!(judged(&[(&master, 1)], &identity), [(Signer::Master, Some(true))]);
    assert_eq!(judged(&[(&master, 9)], &identity), [(Signer::Master, Some(false))]);
    assert_eq!(judged(&[("ed25519:OLD", 2)], &identity), [(old(), Some(true))]);
    assert_eq!(judged(&[("ed25519:OLD", 9)], &identity), [(old(), Some(false))]);
    assert_eq!(judged(&[("ed25519:NEW", 3)], &identity), [(Signer::Device(None), Some(true))]);
    assert_eq!(judged(&[("ed25519:GONE", 5)], &identity), [(Signer::Unknown, None)]);
    assert_eq!(judged(&[(&replaced, 4)], &identity), [(Signer::Replaced, None)]);
    assert_eq!(judged(&[(&replaced, 5)], &identity), [(Signer::Unknown, None)]);
    assert_eq!(judged(&[("rsa:OLD", 2)], &identity), [(Signer::Unknown, None)]);
    // Nobody shows a key: nobody can say anything.
    let nobody = signatures(&version(&[(&master, 1)]), USER, None);
    assert_eq!((&nobody[0].signer, nobody[0].valid), (&Signer::Unknown, None));
    assert_eq!(nobody[0].key_id, master);
}

#[test]
fn device_that_calls_itself_like_the_master_key_is_no_master_key() {
    let mut answer = answer();
    let id = public(1);
    answer["device_keys"][USER][&id] = json!({
        "user_id": USER,
        "device_id": id,
        "keys": {format!("ed25519:{id}"): public(6)},
    });
    let identity = Identity::parse(USER, &answer);
    let key_id = format!("ed25519:{id}");
    assert_eq!(judged(&[(&key_id, 1)], &identity), [(Signer::Master, Some(true))]);
    assert_eq!(judged(&[(&key_id, 6)], &identity), [(Signer::Device(None), Some(true))]);
    assert_eq!(judged(&[(&key_id, 7)], &identity), [(Signer::Master, Some(false))]);
}

#[test]
fn keys_of_others_and_keys_that_make_no_sense_are_left_out() {
    let whole = Identity::parse(USER, &answer());
    assert_eq!((whole.master.is_some(), whole.devices.len()), (true, 2));
    let with = |pointer: &str, value: Value| {
        let mut answer = answer();
        *answer.pointer_mut(pointer).unwrap() = value;
        let identity = Identity::parse(USER, &answer);
        (identity.master.is_some(), identity.devices.len())
    };
    let master = "/master_keys/@alice:localhost";
    let device = "/device_keys/@alice:localhost/OLD";
    assert_eq!(with(&format!("{master}/user_id"), json!("@bob:localhost")), (false, 2));
    assert_eq!(with(&format!("{master}/keys"), json!({})), (false, 2));
    assert_eq!(with(&format!("{master}/keys"), json!({"ed25519:AAAA": public(1)})), (false, 2));
    let two = json!({format!("ed25519:{}", public(1)): public(1), "ed25519:x": "x"});
    assert_eq!(with(&format!("{master}/keys"), two), (false, 2));
    assert_eq!(with(master, json!(7)), (false, 2));
    assert_eq!(with(&format!("{device}/user_id"), json!("@bob:localhost")), (true, 1));
    assert_eq!(with(&format!("{device}/device_id"), json!("NEW")), (true, 1));
    assert_eq!(with(&format!("{device}/keys"), json!({"ed25519:OLD": "short"})), (true, 1));
    assert_eq!(with("/device_keys", json!([])), (true, 0));
    for nonsense in [json!(null), json!([]), json!({}), json!({"master_keys": 7})] {
        assert_eq!(Identity::parse(USER, &nonsense), Identity::default());
    }
}

#[test]
fn odd_signatures_are_wrong_and_no_more() {
    let identity = Identity::parse(USER, &answer());
    let id = format!("ed25519:{}", public(1));
    for signature in [json!("AAAA"), json!(""), json!(7), json!(null), json!({})] {
        let version = described(json!({"public_key": "AAAA"}), json!({USER: {&id: signature}}));
        let found = signatures(&version, USER, Some(&identity));
        assert_eq!((&found[0].signer, found[0].valid), (&Signer::Master, Some(false)));
    }
    for all in [json!(7), json!({USER: []}), json!({"@bob:localhost": {&id: "AAAA"}})] {
        assert!(signatures(&described(json!({}), all), USER, Some(&identity)).is_empty());
    }
    // A fraction has no canonical form, so nobody can have signed it.
    let signed = json!({USER: {&id: base64::encode(&[1; 64])}});
    let found = signatures(&described(json!({"n": 1.5}), signed), USER, Some(&identity));
    assert_eq!(found[0].valid, Some(false));
}
