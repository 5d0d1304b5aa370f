//! Makes sessions and their locked entries: real keys, real locks, and damage on demand.

use std::{num::NonZero, panic::resume_unwind, thread};

use bytes::Bytes;
use serde_json::{Map, Value, json, value::to_raw_value};
use vodozemac::{
    Ed25519SecretKey,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionPickle, InboundGroupSession, SessionConfig,
    },
};

use super::{
    account::{Damage, Version},
    random::Seeded,
};
use crate::{
    backup::{
        decryption::DecryptionKey,
        encryption::{SessionData, seal},
        version::{ALGORITHM, PublicKey},
    },
    base::{base64, random::array, secret::Secret32},
    megolm::{
        room_key::{Claims, RoomKey},
        session_key::SessionKey,
    },
};

/// The public keys of one device that shared room keys.
#[derive(Clone, Copy)]
pub(super) struct Sender {
    curve25519: [u8; 32],
    ed25519: [u8; 32],
}

/// What one entry is to be.
pub(super) struct EntryPlan<'a> {
    /// The room that it stands under.
    pub(super) room_id: &'a str,
    /// The session: the same number gives the same session in every version.
    pub(super) session: u64,
    /// The device that shared it.
    pub(super) sender: Sender,
    /// The first message that the key opens.
    pub(super) index: u32,
    /// What the metadata says of that.
    pub(super) told_index: u32,
    /// What the metadata says of the sender.
    pub(super) verified: bool,
    /// How often the key was passed on.
    pub(super) forwarded: u32,
    /// What the sender said of showing the history to newcomers, if anything.
    pub(super) shared_history: Option<bool>,
    /// What is wrong with it, if anything.
    pub(super) damage: Option<Damage>,
}

/// Locks entries for one backup version.
pub(super) struct Forge<'a> {
    /// Decides the sessions.
    pub(super) seed: &'a Seeded,
    /// Decides the locks; another one for each version.
    pub(super) locks: Seeded,
    /// The version's public key.
    pub(super) owner: PublicKey,
    /// The key that damaged entries are locked for.
    pub(super) stranger: PublicKey,
    /// The room that damaged entries name.
    pub(super) elsewhere: &'a str,
}

struct Entry {
    room_id: String,
    session_id: String,
    json: Bytes,
    damage: Option<Damage>,
}

impl Sender {
    /// The device with this name; its signing key is the first that the name gives.
    pub(super) fn new(seed: &Seeded, name: &str) -> Self {
        let mut random = seed.derive(name, 0);
        let signing = Ed25519SecretKey::from_slice(&array(&mut random));
        let identity = DecryptionKey::new(Secret32::take(&mut array(&mut random)));
        Self { curve25519: identity.public_key().0, ed25519: *signing.public_key().as_bytes() }
    }
}

impl Forge<'_> {
    /// Makes all entries of a version, on all cores; what comes out does not depend on their number.
    pub(super) fn version(&self, plans: &[EntryPlan<'_>], auth_data: Value, etag: u64) -> Version {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let share = plans.len().div_ceil(cores).max(1);
        let make = |part: &[EntryPlan<'_>]| part.iter().map(|p| self.entry(p)).collect::<Vec<_>>();
        let entries = thread::scope(|scope| {
            let workers: Vec<_> =
                plans.chunks(share).map(|part| scope.spawn(move || make(part))).collect();
            let parts = workers.into_iter().map(|worker| worker.join());
            parts.flat_map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let entries: Vec<Entry> = entries;
        let mut version = Version { etag, ..Version::new(ALGORITHM, auth_data) };
        for Entry { room_id, session_id, json, damage } in entries {
            if let Some(damage) = damage {
                version.damaged.insert((room_id.clone(), session_id.clone()), damage);
            }
            version.rooms.entry(room_id).or_default().insert(session_id, json);
        }
        version
    }

    /// The session's id and the JSON of one entry.
    pub(super) fn entry_json(&self, plan: &EntryPlan<'_>) -> (String, Bytes) {
        let Entry { session_id, json, .. } = self.entry(plan);
        (session_id, json)
    }

    fn entry(&self, plan: &EntryPlan<'_>) -> Entry {
        let key = advanced(session(self.seed, plan.session), plan.index);
        let standing = match plan.damage {
            Some(Damage::OtherSession) => session(&self.seed.derive("stranger", 0), plan.session),
            _ => key.duplicate(),
        };
        let session_id = standing.session_id().to_string();
        let room_key = RoomKey { room_id: plan.room_id.to_owned(), key, claims: claims(plan) };
        let plaintext = self.plaintext(&room_key, plan.damage);
        let owner = if plan.damage == Some(Damage::OtherKey) { self.stranger } else { self.owner };
        let mut random = self.locks.derive("entry", plan.session);
        #[expect(clippy::expect_used, reason = "the public keys of a story come from private keys")]
        let mut data = seal(plaintext.as_bytes(), owner, &mut random)
            .expect("a public key made of a private key is not of low order");
        match plan.damage {
            Some(Damage::Padding) => spoil_padding(&mut data, plaintext.len()),
            Some(Damage::Ephemeral) => data.ephemeral = base64::encode(&[0; 32]),
            _ => {}
        }
        let data = match plan.damage {
            Some(Damage::NoObject) => json!("lost while moving house"),
            _ => json!(data),
        };
        let entry = json!({
            "first_message_index": plan.told_index,
            "forwarded_count": plan.forwarded,
            "is_verified": plan.verified,
            "session_data": data,
        });
        let json = Bytes::from(entry.to_string());
        Entry { room_id: plan.room_id.to_owned(), session_id, json, damage: plan.damage }
    }

    fn plaintext(&self, key: &RoomKey, damage: Option<Damage>) -> String {
        let plaintext = key.to_plaintext();
        let mut fields: Map<String, Value> = match damage {
            Some(Damage::OtherRoom | Damage::NoSessionKey | Damage::Algorithm) => {
                serde_json::from_str(&plaintext).unwrap_or_default()
            }
            _ => return plaintext.to_string(),
        };
        match damage {
            Some(Damage::OtherRoom) => fields.insert("room_id".into(), self.elsewhere.into()),
            Some(Damage::NoSessionKey) => fields.remove("session_key"),
            _ => fields.insert("algorithm".into(), "m.megolm.v2.aes-sha2".into()),
        };
        Value::Object(fields).to_string()
    }
}

/// Locks a text as this message of a session, as the sender's app would; gives the session's id and the
/// ciphertext.
pub(super) fn lock_message(
    seed: &Seeded,
    number: u64,
    index: u32,
    plaintext: &str,
) -> (String, String) {
    let key = advanced(session(seed, number), index);
    let signing: [u8; 32] = array(&mut seed.derive("session", number));
    let ratchet: Vec<u8> = key.expose().iter().skip(5).take(128).copied().collect();
    // vodozemac makes sessions of its own randomness, or takes them out of storage.
    let stored = json!({
        "ratchet": { "inner": ratchet, "counter": index },
        "signing_key": { "Normal": signing },
        "config": { "version": "V1" },
    });
    #[expect(
        clippy::expect_used,
        reason = "the form is that of one version of vodozemac, and tested"
    )]
    let stored: GroupSessionPickle =
        serde_json::from_value(stored).expect("vodozemac reads what it would write");
    let message = GroupSession::from_pickle(stored).encrypt(plaintext);
    (key.session_id().to_string(), message.to_base64())
}

/// A session at its first message.
fn session(seed: &Seeded, number: u64) -> SessionKey {
    let mut random = seed.derive("session", number);
    let signing = Ed25519SecretKey::from_slice(&array(&mut random));
    let ratchet = array::<128>(&mut random);
    let start = [1, 0, 0, 0, 0];
    let export = [&start[..], &ratchet[..], signing.public_key().as_bytes()].concat();
    exported(&export)
}

/// The same session from a later message on; the ratchet is turned as a client turns it.
fn advanced(key: SessionKey, index: u32) -> SessionKey {
    if index == 0 {
        return key;
    }
    #[expect(clippy::expect_used, reason = "the key was made of a real public key just now")]
    let export = ExportedSessionKey::from_bytes(key.expose())
        .ok()
        .and_then(|key| {
            InboundGroupSession::import(&key, SessionConfig::version_1()).export_at(index)
        })
        .expect("a session can be turned from its first message to any later one");
    exported(&export.to_bytes())
}

fn exported(bytes: &[u8]) -> SessionKey {
    #[expect(clippy::expect_used, reason = "both callers write version 1 and 165 bytes")]
    SessionKey::from_checked(bytes).expect("an export of version 1 has 165 bytes")
}

fn claims(plan: &EntryPlan<'_>) -> Claims {
    let mut others = Vec::new();
    let mut claim = |name: &str, value: Value| {
        others.extend(to_raw_value(&value).map(|raw| (name.to_owned(), raw)));
    };
    if plan.forwarded > 0 {
        let chain = (0..plan.forwarded).map(|_| base64::encode(&plan.sender.curve25519)).collect();
        claim("forwarding_curve25519_key_chain", chain);
    }
    if let Some(shared) = plan.shared_history {
        claim("m.shared_history", shared.into());
    }
    Claims {
        sender_key: Some(plan.sender.curve25519),
        ed25519: Some(plan.sender.ed25519),
        direct: plan.forwarded == 0,
        others,
    }
}

/// Turns the last byte of the plaintext into 0, which no padding ends with: in CBC that takes the
/// same bit changes in the block before.
fn spoil_padding(data: &mut SessionData, plaintext: usize) {
    let Some(mut bytes) = base64::decode(&data.ciphertext) else { return };
    if let Some(byte) = bytes.iter_mut().rev().nth(16) {
        *byte ^= (16 - plaintext % 16) as u8;
    }
    data.ciphertext = base64::encode(&bytes);
}
