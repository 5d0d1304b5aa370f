//! The files that keyhaul writes: their text as the strictest reader wants it, who may read them, and
//! exactly the keys that were asked for.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use keyhaul::{
    backup::{decryption::Workroom, entry::RawEntry},
    base::base64,
    key_file::armor::{HEADER, TRAILER},
};

use super::{
    locked,
    program::{Case, WORDS},
    sessions,
};
use crate::program::{Ada, backup_key, set_mode};

/// What a strict reader would not like about a file's text.
fn fault(text: &str) -> Option<&'static str> {
    let Some(lines) = text.strip_suffix('\n') else { return Some("no line break at the end") };
    if lines.contains(|letter: char| !letter.is_ascii() || (letter < ' ' && letter != '\n')) {
        return Some("a character that is not needed");
    }
    let lines: Vec<&str> = lines.split('\n').collect();
    let [HEADER, body @ .., TRAILER] = lines.as_slice() else { return Some("first or last line") };
    let Some((last, full)) = body.split_last() else { return Some("nothing inside") };
    if full.iter().any(|line| line.len() != 128) || last.is_empty() || last.len() > 128 {
        return Some("the length of a line");
    }
    let body = body.concat();
    let bytes = base64::decode(&body);
    match bytes.map(|bytes| base64::encode_padded(&bytes)) {
        None => Some("no base64"),
        Some(canonical) if canonical != body => Some("another spelling of base64"),
        Some(_) => None,
    }
}

#[test]
fn each_fault_of_a_text_is_found() {
    // Of three lengths, the one whose last line ends with two signs of padding.
    let padded = |text: &str| text.contains("==\n");
    let mut lengths = (0..3).map(|more| locked(&format!("\"{}\"", "x".repeat(300 + more)), "p"));
    let good = lengths.find(|text| padded(text)).unwrap();
    assert_eq!(fault(&good), None);
    for planted in [
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
        format!("\u{feff}{good}"),
        format!("\n{good}"),
        format!("{good}\n"),
        good.replace("==\n", "\n"),
        good.replacen('\n', " \n", 1),
        good.replacen("\n-----END", "-----END", 1),
        good.replacen("\n-----END", "\n\n-----END", 1),
        good.replacen('\n', "\nAAAA\n", 1),
        good.lines().collect::<Vec<_>>().concat() + "\n",
        format!("{HEADER}\n{TRAILER}\n"),
        format!("{HEADER}\n{}\n{}\n{TRAILER}\n", "A".repeat(76), "A".repeat(76)),
        // Spare bits that are not zero.
        format!("{HEADER}\nAQJ=\n{TRAILER}\n"),
    ] {
        assert!(fault(&planted).is_some(), "{planted}");
    }
}

/// Rooms, sessions and keys.
type Keys = BTreeSet<(String, String, String)>;

/// What a file holds.
fn held(file: &str) -> Keys {
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(fault(&text), None);
    let keys = sessions(&text, WORDS).unwrap().into_iter().map(Result::unwrap);
    keys.map(|key| {
        let (id, text) = (key.session_id().to_string(), key.key.to_base64());
        (key.room_id, id, text.expose().to_owned())
    })
    .collect()
}

/// What these rooms of Ada's current backup hold.
fn openable(ada: &Ada, wanted: impl Fn(&str) -> bool) -> Keys {
    let (backup, mut workroom) = (backup_key(), Workroom::default());
    let mut keys = Keys::new();
    let rooms = &ada.account.version(3).unwrap().rooms;
    for (room_id, sessions) in rooms.iter().filter(|(room_id, _)| wanted(room_id)) {
        for (session_id, json) in sessions {
            let entry = RawEntry { room_id, session_id, json, fault: None };
            if let Ok(key) = backup.open(&entry, &mut workroom) {
                let text = key.key.to_base64().expose().to_owned();
                keys.insert((room_id.clone(), key.session_id().to_string(), text));
            }
        }
    }
    keys
}

#[test]
fn exactly_the_keys_that_were_asked_for() {
    let case = Case::new();
    let rooms: Vec<&String> = case.ada.account.version(3).unwrap().rooms.keys().collect();
    let one = case.home("one.txt");
    case.export(&[&one, "--room", rooms[3]], 0);
    assert_eq!(held(&one), openable(&case.ada, |room| room == rooms[3]));
    let two = case.home("two.txt");
    // Naming one twice changes nothing.
    case.export(&[&two, "--room", rooms[5], "--room", rooms[2], "--room", rooms[5]], 0);
    assert_eq!(
        held(&two),
        openable(&case.ada, |room| [rooms[2], rooms[5]].contains(&&room.into()))
    );
    // A name alone means the folder that one is in.
    case.export(&["all.txt"], 0);
    let all = held(&case.home("all.txt"));
    assert_eq!(all, openable(&case.ada, |_| true));
    assert_eq!(all.len(), case.ada.account.version(3).unwrap().expected().openable);
}

/// Under a umask that forbids nothing, and in place of a file that everybody could read.
#[test]
fn only_its_owner_reads_a_file() {
    let case = Case::new();
    let room = case.ada.account.version(3).unwrap().rooms.keys().next().unwrap();
    for name in ["new.txt", "old.txt"] {
        let file = case.home(name);
        if name == "old.txt" {
            fs::write(&file, "mine").unwrap();
            set_mode(file.as_ref(), 0o644);
        }
        let args = case.args(&["export", &file, "--room", room, "--overwrite"]);
        case.lab().run_without_umask(&args).exited(0);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600, "{name}");
    }
}

/// Standard input serves for the passphrase, or for the recovery key, but not for both.
#[test]
fn passphrase_from_standard_input() {
    let case = Case::new();
    let room = case.ada.account.version(3).unwrap().rooms.keys().next().unwrap();
    let file = case.home("keys.txt");
    let args = ["export", &file, "--room", room, &case.secret, "--passphrase-file=-"];
    case.lab().run_with_input(&args, format!("{WORDS}\n").as_bytes()).exited(0);
    assert_eq!(held(&file), openable(&case.ada, |of| of == room));

    let other = case.home("other.txt");
    let both = ["export", &other, "--secret-file=-", "--passphrase-file=-", "--json"];
    let secret = fs::read(case.ada.file("recovery key")).unwrap();
    let told = case.lab().run_with_input(&both, &secret).exited(2).document();
    assert_eq!(told["error"]["code"], "usage");
    assert!(!fs::exists(other).unwrap());
}
