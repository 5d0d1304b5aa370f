//! A list of passphrases that somebody may have used: what guesses it gives, what is tried on which lock,
//! and what the command tells of it.

mod command;
mod demo;
mod guesses;
mod hostile;
mod locks;

use std::sync::{Arc, Mutex};

use keyhaul::{
    base::{
        cancel::Cancel,
        failure::Failure,
        progress::{News, Progress},
        secret::SecretBytes,
        stretch::Recipe,
    },
    recovery::{
        look::Wanted,
        passphrase_list::{Goal, List, Searched},
        visit::{Place, Visit},
    },
    secret_storage::{guesses::Kind, secret::describe},
};
use serde_json::{Value, json};

use crate::{
    chance::Counting,
    unlocking::{Account, version},
};

/// Hears all news.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<News>>,
    /// Asked to stop when the tries are told for the second time: that is within the first ones.
    stops: Option<Cancel>,
}

impl Progress for Ear {
    fn tell(&self, news: News) {
        let mut heard = self.heard.lock().unwrap();
        heard.push(news);
        let told = heard.iter().filter(|news| matches!(news, News::Guessing { .. })).count();
        if let (2.., Some(stops)) = (told, &self.stops) {
            stops.cancel();
        }
    }
}

impl Ear {
    /// Tries that were made and that there are, as they were told last.
    fn tries(&self) -> Option<(u64, u64)> {
        self.heard.lock().unwrap().iter().rev().find_map(|news| match news {
            News::Guessing { tried, of, .. } => Some((*tried, *of)),
            _ => None,
        })
    }
}

/// A backup of the old form whose key comes from the passphrase `passphrase` (SPEC §10.4), with these
/// locks of secret storage beside it.
fn account(locks: &[(&str, Value)]) -> Account {
    let auth_data = json!({
        "public_key": "bSXxO0Ar6S2bfLjILJVHBvfA2r+TwbGGgjWn8o2AlUA",
        "private_key_salt": "salt",
        "private_key_iterations": 5,
    });
    with_backup(auth_data, locks)
}

fn with_backup(auth_data: Value, locks: &[(&str, Value)]) -> Account {
    let mut data: Value = locks
        .iter()
        .map(|(id, lock)| (format!("m.secret_storage.key.{id}"), lock.clone()))
        .collect();
    if let Some((id, _)) = locks.first() {
        data["m.secret_storage.default_key"] = json!({ "key": id });
    }
    Account::new(&version(auth_data), &json!({"rooms": {}}), &data)
}

/// A lock of secret storage that was made from a passphrase.
fn lock(passphrase: &str, rounds: u64) -> Value {
    let salt = format!("salt of {rounds} rounds");
    let recipe = Recipe::new(salt.as_bytes(), rounds, 256).unwrap();
    let key = recipe.stretch(passphrase.as_bytes(), &mut |_| true).unwrap();
    let mut lock = describe(key.expose(), &mut Counting(1));
    lock["passphrase"] = json!({ "algorithm": "m.pbkdf2", "salt": salt, "iterations": rounds });
    lock
}

/// A lock that asks for so many rounds and is opened by nothing.
fn dear(rounds: u64) -> Value {
    let mut lock = describe(&[7; 32], &mut Counting(1));
    lock["passphrase"] = json!({ "algorithm": "m.pbkdf2", "salt": "s", "iterations": rounds });
    lock
}

fn read(list: impl AsRef<[u8]>, kinds: &[Kind]) -> Result<List, Failure> {
    List::read(&SecretBytes::new(list.as_ref().to_vec()), kinds)
}

/// Tries a list on an account, by as much calculation as it takes if `slow`.
async fn search(
    account: &Account,
    list: &str,
    kinds: &[Kind],
    (goal, slow): (Goal, bool),
    ear: Ear,
) -> (Result<Searched, Failure>, Arc<Ear>) {
    let cancel = ear.stops.clone().unwrap_or_default();
    let ear = Arc::new(ear);
    let progress: Arc<dyn Progress> = ear.clone();
    let place = Place::Snapshot { file: account.file(), user: None, server: None };
    let begun = Visit::begin(place, &Wanted::Current, &mut |_| {}, &*progress, &cancel).await;
    let list = Arc::new(read(list, kinds).unwrap());
    let searched = begun.unwrap().try_list(&list, goal, slow, &progress, &cancel).await;
    (searched, ear)
}
