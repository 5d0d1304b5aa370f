//! What holds for every key, every plaintext and every text, with vodozemac as the oracle for locks
//! and ratchets.

use std::collections::BTreeMap;

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, MalformedEntry, Refusal, Workroom},
        encryption::seal,
        entry::RawEntry,
        recovery_key,
        version::PublicKey,
    },
    base::{base64, secret::Secret32},
    megolm::{
        room_key::RoomKey,
        session_key::{SessionKey, Standing},
    },
};
use proptest::{prelude::*, sample::Index};
use serde_json::{json, value::RawValue};
use vodozemac::{
    Curve25519PublicKey, Curve25519SecretKey,
    megolm::{ExportedSessionKey, InboundGroupSession, SessionConfig, SessionOrdering},
    pk_encryption::{Error as PkError, Message, PkDecryption, PkEncryption},
};

use crate::chance::{Counting, cases};

const ROOM: &str = "!r:x";
/// A point of SPEC §10.6: the public key, and so the id, of every session here.
const POINT: &str = "ipdI6Zs/7DzFTEhiA2iGaMDfHkIYCleqXT6L+5e1/co";

fn secret(bytes: [u8; 32]) -> Secret32 {
    Secret32::take(&mut { bytes })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

/// A session key in the export format, of any ratchet.
fn exported(index: u32, ratchet: &[u8]) -> Vec<u8> {
    [&[1], index.to_be_bytes().as_slice(), ratchet, &base64::decode(POINT).unwrap()].concat()
}

fn ratchet() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 128)
}

fn imported(key: &[u8]) -> InboundGroupSession {
    let key = ExportedSessionKey::from_bytes(key).unwrap();
    InboundGroupSession::import(&key, SessionConfig::version_1())
}

// --- Texts of keys ---

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn a_recovery_key_survives_any_spacing(
        key: [u8; 32],
        gaps in prop::collection::vec((any::<Index>(), "[ \t\r\n\u{a0}\u{200b}_-]{1,3}"), 0..20),
    ) {
        let mut text: Vec<char> = recovery_key::format(&secret(key)).expose().chars().collect();
        prop_assert_eq!(text.len(), 48 + 11);
        for (place, gap) in gaps {
            let place = place.index(text.len() + 1);
            text.splice(place..place, gap.chars());
        }
        let text: String = text.into_iter().collect();
        prop_assert!(recovery_key::parse(&text).unwrap().same_as(&secret(key)));
    }

    #[test]
    fn a_slip_never_reads_as_the_same_key(key: [u8; 32], place: Index, letter in "[1-9A-HJ-NP-Za-km-z]") {
        let text = recovery_key::format(&secret(key)).expose().replace(' ', "");
        let mut slipped = text.clone();
        let place = place.index(text.len());
        slipped.replace_range(place..=place, &letter);
        // The checksum is one byte, so a slip may pass; then it must be another key.
        if slipped != text && let Ok(read) = recovery_key::parse(&slipped) {
            prop_assert!(!read.same_as(&secret(key)));
        }
    }

    #[test]
    fn base64_comes_back_in_every_spelling(
        bytes in bytes(),
        blanks in prop::collection::vec(any::<Index>(), 0..4),
        padded: bool,
        url_safe: bool,
    ) {
        let plain = base64::encode(&bytes);
        prop_assert_eq!(&vodozemac::base64_decode(&plain).unwrap(), &bytes);
        let mut text = plain.clone();
        if padded {
            text.push_str(&"=".repeat((4 - plain.len() % 4) % 4));
        }
        if url_safe {
            text = text.replace('+', "-").replace('/', "_");
        }
        for place in blanks {
            text.insert(place.index(text.len() + 1), '\n');
        }
        prop_assert_eq!(base64::decode(&text), Some(bytes));
    }

    #[test]
    fn base64_of_a_known_size_agrees_with_any_size(text in "[A-Za-z0-9+/_ =-]{42,46}") {
        let any_size = base64::decode(&text).filter(|bytes| bytes.len() == 32);
        prop_assert_eq!(base64::decode_exact::<32>(&text).map(Vec::from), any_size);
    }
}

// --- The lock of entries ---

/// The three parts of an entry, as bytes.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    ephemeral: Vec<u8>,
    ciphertext: Vec<u8>,
    mac: Vec<u8>,
}

impl Parts {
    fn from_message(message: &Message) -> Self {
        Self {
            ephemeral: message.ephemeral_key.to_vec(),
            ciphertext: message.ciphertext.clone(),
            mac: message.mac.clone(),
        }
    }

    fn sealed(plaintext: &[u8], public: PublicKey) -> Self {
        let sealed = seal(plaintext, public, &mut Counting(plaintext.len() as u8)).unwrap();
        let bytes = |text: &str| base64::decode(text).unwrap();
        Self {
            ephemeral: bytes(&sealed.ephemeral),
            ciphertext: bytes(&sealed.ciphertext),
            mac: bytes(&sealed.mac),
        }
    }

    fn open(&self, key: &DecryptionKey) -> Result<RoomKey, Refusal> {
        let [ephemeral, ciphertext, mac] =
            [&self.ephemeral, &self.ciphertext, &self.mac].map(|part| base64::encode(part));
        open(key, &ephemeral, &ciphertext, &mac)
    }

    fn open_by_vodozemac(&self, key: &[u8; 32]) -> Theirs {
        let Ok(ephemeral_key) = Curve25519PublicKey::from_slice(&self.ephemeral) else {
            return Theirs::Ephemeral;
        };
        let (ciphertext, mac) = (self.ciphertext.clone(), self.mac.clone());
        match vodozemac_key(key).decrypt(&Message { ciphertext, mac, ephemeral_key }) {
            Ok(plaintext) => Theirs::Opened(plaintext),
            Err(PkError::NonContributoryKey) => Theirs::Ephemeral,
            Err(PkError::Mac(_)) => Theirs::Mac,
            Err(PkError::InvalidPadding(_)) => Theirs::Padding,
        }
    }
}

/// What vodozemac makes of an entry.
#[derive(Debug, PartialEq)]
enum Theirs {
    Opened(Vec<u8>),
    Ephemeral,
    Mac,
    Padding,
}

fn vodozemac_key(key: &[u8; 32]) -> PkDecryption {
    PkDecryption::from_key(Curve25519SecretKey::from_slice(key))
}

fn open(
    key: &DecryptionKey,
    ephemeral: &str,
    ciphertext: &str,
    mac: &str,
) -> Result<RoomKey, Refusal> {
    let data = json!({"ephemeral": ephemeral, "ciphertext": ciphertext, "mac": mac});
    let json = json!({ "session_data": data }).to_string();
    let entry = RawEntry { room_id: ROOM, session_id: POINT, json: json.as_bytes(), fault: None };
    key.open(&entry, &mut Workroom::default())
}

fn plaintext(ratchet: &[u8]) -> String {
    let key = base64::encode(&exported(7, ratchet));
    format!(r#"{{"algorithm":"m.megolm.v1.aes-sha2","session_key":"{key}","note":"ü \u0041"}}"#)
}

/// One way to damage bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Shorten(Index),
    Lengthen(Vec<u8>),
    Replace(Vec<u8>),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip(place, bit) if !bytes.is_empty() => {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
            Self::Flip(..) => {}
            Self::Shorten(length) => bytes.truncate(length.index(bytes.len() + 1)),
            Self::Lengthen(more) => bytes.extend(more),
            Self::Replace(others) => bytes.clone_from(others),
        }
    }
}

/// Points of low order, and spellings of theirs: with them everybody could open the entry.
const WEAK: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

fn weak_keys() -> Vec<Vec<u8>> {
    let byte = |hex: &str, at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    WEAK.iter().map(|hex| (0..64).step_by(2).map(|at| byte(hex, at)).collect()).collect()
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 0_u8..8).prop_map(|(place, bit)| Damage::Flip(place, bit)),
        1 => any::<Index>().prop_map(Damage::Shorten),
        1 => prop::collection::vec(any::<u8>(), 1..33).prop_map(Damage::Lengthen),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Damage::Replace),
        1 => prop::sample::select(weak_keys()).prop_map(Damage::Replace),
    ]
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn what_we_seal_vodozemac_opens(key: [u8; 32], plaintext in bytes()) {
        let theirs = vodozemac_key(&key);
        let public = DecryptionKey::new(secret(key)).public_key();
        prop_assert_eq!(public.0, theirs.public_key().to_bytes());
        let opened = Parts::sealed(&plaintext, public).open_by_vodozemac(&key);
        prop_assert_eq!(opened, Theirs::Opened(plaintext));
    }

    #[test]
    fn what_we_seal_we_open(key: [u8; 32], ratchet in ratchet()) {
        let key = DecryptionKey::new(secret(key));
        let room_key = RoomKey::parse(plaintext(&ratchet).as_bytes(), ROOM, POINT).unwrap();
        let parts = Parts::sealed(room_key.to_plaintext().as_bytes(), key.public_key());
        let again = parts.open(&key).unwrap();
        prop_assert_eq!(again.to_plaintext(), room_key.to_plaintext());
        prop_assert_eq!(again.key.expose()[5..133].to_vec(), ratchet);
    }

    #[test]
    fn what_vodozemac_seals_we_open(key: [u8; 32], ratchet in ratchet()) {
        let theirs = PkEncryption::from_key(vodozemac_key(&key).public_key());
        let parts = Parts::from_message(&theirs.encrypt(plaintext(&ratchet).as_bytes()).unwrap());
        let opened = parts.open(&DecryptionKey::new(secret(key))).unwrap();
        prop_assert_eq!(opened.key.expose()[5..133].to_vec(), ratchet);
    }

    #[test]
    fn damaged_entries_are_judged_as_vodozemac_does(
        key: [u8; 32],
        ratchet in ratchet(),
        damages in prop::collection::vec((0_usize..3, damage()), 0..3),
    ) {
        let ours = DecryptionKey::new(secret(key));
        let mut parts = Parts::sealed(plaintext(&ratchet).as_bytes(), ours.public_key());
        for (part, damage) in &damages {
            damage.apply(match part {
                0 => &mut parts.ephemeral,
                1 => &mut parts.ciphertext,
                _ => &mut parts.mac,
            });
        }
        let theirs = parts.open_by_vodozemac(&key);
        match parts.open(&ours).map(|key| key.to_plaintext()) {
            // vodozemac takes any beginning of the tag, even one byte: we ask for all eight.
            Err(Refusal::Malformed(MalformedEntry::Tag)) => prop_assert_ne!(parts.mac.len(), 8),
            // Said before anything is opened; vodozemac finds it with the padding.
            Err(Refusal::Malformed(MalformedEntry::Blocks)) => {
                prop_assert!(parts.ciphertext.is_empty() || !parts.ciphertext.len().is_multiple_of(16));
                prop_assert!(!matches!(theirs, Theirs::Opened(_)));
            }
            Err(Refusal::Ephemeral) => prop_assert_eq!(theirs, Theirs::Ephemeral),
            Err(Refusal::Mac) => prop_assert_eq!(theirs, Theirs::Mac),
            Err(Refusal::Padding) => prop_assert_eq!(theirs, Theirs::Padding),
            opened => {
                let Theirs::Opened(plaintext) = theirs else {
                    return Err(TestCaseError::fail(format!("vodozemac says {theirs:?}")));
                };
                let parsed = RoomKey::parse(&plaintext, ROOM, POINT);
                let parsed = parsed.map(|key| key.to_plaintext()).map_err(Refusal::RoomKey);
                prop_assert_eq!(opened, parsed);
            }
        }
    }
}

#[test]
fn spellings_that_vodozemac_refuses_open_here() {
    let key = [7; 32];
    let ours = DecryptionKey::new(secret(key));
    let parts = Parts::sealed(plaintext(&[3; 128]).as_bytes(), ours.public_key());
    let [ephemeral, ciphertext, mac] =
        [&parts.ephemeral, &parts.ciphertext, &parts.mac].map(|part| base64::encode(part));
    let broken = format!("{}\r\n{}", &ciphertext[..76], &ciphertext[76..]);
    let url_safe = ciphertext.replace('+', "-").replace('/', "_");
    assert_ne!(url_safe, ciphertext);
    // The last letter of a tag carries two bits that mean nothing.
    let spare = format!("{}{}", &mac[..10], char::from(mac.as_bytes()[10] + 1));
    for (ciphertext, mac) in [(&broken, &mac), (&url_safe, &mac), (&ciphertext, &spare)] {
        assert!(Message::from_base64(ciphertext, mac, &ephemeral).is_err());
        assert!(open(&ours, &ephemeral, ciphertext, mac).is_ok(), "{mac}");
    }
}

#[test]
fn weak_keys_are_refused_on_both_sides() {
    let key = DecryptionKey::new(secret([7; 32]));
    for weak in weak_keys() {
        let public = PublicKey(weak.as_slice().try_into().unwrap());
        assert!(seal(b"{}", public, &mut Counting(1)).is_err(), "{weak:02x?}");
        let parts = Parts { ephemeral: weak, ciphertext: vec![0; 16], mac: vec![0; 8] };
        assert_eq!(parts.open(&key).map(|_| ()), Err(Refusal::Ephemeral), "{parts:02x?}");
    }
}

// --- Room keys ---

/// Members of a plaintext beside the key, as JSON text.
fn claim() -> impl Strategy<Value = (String, String)> {
    let known = ["sender_key", "sender_claimed_keys", "forwarding_curve25519_key_chain"];
    let ours = |name: &String| {
        !matches!(name.as_str(), "algorithm" | "session_key" | "session_id" | "room_id")
    };
    let name = prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        any::<String>().prop_filter("a name that is not read", ours),
        "[a-c]",
    ];
    let point = format!("\"{POINT}\"");
    let odd = [
        "[]",
        "[ ]",
        "{}",
        "null",
        "1.50",
        "1E5",
        "123456789012345678901",
        "\"\\u0041\"",
        "\"\"",
        "{\"ed25519\" : \"x\"}",
        "[{\"a\":[1, 2]}]",
    ];
    let value = prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        Just(format!("{{\"ed25519\":{point}}}")),
        Just(format!("{{\"ed25519\":{point},\"more\":{point}}}")),
        Just(format!("\"{POINT}=\"")),
        Just(point),
        any::<String>().prop_map(|text| json!(text).to_string()),
    ];
    (name, value)
}

/// The members of a JSON object, each as it is written.
fn members(json: &str) -> BTreeMap<String, String> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap();
    members.into_iter().map(|(name, raw)| (name, raw.to_string())).collect()
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn what_stands_beside_a_key_is_kept_word_for_word(
        claims in prop::collection::vec(claim(), 0..8),
        ratchet in ratchet(),
    ) {
        let key = base64::encode(&exported(0, &ratchet));
        let mut text = format!(r#"{{"algorithm":"m.megolm.v1.aes-sha2","session_key":"{key}""#);
        let mut expected = BTreeMap::from([
            ("algorithm".to_owned(), "\"m.megolm.v1.aes-sha2\"".to_owned()),
            ("session_key".to_owned(), format!("\"{key}\"")),
        ]);
        for (name, value) in claims {
            text.push_str(&format!(",{}:{value}", json!(name)));
            // Of duplicates the first one counts.
            expected.entry(name).or_insert(value);
        }
        text.push('}');
        for (name, empty) in [
            ("sender_key", "\"\""),
            ("sender_claimed_keys", "{}"),
            ("forwarding_curve25519_key_chain", "[]"),
        ] {
            expected.entry(name.to_owned()).or_insert(empty.to_owned());
        }
        let again = RoomKey::parse(text.as_bytes(), ROOM, POINT).unwrap().to_plaintext();
        prop_assert_eq!(&members(&again), &expected);
        // No name is written twice: strict readers refuse a whole file for one such key.
        let length: usize = expected
            .iter()
            .map(|(name, value)| json!(name).to_string().len() + value.len() + 2)
            .sum();
        prop_assert_eq!(again.len(), length + 1);
        let third = RoomKey::parse(again.as_bytes(), ROOM, POINT).unwrap().to_plaintext();
        prop_assert_eq!(members(&third), expected);
    }

    #[test]
    fn two_keys_stand_to_each_other_as_vodozemac_says(
        ratchets in [ratchet(), ratchet()],
        begin in 0_u32..70_000,
        steps in [0_u32..70_000, 0_u32..3],
        same: bool,
        damage in prop::option::of(5_usize..133),
    ) {
        let first = imported(&exported(begin, &ratchets[0])).export_at(begin + steps[0]).unwrap();
        let other = imported(&exported(begin, &ratchets[usize::from(!same)]))
            .export_at(begin + steps[1])
            .unwrap();
        let first = first.to_bytes();
        let mut other = other.to_bytes();
        if let Some(place) = damage {
            other[place] ^= 1;
        }
        let read = |bytes: &[u8]| SessionKey::from_bytes(bytes).unwrap();
        let mirrored = match read(&other).compare(&read(&first)) {
            Standing::Better => Standing::Worse,
            Standing::Worse => Standing::Better,
            equal_or_unconnected => equal_or_unconnected,
        };
        let standing = read(&first).compare(&read(&other));
        prop_assert_eq!(standing, mirrored);
        let theirs = match imported(&first).compare(&mut imported(&other)) {
            SessionOrdering::Equal => Standing::Equal,
            SessionOrdering::Better => Standing::Better,
            SessionOrdering::Worse => Standing::Worse,
            SessionOrdering::Unconnected => Standing::Unconnected,
        };
        prop_assert_eq!(standing, theirs);
        if same && damage.is_none() {
            prop_assert_ne!(standing, Standing::Unconnected);
        }
    }
}
