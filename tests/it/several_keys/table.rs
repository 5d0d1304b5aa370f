//! The fit table: every secret on every lock.

use keyhaul::{backup::recovery_key, base::secret::Secret32, demo::stories::Story};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::{Person, has_line, lines, old_key, paper};
use crate::program::{Ada, Trick};

/// The rows of a document's table: what kind of lock, its id if it is a backup, and what came of each
/// secret read as a key and as a passphrase.
fn rows(document: &Value) -> Vec<(String, Vec<[Option<&str>; 2]>)> {
    let rows = document["table"].as_array().unwrap().iter();
    rows.map(|row| {
        let name = match row["kind"].as_str().unwrap() {
            "backup" if row["gone"] == true => format!("gone {}", row["id"].as_str().unwrap()),
            "backup" => format!("backup {}", row["id"].as_str().unwrap()),
            _ if row["current"] == true => "storage in use".to_owned(),
            _ => "storage".to_owned(),
        };
        let secrets = row["secrets"].as_array().unwrap().iter();
        (name, secrets.map(|one| [one["as_key"].as_str(), one["as_passphrase"].as_str()]).collect())
    })
    .collect()
}

fn row(
    name: &str,
    secrets: &[[Option<&'static str>; 2]],
) -> (String, Vec<[Option<&'static str>; 2]>) {
    (name.to_owned(), secrets.to_vec())
}

const NO: [Option<&str>; 2] = [Some("no"), None];
const OPENS: [Option<&str>; 2] = [Some("opens"), None];

#[test]
fn a_key_of_an_older_backup_says_which_one() {
    let person = Person::of(Story::OlderKey);
    let found = person.says(&["unlock"], &[], 0);
    let expected =
        [row("storage in use", &[NO]), row("backup 2", &[NO]), row("backup 1", &[OPENS])];
    assert_eq!(rows(&found), expected);
    let way_on = found["way_on"].as_str().unwrap();
    assert!(way_on.contains("It opens backup 1 ("), "{way_on}");
    assert!(way_on.ends_with("not the current backup 2."), "{way_on}");
    let [closed] = found["closed"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    assert_eq!((&closed["version"], &closed["current"]), (&json!("2"), &json!(true)));
    let could_open = closed["could_open"].as_array().unwrap();
    assert_eq!(could_open[0], json!({"kind": "recovery_key"}));
    assert_eq!(
        (&could_open[1]["kind"], &could_open[1]["default"], &could_open[1]["passphrase"]),
        (&json!("secret_storage"), &json!(true), &json!(false))
    );
    assert_eq!(could_open.len(), 2);
    let told = person.told(&["unlock"], &[], 0).stdout;
    has_line(&told, "Next: keyhaul restore --backup-version 1");
    assert!(told.contains("Backup 2 ("), "{told}");
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let openers = "It opens with the recovery key made with it, or what opens secret storage";
    assert!(words.contains(&format!("stays closed. {openers}")), "{words}");
}

#[test]
fn every_secret_has_its_own_column() {
    let story = Story::OlderKey;
    let person = Person::of(story);
    let storage = story.recovery_key().expose().to_owned();
    let both = [old_key(story), storage];
    let both = both.each_ref().map(String::as_str);
    let found = person.says(&["unlock"], &both, 0);
    let expected = [
        row("storage in use", &[NO, OPENS]),
        row("backup 2", &[NO, OPENS]),
        row("backup 1", &[OPENS, NO]),
    ];
    assert_eq!(rows(&found), expected);
    let [first, second] = found["secrets"].as_array().unwrap().as_slice() else {
        panic!("{found:#}")
    };
    let ids = |secret: &Value| -> Vec<Value> {
        secret["fits"].as_array().unwrap().iter().map(|fit| fit["kind"].clone()).collect()
    };
    assert_eq!(ids(first), ["backup"]);
    assert_eq!(ids(second), ["secret_storage", "backup"]);
    let held =
        |row: usize, secret: usize| found["table"][row]["secrets"][secret]["held_in"].clone();
    assert_eq!(held(1, 1), found["table"][0]["id"]);
    assert_eq!(held(2, 0), Value::Null);
    assert_eq!(found["table"][0]["key_of"], json!(["2"]));
    assert_eq!(found["closed"], json!([]));
    let told = person.told(&["unlock"], &both, 0).stdout;
    has_line(&told, "Next: keyhaul restore --backup-version all");
    let head = lines(&told).into_iter().find(|line| line.starts_with("Lock")).unwrap();
    assert_eq!(head, "Lock Keys Secret 1 Secret 2 Leads to");
}

#[test]
fn a_key_that_is_not_the_default_any_more() {
    let found = Person::of(Story::SeveralKeys).says(&["unlock"], &[], 0);
    let rows = rows(&found);
    let (storage, backups): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(name, _)| name.starts_with("storage"));
    assert_eq!(backups, [row("backup 1", &[OPENS])]);
    // One that was never used is named nowhere.
    assert_eq!(storage.len(), 2);
    assert_eq!(storage.iter().filter(|(_, cells)| cells[0] == OPENS).count(), 1);
    assert_eq!(storage[0], row("storage in use", &[NO]));
}

#[test]
fn passphrases_have_a_column_of_their_own() {
    let opens = [None, Some("opens")];
    let found = Person::of(Story::Passphrase).says(&["unlock"], &[], 0);
    assert_eq!(rows(&found), [row("storage in use", &[opens]), row("backup 1", &[opens])]);
    let found = Person::of(Story::LegacyPassphrase).says(&["unlock"], &[], 0);
    assert_eq!(rows(&found), [row("backup 1", &[opens])]);
    // Somebody may have chosen a recovery key as a passphrase: nothing opens with it in either way.
    let person = Person::of(Story::LegacyPassphrase);
    let wrong = recovery_key::format(&Secret32::take(&mut [3; 32]));
    person.fails(&["unlock"], &[wrong.expose()], 10, "fits-nothing");
    let told = person.told(&["unlock"], &[wrong.expose()], 10);
    has_line(&told.stderr, "Lock Keys As recovery key As passphrase Leads to");
    let row = lines(&told.stderr).into_iter().find(|line| line.starts_with("Backup 1")).unwrap();
    assert!(row.ends_with("✗ no ✗ no –"), "{told}");
    assert!(told.stderr.contains("How that can be"), "{told}");
    // A key that opens needs no second try.
    let found = Person::of(Story::Passphrase);
    let storage = found.says(&["unlock"], &[&paper(Story::Passphrase)], 0);
    assert_eq!(storage["secret_is"], "passphrase");
}

#[test]
fn a_backup_that_is_gone_is_shown_as_gone() {
    let ada = Ada::new();
    let found = ada.lab.json(&ada.opens(&["unlock"]), 0);
    let names: Vec<_> = rows(&found).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["storage in use", "backup 3", "gone 2", "backup 1"]);
    let told = ada.lab.run(&ada.opens(&["unlock"])).exited(0).stdout;
    has_line(&told, "Backup 2 gone – –");
}

#[test]
fn the_table_stays_within_the_screen() {
    for story in [Story::OlderKey, Story::SeveralKeys, Story::Passphrase, Story::LegacyPassphrase] {
        let person = Person::of(story);
        for secrets in [vec![], vec![paper(story), old_key(story), paper(Story::Plain)]] {
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let told = person.told(&["unlock"], &secrets, 0);
            let table = told.stdout.lines().skip_while(|line| !line.starts_with("Lock"));
            let wide: Vec<_> = table
                .take_while(|line| !line.contains("nothing sent"))
                .filter(|line| line.width() > 80)
                .collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
    }
}

#[test]
fn entries_are_the_proof_where_the_public_key_makes_no_sense() {
    let mut public_key = Value::Null;
    let ada = Ada::with(|account| {
        let version = account.versions.get_mut(&3).and_then(Option::as_mut).unwrap();
        public_key = std::mem::replace(&mut version.auth_data["public_key"], "damaged".into());
    });
    assert!(public_key.is_string());
    let found = ada.lab.json(&ada.opens(&["unlock"]), 0);
    assert_eq!(found["opens_backups"], json!(["3"]));
    let fits = found["fits"].as_array().unwrap().iter();
    let proofs: Vec<_> = fits.map(|fit| fit["proof"].as_str().unwrap()).collect();
    assert_eq!(proofs, ["mac", "entries"]);
    let restored = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_eq!(restored["runs"][0]["opened"], ada.account.version(3).unwrap().expected().openable);
    // A wrong key is known to be wrong by them, too.
    let wrong = recovery_key::format(&Secret32::take(&mut [3; 32]));
    let file = ada.lab.secret("wrong", wrong.expose());
    let asks = ada.asks(&["unlock", &format!("--secret-file={file}")]);
    ada.lab.fails(&asks, 10, "fits-nothing");
    // Without any entry nobody can tell.
    let odd = ada.asks(&["restore", &format!("--secret-file={file}")]);
    let between = ada.between(vec![("/room_keys/keys", Trick::Say(500, json!({})))]);
    let told = ada.lab.run(&ada.through(&between, odd));
    assert!(told.stderr.contains("(backup-odd"), "{told}");
}

#[test]
fn entries_are_the_proof_where_the_public_key_is_of_another_key() {
    let other = keyhaul::backup::decryption::DecryptionKey::new(Secret32::take(&mut [5; 32]));
    let ada = Ada::with(|account| {
        account.versions.retain(|number, _| *number == 3);
        let version = account.versions.get_mut(&3).and_then(Option::as_mut).unwrap();
        version.auth_data["public_key"] = other.public_key().to_base64().into();
    });
    let found = ada.lab.json(&ada.opens(&["unlock"]), 0);
    assert_eq!(found["opens_backups"], json!(["3"]));
    assert_eq!(found["fits"][1]["proof"], "entries");
    assert_eq!(found["table"][0]["holds"], "key_of_backup");
    // It is restored, and said what is odd.
    let restored = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_eq!(restored["runs"][0]["shown_public_key"], other.public_key().to_base64());
    let told = ada.lab.run(&ada.opens(&["restore"])).exited(3).stdout;
    assert!(told.contains("which is yours: they open."), "{told}");
    let checked = ada.lab.json(&ada.opens(&["doctor"]), 3);
    let backup = checked["checks"].as_array().unwrap().iter().find(|check| check["id"] == "backup");
    assert_eq!(backup.unwrap()["finding"], "key-not-its-own", "{checked:#}");
}
