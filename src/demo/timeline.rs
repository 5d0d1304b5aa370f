//! A room's events as the server holds them: made of a conversation when somebody first asks for them,
//! and really locked.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    chats::{Chat, Key, Line, What},
    forge::lock_message,
    random::Seeded,
    stories::Story,
};
use crate::{base::base64, megolm::room_key::ALGORITHM};

/// The events of a room, the oldest first; clones are the same.
#[derive(Clone)]
pub struct Timeline(Arc<Events>);

struct Events {
    script: Option<Script>,
    made: OnceLock<Vec<Value>>,
}

/// A conversation, and what is needed to lock it.
pub(super) struct Script {
    pub(super) chat: &'static Chat,
    pub(super) room_id: String,
    pub(super) seed: Seeded,
    pub(super) sessions: Sessions,
}

/// Sessions of a room by what the backups hold of them, by their numbers.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    /// Held from the first message on.
    pub(super) held: Vec<u64>,
    /// Held from a later message on, and which that is.
    pub(super) late: Option<(u64, u32)>,
    /// Held by the older version only.
    pub(super) older: Option<u64>,
    /// Held, and damaged.
    pub(super) damaged: Option<u64>,
    /// Held nowhere.
    pub(super) nowhere: u64,
}

impl Timeline {
    /// These very events, as the server shows them.
    pub fn of(events: Vec<Value>) -> Self {
        Self(Arc::new(Events { script: None, made: OnceLock::from(events) }))
    }

    pub(super) fn planned(script: Script) -> Self {
        Self(Arc::new(Events { script: Some(script), made: OnceLock::new() }))
    }

    /// The events. The first call locks them, which takes some milliseconds.
    pub fn events(&self) -> &[Value] {
        let script = || self.0.script.as_ref().map(Script::events).unwrap_or_default();
        self.0.made.get_or_init(script)
    }
}

impl Script {
    fn events(&self) -> Vec<Value> {
        let mut lock = Locks { script: self, used: HashMap::new(), next: 0 };
        let numbered = self.chat.lines.iter().enumerate();
        numbered.map(|(number, line)| self.event(number, line, &mut lock)).collect()
    }

    fn event(&self, number: usize, line: &Line, locks: &mut Locks<'_>) -> Value {
        let (kind, inside, outside) = self.contents(number, line);
        let (kind, content, redacted) = match (&line.what, line.key) {
            // Locked once; the server keeps nothing of it.
            (What::Deleted, _) => ("m.room.encrypted", json!({}), true),
            (What::Reaction(..), _) | (_, Key::NeverLocked) => (kind, inside, false),
            _ => {
                let plaintext = json!({ "type": kind, "content": inside, "room_id": self.room_id });
                let (session_id, ciphertext) = locks.lock(line, &plaintext.to_string());
                let mut content = json!({
                    "algorithm": ALGORITHM,
                    "ciphertext": ciphertext,
                    "session_id": session_id,
                });
                if let (Some(relation), Value::Object(content)) = (outside, &mut content) {
                    content.insert("m.relates_to".to_owned(), relation);
                }
                ("m.room.encrypted", content, false)
            }
        };
        let at = time(line);
        let mut unsigned = json!({ "membership": "join" });
        if let (true, Value::Object(unsigned)) = (redacted, &mut unsigned) {
            let because = json!({
                "type": "m.room.redaction",
                "sender": line.from,
                "origin_server_ts": at + 30_000,
                "content": {},
                "redacts": self.event_id(number),
            });
            unsigned.insert("redacted_because".to_owned(), because);
        }
        json!({
            "type": kind,
            "content": content,
            "sender": line.from,
            "room_id": self.room_id,
            "event_id": self.event_id(number),
            "origin_server_ts": at,
            "unsigned": unsigned,
        })
    }

    /// Type and content of a line, and the relation that stands outside of the lock.
    fn contents(&self, number: usize, line: &Line) -> (&'static str, Value, Option<Value>) {
        let before = |steps: usize| self.event_id(number.saturating_sub(steps));
        let text = |text: &str| json!({ "msgtype": "m.text", "body": text });
        let file = |kind: &str, name: &str, size: u64| json!({ "msgtype": kind, "body": name, "filename": name, "info": { "size": size } });
        let (content, relation) = match line.what {
            What::Text(said) => (text(said), None),
            What::Answer(steps, said) => {
                (text(said), Some(json!({ "m.in_reply_to": { "event_id": before(steps) } })))
            }
            What::Edit(steps, said) => {
                let mut content = text(&format!("* {said}"));
                if let Value::Object(content) = &mut content {
                    content.insert("m.new_content".to_owned(), text(said));
                }
                (content, Some(json!({ "rel_type": "m.replace", "event_id": before(steps) })))
            }
            What::Photo(name, size) => (file("m.image", name, size), None),
            What::File(name, size) => (file("m.file", name, size), None),
            What::Reaction(steps, sign) => {
                let relation =
                    json!({ "rel_type": "m.annotation", "event_id": before(steps), "key": sign });
                return ("m.reaction", json!({ "m.relates_to": relation }), None);
            }
            What::Deleted => (json!({}), None),
        };
        ("m.room.message", content, relation)
    }

    fn event_id(&self, number: usize) -> String {
        let digest = Sha256::new()
            .chain_update("event")
            .chain_update(&self.room_id)
            .chain_update(number.to_be_bytes());
        let id = base64::encode(&digest.finalize()).replace('+', "-").replace('/', "_");
        format!("${id}")
    }
}

/// When a line was written, in milliseconds since 1970.
fn time(line: &Line) -> i64 {
    let today = Story::NOW.as_second().div_euclid(86_400);
    let minutes = line.time / 100 * 60 + line.time % 100;
    ((today - line.day) * 86_400 + minutes * 60) * 1_000
}

/// Which session each person uses for what, and how far each has come.
struct Locks<'a> {
    script: &'a Script,
    used: HashMap<(&'static str, Key, i64), (u64, u32)>,
    /// How many of the held sessions are in use.
    next: usize,
}

impl Locks<'_> {
    fn lock(&mut self, line: &Line, plaintext: &str) -> (String, String) {
        // Apps take a new session once a week.
        let which = (line.from, line.key, line.day / 7);
        let (number, index) = match self.used.get(&which) {
            Some(used) => *used,
            None => self.new_session(line.key),
        };
        self.used.insert(which, (number, index + 1));
        lock_message(&self.script.seed, number, index, plaintext)
    }

    /// A session, and the number of its first message in this conversation.
    fn new_session(&mut self, key: Key) -> (u64, u32) {
        let Sessions { held, late, older, damaged, nowhere } = &self.script.sessions;
        let known = match key {
            Key::Late => late.map(|(session, first)| (session, first.saturating_sub(2))),
            Key::Older => older.map(|session| (session, 0)),
            Key::Damaged => damaged.map(|session| (session, 0)),
            Key::Nowhere => Some((*nowhere, 0)),
            Key::Held | Key::NeverLocked => {
                self.next += 1;
                held.get(self.next - 1).map(|session| (*session, 0))
            }
        };
        known.unwrap_or((*nowhere, 0))
    }
}
