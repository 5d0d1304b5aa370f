//! A real Synapse for the tests: one per test process, started when a test
//! first asks for it, gone when the process is gone.

mod account;
mod environment;
mod tests;

use std::io::{BufRead, BufReader, Write, stderr};
use std::panic::Location;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

pub(crate) use account::{Account, FixtureAccount};

/// Set to `1` where no Python can be had: tests that need Synapse are then left out.
pub(super) const WITHOUT: &str = "KEYHAUL_TESTS_WITHOUT_SYNAPSE";

/// A running homeserver named `harness.test`, listening on loopback only.
pub(crate) struct Synapse {
    base_url: String,
    /// The process that watches over Synapse, and Synapse.
    pids: Vec<i32>,
    /// Database, configuration and log.
    directory: String,
    client: reqwest::Client,
    /// Holds the pipe whose closing ends the server. Nobody closes it: the
    /// kernel does when this process ends, in whatever way.
    _lifeline: Child,
}

/// The server that all tests of this process share, so each test registers
/// accounts of its own. `None` means that the test has to return: the run was
/// asked to do without Synapse, and standard error has been told.
#[track_caller]
pub(crate) fn synapse() -> Option<&'static Synapse> {
    // A failure is kept too: trying again in each test would take each test's time.
    static SHARED: OnceLock<Result<Synapse, String>> = OnceLock::new();
    if std::env::var_os(WITHOUT).is_some_and(|set| set == "1") {
        let test = Location::caller();
        // Written past `eprintln!`, which the test runner swallows when a test passes.
        writeln!(stderr(), "LEFT OUT: {test} needs Synapse ({WITHOUT}=1)").unwrap();
        return None;
    }
    match SHARED.get_or_init(|| Synapse::start(&[])) {
        Ok(shared) => Some(shared),
        Err(why) => panic!("{why}"),
    }
}

/// Another one, that limits signing in by address and account as Synapse does unless told otherwise,
/// and ends tokens that can be refreshed after two seconds. It takes `X-Forwarded-For` for the address.
/// `None` means that the test has to return, as with [`synapse`].
#[track_caller]
pub(crate) fn limiting() -> Option<&'static Synapse> {
    static SHARED: OnceLock<Result<Synapse, String>> = OnceLock::new();
    if std::env::var_os(WITHOUT).is_some_and(|set| set == "1") {
        let test = Location::caller();
        writeln!(stderr(), "LEFT OUT: {test} needs Synapse ({WITHOUT}=1)").unwrap();
        return None;
    }
    match SHARED.get_or_init(|| Synapse::start(&["limiting"])) {
        Ok(shared) => Some(shared),
        Err(why) => panic!("{why}"),
    }
}

/// The Python with Synapse's packages, for tests that need another implementation of something.
/// `None` means that the test has to return, as with [`synapse`].
#[track_caller]
pub(crate) fn python() -> Option<PathBuf> {
    if std::env::var_os(WITHOUT).is_some_and(|set| set == "1") {
        let test = Location::caller();
        writeln!(stderr(), "LEFT OUT: {test} needs Python packages ({WITHOUT}=1)").unwrap();
        return None;
    }
    Some(environment::python().unwrap_or_else(|why| panic!("{why}")))
}

impl Synapse {
    fn start(arguments: &[&str]) -> Result<Self, String> {
        let mut parent = Command::new(environment::python()?)
            // Isolated: no packages of the user, no PYTHONPATH.
            .arg("-I")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/synapse/parent.py"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        if said["base_url"].is_null() {
            // Closes standard input first, at which it tidies up and ends.
            parent.wait().unwrap();
            let error = said["error"].as_str();
            return Err(error.unwrap_or("parent.py ended too early").to_owned());
        }
        Ok(Self {
            base_url: said["base_url"].as_str().unwrap().to_owned(),
            pids: serde_json::from_value(said["pids"].clone()).unwrap(),
            directory: said["directory"].as_str().unwrap().to_owned(),
            client: reqwest::Client::builder()
                .no_proxy()
                // Each test has a runtime of its own; a connection kept from
                // another test's runtime would be dead.
                .pool_max_idle_per_host(0)
                .timeout(Duration::from_secs(300))
                .build()
                .unwrap(),
            _lifeline: parent,
        })
    }

    /// Scheme, address and port, without a slash at the end.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Any request without a token; see [`Account::request`].
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        account::send(&self.client, &self.base_url, None, method, path, body).await
    }

    /// Makes a new account, logged in. A number is added to `localpart`, so that
    /// tests may use the same one; [`Account::user_id`] has the whole.
    pub(crate) async fn register(&self, localpart: &str, password: &str) -> Account {
        static REGISTERED: AtomicU64 = AtomicU64::new(1);
        let number = REGISTERED.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "username": format!("{localpart}-{number}"),
            "password": password,
            "auth": {"type": "m.login.dummy"},
        });
        let path = "/_matrix/client/v3/register";
        let (status, answer) = self.request(Method::POST, path, Some(&body)).await;
        assert_eq!(status, 200, "register: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Account {
            user_id: text("user_id"),
            access_token: text("access_token"),
            device_id: text("device_id"),
            password: password.to_owned(),
            base_url: self.base_url.clone(),
            client: self.client.clone(),
        }
    }

    /// A fresh account with all that a file of `tests/fixtures` (`backup-*.json`)
    /// has on the server: account data, one backup version, its keys. The
    /// user id is another than the fixture's, so signatures in `auth_data` are
    /// those of a stranger.
    pub(crate) async fn account_of_fixture(&self, fixture: &Value) -> FixtureAccount {
        let user_id = fixture["user_id"].as_str().unwrap();
        let localpart = user_id[1..].split(':').next().unwrap();
        let account = self.register(localpart, "a password of the tests").await;
        // Accounts of before 2020 have no secret storage.
        for (kind, content) in fixture["account_data"].as_object().into_iter().flatten() {
            account.put_account_data(kind, content).await;
        }
        let described = &fixture["version_response"];
        let algorithm = described["algorithm"].as_str().unwrap();
        let version = account.create_version(algorithm, &described["auth_data"]).await;
        account.put_keys(&version, &fixture["keys_response"]).await;
        FixtureAccount { account, version }
    }
}
