//! From a key file to its sessions: once through to check the MAC, once more to read what is inside,
//! so that nothing is believed before it is checked and memory stays flat.

use std::{
    cell::Cell,
    io::{self, Read, Seek},
};

use serde::{Deserialize, de::IgnoredAny};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::{
    armor::{ArmorFault, Dearmored},
    crypt::{FileKeys, HEAD, Head, HeadFault, MAC, is_right},
    elements::{Cutter, Element},
};
use crate::{
    base::{
        ctr::{Counter, Stream},
        limits,
        shown::Shown,
    },
    megolm::room_key::{RoomKey, RoomKeyFault},
};
use hmac::Mac as _;

/// Plaintext unlocked at once, in bytes.
const PIECE: usize = 64 << 10;

/// Why a key file cannot be read.
#[derive(Debug, Error)]
pub enum KeyFileFault {
    /// The text is none, or was cut.
    #[error(transparent)]
    Armor(#[from] ArmorFault),
    /// The head makes no sense.
    #[error(transparent)]
    Head(#[from] HeadFault),
    /// The MAC does not fit and what is inside looks like noise: it is another passphrase.
    #[error("the MAC does not fit, and nothing readable is inside")]
    Passphrase,
    /// The MAC does not fit, but the beginning opens: the passphrase is right, the file is damaged.
    #[error("the MAC does not fit, although the beginning opens: bytes were changed")]
    Changed,
    /// What is inside is no list of sessions.
    #[error("expected a list of sessions inside, got something else at byte {at}")]
    NotAList {
        /// Where, in bytes of the plaintext.
        at: u64,
    },
    /// More sessions than [`limits::ENTRIES`].
    #[error("more than {limit} sessions")]
    TooMany {
        /// Most sessions accepted.
        limit: u64,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Why one session of a file was not taken; the others are not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFault {
    /// The room that it names, as far as that can be read.
    pub room_id: String,
    /// The session that it names, as far as that can be read.
    pub session_id: String,
    /// What is wrong.
    pub why: Unusable,
}

/// What is wrong with one session.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unusable {
    /// Larger than any real key.
    #[error("the session is larger than {limit} bytes")]
    TooLarge {
        /// Largest session accepted, in bytes.
        limit: usize,
    },
    /// The list is broken here, so whatever stands behind is lost.
    #[error("the list of sessions is broken at byte {at} and cannot be read on")]
    Rest {
        /// Where, in bytes of the plaintext.
        at: u64,
    },
    /// No usable room key.
    #[error(transparent)]
    RoomKey(#[from] RoomKeyFault),
}

impl Unusable {
    /// The stable word of the JSON contract (DESIGN §5).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            // Behind a right MAC nothing was damaged on the way: it was written so.
            Self::Rest { .. } | Self::RoomKey(RoomKeyFault::NotJson) => "malformed",
            Self::RoomKey(fault) => fault.reason(),
        }
    }
}

/// A file whose MAC fits.
#[derive(Clone, Copy, Debug)]
pub struct Checked {
    /// Length of what is inside, in bytes.
    length: u64,
    counter: Counter,
}

/// Reads the head alone: what it asks for should be known before it is done.
pub fn head(from: impl Read) -> Result<Head, KeyFileFault> {
    let mut armor = Dearmored::new(from);
    let mut bytes = Vec::new();
    while bytes.len() < HEAD && armor.next_piece(&mut bytes)? {}
    let Some(head) = bytes.first_chunk::<HEAD>() else {
        return Err(HeadFault::Short { got: bytes.len() as u64 }.into());
    };
    Ok(Head::parse(head)?)
}

/// Checks the MAC over the whole file, and gives back what it was read from. `stop` is asked now and
/// then.
pub fn check<R: Read>(
    from: R,
    head: &Head,
    keys: &FileKeys,
    stop: &dyn Fn() -> bool,
) -> Result<(Checked, R), KeyFileFault> {
    let mut armor = Dearmored::new(from);
    let mut mac = keys.mac();
    let mut beginning = Vec::new();
    let (mut bytes, mut total) = (Vec::new(), 0_u64);
    let mut more = true;
    while more {
        if stop() {
            return Err(KeyFileFault::Stopped);
        }
        let before = bytes.len();
        more = armor.next_piece(&mut bytes)?;
        total += (bytes.len() - before) as u64;
        if beginning.len() < HEAD + BEGINNING {
            beginning.extend(bytes.iter().skip(before).take(HEAD + BEGINNING));
        }
        // The last bytes may be the MAC itself.
        let ready = bytes.len().saturating_sub(MAC);
        mac.update(bytes.get(..ready).unwrap_or_default());
        bytes.drain(..ready);
    }
    let length = total.checked_sub((HEAD + MAC) as u64).ok_or(HeadFault::Short { got: total })?;
    if !is_right(mac, &bytes) {
        let inside = beginning.get(HEAD..).unwrap_or_default();
        let inside = inside.get(..inside.len().min(length as usize)).unwrap_or_default();
        let readable = looks_like_a_list(keys, head, inside);
        return Err(if readable { KeyFileFault::Changed } else { KeyFileFault::Passphrase });
    }
    Ok((Checked { length, counter: Counter::Whole }, armor.into_inner()))
}

/// Bytes by which a right passphrase is told from a wrong one where the MAC does not help.
const BEGINNING: usize = 16;

fn looks_like_a_list(keys: &FileKeys, head: &Head, inside: &[u8]) -> bool {
    let mut begins = Zeroizing::new(inside.to_vec());
    keys.stream(head, Counter::Whole).apply(&mut begins);
    let mut signs = begins.iter().filter(|byte| !byte.is_ascii_whitespace());
    signs.next() == Some(&b'[') && matches!(signs.next(), Some(b'{' | b']'))
}

impl Checked {
    /// Looks through what is inside before anything of it is taken: there must be a list with something
    /// readable in it, if perhaps not to its end. `stop` is asked now and then.
    ///
    /// Where it makes a difference in which counter the file was written (SPEC §6), which clients avoid,
    /// that is found out here, too: the usual one, unless more can be read with the other.
    pub fn look_through<R: Read + Seek>(
        &mut self,
        mut from: R,
        head: &Head,
        keys: &FileKeys,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), KeyFileFault> {
        let looked = self.look(&mut from, head, keys, stop)?;
        if !looked.all_well && Counter::matters(&head.iv, self.length) {
            self.counter = Counter::Low;
            from.rewind().map_err(ArmorFault::Io)?;
            let other = self.look(&mut from, head, keys, stop)?;
            if looked.readable == 0 || other.readable > looked.readable {
                return other.judged();
            }
            self.counter = Counter::Whole;
        }
        looked.judged()
    }

    fn look(
        &self,
        from: impl Read,
        head: &Head,
        keys: &FileKeys,
        stop: &dyn Fn() -> bool,
    ) -> Result<Looked, KeyFileFault> {
        let (mut readable, mut sessions) = (0, 0);
        let mut one = |element: Element<'_>| {
            sessions += 1;
            if let Element::Json(json) = element {
                readable += u64::from(serde_json::from_slice::<IgnoredAny>(json).is_ok());
            }
        };
        let broken = self.elements(from, head, keys, stop, &mut one)?;
        if sessions > limits::ENTRIES {
            return Err(KeyFileFault::TooMany { limit: limits::ENTRIES });
        }
        Ok(Looked { readable, all_well: broken.is_none() && readable == sessions, broken })
    }

    /// Gives out every session; a list that breaks off or is not closed ends with a fault of its own, and
    /// costs nothing before. `take` says whether to go on. Ends with the number of sessions.
    pub fn sessions(
        &self,
        from: impl Read,
        head: &Head,
        keys: &FileKeys,
        take: &mut dyn FnMut(Result<RoomKey, SessionFault>) -> bool,
    ) -> Result<u64, KeyFileFault> {
        let mut sessions = 0;
        let go_on = Cell::new(true);
        let mut one = |element: Element<'_>| {
            if go_on.get() {
                go_on.set(take(session(element)));
                sessions += u64::from(go_on.get());
            }
        };
        let broken = self.elements(from, head, keys, &|| !go_on.get(), &mut one)?;
        if !go_on.get() {
            return Err(KeyFileFault::Stopped);
        }
        if let Some(at) = broken
            && !take(Err(nameless(Unusable::Rest { at })))
        {
            return Err(KeyFileFault::Stopped);
        }
        Ok(sessions)
    }

    /// What is inside, whatever it is.
    pub fn plain<R: Read>(&self, from: R, head: &Head, keys: &FileKeys) -> Plain<R> {
        Plain::new(from, self.length, keys.stream(head, self.counter))
    }

    /// Gives out every element of the list; says where it broke off, if it did.
    fn elements(
        &self,
        from: impl Read,
        head: &Head,
        keys: &FileKeys,
        stop: &dyn Fn() -> bool,
        give: &mut dyn FnMut(Element<'_>),
    ) -> Result<Option<u64>, KeyFileFault> {
        let mut plain = self.plain(from, head, keys);
        let mut cutter = Cutter::new();
        while let Some(piece) = plain.next_piece()? {
            if stop() {
                return Err(KeyFileFault::Stopped);
            }
            if let Err(fault) = cutter.feed(piece, give) {
                return Ok(Some(fault.at));
            }
        }
        Ok((!cutter.is_whole()).then_some(self.length))
    }
}

/// What a look through a list found.
struct Looked {
    /// Elements that are JSON.
    readable: u64,
    /// All are, and the list is closed.
    all_well: bool,
    /// Where the list breaks off.
    broken: Option<u64>,
}

impl Looked {
    /// A list may break off: behind a right MAC that is how it was written. But without anything readable
    /// in it it is none.
    fn judged(&self) -> Result<(), KeyFileFault> {
        match self.broken {
            Some(at) if self.readable == 0 => Err(KeyFileFault::NotAList { at }),
            _ => Ok(()),
        }
    }
}

/// Unlocks what is inside, piece by piece; each piece is wiped before the next.
pub struct Plain<R> {
    armor: Dearmored<R>,
    stream: Stream,
    skip: usize,
    left: u64,
    piece: Zeroizing<Vec<u8>>,
}

impl<R: Read> Plain<R> {
    fn new(from: R, length: u64, stream: Stream) -> Self {
        // All room at once, so that it never moves.
        let piece = Zeroizing::new(Vec::with_capacity(2 * PIECE));
        Self { armor: Dearmored::new(from), stream, skip: HEAD, left: length, piece }
    }

    /// The next piece; `None` at the end.
    pub fn next_piece(&mut self) -> Result<Option<&[u8]>, KeyFileFault> {
        self.piece.as_mut_slice().zeroize();
        self.piece.clear();
        while self.left > 0 && self.piece.is_empty() {
            if !self.armor.next_piece(&mut self.piece)? {
                // It was longer when its MAC was checked.
                return Err(ArmorFault::Io(io::ErrorKind::UnexpectedEof.into()).into());
            }
            let skipped = self.skip.min(self.piece.len());
            self.piece.drain(..skipped);
            self.skip -= skipped;
            let used = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.piece.len());
            self.piece.truncate(used);
            self.left -= used as u64;
        }
        self.stream.apply(&mut self.piece);
        Ok((!self.piece.is_empty()).then_some(self.piece.as_slice()))
    }
}

fn nameless(why: Unusable) -> SessionFault {
    SessionFault { room_id: String::new(), session_id: String::new(), why }
}

fn session(element: Element<'_>) -> Result<RoomKey, SessionFault> {
    match element {
        Element::TooLarge => Err(nameless(Unusable::TooLarge { limit: limits::ENTRY })),
        Element::Json(json) => RoomKey::parse_exported(json).map_err(|why| {
            let (room_id, session_id) = names(json);
            SessionFault { room_id, session_id, why: why.into() }
        }),
    }
}

/// What a session that cannot be used calls itself.
fn names(json: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Names {
        #[serde(default)]
        room_id: serde_json::Value,
        #[serde(default)]
        session_id: serde_json::Value,
    }
    let text = |value: &serde_json::Value| {
        Shown::limited(value.as_str().unwrap_or_default(), limits::NAME).to_string()
    };
    match serde_json::from_slice::<Names>(json) {
        Ok(names) => (text(&names.room_id), text(&names.session_id)),
        Err(_) => Default::default(),
    }
}
