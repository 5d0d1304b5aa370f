//! Key files: the known answers, files of real clients, an independent implementation on the other
//! side, and the built program.

mod accounts;
mod damage;
mod independent;
mod left_out;
mod merging;
mod program;
mod real_files;
mod round_trip;
mod stopping;
mod vectors;
mod written;

use std::io::Cursor;

use keyhaul::{
    base::secret::SecretText,
    key_file::{
        armor::{HEADER, TRAILER},
        crypt::{FileKeys, Head},
        portable::Portable,
        reading::{self, KeyFileFault, SessionFault},
        writing::KeyFile,
    },
    megolm::room_key::RoomKey,
};
use zeroize::Zeroizing;

use crate::chance::Counting;

/// A file's text around its base64.
fn armored(body: &str) -> String {
    format!("{HEADER}\n{body}\n{TRAILER}\n")
}

fn keys_for(head: &Head, passphrase: &str) -> FileKeys {
    head.keys(&SecretText::new(passphrase.to_owned()), &mut |_| true).unwrap()
}

/// Everything inside a file, whatever it is.
fn plaintext(text: &str, passphrase: &str) -> Result<String, KeyFileFault> {
    let file = || Cursor::new(text.as_bytes());
    let head = reading::head(file())?;
    let keys = keys_for(&head, passphrase);
    let (mut checked, _) = reading::check(file(), &head, &keys, &|| false)?;
    // It is no list in some of the vectors; then only the counter is found out.
    let _ = checked.look_through(file(), &head, &keys, &|| false);
    let mut plain = checked.plain(file(), &head, &keys);
    let mut all = Vec::new();
    while let Some(piece) = plain.next_piece()? {
        all.extend_from_slice(piece);
    }
    Ok(String::from_utf8_lossy(&all).into_owned())
}

pub(super) type Session = Result<RoomKey, SessionFault>;

/// All sessions of a file.
pub(super) fn sessions(text: &str, passphrase: &str) -> Result<Vec<Session>, KeyFileFault> {
    let file = || Cursor::new(text.as_bytes());
    let head = reading::head(file())?;
    let keys = keys_for(&head, passphrase);
    let (mut checked, _) = reading::check(file(), &head, &keys, &|| false)?;
    checked.look_through(file(), &head, &keys, &|| false)?;
    let mut sessions = Vec::new();
    checked.sessions(file(), &head, &keys, &mut |session| {
        sessions.push(session);
        true
    })?;
    Ok(sessions)
}

/// A file with this JSON as its only session, whatever that is; one round.
pub(super) fn locked(json: &str, passphrase: &str) -> String {
    let head = Head::fresh(1, &mut Counting(3));
    let keys = keys_for(&head, passphrase);
    let mut file = KeyFile::new(Vec::new(), &head, &keys).unwrap();
    let json = Zeroizing::new(json.to_owned());
    file.add(&Portable { json, dropped: Vec::new() }).unwrap();
    String::from_utf8(file.finish().unwrap()).unwrap()
}
