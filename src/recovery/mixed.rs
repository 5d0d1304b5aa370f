//! One backup, several recovery keys: what of a restored version is locked for another key than its own, in
//! which rooms, and what was tried on it (SPEC §3.5).

use std::sync::Arc;

use super::restore::{Restored, Restoring};
use crate::{
    backup::version::PublicKey,
    base::{
        shown::{Shown, grouped},
        words::{counted, listed},
    },
};

/// Most rooms that are named in a sentence.
const NAMED: usize = 3;

/// What is locked for another recovery key in one restored version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// Keys that stay closed for that reason.
    pub count: u64,
    /// Their rooms with how many keys each, the one with the most first.
    pub rooms: Vec<(Arc<str>, u64)>,
    /// Keys of the version that are not affected.
    pub others: u64,
    /// The other keys that were tried on them, by what they are.
    pub tried: Vec<String>,
    /// Keys that opened although they were locked for another key than the version's.
    pub opened: u64,
    /// By which keys that was in this run, with how many each.
    pub opened_by: Vec<(String, u64)>,
}

impl Mixed {
    /// What is mixed in a version; `None` where all of it is locked for the version's own key.
    pub fn of(run: &Restored, done: &Restoring) -> Option<Self> {
        let figures = &run.tally.figures;
        if figures.for_another == 0 && figures.by_another == 0 {
            return None;
        }
        let rooms = run.tally.rooms_for_another().into_iter();
        let others = run.tally.others.iter();
        Some(Self {
            count: figures.for_another,
            rooms: rooms.map(|(room, count)| (Arc::clone(room), count)).collect(),
            others: figures.entries - figures.for_another,
            tried: run.tried.iter().skip(1).map(|key| name(*key, done)).collect(),
            opened: figures.by_another,
            opened_by: others.map(|(key, count)| (name(*key, done), *count)).collect(),
        })
    }

    /// What was opened with another key than the version's own.
    pub fn opened_words(&self, version: &str) -> Option<String> {
        let version = Shown::limited(version, 20);
        let keys = match self.opened {
            0 => return None,
            1 => "1 key".to_owned(),
            count => counted(count, "key"),
        };
        let by: Vec<String> = self.opened_by.iter().map(|(name, _)| name.clone()).collect();
        let by = if by.is_empty() { "another key".to_owned() } else { listed(&by) };
        Some(format!("{keys} of backup {version} opened with {by}."))
    }

    /// What stays closed, and where; `called` says what a room is called.
    pub fn closed_words(&self, version: &str, called: &dyn Fn(&Arc<str>) -> Shown) -> Vec<String> {
        let version = Shown::limited(version, 20);
        let (keys, they, the_room) = match self.count {
            0 => return Vec::new(),
            1 => ("1 key", "It belongs to", "It belongs to"),
            _ => ("keys", "They belong to", "They all belong to"),
        };
        let locked = match self.count {
            1 => format!("{keys} of backup {version} is locked for another recovery key."),
            count => {
                format!(
                    "{} {keys} of backup {version} are locked for another recovery key.",
                    grouped(count)
                )
            }
        };
        let rooms = match self.rooms.as_slice() {
            [(room, _)] => format!("{the_room} “{}”.", called(room)),
            rooms => {
                let mut named: Vec<String> = rooms
                    .iter()
                    .take(NAMED)
                    .map(|(room, count)| format!("“{}” ({})", called(room), grouped(*count)))
                    .collect();
                let more = rooms.len().saturating_sub(NAMED) as u64;
                if more > 0 {
                    named.push(format!("{} more", counted(more, "room")));
                }
                let all = counted(rooms.len() as u64, "room");
                format!("{they} {all}: {}.", listed(&named))
            }
        };
        let others = match self.others {
            0 => None,
            1 => Some("The other one is not affected.".to_owned()),
            count => Some(format!("The other {} are not affected.", grouped(count))),
        };
        let tried = match self.tried.as_slice() {
            [] => None,
            [one] => Some(format!("Tried on them, in vain: {one}.")),
            many => Some(format!("Tried on them, in vain: {}.", listed(many))),
        };
        [Some(locked), Some(rooms), others, tried].into_iter().flatten().collect()
    }
}

/// What a key is: that of a backup, or one that opens none.
fn name(key: PublicKey, done: &Restoring) -> String {
    let known = done.keys.iter().find(|(known, _)| *known == key);
    let opens = known.map(|(_, opens)| opens.as_slice()).unwrap_or_default();
    if opens.is_empty() {
        return "a key that opens no backup here".to_owned();
    }
    let opens: Vec<String> =
        opens.iter().map(|version| Shown::limited(version, 20).to_string()).collect();
    format!("the key of backup {}", listed(&opens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(rooms: &[(&str, u64)], others: u64) -> Mixed {
        let rooms = rooms.iter().map(|(room, count)| (Arc::from(*room), *count));
        let rooms: Vec<_> = rooms.collect();
        Mixed {
            count: rooms.iter().map(|(_, count)| count).sum(),
            rooms,
            others,
            tried: Vec::new(),
            opened: 0,
            opened_by: Vec::new(),
        }
    }

    fn words(mixed: &Mixed) -> String {
        mixed.closed_words("4", &|room| Shown::new(room)).join(" ")
    }

    #[test]
    fn what_is_locked_for_another_key_is_told_by_room() {
        let one = Mixed {
            tried: vec!["the key of backup 2".to_owned()],
            ..mixed(&[("Wedding 2023", 171)], 18_249)
        };
        assert_eq!(
            words(&one),
            "171 keys of backup 4 are locked for another recovery key. They all belong to “Wedding \
             2023”. The other 18 249 are not affected. Tried on them, in vain: the key of backup 2."
        );
        assert_eq!(
            words(&mixed(&[("a", 1)], 1)),
            "1 key of backup 4 is locked for another recovery key. It belongs to “a”. The other one is \
             not affected."
        );
        assert_eq!(
            words(&mixed(&[("a", 3), ("b", 2), ("c", 1), ("d", 1), ("e", 1)], 0)),
            "8 keys of backup 4 are locked for another recovery key. They belong to 5 rooms: “a” (3), \
             “b” (2), “c” (1) and 2 rooms more."
        );
        assert_eq!(words(&mixed(&[], 7)), "");
    }

    #[test]
    fn what_another_key_opened_is_told() {
        let opened = |opened, by: &[&str]| {
            let opened_by = by.iter().map(|name| ((*name).to_owned(), 1)).collect();
            Mixed { opened, opened_by, ..mixed(&[], 7) }.opened_words("4").unwrap_or_default()
        };
        assert_eq!(
            opened(57, &["the key of backup 1"]),
            "57 keys of backup 4 opened with the key of backup 1."
        );
        assert_eq!(opened(1, &[]), "1 key of backup 4 opened with another key.");
        assert_eq!(opened(0, &[]), "");
    }
}
