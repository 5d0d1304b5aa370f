//! Who may open a store, and what is left alone: slots, other files, other folders, other runs.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    process::Command,
};

use keyhaul::{
    base::{random::SystemRandom, secret::SecretText},
    store::{
        folder::FolderError,
        reader::Reader,
        slots::{Lock, LockKind},
    },
};
use rusqlite::Connection;

use super::*;

#[test]
fn two_secrets_open_and_a_foreign_one_changes_no_byte() {
    let home = Home::new();
    let lock = home.lock();
    let mut store = open(&lock, 1).unwrap();
    let one = source(&mut store, &version("1"));
    merge(&mut store, one, [usual(ROOM, key(1, 0, 0))]).unwrap();
    let storage = Secret32::take(&mut [9; 32]);
    let storage = SlotSecret::StorageKey { secret: storage.expose(), key_id: "4s-key" };
    store.add_slot(&storage, &mut SystemRandom).unwrap();
    let phrase = SecretText::new("correct horse battery".to_owned());
    store.add_slot(&SlotSecret::Passphrase(&phrase), &mut SystemRandom).unwrap();
    drop(store);
    let before = bytes_of(lock.folder().path());
    for secret in [&storage, &SlotSecret::Passphrase(&phrase)] {
        let store = Store::open(&lock, std::slice::from_ref(secret), &mut SystemRandom).unwrap();
        assert_eq!(store.reader().unwrap().count().unwrap(), 1);
    }
    let wrong = SecretText::new("correct horse".to_owned());
    let (foreign, public_key) = backup_key(2);
    let secrets = [
        SlotSecret::BackupKey { secret: foreign.expose(), public_key },
        SlotSecret::Passphrase(&wrong),
        SlotSecret::StorageKey { secret: foreign.expose(), key_id: "other" },
    ];
    let before_foreign = bytes_of(lock.folder().path());
    assert_eq!(before_foreign, before);
    for error in [
        Store::open(&lock, &secrets, &mut SystemRandom).map(drop).unwrap_err(),
        Store::open(&lock, &[], &mut SystemRandom).map(drop).unwrap_err(),
    ] {
        let StoreError::OtherLock { locks } = error else { panic!("{error}") };
        let kinds: Vec<_> = locks.iter().map(|lock| lock.kind).collect();
        assert_eq!(kinds, [LockKind::BackupKey, LockKind::StorageKey, LockKind::Passphrase]);
        assert_eq!(locks[0].id, backup_key(1).1.to_base64());
        assert_eq!(locks[1].id, "4s-key");
    }
    assert_eq!(bytes_of(lock.folder().path()), before);
    let error = Reader::open(lock.folder(), &secrets).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::OtherLock { .. }), "{error}");
}

#[test]
fn slots_are_forgotten_but_never_the_last() {
    let home = Home::new();
    let lock = home.lock();
    let mut store = open(&lock, 1).unwrap();
    let storage = Secret32::take(&mut [9; 32]);
    let storage = SlotSecret::StorageKey { secret: storage.expose(), key_id: "4s-key" };
    store.add_slot(&storage, &mut SystemRandom).unwrap();
    store.add_slot(&storage, &mut SystemRandom).unwrap();
    assert_eq!(store.slots().unwrap().len(), 2);
    let unknown = Lock { kind: LockKind::BackupKey, id: "4s-key".to_owned() };
    assert!(matches!(store.forget_slot(&unknown), Err(StoreError::UnknownLock)));
    let first = store.slots().unwrap()[0].clone();
    store.forget_slot(&first).unwrap();
    let last = store.slots().unwrap()[0].clone();
    assert!(matches!(store.forget_slot(&last), Err(StoreError::LastLock)));
    drop(store);
    assert!(matches!(open(&lock, 1), Err(StoreError::OtherLock { .. })));
    Store::open(&lock, &[storage], &mut SystemRandom).unwrap();
}

#[test]
fn a_lock_id_that_is_too_long_gets_no_slot() {
    let home = Home::new();
    let lock = home.lock();
    let (secret, _) = backup_key(1);
    let long = "x".repeat(256);
    let secret = SlotSecret::StorageKey { secret: secret.expose(), key_id: &long };
    assert!(Store::open(&lock, &[secret], &mut SystemRandom).is_err());
    assert_eq!(Reader::locks(lock.folder()).unwrap(), None);
    let mut store = open(&lock, 1).unwrap();
    let (secret, _) = backup_key(1);
    let secret = SlotSecret::StorageKey { secret: secret.expose(), key_id: &long };
    let error = store.add_slot(&secret, &mut SystemRandom).unwrap_err();
    assert!(matches!(error, StoreError::LockId { limit: 255, got: 256 }), "{error}");
}

#[test]
fn a_newer_store_is_left_alone() {
    let home = Home::new();
    let lock = home.lock();
    drop(open(&lock, 1).unwrap());
    Connection::open(home.database()).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let before = bytes_of(lock.folder().path());
    for error in [open(&lock, 1).map(drop), Reader::locks(lock.folder()).map(drop)] {
        let newer = matches!(error, Err(StoreError::Newer { found: 2, known: 1 }));
        assert!(newer, "{error:?}");
    }
    assert_eq!(bytes_of(lock.folder().path()), before);
}

#[test]
fn a_newer_form_that_only_the_log_tells_of_is_left_alone() {
    let home = Home::new();
    let lock = home.lock();
    let store = open(&lock, 1).unwrap();
    let newer = Connection::open(home.database()).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    // As after a kill: the log is there, and nobody is.
    let other = Home::new();
    for (name, bytes) in bytes_of(lock.folder().path()) {
        if name.starts_with("store") && !name.ends_with("shm") {
            fs::write(other.folder().path().join(name), bytes).unwrap();
        }
    }
    drop(store);
    let before = fs::read(other.database()).unwrap();
    let error = open(&other.lock(), 1).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1 }), "{error}");
    assert_eq!(fs::read(other.database()).unwrap(), before);
}

#[test]
fn what_is_no_store_is_left_alone() {
    let foreign = tempfile::tempdir().unwrap();
    let foreign = foreign.path().join("other.sqlite3");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let mut damaged = {
        let home = Home::new();
        drop(home.open());
        fs::read(home.database()).unwrap()
    };
    // The header is whole, everything behind it is not.
    damaged[100..].fill(0x5a);
    let garbage = vec![0x41; 10_000];
    for bytes in [Vec::new(), b"SQLite".to_vec(), garbage, fs::read(&foreign).unwrap(), damaged] {
        let home = Home::new();
        fs::write(home.database(), &bytes).unwrap();
        let lock = home.lock();
        let before = bytes_of(lock.folder().path());
        for error in [open(&lock, 1).map(drop), Reader::locks(lock.folder()).map(drop)] {
            assert!(matches!(error, Err(StoreError::Unreadable { .. })), "{error:?}");
        }
        assert_eq!(fs::read(home.database()).unwrap(), bytes);
        let exclusive = open(&lock, 1).map(drop);
        assert!(matches!(exclusive, Err(StoreError::Unreadable { .. })), "{exclusive:?}");
        assert_eq!(bytes_of(lock.folder().path()).len(), before.len());
    }
}

#[test]
fn a_half_made_store_is_made_anew() {
    let home = Home::new();
    let lock = home.lock();
    fs::write(lock.folder().path().join("store.sqlite3.new"), b"half").unwrap();
    fs::write(lock.folder().path().join("store.sqlite3.new-journal"), b"half").unwrap();
    let store = open(&lock, 1).unwrap();
    assert_eq!(store.reader().unwrap().count().unwrap(), 0);
    let names: Vec<_> = bytes_of(lock.folder().path()).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| !name.contains(".new")), "{names:?}");
}

#[test]
fn readers_work_beside_the_writer_and_need_no_lock() {
    let home = Home::new();
    let lock = home.lock();
    let (secret, public_key) = backup_key(1);
    let secrets = [SlotSecret::BackupKey { secret: secret.expose(), public_key }];
    assert!(matches!(Reader::open(lock.folder(), &secrets), Err(StoreError::Missing)));
    let mut store = open(&lock, 1).unwrap();
    let one = source(&mut store, &version("1"));
    merge(&mut store, one, [usual(ROOM, key(1, 0, 0))]).unwrap();
    let reader = Reader::open(lock.folder(), &secrets).unwrap();
    assert_eq!(reader.count().unwrap(), 1);
    merge(&mut store, one, [usual(ROOM, key(2, 0, 0))]).unwrap();
    assert_eq!(reader.count().unwrap(), 2);
    let info = reader.info().unwrap();
    assert_eq!((info.keys, info.candidates, info.rooms), (2, 0, 1));
    assert_eq!((info.sources, info.slots.len()), (vec![version("1")], 1));
}

#[test]
fn a_second_run_is_refused_with_the_pid_of_the_first() {
    let home = Home::new();
    let lock = home.lock();
    let expected = FolderError::AlreadyRunning { pid: Some(std::process::id()) };
    assert_eq!(home.folder().lock().unwrap_err(), expected);
    let store = open(&lock, 1).unwrap();
    drop(lock);
    assert_eq!(home.folder().lock().unwrap_err(), expected);
    drop(store);
    home.folder().lock().unwrap();
}

/// What one run does side by side shares the right to write; another run, and whoever needs it alone, waits.
#[test]
fn one_run_shares_the_right_to_write() {
    let home = Home::new();
    let one = home.folder().share().unwrap();
    let other = home.folder().share().unwrap();
    assert!(home.folder().lock().is_err());
    drop(one);
    assert!(home.folder().lock().is_err());
    drop(other);
    let alone = home.folder().lock().unwrap();
    assert!(home.folder().share().is_err());
    drop(alone);
    home.folder().share().unwrap();
}

#[test]
fn links_and_open_folders_are_refused() {
    let home = Home::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = home.folder();
    fs::remove_dir(folder.path()).unwrap();
    symlink(elsewhere.path(), folder.path()).unwrap();
    let error = home.data_dir().account(USER, ORIGIN).unwrap_err();
    assert!(matches!(error, FolderError::NotPlain { .. }), "{error}");
    fs::remove_file(folder.path()).unwrap();

    let lock = home.lock();
    for name in ["store.sqlite3", "session.json", "lock"] {
        let target = elsewhere.path().join(name);
        fs::write(&target, b"target").unwrap();
        let _ = fs::remove_file(folder.path().join(name));
        symlink(&target, folder.path().join(name)).unwrap();
    }
    let error = open(&lock, 1).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Folder(FolderError::NotPlain { .. })), "{error}");
    assert!(matches!(folder.lock(), Err(FolderError::NotPlain { .. })));
    assert!(matches!(folder.read("session.json", 100), Err(FolderError::NotPlain { .. })));
    folder.write_private("session.json", b"new").unwrap();
    assert_eq!(fs::read(elsewhere.path().join("session.json")).unwrap(), b"target");
    assert_eq!(folder.read("session.json", 3).unwrap().as_deref(), Some(&b"new"[..]));
    let large = folder.read("session.json", 2).unwrap_err();
    assert!(matches!(large, FolderError::TooLarge { limit: 2, .. }), "{large}");

    for open in [folder.path(), folder.path().parent().unwrap()] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o770)).unwrap();
        let error = DataDir::open(&home.dir.path().join("data"))
            .and_then(|data_dir| data_dir.account(USER, ORIGIN))
            .unwrap_err();
        assert!(matches!(error, FolderError::Foreign { .. }), "{error}");
        fs::set_permissions(open, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn the_folder_is_named_by_a_hash_of_account_and_server() {
    let home = Home::new();
    let name = home.folder().path().file_name().unwrap().to_str().unwrap().to_owned();
    let digest = Sha256::digest(format!("{USER}\0{ORIGIN}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(name, hex[..32]);
    let hostile = home.data_dir().account("@../../etc:\u{202e}", "x/y\0").unwrap();
    assert_eq!(hostile.path().parent(), home.folder().path().parent());
    assert!(home.data_dir().find_account("@nobody:x", ORIGIN).unwrap().is_none());
}

/// Runs in a child, because the umask belongs to the whole process.
#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077", "377"] {
        let home = tempfile::tempdir().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::opening::child_under_umask", "--ignored"])
            .env("KEYHAUL_TEST_HOME", home.path())
            .env("KEYHAUL_TEST_UMASK", umask)
            .output()
            .unwrap();
        assert!(child.status.success(), "{umask}: {}", String::from_utf8_lossy(&child.stdout));
        let mut seen = 0;
        let mut folders = vec![home.path().join("a")];
        while let Some(folder) = folders.pop() {
            assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700, "{folder:?}");
            for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
                let about = entry.metadata().unwrap();
                if about.is_dir() {
                    folders.push(entry.path());
                } else {
                    seen += 1;
                    assert_eq!(about.mode() & 0o7777, 0o600, "{umask} {:?}", entry.path());
                }
            }
        }
        // The store with its log and index, the lock and a small file.
        assert_eq!(seen, 5, "{umask}");
    }
}

#[test]
#[ignore = "only as a child of the test above"]
fn child_under_umask() {
    let umask = std::env::var("KEYHAUL_TEST_UMASK").unwrap();
    let umask = u32::from_str_radix(&umask, 8).unwrap();
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(umask));
    let home = std::env::var_os("KEYHAUL_TEST_HOME").unwrap();
    let data_dir = DataDir::open(&Path::new(&home).join("a/b/data")).unwrap();
    let lock = data_dir.account(USER, ORIGIN).unwrap().lock().unwrap();
    lock.folder().write_private("small", b"file").unwrap();
    let mut store = open(&lock, 1).unwrap();
    let one = source(&mut store, &version("1"));
    merge(&mut store, one, [usual(ROOM, key(1, 0, 0))]).unwrap();
    // Without closing, so that the log stays.
    std::process::exit(0);
}
