//! Plays the cases of `tests/cases/faults` on the built program.
//!
//! Whatever the case is, nothing is written to the server, nothing appears outside the data directory,
//! no file there has a name of the server's, and a run on a server that behaves brings every key.

use std::path::Path;

use super::{
    case::{Case, filled, read},
    small,
};
use crate::program::{Ada, Ended};

/// What came of a case, in a few words.
pub(super) fn outcome(case: &Case) -> String {
    let code = case.code.as_deref().map(|code| format!(", {code}")).unwrap_or_default();
    let refused: usize = case.refused.values().sum();
    let refused = if refused > 0 { format!(", {refused} refused") } else { String::new() };
    format!("exit {}{code}, {} kept{refused}; then {}", case.exit, case.kept, case.then)
}

/// Plays one case; says what is not as expected.
fn play(case: &Case) -> Vec<String> {
    let (ada, entries) = small::ada();
    let on: &'static str = Box::leak(case.on.clone().into_boxed_str());
    let between = ada.between(vec![(on, case.trick(&ada, &entries))]);
    let words: Vec<String> = case.run.iter().map(|word| filled(word, &ada, &entries)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let args = ada.through(&between, arguments(case, &ada, &words));
    let home = ada.lab.home();
    let ended = ada.lab.run(&args);
    let mut faults = Vec::new();
    let mut must = |what: &str, got: String, expected: String| {
        if got != expected {
            faults.push(format!("{what}: expected {expected}, got {got}\n{ended}"));
        }
    };
    must("exit", ended.exit.to_string(), case.exit.to_string());
    must("code", code(&ended).unwrap_or_default(), case.code.clone().unwrap_or_default());
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for words in &case.says {
        if !said.contains(words) {
            must("says", "something else".to_owned(), words.clone());
        }
    }
    let heads = between.heads();
    if let Some(asked) = case.asked {
        let times = heads.iter().filter(|head| head.lines().next().unwrap().contains(on)).count();
        must("asked", times.to_string(), asked.to_string());
    }
    let kept = kept(&ada).unwrap_or(0);
    must("kept", kept.to_string(), case.kept.to_string());
    let written = heads.iter().find(|head| !is_reading(head));
    must("written", format!("{written:?}"), "None".to_owned());
    home.assert_same(&ada.lab.home());
    let odd: Vec<_> = ada.lab.kept().entries.into_keys().filter(|path| !is_ours(path)).collect();
    must("names of files", format!("{odd:?}"), "[]".to_owned());
    if !case.refused.is_empty() {
        // The same once more: what was refused is refused again, and counted.
        let between = ada.between(vec![(on, case.trick(&ada, &entries))]);
        let again = ada.lab.json(&ada.through(&between, ada.opens(&words)), case.exit);
        let refused = again["runs"][0]["refused"].as_array().unwrap();
        for (reason, count) in &case.refused {
            let times = refused.iter().filter(|entry| entry["reason"] == reason.as_str()).count();
            must(reason, times.to_string(), count.to_string());
        }
        must(
            "refused",
            refused.len().to_string(),
            case.refused.values().sum::<usize>().to_string(),
        );
    }
    let whole = ada.lab.json(&ada.opens(&["restore"]), 0);
    must("then", whole["stored_total"].to_string(), case.then.to_string());
    faults
}

fn arguments(case: &Case, ada: &Ada, words: &[&str]) -> Vec<String> {
    let mut args = match case.secret.as_deref() {
        None => ada.opens(words),
        Some("") => ada.asks(words),
        Some(secret) => {
            let file = ada.lab.secret("another secret", secret);
            let mut args = ada.asks(words);
            args.push(format!("--secret-file={file}"));
            args
        }
    };
    if case.with_password {
        args.retain(|arg| !arg.starts_with("--access-token-file"));
        args.push(format!("--password-file={}", ada.file("password")));
    }
    args
}

/// The code word that people are told on stderr.
fn code(ended: &Ended) -> Option<String> {
    let line = ended.stderr.lines().rev().find(|line| line.starts_with('('))?;
    let word = line[1..].split([':', ')']).next()?;
    Some(word.to_owned())
}

/// How many keys the store holds, if there is one.
fn kept(ada: &Ada) -> Option<u64> {
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let ended = ada.lab.run(&["store", "info", &secret, "--json"]);
    ended.document()["keys"].as_u64()
}

/// Says whether a request changes nothing but keyhaul's own session.
fn is_reading(head: &str) -> bool {
    let first = head.lines().next().unwrap_or_default();
    let own = ["/login ", "/logout ", "/keys/query ", "/sync"];
    first.starts_with("GET ")
        || first.starts_with("POST ") && own.iter().any(|words| first.contains(words))
}

/// Says whether a file's name is one of keyhaul's: letters, digits, dots and dashes, no server's words.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.len() < 80 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
}

fn play_all(file: &str) {
    let cases = read(file);
    assert!(!cases.is_empty(), "{file}");
    let mut faults = Vec::new();
    for case in &cases {
        let found = play(case);
        println!("{:4} {:60} {}", case.id, case.what, outcome(case));
        faults.extend(found.into_iter().map(|fault| format!("{} {}: {fault}", case.id, case.what)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn connections() {
    play_all("connections.toml");
}

#[test]
fn bodies() {
    play_all("bodies.toml");
}

#[test]
fn versions() {
    play_all("versions.toml");
}

#[test]
fn locks() {
    play_all("locks.toml");
}

/// A case that expects something else than what happens is found.
#[test]
fn a_wrong_expectation_is_found() {
    let mut case = read("bodies.toml").remove(0);
    assert!(play(&case).is_empty());
    case.exit += 1;
    case.kept += 1;
    case.code = Some("another-word".to_owned());
    case.says.push("words that nobody says".to_owned());
    assert_eq!(play(&case).len(), 4);
    assert!(!is_reading("PUT /_matrix/client/v3/room_keys/keys HTTP/1.1"));
    assert!(!is_reading("POST /_matrix/client/v3/room_keys/version HTTP/1.1"));
    assert!(!is_ours(Path::new("snapshot-!room:x")) && is_ours(Path::new("snapshot-00ff.keyhaul")));
}
