//! Never worsen: what stays of the keys of one session, in whatever order they come.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
    time::Instant,
};

use keyhaul::{
    backup::{entry::RawEntry, version::PublicKey},
    base::{limits, random::SystemRandom},
    megolm::room_key::RoomKey,
    store::{
        Merged::{Better, Candidate, New, Unchanged},
        journal::Done,
        planned::Plan,
        reader::Reader,
        sources::{Source, SourceId},
        writer::Store,
    },
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::value::RawValue;

use super::*;

#[test]
fn the_same_key_again_changes_nothing() {
    let home = Home::new();
    let mut store = home.open();
    let (one, two) = (source(&mut store, &version("1")), source(&mut store, &version("2")));
    assert_eq!(source(&mut store, &version("1")), one);
    let keys = || (0..50).map(|session| usual(ROOM, key(session, 0, 0)));
    assert_eq!(merge(&mut store, one, keys()).unwrap(), vec![New; 50]);
    assert_eq!(merge(&mut store, one, keys()).unwrap(), vec![Unchanged; 50]);
    assert_eq!(merge(&mut store, two, keys()).unwrap(), vec![Unchanged; 50]);
    drop(store);
    let store = home.open();
    let reader = store.reader().unwrap();
    assert_eq!(reader.count().unwrap(), 50);
    let rooms = reader.rooms().unwrap();
    assert_eq!(
        rooms.iter().map(|room| (room.room_id.as_str(), room.keys)).collect::<Vec<_>>(),
        [(ROOM, 50)]
    );
    let read = reader.for_each_key(Some(ROOM), |stored| {
        assert_eq!(stored.sources, [one, two]);
        assert!(!stored.proven && stored.rank == 0);
        let session = stored.key.session_id();
        let expected = (0..50).map(|n| usual(ROOM, key(n, 0, 0)));
        let expected = expected.into_iter().find(|key| key.session_id() == session).unwrap();
        assert_eq!(stored.key.to_plaintext(), expected.to_plaintext());
        assert_eq!(reader.first_known(ROOM, &session).unwrap(), Some(0));
        assert_eq!(reader.first_known("!other:x", &session).unwrap(), None);
        ControlFlow::Continue(())
    });
    assert_eq!(read.unwrap().whole, 50);
    assert_eq!(reader.for_each_key(Some("!no"), |_| ControlFlow::Break(())).unwrap().whole, 0);
}

#[test]
fn a_better_key_wins_and_a_worse_one_changes_nothing() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    let mut put =
        |ratchet, index| merge(&mut store, one, [bare(ROOM, key(1, ratchet, index))]).unwrap()[0];
    assert_eq!(put(0, 10), New);
    assert_eq!(put(0, 70_000), Unchanged);
    assert_eq!(put(0, 3), Better);
    assert_eq!(put(0, 3), Unchanged);
    assert_eq!(put(1, 0), Candidate);
    assert_eq!(put(0, 0), Better);
    let reader = store.reader().unwrap();
    assert_eq!(reader.count().unwrap(), 1);
    assert_eq!(reader.first_known(ROOM, &key(1, 0, 0).session_id()).unwrap(), Some(0));
    assert_eq!(reader.keys_of(ROOM, &key(1, 0, 0).session_id()).unwrap().len(), 2);
    // The same session in another room is another session.
    assert_eq!(merge(&mut store, one, [bare("!r:x", key(1, 0, 9))]).unwrap(), [New]);
}

#[test]
fn weighing_says_what_merging_would_do() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    merge(&mut store, one, [bare(ROOM, key(1, 0, 10))]).unwrap();
    let reader = store.reader().unwrap();
    for (ratchet, index, expected) in
        [(0, 10, Unchanged), (0, 11, Unchanged), (0, 9, Better), (1, 0, Candidate)]
    {
        let weigh = |file| reader.weigh(bare(ROOM, key(1, ratchet, index)), file).unwrap();
        assert_eq!((weigh(false), weigh(true)), (expected, expected));
    }
    assert_eq!(reader.weigh(bare(ROOM, key(2, 0, 0)), false).unwrap(), New);
    assert_eq!(reader.count().unwrap(), 1);
}

/// A plan of several versions says of each key what restoring them one after the other would do.
#[test]
fn a_plan_of_several_versions_says_what_restoring_them_would_do() {
    let some_keys = prop::collection::vec((0..3_u8, 0..3_u8, 0..4_u32), 0..12);
    let stored_and_versions = (some_keys.clone(), prop::collection::vec(some_keys, 1..4));
    let mut runner = TestRunner::new(Config::with_cases(60));
    let room = Arc::from(ROOM);
    runner
        .run(&stored_and_versions, |(stored, versions)| {
            let home = Home::new();
            let mut store = home.open();
            let before = source(&mut store, &version("0"));
            let keys = |keys: &[(u8, u8, u32)]| {
                let keys = keys.iter();
                keys.map(|(id, ratchet, index)| bare(ROOM, key(u32::from(*id), *ratchet, *index)))
                    .collect::<Vec<_>>()
            };
            merge(&mut store, before, keys(&stored)).unwrap();
            let mut plan = Plan::new(Some(store.reader().unwrap()), true);
            let mut brought = BTreeMap::new();
            let mut planned = Vec::new();
            for (number, version) in versions.iter().enumerate() {
                plan.begin(&number.to_string());
                for key in keys(version) {
                    let session = key.session_id();
                    let merged = plan.weigh(&room, key).unwrap();
                    planned.push(merged);
                    if merged != Unchanged {
                        brought.entry(session).or_insert(number.to_string());
                    }
                }
            }
            for (session, version) in &brought {
                prop_assert_eq!(plan.brought_by(&room, *session), Some(version.as_str()));
            }
            let mut restored = Vec::new();
            for (number, keys_of) in versions.iter().enumerate() {
                let version = source(&mut store, &version(&(number + 1).to_string()));
                // One at a time: each is judged after those before it.
                for key in keys(keys_of) {
                    restored.extend(merge(&mut store, version, [key]).unwrap());
                }
            }
            prop_assert_eq!(planned, restored);
            Ok(())
        })
        .unwrap();
}

#[test]
fn candidates_are_capped_by_a_fixed_order_and_files_are_safe_from_backups() {
    let home = Home::new();
    let mut store = home.open();
    let (server, file) = (source(&mut store, &version("1")), source(&mut store, &key_file(1)));
    let session = key(1, 0, 0).session_id();
    merge(&mut store, file, [bare(ROOM, key(1, 50, 90))]).unwrap();
    // Later ones first: each earlier one pushes the latest out.
    for ratchet in (0..8).rev() {
        merge(&mut store, server, [bare(ROOM, key(1, ratchet, u32::from(ratchet)))]).unwrap();
    }
    let kept = store.reader().unwrap().keys_of(ROOM, &session).unwrap();
    let indices: BTreeSet<_> = kept.iter().map(|kept| kept.key.key.first_known_index()).collect();
    assert_eq!(indices, BTreeSet::from([0, 1, 2, 3, 90]));
    assert_eq!(kept.len(), limits::CANDIDATES + 1);
    // The one of the key file is preferred, the others are still there to be tried.
    assert_eq!(kept[0].key.key.first_known_index(), 90);
    assert_eq!(kept.iter().map(|kept| kept.rank).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_proven_key_is_never_pushed_out() {
    let home = Home::new();
    let mut store = home.open();
    let server = source(&mut store, &version("1"));
    merge(&mut store, server, [bare(ROOM, key(1, 40, 500))]).unwrap();
    let prove = |store: &mut Store, index| {
        let mut batch = store.begin(Instant::now()).unwrap();
        let proven = batch.prove(ROOM, &key(1, 40, index), &mut SystemRandom).unwrap();
        batch.commit().unwrap();
        proven
    };
    assert!(prove(&mut store, 500));
    assert!(!prove(&mut store, 501));
    for ratchet in 0..8 {
        merge(&mut store, server, [bare(ROOM, key(1, ratchet, 0))]).unwrap();
    }
    let kept = |store: &Store| {
        let kept = store.reader().unwrap().keys_of(ROOM, &key(1, 0, 0).session_id()).unwrap();
        (kept.len(), kept[0].proven, kept[0].key.key.first_known_index())
    };
    assert_eq!(kept(&store), (4, true, 500));
    // The proof goes with the ratchet: a key that reaches further back opens that message, too.
    let merged = merge(&mut store, server, [bare(ROOM, key(1, 40, 400))]).unwrap();
    assert_eq!(merged, [Better]);
    assert_eq!(kept(&store), (4, true, 400));
}

#[test]
fn the_newest_version_is_preferred_among_equals() {
    let home = Home::new();
    let mut store = home.open();
    let names = ["10", "9", "odd"];
    let ids: Vec<_> = names.iter().map(|name| source(&mut store, &version(name))).collect();
    for (ratchet, id) in [(0, 2), (1, 0), (2, 1)] {
        merge(&mut store, ids[id], [bare(ROOM, key(1, ratchet, 0))]).unwrap();
    }
    let kept = store.reader().unwrap().keys_of(ROOM, &key(1, 0, 0).session_id()).unwrap();
    let order: Vec<_> = kept.iter().map(|kept| kept.sources[0]).collect();
    assert_eq!(order, [ids[0], ids[1], ids[2]]);
}

/// One arrival: ratchet, index, source, which claims.
type Arrival = (u8, u32, usize, u8);

fn arrived(room: &str, (ratchet, index, _, claims): Arrival) -> RoomKey {
    let mut key = bare(room, key(7, ratchet, index));
    match claims {
        0 => {}
        1 => key.claims.sender_key = Some([ratchet; 32]),
        _ => {
            let raw = RawValue::from_string(claims.to_string()).unwrap();
            key.claims.others.push(("claim".to_owned(), raw));
        }
    }
    key
}

fn contents(reader: &Reader, room: &str) -> Vec<(u8, Vec<u8>, Vec<Source>, String)> {
    let sources = reader.sources().unwrap();
    let named = |id: &SourceId| sources.iter().find(|(other, _)| other == id).unwrap().1.clone();
    let kept = reader.keys_of(room, &key(7, 0, 0).session_id()).unwrap();
    let kept = kept.iter().map(|kept| {
        let mut sources: Vec<_> = kept.sources.iter().map(named).collect();
        sources.sort_by_key(|source| format!("{source:?}"));
        let export = kept.key.key.expose().to_vec();
        (kept.rank, export, sources, kept.key.to_plaintext().to_string())
    });
    kept.collect()
}

/// Includes more than four unconnected ratchets on each side, keys that cover others across sides,
/// and ratchets that become one later on (two keys that both cover a third).
#[test]
fn the_order_of_arrival_does_not_matter() {
    let home = Home::new();
    let mut store = home.open();
    let sources = [version("1"), version("2"), version("odd"), key_file(1), key_file(2)];
    let ids: Vec<_> = sources.iter().map(|one| source(&mut store, one)).collect();
    let reader = store.reader().unwrap();
    let store = RefCell::new((store, 0));
    let ratchet = prop_oneof![0_u8..6, 0_u8..6, 100_u8..102];
    let index = prop_oneof![Just(0_u32), Just(3), Just(7), Just(300), Just(600)];
    let arrivals = proptest::collection::vec((ratchet, index, 0..ids.len(), 0_u8..4), 1..20);
    let both =
        arrivals.prop_flat_map(|arrivals| (Just(arrivals.clone()), Just(arrivals).prop_shuffle()));
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&both, |(first, second)| {
        let mut borrowed = store.borrow_mut();
        let (store, case) = &mut *borrowed;
        *case += 1;
        let mut play = |arrivals: &[Arrival], name: &str| {
            let room = format!("!{case}-{name}:x");
            for arrival in arrivals {
                merge(store, ids[arrival.2], [arrived(&room, *arrival)]).unwrap();
            }
            contents(&reader, &room)
        };
        let (one, other) = (play(&first, "first"), play(&second, "second"));
        // And everything once more changes nothing.
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(play(&second, "first"), one);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn the_journal_skips_what_is_done_and_gives_another_key_its_chance() {
    let home = Home::new();
    let mut store = home.open();
    let (one, two) = (PublicKey([1; 32]), PublicKey([2; 32]));
    let entry = |json| RawEntry { room_id: ROOM, session_id: "s", json, fault: None };
    let journal = store.journal().unwrap();
    let stored = journal.mark("1", &entry(b"stored"));
    let refused = journal.mark("1", &entry(b"refused"));
    let wrong = journal.mark("1", &entry(b"wrong key"));
    let marks = [stored, refused, wrong];
    assert!(marks.iter().all(|mark| journal.done(mark, one).unwrap().is_none()));
    let refusal = Done::Refused { reason: "id_mismatch" };
    let wrong_key = Done::WrongKey { tried: one };
    let note = |store: &mut Store, commit: bool| {
        let mut batch = store.begin(Instant::now()).unwrap();
        for (mark, done) in marks.iter().zip([Done::Stored, refusal, wrong_key]) {
            batch.note_done(mark, &done).unwrap();
        }
        if commit {
            batch.commit().unwrap();
        }
    };
    note(&mut store, false);
    let journal = store.journal().unwrap();
    assert_eq!(journal.done(&stored, one).unwrap(), None);
    note(&mut store, true);
    note(&mut store, true);
    let journal = store.journal().unwrap();
    assert_eq!(journal.done(&stored, one).unwrap(), Some(Done::Stored));
    assert_eq!(journal.done(&refused, two).unwrap(), Some(refusal));
    assert_eq!(journal.done(&wrong, one).unwrap(), Some(wrong_key));
    assert_eq!(journal.done(&wrong, two).unwrap(), None);
    for other in [
        journal.mark("2", &entry(b"stored")),
        journal.mark("1", &entry(b"stored ")),
        journal.mark("1", &RawEntry { session_id: "t", ..entry(b"stored") }),
        journal.mark("1", &RawEntry { room_id: "!r", ..entry(b"stored") }),
    ] {
        assert_eq!(journal.done(&other, one).unwrap(), None);
    }
}

#[test]
fn a_batch_is_due_by_rows_and_by_time_and_rolls_back_when_dropped() {
    let home = Home::new();
    let mut store = home.open();
    let one = source(&mut store, &version("1"));
    let preparer = store.preparer();
    let prepare = |n| preparer.prepare(bare(ROOM, key(n, 0, 0)), one, &mut SystemRandom).unwrap();
    let now = Instant::now();
    let mut batch = store.begin(now).unwrap();
    assert_eq!(batch.merge(prepare(1), &mut SystemRandom).unwrap(), New);
    assert_eq!(batch.time_left(now), limits::TRANSACTION_TIME);
    assert!(!batch.is_due(now + limits::TRANSACTION_TIME / 2));
    assert!(batch.is_due(now + limits::TRANSACTION_TIME));
    let journal = store_marks(&mut batch);
    assert!(!batch.is_due(now));
    batch.note_done(&journal, &Done::Stored).unwrap();
    assert!(batch.is_due(now));
    drop(batch);
    assert_eq!(store.reader().unwrap().count().unwrap(), 0);
    // The room's number went with the rolled back transaction, and is given anew.
    assert_eq!(merge(&mut store, one, [bare(ROOM, key(1, 0, 0))]).unwrap(), [New]);
    assert_eq!(store.reader().unwrap().rooms().unwrap().len(), 1);
}

/// Fills a batch up to one row below its limit.
fn store_marks(batch: &mut keyhaul::store::writer::Batch<'_>) -> keyhaul::store::journal::Mark {
    let other = Home::new();
    let store = other.open();
    let journal = store.journal().unwrap();
    let entry = RawEntry { room_id: ROOM, session_id: "s", json: b"{}", fault: None };
    let mark = journal.mark("1", &entry);
    for _ in 0..limits::TRANSACTION_ROWS - 2 {
        batch.note_done(&mark, &Done::Stored).unwrap();
    }
    mark
}
