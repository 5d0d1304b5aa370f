//! From sessions to a key file, one by one.

use std::io::{self, Write};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use super::{
    armor::Armored,
    crypt::{FileKeys, Head},
    portable::Portable,
};
use crate::base::ctr::{Counter, Stream};

/// A key file being written. It is one only after [`KeyFile::finish`].
pub struct KeyFile<W: Write> {
    armor: Armored<W>,
    stream: Stream,
    mac: Hmac<Sha256>,
    piece: Vec<u8>,
    sessions: u64,
}

impl<W: Write> KeyFile<W> {
    /// Writes the beginning.
    pub fn new(to: W, head: &Head, keys: &FileKeys) -> io::Result<Self> {
        let mut armor = Armored::new(to)?;
        let mut mac = keys.mac();
        let bytes = head.to_bytes();
        mac.update(&bytes);
        armor.write(&bytes)?;
        let stream = keys.stream(head, Counter::Whole);
        Ok(Self { armor, stream, mac, piece: Vec::new(), sessions: 0 })
    }

    /// Adds a session.
    pub fn add(&mut self, session: &Portable) -> io::Result<()> {
        self.lock(if self.sessions == 0 { b"[" } else { b",\n" })?;
        self.lock(session.json.as_bytes())?;
        self.sessions += 1;
        Ok(())
    }

    /// Writes the end; gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.lock(if self.sessions == 0 { b"[]" } else { b"]" })?;
        let Self { mut armor, mac, .. } = self;
        armor.write(&mac.finalize().into_bytes())?;
        armor.finish()
    }

    fn lock(&mut self, plain: &[u8]) -> io::Result<()> {
        // With its room kept, no copy of a key is left behind when it grows.
        if self.piece.capacity() < plain.len() {
            self.piece = Vec::with_capacity(2 * plain.len());
        }
        self.piece.extend_from_slice(plain);
        self.stream.apply(&mut self.piece);
        self.mac.update(&self.piece);
        let written = self.armor.write(&self.piece);
        self.piece.zeroize();
        written
    }
}
