//! Writing to backups, held against recordings of Synapse 1.163.

use keyhaul::demo::{
    account::Account,
    kinds::Kind,
    replacement::{Rule, Told},
    setting::Setting,
};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    account,
    serving::{Lab, answer},
};

const ROOM_KEYS: &str = "/_matrix/client/v3/room_keys";

/// A person who never had a backup.
pub(super) fn nothing_backed_up() -> Account {
    Account { versions: Default::default(), ..account().clone() }
}

/// A server with nobody's backup, and somebody who is signed in.
pub(super) struct Writer {
    pub(super) lab: Lab,
    token: String,
}

impl Writer {
    pub(super) async fn new(setting: Setting) -> Self {
        let lab = Lab::with(nothing_backed_up(), setting).await;
        let token = lab.token().await;
        Self { lab, token }
    }

    pub(super) async fn of(kind: Kind) -> Self {
        Self::new(Setting { kind, ..Setting::default() }).await
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.lab.request(method, path).bearer_auth(&self.token)
    }

    /// Asks for something below `/room_keys`; without a body if that is null.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method, &format!("{ROOM_KEYS}{path}"));
        answer(if body.is_null() { request } else { request.body(body.to_string()) }).await
    }

    /// Makes a version and gives its number.
    pub(super) async fn version(&self) -> String {
        let body = json!({ "algorithm": "a", "auth_data": { "public_key": "p" } });
        let (status, answer) = self.ask(Method::POST, "/version", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["version"].as_str().unwrap().to_owned()
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, &Value::Null).await
    }
}

#[derive(Deserialize)]
struct Exchange {
    label: String,
    method: String,
    path: String,
    query: String,
    body: Option<String>,
    status: u16,
    answer: Option<Value>,
}

fn recorded(json: &str) -> Vec<Exchange> {
    serde_json::from_str(json).unwrap()
}

/// Asks what was asked of Synapse; what Synapse did not answer is no answer.
async fn replay(writer: &Writer, exchange: &Exchange) {
    let Exchange { label, method, path, query, body, status, answer } = exchange;
    let request = writer.request(method.parse().unwrap(), &format!("{path}{query}"));
    let got = request.body(body.clone().unwrap_or_default()).send().await.unwrap();
    assert_eq!(got.status().as_u16(), *status, "{label}");
    let got = got.text().await.unwrap();
    match answer {
        Some(answer) => {
            assert_eq!(serde_json::from_str::<Value>(&got).unwrap(), *answer, "{label}")
        }
        None => assert_eq!(got, "", "{label}"),
    }
}

#[tokio::test]
async fn versions_come_and_go_as_recorded() {
    let exchanges = recorded(include_str!("../../fixtures/recordings/versions_lifecycle.json"));
    let writer = Writer::of(Kind::Synapse).await;
    let own = exchanges.iter().filter(|exchange| !exchange.label.starts_with("another user"));
    let mut writes = 0;
    for exchange in own {
        replay(&writer, exchange).await;
        writes += u64::from(exchange.method != "GET");
        assert_eq!(writer.lab.server.writes(), writes, "{}", exchange.label);
    }
    assert!(writes > 20);
}

#[tokio::test]
async fn keys_come_and_go_as_recorded() {
    let exchanges = recorded(include_str!("../../fixtures/recordings/keys.json"));
    let writer = Writer::of(Kind::Synapse).await;
    assert_eq!(writer.version().await, "1");
    let described = exchanges.iter().find(|exchange| exchange.label == "GET version (count, etag)");
    let described = described.and_then(|exchange| exchange.answer.as_ref()).unwrap();
    writer.lab.server.change(|account| {
        let version = account.versions.get_mut(&1).and_then(Option::as_mut).unwrap();
        version.algorithm = described["algorithm"].as_str().unwrap().to_owned();
        version.auth_data = described["auth_data"].clone();
    });
    let later = "PUT keys/room to the old version";
    for exchange in &exchanges {
        if exchange.label == later {
            assert_eq!(writer.version().await, "2");
        }
        replay(&writer, exchange).await;
    }
    assert!(exchanges.iter().any(|exchange| exchange.label == later));
    let asked = |exchange: &&Exchange| exchange.method == "GET" && exchange.path.ends_with("/keys");
    assert_eq!(writer.lab.server.readings(), exchanges.iter().filter(asked).count() as u64);
}

/// A row of the table: what was there, what came, and which was kept.
#[derive(Deserialize)]
struct Row {
    stored: Value,
    uploaded: Value,
    kept: String,
    etag_after: String,
    count_after: u64,
}

fn table() -> Vec<Row> {
    serde_json::from_str(include_str!("../../fixtures/recordings/replacement_table.json")).unwrap()
}

fn told(entry: &Value) -> Told {
    Told {
        verified: entry["is_verified"].as_bool().unwrap(),
        first: entry["first_message_index"].as_i64().unwrap(),
        forwarded: entry["forwarded_count"].as_i64().unwrap(),
    }
}

/// The rows in which the spec keeps another entry than Synapse: what was stored, then what came, each as
/// "verified, first message, forwarded".
const OTHERWISE: [[(bool, i64, i64); 2]; 9] = [
    [(false, 2, 3), (false, 5, 0)],
    [(true, 2, 3), (false, 2, 0)],
    [(true, 2, 3), (false, 5, 0)],
    [(true, 2, 3), (true, 5, 0)],
    [(true, 5, 0), (false, 2, 0)],
    [(true, 5, 0), (false, 2, 3)],
    [(true, 5, 3), (false, 2, 0)],
    [(true, 5, 3), (false, 2, 3)],
    [(true, 5, 3), (false, 5, 0)],
];

#[test]
fn the_rules_differ_in_nine_rows() {
    let rows = table();
    assert_eq!(rows.len(), 64);
    let parts = |told: Told| (told.verified, told.first, told.forwarded);
    let mut otherwise = Vec::new();
    for row in &rows {
        let (stored, new) = (told(&row.stored), told(&row.uploaded));
        assert_eq!(Rule::Synapse.replaces(stored, new), row.kept == "new", "{stored:?} {new:?}");
        if Rule::Spec.replaces(stored, new) != (row.kept == "new") {
            otherwise.push([parts(stored), parts(new)]);
        }
        assert!(Rule::Always.replaces(stored, new));
    }
    assert_eq!(otherwise, OTHERWISE);
}

/// Writes each row's entries one after the other and tells which stayed.
async fn kept(rule: Option<Rule>, mut each: impl FnMut(&Row, &Value, bool)) {
    let writer = Writer::new(Setting { rule, ..Setting::default() }).await;
    writer.version().await;
    for (number, row) in table().iter().enumerate() {
        let path = format!("/keys/!room%3Ax/s{number}?version=1");
        let entry = |from: &Value, name: &str| {
            let mut entry = from.clone();
            entry["session_data"] = name.into();
            entry
        };
        writer.ask(Method::PUT, &path, &entry(&row.stored, "old")).await;
        let (status, answer) = writer.ask(Method::PUT, &path, &entry(&row.uploaded, "new")).await;
        assert_eq!(status, 200, "{answer}");
        let (_, stays) = writer.get(&path).await;
        each(row, &answer, stays["session_data"] == "new");
    }
}

#[tokio::test]
async fn a_better_entry_replaces_a_stored_one_as_recorded() {
    let mut changes = 0;
    kept(None, |row, answer, replaced| {
        assert_eq!(replaced, row.kept == "new");
        changes += 1 + u64::from(replaced);
        assert_eq!(*answer, json!({ "etag": changes.to_string(), "count": row.count_after }));
        assert_eq!(row.etag_after, answer["etag"]);
    })
    .await;
}

#[tokio::test]
async fn a_better_entry_replaces_a_stored_one_as_the_spec_has_it() {
    let mut otherwise = 0;
    kept(Some(Rule::Spec), |row, _, replaced| {
        assert_eq!(replaced, Rule::Spec.replaces(told(&row.stored), told(&row.uploaded)));
        otherwise += usize::from(replaced != (row.kept == "new"));
    })
    .await;
    assert_eq!(otherwise, OTHERWISE.len());
}

#[tokio::test]
async fn a_failing_upload_is_half_done() {
    let writer = Writer::of(Kind::Synapse).await;
    writer.version().await;
    let entry = |first: i64| {
        json!({
            "first_message_index": first, "forwarded_count": 0, "is_verified": false,
            "session_data": {},
        })
    };
    let keys = "/keys/!r%3Ax?version=1";
    writer.ask(Method::PUT, keys, &json!({ "sessions": { "a": entry(5) } })).await;
    let broken =
        json!({ "sessions": { "a": entry(1), "b": entry(1), "c": { "is_verified": true } } });
    let (status, answer) = writer.ask(Method::PUT, keys, &broken).await;
    assert_eq!((status, &answer["errcode"]), (500, &json!("M_UNKNOWN")));
    let (_, stays) = writer.get(keys).await;
    assert_eq!(stays, json!({ "sessions": { "a": entry(1) } }));
}

#[tokio::test]
async fn account_data_is_put_and_emptied() {
    let writer = Writer::of(Kind::Synapse).await;
    let path = |user: &str| format!("/_matrix/client/v3/user/{user}/account_data/m.some");
    let own = path("%40ada%3Aexample.org");
    for content in [json!({ "key": "abc" }), json!({})] {
        let put = writer.request(Method::PUT, &own).body(content.to_string());
        assert_eq!(answer(put).await, (200, json!({})));
        assert_eq!(answer(writer.request(Method::GET, &own)).await, (200, content));
    }
    let other = writer.request(Method::PUT, &path("%40eve%3Aexample.org")).body("{}");
    assert_eq!(answer(other).await.0, 403);
    let text = writer.request(Method::PUT, &own).body("text");
    assert_eq!(answer(text).await.1["errcode"], "M_NOT_JSON");
    assert_eq!(writer.lab.server.writes(), 4);
}
