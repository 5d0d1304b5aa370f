//! Kills, cuts, swaps and full disks: committed keys are there, and no wrong key ever is.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    ops::ControlFlow,
    process::{Command, Output},
};

use keyhaul::{backup::entry::RawEntry, base::random::SystemRandom, store::journal::Done};
use rusqlite::Connection;

use super::*;

fn exports(store: &Store) -> (BTreeSet<Vec<u8>>, u64) {
    let mut exports = BTreeSet::new();
    let read = store.reader().unwrap().for_each_key(None, |stored| {
        exports.insert(stored.key.key.expose().to_vec());
        ControlFlow::Continue(())
    });
    (exports, read.map_or(1, |read| read.damaged))
}

fn child(name: &str, home: &Home, limit: Option<u32>) -> Output {
    // With a limit, a write beyond it fails instead of ending the process.
    let limit = limit.map_or(String::new(), |blocks| format!("trap '' XFSZ; ulimit -f {blocks}; "));
    Command::new("sh")
        .args(["-c", &format!("{limit}exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("KEYHAUL_TEST_HOME", home.dir.path())
        .output()
        .unwrap()
}

fn child_lock() -> FolderLock {
    let home = std::env::var_os("KEYHAUL_TEST_HOME").unwrap();
    let data_dir = DataDir::open(&Path::new(&home).join("data")).unwrap();
    data_dir.account(USER, ORIGIN).unwrap().lock().unwrap()
}

fn after_child(home: &Home, child: &Output) -> u64 {
    let told = String::from_utf8_lossy(&child.stdout);
    let committed = told.lines().filter(|line| line.contains("committed")).count() as u64;
    let store = home.open();
    let report = store.reader().unwrap().check().unwrap();
    assert_eq!((report.damaged, report.keys), (0, committed * 10), "{told}");
    let database = Connection::open(home.database()).unwrap();
    let integrity: String =
        database.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    committed
}

/// Commits batches of ten keys and says so, until `stop` says to abort in the middle of one.
fn commit_batches(stop: impl Fn(u32) -> bool) -> Result<(), StoreError> {
    let mut store = open(&child_lock(), 1)?;
    let one = store.source_id(&version("1"), &mut SystemRandom)?;
    let preparer = store.preparer();
    for number in 0.. {
        let mut batch = store.begin(Instant::now())?;
        for session in 0..10 {
            let room = format!("!{number}:x");
            let key = preparer.prepare(usual(&room, key(session, 0, 0)), one, &mut SystemRandom)?;
            batch.merge(key, &mut SystemRandom)?;
            if stop(number) && session == 5 {
                std::process::abort();
            }
        }
        batch.commit()?;
        // Not the captured output of a test: the parent has to see it even after an abort.
        writeln!(std::io::stdout(), "\ncommitted").unwrap();
    }
    Ok(())
}

#[test]
fn what_was_committed_survives_a_kill() {
    let home = Home::new();
    let first = child("store::damage::child_that_aborts", &home, None);
    assert!(!first.status.success());
    assert_eq!(after_child(&home, &first), 7);
}

#[test]
#[ignore = "only as a child of the test above"]
fn child_that_aborts() {
    commit_batches(|number| number == 7).unwrap();
}

#[test]
fn a_full_disk_is_told_apart_and_costs_only_the_open_batch() {
    let home = Home::new();
    // 512 KiB or 1 MiB, depending on the shell's idea of a block.
    let full = child("store::damage::child_on_a_full_disk", &home, Some(1024));
    assert!(full.status.success(), "{}", String::from_utf8_lossy(&full.stdout));
    assert!(after_child(&home, &full) > 3);
}

#[test]
#[ignore = "only as a child of the test above"]
fn child_on_a_full_disk() {
    let error = commit_batches(|_| false).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
}

#[test]
fn a_record_in_another_row_is_found_out() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    let keys = (0..4).map(|session| usual(ROOM, key(session, 0, 0)));
    merge(&mut store, one, keys).unwrap();
    merge(&mut store, one, [usual("!other:x", key(9, 0, 0))]).unwrap();
    drop(store);
    let database = Connection::open(home.database()).unwrap();
    let change = |sql: &str| assert!(database.execute(sql, []).unwrap() > 0);
    let sealed = [1, 2].map(|id| {
        let sql = "SELECT sealed FROM sessions WHERE id = ?1";
        database.query_row(sql, [id], |row| row.get::<_, Vec<u8>>(0)).unwrap()
    });
    for (id, other) in [(1, &sealed[1]), (2, &sealed[0])] {
        let sql = "UPDATE sessions SET sealed = ?2 WHERE id = ?1";
        assert_eq!(database.execute(sql, rusqlite::params![id, other]).unwrap(), 1);
    }
    change("UPDATE sessions SET room = 2 WHERE id = 3");
    change("UPDATE sessions SET rank = 1 WHERE id = 4");
    let mut store = home.open();
    let (whole, damaged) = exports(&store);
    assert_eq!((whole.len(), damaged), (1, 4));
    assert_eq!(
        store.reader().unwrap().first_known(ROOM, &key(0, 0, 0).session_id()).unwrap(),
        None
    );
    let report = store.reader().unwrap().check().unwrap();
    assert_eq!((report.damaged, report.damaged_keys.clone()), (4, vec![1, 2, 3, 4]));
    store.mend(&report, Instant::now()).unwrap();
    merge(&mut store, one, (0..4).map(|session| usual(ROOM, key(session, 0, 0)))).unwrap();
    let report = store.reader().unwrap().check().unwrap();
    assert_eq!((report.damaged, report.keys, report.rooms), (0, 5, 2));
}

#[test]
fn damaged_rooms_and_sources_come_back() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    let put = |store: &mut Store| merge(store, one, [usual(ROOM, key(1, 0, 0))]).unwrap()[0];
    put(&mut store);
    let check = |store: &Store| store.reader().unwrap().check().unwrap();
    let damage = |sql: &str| {
        assert_eq!(Connection::open(home.database()).unwrap().execute(sql, []).unwrap(), 1);
    };
    drop(store);
    damage("UPDATE rooms SET sealed = zeroblob(60)");
    damage("UPDATE sources SET sealed = zeroblob(60)");
    let mut store = home.open();
    assert_eq!((check(&store).damaged, check(&store).keys), (3, 0));
    // What is met again is whole again.
    assert_eq!(source(&mut store, &version("1")), one);
    assert_eq!(put(&mut store), Merged::Unchanged);
    assert_eq!((check(&store).damaged, check(&store).keys), (0, 1));
    assert_eq!(store.reader().unwrap().sources().unwrap(), [(one, version("1"))]);
    drop(store);
    // What cannot be found again has to go first.
    damage("UPDATE rooms SET lookup = zeroblob(16)");
    let mut store = home.open();
    let report = check(&store);
    assert_eq!((report.damaged, report.keys), (2, 0));
    store.mend(&report, Instant::now()).unwrap();
    assert_eq!(put(&mut store), Merged::New);
    assert_eq!((check(&store).damaged, check(&store).keys), (0, 1));
}

#[test]
fn nothing_readable_lies_on_the_disk() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("canary-version"));
    let file = source(&mut store, &key_file(1));
    let whole = usual(ROOM, key(1, 0, 0));
    let claims = whole.claims.clone();
    merge(&mut store, one, [whole, usual(ROOM, key(1, 0, 5)), usual(ROOM, key(1, 3, 5))]).unwrap();
    merge(&mut store, file, [usual(ROOM, key(1, 0, 9))]).unwrap();
    let entry = RawEntry { room_id: ROOM, session_id: "s", json: b"canary-entry", fault: None };
    let mark = store.journal().unwrap().mark("canary-version", &entry);
    let mut batch = store.begin(Instant::now()).unwrap();
    batch.note_done(&mark, &Done::Stored).unwrap();
    batch.commit().unwrap();
    let export = key(1, 0, 0);
    let text = export.to_base64();
    let session = export.session_id();
    let session_text = session.to_string();
    let (sender_key, ed25519) = (claims.sender_key.unwrap(), claims.ed25519.unwrap());
    let canaries: [&[u8]; 11] = [
        ROOM.as_bytes(),
        b"canary",
        session.as_bytes(),
        session_text.as_bytes(),
        &export.expose()[5..37],
        &export.expose()[101..133],
        &text.expose().as_bytes()[20..60],
        &sender_key,
        &ed25519,
        &[1; 32],
        b"keys.txt",
    ];
    let check = |when: &str| {
        for (name, bytes) in bytes_of(home.folder().path()) {
            for canary in canaries {
                let found = bytes.windows(canary.len()).any(|window| window == canary);
                assert!(!found, "{when} {name}: {:?}", String::from_utf8_lossy(canary));
            }
        }
    };
    check("open");
    assert!(
        bytes_of(home.folder().path()).iter().any(|(n, b)| n.ends_with("-wal") && !b.is_empty())
    );
    drop(store);
    check("closed");
}

#[test]
fn a_usual_key_takes_at_most_400_bytes_with_its_journal() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    let (preparer, journal) = (store.preparer(), store.journal().unwrap());
    let mut batch = store.begin(Instant::now()).unwrap();
    for session in 0..20_000_u32 {
        let room = format!("!{}:example.org", session % 200);
        let entry =
            RawEntry { room_id: &room, session_id: "s", json: &session.to_le_bytes(), fault: None };
        let mark = journal.mark("1", &entry);
        let prepared =
            preparer.prepare(usual(&room, key(session, 0, 0)), one, &mut SystemRandom).unwrap();
        batch.merge(prepared, &mut SystemRandom).unwrap();
        batch.note_done(&mark, &Done::Stored).unwrap();
    }
    batch.commit().unwrap();
    drop(store);
    let reader = home.open().reader().unwrap();
    let info = reader.info().unwrap();
    assert_eq!((info.keys, info.rooms), (20_000, 200));
    let bytes = info.bytes_per_key().unwrap();
    assert!(bytes <= 400, "{bytes} bytes per key");
    assert_eq!(reader.rooms().unwrap().iter().map(|room| room.keys).max(), Some(100));
}

/// A store as a kill leaves it: most of it in the log.
fn killed() -> (Vec<u8>, Vec<u8>, BTreeSet<Vec<u8>>) {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    for number in 0..4 {
        let keys = (0..5).map(|n| usual(ROOM, key(number * 5 + n, 0, 1)));
        merge(&mut store, one, keys).unwrap();
    }
    merge(&mut store, one, (0..20).map(|session| usual(ROOM, key(session, 0, 0)))).unwrap();
    let files = bytes_of(home.folder().path());
    let file = |end: &str| files.iter().find(|(name, _)| name.ends_with(end)).unwrap().1.clone();
    let all = (0..20).flat_map(|n| [key(n, 0, 0), key(n, 0, 1)]);
    (file("sqlite3"), file("-wal"), all.map(|key| key.expose().to_vec()).collect())
}

fn keys_after(database: &[u8], log: &[u8], true_keys: &BTreeSet<Vec<u8>>) -> Option<usize> {
    let home = Home::new();
    fs::write(home.database(), database).unwrap();
    fs::write(home.folder().path().join("store.sqlite3-wal"), log).unwrap();
    let lock = home.lock();
    open(&lock, 1).ok().map(|store| {
        let (found, _) = exports(&store);
        assert!(found.is_subset(true_keys), "a key that nobody stored");
        let report = store.reader().unwrap().check().unwrap();
        let sessions: BTreeSet<_> = found.iter().map(|export| &export[133..]).collect();
        assert!(report.damaged > 0 || sessions.len() as u64 == report.keys);
        found.len()
    })
}

#[test]
fn a_cut_log_never_gives_wrong_keys() {
    let (database, log, true_keys) = killed();
    assert_eq!(keys_after(&database, &log, &true_keys), Some(20));
    let mut counts = BTreeSet::new();
    for cut in (0..log.len()).step_by(997) {
        let count = keys_after(&database, &log[..cut], &true_keys);
        // Whole transactions only: what the main file lacks is a store that somebody damaged.
        counts.insert(count.expect("a cut log is an older store"));
    }
    assert_eq!(counts, BTreeSet::from([0, 5, 10, 15, 20]));
}

#[test]
fn a_cut_or_changed_file_never_gives_wrong_keys() {
    let (database, log, true_keys) = killed();
    // Everything moved into the main file.
    let home = Home::new();
    fs::write(home.database(), &database).unwrap();
    fs::write(home.folder().path().join("store.sqlite3-wal"), &log).unwrap();
    drop(home.open());
    let whole = fs::read(home.database()).unwrap();
    assert_eq!(keys_after(&whole, &[], &true_keys), Some(20));
    for at in (0..whole.len()).step_by(1_013) {
        keys_after(&whole[..at], &[], &true_keys);
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        keys_after(&changed, &[], &true_keys);
    }
    for page in 0..whole.len() / 4096 {
        let mut changed = whole.clone();
        changed[page * 4096..(page + 1) * 4096].fill(0xa5);
        keys_after(&changed, &[], &true_keys);
    }
}

#[test]
fn a_damaged_page_costs_only_its_own_keys() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    merge(&mut store, one, (0..200).map(|session| usual(ROOM, key(session, 0, 0)))).unwrap();
    drop(store);
    let mut bytes = fs::read(home.database()).unwrap();
    // A leaf of a table begins with 13; most pages here are leaves of keys.
    let pages = bytes.chunks_exact(4096).enumerate();
    let leaves: Vec<_> =
        pages.filter(|(_, page)| page[0] == 13 && page[4] >= 10).map(|(n, _)| n).collect();
    let middle = leaves[leaves.len() / 2] * 4096;
    bytes[middle..middle + 8].fill(0xff);
    fs::write(home.database(), &bytes).unwrap();
    let store = home.open();
    let (whole, damaged) = exports(&store);
    assert_eq!(whole.len() as u64 + damaged, 200);
    assert!((1..20).contains(&damaged), "{damaged}");
    let report = store.reader().unwrap().check().unwrap();
    assert_eq!(report.keys, whole.len() as u64);
    assert!(report.damaged > damaged);
}
