//! Where keys came from: each source gets a small number, so that a key can name its sources cheaply.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::{
    error::StoreError,
    record::Side,
    seal::{Lookup, Place, Seal, Table},
};
use crate::{
    backup::version::PublicKey,
    base::{base64, random::Random},
};

/// Something that held keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A version of the server-side backup, together with the key its entries are locked for: a
    /// server may give the same name to another backup.
    Backup {
        /// The version's name.
        version: String,
        /// The public key that the entries were opened for.
        public_key: PublicKey,
    },
    /// A key file that somebody imported; the same bytes are the same source under any name.
    KeyFile {
        /// The file's name, to remind people.
        name: String,
        /// SHA-256 of the file.
        sha256: [u8; 32],
    },
}

/// The number of a source in one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId {
    number: u32,
    file: bool,
}

/// How new a backup version is; names that are no numbers count as older than all numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    Named(String),
    Numbered(u64),
}

/// All sources of one store.
#[derive(Default)]
pub(super) struct Sources(Vec<(SourceId, Source)>);

#[derive(Serialize, Deserialize)]
enum Written {
    Backup { version: String, public_key: String },
    KeyFile { name: String, sha256: String },
}

impl SourceId {
    pub(super) fn of(side: Side, number: u32) -> Self {
        Self { number, file: side == Side::File }
    }

    /// Stands for a source without a number, where nothing will be written. Numbers begin with 1.
    pub(super) fn unnumbered(side: Side) -> Self {
        Self::of(side, 0)
    }

    pub(super) fn number(self) -> u32 {
        self.number
    }

    pub(super) fn side(self) -> Side {
        if self.file { Side::File } else { Side::Backup }
    }
}

impl Source {
    fn side(&self) -> Side {
        match self {
            Self::Backup { .. } => Side::Backup,
            Self::KeyFile { .. } => Side::File,
        }
    }

    /// A key file is the same under another name.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::KeyFile { sha256: own, .. }, Self::KeyFile { sha256: others, .. }) => {
                own == others
            }
            _ => self == other,
        }
    }

    fn lookup(&self, seal: &Seal) -> Lookup {
        let parts: [&[u8]; 3] = match self {
            Self::Backup { version, public_key } => [b"b", version.as_bytes(), &public_key.0],
            Self::KeyFile { sha256, .. } => [b"f", sha256, b""],
        };
        seal.lookup(Table::Sources, &parts)
    }

    fn write(&self) -> Vec<u8> {
        let written = match self.clone() {
            Self::Backup { version, public_key } => {
                Written::Backup { version, public_key: public_key.to_base64() }
            }
            Self::KeyFile { name, sha256 } => {
                Written::KeyFile { name, sha256: base64::encode(&sha256) }
            }
        };
        #[expect(clippy::expect_used, reason = "two texts are always JSON")]
        serde_json::to_vec(&written).expect("two texts are always JSON")
    }

    fn read(plain: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(plain).ok()? {
            Written::Backup { version, public_key } => {
                let public_key = PublicKey(base64::decode_exact(&public_key)?);
                Self::Backup { version, public_key }
            }
            Written::KeyFile { name, sha256 } => {
                Self::KeyFile { name, sha256: base64::decode_exact(&sha256)? }
            }
        })
    }
}

impl Sources {
    /// Reads all sources; the second part lists the rows that do not open.
    pub(super) fn read(database: &Connection, seal: &Seal) -> Result<(Self, Vec<i64>), StoreError> {
        let mut statement =
            database.prepare_cached("SELECT id, lookup, sealed FROM sources ORDER BY id")?;
        let mut rows = statement.query([])?;
        let (mut sources, mut damaged) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let source = row.get(1).ok().and_then(|lookup: Lookup| {
                let place = Place { table: Table::Sources, lookup: &lookup, rank: 0 };
                let plain = seal.open(place, row.get_ref(2).ok()?.as_blob().ok()?)?;
                let source = Source::read(&plain)?;
                Some((SourceId::of(source.side(), u32::try_from(id).ok()?), source))
            });
            match source {
                Some(source) => sources.push(source),
                None => damaged.push(id),
            }
        }
        Ok((Self(sources), damaged))
    }

    pub(super) fn into_list(self) -> Vec<(SourceId, Source)> {
        self.0
    }

    /// The number of a source, which is given now if it is new.
    pub(super) fn number(
        &mut self,
        source: &Source,
        database: &Connection,
        seal: &Seal,
        random: &mut dyn Random,
    ) -> Result<SourceId, StoreError> {
        if let Some((id, _)) = self.0.iter().find(|(_, known)| known.is(source)) {
            return Ok(*id);
        }
        let lookup = source.lookup(seal);
        let place = Place { table: Table::Sources, lookup: &lookup, rank: 0 };
        let sealed = seal.seal(place, &source.write(), random);
        // A row that is there, but not in our list, is damaged: then it is whole again.
        let number = database.query_row(
            "INSERT INTO sources (lookup, sealed) VALUES (?1, ?2)
             ON CONFLICT (lookup) DO UPDATE SET sealed = excluded.sealed RETURNING id",
            params![lookup, sealed],
            |row| row.get(0),
        )?;
        let id = SourceId::of(source.side(), number);
        self.0.push((id, source.clone()));
        Ok(id)
    }

    /// Says whether a source has a number.
    pub(super) fn knows(&self, source: &Source) -> bool {
        self.0.iter().any(|(_, known)| known.is(source))
    }

    /// Takes a source away that no key names.
    pub(super) fn forget(&mut self, id: SourceId, database: &Connection) -> Result<(), StoreError> {
        database.execute("DELETE FROM sources WHERE id = ?1", [id.number])?;
        self.0.retain(|(known, _)| *known != id);
        Ok(())
    }

    /// How new a source is; `None` for key files.
    pub(super) fn age(&self, number: u32) -> Option<Age> {
        self.0.iter().find_map(|(id, source)| match source {
            Source::Backup { version, .. } if id.number == number => Some(match version.parse() {
                Ok(number) => Age::Numbered(number),
                Err(_) => Age::Named(version.clone()),
            }),
            _ => None,
        })
    }
}
