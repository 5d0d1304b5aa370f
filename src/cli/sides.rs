//! The two sides of `diff`, as they are named on the command line.

use std::path::PathBuf;

use crate::recovery::look::Wanted;

/// One side, before anybody looked at it.
#[derive(Clone, Debug)]
pub enum SideWord {
    /// `backup:N` or `backup:current`.
    Backup(Wanted),
    /// `store`.
    Store,
    /// `file:FILE`, a key file.
    KeyFile(PathBuf),
    /// `snapshot:FILE`.
    Snapshot(PathBuf),
}

impl SideWord {
    /// Reads one side; otherwise says what is expected.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word.split_once(':') {
            None if word == "store" => Ok(Self::Store),
            Some(("backup", "all" | "")) => Err("expected one backup, as in backup:4".to_owned()),
            Some(("backup", "current")) => Ok(Self::Backup(Wanted::Current)),
            // One version, so this is no list, whatever it is called.
            Some(("backup", version)) => Ok(Self::Backup(Wanted::Named(version.to_owned()))),
            Some(("file", file)) if !file.is_empty() => Ok(Self::KeyFile(file.into())),
            Some(("snapshot", file)) if !file.is_empty() => Ok(Self::Snapshot(file.into())),
            _ => {
                Err("expected backup:N, backup:current, store, file:FILE or snapshot:FILE"
                    .to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_apart() {
        let is = |word: &str| match SideWord::parse(word) {
            Ok(SideWord::Backup(Wanted::Named(name))) => format!("backup {name}"),
            Ok(SideWord::Backup(wanted)) => format!("{wanted:?} backup"),
            Ok(SideWord::Store) => "store".to_owned(),
            Ok(SideWord::KeyFile(file)) => format!("file {}", file.display()),
            Ok(SideWord::Snapshot(file)) => format!("snapshot {}", file.display()),
            Err(_) => "nothing".to_owned(),
        };
        for (word, expected) in [
            ("backup:4", "backup 4"),
            ("backup:a:b", "backup a:b"),
            ("backup:4,2", "backup 4,2"),
            ("backup:current", "Current backup"),
            ("store", "store"),
            ("file:a:b.txt", "file a:b.txt"),
            ("snapshot:/tmp/x", "snapshot /tmp/x"),
            ("backup:all", "nothing"),
            ("backup:", "nothing"),
            ("file:", "nothing"),
            ("4", "nothing"),
            ("stores", "nothing"),
        ] {
            assert_eq!(is(word), expected, "{word}");
        }
    }
}
