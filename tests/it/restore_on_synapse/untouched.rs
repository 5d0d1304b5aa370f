//! What stays as it was: everything on the server, other apps' sessions, and the account's devices.

use reqwest::Method;
use serde_json::{Value, json};

use super::{case::Case, computer::Call, text};
use crate::synapse::{Account, FixtureAccount, synapse};

/// Loopback only: nothing listens on the discard port.
const DEAD: &str = "http://127.0.0.1:9";
const SESSION: &str = "session.json";

impl Case {
    fn call(&self, arguments: &[&str]) -> Call<'_> {
        self.computer.keyhaul(arguments).secret(text(&self.fixture, "recovery_key"))
    }

    fn by_password(&self, arguments: &[&str]) -> Call<'_> {
        self.call(arguments).password_of(&self.there.account, self.server)
    }

    /// All that the server tells of the backup, the account data and the devices.
    async fn on_server(&self) -> Value {
        let FixtureAccount { account, version } = &self.there;
        let v3 = "/_matrix/client/v3";
        let mut account_data = serde_json::Map::new();
        for kind in self.fixture["account_data"].as_object().unwrap().keys() {
            let path = format!("{v3}/user/{}/account_data/{kind}", account.user_id);
            account_data.insert(kind.clone(), account.get(&path).await);
        }
        json!({
            "current": account.get(&format!("{v3}/room_keys/version")).await,
            "keys": account.get(&format!("{v3}/room_keys/keys?version={version}")).await,
            "account_data": account_data,
            "devices": devices(account).await,
        })
    }
}

async fn devices(account: &Account) -> Vec<String> {
    let answer = account.get("/_matrix/client/v3/devices").await;
    let devices = answer["devices"].as_array().unwrap().iter();
    devices.map(|device| text(device, "device_id").to_owned()).collect()
}

#[tokio::test]
async fn nothing_is_written_and_no_device_is_left() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let before = case.on_server().await;
    assert_eq!(before["devices"], json!([case.there.account.device_id]));

    let snapshot = case.computer.file("backup.keyhaul");
    let room = text(&case.fixture["rooms"][0], "room_id");
    for arguments in [
        &["backups"][..],
        &["rooms"],
        &["sessions", room],
        &["unlock"],
        &["restore", "--dry-run"],
        &["restore"],
        &["restore", "--room", room],
        &["restore", "--backup-version", "all"],
        &["snapshot", "save", snapshot.to_str().unwrap()],
    ] {
        case.by_password(arguments).succeeds();
        assert_eq!(devices(&case.there.account).await, [case.there.account.device_id.as_str()]);
    }
    // A visit that fails leaves no device either.
    case.by_password(&["rooms", "--backup-version", "77"]).done().fails(11, "backup-gone-for-good");
    assert_eq!(case.on_server().await, before);
}

#[tokio::test]
async fn a_borrowed_session_goes_on() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let before = case.on_server().await;
    for arguments in [&["restore"][..], &["unlock"], &["restore", "--keep-signed-in"]] {
        case.call(arguments).token_of(&case.there.account, case.server).succeeds();
        assert_eq!(case.on_server().await, before);
    }
    let kept = case.computer.files();
    assert!(kept.keys().all(|path| !path.ends_with(SESSION)), "the token is not ours to keep");
    let sign_out = case.computer.keyhaul(&["sign-out"]).done();
    sign_out.fails(2, "sign-in-missing");
    assert_eq!(case.on_server().await, before);
}

#[tokio::test]
async fn a_kept_session_works_until_it_is_signed_out() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let account = &case.there.account;
    case.by_password(&["backups", "--keep-signed-in"]).succeeds();
    let with_keyhaul = devices(account).await;
    assert_eq!(with_keyhaul.len(), 2);

    let files = case.computer.files();
    let (path, (mode, _)) = files.iter().find(|(path, _)| path.ends_with(SESSION)).unwrap();
    assert_eq!(*mode, 0o600);
    let session: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(with_keyhaul.contains(&text(&session, "device_id").to_owned()));

    // Neither password nor server is given any more.
    let restored = case.call(&["restore"]).succeeds();
    assert_eq!(restored["runs"][0]["new"], 8);
    case.call(&["restore"]).arguments(&["--user", &account.user_id]).succeeds();
    assert_eq!(devices(account).await, with_keyhaul);

    let token = text(&session, "access_token");
    let whoami = |status| async move {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/_matrix/client/v3/account/whoami", case.server);
        let request = client.request(Method::GET, url).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), status);
    };
    whoami(200).await;
    let signed_out = case.computer.keyhaul(&["sign-out"]).succeeds();
    assert_eq!(signed_out["signed_out"], account.user_id);
    whoami(401).await;
    assert!(!path.exists());
    assert_eq!(devices(account).await, [account.device_id.as_str()]);
    case.call(&["restore"]).done().fails(2, "sign-in-missing");
}

#[tokio::test]
async fn keeping_twice_leaves_one_device() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let account = &case.there.account;
    case.by_password(&["backups", "--keep-signed-in"]).succeeds();
    let first = devices(account).await;
    case.call(&["backups", "--keep-signed-in"]).succeeds();
    assert_eq!(devices(account).await, first);

    case.by_password(&["backups", "--keep-signed-in"]).succeeds();
    let second = devices(account).await;
    assert_eq!((first.len(), second.len()), (2, 2));
    assert_ne!(first, second);
    case.call(&["backups"]).succeeds();
    case.computer.keyhaul(&["sign-out"]).succeeds();
    assert_eq!(devices(account).await, [account.device_id.as_str()]);
}

#[tokio::test]
async fn loopback_needs_no_proxy() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let mut call = case.by_password(&["restore"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        call = call.environment(name, DEAD).environment(&name.to_lowercase(), DEAD);
    }
    assert_eq!(call.succeeds()["runs"][0]["new"], 8);
}
