//! Does the harness itself keep its promises?

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write, stdin, stdout};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

use super::synapse;

#[tokio::test]
async fn a_real_synapse_answers() {
    let Some(synapse) = synapse() else { return };
    let (status, versions) = synapse.request(Method::GET, "/_matrix/client/versions", None).await;
    assert_eq!(status, 200);
    assert!(versions["versions"].as_array().unwrap().contains(&json!("v1.11")));

    let (status, found) = synapse.request(Method::GET, "/.well-known/matrix/client", None).await;
    assert_eq!(status, 200);
    assert_eq!(found["m.homeserver"]["base_url"], format!("{}/", synapse.base_url()));
}

#[tokio::test]
async fn a_fixture_reads_back_as_it_was() {
    let Some(synapse) = synapse() else { return };
    let text = include_str!("../../fixtures/backup-modern.json");
    let fixture: Value = serde_json::from_str(text).unwrap();
    let made = synapse.account_of_fixture(&fixture).await;

    let keys = made
        .account
        .get(&format!("/_matrix/client/v3/room_keys/keys?version={}", made.version))
        .await;
    assert_eq!(keys, fixture["keys_response"]);

    let version = made.account.get("/_matrix/client/v3/room_keys/version").await;
    assert_eq!(version["version"], made.version);
    for unchanged in ["algorithm", "auth_data", "count"] {
        assert_eq!(version[unchanged], fixture["version_response"][unchanged]);
    }
    for (kind, content) in fixture["account_data"].as_object().unwrap() {
        let path = format!("/_matrix/client/v3/user/{}/account_data/{kind}", made.account.user_id);
        assert_eq!(made.account.get(&path).await, *content);
    }
}

#[tokio::test]
async fn an_account_lives_and_ends() {
    let Some(synapse) = synapse() else { return };
    let alice = synapse.register("alice", "wonderland").await;
    let other = synapse.register("alice", "wonderland").await;
    assert_ne!(alice.user_id, other.user_id);

    let who = alice.get("/_matrix/client/v3/account/whoami").await;
    assert_eq!(who["user_id"], alice.user_id);
    assert_eq!(who["device_id"], alice.device_id);

    let room = alice.create_room("Tea party").await;
    let joined = alice.get("/_matrix/client/v3/joined_rooms").await;
    assert_eq!(joined["joined_rooms"], json!([room]));

    let version = alice.create_version("org.example.none", &json!({})).await;
    alice.delete_version(&version).await;
    let path = "/_matrix/client/v3/room_keys/version";
    let (status, gone) = alice.request(Method::GET, path, None).await;
    assert_eq!((status, &gone["errcode"]), (404, &json!("M_NOT_FOUND")));

    alice.logout().await;
    let (status, refused) = alice.request(Method::GET, path, None).await;
    assert_eq!((status, &refused["errcode"]), (401, &json!("M_UNKNOWN_TOKEN")));

    let again = json!({
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": alice.user_id},
        "password": alice.password,
    });
    let path = "/_matrix/client/v3/login";
    let (status, answer) = synapse.request(Method::POST, path, Some(&again)).await;
    assert_eq!((status, &answer["user_id"]), (200, &json!(alice.user_id)));
}

/// Set for the second process of the test below: it holds a server until it is killed.
const HOLDER: &str = "KEYHAUL_TEST_HOLDS_A_SYNAPSE";
const HOLDING: &str = "HOLDING ";

#[test]
fn nothing_is_left_when_the_test_process_is_killed() {
    let Some(synapse) = synapse() else { return };
    if std::env::var_os(HOLDER).is_some() {
        let held = json!([synapse.base_url(), synapse.pids, synapse.directory]);
        writeln!(stdout(), "\n{HOLDING}{held}").unwrap();
        // Closed at the latest when the first process ends.
        stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }

    let (_, here) = module_path!().split_once("::").unwrap();
    let this_test = format!("{here}::nothing_is_left_when_the_test_process_is_killed");
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &this_test])
        .env(HOLDER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let held = BufReader::new(holder.stdout.take().unwrap())
        .lines()
        .find_map(|line| line.unwrap().strip_prefix(HOLDING).map(str::to_owned))
        .expect("the second process has a server");
    let (base_url, pids, directory): (String, Vec<i32>, String) =
        serde_json::from_str(&held).unwrap();
    let address = base_url.strip_prefix("http://").unwrap();
    assert_ne!(base_url, synapse.base_url());
    assert!(!refuses(address));
    assert!(pids.len() == 2 && pids.iter().all(|pid| runs(*pid)));
    assert!(Path::new(&directory).is_dir());

    // SIGKILL: the process gets no chance to tidy up.
    holder.kill().unwrap();
    holder.wait().unwrap();

    soon("the port refuses", || refuses(address));
    soon("the processes are gone", || !pids.iter().any(|pid| runs(*pid)));
    soon("the directory is gone", || !Path::new(&directory).exists());
}

fn refuses(address: &str) -> bool {
    TcpStream::connect(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// A process that has ended may stay in the table until somebody asks how.
fn runs(pid: i32) -> bool {
    let ended = fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().unwrap().starts_with(" Z"));
    !ended && test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

/// Nothing can be waited for here: the processes are not this one's children.
fn soon(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
