//! One entry of a backup as the server keeps it: readable metadata and three sealed parts.
//!
//! The metadata is outside the lock, so it may lie (SPEC §2, §12.2); it serves counting only.
//! Every reader here is tolerant: real backups hold numbers as text, floats and nulls.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::base::limits;

/// An entry found in a body, not yet parsed: where it stands and its raw JSON.
#[derive(Clone, Copy, Debug)]
pub struct RawEntry<'a> {
    /// The room of the map key.
    pub room_id: &'a str,
    /// The session of the map key.
    pub session_id: &'a str,
    /// The entry's JSON, or what came of it where `fault` says why it is not whole.
    pub json: &'a [u8],
    /// Why the entry cannot be used, if the scanner saw it already.
    pub fault: Option<EntryFault>,
}

/// What makes an entry unusable before it is even parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// Larger than [`limits::ENTRY`]; its bytes were not kept.
    TooLarge,
    /// Nested deeper than [`limits::JSON_DEPTH`].
    TooDeep,
    /// Its room or session id is no text or longer than [`limits::NAME`].
    BadName,
}

/// The readable metadata of an entry; `None` where it is missing or makes no sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// First message the key opens, as its uploader said.
    pub first_message_index: Option<u64>,
    /// How often the key was passed on, as its uploader said.
    pub forwarded_count: Option<u64>,
    /// Whether the uploader had verified the sender's device, as it said.
    pub is_verified: Option<bool>,
}

/// The three sealed parts, still in base64.
#[derive(Debug, Deserialize)]
pub struct Sealed<'a> {
    /// The ephemeral public key.
    #[serde(borrow)]
    pub ephemeral: Cow<'a, str>,
    /// The locked plaintext.
    #[serde(borrow)]
    pub ciphertext: Cow<'a, str>,
    /// The tag (see [`super::decryption`] for what it does not prove).
    #[serde(borrow)]
    pub mac: Cow<'a, str>,
}

#[derive(Deserialize)]
struct MetadataJson<'a> {
    #[serde(borrow, default)]
    first_message_index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    forwarded_count: Option<&'a RawValue>,
    #[serde(borrow, default)]
    is_verified: Option<&'a RawValue>,
}

impl Metadata {
    /// Reads the metadata of an entry; anything odd becomes `None`.
    pub fn parse(json: &[u8]) -> Self {
        let Ok(raw) = serde_json::from_slice::<MetadataJson<'_>>(json) else {
            return Self::default();
        };
        Self {
            first_message_index: raw.first_message_index.and_then(whole_number),
            forwarded_count: raw.forwarded_count.and_then(whole_number),
            is_verified: raw.is_verified.and_then(yes_or_no),
        }
    }
}

impl<'a> Sealed<'a> {
    /// Reads the sealed parts of an entry; `None` where they are missing or no text. Only objects will
    /// do: serde would take a list of the same values, too.
    pub fn parse(json: &'a [u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Outer<'a> {
            #[serde(borrow)]
            session_data: &'a RawValue,
        }
        if !json.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let data = serde_json::from_slice::<Outer<'a>>(json).ok()?.session_data.get();
        if data.starts_with('{') { serde_json::from_str(data).ok() } else { None }
    }
}

fn whole_number(raw: &RawValue) -> Option<u64> {
    let number = match serde_json::from_str(raw.get()).ok()? {
        Value::Number(number) => number.as_u64().or_else(|| {
            number.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|n| n as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    (number <= limits::MESSAGE_INDEX).then_some(number)
}

fn yes_or_no(raw: &RawValue) -> Option<bool> {
    match raw.get() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_odd_metadata() {
        let parse = |json: &str| Metadata::parse(json.as_bytes());
        let usual = parse(r#"{"first_message_index":3,"forwarded_count":0,"is_verified":true}"#);
        let odd = parse(r#"{"first_message_index":"3","forwarded_count":0.0,"is_verified":1}"#);
        assert_eq!(usual, odd);
        let hostile =
            parse(r#"{"first_message_index":1e400,"forwarded_count":-1,"is_verified":{}}"#);
        assert_eq!(hostile, Metadata::default());
        assert_eq!(parse("[]"), Metadata::default());
    }

    #[test]
    fn sealed_parts_must_be_text() {
        let whole = br#"{"session_data":{"mac":"a","ephemeral":"b","ciphertext":"c","x":1}}"#;
        assert!(Sealed::parse(whole).is_some_and(|sealed| sealed.ephemeral == "b"));
        assert!(Sealed::parse(br#"{"session_data":"text"}"#).is_none());
        assert!(Sealed::parse(br#"{"session_data":{"mac":1}}"#).is_none());
    }
}
