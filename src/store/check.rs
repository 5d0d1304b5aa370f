//! Looking the store over: is every key still whole, and what is there at all?

use std::ops::ControlFlow;

use super::{
    candidates::COVERED,
    error::StoreError,
    reader::Reader,
    schema, sessions,
    slots::Lock,
    sources::{Source, Sources},
};

/// Most lines taken from SQLite's own check.
const LINES: u32 = 100;
/// Most damaged rows listed by number; all are counted.
const LISTED: usize = 10_000;

/// What a full check found. Without damage, every key was unsealed, decoded and checked anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Sessions with a whole preferred key.
    pub keys: u64,
    /// Whole keys beside the preferred ones.
    pub candidates: u64,
    /// Rooms whose ids open.
    pub rooms: u64,
    /// Damaged places: rows of any table, and faults that SQLite found in the file's structure.
    pub damaged: u64,
    /// Row numbers of damaged keys that can be removed, at most 10 000.
    pub damaged_keys: Vec<i64>,
    /// Row numbers of damaged rooms, none of whose keys can be read.
    pub damaged_rooms: Vec<i64>,
}

/// What the store holds, in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Bytes on disk, the log included.
    pub bytes: u64,
    /// Sessions that have a key.
    pub keys: u64,
    /// Keys beside the preferred ones.
    pub candidates: u64,
    /// Rooms.
    pub rooms: u64,
    /// Where the keys came from.
    pub sources: Vec<Source>,
    /// What opens the store.
    pub slots: Vec<Lock>,
}

impl Info {
    /// Bytes on disk for each key; `None` without keys.
    pub fn bytes_per_key(&self) -> Option<u64> {
        self.bytes.checked_div(self.keys + self.candidates)
    }
}

impl Reader {
    /// Reads and checks everything, and does not stop at damage.
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        let mut report = CheckReport { damaged: self.structural_faults()?, ..Default::default() };
        let (_, sources) = past_damage(Sources::read(&self.database, &self.seal), &mut report)?;
        let (rooms, lost) = past_damage(sessions::rooms(&self.database, &self.seal), &mut report)?;
        report.rooms = rooms.len() as u64;
        report.damaged += (sources.len() + lost.len()) as u64;
        report.damaged_rooms = lost;
        let unreadable = sessions::scan(&self.database, None, |row| {
            let (id, key) = match &row {
                Ok(row) => (row.id, row.open(&self.seal, &rooms)),
                Err(id) => (*id, None),
            };
            match key.filter(sessions::is_sound) {
                Some(key) if key.rank == 0 => report.keys += 1,
                Some(key) if key.rank != COVERED => report.candidates += 1,
                Some(_) => {}
                None => {
                    report.damaged += 1;
                    if report.damaged_keys.len() < LISTED {
                        report.damaged_keys.push(id);
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        report.damaged += unreadable;
        Ok(report)
    }

    /// What is in the store, counted without opening any key.
    pub fn info(&self) -> Result<Info, StoreError> {
        let count = |sql| self.database.query_row(sql, [], |row| row.get(0));
        let all: u64 = count("SELECT count(*) FROM sessions")?;
        let covered = format!("SELECT count(*) FROM sessions WHERE rank = {COVERED}");
        let (keys, covered) = (self.count()?, count(&covered)?);
        Ok(Info {
            bytes: schema::size(self.folder()),
            keys,
            candidates: all.saturating_sub(keys).saturating_sub(covered),
            rooms: count("SELECT count(*) FROM rooms")?,
            sources: self.sources()?.into_iter().map(|(_, source)| source).collect(),
            slots: self.slots()?,
        })
    }

    fn structural_faults(&self) -> Result<u64, StoreError> {
        let check = || {
            let mut faults = 0;
            let mut statement =
                self.database.prepare(&format!("PRAGMA integrity_check({LINES})"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                faults += u64::from(row.get_ref(0)?.as_str() != Ok("ok"));
            }
            Ok(faults)
        };
        check().or_else(|error| if schema::is_damage(&error) { Ok(1) } else { Err(error.into()) })
    }
}

/// Counts a table that cannot be read at all as one damaged place.
fn past_damage<T: Default>(
    read: Result<T, StoreError>,
    report: &mut CheckReport,
) -> Result<T, StoreError> {
    match read {
        Err(StoreError::Unreadable { .. }) => {
            report.damaged += 1;
            Ok(T::default())
        }
        read => read,
    }
}
