//! The stories of passphrases, opened by a list with a slip in it; and what a server hears of that.

use keyhaul::demo::stories::Story;
use serde_json::{Value, json};

use crate::program::{Ada, Lab};

fn opened(story: Story, list: &str, vary: &str) -> Value {
    let lab = Lab::new();
    let demo = format!("--demo={}", story.name());
    let list = format!("--secret-list={}", lab.secret("list", list));
    lab.json(&["unlock", &demo, &list, vary, "--quiet"], 0)
}

const LIST: &str = "a watched pot\n\nThe kettle sings before the rain!\n";

#[test]
fn a_passphrase_that_is_half_remembered_opens_secret_storage() {
    let document = opened(Story::Passphrase, LIST, "--vary=case,ending");
    let [found] = document["list"]["opened"].as_array().unwrap().as_slice() else {
        panic!("{document:#}")
    };
    assert_eq!(found["line"], 3);
    assert_eq!(found["variation"], "first_and_ending_away");
    assert_eq!(found["kind"], "secret_storage");
    assert_eq!(document["secret_is"], "passphrase");
    assert_eq!(document["opens_backups"], json!(["1"]));
}

#[test]
fn a_passphrase_with_a_slip_opens_a_backup_of_old() {
    let list = "a watched pot\nthe ketlte sings before the rain\n";
    let document = opened(Story::LegacyPassphrase, list, "--vary=slip");
    let found = &document["list"]["opened"][0];
    assert_eq!((&found["line"], &found["variation"]), (&json!(2), &json!("swapped")));
    assert_eq!((&found["kind"], &found["lock"]), (&json!("backup"), &json!("1")));
    assert_eq!(document["opens_backups"], json!(["1"]));
}

/// The list of a demo is tried alone: the story's own secret would leave nothing to find.
#[test]
fn a_list_of_wrong_passphrases_is_exhausted() {
    let lab = Lab::new();
    let list = format!("--secret-list={}", lab.secret("list", "one\ntwo\n"));
    let args = ["unlock", "--demo=passphrase", &list, "--quiet"];
    lab.fails(&args, 10, "list-exhausted");
    let args = ["unlock", "--demo=plain", &list, "--quiet"];
    lab.fails(&args, 10, "passphrase-unused");
}

/// A list of any length asks a server nothing more than one secret does: what there is to open.
#[test]
fn nothing_of_a_list_is_sent() {
    let ada = Ada::with(|account| *account = Story::Passphrase.account());
    let heads = |args: Vec<String>, exit| {
        let between = ada.between(Vec::new());
        ada.lab.run(&ada.through(&between, args)).exited(exit);
        let mut heads: Vec<String> =
            between.heads().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
        heads.sort_unstable();
        heads
    };
    let lines: String = (0..40).map(|number| format!("line {number}\n")).collect();
    let list = format!("--secret-list={}", ada.lab.secret("list", lines));
    let found = format!("--secret-list={}", ada.lab.secret("found", LIST));
    let one = format!("--secret-file={}", ada.lab.secret("one", "line 1"));
    let look = heads(ada.asks(&["unlock", &one]), 10);
    assert!(look.iter().any(|head| head.contains("/room_keys/version")), "{look:?}");
    assert_eq!(heads(ada.asks(&["unlock", &list]), 10), look);
    assert_eq!(heads(ada.asks(&["unlock", &found, "--vary=case,ending"]), 0), look);
}
