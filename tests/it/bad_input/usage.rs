//! Command lines that make no sense, and inputs that are not there.

use serde_json::Value;

use crate::program::{Ada, Lab};

/// What is wrong with a command line is said by the parser of arguments: with the name of what it
/// did not understand and where to look it up.
fn not_understood(args: &[&str], named: &str) {
    let lab = Lab::new();
    let people = lab.run(args).exited(2);
    assert_eq!(people.stdout, "", "{people}");
    assert!(people.stderr.starts_with("error: "), "{people}");
    assert!(people.stderr.contains(named) && people.stderr.contains("--help"), "{people}");

    let document = lab.json(args, 2);
    let error = &document["error"];
    assert_eq!(error["code"], "usage");
    assert_eq!(error["safe"], "Nothing was done.");
    assert!(error["next"].as_str().unwrap().contains("--help"));
    assert!(error["detail"].as_str().unwrap().contains(named), "{document:#}");
    assert!(!lab.data().exists());
}

#[test]
fn unknown_words() {
    not_understood(&["--nonsense"], "--nonsense");
    not_understood(&["restore", "--dry"], "--dry");
    not_understood(&["steal"], "steal");
    not_understood(&["sessions"], "<ROOM>");
    not_understood(&["history"], "<ROOM>");
    not_understood(&["history", "!a:x", "--limit=0"], "--limit");
    not_understood(&["history", "!a:x", "--limit=all"], "--limit");
    not_understood(&["snapshot", "save"], "<FILE>");
    not_understood(&["completions", "cobol"], "cobol");
    not_understood(&["demo-server", "--listen=everywhere"], "everywhere");
}

#[test]
fn options_that_exclude_each_other() {
    not_understood(
        &["backups", "--password-file=a", "--access-token-file=b"],
        "--access-token-file",
    );
}

/// A secret cannot be given as an argument: there is no such option.
#[test]
fn secrets_are_no_arguments() {
    for option in ["--password", "--recovery-key", "--secret", "--access-token", "--passphrase"] {
        let lab = Lab::new();
        let ended = lab.run(&["restore", &format!("{option}=EsTb secret")]).exited(2);
        assert!(ended.stderr.contains("unexpected argument"), "{ended}");
        assert!(!ended.stderr.contains("EsTb"), "{ended}");
    }
}

/// A room's name is no id: several rooms can have it.
#[test]
fn names_are_no_rooms() {
    let ada = Ada::new();
    let told = ada.lab.fails_untouched(&ada.opens(&["history", "Family"]), 2, "usage");
    assert!(told.detail.unwrap().contains("begins with !"));
}

#[test]
fn history_without_a_secret() {
    let ada = Ada::new();
    ada.lab.fails_untouched(&ada.asks(&["history", "!a:x"]), 2, "secret-missing");
}

#[test]
fn unknown_story() {
    let lab = Lab::new();
    for args in [&["--demo=nightmare", "backups"] as &[_], &["demo-server", "--story=nightmare"]] {
        let told = lab.fails_untouched(args, 2, "usage");
        assert!(told.detail.unwrap().contains("keyhaul --demo=list"));
    }
}

#[test]
fn standard_input_twice() {
    let ada = Ada::new();
    let args = ada.asks(&["restore", "--secret-file=-", "--secret-file=-"]);
    let told = ada.lab.fails_untouched(&args, 2, "usage");
    assert_eq!(told.detail.as_deref(), Some("- can be given once only"));
    let mixed = ["restore", "--access-token-file=-", "--secret-file=-"];
    ada.lab.fails_untouched(&mixed, 2, "usage");
}

#[test]
fn standard_input_once() {
    let ada = Ada::new();
    let key = keyhaul::demo::stories::Story::Plain.recovery_key();
    let args = ada.asks(&["unlock", "--json", "--secret-file=-"]);
    for end in ["", "\n", "\r\n"] {
        let typed = format!("{}{end}", key.expose());
        let ended = ada.lab.run_with_input(&args, typed.as_bytes()).exited(0);
        assert_eq!(ended.document()["opens_backups"], serde_json::json!(["3"]));
    }
}

#[test]
fn no_secret_and_no_terminal() {
    let ada = Ada::new();
    for command in ["restore", "unlock"] {
        ada.lab.fails_untouched(&ada.asks(&[command]), 2, "secret-missing");
    }
}

#[test]
fn no_command_and_no_terminal() {
    let lab = Lab::new();
    let told = lab.fails_untouched::<&str>(&[], 2, "usage");
    assert_eq!(
        told.detail.as_deref(),
        Some("no command was given, and there is no terminal for the assistant")
    );
}

/// Secrets in the environment are not taken, whatever they are called.
#[test]
fn secrets_in_the_environment_are_not_taken() {
    let ada = Ada::new();
    let key = keyhaul::demo::stories::Story::Plain.recovery_key();
    let mut command = ada.lab.command(env!("CARGO_BIN_EXE_keyhaul"));
    command.args(ada.asks(&["restore", "--json"]));
    for name in ["KEYHAUL_RECOVERY_KEY", "KEYHAUL_SECRET", "KEYHAUL_SECRET_FILE", "RECOVERY_KEY"] {
        command.env(name, key.expose());
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["code"], "secret-missing");
}

#[test]
fn port_that_is_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", listener.local_addr().unwrap());
    let told = Lab::new().fails_untouched(&["demo-server", &listen], 2, "usage");
    assert!(told.detail.unwrap().contains("cannot listen on 127.0.0.1:"));
}
