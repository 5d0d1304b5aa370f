//! Everything in a folder, for comparing and for searching.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// All files and folders below a folder, by relative path; empty where there is none.
#[derive(PartialEq, Eq)]
pub(crate) struct Tree {
    /// The bytes of a file; `None` for a folder.
    pub(crate) entries: BTreeMap<PathBuf, Option<Vec<u8>>>,
    /// The permission bits of each.
    pub(crate) modes: BTreeMap<PathBuf, u32>,
}

impl Tree {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut tree = Self { entries: BTreeMap::new(), modes: BTreeMap::new() };
        if folder.exists() {
            tree.add(folder, folder);
        }
        tree
    }

    fn add(&mut self, root: &Path, path: &Path) {
        let about = fs::symlink_metadata(path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_owned();
        self.modes.insert(name.clone(), about.permissions().mode() & 0o7777);
        if about.is_dir() {
            self.entries.insert(name, None);
            for entry in fs::read_dir(path).unwrap() {
                self.add(root, &entry.unwrap().path());
            }
        } else {
            self.entries.insert(name, Some(fs::read(path).unwrap()));
        }
    }

    /// The paths of all files whose name ends so.
    pub(crate) fn named<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a Path> {
        let is_named = move |path: &&PathBuf| path.to_string_lossy().ends_with(end);
        self.entries.keys().filter(is_named).map(PathBuf::as_path)
    }

    /// Asserts that nothing came, went or changed. Three files hold no data of their own: the lock,
    /// the memory that SQLite shares between readers, and its log while it is empty.
    #[track_caller]
    pub(crate) fn assert_same(&self, after: &Self) {
        let kept = |tree: &Self| -> BTreeMap<_, _> {
            let entries = tree.entries.iter().filter(|(path, file)| {
                let name = path.to_string_lossy();
                let empty_log = name.ends_with("-wal") && file.as_ref().is_some_and(Vec::is_empty);
                !(path.ends_with("lock") || name.ends_with("-shm") || empty_log)
            });
            entries.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
        };
        let (before, after) = (kept(self), kept(after));
        let (had, has): (Vec<_>, Vec<_>) = (before.keys().collect(), after.keys().collect());
        assert_eq!(had, has);
        for (path, bytes) in &before {
            assert!(after[path] == *bytes, "{} changed", path.display());
        }
    }
}
