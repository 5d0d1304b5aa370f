//! A connection that breaks at every place of an answer (N2, N3), also with a reset in place of an end.
//!
//! What stood whole before the cut is in the store, and after a second run the store is the one of a
//! restore that nobody disturbed.

use std::path::Path;

use keyhaul::base::{cancel::Cancel, failure::Code};
use tempfile::TempDir;

use super::{
    small::{KEYS, body},
    way::Person,
};
use crate::program::{Step, Trick, runtime};

/// An answer that says only so many bytes of what it announced.
fn cut(answer: &[u8], at: usize, end: Option<Step>) -> Trick {
    let said = Step::Say(answer[..at].to_vec());
    Trick::script([said].into_iter().chain(end).collect::<Vec<_>>())
}

fn answer(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// How many entries stand whole in the first bytes of the body.
fn whole_entries(person: &Person, body: &str, at: usize) -> usize {
    let ends = |json: &str| body.find(json).unwrap() + json.len();
    person.entries.iter().filter(|entry| ends(&entry.json) <= at).count()
}

/// Cuts at one place, then restores in peace; says what is wrong.
async fn fault_at(person: &Person, folder: &Path, trick: Trick, expected: usize) -> Option<String> {
    let first = person.restore(folder, Vec::new(), Some(trick), Cancel::default()).await;
    let code = match &first {
        Ok(restoring) => restoring.runs[0].shortfall.as_ref().map(|failure| failure.code()),
        Err(failure) => Some(failure.code()),
    };
    if code != Some(Code::ConnectionLost) {
        return Some(format!("expected a lost connection, got {code:?}"));
    }
    let kept = person.known(folder).len();
    if kept != expected {
        return Some(format!("expected {expected} keys after the cut, got {kept}"));
    }
    None
}

/// So many people restore at a time, each with a server of their own.
const LANES: usize = 4;

/// Cuts the answer at every place of its head, or of its body; each in a folder of its own.
async fn cut_everywhere(in_body: bool) {
    let begun = std::time::Instant::now();
    let lanes: Vec<_> = (0..LANES).map(|lane| tokio::spawn(cut_in_lane(in_body, lane))).collect();
    let (mut cuts, mut faults) = (0, Vec::new());
    for lane in lanes {
        let (done, found) = lane.await.unwrap();
        cuts += done;
        faults.extend(found);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{cuts} cuts in {seconds:.0} s, {} faults", faults.len());
    assert!(cuts > 50);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A folder in memory, where this computer has such a place: a cut makes a store, and stores wait for
/// the disk.
fn fast_folder() -> TempDir {
    let here = Path::new("/dev/shm");
    let prefix = "keyhaul-test-";
    TempDir::with_prefix_in(prefix, here).or_else(|_| TempDir::with_prefix(prefix)).unwrap()
}

/// Every place where the structure changes, and every 23rd inside long texts, where one letter is as good
/// as another one. With `KEYHAUL_TEST_EVERY_BYTE` in the environment every place, which takes minutes.
fn is_chosen(answer: &[u8], at: usize) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let around = &answer[at.saturating_sub(12)..(at + 12).min(answer.len())];
    let inside = around.iter().all(is_letter);
    // A prime number beside the lanes: each lane gets its share.
    !inside || at.is_multiple_of(23) || std::env::var_os("KEYHAUL_TEST_EVERY_BYTE").is_some()
}

/// Every chosen place of one lane: how many there were, and what was wrong.
async fn cut_in_lane(in_body: bool, lane: usize) -> (usize, Vec<String>) {
    let person = Person::new().await;
    let json = body(&person.entries);
    let answer = answer(&json);
    let head = answer.len() - json.len();
    let places = if in_body { head..answer.len() } else { 0..head };
    let undisturbed = person.ada.lab.path("undisturbed");
    person.restore(&undisturbed, Vec::new(), None, Cancel::default()).await.unwrap();
    let right = person.known(&undisturbed);
    assert_eq!(right.len(), KEYS);
    let (mut cuts, mut faults) = (0, Vec::new());
    let fast = fast_folder();
    for at in places.filter(|at| at % LANES == lane && is_chosen(&answer, *at)) {
        let folder = fast.path().join(format!("cut-{at}"));
        let expected = whole_entries(&person, &json, at.saturating_sub(head));
        let end = at.is_multiple_of(7).then_some(Step::Reset);
        let fault = fault_at(&person, &folder, cut(&answer, at, end), expected).await;
        faults.extend(fault.map(|fault| format!("byte {at}: {fault}")));
        let again = person.restore(&folder, Vec::new(), None, Cancel::default()).await;
        if let Err(failure) = again {
            faults.push(format!("byte {at}, second run: {}", failure.what()));
        }
        if person.known(&folder) != right {
            faults.push(format!("byte {at}: another store after the second run"));
        }
        std::fs::remove_dir_all(&folder).unwrap();
        cuts += 1;
    }
    (cuts, faults)
}

#[test]
fn a_body_that_ends_at_any_byte() {
    runtime().block_on(cut_everywhere(true));
}

#[test]
fn a_head_that_ends_at_any_byte() {
    runtime().block_on(cut_everywhere(false));
}

/// A check that never finds anything would prove nothing.
#[test]
fn a_key_too_few_is_found() {
    runtime().block_on(async {
        let person = Person::new().await;
        let json = body(&person.entries);
        let answer = answer(&json);
        let folder = person.ada.lab.path("planted");
        let fault =
            fault_at(&person, &folder, cut(&answer, answer.len() - 1, None), KEYS - 1).await;
        assert_eq!(fault.unwrap(), "expected 4 keys after the cut, got 5");
        let fault = fault_at(&person, &folder, Trick::PASS, KEYS).await;
        assert_eq!(fault.unwrap(), "expected a lost connection, got None");
    });
}
