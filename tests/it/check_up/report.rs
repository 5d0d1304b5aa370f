//! The report: nothing secret and no id is in it, in whatever form.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use keyhaul::base::base64;
use serde_json::{Value, json};

use crate::{
    canary::{PASSWORD, canaries, found},
    program::Ada,
};

fn ada() -> Ada {
    let ada = Ada::with(|account| account.password = PASSWORD.to_owned());
    ada.lab.run(&ada.opens(&["restore"])).exited(3);
    ada
}

fn written(ada: &Ada, more: &[&str]) -> (Value, String) {
    let file = ada.lab.path("home/report.txt").to_str().unwrap().to_owned();
    let args = ada.opens(&[&["report", "--overwrite", &file], more].concat());
    let document = ada.lab.json(&args, 0);
    assert_eq!(document["file"], file);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    (document, fs::read_to_string(&file).unwrap())
}

/// Every id and name of the account, and the server's address.
fn ids(ada: &Ada) -> BTreeSet<String> {
    let account = &ada.account;
    let mut ids = BTreeSet::from([account.user_id.clone(), "example.org".to_owned()]);
    ids.insert(ada.server.address().to_string());
    ids.extend(account.device_keys.keys().cloned());
    for room in &account.rooms {
        ids.extend(
            [Some(&room.id), room.name.as_ref(), room.alias.as_ref()]
                .into_iter()
                .flatten()
                .cloned(),
        );
        ids.extend(
            room.people.iter().flat_map(|one| [one.user_id.clone(), one.display_name.clone()]),
        );
    }
    for version in account.versions.values().flatten() {
        ids.extend(version.rooms.keys().cloned());
        ids.extend(version.rooms.values().flat_map(|sessions| sessions.keys().cloned()));
    }
    let storage = account.account_data.keys();
    ids.extend(
        storage.filter_map(|kind| kind.strip_prefix("m.secret_storage.key.")).map(str::to_owned),
    );
    assert!(ids.len() > 1_000);
    ids
}

/// The ids that stand in a text.
fn told<'a>(ids: &'a BTreeSet<String>, text: &str) -> Vec<&'a str> {
    let in_text = |id: &&String| {
        let hex: String = id.bytes().map(|byte| format!("{byte:02x}")).collect();
        let encoded = base64::encode(id.as_bytes());
        [id.as_str(), &hex, &encoded].into_iter().any(|form| form.len() > 4 && text.contains(form))
    };
    ids.iter().filter(in_text).map(String::as_str).collect()
}

#[test]
fn no_secret_and_no_id_is_in_a_report() {
    let ada = ada();
    let (document, text) = written(&ada, &[]);
    assert_eq!(document["with_ids"], false);
    assert_eq!(document["findings"], json!(["entries-for-another-key"]));
    assert_eq!(found(&canaries(&ada), text.as_bytes()), Vec::<&str>::new());
    let ids = ids(&ada);
    assert_eq!(told(&ids, &text), Vec::<&str>::new(), "{text}");
    // What support needs is there.
    let version = ada.account.version(3).unwrap();
    let public_key = version.auth_data["public_key"].as_str().unwrap().trim_end_matches('=');
    for word in [public_key, "entries-for-another-key", "backup 1", env!("CARGO_PKG_VERSION")] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    for (reason, count) in version.expected().refused {
        assert!(text.contains(&format!("refused        {reason} {count}\n")), "{reason}");
    }

    // Both searches find what is planted.
    let room = ada.account.rooms[0].id.as_str();
    assert!(told(&ids, &format!("{text}{room}")).contains(&room));
    let paper = fs::read_to_string(ada.file("recovery key")).unwrap();
    let planted = format!("{text}{}", paper.replace(' ', ""));
    assert!(!found(&canaries(&ada), planted.as_bytes()).is_empty());
}

#[test]
fn ids_are_in_a_report_only_if_somebody_wants_them() {
    let ada = ada();
    let (document, text) = written(&ada, &["--with-ids"]);
    assert_eq!(document["with_ids"], true);
    assert_eq!(found(&canaries(&ada), text.as_bytes()), Vec::<&str>::new());
    assert!(text.contains(&ada.account.user_id) && text.contains(ada.server.base_url()), "{text}");
    let version = ada.account.version(3).unwrap();
    for (room, _) in version.damaged.keys() {
        assert!(text.contains(room.as_str()), "{room}");
    }
    // Names of rooms are never in it.
    let named =
        |name: &str| ada.account.rooms.iter().any(|room| room.name.as_deref() == Some(name));
    assert!(named("Family") && !text.contains("Family"));
}

/// A word for an id means nothing outside of its report.
#[test]
fn two_reports_have_no_word_in_common() {
    let ada = ada();
    let words = |text: &str| -> BTreeSet<String> {
        let is_word = |word: &&str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let split = text.split(|c: char| !c.is_ascii_alphanumeric());
        split.filter(is_word).map(str::to_owned).collect()
    };
    let [one, other] = [(); 2].map(|()| words(&written(&ada, &[]).1));
    assert!(one.len() > 3 && one.len() == other.len(), "{one:?}");
    assert!(one.is_disjoint(&other));
}

#[test]
fn nothing_is_replaced_and_a_report_without_a_server_is_one() {
    let ada = Ada::new();
    let file = ada.lab.path("home/report.txt").to_str().unwrap().to_owned();
    fs::write(&file, "mine").unwrap();
    ada.lab.fails(&ada.opens(&["report", &file]), 14, "file-exists");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    ada.lab.secret("token", "syt_of_nobody");
    let document = ada.lab.json(&ada.opens(&["report", "--overwrite", &file]), 0);
    assert_eq!(document["findings"], json!(["token-refused"]));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("token-refused") && !text.contains("syt_of_nobody"), "{text}");
}
