//! A room key: a session's key, the room it is for, and what its sender claimed beside it.
//!
//! Everything beside the key is a claim that nobody can check (SPEC §12.1). It is kept word for
//! word, because other clients want it back.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use thiserror::Error;
use zeroize::Zeroizing;

use super::session_key::{SessionId, SessionKey, SessionKeyFault};
use crate::base::{base64, shown::Shown};

/// The one megolm algorithm keyhaul reads.
pub const ALGORITHM: &str = "m.megolm.v1.aes-sha2";

/// What the sender claimed beside the key. The usual forms are kept as bytes, so that a key is small
/// in the store; `others` holds every other field word for word.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// `sender_key`: the sender's Curve25519 key, where it is canonical base64 of 32 bytes.
    pub sender_key: Option<[u8; 32]>,
    /// `sender_claimed_keys`, where it is `{"ed25519": <32 bytes>}` in canonical base64.
    pub ed25519: Option<[u8; 32]>,
    /// `forwarding_curve25519_key_chain` is there and empty.
    pub direct: bool,
    /// All other fields of the plaintext, as received, in their order.
    pub others: Vec<(String, Box<RawValue>)>,
}

/// One room key, checked as far as it can be without a message (SPEC §3.6).
pub struct RoomKey {
    /// The room of the map key under which the server holds it.
    pub room_id: String,
    /// The key itself; its session id is the public key inside.
    pub key: SessionKey,
    /// What was claimed beside it.
    pub claims: Claims,
}

/// Why a plaintext is no usable room key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RoomKeyFault {
    /// Not a JSON object.
    #[error("expected a JSON object inside, got other bytes")]
    NotJson,
    /// A field without which the key is useless.
    #[error("expected the field `{field}` as text, found none")]
    MissingField {
        /// The field's name.
        field: &'static str,
    },
    /// For another kind of room lock.
    #[error("expected algorithm {ALGORITHM}, got {algorithm}")]
    Algorithm {
        /// The algorithm's name.
        algorithm: Shown,
    },
    /// The session key is of an impossible form.
    #[error("session key: {0}")]
    SessionKey(#[from] SessionKeyFault),
    /// The key inside belongs to another session than the map key or the plaintext says.
    #[error("expected session {expected}, the key inside is of session {got}")]
    IdMismatch {
        /// The session that was named.
        expected: Shown,
        /// The session of the key inside.
        got: SessionId,
    },
    /// The plaintext names another room than the map key.
    #[error("expected room {expected}, the key says {got}")]
    RoomMismatch {
        /// The room of the map key.
        expected: Shown,
        /// The room that the plaintext names.
        got: Shown,
    },
}

impl RoomKeyFault {
    /// The stable word of the JSON contract (DESIGN §5).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotJson => "corrupt",
            Self::MissingField { .. } => "missing_field",
            Self::Algorithm { .. } => "algorithm",
            Self::SessionKey(_) => "session_key",
            Self::IdMismatch { .. } => "id_mismatch",
            Self::RoomMismatch { .. } => "room_mismatch",
        }
    }
}

impl RoomKey {
    /// Reads the plaintext of an entry that stands under `room_id` and `session_id`.
    pub fn parse(plaintext: &[u8], room_id: &str, session_id: &str) -> Result<Self, RoomKeyFault> {
        Self::read(plaintext, Some(room_id), Some(session_id))
    }

    /// Reads a session of a key file, which has to name its room itself. A session id that it names
    /// must be that of the key; without one the key says it.
    pub fn parse_exported(json: &[u8]) -> Result<Self, RoomKeyFault> {
        Self::read(json, None, None)
    }

    fn read(
        plaintext: &[u8],
        room_id: Option<&str>,
        session_id: Option<&str>,
    ) -> Result<Self, RoomKeyFault> {
        let fields: Fields<'_> =
            serde_json::from_slice(plaintext).map_err(|_| RoomKeyFault::NotJson)?;
        let mut algorithm = None;
        let mut session_key = None;
        let mut inner_session = None;
        let mut inner_room = None;
        let mut claims = Claims::default();
        for (name, raw) in fields.0 {
            match name.as_ref() {
                "algorithm" => algorithm = text(raw),
                "session_key" => session_key = text(raw),
                "session_id" => inner_session = text(raw),
                "room_id" => inner_room = text(raw),
                _ => claims.keep(&name, raw),
            }
        }
        let algorithm = algorithm.ok_or(RoomKeyFault::MissingField { field: "algorithm" })?;
        if algorithm.as_str() != ALGORITHM {
            return Err(RoomKeyFault::Algorithm { algorithm: Shown::limited(&algorithm, 80) });
        }
        let session_key = session_key.ok_or(RoomKeyFault::MissingField { field: "session_key" })?;
        let key = SessionKey::from_base64(&session_key)?;
        let got = key.session_id();
        let named = [session_id, inner_session.as_ref().map(|id| id.as_str())];
        for expected in named.into_iter().flatten() {
            if SessionId::parse(expected) != Some(got) {
                return Err(RoomKeyFault::IdMismatch {
                    expected: Shown::limited(expected, 80),
                    got,
                });
            }
        }
        let inner_room = inner_room.as_ref().map(|room| room.as_str());
        let room_id = room_id.or(inner_room);
        let room_id = room_id.ok_or(RoomKeyFault::MissingField { field: "room_id" })?;
        if let Some(inner) = inner_room
            && inner != room_id
        {
            return Err(RoomKeyFault::RoomMismatch {
                expected: Shown::limited(room_id, 80),
                got: Shown::limited(inner, 80),
            });
        }
        Ok(Self { room_id: room_id.to_owned(), key, claims })
    }

    /// The session's id.
    pub fn session_id(&self) -> SessionId {
        self.key.session_id()
    }

    /// The plaintext again, with all spec-required fields (SPEC §3.7), for sealing and key files.
    pub fn to_plaintext(&self) -> Zeroizing<String> {
        // With this room the text never moves: what it leaves behind when it does is not wiped. Every
        // byte of a name can become six in JSON.
        let others =
            self.claims.others.iter().map(|(name, raw)| 6 * name.len() + raw.get().len() + 4);
        let mut json = Zeroizing::new(String::with_capacity(640 + others.sum::<usize>()));
        json.push_str("{\"algorithm\":\"");
        json.push_str(ALGORITHM);
        json.push('"');
        self.claims.write(&mut json);
        json.push_str(",\"session_key\":\"");
        json.push_str(self.key.to_base64().expose());
        json.push_str("\"}");
        json
    }
}

impl Claims {
    /// Keeps one field: as bytes where that says the same, else word for word. Of duplicates the
    /// first one counts: written twice, a strict reader would refuse a whole key file for it.
    fn keep(&mut self, name: &str, raw: &RawValue) {
        let known = match name {
            "sender_key" => self.sender_key.is_some(),
            "sender_claimed_keys" => self.ed25519.is_some(),
            "forwarding_curve25519_key_chain" => self.direct,
            _ => false,
        };
        if known || self.others.iter().any(|(known, _)| known == name) {
            return;
        }
        let kept_as_bytes = match name {
            "sender_key" => {
                self.sender_key = canonical_key(raw);
                self.sender_key.is_some()
            }
            "sender_claimed_keys" => {
                self.ed25519 = only_ed25519(raw);
                self.ed25519.is_some()
            }
            "forwarding_curve25519_key_chain" => {
                self.direct = raw.get() == "[]";
                self.direct
            }
            _ => false,
        };
        if !kept_as_bytes {
            self.others.push((name.to_owned(), raw.to_owned()));
        }
    }

    /// Writes all claims as JSON members, each with a comma before it. Fields that the spec requires
    /// and nobody gave are written empty.
    pub fn write(&self, json: &mut String) {
        let given = |name: &str| self.others.iter().any(|(known, _)| known == name);
        if self.direct || !given("forwarding_curve25519_key_chain") {
            json.push_str(",\"forwarding_curve25519_key_chain\":[]");
        }
        match self.ed25519 {
            Some(key) => {
                let key = base64::encode(&key);
                json.push_str(&format!(",\"sender_claimed_keys\":{{\"ed25519\":\"{key}\"}}"));
            }
            None if !given("sender_claimed_keys") => json.push_str(",\"sender_claimed_keys\":{}"),
            None => {}
        }
        match self.sender_key {
            Some(key) => json.push_str(&format!(",\"sender_key\":\"{}\"", base64::encode(&key))),
            None if !given("sender_key") => json.push_str(",\"sender_key\":\"\""),
            None => {}
        }
        for (name, raw) in &self.others {
            json.push(',');
            json.push_str(&serde_json::Value::from(name.as_str()).to_string());
            json.push(':');
            json.push_str(raw.get());
        }
    }
}

/// All members of an object in their order, duplicates included.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((name, raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, raw));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Fields)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text of a JSON string; wiped when dropped, because it may be the session key.
fn text(raw: &RawValue) -> Option<Zeroizing<String>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(raw.get()).ok().map(Zeroizing::new);
    }
    Some(Zeroizing::new(inner.to_owned()))
}

/// 32 bytes, if writing them again gives the very same JSON.
fn canonical_key(raw: &RawValue) -> Option<[u8; 32]> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    let key = base64::decode_exact(inner)?;
    (base64::encode(&key) == inner).then_some(key)
}

fn only_ed25519(raw: &RawValue) -> Option<[u8; 32]> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Claimed<'a> {
        #[serde(borrow)]
        ed25519: &'a RawValue,
    }
    // serde would take a list of one key for the object, too.
    let object = Some(raw.get()).filter(|raw| raw.starts_with('{'))?;
    canonical_key(serde_json::from_str::<Claimed<'_>>(object).ok()?.ed25519)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AQAAAABXGO+Z9jlQJhIL6ByhXrv2BwCIxkhh7MXpKLsYmXkJcWrQlirmXmD79ga1zo+I4DCtEZzyGSpDWXBC6G7ez3H4gDMBam1RE3Jm5tc+oTlIri32UkYgSL0kBkcEnttqmIXBlK8tAfJo3cJnlh7F4ltEOAqrdME6dU0zXTkqXmURqYqXSOmbP+w8xUxIYgNohmjA3x5CGApXql0+i/uXtf3K";
    const ID: &str = "ipdI6Zs/7DzFTEhiA2iGaMDfHkIYCleqXT6L+5e1/co";

    #[test]
    fn fields_survive_word_for_word() {
        let plaintext = format!(
            r#"{{"algorithm":"{ALGORITHM}","sender_key":"odd","sender_claimed_keys":{{"ed25519":"x","y":1}},"forwarding_curve25519_key_chain":["a"],"session_key":"{KEY}","m.shared_history":true,"n":1.50}}"#
        );
        let key = RoomKey::parse(plaintext.as_bytes(), "!r:x", ID).unwrap();
        let again = key.to_plaintext();
        let sorted = |json: &str| {
            let map: std::collections::BTreeMap<String, Box<RawValue>> =
                serde_json::from_str(json).unwrap();
            map.into_iter().map(|(name, raw)| (name, raw.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(sorted(&plaintext), sorted(&again));
    }

    #[test]
    fn each_check_names_its_reason() {
        let with = |more: &str| {
            let json = format!(r#"{{"algorithm":"{ALGORITHM}","session_key":"{KEY}"{more}}}"#);
            RoomKey::parse(json.as_bytes(), "!r:x", ID).map(|key| key.session_id().to_string())
        };
        assert_eq!(with("").unwrap(), ID);
        assert_eq!(with(r#","session_id":null,"room_id":"!r:x""#).unwrap(), ID);
        let room = with(r#","room_id":"!other:x""#).unwrap_err();
        assert!(matches!(room, RoomKeyFault::RoomMismatch { .. }), "{room}");
        let session = with(r#","session_id":"AAAA""#).unwrap_err();
        assert!(matches!(session, RoomKeyFault::IdMismatch { .. }), "{session}");
        let parse = |json: &str| RoomKey::parse(json.as_bytes(), "!r:x", ID).map(|_| ());
        assert_eq!(parse("[]"), Err(RoomKeyFault::NotJson));
        let v2 = r#"{"algorithm":"m.megolm.v2.aes-sha2"}"#;
        assert!(matches!(parse(v2), Err(RoomKeyFault::Algorithm { .. })));
        let none = format!(r#"{{"algorithm":"{ALGORITHM}"}}"#);
        assert_eq!(parse(&none), Err(RoomKeyFault::MissingField { field: "session_key" }));
    }
}
