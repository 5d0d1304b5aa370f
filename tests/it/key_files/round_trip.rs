//! Whatever a key and its claims are, what goes into a file comes out of it, in JSON that no reader
//! stumbles over.

use std::collections::BTreeSet;

use keyhaul::{key_file::portable::Portable, megolm::room_key::RoomKey};
use proptest::{collection::vec, prelude::*};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, json};
use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};

use super::{locked, sessions};
use crate::chance::cases;

/// Names of an object's members, none twice.
struct Names(BTreeSet<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = BTreeSet<String>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object without a name twice")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut names = BTreeSet::new();
                while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                    if !names.insert(name.to_lowercase()) {
                        return Err(serde::de::Error::custom(format!("{name} stands twice")));
                    }
                }
                Ok(names)
            }
        }
        deserializer.deserialize_map(Once).map(Names)
    }
}

#[test]
fn name_that_stands_twice_is_found() {
    assert!(serde_json::from_str::<Names>(r#"{"a":1,"A":2}"#).is_err());
    assert_eq!(serde_json::from_str::<Names>(r#"{"a":1,"b":2}"#).unwrap().0.len(), 2);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![usual_name(), ".{0,12}"]
}

fn usual_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("sender_key"),
        Just("Sender_Key"),
        Just("sender_claimed_keys"),
        Just("forwarding_curve25519_key_chain"),
        Just("shared_history"),
        Just("m.shared_history"),
        Just("org.matrix.msc3061.shared_history"),
        Just("untrusted"),
    ]
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("1e400".to_owned()),
        Just("[[[[[[1]]]]]]".to_owned()),
        Just(r#"{"ed25519":"Bhbpt6hqMZlSH4sJV7xiEEEiPVeTWz4Vkujl1EMdIPI"}"#.to_owned()),
        Just(r#"["WimPd2udAU/1S/+YBpPbmr9L+0H5H+BnAVHSwDxlPGc"]"#.to_owned()),
        ".{0,40}".prop_map(|text| Value::from(text).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
    ]
}

fn room_key(claims: &[(String, String)], room_id: &str) -> RoomKey {
    let session = GroupSession::new(SessionConfig::version_1());
    let key = InboundGroupSession::new(&session.session_key(), SessionConfig::version_1());
    let export = key.export_at_first_known_index().to_base64();
    let mut json = format!(
        r#"{{"algorithm":"m.megolm.v1.aes-sha2","sender_key":"WimPd2udAU/1S/+YBpPbmr9L+0H5H+BnAVHSwDxlPGc","room_id":{},"session_key":"{export}""#,
        json!(room_id)
    );
    for (name, value) in claims {
        json.push_str(&format!(",{}:{value}", json!(name)));
    }
    json.push('}');
    RoomKey::parse_exported(json.as_bytes()).unwrap()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_written_is_read(
        claims in vec((name(), value()), 0..6),
        room in "[^\u{0}]{0,60}",
    ) {
        let own = ["algorithm", "room_id", "session_id", "session_key", "sender_key"];
        let claims: Vec<_> =
            claims.into_iter().filter(|(name, _)| !own.contains(&name.as_str())).collect();
        let room_id = format!("!{room}x");
        let key = room_key(&claims, &room_id);
        let portable = Portable::of(&key).unwrap();
        let names = serde_json::from_str::<Names>(&portable.json);
        prop_assert!(names.is_ok(), "{:?}", names.err());
        let value: Value = serde_json::from_str(&portable.json).unwrap();
        prop_assert_eq!(value["session_key"].as_str().map(str::len), Some(220));
        prop_assert_eq!(value["sender_key"].as_str().map(str::len), Some(43));
        for name in ["shared_history", "m.shared_history"] {
            prop_assert!(value.get(name).is_none());
        }

        let file = locked(&portable.json, "passphrase");
        let read = sessions(&file, "passphrase").unwrap().pop().unwrap().unwrap();
        prop_assert!(read.key.expose() == key.key.expose());
        prop_assert_eq!(&read.room_id, &room_id);
        // Once cleaned, nothing more is left behind.
        let again = Portable::of(&read).unwrap();
        prop_assert_eq!(again.json.as_str(), portable.json.as_str());
        prop_assert!(again.dropped.is_empty());
    }
}
