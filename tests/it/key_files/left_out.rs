//! What may not go into a key file is left out, or its claim is, and each is named.

use std::fs;

use serde_json::{Value, json};
use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};

use super::{locked, plaintext};
use crate::program::Ada;

const WORDS: &str = "granite otter velvet";
const CURVE: &str = "WimPd2udAU/1S/+YBpPbmr9L+0H5H+BnAVHSwDxlPGc";
const POINT: &str = "Bhbpt6hqMZlSH4sJV7xiEEEiPVeTWz4Vkujl1EMdIPI";

/// A session with these claims beside its key.
pub(super) fn session(room_id: &str, claims: &Value) -> (String, Value) {
    let session = GroupSession::new(SessionConfig::version_1());
    let key = InboundGroupSession::new(&session.session_key(), SessionConfig::version_1());
    let mut json = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": room_id,
        "sender_key": CURVE,
        "sender_claimed_keys": {"ed25519": POINT},
        "forwarding_curve25519_key_chain": [],
        "session_key": key.export_at_first_known_index().to_base64(),
    });
    for (name, claim) in claims.as_object().unwrap() {
        json[name] = claim.clone();
    }
    (session.session_id(), json)
}

#[test]
fn strictest_reader_takes_the_whole_file() {
    let ada = Ada::new();
    let room = ada.account.version(3).unwrap().rooms.keys().last().unwrap().clone();
    ada.lab.run(&ada.opens(&["restore", "--room", &room]));
    let odd = "not a room";
    // Claims, and the reason that has to be given, if any.
    let cases: [(&str, Value, Option<&str>); 9] = [
        ("!r:x", json!({}), None),
        ("!r:x", json!({"sender_key": ""}), Some("bad_sender_key")),
        ("!r:x", json!({"sender_key": "AAAA"}), Some("bad_sender_key")),
        ("!r:x", json!({"sender_claimed_keys": {"ed25519": "AAAA"}}), Some("bad_claim")),
        ("!r:x", json!({"sender_claimed_keys": {}}), None),
        ("!r:x", json!({"forwarding_curve25519_key_chain": ["x"]}), Some("bad_claim")),
        ("!r:x", json!({"m.shared_history": true, "shared_history": true}), None),
        ("!r:x", json!({"Session_Key": "x", "n": 1.5}), Some("bad_claim")),
        (odd, json!({}), Some("malformed")),
    ];
    let made: Vec<_> = cases
        .iter()
        .map(|(room_id, claims, reason)| (*room_id, session(room_id, claims), *reason))
        .collect();
    // A session of which there are two keys that do not connect: the ratchet of the second is another.
    let (twice, first) = session("!r:x", &json!({}));
    let mut bytes = keyhaul::base::base64::decode(first["session_key"].as_str().unwrap()).unwrap();
    bytes[40] ^= 1;
    let mut second = first.clone();
    second["session_key"] = keyhaul::base::base64::encode(&bytes).into();

    let list: Vec<String> = made
        .iter()
        .map(|(_, (_, json), _)| json)
        .chain([&first, &second])
        .map(Value::to_string)
        .collect();
    let file = ada.lab.path("home/odd.txt");
    fs::write(&file, locked(&list.join(","), WORDS)).unwrap();
    let file = file.to_str().unwrap();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let passphrase = format!("--passphrase-file={}", ada.lab.secret("words", WORDS));
    let told = ada.lab.json(&["import", file, &secret, &passphrase], 0);
    assert_eq!((&told["new"], &told["candidates"]), (&json!(10), &json!(1)));

    let out = ada.lab.path("home/out.txt").to_str().unwrap().to_owned();
    let told = ada
        .lab
        .json(&["export", &out, "--room=!r:x", &format!("--room={odd}"), &secret, &passphrase], 3);
    let mut expected: Vec<(String, String)> = made
        .iter()
        .filter_map(|(_, (id, _), reason)| Some((id.clone(), (*reason)?.to_owned())))
        .chain([(twice.clone(), "candidate".to_owned())])
        .collect();
    expected.sort();
    let left_out = told["left_out"].as_array().unwrap();
    let mut named: Vec<_> = left_out
        .iter()
        .map(|one| ["session_id", "reason"].map(|name| one[name].as_str().unwrap().to_owned()))
        .map(|[id, reason]| (id, reason))
        .collect();
    named.sort();
    assert_eq!(named, expected);
    assert_eq!(told["left_out_count"], expected.len());

    let text = fs::read_to_string(&out).unwrap();
    assert!(text.lines().all(|line| line.len() <= 128) && text.ends_with("-----\n"));
    let sessions: Vec<Value> = serde_json::from_str(&plaintext(&text, WORDS).unwrap()).unwrap();
    // All but three: two without a sender key, one in a room without an id.
    assert_eq!(sessions.len(), 7);
    assert_eq!(told["sessions"], 7);
    let known = [
        "algorithm",
        "forwarding_curve25519_key_chain",
        "org.matrix.msc3061.shared_history",
        "room_id",
        "sender_claimed_keys",
        "sender_key",
        "session_id",
        "session_key",
    ];
    for session in &sessions {
        let fields = session.as_object().unwrap();
        assert!(fields.keys().all(|name| known.contains(&name.as_str())), "{session}");
        assert_eq!(session["sender_key"], CURVE);
        assert_eq!(session["forwarding_curve25519_key_chain"], json!([]));
        assert!(fields.get("sender_claimed_keys").is_none_or(|c| *c == json!({"ed25519": POINT})));
    }
    let shared = sessions.iter().filter(|s| s["org.matrix.msc3061.shared_history"] == true);
    assert_eq!(shared.count(), 1);
    // Of the two keys, the one that the store prefers.
    let twice: Vec<_> = sessions.iter().filter(|s| s["session_id"] == twice.as_str()).collect();
    assert_eq!(twice.len(), 1);
}
