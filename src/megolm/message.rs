//! One encrypted message of a room: read without a key, opened with one (SPEC §9).
//!
//! Its content comes from a server and is hostile. What can be read without a key is the session and
//! the number of the message in it, so it is known beforehand which key could open it. A message that
//! opens proves its key: the ratchet is the one that the sender had. It does not prove who that was.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;
use vodozemac::megolm::{DecryptionError, MegolmMessage};
use zeroize::Zeroizing;

use super::{
    room_key::ALGORITHM,
    session_key::{SessionId, SessionKey},
};
use crate::base::{
    base64, limits,
    secret::{SecretBytes, SecretText},
    shown::Shown,
};

/// Why a message is not read. No variant holds anything of its text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MessageFault {
    /// Not locked in the one way that keyhaul knows.
    #[error("expected algorithm {ALGORITHM}, got {algorithm}")]
    Algorithm {
        /// The algorithm's name; empty where there is none.
        algorithm: Shown,
    },
    /// A part is missing, or not of its form.
    #[error("expected {expected} in the message, got something else")]
    Malformed {
        /// What the part should be.
        expected: &'static str,
    },
    /// Larger than any real message.
    #[error("the message is larger than {limit} bytes")]
    TooLarge {
        /// Largest content accepted, in bytes of JSON.
        limit: usize,
    },
    /// The key is of another session.
    #[error("the key is of session {got}, the message of {expected}")]
    OtherSession {
        /// The message's session.
        expected: SessionId,
        /// The key's.
        got: SessionId,
    },
    /// The key opens later messages only.
    #[error("the key opens messages from number {first} on, this is number {index}")]
    StartsLater {
        /// The first message that the key opens.
        first: u32,
        /// The number of this message.
        index: u32,
    },
    /// The signature is not by the session's own key: somebody else made or changed the message.
    #[error("the signature is not by the session's key")]
    Signature,
    /// Signed by the session and yet not locked with this ratchet: the stored key is a wrong one.
    #[error("the message was not locked with this key")]
    Mac,
    /// What is inside is no event.
    #[error("the message opens, but holds no event")]
    Inside,
    /// What is inside was written for another room.
    #[error("the message was written for another room")]
    OtherRoom,
}

/// The content of an `m.room.encrypted` event, as far as it can be read without a key.
#[derive(Clone, Debug)]
pub struct EncryptedMessage {
    session: SessionId,
    message: MegolmMessage,
}

/// An opened message: private, wiped when dropped, without `Debug`.
pub struct OpenedMessage {
    /// The type of the event inside; any text of at most [`limits::NAME`] bytes.
    pub kind: String,
    /// Its content, as JSON.
    pub content: SecretText,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    algorithm: serde_json::Value,
    #[serde(default)]
    ciphertext: serde_json::Value,
    #[serde(default)]
    session_id: serde_json::Value,
}

#[derive(Deserialize)]
struct Inside<'a> {
    r#type: String,
    #[serde(borrow)]
    content: &'a RawValue,
    room_id: String,
}

impl EncryptedMessage {
    /// Reads the content of an encrypted event. `sender_key` and `device_id` in it are not looked at:
    /// anybody could have written them.
    pub fn parse(content: &str) -> Result<Self, MessageFault> {
        if content.len() > limits::EVENT {
            return Err(MessageFault::TooLarge { limit: limits::EVENT });
        }
        let malformed = |expected| MessageFault::Malformed { expected };
        // serde would take a list for the object, too.
        let object = Some(content.trim_start()).filter(|content| content.starts_with('{'));
        let content = object.and_then(|content| serde_json::from_str::<Content>(content).ok());
        let content = content.ok_or(malformed("a JSON object"))?;
        let algorithm = content.algorithm.as_str().unwrap_or_default();
        if algorithm != ALGORITHM {
            return Err(MessageFault::Algorithm { algorithm: Shown::limited(algorithm, 80) });
        }
        let session = content.session_id.as_str().and_then(SessionId::parse);
        let session = session.ok_or(malformed("a session id of 32 bytes"))?;
        let bytes = content.ciphertext.as_str().and_then(base64::decode);
        let bytes = bytes.ok_or(malformed("a ciphertext in base64"))?;
        let message = MegolmMessage::from_bytes(&bytes)
            .map_err(|_| malformed("a ciphertext of the form of megolm"))?;
        Ok(Self { session, message })
    }

    /// The session whose key opens it.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Its number in the session, counted from 0.
    pub fn index(&self) -> u32 {
        self.message.message_index()
    }

    /// Opens it with a key, as a message of the room in which the server showed it.
    ///
    /// A key far from the message costs about a thousand HMACs, never more.
    pub fn open(&self, key: &SessionKey, room_id: &str) -> Result<OpenedMessage, MessageFault> {
        let got = key.session_id();
        if got != self.session {
            return Err(MessageFault::OtherSession { expected: self.session, got });
        }
        let mut session = key.session().ok_or(MessageFault::Mac)?;
        let opened = session.decrypt(&self.message).map_err(|error| match error {
            DecryptionError::Signature(_) => MessageFault::Signature,
            DecryptionError::UnknownMessageIndex(first, index) => {
                MessageFault::StartsLater { first, index }
            }
            DecryptionError::InvalidMAC(_)
            | DecryptionError::InvalidMACLength(..)
            | DecryptionError::InvalidPadding(_) => MessageFault::Mac,
        })?;
        let plaintext = SecretBytes::new(opened.plaintext);
        let object = Some(plaintext.expose().trim_ascii_start()).filter(|o| o.starts_with(b"{"));
        let inside = object.and_then(|object| serde_json::from_slice::<Inside<'_>>(object).ok());
        let inside = inside.ok_or(MessageFault::Inside)?;
        let room = Zeroizing::new(inside.room_id);
        if *room != room_id {
            return Err(MessageFault::OtherRoom);
        }
        if inside.r#type.len() > limits::NAME || !inside.content.get().starts_with('{') {
            return Err(MessageFault::Inside);
        }
        let content = SecretText::new(inside.content.get().to_owned());
        Ok(OpenedMessage { kind: inside.r#type, content })
    }
}
