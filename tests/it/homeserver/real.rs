//! The same against a real Synapse, so that the other tests' servers cannot lie.

use keyhaul::base::{cancel::Cancel, limits, secret::SecretText, shown::Shown};
use keyhaul::homeserver::room_keys::{self, Part, Search};
use keyhaul::homeserver::rooms::Said;
use keyhaul::homeserver::sign_in::{password, token};
use keyhaul::homeserver::{OwnSession, RequestError, Settings};
use keyhaul::homeserver::{account_data, discovery, rooms, sign_out};
use serde_json::{Value, json};

use crate::synapse::{Account, Synapse, synapse};

const BACKUP: &str = include_str!("../../fixtures/backup-modern.json");

async fn sign_in(synapse: &Synapse, account: &Account) -> OwnSession {
    let cancel = Cancel::default();
    let client = discovery::find(synapse.base_url(), &Settings::default(), &cancel).await.unwrap();
    let secret = SecretText::new(account.password.clone());
    password::sign_in(&client, &account.user_id, &secret, None, &cancel).await.unwrap()
}

#[tokio::test]
async fn a_backup_is_read_as_it_was_written() {
    let Some(synapse) = synapse() else { return };
    let fixture: Value = serde_json::from_str(BACKUP).unwrap();
    let there = synapse.account_of_fixture(&fixture).await;
    let own = sign_in(synapse, &there.account).await;
    let (session, cancel) = (own.session(), Cancel::default());

    let current = room_keys::current(session, &cancel).await.unwrap().unwrap();
    assert_eq!(current.version, there.version);
    assert!(current.public_key().is_ok());

    let mut stream =
        room_keys::keys(session, &there.version, Part::Whole, limits::KEYS_BODY, &cancel)
            .await
            .unwrap();
    let mut body = Vec::new();
    while let Some(piece) = stream.next().await.unwrap() {
        body.extend_from_slice(&piece);
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, fixture["keys_response"]);

    let (room, held) = body["rooms"].as_object().unwrap().iter().next().unwrap();
    let (id, entry) = held["sessions"].as_object().unwrap().iter().next().unwrap();
    for (part, expected) in [(Part::Room(room), held), (Part::Session { room, session: id }, entry)]
    {
        let mut stream =
            room_keys::keys(session, &there.version, part, 1 << 20, &cancel).await.unwrap();
        let piece = stream.next().await.unwrap().unwrap();
        assert_eq!(&serde_json::from_slice::<Value>(&piece).unwrap(), expected);
    }

    for (kind, content) in fixture["account_data"].as_object().unwrap() {
        let data = account_data::get(session, kind, &cancel).await.unwrap();
        let data = data.map_or(json!({}), |data| serde_json::from_str(data.get()).unwrap());
        assert_eq!(&data, content, "{kind}");
    }
    sign_out(&own, &cancel).await.unwrap();
}

#[tokio::test]
async fn older_versions_and_rooms_are_found() {
    let Some(synapse) = synapse() else { return };
    let account = synapse.register("versions", "a password of the tests").await;
    for _ in 0..4 {
        account.create_version("m.megolm_backup.v1.curve25519-aes-sha2", &json!({"a": 1})).await;
    }
    account.delete_version("2").await;
    let room = account.create_room("The garden").await;
    account.put_account_data("emptied", &json!({})).await;

    let own = sign_in(synapse, &account).await;
    let (session, cancel) = (own.session(), Cancel::default());
    let found = room_keys::all_versions(session, &mut |_| {}, &cancel).await.unwrap();
    let older: Vec<_> = found.older.iter().map(|version| version.version.as_str()).collect();
    assert_eq!((found.current.unwrap().version.as_str(), older), ("4", vec!["3", "1"]));
    assert!(matches!(found.search, Search::Whole), "{:?}", found.search);

    assert_eq!(rooms::joined(session, &cancel).await.unwrap(), [room.as_str()]);
    let name = rooms::name(session, &room, &cancel).await.unwrap();
    assert_eq!(name, Said::That(Shown::new("The garden")));
    assert_eq!(rooms::name(session, "!nowhere:x", &cancel).await.unwrap(), Said::Refused);
    assert!(account_data::get(session, "emptied", &cancel).await.unwrap().is_none());
    assert!(account_data::get(session, "never.set", &cancel).await.unwrap().is_none());
}

#[tokio::test]
async fn our_session_ends_and_a_borrowed_one_stays() {
    let Some(synapse) = synapse() else { return };
    let account = synapse.register("sessions", "a password of the tests").await;
    let cancel = Cancel::default();
    let own = sign_in(synapse, &account).await;
    let client = own.session().client().clone();
    let devices = account.get("/_matrix/client/v3/devices").await;
    let names: Vec<_> = devices["devices"].as_array().unwrap().iter().collect();
    assert!(names.iter().any(|device| device["display_name"] == password::DEVICE_NAME));

    sign_out(&own, &cancel).await.unwrap();
    let gone = room_keys::current(own.session(), &cancel).await;
    assert!(matches!(gone, Err(RequestError::TokenUnknown { soft_logout: false })), "{gone:?}");
    sign_out(&own, &cancel).await.unwrap();

    let secret = SecretText::new(account.access_token.clone());
    let borrowed = token::sign_in(&client, secret, &cancel).await.unwrap();
    assert_eq!(borrowed.user().as_str(), account.user_id);
    assert_eq!(borrowed.device().unwrap().as_str(), account.device_id);
    assert!(room_keys::current(&borrowed, &cancel).await.unwrap().is_none());

    let wrong = SecretText::new("another password".to_owned());
    let refused = password::sign_in(&client, &account.user_id, &wrong, None, &cancel).await;
    assert!(matches!(refused, Err(password::PasswordError::Wrong { .. })), "{refused:?}");
}
