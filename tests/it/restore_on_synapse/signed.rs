//! Signatures of a backup, judged by what a real server shows of the account's keys.

use keyhaul::{base::base64, secret_storage::secret::MASTER_SECRET};
use reqwest::Method;
use serde_json::{Value, json};
use vodozemac::Ed25519SecretKey;

use super::{case::Case, computer::Computer, fixture, text};
use crate::synapse::{Account, synapse};

const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

/// The account's own key, which lies in the fixture's secret storage.
fn master_of(fixture: &Value) -> Ed25519SecretKey {
    use keyhaul::secret_storage::secret::StoredSecret;
    let stored = fixture["account_data"][MASTER_SECRET].to_string();
    let stored = StoredSecret::parse(MASTER_SECRET, &stored).unwrap();
    let key = base64::decode(text(fixture, "ss_key_base64")).unwrap();
    let seed = stored.open_key(text(fixture, "ss_key_id"), &key).unwrap();
    Ed25519SecretKey::from_slice(seed.expose())
}

/// Publishes a master key; a server asks for nothing more the first time.
async fn publish(account: &Account, master: &Ed25519SecretKey) {
    let key = master.public_key().to_base64();
    let body = json!({"master_key": {
        "user_id": account.user_id,
        "usage": ["master"],
        "keys": {format!("ed25519:{key}"): key},
    }});
    let path = "/_matrix/client/v3/keys/device_signing/upload";
    let (status, answer) = account.request(Method::POST, path, Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
}

/// Publishes the keys of the account's device.
async fn publish_device(account: &Account, device: &Ed25519SecretKey) {
    let id = &account.device_id;
    let body = json!({"device_keys": {
        "user_id": account.user_id,
        "device_id": id,
        "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {format!("ed25519:{id}"): device.public_key().to_base64()},
        "signatures": {},
    }});
    let path = "/_matrix/client/v3/keys/upload";
    let (status, answer) = account.request(Method::POST, path, Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
}

/// Makes a version that is signed by these keys under these ids.
async fn sign_version(account: &Account, public_key: &str, signers: &[(String, Vec<u8>)]) {
    let signed: serde_json::Map<String, Value> = signers
        .iter()
        .map(|(id, signature)| (id.clone(), base64::encode(signature).into()))
        .collect();
    let auth_data = json!({"public_key": public_key, "signatures": {&account.user_id: signed}});
    account.create_version(ALGORITHM, &auth_data).await;
}

fn signature(key: &Ed25519SecretKey, public_key: &str) -> Vec<u8> {
    let signed = json!({"public_key": public_key}).to_string();
    key.sign(signed.as_bytes()).to_bytes().to_vec()
}

/// What `backups` tells of each signature of the current version.
fn told(document: &Value) -> Vec<(String, String, Value, Value)> {
    let signatures = document["versions"][0]["signatures"].as_array().unwrap();
    let mut told: Vec<_> = signatures
        .iter()
        .map(|one| {
            let [key_id, signer] = [text(one, "key_id"), text(one, "signer")].map(str::to_owned);
            (key_id, signer, one["valid"].clone(), one["name"].clone())
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

#[tokio::test]
async fn each_signer_is_named_and_judged() {
    let Some(synapse) = synapse() else { return };
    let fixture = fixture();
    let account = synapse.register("signer", "a password of the tests").await;
    let (master, device) = (Ed25519SecretKey::from_slice(&[1; 32]), [2_u8; 32]);
    let device = Ed25519SecretKey::from_slice(&device);
    publish(&account, &master).await;
    publish_device(&account, &device).await;
    let public_key = text(&fixture["version_response"]["auth_data"], "public_key");
    let master_id = format!("ed25519:{}", master.public_key().to_base64());
    let device_id = format!("ed25519:{}", account.device_id);
    let stranger = Ed25519SecretKey::from_slice(&[3; 32]);
    let stranger_id = format!("ed25519:{}", stranger.public_key().to_base64());
    let look =
        || Computer::new().keyhaul(&["backups"]).token_of(&account, synapse.base_url()).succeeds();

    let right = |key| signature(key, public_key);
    let signers = [
        (master_id.clone(), right(&master)),
        (device_id.clone(), right(&device)),
        (stranger_id.clone(), right(&stranger)),
    ];
    sign_version(&account, public_key, &signers).await;
    let mut expected = vec![
        (master_id.clone(), "master".to_owned(), json!(true), Value::Null),
        (device_id.clone(), "device".to_owned(), json!(true), Value::Null),
        (stranger_id.clone(), "unknown".to_owned(), Value::Null, Value::Null),
    ];
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let found = look();
    assert_eq!(told(&found), expected);
    assert_eq!(found["account_key_proven"], Value::Null, "nothing was opened");

    // Signatures of other keys under the same ids.
    let wrong = [(master_id, right(&stranger)), (device_id, right(&master))];
    sign_version(&account, public_key, &wrong).await;
    let judged: Vec<Value> = told(&look()).into_iter().map(|(_, _, valid, _)| valid).collect();
    assert_eq!(judged, [json!(false), json!(false)]);
}

#[tokio::test]
async fn recovery_key_proves_the_account_key() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let account = &case.there.account;
    let master = master_of(&case.fixture);
    let auth_data = &case.fixture["version_response"]["auth_data"];
    let master_id = format!("ed25519:{}", master.public_key().to_base64());
    // The fixture's own signature, made by a real client, under the account that has its keys.
    let user = text(&case.fixture, "user_id");
    let real = base64::decode(text(&auth_data["signatures"][user], &master_id)).unwrap();
    sign_version(account, text(auth_data, "public_key"), &[(master_id.clone(), real)]).await;
    let look = || case.computer.keyhaul(&["backups"]).token_of(account, case.server);
    assert_eq!(told(&look().succeeds())[0].1, "unknown", "no key is published yet");

    publish(account, &master).await;
    let opened = look().secret(case.paper()).succeeds();
    let expected = vec![(master_id, "master".to_owned(), json!(true), Value::Null)];
    assert_eq!((told(&opened), &opened["account_key_proven"]), (expected, &json!(true)));
}

#[tokio::test]
async fn account_key_that_the_server_exchanged_is_told() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    publish(&case.there.account, &Ed25519SecretKey::from_slice(&[9; 32])).await;
    let call = case.computer.keyhaul(&["backups"]).token_of(&case.there.account, case.server);
    assert_eq!(call.secret(case.paper()).succeeds()["account_key_proven"], json!(false));
}
