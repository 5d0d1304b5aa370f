//! One suite for a real Synapse and for the demo server: what a script of `tests/cases/conformance`
//! expects, both must answer, so the demo cannot promise what no server keeps.
//!
//! The results side by side: `cargo test --test it conformance::side_by_side -- --nocapture`.

mod patterns;
mod scripts;
mod servers;

use std::{collections::BTreeSet, fmt::Write, time::Duration};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use patterns::{compare, filled, filled_body, filled_path};
use scripts::{Expect, Script, Step};
use servers::{Place, Server};

/// The files that the scripts were made from.
const RECORDINGS: [&str; 10] = [
    "account.json",
    "discovery.json",
    "gzip.json",
    "keys.json",
    "login.json",
    "ratelimit.json",
    "refresh.json",
    "replacement_rules.json",
    "replacement_table.json",
    "versions_lifecycle.json",
];

/// What became of a script on a server.
#[derive(Default)]
struct Outcome {
    passed: usize,
    left_out: usize,
    faults: Vec<String>,
}

impl Outcome {
    fn cell(&self) -> String {
        let asked = self.passed + self.faults.len();
        match self.left_out {
            0 => format!("{}/{asked}", self.passed),
            left_out => format!("{}/{asked} (-{left_out})", self.passed),
        }
    }
}

/// Plays all steps, whatever becomes of one. `None` if the script is not for this server, or there is
/// no such server.
async fn play(script: &Script, server: Server) -> Option<Outcome> {
    let only = script.only.as_ref();
    if only.is_some_and(|only| !only.iter().any(|name| name == server.name())) {
        return None;
    }
    let mut place = server.place(script).await?;
    let mut outcome = Outcome::default();
    for step in &script.steps {
        let names = server.names();
        if names.iter().any(|name| step.left_out.contains_key(*name)) {
            outcome.left_out += 1;
            continue;
        }
        let became = match &step.given {
            Some(given) => place.give(given).await,
            None => ask(&mut place, step, &step.expected(&names)).await,
        };
        match became {
            Ok(()) => outcome.passed += usize::from(step.given.is_none()),
            Err(fault) => {
                let (file, label) = (&script.name, &step.label);
                outcome.faults.push(format!("{file}.json, {label:?}, {}: {fault}", server.name()));
            }
        }
    }
    Some(outcome)
}

async fn ask(place: &mut Place, step: &Step, expected: &Expect) -> Result<(), String> {
    // As a real token ends in its own time, there is nothing to wait for.
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut answer = send(place, step, false).await?;
    while step.repeat && Some(answer.status().as_u16()) != expected.status {
        if Instant::now() > deadline {
            break;
        }
        sleep(Duration::from_millis(50)).await;
        answer = send(place, step, false).await?;
    }
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    // What is compressed is asked for again, by a client that opens it.
    let compressed = headers.get("Content-Encoding").is_some_and(|value| value == "gzip");
    let answer = if compressed { send(place, step, true).await? } else { answer };
    let text = answer.text().await.map_err(|error| error.to_string())?;
    let shown = text.chars().take(300).collect::<String>();
    if expected.status.is_none() {
        return Err("no status is expected".to_owned());
    }
    if expected.status != Some(status) {
        let expected = expected.status.unwrap_or_default();
        return Err(format!("expected {expected}, got {status} {shown}"));
    }
    for (name, pattern) in expected.headers.iter().flatten() {
        let got = headers.get(name).and_then(|value| value.to_str().ok());
        let same = match pattern {
            None => got.is_none(),
            Some(pattern) => {
                let pattern = Value::from(pattern.as_str());
                compare(&pattern, &json!(got), &mut place.names, name).is_ok()
            }
        };
        if !same {
            return Err(format!("expected {name} {pattern:?}, got {got:?}"));
        }
    }
    let Some(body) = &expected.body else { return Ok(()) };
    let got = serde_json::from_str(&text).map_err(|error| format!("{error} in {shown}"))?;
    compare(body, &got, &mut place.names, "")
}

async fn send(place: &Place, step: &Step, opens: bool) -> Result<Response, String> {
    let client = if opens { &place.opening } else { &place.plain };
    let names = &place.names;
    let method: Method = step.method.parse().map_err(|_| format!("method {:?}", step.method))?;
    let url = format!("{}{}", names["base_url"], filled_path(&step.path, names)?);
    let mut request = client.request(method, url);
    let token = match step.who.as_str() {
        "nobody" => None,
        "wrong" => Some("syt_wrong".to_owned()),
        "me" => Some(filled("{me}", names)?),
        "other" => Some(filled("{token of other}", names)?),
        token => Some(filled(token, names)?),
    };
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    for (name, value) in &step.headers {
        if !(opens && name == "Accept-Encoding") {
            request = request.header(name, value);
        }
    }
    request = request.header("X-Forwarded-For", place.address.to_string());
    let body = match (&step.body, &step.text) {
        (Some(body), _) => Some(filled_body(body, names)?.to_string()),
        (None, text) => text.clone(),
    };
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body);
    }
    request.send().await.map_err(|error| error.to_string())
}

fn script(name: &str) -> Script {
    scripts::all().into_iter().find(|script| script.name == name).unwrap()
}

/// Every script on every server; the table goes to standard output.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn side_by_side() {
    let mut table = format!("{:<20}", "subject");
    for server in Server::ALL {
        write!(table, "{:>16}", server.name()).unwrap();
    }
    let mut faults = Vec::new();
    for script in scripts::all() {
        write!(table, "\n{:<20}", script.name).unwrap();
        let plays = Server::ALL.map(|server| {
            let script = script.clone();
            tokio::spawn(async move { play(&script, server).await })
        });
        for played in plays {
            let outcome = played.await.unwrap();
            let cell = outcome.as_ref().map_or("-".to_owned(), Outcome::cell);
            write!(table, "{cell:>16}").unwrap();
            faults.extend(outcome.into_iter().flat_map(|outcome| outcome.faults));
        }
    }
    println!("{table}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_recording_has_its_script() {
    let scripts = scripts::all();
    let used: BTreeSet<_> = scripts.iter().flat_map(|script| &script.recorded).collect();
    assert!(used.iter().copied().eq(RECORDINGS.iter()), "{used:?}");
    for script in &scripts {
        assert!(script.about.ends_with('.'), "{}", script.name);
        for step in &script.steps {
            let known = |who: &str| Server::ALL.iter().any(|server| server.name() == who);
            let named = step.on.keys().flat_map(|who| who.split(' '));
            assert!(named.chain(step.left_out.keys().map(String::as_str)).all(known));
            assert!(!step.left_out.contains_key("synapse"), "{}: {}", script.name, step.label);
        }
    }
}

#[test]
fn the_whole_table_of_replacement_is_there() {
    let steps = script("replacement").steps;
    assert_eq!(steps.len(), 1 + 64 * 3);
    let rows: BTreeSet<_> =
        steps.iter().filter_map(|step| step.label.split_once(':')).map(|(row, _)| row).collect();
    assert_eq!(rows.len(), 64);
}

/// Each kind of expectation, made wrong, is found and told with all that is needed to look for it.
#[tokio::test]
async fn wrong_expectations_are_found() {
    let script = script("login");
    let at = script.steps.iter().position(|step| step.label == "login, wrong password").unwrap();
    let plant: [(&str, fn(&mut Step)); 5] = [
        ("expected 401, got 403", |step| step.expect.status = Some(401)),
        (r#"at "/errcode" expected "M_UNKNOWN", got "M_FORBIDDEN""#, |step| {
            step.expect.body.as_mut().unwrap()["errcode"] = "M_UNKNOWN".into();
        }),
        (r#"expected "Wrong", got "Invalid username or password""#, |step| {
            step.expect.body.as_mut().unwrap()["error"] = "Wrong".into();
        }),
        ("expected {", |step| step.expect.body.as_mut().unwrap()["more"] = 1.into()),
        (r#"expected Retry-After Some("1"), got None"#, |step| {
            let headers = step.expect.headers.as_mut().unwrap();
            headers.insert("Retry-After".to_owned(), Some("1".to_owned()));
        }),
    ];
    let servers = [Server::Demo(Default::default()), Server::Synapse];
    for (told, plant) in plant {
        let mut wrong = script.clone();
        plant(&mut wrong.steps[at]);
        for server in servers {
            let Some(outcome) = play(&wrong, server).await else { continue };
            let [fault] = &outcome.faults[..] else { panic!("{told}: {:?}", outcome.faults) };
            let place = format!(r#"login.json, "login, wrong password", {}: "#, server.name());
            assert!(fault.starts_with(&place) && fault.contains(told), "{fault}");
        }
    }
}

/// What a variant is expected to do differently is not what the demo does as Synapse.
#[tokio::test]
async fn a_variant_is_held_to_its_own_expectations() {
    let mut script = script("differences");
    for step in &mut script.steps {
        step.on.clear();
    }
    for (server, least) in Server::ALL.into_iter().skip(1).zip([0, 5, 5, 5]) {
        let faults = play(&script, server).await.unwrap().faults;
        assert_eq!(faults.is_empty(), least == 0, "{server:?}: {faults:?}");
        assert!(faults.len() >= least, "{server:?}: {faults:?}");
    }
}
