//! Facts that were planted, and what must be found in them.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    super::{
        locks::Locks,
        look::Overview,
        trust::{SignedBy, Who, Worth},
        unlock::StorageFault,
    },
    checks::{Check, Mark},
    facts::{Facts, OpenedFacts, Reading, SeenBefore, ServerFacts, SignedFacts, StoreFacts},
};
use crate::{
    backup::version::{ALGORITHM, BackupVersion},
    base::{
        base64,
        failure::{Code, Failure},
        shown::Shown,
    },
    store::check::Info,
};

fn version(name: &str, public_key: &str) -> BackupVersion {
    let body = json!({
        "version": name,
        "algorithm": ALGORITHM,
        "auth_data": {"public_key": public_key},
        "etag": "1",
        "count": 411,
    });
    BackupVersion::parse(&body.to_string(), None).unwrap()
}

fn key(number: u8) -> String {
    base64::encode(&[number; 32])
}

fn locks(data: Value) -> Locks {
    let Value::Object(members) = data else { panic!("account data by type") };
    let raw = |value: Value| serde_json::value::to_raw_value(&value).unwrap();
    Locks::read(members.into_iter().map(|(kind, value)| (kind, raw(value))).collect())
}

fn storage() -> Value {
    json!({
        "m.secret_storage.default_key": {"key": "f4Kq"},
        "m.secret_storage.key.f4Kq": {"algorithm": "m.secret_storage.v1.aes-hmac-sha2"},
        "m.megolm_backup.v1": {"encrypted": {"f4Kq": {"iv": "", "ciphertext": "", "mac": ""}}},
    })
}

/// An account where all is well.
fn well() -> Facts {
    Facts {
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
        server: Some(ServerFacts {
            host: Shown::new("matrix.example.org"),
            pulse: Ok((Duration::from_millis(48), Some(1))),
            device: Some(Shown::new("KEYHAULX7Q")),
            borrowed: false,
        }),
        overview: Overview {
            user_id: "@ada:example.org".to_owned(),
            server: "https://matrix.example.org".to_owned(),
            versions: vec![version("4", &key(4)), version("2", &key(2))],
            all_found: Some(true),
            current: Some("4".to_owned()),
            locks: locks(storage()),
        },
        current_later: Some(Some("4".to_owned())),
        switched_off: Some(false),
        opened: Some(OpenedFacts {
            storage: vec!["f4Kq".to_owned()],
            backups: vec!["4".to_owned()],
            in_storage: vec!["4".to_owned()],
            ..OpenedFacts::default()
        }),
        signed: Some(SignedFacts {
            by: vec![SignedBy { who: Who::Account, worth: Worth::Proven }],
            account_key_proven: Some(true),
        }),
        readings: vec![Reading {
            version: "4".to_owned(),
            entries: 411,
            opened: Some(411),
            whole: true,
            ..Reading::default()
        }],
        store: StoreFacts::Open { info: info(), damaged: 0 },
        ..Facts::default()
    }
}

fn info() -> Info {
    Info {
        bytes: 1_000,
        keys: 411,
        candidates: 0,
        rooms: 3,
        sources: Vec::new(),
        slots: Vec::new(),
    }
}

fn marks(facts: &Facts, mark: Mark) -> Vec<&'static str> {
    let checks = facts.checks().into_iter();
    checks.filter(|check| check.mark == mark).map(|check| check.id).collect()
}

/// Asserts that this is the one thing that is found.
#[track_caller]
fn assert_found(facts: &Facts, id: &str, word: &str) {
    let checks = facts.checks();
    let found = checks.iter().filter_map(|check| Some((check.id, check.finding.as_ref()?.word())));
    assert_eq!(found.collect::<Vec<_>>(), [(id, word)], "{checks:#?}");
    assert!(checks.iter().all(|check| check.mark != Mark::Wrong || check.finding.is_some()));
}

fn changed(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = well();
    change(&mut facts);
    facts
}

fn says<'a>(checks: &'a [Check], id: &str) -> &'a str {
    &checks.iter().find(|check| check.id == id).unwrap().says.text
}

#[test]
fn where_all_is_well_nothing_is_found() {
    let checks = well().checks();
    assert!(checks.iter().all(|check| check.mark == Mark::Ok), "{checks:#?}");
    assert!(checks.iter().all(|check| check.finding.is_none()));
    assert_eq!(says(&checks, "server"), "matrix.example.org, 48 ms");
    assert_eq!(says(&checks, "backup"), "backup 4, 411 keys");
    assert_eq!(says(&checks, "storage"), "1 lock, f4Kq is the default one");
    assert_eq!(says(&checks, "clock"), "differs by less than 5 s");
    // What others must not see on a shared screen.
    let private: Vec<_> =
        checks.iter().filter(|check| check.says.private).map(|check| check.id).collect();
    assert_eq!(private, ["server", "sign_in", "storage", "key"]);
}

#[test]
fn a_storage_key_that_is_newer_than_the_backups_key() {
    let facts = changed(|facts| {
        let mut data = storage();
        data["m.secret_storage.default_key"] = json!({"key": "newer"});
        data["m.secret_storage.key.newer"] = data["m.secret_storage.key.f4Kq"].clone();
        facts.overview.locks = locks(data);
        let opened = OpenedFacts {
            storage: vec!["newer".to_owned()],
            fault: Some(StorageFault::WithoutKey),
            ..OpenedFacts::default()
        };
        facts.opened = Some(opened);
        facts.readings[0].opened = None;
    });
    assert_found(&facts, "secret", "key-for-former-lock");
}

#[test]
fn a_secret_of_another_version_says_which() {
    let facts = changed(|facts| {
        let opened = facts.opened.as_mut().unwrap();
        (opened.backups, opened.in_storage) = (vec!["2".to_owned()], vec!["2".to_owned()]);
        facts.readings[0].opened = None;
        let other = Reading {
            version: "2".to_owned(),
            entries: 50,
            opened: Some(50),
            whole: true,
            ..Reading::default()
        };
        facts.readings.push(other);
    });
    assert_found(&facts, "fits", "storage-of-another-backup");
    let checks = facts.checks();
    assert_eq!(says(&checks, "fits"), "no: it holds the key of backup 2");
    assert_eq!(says(&checks, "sample"), "all 50");
    let finding = checks.iter().find_map(|check| check.finding.as_ref()).unwrap();
    assert_eq!(finding.fact(), "Your recovery key is right, but it belongs to backup 2.");
    assert_eq!(finding.next(), "restore backup 2. Then keep every signed-in app signed in.");
    // The key of a backup itself, without secret storage.
    let direct = changed(|facts| {
        let backups = vec!["2".to_owned()];
        facts.opened = Some(OpenedFacts { backups, ..OpenedFacts::default() });
        facts.readings[0].opened = None;
    });
    assert_found(&direct, "fits", "key-of-another-backup");
    for (fault, word) in [
        (StorageFault::ForAnother, "storage-of-no-backup"),
        (StorageFault::Damaged, "storage-damaged"),
    ] {
        let facts = changed(|facts| {
            let storage = vec!["f4Kq".to_owned()];
            let fault = Some(fault);
            facts.opened = Some(OpenedFacts { storage, fault, ..OpenedFacts::default() });
            facts.readings[0].opened = None;
        });
        assert_found(&facts, "fits", word);
    }
}

#[test]
fn a_newer_backup_that_was_here_is_missed() {
    let looked = Some(well().at - SignedDuration::from_hours(48));
    let before = |version: &str, looked| SeenBefore { version: version.to_owned(), looked };
    for seen in [before("5", looked), before("5", None)] {
        let facts = changed(|facts| facts.seen_before = vec![before("4", looked), seen]);
        assert_found(&facts, "backup", "newest-deleted");
    }
    // An older one that is gone is usual: apps delete what they replaced.
    let facts = changed(|facts| facts.seen_before = vec![before("3", looked)]);
    assert_eq!(marks(&facts, Mark::Wrong), [""; 0]);
    let facts = changed(|facts| {
        facts.seen_before = vec![before("4", looked)];
        facts.overview.versions.clear();
        facts.overview.current = None;
        facts.readings.clear();
        facts.opened = None;
        facts.current_later = Some(None);
    });
    assert_found(&facts, "backup", "no-backup");
}

#[test]
fn apps_that_fight_are_told_by_what_they_make() {
    let ago = |hours| Some(well().at - SignedDuration::from_hours(hours));
    let seen = |version: &str, hours| {
        changed(|facts| {
            let version = version.to_owned();
            facts.seen_before = vec![SeenBefore { version, looked: ago(hours) }];
        })
    };
    assert_found(&seen("2", 5), "backup", "apps-fighting");
    // One new backup, or two within weeks, people make as well.
    for facts in [seen("3", 5), seen("2", 25)] {
        assert_eq!(marks(&facts, Mark::Wrong), [""; 0]);
    }
    // Where numbers are shared by all accounts they tell nothing.
    let mut shared = seen("2", 5);
    shared.overview.all_found = Some(false);
    assert_eq!(marks(&shared, Mark::Wrong), [""; 0]);
    let facts = changed(|facts| facts.current_later = Some(Some("5".to_owned())));
    assert_found(&facts, "backup", "new-backup-made");
}

#[test]
fn odd_backups_are_named() {
    let with = |version: BackupVersion| changed(|facts| facts.overview.versions = vec![version]);
    let twice = base64::encode(key(4).as_bytes());
    assert_found(&with(version("4", &twice)), "backup", "key-encoded-twice");
    assert_found(&with(version("4", "short")), "backup", "key-malformed");
    let mut unknown = version("4", &key(4));
    unknown.algorithm = "m.megolm_backup.v9".to_owned();
    let mut facts = with(unknown);
    facts.readings.clear();
    assert_found(&facts, "backup", "unknown-kind");
}

#[test]
fn settings_that_switch_it_off_are_named() {
    assert_found(&changed(|facts| facts.switched_off = Some(true)), "switched_on", "switched-off");
}

#[test]
fn storage_that_is_half_made_is_named() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut data = storage();
        change(&mut data);
        changed(|facts| facts.overview.locks = locks(data))
    };
    let without = |kind: &'static str| {
        with(&move |data| {
            data.as_object_mut().unwrap().remove(kind);
        })
    };
    assert_found(&without("m.secret_storage.key.f4Kq"), "storage", "description-missing");
    assert_found(&without("m.secret_storage.default_key"), "storage", "no-default-lock");
    assert_found(&without("m.megolm_backup.v1"), "secret", "no-key-in-storage");
    let none = |opened: Option<OpenedFacts>| {
        changed(|facts| {
            facts.overview.locks = Locks::default();
            facts.readings[0].opened = opened.as_ref().map(|_| 411);
            facts.opened = opened;
        })
    };
    assert_found(&none(None), "storage", "no-storage");
    // The paper of 2019 needs none.
    let backups = vec!["4".to_owned()];
    let legacy = none(Some(OpenedFacts { backups, ..OpenedFacts::default() }));
    assert_eq!(marks(&legacy, Mark::Wrong), [""; 0]);
}

#[test]
fn a_key_that_opens_nothing_is_told_in_its_own_words() {
    let facts = changed(|facts| {
        let nothing = Some(Failure::new(Code::KeyChecksum));
        facts.opened = Some(OpenedFacts { nothing, ..OpenedFacts::default() });
        facts.readings[0].opened = None;
    });
    assert_found(&facts, "key", "key-checksum");
}

#[test]
fn signatures_are_judged() {
    let by = |by: Vec<SignedBy>, account_key_proven| {
        changed(|facts| facts.signed = Some(SignedFacts { by, account_key_proven }))
    };
    let one = |who, worth| vec![SignedBy { who, worth }];
    let unsigned = by(Vec::new(), None);
    assert_found(&unsigned, "signature", "unsigned");
    assert!(unsigned.checks().iter().all(|check| check.mark != Mark::Wrong), "nobody is needed");
    let broken = one(Who::Account, Worth::Broken);
    assert_found(&by(broken, None), "signature", "signature-broken");
    let account = || one(Who::Account, Worth::NotProven);
    assert_found(&by(account(), Some(false)), "signature", "account-key-exchanged");
    for unproven in [
        account(),
        one(Who::Device(Shown::new("Laptop")), Worth::NotProven),
        one(Who::Replaced, Worth::Nothing),
        one(Who::Unknown, Worth::Nothing),
    ] {
        assert_eq!(marks(&by(unproven, None), Mark::Unknown), ["signature"]);
    }
}

#[test]
fn contents_are_counted_and_opened() {
    let read = |change: &dyn Fn(&mut Reading)| changed(|facts| change(&mut facts.readings[0]));
    assert_found(&read(&|reading| reading.whole = false), "count", "read-in-part");
    let changing = read(&|reading| reading.changed = true);
    assert_eq!(marks(&changing, Mark::Unknown), ["count"]);
    let fewer = read(&|reading| (reading.entries, reading.opened) = (400, Some(400)));
    assert_found(&fewer, "count", "count-differs");
    let refused = |reasons: &'static [(&'static str, u64)]| {
        read(&move |reading| {
            reading.refused = reasons.iter().copied().collect::<BTreeMap<_, _>>();
            reading.opened = Some(411 - reading.refused_count());
        })
    };
    let others = refused(&[("corrupt", 2), ("mac", 130)]);
    assert_found(&others, "sample", "entries-for-another-key");
    assert_eq!(says(&others.checks(), "sample"), "279 of 411 keys; 2 damaged");
    assert_found(&refused(&[("corrupt", 2)]), "sample", "entries-damaged");
    let unread = changed(|facts| {
        facts.readings.clear();
        facts.unread = Some(Failure::new(Code::ServerSilent));
    });
    assert_found(&unread, "count", "server-silent");
}

#[test]
fn what_lies_on_this_computer_is_judged() {
    let store = |store| changed(|facts| facts.store = store);
    let damaged = StoreFacts::Open { info: info(), damaged: 3 };
    assert_found(&store(damaged), "store", "store-damaged");
    let unreadable = StoreFacts::Closed(Failure::new(Code::StoreUnreadable));
    assert_found(&store(unreadable), "store", "store-unreadable");
    let other = StoreFacts::Closed(Failure::new(Code::StoreOtherLock));
    for closed in [StoreFacts::Nothing, StoreFacts::NotTried, other] {
        assert_eq!(marks(&store(closed), Mark::Unknown), ["store"]);
    }
    for (ahead, is_off) in [(-301, true), (301, true), (300, true), (299, false), (0, false)] {
        let facts = changed(|facts| {
            let server = facts.server.as_mut().unwrap();
            server.pulse = Ok((Duration::from_millis(5), Some(ahead)));
        });
        match is_off {
            true => assert_found(&facts, "clock", "clock-off"),
            false => assert_eq!(marks(&facts, Mark::Wrong), [""; 0]),
        }
    }
}

#[test]
fn what_nobody_was_asked_is_not_known() {
    let offline = changed(|facts| {
        facts.saved = Some(facts.at - SignedDuration::from_hours(72));
        (facts.server, facts.switched_off, facts.signed) = (None, None, None);
        facts.current_later = None;
        facts.overview.all_found = None;
    });
    let unknown = ["server", "sign_in", "backup", "switched_on", "signature", "clock"];
    assert_eq!(marks(&offline, Mark::Unknown), unknown);
    assert_eq!(marks(&offline, Mark::Wrong), [""; 0]);
    assert_eq!(says(&offline.checks(), "backup"), "backup 4, read 3 days ago");

    for (code, id) in [(Code::ServerSilent, "server"), (Code::PasswordWrong, "sign_in")] {
        let facts = super::without_visit(Failure::new(code)).unwrap();
        assert_found(&facts, id, code.word());
        assert!(marks(&facts, Mark::Ok).len() <= 1);
        assert!(facts.at > Timestamp::UNIX_EPOCH);
    }
    for code in [Code::FileUnreadable, Code::Stopped, Code::ServerMissing] {
        assert_eq!(super::without_visit(Failure::new(code)).unwrap_err().code(), code);
    }
}
