//! The compact form of one stored key: lossless, bounded, and read without ever panicking.
//!
//! ```text
//! 1 version (1) · 1 flags · 164 export without its version byte · side of backups · side of files
//! side   = count of sources · source numbers, ascending · claims
//! claims = 1 flags · 32 sender_key · 32 ed25519 · count of others · others
//! other  = 1 tag of a usual field and value, or 0 · length · name · length · raw JSON
//! ```
//! Parts that flags deny are left out; numbers are LEB128; claims that both sides share stand once.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    base::limits,
    megolm::{
        room_key::Claims,
        session_key::{EXPORT_LENGTH, SessionKey},
    },
};

/// Most bytes of one record: an entry as large as may be, with what is around its claims.
pub(super) const LIMIT: usize = limits::ENTRY + 1024;

const VERSION: u8 = 1;
const PROVEN: u8 = 1;
const BACKUP: u8 = 2;
const FILE: u8 = 4;
const SAME_CLAIMS: u8 = 8;

const DIRECT: u8 = 1;
const SENDER_KEY: u8 = 2;
const ED25519: u8 = 4;
const OTHERS: u8 = 8;

/// Fields that most keys have, with their two values; a tag is a place in this table plus one.
const USUAL: [(&str, &str); 6] = [
    ("m.shared_history", "true"),
    ("m.shared_history", "false"),
    ("shared_history", "true"),
    ("shared_history", "false"),
    ("org.matrix.msc3061.shared_history", "true"),
    ("org.matrix.msc3061.shared_history", "false"),
];

/// The two kinds of sources, which are bounded apart: a server cannot push out what files brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Backup,
    File,
}

/// What the sources of one kind said: which hold the key, and the claims beside it.
#[derive(Debug)]
pub(super) struct Held {
    /// Numbers of sources, ascending, never empty.
    pub(super) sources: Vec<u32>,
    pub(super) claims: Claims,
}

/// One stored key. At least one side holds it.
pub(super) struct Record {
    pub(super) key: SessionKey,
    /// A message was opened with it.
    pub(super) proven: bool,
    pub(super) backup: Option<Held>,
    pub(super) file: Option<Held>,
}

impl Held {
    /// Takes in what another source of the same kind said of the same key; says whether anything
    /// changed. Of differing claims those with more of the usual fields stay, then the larger ones:
    /// any order does, as long as it is not that of arrival.
    pub(super) fn absorb(&mut self, other: Self) -> bool {
        let mut changed = false;
        for source in other.sources {
            if let Err(place) = self.sources.binary_search(&source) {
                self.sources.insert(place, source);
                changed = true;
            }
        }
        if weight(&self.claims) < weight(&other.claims) {
            self.claims = other.claims;
            changed = true;
        }
        changed
    }
}

fn weight(claims: &Claims) -> (u32, Vec<u8>) {
    let usual = u32::from(claims.sender_key.is_some()) + u32::from(claims.ed25519.is_some());
    let mut bytes = Vec::new();
    write_claims(claims, &mut bytes);
    (usual, bytes)
}

impl Record {
    pub(super) fn side(&self, side: Side) -> Option<&Held> {
        match side {
            Side::Backup => self.backup.as_ref(),
            Side::File => self.file.as_ref(),
        }
    }

    pub(super) fn side_mut(&mut self, side: Side) -> &mut Option<Held> {
        match side {
            Side::Backup => &mut self.backup,
            Side::File => &mut self.file,
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let others = [&self.backup, &self.file].into_iter().flatten();
        let room = others.fold(256, |room, held| {
            let others = held.claims.others.iter();
            let others = others.map(|(name, raw)| 16 + name.len() + raw.get().len());
            room + 80 + held.sources.len() * 5 + others.sum::<usize>()
        });
        // All room at once: growing would leave a copy of the key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let same = match (&self.backup, &self.file) {
            (Some(backup), Some(file)) => weight(&backup.claims) == weight(&file.claims),
            _ => false,
        };
        let flags = [
            (self.proven, PROVEN),
            (self.backup.is_some(), BACKUP),
            (self.file.is_some(), FILE),
            (same, SAME_CLAIMS),
        ];
        bytes.extend([VERSION, pack(flags)]);
        bytes.extend_from_slice(self.key.expose().get(1..).unwrap_or_default());
        if let Some(backup) = &self.backup {
            write_sources(&backup.sources, &mut bytes);
            write_claims(&backup.claims, &mut bytes);
        }
        if let Some(file) = &self.file {
            write_sources(&file.sources, &mut bytes);
            if !same {
                write_claims(&file.claims, &mut bytes);
            }
        }
        bytes
    }

    /// Reads a record; `None` for anything that [`Self::encode`] does not write.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(if bytes.len() <= LIMIT { bytes } else { return None });
        if bytes.byte()? != VERSION {
            return None;
        }
        let flags = bytes.byte()?;
        let same = flags & SAME_CLAIMS != 0;
        if flags >= 16 || flags & (BACKUP | FILE) == 0 || same && flags & BACKUP == 0 {
            return None;
        }
        let mut export = Zeroizing::new([1; EXPORT_LENGTH]);
        export.get_mut(1..)?.copy_from_slice(bytes.take(EXPORT_LENGTH - 1)?);
        let key = SessionKey::from_checked(&export[..])?;
        let mut backup = None;
        if flags & BACKUP != 0 {
            let sources = read_sources(&mut bytes)?;
            backup = Some(Held { sources, claims: read_claims(&mut bytes)? });
        }
        let mut file = None;
        if flags & FILE != 0 {
            let sources = read_sources(&mut bytes)?;
            let claims = match &backup {
                Some(backup) if same => backup.claims.clone(),
                _ => read_claims(&mut bytes)?,
            };
            file = Some(Held { sources, claims });
        }
        bytes.0.is_empty().then_some(Self { key, proven: flags & PROVEN != 0, backup, file })
    }

    /// The first message that an encoded key opens, without reading the rest.
    pub(super) fn first_known_index(bytes: &[u8]) -> Option<u32> {
        let (head, _) = bytes.get(2..)?.split_first_chunk::<4>()?;
        (bytes.first() == Some(&VERSION)).then(|| u32::from_be_bytes(*head))
    }
}

fn pack<const N: usize>(flags: [(bool, u8); N]) -> u8 {
    flags.into_iter().filter(|(set, _)| *set).fold(0, |packed, (_, flag)| packed | flag)
}

fn write_sources(sources: &[u32], bytes: &mut Vec<u8>) {
    write_number(sources.len(), bytes);
    for source in sources {
        write_number(*source as usize, bytes);
    }
}

fn read_sources(bytes: &mut Bytes<'_>) -> Option<Vec<u32>> {
    let count = bytes.number()?;
    let mut sources = Vec::new();
    for _ in 0..count {
        let source = u32::try_from(bytes.number()?).ok()?;
        if sources.last().is_some_and(|last| *last >= source) {
            return None;
        }
        sources.push(source);
    }
    (!sources.is_empty()).then_some(sources)
}

fn write_claims(claims: &Claims, bytes: &mut Vec<u8>) {
    bytes.push(pack([
        (claims.direct, DIRECT),
        (claims.sender_key.is_some(), SENDER_KEY),
        (claims.ed25519.is_some(), ED25519),
        (!claims.others.is_empty(), OTHERS),
    ]));
    for key in [claims.sender_key, claims.ed25519].into_iter().flatten() {
        bytes.extend(key);
    }
    if claims.others.is_empty() {
        return;
    }
    write_number(claims.others.len(), bytes);
    for (name, raw) in &claims.others {
        let usual = USUAL.iter().position(|usual| *usual == (name.as_str(), raw.get()));
        match usual.and_then(|place| u8::try_from(place + 1).ok()) {
            Some(tag) => bytes.push(tag),
            None => {
                bytes.push(0);
                for text in [name.as_str(), raw.get()] {
                    write_number(text.len(), bytes);
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
}

fn read_claims(bytes: &mut Bytes<'_>) -> Option<Claims> {
    let flags = bytes.byte()?;
    if flags >= 16 {
        return None;
    }
    let mut key = |flag| match flags & flag {
        0 => Some(None),
        _ => bytes.take(32)?.try_into().ok().map(Some),
    };
    let (sender_key, ed25519) = (key(SENDER_KEY)?, key(ED25519)?);
    let mut others = Vec::new();
    let count = if flags & OTHERS != 0 { bytes.number()? } else { 0 };
    for _ in 0..count {
        let (name, raw) = match bytes.byte()? {
            0 => (bytes.text()?, bytes.text()?),
            tag => *USUAL.get(usize::from(tag) - 1)?,
        };
        let json = RawValue::from_string(raw.to_owned()).ok()?;
        // Anything around the value would be cut off, and then it is not what was written.
        if json.get().len() != raw.len() {
            return None;
        }
        others.push((name.to_owned(), json));
    }
    Some(Claims { sender_key, ed25519, direct: flags & DIRECT != 0, others })
}

fn write_number(mut number: usize, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        str::from_utf8(self.take(length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key(seed: u8) -> SessionKey {
        let export: Vec<u8> = (0..=164).map(|n: u8| if n == 0 { 1 } else { n ^ seed }).collect();
        SessionKey::from_checked(&export).unwrap()
    }

    fn told(claims: &Claims) -> (Vec<u8>, String) {
        let mut bytes = Vec::new();
        write_claims(claims, &mut bytes);
        let mut json = String::new();
        claims.write(&mut json);
        (bytes, json)
    }

    fn any_claims() -> impl Strategy<Value = Claims> {
        let name = prop_oneof![
            Just("m.shared_history".to_owned()),
            Just("org.matrix.msc3061.shared_history".to_owned()),
            ".{0,20}"
        ];
        let raw = prop_oneof![
            Just("true".to_owned()),
            Just("false".to_owned()),
            Just("1.50".to_owned()),
            Just("{ \"a\" : [null] }".to_owned()),
            ".{0,200}".prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        let raw = raw.prop_map(|raw| RawValue::from_string(raw).unwrap());
        (
            any::<Option<[u8; 32]>>(),
            any::<Option<[u8; 32]>>(),
            any::<bool>(),
            vec((name, raw), 0..5),
        )
            .prop_map(|(sender_key, ed25519, direct, others)| Claims {
                sender_key,
                ed25519,
                direct,
                others,
            })
    }

    fn any_held() -> impl Strategy<Value = Held> {
        let sources = proptest::collection::btree_set(any::<u32>(), 1..5);
        (sources, any_claims())
            .prop_map(|(sources, claims)| Held { sources: sources.into_iter().collect(), claims })
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            backup in proptest::option::of(any_held()),
            other in any_held(),
            proven: bool,
            same: bool,
            seed: u8,
        ) {
            let mut file = Some(other);
            if let (Some(backup), Some(file), true) = (&backup, &mut file, same) {
                file.claims = backup.claims.clone();
            }
            let record = Record { key: key(seed), proven, backup, file };
            let again = Record::decode(&record.encode()).unwrap();
            prop_assert!(record.key.expose() == again.key.expose());
            prop_assert_eq!(record.proven, again.proven);
            for side in [Side::Backup, Side::File] {
                let (was, is) = (record.side(side), again.side(side));
                prop_assert_eq!(was.map(|held| &held.sources), is.map(|held| &held.sources));
                let tell = |held: Option<&Held>| held.map(|held| told(&held.claims));
                prop_assert_eq!(tell(was), tell(is));
            }
            let index = Record::first_known_index(&record.encode());
            prop_assert_eq!(index, Some(record.key.first_known_index()));
        }

        #[test]
        fn any_bytes_are_read_without_panic(
            mut bytes in vec(any::<u8>(), 0..600),
            whole: bool,
        ) {
            if let (true, Some(head)) = (whole, bytes.first_chunk_mut()) {
                *head = [VERSION, BACKUP];
            }
            if let Some(record) = Record::decode(&bytes) {
                prop_assert!(Record::decode(&record.encode()).is_some());
            }
        }

        #[test]
        fn a_record_cut_or_longer_is_refused(held in any_held(), cut in 1_usize..100) {
            let record = Record { key: key(1), proven: false, backup: Some(held), file: None };
            let mut bytes = record.encode();
            prop_assert!(Record::decode(&bytes[..bytes.len() - cut.min(bytes.len())]).is_none());
            bytes.push(0);
            prop_assert!(Record::decode(&bytes).is_none());
        }
    }

    #[test]
    fn a_usual_key_is_small() {
        let claims = Claims {
            sender_key: Some([1; 32]),
            ed25519: Some([2; 32]),
            direct: true,
            others: vec![(USUAL[1].0.to_owned(), RawValue::from_string("false".into()).unwrap())],
        };
        let backup = Some(Held { sources: vec![1], claims });
        let record = Record { key: key(1), proven: false, backup, file: None };
        assert_eq!(record.encode().len(), 2 + 164 + 2 + 65 + 2);
    }
}
