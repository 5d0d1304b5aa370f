//! An app of somebody who writes in a room: what it sends, and the keys that it puts into a backup.

use keyhaul::{
    backup::{encryption::seal, version::PublicKey},
    base::random::SystemRandom,
    demo::account::Account,
    megolm::room_key::ALGORITHM,
};
use serde_json::{Value, json};
use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};

use crate::program::backup_key;

/// One session of an app.
pub(crate) struct App {
    room_id: String,
    session: GroupSession,
    first: InboundGroupSession,
}

impl App {
    pub(crate) fn new(room_id: &str) -> Self {
        let session = GroupSession::new(SessionConfig::version_1());
        let first = InboundGroupSession::from(&session);
        Self { room_id: room_id.to_owned(), session, first }
    }

    pub(crate) fn session_id(&self) -> String {
        self.session.session_id()
    }

    /// The content of an encrypted text.
    pub(crate) fn says(&mut self, body: &str) -> Value {
        self.sends("m.room.message", &json!({"msgtype": "m.text", "body": body}), None)
    }

    /// The content of any encrypted event; a relation stands outside of the lock.
    pub(crate) fn sends(&mut self, kind: &str, content: &Value, relation: Option<Value>) -> Value {
        let inside = json!({"type": kind, "content": content, "room_id": self.room_id});
        let mut content = json!({
            "algorithm": ALGORITHM,
            "ciphertext": self.session.encrypt(inside.to_string()).to_base64(),
            "session_id": self.session_id(),
        });
        if let Some(relation) = relation {
            content["m.relates_to"] = relation;
        }
        content
    }

    /// A new text for an event.
    pub(crate) fn edits(&mut self, event_id: &str, body: &str) -> Value {
        let content = json!({
            "msgtype": "m.text",
            "body": format!("* {body}"),
            "m.new_content": {"msgtype": "m.text", "body": body},
        });
        let relation = json!({"rel_type": "m.replace", "event_id": event_id});
        self.sends("m.room.message", &content, Some(relation))
    }

    /// The entry of a backup with the session's key from this message on.
    pub(crate) fn entry(&mut self, public_key: PublicKey, first: u32) -> Value {
        let export = self.first.export_at(first).unwrap().to_bytes();
        self.entry_of(public_key, &export)
    }

    /// The same with a ratchet that is not the session's.
    pub(crate) fn forged_entry(&mut self, public_key: PublicKey) -> Value {
        let mut export = self.first.export_at(0).unwrap().to_bytes();
        export[20] ^= 1;
        self.entry_of(public_key, &export)
    }

    fn entry_of(&self, public_key: PublicKey, export: &[u8]) -> Value {
        let plaintext = json!({
            "algorithm": ALGORITHM,
            "forwarding_curve25519_key_chain": [],
            "sender_claimed_keys": {},
            "sender_key": keyhaul::base::base64::encode(&[9; 32]),
            "session_key": keyhaul::base::base64::encode(export),
        });
        let data = seal(plaintext.to_string().as_bytes(), public_key, &mut SystemRandom).unwrap();
        json!({
            "first_message_index": 0,
            "forwarded_count": 0,
            "is_verified": false,
            "session_data": data,
        })
    }

    /// Puts an entry into a backup of the story's account.
    pub(crate) fn put(&self, account: &mut Account, version: u64, entry: &Value) {
        let version = account.versions.get_mut(&version).unwrap().as_mut().unwrap();
        let room = version.rooms.entry(self.room_id.clone()).or_default();
        room.insert(self.session_id(), entry.to_string().into());
    }

    /// Puts the key into the story's current backup, from this message on.
    pub(crate) fn keep(&mut self, account: &mut Account, first: u32) {
        let entry = self.entry(backup_key().public_key(), first);
        self.put(account, 3, &entry);
    }
}

/// An event as a server shows it, some seconds after the one before.
pub(crate) fn event(number: u64, sender: &str, kind: &str, content: Value) -> Value {
    json!({
        "event_id": format!("$event{number}"),
        "origin_server_ts": 1_795_000_000_000_u64 + number * 7_000,
        "sender": sender,
        "type": kind,
        "content": content,
        "unsigned": {"membership": "join"},
    })
}

/// An encrypted event.
pub(crate) fn locked(number: u64, sender: &str, content: Value) -> Value {
    event(number, sender, "m.room.encrypted", content)
}
