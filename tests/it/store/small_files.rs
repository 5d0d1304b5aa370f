//! The small files beside the store: kept sessions, logins, looks.

use jiff::{SignedDuration, Timestamp};
use keyhaul::{
    base::secret::SecretText,
    store::{
        kept_session::{KeptSession, note_login, recent_logins},
        looks::{self, Look},
    },
};

use super::*;

fn session(user_id: &str) -> KeptSession {
    KeptSession {
        base_url: format!("{ORIGIN}/base/").parse().unwrap(),
        user_id: user_id.to_owned(),
        device_id: "DEVICE".to_owned(),
        access_token: SecretText::new("syt_\"secret\"".to_owned()),
    }
}

#[test]
fn a_session_is_kept_until_it_is_removed() {
    let home = Home::new();
    let folder = home.folder();
    assert!(KeptSession::load(&folder).unwrap().is_none());
    session(USER).save(&folder).unwrap();
    let kept = KeptSession::load(&folder).unwrap().unwrap();
    assert_eq!(kept.base_url.as_str(), format!("{ORIGIN}/base/"));
    assert_eq!((kept.user_id.as_str(), kept.device_id.as_str()), (USER, "DEVICE"));
    assert_eq!(kept.access_token.expose(), "syt_\"secret\"");
    let other = home.data_dir().account("@b:example.org", ORIGIN).unwrap();
    session("@b:example.org").save(&other).unwrap();
    let users = |home: &Home| {
        let all = KeptSession::all(&home.data_dir()).unwrap();
        let mut users: Vec<_> = all.into_iter().map(|session| session.user_id).collect();
        users.sort();
        users
    };
    assert_eq!(users(&home), [USER, "@b:example.org"]);
    assert!(KeptSession::remove(&folder).unwrap());
    assert!(!KeptSession::remove(&folder).unwrap());
    assert_eq!(users(&home), ["@b:example.org"]);
}

#[test]
fn a_session_of_another_account_counts_as_none() {
    let home = Home::new();
    session("@b:example.org").save(&home.folder()).unwrap();
    assert!(KeptSession::load(&home.folder()).unwrap().is_none());
    std::fs::write(home.folder().path().join("session.json"), b"{\"user_id\":1}").unwrap();
    assert!(KeptSession::load(&home.folder()).unwrap().is_none());
    assert!(KeptSession::all(&home.data_dir()).unwrap().is_empty());
}

#[test]
fn logins_are_counted_for_five_minutes_and_per_server() {
    let home = Home::new();
    let data_dir = home.data_dir();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let ago = |seconds| now - SignedDuration::from_secs(seconds);
    for seconds in [600, 300, 299, 60, 0] {
        note_login(&data_dir, ORIGIN, ago(seconds)).unwrap();
    }
    assert_eq!(recent_logins(&data_dir, ORIGIN, now).unwrap(), 3);
    assert_eq!(recent_logins(&data_dir, "https://other", now).unwrap(), 0);
    // The clock was set back: what lies in the future proves nothing.
    assert_eq!(recent_logins(&data_dir, ORIGIN, ago(30)).unwrap(), 2);
    for _ in 0..100 {
        note_login(&data_dir, ORIGIN, now).unwrap();
    }
    assert_eq!(recent_logins(&data_dir, ORIGIN, now).unwrap(), 32);
}

#[test]
fn the_last_look_at_each_version_is_remembered() {
    let home = Home::new();
    let lock = home.lock();
    let look = |version: &str, second: i64| Look {
        version: version.to_owned(),
        etag: Some(second.to_string()),
        count: Some(3),
        entries: None,
        at: Timestamp::from_second(second).unwrap(),
    };
    assert!(looks::last(lock.folder()).unwrap().is_empty());
    looks::remember(&lock, &[look("1", 10), look("2", 11)]).unwrap();
    looks::remember(&lock, &[look("1", 20)]).unwrap();
    assert_eq!(looks::last(lock.folder()).unwrap(), [look("1", 20), look("2", 11)]);
    let many: Vec<_> = (0..500).map(|n| look(&format!("v{n}"), 100 + n)).collect();
    looks::remember(&lock, &many).unwrap();
    let kept = looks::last(lock.folder()).unwrap();
    assert_eq!(kept.len(), 200);
    std::fs::write(lock.folder().path().join("looks.json"), b"garbage").unwrap();
    assert!(looks::last(lock.folder()).unwrap().is_empty());
}
