//! Messages opened with room keys: the vectors of other implementations (SPEC §10.6), each with what
//! must refuse it, and everything that real clients wrote in the fixtures.

use keyhaul::{
    base::base64,
    megolm::{
        message::{EncryptedMessage, MessageFault},
        session_key::SessionKey,
    },
};
use serde_json::{Value, json};
use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};

const ROOM: &str = "!room:id";

fn vectors() -> (Value, Value) {
    let all: Value = serde_json::from_str(include_str!("../cases/vectors/megolm.json")).unwrap();
    (all[0].clone(), all[1].clone())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn content(change: impl FnOnce(&mut Value)) -> String {
    let (key, event) = vectors();
    let mut content = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "ciphertext": event["event_ciphertext"],
        "session_id": key["session_id"],
        "sender_key": "not looked at",
        "device_id": 7,
    });
    change(&mut content);
    content.to_string()
}

fn message(change: impl FnOnce(&mut Value)) -> Result<EncryptedMessage, MessageFault> {
    EncryptedMessage::parse(&content(change))
}

fn key(field: &Value) -> SessionKey {
    SessionKey::from_base64(text(field)).unwrap()
}

fn fault(message: &EncryptedMessage, key: &SessionKey, room: &str) -> MessageFault {
    message.open(key, room).map(|_| ()).unwrap_err()
}

#[test]
fn the_known_message_opens() {
    let (vector, event) = vectors();
    let message = message(|_| {}).unwrap();
    assert_eq!(message.session().to_string(), text(&vector["session_id"]));
    assert_eq!(u64::from(message.index()), event["message_index"].as_u64().unwrap());
    let opened = message.open(&key(&vector["session_key_index0"]), ROOM).unwrap();
    let expected: Value = serde_json::from_str(text(&event["plaintext"])).unwrap();
    let content: Value = serde_json::from_str(opened.content.expose()).unwrap();
    assert_eq!((json!(opened.kind), &content), (expected["type"].clone(), &expected["content"]));
}

#[test]
fn a_later_key_says_from_where_on_it_opens() {
    let (vector, _) = vectors();
    let message = message(|_| {}).unwrap();
    for (first, later) in vector["ratcheted"].as_object().unwrap() {
        let first = first.parse().unwrap();
        assert_eq!(
            fault(&message, &key(later), ROOM),
            MessageFault::StartsLater { first, index: 0 }
        );
    }
}

#[test]
fn a_wrong_ratchet_is_found_by_the_message() {
    let (vector, _) = vectors();
    let mut bytes = base64::decode(text(&vector["session_key_index0"])).unwrap();
    bytes[20] ^= 1;
    let forged = SessionKey::from_bytes(&bytes).unwrap();
    assert_eq!(forged.session_id().to_string(), text(&vector["session_id"]));
    assert_eq!(fault(&message(|_| {}).unwrap(), &forged, ROOM), MessageFault::Mac);
}

#[test]
fn a_changed_message_does_not_open() {
    let (vector, event) = vectors();
    let key = key(&vector["session_key_index0"]);
    let bytes = base64::decode(text(&event["event_ciphertext"])).unwrap();
    // In the number, in the locked text, in the tag, in the signature.
    for place in [2, 40, bytes.len() - 70, bytes.len() - 10] {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        let message = message(|content| content["ciphertext"] = base64::encode(&bytes).into());
        assert_eq!(fault(&message.unwrap(), &key, ROOM), MessageFault::Signature, "{place}");
    }
}

#[test]
fn a_message_of_another_room_or_session_is_refused() {
    let (vector, _) = vectors();
    let known = key(&vector["session_key_index0"]);
    assert_eq!(fault(&message(|_| {}).unwrap(), &known, "!other:id"), MessageFault::OtherRoom);
    let other = base64::encode(&[7; 32]);
    let message = message(|content| content["session_id"] = other.into()).unwrap();
    assert!(matches!(fault(&message, &known, ROOM), MessageFault::OtherSession { .. }));
}

#[test]
fn what_is_no_message_is_told_apart() {
    let unknown = |name: Value| {
        matches!(message(|c| c["algorithm"] = name).unwrap_err(), MessageFault::Algorithm { .. })
    };
    assert!(unknown(json!("m.olm.v1.curve25519-aes-sha2")) && unknown(json!(null)));
    assert!(unknown(json!("m.megolm.v2.aes-sha2")) && unknown(json!(["m.megolm.v1.aes-sha2"])));
    let malformed = |field: &str, value: Value| {
        matches!(message(|c| c[field] = value).unwrap_err(), MessageFault::Malformed { .. })
    };
    for value in [json!(null), json!(7), json!("!"), json!(""), json!("AAAA"), json!({})] {
        assert!(malformed("ciphertext", value.clone()), "{value}");
        assert!(malformed("session_id", value.clone()), "{value}");
    }
    // A version of the form that nobody uses, and a message without its parts.
    for bytes in [vec![9; 100], vec![3; 74], vec![3; 73], [&[3, 8, 255][..], &[255; 90]].concat()] {
        assert!(malformed("ciphertext", base64::encode(&bytes).into()), "{bytes:?}");
    }
    for content in ["", "[]", "7", "null", "{", "\"x\""] {
        let fault = EncryptedMessage::parse(content).unwrap_err();
        assert!(matches!(fault, MessageFault::Malformed { .. }), "{content}");
    }
    let large = "A".repeat(300 << 10);
    let fault = message(|content| content["ciphertext"] = large.into()).unwrap_err();
    assert!(matches!(fault, MessageFault::TooLarge { .. }), "{fault}");
}

/// Everything that real clients wrote opens with the keys that they put into their backups.
#[test]
fn messages_of_real_clients_open() {
    let fixtures = [
        include_str!("../fixtures/backup-modern.json"),
        include_str!("../fixtures/backup-passphrase.json"),
        include_str!("../fixtures/backup-legacy.json"),
        include_str!("../fixtures/backup-legacy-passphrase.json"),
    ];
    let (mut opened, mut late) = (0, 0);
    for fixture in fixtures {
        let fixture: Value = serde_json::from_str(fixture).unwrap();
        let sessions = fixture["sessions"].as_array().unwrap();
        for event in fixture["messages"].as_array().unwrap() {
            let message = EncryptedMessage::parse(&event["encrypted"].to_string()).unwrap();
            assert_eq!(message.session().to_string(), text(&event["session_id"]));
            let is_its = |session: &&Value| session["session_id"] == event["session_id"];
            let session = sessions.iter().find(is_its).unwrap();
            let first = session["first_known_index"].as_u64().unwrap() as u32;
            let key = key(&session["session_key"]);
            match message.open(&key, text(&event["room_id"])) {
                Ok(inside) => {
                    let content: Value = serde_json::from_str(inside.content.expose()).unwrap();
                    assert_eq!(content, event["plaintext"]["content"]);
                    assert_eq!(inside.kind, text(&event["plaintext"]["type"]));
                    opened += 1;
                }
                Err(fault) => {
                    let index = message.index();
                    assert_eq!(fault, MessageFault::StartsLater { first, index });
                    late += 1;
                }
            }
        }
    }
    assert_eq!(opened + late, 40);
    assert!(opened > 30, "{opened}");
}

/// A message that is genuine, and holds something that is none.
#[test]
fn what_is_inside_is_hostile_too() {
    let mut session = GroupSession::new(SessionConfig::version_1());
    let mut first = InboundGroupSession::from(&session);
    let key = SessionKey::from_bytes(&first.export_at(0).unwrap().to_bytes()).unwrap();
    let mut open = |inside: &[u8]| {
        let content = json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": session.encrypt(inside).to_base64(),
            "session_id": session.session_id(),
        });
        let message = EncryptedMessage::parse(&content.to_string()).unwrap();
        message.open(&key, ROOM).map(|opened| opened.kind)
    };
    let inside = |kind: Value, content: Value, room: Value| {
        json!({"type": kind, "content": content, "room_id": room, "more": [{}]}).to_string()
    };
    let good = inside(json!("m.x"), json!({"a": [1]}), json!(ROOM));
    assert_eq!(open(good.as_bytes()), Ok("m.x".to_owned()));
    for odd in [
        String::new(),
        "7".to_owned(),
        "[]".to_owned(),
        json!(["m.x", {}, ROOM]).to_string(),
        json!({"type": "m.x", "content": {}}).to_string(),
        inside(json!(7), json!({}), json!(ROOM)),
        inside(json!("m.x"), json!([]), json!(ROOM)),
        inside(json!("m.x"), json!("text"), json!(ROOM)),
        inside(json!("x".repeat(2_000)), json!({}), json!(ROOM)),
        inside(json!("m.x"), json!({}), json!(null)),
        good.replacen("m.x", "m.x\",\"type\":\"m.y", 1),
        "[".repeat(10_000),
    ] {
        assert_eq!(open(odd.as_bytes()), Err(MessageFault::Inside), "{odd:.80}");
    }
    assert_eq!(open(b"\xff\xfe"), Err(MessageFault::Inside));
    let other = inside(json!("m.x"), json!({}), json!("!room:id "));
    assert_eq!(open(other.as_bytes()), Err(MessageFault::OtherRoom));
}
