//! Servers that are not there, are no Matrix servers, or break off.

use serde_json::{Value, json};

use crate::program::{Ada, Between, Lab, Trick};

const KEYS: &str = "/room_keys/keys";

#[test]
fn unknown_server() {
    let lab = Lab::new();
    let password = lab.secret("password", "secret");
    let args = ["backups", "--user=@ada:keyhaul.invalid", "--password-file", &password];
    // A computer without any network cannot know whether there is such a server.
    let document = lab.json(&args, 12);
    let code = document["error"]["code"].as_str().unwrap();
    assert!(["server-not-found", "no-network"].contains(&code), "{document:#}");
    let told = lab.fails_untouched(&args, 12, code);
    assert!(code == "no-network" || told.what.contains("keyhaul.invalid"), "{}", told.what);
}

#[test]
fn closed_port() {
    let ada = Ada::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let args: Vec<String> = ada.opens(&["restore"]);
    let own = ada.server.base_url();
    let args: Vec<_> = args.into_iter().map(|arg| arg.replace(own, &nobody)).collect();
    ada.lab.fails_untouched(&args, 12, "server-silent");
}

#[test]
fn web_page() {
    let ada = Ada::new();
    let page = Trick::Body("<!doctype html><title>Welcome to the hotel</title>");
    let between = ada.between(vec![("GET", page)]);
    let told =
        ada.lab.fails_untouched(&ada.through(&between, ada.asks(&["backups"])), 12, "not-matrix");
    let host = between.base.trim_start_matches("http://");
    assert!(told.what.starts_with(host), "{}", told.what);
    // An address is no name that `matrix.` could stand before.
    assert!(!told.next.contains("matrix.127"), "{}", told.next);
    assert!(told.detail.unwrap().contains("Welcome to the hotel"));
}

#[test]
fn unlocked_connection_to_another_computer() {
    let ada = Ada::new();
    let args = ["backups", "--homeserver=http://matrix.invalid", "--access-token-file"];
    let args: Vec<_> = args.map(str::to_owned).into_iter().chain([ada.file("token")]).collect();
    ada.lab.fails_untouched(&args, 12, "plain-http");
}

#[test]
fn redirect_to_another_server() {
    let ada = Ada::new();
    let redirect = Trick::Redirect("https://elsewhere.invalid/");
    let between = ada.between(vec![("/room_keys/version", redirect)]);
    let args = ada.through(&between, ada.asks(&["backups"]));
    let told = ada.lab.fails_untouched(&args, 12, "sent-elsewhere");
    assert!(told.what.contains("elsewhere.invalid"), "{}", told.what);
}

#[test]
fn server_with_a_fault() {
    let ada = Ada::new();
    let fault = Trick::Say(500, json!({"errcode": "M_UNKNOWN", "error": "Internal server error"}));
    let between = ada.between(vec![("/room_keys/version", fault)]);
    ada.lab.fails_untouched(&ada.through(&between, ada.asks(&["backups"])), 12, "server-fault");
}

/// A name is never worth failing for: the keys are shown under the rooms' ids.
#[test]
fn server_that_gives_no_names() {
    let ada = Ada::new();
    let fault = Trick::Say(500, json!({"errcode": "M_UNKNOWN", "error": "Internal server error"}));
    let asked = ["/joined_rooms", "/account_data/m.direct", "/rooms/"];
    let between = ada.between(asked.map(|words| (words, fault.clone())).to_vec());
    let args = ada.through(&between, ada.opens(&["rooms", "--json"]));
    let document = ada.lab.run(&args).exited(0).document();
    let rooms = document["rooms"].as_array().unwrap();
    assert!(rooms.len() > 30 && rooms.iter().all(|room| room["name"].is_null()));
}

#[test]
fn server_that_asks_to_wait() {
    let ada = Ada::new();
    let wait = json!({"errcode": "M_LIMIT_EXCEEDED", "error": "slow", "retry_after_ms": 400_000});
    let between = ada.between(vec![("/room_keys/version", Trick::Say(429, wait))]);
    let args = ada.through(&between, ada.asks(&["backups"]));
    assert!(ada.lab.fails_untouched(&args, 12, "asked-to-wait").what.contains("7 min"));
}

#[test]
fn answer_too_large_for_a_proxy() {
    let ada = Ada::new();
    let between = ada.between(vec![(KEYS, Trick::Say(504, json!(null)))]);
    ada.lab.fails(&ada.through(&between, ada.opens(&["restore"])), 12, "answer-cut");
}

#[test]
fn connection_that_ends_before_anything_was_read() {
    let ada = Ada::new();
    let between = ada.between(vec![("/room_keys/version", Trick::HangUp)]);
    let args = ada.through(&between, ada.opens(&["restore"]));
    let told = ada.lab.fails_untouched(&args, 12, "connection-lost");
    // Nothing was read now, but an earlier run may have restored keys: nothing else may be said.
    assert_eq!(told.safe, "All of the restored keys are saved on this computer.");
}

/// Keys before the cut are kept, the figures say how many, and a second run brings the rest.
#[test]
fn cut_body() {
    let ada = Ada::new();
    let between = ada.between(Trick::Cut(400_000).alone());
    let args = ada.through(&between, ada.opens(&["restore"]));
    let told = ada.lab.json(&args, 12);
    assert_eq!(told["error"]["code"], "connection-lost");
    let safe = told["error"]["safe"].as_str().unwrap();
    let expected = ada.account.version(3).unwrap().expected();
    let all = keyhaul::base::shown::grouped(expected.entries as u64);
    let kept = safe.strip_suffix(&format!(" of {all} keys are saved on this computer.")).unwrap();
    let kept: u64 = kept.replace(' ', "").parse().unwrap();
    assert!((100..expected.openable as u64).contains(&kept), "{safe}");

    // The same cut again: nothing is lost, nothing is new, and people are told the same.
    let again = ada.lab.fails(&args, 12, "connection-lost");
    assert_eq!(again.safe, safe);

    let saved = format!("--secret-file={}", ada.file("recovery key"));
    let info = ada.lab.json(&["store", "info", &saved], 0);
    assert_eq!(info["keys"], kept);

    between.behave();
    let done = ada.lab.json(&args, 3);
    let run = &done["runs"][0];
    assert_eq!(run["unchanged"], kept);
    assert_eq!(run["new"], expected.openable as u64 - kept);
    assert_eq!(done["stored_total"], expected.openable);
}

/// A cut answer is told as one by the commands that only look, too.
#[test]
fn cut_body_for_rooms() {
    let ada = Ada::new();
    let between = ada.between(Trick::Cut(400_000).alone());
    ada.lab.fails_untouched(&ada.through(&between, ada.asks(&["rooms"])), 12, "connection-lost");
}

#[test]
fn endless_body() {
    let ada = Ada::new();
    let endless =
        Trick::Endless("{\"rooms\":{\"!0:x\":{\"sessions\":{}}", ",\"!#:x\":{\"sessions\":{}}");
    let between = ada.between(vec![(KEYS, endless)]);
    for words in [["restore"], ["rooms"]] {
        let args = ada.through(&between, ada.opens(&words));
        let told = ada.lab.fails(&args, 12, "answer-too-large");
        assert!(told.what.contains("100 000 rooms"), "{}", told.what);
    }
}

#[test]
fn endless_answer_of_another_kind() {
    let ada = Ada::new();
    let endless = Trick::Endless("{\"user_id\":\"", "#");
    let between = ada.between(vec![("/account/whoami", endless)]);
    let args = ada.through(&between, ada.opens(&["restore"]));
    let told = ada.lab.fails_untouched(&args, 12, "answer-odd");
    assert!(told.detail.unwrap().contains("1048576 bytes"));
}

#[test]
fn body_that_is_no_json() {
    let ada = Ada::new();
    for body in ["{\"rooms\":{]", "{\"rooms\" {}}", "[1,2,3]", "7"] {
        let between = ada.between(vec![(KEYS, Trick::Body(body))]);
        for words in [["restore"], ["rooms"]] {
            ada.lab.fails(&ada.through(&between, ada.opens(&words)), 12, "answer-odd");
        }
    }
}

/// A server may say that there are keys and send none: that is what it sent, and said as such.
#[test]
fn body_without_keys() {
    let ada = Ada::new();
    let between = ada.between(vec![(KEYS, Trick::Body("{\"rooms\":{}}"))]);
    let args = ada.through(&between, ada.opens(&["restore"]));
    assert_eq!(ada.lab.json(&args, 3)["runs"][0]["entries"], 0);
    let people = ada.lab.run(&args).exited(3);
    let count = keyhaul::base::shown::grouped(ada.account.version(3).unwrap().count() as u64);
    let said = format!("The server announced {count} keys of backup 3 and sent 0.");
    assert!(people.stderr.contains(&said), "{people}");
    let people = ada.lab.run(&ada.through(&between, ada.asks(&["rooms"]))).exited(0);
    assert!(people.stdout.contains(&format!("the server announced {count} keys")), "{people}");
}

#[test]
fn version_that_is_none() {
    let ada = Ada::new();
    for odd in [json!({}), json!([]), Value::Null, json!({"version": 3}), json!("3")] {
        let between = ada.between(vec![("/room_keys/version ", Trick::Say(200, odd))]);
        let args = ada.through(&between, ada.asks(&["backups"]));
        ada.lab.fails_untouched(&args, 12, "answer-odd");
    }
}

/// The station of these tests hands on what it plays no trick on.
#[test]
fn the_station_is_honest() {
    let ada = Ada::new();
    let between: Between = ada.between(Vec::new());
    let direct = ada.lab.json(&ada.asks(&["rooms"]), 0);
    assert_eq!(ada.lab.json(&ada.through(&between, ada.asks(&["rooms"])), 0), direct);
}
