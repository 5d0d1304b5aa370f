//! Encryption at rest: how a record is sealed to its place, and how ids become keyed hashes.
//!
//! Whoever copies the file learns how many keys, rooms and sources there are, and nothing else.
//! Whoever changes it cannot make a record pass for another: its place is authenticated with it.

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{AeadInOut, Tag},
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base::{
    random::{Random, array},
    secret::Secret32,
};

/// A keyed hash by which a row is found again.
pub(super) type Lookup = [u8; 16];
/// What a store's records are bound to: random, not secret.
pub(super) type StoreId = [u8; 16];

const NONCE: usize = 24;
const TAG: usize = 16;

/// The tables that hold sealed records; the byte is part of what is authenticated and hashed.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Table {
    Sources = 1,
    Rooms = 2,
    Sessions = 3,
}

/// Where a record belongs; it opens nowhere else.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) table: Table,
    pub(super) lookup: &'a Lookup,
    /// A session's rank among its candidates; 0 elsewhere.
    pub(super) rank: u8,
}

/// An open store's keys, shared by all threads that work on it.
pub(super) struct Seal {
    store_id: StoreId,
    records: XChaCha20Poly1305,
    lookups: Hmac<Sha256>,
    journal: Hmac<Sha256>,
}

impl Seal {
    pub(super) fn new(store_key: &Secret32, store_id: StoreId) -> Self {
        let derive = |info: &[u8]| {
            Secret32::filled_by(|key| {
                #[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8 160 bytes")]
                Hkdf::<Sha256>::new(Some(&store_id), store_key.expose())
                    .expand(info, key)
                    .expect("32 bytes are fewer than HKDF can give");
            })
        };
        Self {
            store_id,
            records: XChaCha20Poly1305::new(derive(b"keyhaul store records v1").expose().into()),
            lookups: keyed(derive(b"keyhaul store lookups v1").expose()),
            journal: keyed(derive(b"keyhaul store journal v1").expose()),
        }
    }

    /// The keyed hash of an id made of parts; no two lists of parts share one.
    pub(super) fn lookup(&self, table: Table, parts: &[&[u8]]) -> Lookup {
        hash_parts(self.lookups.clone(), table as u8, parts)
    }

    /// The keyed hash of a journal entry.
    pub(super) fn mark(&self, domain: u8, parts: &[&[u8]]) -> Lookup {
        hash_parts(self.journal.clone(), domain, parts)
    }

    /// Seals a record: nonce, ciphertext, tag.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8], random: &mut dyn Random) -> Vec<u8> {
        let nonce = array::<NONCE>(random);
        seal_with(&self.records, nonce, &self.bound_to(place), plain)
    }

    /// Opens a record; `None` if it was changed or belongs to another place.
    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open_with(&self.records, &self.bound_to(place), sealed)
    }

    fn bound_to(&self, place: Place<'_>) -> [u8; 34] {
        let mut bound = [0; 34];
        let parts = [self.store_id.as_slice(), place.lookup, &[place.table as u8, place.rank]];
        for (to, from) in bound.iter_mut().zip(parts.concat()) {
            *to = from;
        }
        bound
    }
}

/// Seals with a given key; also for the slots, whose keys are their own.
pub(super) fn seal_with(
    cipher: &XChaCha20Poly1305,
    nonce: [u8; NONCE],
    bound: &[u8],
    plain: &[u8],
) -> Vec<u8> {
    // All room at once: growing would leave a copy of the plaintext behind.
    let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, buffer) = sealed.split_at_mut(NONCE);
    #[expect(clippy::expect_used, reason = "XChaCha20 takes up to 256 GiB")]
    let tag = cipher
        .encrypt_inout_detached(&XNonce::from(nonce), bound, buffer.into())
        .expect("a record is shorter than 256 GiB");
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens what [`seal_with`] made.
pub(super) fn open_with(
    cipher: &XChaCha20Poly1305,
    bound: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    let tag: &Tag<XChaCha20Poly1305> = tag.into();
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    cipher
        .decrypt_inout_detached(&XNonce::from(*nonce), bound, plain.as_mut_slice().into(), tag)
        .ok()?;
    Some(plain)
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn hash_parts(mut hash: Hmac<Sha256>, domain: u8, parts: &[&[u8]]) -> Lookup {
    hash.update(&[domain]);
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut lookup = Lookup::default();
    for (to, from) in lookup.iter_mut().zip(hash.finalize().into_bytes()) {
        *to = from;
    }
    lookup
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    fn seal(byte: u8) -> Seal {
        Seal::new(&Secret32::take(&mut [byte; 32]), [1; 16])
    }

    #[test]
    fn a_record_opens_in_its_place_only() {
        let own = seal(7);
        let place = Place { table: Table::Sessions, lookup: &[2; 16], rank: 0 };
        let sealed = own.seal(place, b"record", &mut SystemRandom);
        assert_eq!(own.open(place, &sealed).as_deref().map(Vec::as_slice), Some(&b"record"[..]));
        assert!(own.open(Place { rank: 1, ..place }, &sealed).is_none());
        assert!(own.open(Place { table: Table::Rooms, ..place }, &sealed).is_none());
        assert!(own.open(Place { lookup: &[3; 16], ..place }, &sealed).is_none());
        assert!(seal(8).open(place, &sealed).is_none());
        for cut in 0..sealed.len() {
            assert!(own.open(place, &sealed[..cut]).is_none());
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let own = seal(7);
        let [ab_c, a_bc] = [[&b"ab"[..], b"c"], [&b"a"[..], b"bc"]];
        assert_ne!(own.lookup(Table::Rooms, &ab_c), own.lookup(Table::Rooms, &a_bc));
        assert_ne!(own.lookup(Table::Rooms, &ab_c), own.lookup(Table::Sessions, &ab_c));
        assert_ne!(own.lookup(Table::Rooms, &ab_c), own.mark(Table::Rooms as u8, &ab_c));
    }
}
