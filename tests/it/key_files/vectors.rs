//! The known answers of SPEC §10.5, and what must refuse them.

use keyhaul::{
    base::base64,
    base::stretch::RecipeFault,
    key_file::{
        armor::ArmorFault,
        crypt::HeadFault,
        reading::{self, KeyFileFault},
    },
};
use serde_json::Value;

use super::{armored, keys_for, locked, plaintext, sessions};

fn vector(which: usize) -> Value {
    let all: Value =
        serde_json::from_str(include_str!("../../cases/vectors/key_files.json")).unwrap();
    all[which].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn opens(which: usize) {
    let vector = vector(which);
    let file = armored(text(&vector["body"]));
    let inside = plaintext(&file, text(&vector["passphrase"])).unwrap();
    assert_eq!(inside, text(&vector["plaintext"]));
    let wrong = plaintext(&file, "another passphrase").unwrap_err();
    assert!(matches!(wrong, KeyFileFault::Passphrase), "{wrong}");
}

#[test]
fn plain_word_of_element_web() {
    opens(0);
}

#[test]
fn two_words_of_element_web() {
    opens(1);
}

#[test]
fn several_blocks_of_element_web() {
    opens(2);
}

#[test]
fn counter_of_64_bits_of_element_web() {
    opens(3);
}

/// With the usual counter the MAC is right and the first block, too; the rest is noise.
#[test]
fn counter_of_128_bits_gives_one_block_of_it() {
    let vector = vector(3);
    let file = armored(text(&vector["body"]));
    let head = reading::head(file.as_bytes()).unwrap();
    let keys = keys_for(&head, text(&vector["passphrase"]));
    let (checked, _) = reading::check(file.as_bytes(), &head, &keys, &|| false).unwrap();
    let mut plain = checked.plain(file.as_bytes(), &head, &keys);
    let inside = plain.next_piece().unwrap().unwrap();
    let expected = text(&vector["plaintext"]).as_bytes();
    assert_eq!(inside.len(), expected.len());
    assert_eq!(inside[..16], expected[..16]);
    assert_ne!(inside[16..32], expected[16..32]);
}

#[test]
fn session_of_matrix_rust_sdk() {
    let vector = vector(4);
    let file = armored(text(&vector["body"]));
    let mut found = sessions(&file, text(&vector["passphrase"])).unwrap();
    let key = found.pop().unwrap().unwrap();
    assert!(found.is_empty());
    assert_eq!(key.room_id, text(&vector["room_id"]));
    assert_eq!(key.session_id().to_string(), text(&vector["session_id"]));
    assert_eq!(key.key.first_known_index(), 0);
}

#[test]
fn each_fault_has_its_name() {
    let fault = |file: &str| plaintext(file, "password").unwrap_err();
    let header = fault("-----");
    assert!(matches!(header, KeyFileFault::Armor(ArmorFault::Header)), "{header}");
    let trailer = fault("-----BEGIN MEGOLM SESSION DATA-----\n-----");
    assert!(matches!(trailer, KeyFileFault::Armor(ArmorFault::Trailer)), "{trailer}");
    let body = text(&vector(0)["body"]).to_owned();
    let (short, _) = body.split_once("\nc").unwrap();
    let short = fault(&armored(&format!("{short}\ncissyYBxjsfsAn")));
    assert!(matches!(short, KeyFileFault::Head(HeadFault::Short { got: 67 })), "{short}");

    let changed = |at: usize, byte: u8| {
        let mut bytes = base64::decode(&body).unwrap();
        bytes[at] = byte;
        fault(&armored(&base64::encode(&bytes)))
    };
    let version = changed(0, 2);
    assert!(matches!(version, KeyFileFault::Head(HeadFault::Version { got: 2 })), "{version}");
    let no_rounds = changed(36, 0);
    let recipe = HeadFault::Recipe(RecipeFault::Rounds { got: 0 });
    assert!(matches!(no_rounds, KeyFileFault::Head(fault) if fault == recipe), "{no_rounds}");
    // What is inside is no list, so a changed byte cannot be told from another passphrase.
    let byte = changed(38, 0);
    assert!(matches!(byte, KeyFileFault::Passphrase), "{byte}");
}

#[test]
fn damage_is_told_from_another_passphrase() {
    let file = locked(r#"{"a":"more than one block of sixteen bytes"}"#, "password");
    let body: String = file.lines().filter(|line| !line.starts_with('-')).collect();
    let whole = base64::decode(&body).unwrap();
    for at in [60, whole.len() - 33, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let fault = sessions(&armored(&base64::encode(&bytes)), "password").map(|_| ());
        assert!(matches!(fault, Err(KeyFileFault::Changed)), "byte {at}");
    }
    let other = sessions(&file, "Password").map(|_| ());
    assert!(matches!(other, Err(KeyFileFault::Passphrase)));
    // Behind a right MAC, what is no list is no list.
    let open = locked("[1", "password");
    let fault = sessions(&open, "password").map(|_| ());
    assert!(matches!(fault, Err(KeyFileFault::NotAList { .. })));
}
