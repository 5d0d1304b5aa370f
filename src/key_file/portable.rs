//! What of a key may go into a key file, so that the strictest reader takes the whole file.
//!
//! matrix-sdk-crypto refuses a file for one field that it cannot read, and takes two spellings of one
//! field for the same field twice; matrix-nio refuses a file with empty claims; Go programs do not
//! tell capitals from small letters in names. So every field is written anew from checked bytes, once,
//! in the one form that all of them read; a key that cannot be put so is left out, and so is a claim.

use curve25519_dalek::edwards::CompressedEdwardsY;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    base::base64,
    megolm::room_key::{ALGORITHM, RoomKey},
};

/// Longest room id that every client takes, in bytes.
const ROOM_ID: usize = 255;
/// Most bytes of the fields that no client needs.
const OTHERS: usize = 2 << 10;
/// Deepest nesting in them.
const OTHERS_DEPTH: usize = 4;
/// Largest number that JavaScript reads exactly.
const LARGEST_NUMBER: i64 = (1 << 53) - 1;

const SENDER_KEY: &str = "sender_key";
const CLAIMED_KEYS: &str = "sender_claimed_keys";
const CHAIN: &str = "forwarding_curve25519_key_chain";
/// The spellings of one field, the oldest last: that one all readers know.
const SHARED_HISTORY: [&str; 3] =
    ["shared_history", "m.shared_history", "org.matrix.msc3061.shared_history"];

/// A key as it stands in a key file.
pub struct Portable {
    /// The JSON object.
    pub json: Zeroizing<String>,
    /// Names of claims that had to stay behind.
    pub dropped: Vec<String>,
}

/// Why a key would make some client refuse the whole file.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LeftOut {
    /// Its room has no id that clients take.
    #[error("expected a room id that begins with ! and has at most {ROOM_ID} bytes")]
    RoomId,
    /// Without a sender key of 32 bytes Element refuses the file.
    #[error("expected a sender key of 32 bytes, found none")]
    SenderKey,
}

impl LeftOut {
    /// The stable word of the JSON contract (DESIGN §5).
    pub fn reason(self) -> &'static str {
        match self {
            Self::RoomId => "malformed",
            Self::SenderKey => "bad_sender_key",
        }
    }
}

impl Portable {
    /// Puts a key into the form that every client reads.
    pub fn of(key: &RoomKey) -> Result<Self, LeftOut> {
        if !is_room_id(&key.room_id) {
            return Err(LeftOut::RoomId);
        }
        let mut claims = Claims::of(key);
        let sender_key = claims.sender_key().ok_or(LeftOut::SenderKey)?;
        let claimed = claims.claimed_keys();
        let chain = claims.chain();
        let shared = claims.shared_history();
        let others = claims.others();
        // With this room the text never moves, so no copy of the key is left behind.
        let room = 1_024 + 6 * key.room_id.len() + 48 * chain.len() + 8 * OTHERS;
        let mut json = Zeroizing::new(String::with_capacity(room));
        let text = |text: &str| Value::from(text).to_string();
        json.push_str(&format!("{{\"algorithm\":\"{ALGORITHM}\""));
        json.push_str(&format!(",\"room_id\":{}", text(&key.room_id)));
        json.push_str(&format!(",\"session_id\":\"{}\"", key.session_id()));
        json.push_str(&format!(",\"{SENDER_KEY}\":\"{}\"", base64::encode(&sender_key)));
        if let Some(ed25519) = claimed {
            let ed25519 = base64::encode(&ed25519);
            json.push_str(&format!(",\"{CLAIMED_KEYS}\":{{\"ed25519\":\"{ed25519}\"}}"));
        }
        let chain: Vec<String> = chain.iter().map(|key| text(&base64::encode(key))).collect();
        json.push_str(&format!(",\"{CHAIN}\":[{}]", chain.join(",")));
        if shared {
            json.push_str(",\"org.matrix.msc3061.shared_history\":true");
        }
        for (name, value) in others {
            json.push_str(&format!(",{}:{value}", text(&name)));
        }
        json.push_str(",\"session_key\":\"");
        json.push_str(key.key.to_base64().expose());
        json.push_str("\"}");
        Ok(Self { json, dropped: claims.dropped })
    }
}

fn is_room_id(id: &str) -> bool {
    id.len() > 1 && id.len() <= ROOM_ID && id.starts_with('!') && !id.contains('\0')
}

/// The claims of a key, taken apart one by one; what has to stay behind is noted.
struct Claims<'a> {
    key: &'a RoomKey,
    dropped: Vec<String>,
}

impl<'a> Claims<'a> {
    fn of(key: &'a RoomKey) -> Self {
        Self { key, dropped: Vec::new() }
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let others = self.key.claims.others.iter();
        others.filter(|(known, _)| known == name).map(|(_, raw)| &**raw).next()
    }

    fn drop(&mut self, name: &str) {
        self.dropped.push(name.to_owned());
    }

    /// The sender's key, in whatever spelling it was given.
    fn sender_key(&self) -> Option<[u8; 32]> {
        self.key.claims.sender_key.or_else(|| key_of(self.raw(SENDER_KEY)?))
    }

    /// The signing key, if it is one: a point of the curve. Other claimed keys have no use.
    fn claimed_keys(&mut self) -> Option<[u8; 32]> {
        #[derive(Deserialize)]
        struct Claimed<'a> {
            #[serde(borrow)]
            ed25519: &'a RawValue,
        }
        let raw = self.raw(CLAIMED_KEYS);
        let all = raw.and_then(|raw| serde_json::from_str::<Map<String, Value>>(raw.get()).ok());
        let key = self
            .key
            .claims
            .ed25519
            .or_else(|| key_of(serde_json::from_str::<Claimed<'_>>(raw?.get()).ok()?.ed25519));
        let key = key.filter(|key| CompressedEdwardsY(*key).decompress().is_some());
        let given = self.key.claims.ed25519.is_some()
            || all.as_ref().is_none_or(|all| !all.is_empty()) && raw.is_some();
        if given && (key.is_none() || all.is_some_and(|all| all.len() > 1)) {
            self.drop(CLAIMED_KEYS);
        }
        key
    }

    /// The devices that passed the key on, if all of them are named by keys.
    fn chain(&mut self) -> Vec<[u8; 32]> {
        let Some(raw) = self.raw(CHAIN) else { return Vec::new() };
        let texts: Vec<String> = serde_json::from_str(raw.get()).unwrap_or_default();
        let keys: Option<Vec<_>> =
            texts.iter().map(|text| base64::decode_exact::<32>(text)).collect();
        let keys = keys.filter(|keys| keys.len() <= OTHERS / 48).unwrap_or_default();
        if keys.is_empty() && raw.get() != "[]" {
            self.drop(CHAIN);
        }
        keys
    }

    /// Whether newcomers may be shown the history; yes only where every spelling says so.
    fn shared_history(&mut self) -> bool {
        let said = SHARED_HISTORY.map(|name| (name, self.raw(name).map(RawValue::get)));
        let mut shared = None;
        for (name, value) in said {
            match value {
                None => {}
                Some("true") => shared = shared.or(Some(true)),
                Some("false" | "null") => shared = Some(false),
                Some(_) => {
                    shared = Some(false);
                    self.drop(name);
                }
            }
        }
        shared == Some(true)
    }

    /// Fields that no client needs, as far as none can stumble over them.
    fn others(&mut self) -> Vec<(String, Value)> {
        let mut kept = Vec::new();
        let mut room = OTHERS;
        for (name, raw) in &self.key.claims.others {
            let known = [SENDER_KEY, CLAIMED_KEYS, CHAIN];
            if known.contains(&name.as_str()) || SHARED_HISTORY.contains(&name.as_str()) {
                continue;
            }
            let value = serde_json::from_str::<Value>(raw.get()).ok();
            let size = name.len() + raw.get().len();
            match value.filter(|value| {
                size <= room && !is_known_name(name) && is_harmless(value, OTHERS_DEPTH)
            }) {
                Some(value) => {
                    room -= size;
                    kept.push((name.clone(), value));
                }
                None => self.dropped.push(name.clone()),
            }
        }
        kept
    }
}

/// A key of 32 bytes in a JSON text.
fn key_of(raw: &RawValue) -> Option<[u8; 32]> {
    base64::decode_exact(&serde_json::from_str::<String>(raw.get()).ok()?)
}

/// Says whether a reader that does not tell capitals from small letters would take it for another.
fn is_known_name(name: &str) -> bool {
    let known = [
        "algorithm",
        "room_id",
        "session_id",
        "session_key",
        SENDER_KEY,
        CLAIMED_KEYS,
        CHAIN,
        "sender_claimed_ed25519_key",
    ];
    let all = known.iter().chain(&SHARED_HISTORY);
    all.into_iter().any(|known| known.eq_ignore_ascii_case(name)) || name.contains('\0')
}

fn is_harmless(value: &Value, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|n| n.abs() <= LARGEST_NUMBER),
        Value::Array(values) => {
            depth > 0 && values.iter().all(|value| is_harmless(value, depth - 1))
        }
        Value::Object(members) => {
            depth > 0 && members.values().all(|value| is_harmless(value, depth - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AQAAAABXGO+Z9jlQJhIL6ByhXrv2BwCIxkhh7MXpKLsYmXkJcWrQlirmXmD79ga1zo+I4DCtEZzyGSpDWXBC6G7ez3H4gDMBam1RE3Jm5tc+oTlIri32UkYgSL0kBkcEnttqmIXBlK8tAfJo3cJnlh7F4ltEOAqrdME6dU0zXTkqXmURqYqXSOmbP+w8xUxIYgNohmjA3x5CGApXql0+i/uXtf3K";
    const ID: &str = "ipdI6Zs/7DzFTEhiA2iGaMDfHkIYCleqXT6L+5e1/co";
    const CURVE: &str = "WimPd2udAU/1S/+YBpPbmr9L+0H5H+BnAVHSwDxlPGc";
    const POINT: &str = "Bhbpt6hqMZlSH4sJV7xiEEEiPVeTWz4Vkujl1EMdIPI";

    fn portable(room_id: &str, more: &str) -> Result<(Value, Vec<String>), LeftOut> {
        let json = format!(r#"{{"algorithm":"{ALGORITHM}","session_key":"{KEY}"{more}}}"#);
        let key = RoomKey::parse(json.as_bytes(), room_id, ID).unwrap();
        let Portable { json, dropped } = Portable::of(&key)?;
        Ok((serde_json::from_str(&json).unwrap(), dropped))
    }

    fn with(more: &str) -> (Value, Vec<String>) {
        portable("!r:x", &format!(r#","sender_key":"{CURVE}"{more}"#)).unwrap()
    }

    #[test]
    fn a_usual_key_is_written_whole() {
        let claims = format!(
            r#","sender_claimed_keys":{{"ed25519":"{POINT}"}},"{CHAIN}":["{CURVE}="],"m.shared_history":true"#
        );
        let expected = serde_json::json!({
            "algorithm": ALGORITHM,
            "room_id": "!r:x",
            "session_id": ID,
            "sender_key": CURVE,
            "sender_claimed_keys": {"ed25519": POINT},
            "forwarding_curve25519_key_chain": [CURVE],
            "org.matrix.msc3061.shared_history": true,
            "session_key": KEY,
        });
        assert_eq!(with(&claims), (expected, vec![]));
    }

    #[test]
    fn keys_that_a_client_would_stumble_over_are_left_out() {
        let sender = |key: &str| portable("!r:x", &format!(r#","sender_key":{key}"#)).map(|_| ());
        for key in [r#""""#, "null", r#""AAAA""#, "7"] {
            assert_eq!(sender(key), Err(LeftOut::SenderKey), "{key}");
        }
        assert_eq!(portable("!r:x", "").map(|_| ()), Err(LeftOut::SenderKey));
        // Another spelling of the same 32 bytes is written as clients want it.
        assert_eq!(sender(&format!("\"{CURVE}=\"")), Ok(()));
        let long = format!("!{}", "r".repeat(ROOM_ID));
        for room in ["", "!", "r:x", "!r\0:x", &long] {
            assert_eq!(portable(room, "").map(|_| ()), Err(LeftOut::RoomId), "{room}");
        }
    }

    #[test]
    fn bad_claims_stay_behind_and_are_named() {
        let dropped = |more: &str| with(more).1;
        let no_point = base64::encode(&[2; 32]);
        assert!(CompressedEdwardsY([2; 32]).decompress().is_none());
        for claimed in [
            format!(r#"{{"ed25519":"{no_point}"}}"#),
            r#"{"ed25519":"short"}"#.to_owned(),
            r#"{"ed25519":7}"#.to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
        ] {
            let (json, dropped) = with(&format!(r#","sender_claimed_keys":{claimed}"#));
            assert_eq!(
                (json.get(CLAIMED_KEYS), dropped.as_slice()),
                (None, &[CLAIMED_KEYS.to_owned()][..]),
                "{claimed}"
            );
        }
        assert!(dropped(r#","sender_claimed_keys":{}"#).is_empty());
        for chain in [r#"["short"]"#, "7", r#"{"a":1}"#, "null"] {
            let (json, dropped) = with(&format!(r#","{CHAIN}":{chain}"#));
            assert_eq!((&json[CHAIN], dropped), (&serde_json::json!([]), vec![CHAIN.to_owned()]));
        }
        for name in SHARED_HISTORY {
            assert_eq!(dropped(&format!(r#","{name}":"yes""#)), [name]);
        }
    }

    #[test]
    fn the_spellings_of_one_field_become_one() {
        let shared = |more: &str| with(more).0["org.matrix.msc3061.shared_history"] == true;
        assert!(shared(r#","shared_history":true,"m.shared_history":true"#));
        assert!(!shared(r#","shared_history":true,"m.shared_history":false"#));
        assert!(!shared(""));
    }

    #[test]
    fn fields_that_nobody_needs_stay_if_they_are_harmless() {
        let (json, dropped) = with(r#","untrusted":true,"n":{"a":[1,"x",null]},"Room_ID":"!o:x""#);
        assert_eq!((&json["untrusted"], &json["n"]["a"][1]), (&true.into(), &"x".into()));
        assert_eq!(dropped, ["Room_ID"]);
        let deep = format!("{}1{}", "[".repeat(9), "]".repeat(9));
        let wide = format!("\"{}\"", "x".repeat(OTHERS));
        for value in ["1.5", "9007199254740992", "1e400", "\"\\ud800\"", &deep, &wide] {
            let (json, dropped) = with(&format!(r#","odd":{value}"#));
            assert_eq!((json.get("odd"), dropped), (None, vec!["odd".to_owned()]), "{value}");
        }
    }
}
