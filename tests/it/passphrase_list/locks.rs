//! Which guess is tried on which lock, how far the search goes, and when it asks first.

use keyhaul::{
    base::{cancel::Cancel, limits, progress::News},
    recovery::{
        passphrase_list::{Goal, Opened, Searched},
        unlock::LockKind,
    },
    secret_storage::guesses::{Kind, Variation},
};
use serde_json::json;

use super::{Ear, account, dear, lock, search, with_backup};

const ALL: (Goal, bool) = (Goal::AllLocks, false);

fn opened(searched: &Searched) -> Vec<(u64, Variation, &str)> {
    let each = searched.opened.iter();
    each.map(|Opened { line, variation, lock, .. }| (*line, *variation, lock.as_str())).collect()
}

fn secrets(searched: &Searched) -> Vec<&str> {
    searched.secrets.iter().map(|secret| secret.expose()).collect()
}

#[tokio::test]
async fn every_lock_is_opened_by_the_line_that_is_its_own() {
    let (first, second) = (lock("Tea for two", 7), lock("passphrase", 9));
    let account = account(&[("first", first), ("second", second)]);
    let list = "nothing\ntea for two\nPassphrase\n";
    let (searched, ear) = search(&account, list, &[Kind::Case], ALL, Ear::default()).await;
    let searched = searched.unwrap();
    let mut found = opened(&searched);
    found.sort_by_key(|(_, _, lock)| *lock);
    assert_eq!(
        found,
        [
            (3, Variation::FirstSmall, "1"),
            (2, Variation::FirstLarge, "first"),
            (3, Variation::FirstSmall, "second"),
        ]
    );
    let backup = searched.opened.iter().find(|opened| opened.lock == "1").unwrap();
    assert_eq!(backup.kind, LockKind::Backup);
    let mut found = secrets(&searched);
    found.sort_unstable();
    assert_eq!(found, ["Tea for two", "passphrase"]);
    assert_eq!((searched.lines, searched.guesses), (3, 6));
    // Three lines and two variations on three locks, at most; no more once a lock is open.
    assert!((9..=18).contains(&searched.tried), "{}", searched.tried);
    assert_eq!(ear.tries(), Some((searched.tried, searched.tried)));
    let lines = ear.heard.lock().unwrap();
    let lines = lines.iter().filter(|news| matches!(news, News::Guessed { .. })).count();
    assert_eq!(lines, 3);
}

/// In the assistant the first lock is enough: the secret then goes the way of one that was typed.
#[tokio::test]
async fn the_first_lock_is_enough_where_one_is_wanted() {
    let account = account(&[("other", lock("never in the list", 300_000))]);
    let goal = (Goal::FirstLock, false);
    let (searched, _) = search(&account, "passphrase\nx", &Kind::ALL, goal, Ear::default()).await;
    let searched = searched.unwrap();
    assert_eq!(opened(&searched), [(1, Variation::AsTyped, "1")]);
    assert!(searched.tried < 20, "{}", searched.tried);
}

/// What does not open is tried to the end, and counted.
#[tokio::test]
async fn a_list_that_opens_nothing_is_tried_whole() {
    let account = account(&[("other", lock("never in the list", 7))]);
    let (searched, ear) = search(&account, "one\ntwo", &Kind::ALL, ALL, Ear::default()).await;
    let searched = searched.unwrap();
    assert!(searched.opened.is_empty() && searched.secrets.is_empty());
    let tries = 2 * searched.guesses as u64;
    assert_eq!((searched.tried, ear.tries()), (tries, Some((tries, tries))));
    let failure = searched.exhausted();
    assert_eq!((failure.code().word(), failure.exit()), ("list-exhausted", 10));
    assert!(failure.what().contains(&searched.guesses.to_string()), "{}", failure.what());
}

/// Recovery keys in a list are tried as such, before anything slow is.
#[tokio::test]
async fn keys_in_the_list_come_first() {
    let key = keyhaul::base::secret::Secret32::take(&mut [5; 32]);
    let paper = keyhaul::backup::recovery_key::format(&key);
    let raw = keyhaul::base::base64::encode(key.expose());
    let public = keyhaul::backup::decryption::DecryptionKey::new(key).public_key().to_base64();
    let account = with_backup(json!({ "public_key": public }), &[]);
    for line in [paper.expose(), &raw] {
        let list = format!("nothing\n{line}\n");
        let (searched, ear) = search(&account, &list, &[], ALL, Ear::default()).await;
        let searched = searched.unwrap();
        assert_eq!(opened(&searched), [(2, Variation::AsTyped, "1")]);
        assert_eq!(secrets(&searched), [paper.expose()]);
        assert_eq!(ear.tries(), None, "nothing here was made from a passphrase");
    }
    // A list of keys alone that fit nothing is exhausted; of other words nothing can be made of use.
    let other = keyhaul::base::secret::Secret32::take(&mut [6; 32]);
    let other = keyhaul::backup::recovery_key::format(&other);
    let (searched, _) = search(&account, other.expose(), &[], ALL, Ear::default()).await;
    assert!(searched.unwrap().opened.is_empty());
    let (searched, _) = search(&account, "nothing", &[], ALL, Ear::default()).await;
    assert_eq!(searched.err().map(|failure| failure.code().word()), Some("passphrase-unused"));
}

/// A raw key could be a passphrase all the same.
#[tokio::test]
async fn a_raw_key_may_be_a_passphrase() {
    let words = keyhaul::base::base64::encode(&[9; 32]);
    let account = account(&[("storage", lock(&words, 7))]);
    let (searched, _) = search(&account, &words, &[], ALL, Ear::default()).await;
    assert_eq!(opened(&searched.unwrap()), [(1, Variation::AsTyped, "storage")]);
}

#[tokio::test]
async fn what_takes_long_is_asked_about_first() {
    let account = account(&[("dear", dear(9_000_000))]);
    let list: String = (0..25).map(|number| format!("line {number}\n")).collect();
    const { assert!(25 * 9_000_000 > limits::LIST_BUDGET) };
    let (searched, ear) = search(&account, &list, &[], ALL, Ear::default()).await;
    let failure = searched.err().unwrap();
    assert_eq!((failure.code().word(), failure.exit()), ("list-slow", 10));
    assert!(failure.what().contains(" s") || failure.what().contains(" min"), "{failure:?}");
    assert_eq!(ear.tries(), None, "nothing was tried");
}

/// A server can ask for any number of rounds; a list does not do them, whatever was agreed to.
#[tokio::test]
async fn bombs_are_left_out_and_the_rest_is_tried() {
    let bomb = |rounds| ("bomb", dear(rounds));
    for slow in [false, true] {
        let account = account(&[bomb(limits::STRETCH_ROUNDS + 1)]);
        let (searched, _) =
            search(&account, "passphrase", &[], (Goal::AllLocks, slow), Ear::default()).await;
        let searched = searched.unwrap();
        assert_eq!(opened(&searched), [(1, Variation::AsTyped, "1")]);
        assert_eq!(searched.left_out, ["bomb"]);
    }
    let account = with_backup(json!({ "public_key": "" }), &[bomb(u32::MAX.into())]);
    let (searched, _) = search(&account, "passphrase", &[], ALL, Ear::default()).await;
    assert_eq!(searched.err().map(|failure| failure.code().word()), Some("passphrase-slow"));
}

/// A wish to stop is heard within a calculation, not only after it.
#[tokio::test]
async fn it_stops_within_a_calculation() {
    let dear = ("dear", dear(limits::STRETCH_ROUNDS));
    let account = with_backup(json!({ "public_key": "" }), &[dear]);
    let ear = Ear { stops: Some(Cancel::default()), ..Ear::default() };
    let list: String = (0..1_000).map(|number| format!("line {number}\n")).collect();
    let (searched, ear) = search(&account, &list, &[], (Goal::AllLocks, true), ear).await;
    assert_eq!(searched.err().map(|failure| failure.code().word()), Some("stopped"));
    assert_eq!(ear.tries().map(|(tried, _)| tried), Some(0));
}
