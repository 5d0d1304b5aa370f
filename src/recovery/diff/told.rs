//! What a comparison comes to, in words: what would be gone, and how far that can be believed.

use super::{Diff, Name, ReadBy, SideRead};
use crate::base::{shown::Shown, words::counted};

impl Name {
    /// What people call it, within a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Backup(version) => format!("backup {version}"),
            Self::Snapshot { version, .. } => format!("the snapshot of backup {version}"),
            Self::Store => "the store".to_owned(),
            Self::KeyFile(_) => "the key file".to_owned(),
        }
    }

    /// The same as a heading over figures.
    pub fn heading(&self) -> String {
        match self {
            Self::Backup(version) => version.to_string(),
            Self::Snapshot { .. } => "snapshot".to_owned(),
            Self::Store => "store".to_owned(),
            Self::KeyFile(_) => "file".to_owned(),
        }
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Shown> {
        match self {
            Self::Snapshot { file, .. } | Self::KeyFile(file) => Some(file),
            Self::Backup(_) | Self::Store => None,
        }
    }
}

/// Begins a sentence.
fn begun(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

impl Diff {
    /// What would be gone, for each side that somebody might delete: a backup on a server. Where there is
    /// none, what each side has alone.
    pub fn losses(&self) -> Vec<String> {
        let [a, b] = &self.sides;
        let (names, all) = ([a.name.words(), b.name.words()], &self.all);
        let [name_a, name_b] = &names;
        let sides = [
            (a, name_a, name_b, all.only_a, all.earlier_a),
            (b, name_b, name_a, all.only_b, all.earlier_b),
        ];
        if a.name == b.name && matches!(a.name, Name::Backup(_)) {
            return vec![format!("Both sides are {name_a}: there is nothing to compare.")];
        }
        let backups = sides.iter().filter(|(side, ..)| matches!(side.name, Name::Backup(_)));
        let lost: Vec<String> = backups
            .map(|(side, own, other, only, earlier)| loss(own, other, *only, *earlier, side.whole))
            .collect();
        if !lost.is_empty() {
            return lost;
        }
        let alone = |(_, own, other, only, _): &(_, &String, &String, u64, _)| {
            let keys = begun(&counted(*only, "key"));
            format!("{keys} of {own} {} not in {other}.", if *only == 1 { "is" } else { "are" })
        };
        sides.iter().map(alone).collect()
    }

    /// What to know before believing the figures.
    pub fn doubts(&self) -> Vec<String> {
        self.sides.iter().flat_map(SideRead::doubts).collect()
    }

    /// Says whether both sides were read to their ends.
    pub fn is_whole(&self) -> bool {
        self.sides.iter().all(|side| side.whole)
    }
}

fn loss(own: &str, other: &str, only: u64, earlier: u64, whole: bool) -> String {
    let later = match earlier {
        0 => String::new(),
        1 => " 1 more would start later.".to_owned(),
        _ => format!(" {} more would start later.", crate::base::shown::grouped(earlier)),
    };
    match only {
        // Of what was not read nobody can promise anything.
        0 if !whole => {
            format!("What would be gone with {own} is not known: it could not be read to its end.")
        }
        0 if earlier == 0 => {
            format!("If {own} were deleted, no key would be gone: {other} holds them all.")
        }
        0 => {
            let keys = counted(earlier, "key");
            format!("If {own} were deleted, no key would be gone, but {keys} would start later.")
        }
        _ => {
            let (keys, them) = (counted(only, "key"), if only == 1 { "it" } else { "them" });
            let least = if whole { "" } else { "at least " };
            format!(
                "If {own} were deleted, {least}{keys} would be gone: {other} does not hold {them}.{later}"
            )
        }
    }
}

impl SideRead {
    fn doubts(&self) -> Vec<String> {
        let name = begun(&self.name.words());
        let mut doubts = Vec::new();
        if self.read == ReadBy::Metadata {
            doubts.push(format!(
                "{name} is read by what its entries say, which may be wrong: no key here opens it."
            ));
        }
        if self.refused > 0 {
            let entries = match self.refused {
                1 => "1 entry".to_owned(),
                many => format!("{} entries", crate::base::shown::grouped(many)),
            };
            doubts.push(format!("{name} has {entries} of no use; they count as not there."));
        }
        if !self.whole {
            doubts.push(format!("{name} could not be read to its end: there may be more in it."));
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::diff::RoomDiff;

    fn side(name: Name) -> SideRead {
        SideRead { name, read: ReadBy::Keys, keys: 0, refused: 0, whole: true }
    }

    fn backup(name: &str) -> Name {
        Name::Backup(Shown::new(name))
    }

    fn told(a: Name, b: Name, all: RoomDiff) -> Vec<String> {
        Diff { sides: [side(a), side(b)], all, rooms: Default::default() }.losses()
    }

    #[test]
    fn a_backup_that_would_be_gone_is_told() {
        let all =
            RoomDiff { only_a: 988, only_b: 13_096, both: 5_324, earlier_a: 31, earlier_b: 0 };
        assert_eq!(
            told(backup("2"), backup("4"), all),
            [
                "If backup 2 were deleted, 988 keys would be gone: backup 4 does not hold them. 31 more would start later.",
                "If backup 4 were deleted, 13 096 keys would be gone: backup 2 does not hold them.",
            ]
        );
        let none = RoomDiff { both: 7, earlier_b: 1, ..RoomDiff::default() };
        assert_eq!(
            told(Name::Store, backup("4"), none),
            ["If backup 4 were deleted, no key would be gone, but 1 key would start later."]
        );
        let all_there = RoomDiff { both: 7, only_a: 3, ..RoomDiff::default() };
        assert_eq!(
            told(Name::Store, backup("4"), all_there),
            ["If backup 4 were deleted, no key would be gone: the store holds them all."]
        );
        assert_eq!(
            told(
                Name::Store,
                Name::KeyFile(Shown::new("keys.txt")),
                RoomDiff { only_b: 1, ..all_there }
            ),
            [
                "3 keys of the store are not in the key file.",
                "1 key of the key file is not in the store."
            ]
        );
    }

    #[test]
    fn nothing_is_promised_of_what_was_not_read() {
        let all = RoomDiff { both: 7, ..RoomDiff::default() };
        let cut = || SideRead { whole: false, ..side(backup("1")) };
        let told = |all| Diff { sides: [cut(), side(Name::Store)], all, rooms: Default::default() };
        assert_eq!(
            told(all).losses(),
            ["What would be gone with backup 1 is not known: it could not be read to its end."]
        );
        assert_eq!(
            told(RoomDiff { only_a: 3, ..all }).losses(),
            [
                "If backup 1 were deleted, at least 3 keys would be gone: the store does not hold them."
            ]
        );
        let twice = Diff { sides: [side(backup("3")), side(backup("3"))], ..told(all) };
        assert_eq!(twice.losses(), ["Both sides are backup 3: there is nothing to compare."]);
    }

    #[test]
    fn what_cannot_be_believed_is_told() {
        let doubtful =
            SideRead { read: ReadBy::Metadata, refused: 1, whole: false, ..side(backup("1")) };
        assert_eq!(doubtful.doubts().len(), 3);
        assert_eq!(side(Name::Store).doubts(), Vec::<String>::new());
    }
}
