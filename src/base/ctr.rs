//! AES-256 in counter mode, with either of the two counters that Matrix clients use.
//!
//! Most count in all 128 bits of the IV; clients on WebCrypto count in the low 64. Both give the same
//! unless the low half overflows, which a client avoids by clearing its highest bit (SPEC §5.5, §6).

use aes::{
    Aes256,
    cipher::{KeyIvInit, StreamCipher},
};

use super::random::{Random, array};

/// Which bits of the IV count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// All of them.
    Whole,
    /// The low 64.
    Low,
}

impl Counter {
    /// Says whether the two counters give different bytes within so many.
    pub fn matters(iv: &[u8; 16], bytes: u64) -> bool {
        let mut low = [0; 8];
        low.iter_mut().zip(iv.iter().skip(8)).for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(low).checked_add(bytes.div_ceil(16).saturating_sub(1)).is_none()
    }
}

/// A key stream; bytes go through it in pieces of any size.
pub struct Stream(Kind);

enum Kind {
    Whole(Box<ctr::Ctr128BE<Aes256>>),
    Low(Box<ctr::Ctr64BE<Aes256>>),
}

impl Stream {
    /// The stream of a key and an IV, from its first byte.
    pub fn new(key: &[u8; 32], iv: &[u8; 16], counter: Counter) -> Self {
        let (key, iv) = (key.into(), iv.into());
        Self(match counter {
            Counter::Whole => Kind::Whole(Box::new(ctr::Ctr128BE::new(key, iv))),
            Counter::Low => Kind::Low(Box::new(ctr::Ctr64BE::new(key, iv))),
        })
    }

    /// Locks or unlocks the next bytes in place.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        match &mut self.0 {
            Kind::Whole(stream) => stream.apply_keystream(bytes),
            Kind::Low(stream) => stream.apply_keystream(bytes),
        }
    }
}

/// A fresh IV with which both counters give the same: bit 63 is cleared.
pub fn fresh_iv(random: &mut dyn Random) -> [u8; 16] {
    let mut iv = array::<16>(random);
    if let Some(byte) = iv.get_mut(8) {
        *byte &= 0x7f;
    }
    iv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_differ_only_after_an_overflow() {
        let mut iv = [0xff; 16];
        iv[15] = 0xfe;
        assert!(!Counter::matters(&iv, 32));
        assert!(Counter::matters(&iv, 33));
        assert!(!Counter::matters(&[0x7f; 16], u64::MAX));
        let stream = |counter| {
            let mut bytes = [0; 48];
            Stream::new(&[7; 32], &iv, counter).apply(&mut bytes);
            bytes
        };
        let (whole, low) = (stream(Counter::Whole), stream(Counter::Low));
        assert_eq!(whole[..32], low[..32]);
        assert_ne!(whole[32..], low[32..]);
    }

    #[test]
    fn a_fresh_iv_has_room_to_count() {
        struct Ones;
        impl Random for Ones {
            fn fill(&mut self, buffer: &mut [u8]) {
                buffer.fill(0xff);
            }
        }
        assert_eq!(fresh_iv(&mut Ones)[8], 0x7f);
    }
}
