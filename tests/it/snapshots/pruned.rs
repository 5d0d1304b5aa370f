//! Pruning: only what another whole snapshot holds can go, and nothing goes without a yes.

use std::{collections::BTreeSet, fs, os::unix::fs::symlink, path::PathBuf, slice};

use keyhaul::{
    base::failure::{Code, Failure},
    recovery::prune::Pruning,
    store::folder::DataDir,
};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::{begin, entries, prune_here, trailer};
use crate::chance::cases;

/// A data directory with one account's folder.
struct Place {
    data: TempDir,
    folder: PathBuf,
}

/// A snapshot to be made: which sessions, whether it is whole, whether a byte of it was changed.
#[derive(Clone, Debug)]
struct Made {
    sessions: BTreeSet<u8>,
    whole: bool,
    damaged: bool,
    key: &'static str,
}

impl Place {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let account = DataDir::open(data.path()).unwrap().account("@a:x", "https://x").unwrap();
        let folder = account.path().to_owned();
        Self { data, folder }
    }

    fn add(&self, name: &str, made: &Made, second: i64) -> PathBuf {
        let file = self.folder.join(name);
        let mut writer = begin(&file, "@a:x", made.key, second);
        let sessions = made.sessions.iter().map(|one| (format!("s{one}"), json!({"n": one})));
        let sessions: serde_json::Map<_, _> = sessions.collect();
        let body = json!({"rooms": {"!a:x": {"sessions": sessions}}}).to_string();
        if made.whole {
            writer.write(body.as_bytes()).unwrap();
            writer.finish(trailer(), Default::default()).unwrap();
        } else {
            writer.write(&body.as_bytes()[..body.len() - 2]).unwrap();
            writer.abandon().unwrap();
        }
        if made.damaged {
            // A value inside, so that every session is still there.
            let text = fs::read_to_string(&file).unwrap();
            let place = text.find("\"n\"").map_or(text.len() - 10, |at| at + 1);
            let mut bytes = text.into_bytes();
            bytes[place] = b'm';
            fs::write(&file, bytes).unwrap();
        }
        file
    }

    fn prune(&self, files: &[PathBuf], agreed: bool) -> Result<Pruning, Failure> {
        prune_here(files, self.data.path(), agreed)
    }

    /// What can go, by name; removed if `agreed`.
    fn pruned(&self, files: &[PathBuf], agreed: bool) -> Vec<String> {
        let pruning = self.prune(files, agreed).unwrap();
        assert_eq!(pruning.removed, agreed);
        let gone = pruning.snapshots.iter().filter(|one| one.held_by.is_some());
        gone.map(|one| one.file.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
        names.sort();
        names
    }
}

fn whole(sessions: &[u8]) -> Made {
    Made { sessions: sessions.iter().copied().collect(), whole: true, damaged: false, key: KEY }
}

const KEY: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08";
const OTHER_KEY: &str = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo";
const A: &str = "snapshot-a.keyhaul";
const B: &str = "snapshot-b.keyhaul";

/// What can go of two snapshots, the second one made later.
fn of_two(first: &Made, second: &Made) -> Vec<String> {
    let place = Place::new();
    place.add(A, first, 1);
    place.add(B, second, 2);
    let all = place.names();
    let can_go = place.pruned(&[], false);
    assert_eq!(place.names(), all, "nothing goes without a yes");
    assert_eq!(place.pruned(&[], true), can_go);
    let stays: Vec<_> = all.into_iter().filter(|name| !can_go.contains(name)).collect();
    assert_eq!(place.names(), stays);
    can_go
}

#[test]
fn only_what_another_whole_one_holds_can_go() {
    let both = whole(&[1, 2]);
    assert_eq!(of_two(&both, &both), [A], "of equal ones the newer stays");
    assert_eq!(of_two(&whole(&[1]), &both), [A]);
    assert_eq!(of_two(&both, &whole(&[1])), [B]);
    assert!(of_two(&whole(&[1]), &whole(&[2])).is_empty());
    let cut = Made { whole: false, ..whole(&[1]) };
    assert_eq!(of_two(&cut, &both), [A]);
    assert!(of_two(&whole(&[1]), &Made { whole: false, ..both.clone() }).is_empty());
    let damaged = Made { damaged: true, ..both.clone() };
    assert!(of_two(&whole(&[1]), &damaged).is_empty(), "a damaged one holds nothing for sure");
    assert!(of_two(&whole(&[1]), &Made { key: OTHER_KEY, ..both }).is_empty());
}

#[test]
fn named_files_only() {
    let place = Place::new();
    let first = place.add(A, &whole(&[1]), 1);
    place.add(B, &whole(&[1]), 2);
    let outside = tempfile::tempdir().unwrap();
    let copy = outside.path().join("copy.keyhaul");
    fs::copy(&first, &copy).unwrap();
    assert_eq!(place.pruned(slice::from_ref(&copy), true), ["copy.keyhaul"]);
    assert!(!copy.exists());
    assert_eq!(place.names(), [A, B], "nobody asked for these");
    assert!(place.prune(&[outside.path().join("gone")], true).is_err());
}

#[test]
fn what_a_killed_run_left_goes_too() {
    let place = Place::new();
    place.add(A, &whole(&[1]), 1);
    fs::write(place.folder.join(".snapshot-Xy12"), "{\"keyhaul_snapshot\":1,").unwrap();
    let looked = place.prune(&[], false).unwrap();
    assert_eq!(looked.left_over.len(), 1);
    assert_eq!(looked.bytes(), 22);
    place.prune(&[], true).unwrap();
    assert_eq!(place.names(), [A]);
}

#[test]
fn folder_in_which_somebody_works_is_left_alone() {
    let place = Place::new();
    place.add(A, &whole(&[1]), 1);
    place.add(B, &whole(&[1]), 2);
    let account = DataDir::open(place.data.path()).unwrap().account("@a:x", "https://x").unwrap();
    let held = account.lock().unwrap();
    let refused = place.prune(&[], true).unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyRunning);
    assert_eq!(place.names(), [A, B]);
    drop(held);
    assert_eq!(place.pruned(&[], true), [A]);
}

#[test]
fn a_file_is_not_held_by_itself_under_another_name() {
    let place = Place::new();
    let first = place.add(A, &whole(&[1]), 1);
    let outside = tempfile::tempdir().unwrap();
    let moved = outside.path().join(A);
    fs::rename(&first, &moved).unwrap();
    symlink(&moved, &first).unwrap();
    assert!(place.pruned(slice::from_ref(&moved), true).is_empty());
    assert!(place.pruned(&[], true).is_empty());
    let refused = place.prune(slice::from_ref(&first), true).unwrap_err();
    assert_eq!(refused.code(), Code::FileNotPlain);
    fs::remove_file(&first).unwrap();
    fs::hard_link(&moved, &first).unwrap();
    assert!(place.pruned(slice::from_ref(&moved), true).is_empty());
    assert!(moved.exists() && first.exists());
}

#[test]
fn another_key_of_the_same_session_stays() {
    let place = Place::new();
    place.add(A, &whole(&[1]), 1);
    let mut writer = begin(&place.folder.join(B), "@a:x", KEY, 2);
    writer.write(br#"{"rooms":{"!a:x":{"sessions":{"s1":{"n":2}}}}}"#).unwrap();
    writer.finish(trailer(), Default::default()).unwrap();
    assert!(place.pruned(&[], true).is_empty());
}

#[test]
fn a_file_that_cannot_be_read_stays_and_spoils_nothing() {
    let place = Place::new();
    place.add(A, &whole(&[1]), 1);
    place.add(B, &whole(&[1]), 2);
    let odd = place.folder.join("snapshot-x.keyhaul");
    fs::write(&odd, "odd").unwrap();
    let pruning = place.prune(&[], true).unwrap();
    assert_eq!(pruning.unreadable, slice::from_ref(&odd));
    assert!(odd.exists());
    assert_eq!(place.names(), [B, "snapshot-x.keyhaul"]);
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn no_session_is_ever_lost(made in prop::collection::vec(
        (prop::collection::btree_set(0_u8..5, 0..5), any::<bool>(), prop::bool::weighted(0.2)),
        1..6,
    )) {
        let place = Place::new();
        let mut before = BTreeSet::new();
        for (number, (sessions, is_whole, damaged)) in made.into_iter().enumerate() {
            let made = Made { sessions, whole: is_whole, damaged: damaged && is_whole, key: KEY };
            let name = format!("snapshot-{number}.keyhaul");
            let file = place.add(&name, &made, number as i64);
            if !made.damaged {
                before.extend(entries(&file));
            }
        }
        place.pruned(&[], true);
        let mut after = BTreeSet::new();
        for name in place.names() {
            after.extend(entries(&place.folder.join(name)));
        }
        prop_assert!(after.is_superset(&before));
        prop_assert!(place.pruned(&[], true).is_empty());
    }
}
