//! Whatever happens to a file on its way, no key comes out of it that was not put in.

use keyhaul::{
    base::base64,
    key_file::{
        armor::{ArmorFault, HEADER, TRAILER},
        crypt::HeadFault,
        reading::{self, KeyFileFault},
    },
};
use proptest::{prelude::*, sample::Index};

use super::{armored, locked, sessions};
use crate::chance::cases;

const WORDS: &str = "passphrase";
/// A file asks for one round; whatever asks for more was changed.
const ROUNDS: u64 = 1;
/// The key of SPEC §10.6.
const KEY: &str = "AQAAAABXGO+Z9jlQJhIL6ByhXrv2BwCIxkhh7MXpKLsYmXkJcWrQlirmXmD79ga1zo+I4DCtEZzyGSpDWXBC6G7ez3H4gDMBam1RE3Jm5tc+oTlIri32UkYgSL0kBkcEnttqmIXBlK8tAfJo3cJnlh7F4ltEOAqrdME6dU0zXTkqXmURqYqXSOmbP+w8xUxIYgNohmjA3x5CGApXql0+i/uXtf3K";

fn file() -> String {
    let session =
        format!(r#"{{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r:x","session_key":"{KEY}"}}"#);
    locked(&session, WORDS)
}

/// One way to change a text.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, char),
    Insert(Index, char),
    Remove(Index),
    Cut(Index),
    Swap(Index, Index),
    Twice(Index, Index),
}

fn letter() -> impl Strategy<Value = char> {
    prop_oneof![proptest::char::range('0', 'z'), Just('='), Just('-'), Just('\n'), Just('\u{e9}')]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), letter()).prop_map(|(at, letter)| Change::Replace(at, letter)),
        (any::<Index>(), letter()).prop_map(|(at, letter)| Change::Insert(at, letter)),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::Cut),
        any::<[Index; 2]>().prop_map(|[one, two]| Change::Swap(one, two)),
        any::<[Index; 2]>().prop_map(|[one, two]| Change::Twice(one, two)),
    ]
}

impl Change {
    fn apply(&self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let length = letters.len();
        match self {
            Self::Insert(at, letter) => letters.insert(at.index(length + 1), *letter),
            // An earlier cut left nothing else to change.
            _ if length == 0 => {}
            Self::Replace(at, letter) => letters[at.index(length)] = *letter,
            Self::Remove(at) => drop(letters.remove(at.index(length))),
            Self::Cut(at) => letters.truncate(at.index(length)),
            Self::Swap(one, two) => letters.swap(one.index(length), two.index(length)),
            Self::Twice(one, two) => {
                let (one, two) = (one.index(length), two.index(length));
                let part = letters[one.min(two)..one.max(two)].to_vec();
                letters.splice(one..one, part);
            }
        }
        letters.into_iter().collect()
    }
}

/// What keyhaul makes of a file, unless that would take long.
fn read(text: &str) -> Result<Vec<String>, KeyFileFault> {
    let head = reading::head(text.as_bytes())?;
    if head.recipe().is_ok_and(|recipe| recipe.work() != ROUNDS) {
        // Other rounds give other keys, and so no MAC that fits.
        return Err(KeyFileFault::Passphrase);
    }
    let keys = sessions(text, WORDS)?.into_iter().map(Result::unwrap);
    Ok(keys.map(|key| format!("{} {}", key.room_id, key.key.to_base64().expose())).collect())
}

/// The bytes that a text stands for, if it is one.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(HEADER)?;
    let (body, _) = rest.split_once(TRAILER)?;
    base64::decode(body)
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn changed_file_gives_the_same_keys_or_none(
        changes in prop::collection::vec(change(), 1..3),
    ) {
        let whole = file();
        let expected = [format!("!r:x {KEY}")];
        prop_assert_eq!(read(&whole).unwrap(), &expected);
        let changed = changes.iter().fold(whole.clone(), |text, change| change.apply(&text));
        match read(&changed) {
            Ok(keys) => prop_assert_eq!(keys, &expected),
            // Only a change that says something else is a fault.
            Err(_) => prop_assert!(changed != whole),
        }
        if bytes(&changed).is_some_and(|bytes| Some(bytes) != self::bytes(&whole)) {
            prop_assert!(read(&changed).is_err());
        }
    }
}

/// A file that ends early is never taken for a shorter one, wherever it ends.
#[test]
fn each_beginning_of_a_file_is_refused() {
    let whole = file();
    let end = whole.trim_end().len();
    for length in 0..end {
        let fault = read(&whole[..length]).unwrap_err();
        let expected = if length < HEADER.len() {
            matches!(fault, KeyFileFault::Armor(ArmorFault::Header))
        } else {
            matches!(fault, KeyFileFault::Armor(ArmorFault::Trailer))
        };
        assert!(expected, "{length}: {fault}");
    }
    assert!(read(&whole[..end]).is_ok());

    // The same where somebody put the last line there again.
    let bytes = bytes(&whole).unwrap();
    for length in 0..bytes.len() {
        let fault = read(&armored(&base64::encode(&bytes[..length]))).unwrap_err();
        let expected = match length {
            0..69 => matches!(fault, KeyFileFault::Head(HeadFault::Short { .. })),
            // The MAC is cut away, and what is inside begins as it should.
            85.. => matches!(fault, KeyFileFault::Changed),
            _ => matches!(fault, KeyFileFault::Changed | KeyFileFault::Passphrase),
        };
        assert!(expected, "{length}: {fault}");
    }
}
