//! Pruning among many files, of any making and damaged anywhere: whatever is told and removed, every
//! key that could be read before can be read afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use keyhaul::{
    recovery::prune::Pruning,
    snapshot::{format::Trailer, reader::Snapshot},
    store::folder::DataDir,
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    begin, entries,
    few::{makes_sense, scanned},
    prune_here, trailer,
};
use crate::chance::cases;

/// A data directory with one account's folder.
struct Place {
    data: TempDir,
    folder: PathBuf,
}

/// A snapshot to be made.
#[derive(Clone, Debug)]
struct Made {
    /// Sessions, each with the value that its entry has.
    keys: BTreeMap<u8, u8>,
    user: &'static str,
    public_key: &'static str,
    second: i64,
    end: End,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// After so many of its bytes.
    Cut(usize),
    /// As a killed run leaves it, after so many of its bytes.
    Killed(usize),
}

impl Made {
    fn body(&self) -> String {
        let keys = self.keys.iter().map(|(id, value)| format!("\"s{id}\":{{\"n\":{value}}}"));
        let keys: Vec<String> = keys.collect();
        format!("{{\"rooms\":{{\"!a:x\":{{\"sessions\":{{{}}}}}}}}}", keys.join(","))
    }
}

/// Whole, of the first account, with these sessions.
fn whole(keys: &[u8], second: i64) -> Made {
    let keys = keys.iter().map(|id| (*id, 0)).collect();
    Made { keys, user: "@a:x", public_key: "AAAA", second, end: End::Whole }
}

impl Place {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let account = DataDir::open(data.path()).unwrap().account("@a:x", "https://x").unwrap();
        let folder = account.path().to_owned();
        Self { data, folder }
    }

    fn named(&self, name: &str) -> PathBuf {
        match name.starts_with('.') {
            true => self.folder.join(name),
            false => self.folder.join(format!("snapshot-{name}.keyhaul")),
        }
    }

    fn add(&self, name: &str, made: &Made) -> PathBuf {
        let file = self.named(name);
        let mut writer = begin(&file, made.user, made.public_key, made.second);
        let body = made.body();
        match made.end {
            End::Whole => {
                writer.write(body.as_bytes()).unwrap();
                let trailer = Trailer { entries: made.keys.len() as u64, ..trailer() };
                writer.finish(trailer, BTreeMap::new()).unwrap();
            }
            End::Cut(length) | End::Killed(length) => {
                writer.write(&body.as_bytes()[..length.min(body.len())]).unwrap();
                writer.abandon().unwrap();
            }
        }
        file
    }

    fn prune(&self, files: &[PathBuf], agreed: bool) -> Pruning {
        prune_here(files, self.data.path(), agreed).unwrap()
    }

    /// What can go, each with what holds it, by the names without their ends.
    fn can_go(&self) -> Vec<(String, String)> {
        let name = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            name.trim_start_matches("snapshot-").trim_end_matches(".keyhaul").to_owned()
        };
        let pruning = self.prune(&[], false);
        let held = pruning.snapshots.iter();
        held.filter_map(|one| Some((name(&one.file), name(one.held_by.as_ref()?)))).collect()
    }

    /// The names in the folder.
    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "lock").collect()
    }

    /// Every key in the folder that can be read, with whose it is.
    fn keys(&self, leave_out: &BTreeSet<PathBuf>) -> BTreeSet<(String, super::Entry)> {
        let files = self.names().into_iter().map(|name| self.folder.join(name));
        let files = files.filter(|file| !leave_out.contains(file));
        let opened = files.filter_map(|file| Some((Snapshot::open(&file).ok()?, file)));
        let keys = opened.flat_map(|(snapshot, file)| {
            let owner = format!("{} {}", snapshot.header.user, snapshot.version.auth_data);
            let bytes = fs::read(&file).unwrap();
            let body = bytes.iter().position(|byte| *byte == b'\n').unwrap();
            scanned(&bytes[body..]).into_iter().map(move |entry| (owner.clone(), entry))
        });
        keys.collect()
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(gone, holder)| ((*gone).to_owned(), (*holder).to_owned())).collect()
}

/// What is said to hold a file must be there afterwards.
#[test]
fn holders_stay() {
    let place = Place::new();
    place.add("few", &whole(&[1], 1));
    place.add("all", &whole(&[1, 2, 3], 2));
    place.add("more", &whole(&[1, 2], 3));
    let expected = pairs(&[("few", "all"), ("more", "all")]);
    assert_eq!(place.can_go(), expected);
    for one in place.prune(&[], true).snapshots.iter().filter_map(|one| one.held_by.as_ref()) {
        assert!(one.exists(), "{}", one.display());
    }
    assert_eq!(place.names().len(), 1);
}

#[test]
fn of_many_equal_ones_the_newest_stays() {
    let place = Place::new();
    for (name, second) in [("a", 3), ("b", 9), ("c", 1), ("d", 9)] {
        place.add(name, &whole(&[1, 2], second));
    }
    assert_eq!(place.can_go(), pairs(&[("a", "d"), ("b", "d"), ("c", "d")]));
}

#[test]
fn other_backups_hold_nothing() {
    for other in [
        Made { user: "@b:x", ..whole(&[1, 2], 2) },
        Made { public_key: "BBBB", ..whole(&[1, 2], 2) },
        // The same sessions with other keys.
        Made { keys: [(1, 7), (2, 7)].into(), ..whole(&[], 2) },
        // One that was cut, although nothing is missing.
        Made { end: End::Cut(usize::MAX), ..whole(&[1, 2], 2) },
    ] {
        let place = Place::new();
        place.add("a", &whole(&[1], 1));
        place.add("b", &other);
        assert_eq!(place.can_go(), [], "{other:?}");
    }
}

/// Wherever a byte is another one, the file is no reason to remove another; and it is removed itself only
/// if what can still be read of it is all that was in it.
#[test]
fn damaged_ones_are_no_reason() {
    let place = Place::new();
    let intact = place.add("intact", &whole(&[1], 1));
    let damaged = place.add("damaged", &whole(&[1, 2], 2));
    let bytes = fs::read(&damaged).unwrap();
    let begin = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let end = begin + bytes[begin..].iter().position(|byte| *byte == b'\n').unwrap();
    assert_eq!(place.can_go(), pairs(&[("intact", "damaged")]));
    let kept = fs::read(&intact).unwrap();
    let all = place.add("all", &whole(&[1, 2, 3], 3));
    let holder = fs::read(&all).unwrap();
    for at in begin..end {
        for byte in [b'x', b'"', b'}', b'\n'] {
            let mut changed = bytes.clone();
            changed[at] = byte;
            if changed == bytes {
                continue;
            }
            fs::write(&damaged, &changed).unwrap();
            fs::remove_file(&all).unwrap();
            assert_eq!(place.can_go(), [], "byte {at}");
            // Beside one that holds what both held, it may go if its keys are those that it had.
            fs::write(&all, &holder).unwrap();
            let gone = place.can_go();
            let (body, before) = (&changed[begin..end], &bytes[begin..end]);
            let same = makes_sense(body) && scanned(body) == scanned(before);
            let expected: &[_] = match same {
                true => &[("damaged", "all"), ("intact", "all")],
                false => &[("intact", "all")],
            };
            assert_eq!(gone, pairs(expected), "byte {at} {:?}", char::from(byte));
            assert!(fs::read(&intact).unwrap() == kept);
        }
    }
}

#[test]
fn what_a_killed_run_left_goes_only_if_it_is_somewhere_else() {
    let place = Place::new();
    let killed = |keys| Made { end: End::Killed(usize::MAX), ..whole(keys, 3) };
    place.add("a", &whole(&[1, 2], 1));
    let held = place.add(".snapshot-held", &killed(&[2]));
    let own = place.add(".snapshot-own", &killed(&[2, 3]));
    let empty = place.add(".snapshot-empty", &Made { end: End::Killed(0), ..whole(&[3], 3) });
    let header = place.named(".snapshot-header");
    fs::write(&header, "{\"keyhaul_snapshot\":1,\"ser").unwrap();
    let pruning = place.prune(&[], false);
    let mut left_over: Vec<_> = pruning.left_over.iter().map(|(file, _)| file.clone()).collect();
    left_over.sort();
    assert_eq!(left_over, [&empty, &header, &held].map(Clone::clone));
    let length = |file: &PathBuf| fs::metadata(file).unwrap().len();
    assert_eq!(pruning.bytes(), [&empty, &header, &held].map(length).iter().sum::<u64>());
    let listed = pruning.snapshots.iter().find(|one| one.file == own).unwrap();
    assert!(!listed.complete && listed.held_by.is_none());
    place.prune(&[], true);
    assert!(own.exists() && !held.exists() && !empty.exists() && !header.exists());
    // Once a snapshot holds it, it can go.
    place.add("b", &whole(&[2, 3], 4));
    place.prune(&[], true);
    assert!(!own.exists());
    // One that was killed on its last line holds nothing for others: its name is not for long.
    let place = Place::new();
    place.add("a", &whole(&[1], 1));
    fs::rename(place.add("b", &whole(&[1, 2], 2)), place.named(".snapshot-whole")).unwrap();
    assert_eq!(place.can_go(), []);
}

#[test]
fn links_are_no_second_copies() {
    let place = Place::new();
    let file = place.add("a", &whole(&[1], 1));
    symlink(&file, place.named("b")).unwrap();
    fs::hard_link(&file, place.named("c")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    symlink(&file, outside.path().join("link")).unwrap();
    for files in [&[] as &[PathBuf], std::slice::from_ref(&file)] {
        let pruning = place.prune(files, true);
        assert!(pruning.snapshots.iter().all(|one| one.held_by.is_none()));
        assert!(file.exists());
    }
    let named = vec![outside.path().join("link"), file.clone()];
    let refused = prune_here(&named, place.data.path(), true).unwrap_err();
    assert_eq!(refused.code().word(), "file-not-plain");
    assert_eq!(entries(&file).len(), 1);
}

/// Says whether a file is whole and its keys are those that were written.
fn is_proven(file: &Path) -> bool {
    let Ok(snapshot) = Snapshot::open(file) else { return false };
    let whole = snapshot.trailer.is_some();
    let mut body = snapshot.into_body().unwrap();
    while body.read(&mut [0; 64]).unwrap() > 0 {}
    whole && body.is_intact()
}

fn made() -> impl Strategy<Value = Made> {
    let keys = prop::collection::btree_map(0_u8..4, 0_u8..2, 0..4);
    let user = prop::sample::select(vec!["@a:x", "@a:x", "@a:x", "@b:x"]);
    let key = prop::sample::select(vec!["AAAA", "AAAA", "AAAA", "BBBB"]);
    let end = prop_oneof![
        4 => Just(End::Whole),
        2 => (0_usize..120).prop_map(End::Cut),
        1 => (0_usize..120).prop_map(End::Killed),
    ];
    (keys, user, key, 0_i64..4, end).prop_map(|(keys, user, public_key, second, end)| Made {
        keys,
        user,
        public_key,
        second,
        end,
    })
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn nothing_that_can_be_read_is_ever_lost(
        snapshots in prop::collection::vec(
            (made(), prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()))), 1..7
        )
    ) {
        let place = Place::new();
        let mut damaged = BTreeSet::new();
        for (number, (made, change)) in snapshots.iter().enumerate() {
            let name = match made.end {
                End::Killed(_) => format!(".snapshot-{number}"),
                _ => number.to_string(),
            };
            let file = place.add(&name, made);
            if let Some((at, byte)) = change {
                let mut bytes = fs::read(&file).unwrap();
                let at = at.index(bytes.len());
                bytes[at] = *byte;
                fs::write(&file, bytes).unwrap();
                // A changed time or count leaves the keys as proven as before.
                if !is_proven(&file) {
                    damaged.insert(file);
                }
            }
        }
        let (intact, everything) = (place.keys(&damaged), place.keys(&BTreeSet::new()));
        let names = place.names();
        let plan = place.prune(&[], false);
        prop_assert_eq!(place.names(), names);
        let done = place.prune(&[], true);
        prop_assert_eq!(format!("{:?}", plan.snapshots), format!("{:?}", done.snapshots));
        let after = place.keys(&damaged);
        prop_assert_eq!(&after, &intact);
        // Even what a damaged one seemed to hold is lost only with what nobody could have opened.
        prop_assert!(place.keys(&BTreeSet::new()).is_subset(&everything));
        // What is left cannot be pruned any more.
        let again = place.prune(&[], true);
        prop_assert!(again.snapshots.iter().all(|one| one.held_by.is_none()));
        prop_assert!(again.left_over.is_empty());
    }
}
