//! Passwords and tokens that do not lead in.

use serde_json::json;

use crate::program::{Ada, Lab, Trick};

fn with_password(ada: &Ada, password: &str) -> Vec<String> {
    let password = ada.lab.secret("typed password", password);
    let [server, user] = [ada.server.base_url(), &ada.account.user_id];
    ["backups", "--homeserver", server, "--user", user, "--password-file", &password]
        .map(str::to_owned)
        .into()
}

#[test]
fn wrong_password() {
    let ada = Ada::new();
    let devices = ada.server.devices();
    ada.lab.fails(&with_password(&ada, "not this one"), 13, "password-wrong");
    assert_eq!(ada.server.devices(), devices);
}

#[test]
fn too_many_tries() {
    let ada = Ada::new();
    let wait = json!({"errcode": "M_LIMIT_EXCEEDED", "error": "slow", "retry_after_ms": 300_000});
    let between = ada.between(vec![("POST ", Trick::Say(429, wait))]);
    let args = ada.through(&between, with_password(&ada, "not this one"));
    let told = ada.lab.fails(&args, 13, "too-many-tries");
    assert!(told.next.contains("in 5 min"), "{}", told.next);
}

#[test]
fn server_without_passwords() {
    let ada = Ada::new();
    let off = json!({"errcode": "M_UNKNOWN", "error": "Password login has been disabled."});
    let between = ada.between(vec![("POST ", Trick::Say(400, off))]);
    ada.lab.fails(&ada.through(&between, with_password(&ada, "any")), 13, "no-way-in");
}

/// The device that signing in made is removed, or somebody is told that it is there.
#[test]
fn device_that_cannot_be_removed() {
    let ada = Ada::new();
    let fault = json!({"errcode": "M_UNKNOWN", "error": "Internal server error"});
    let between = ada.between(vec![("/logout", Trick::Say(500, fault))]);
    let mut args = ada.through(&between, with_password(&ada, &ada.account.password));
    args.push("--quiet".to_owned());
    let ended = ada.lab.run(&args).exited(0);
    assert!(ended.stderr.contains("(device-remains"), "{ended}");
}

#[test]
fn login_without_an_answer() {
    let ada = Ada::new();
    let between = ada.between(vec![("POST ", Trick::HangUp)]);
    let args = ada.through(&between, with_password(&ada, &ada.account.password));
    let told = ada.lab.fails(&args, 12, "connection-lost");
    assert!(told.detail.unwrap().contains("perhaps a device “keyhaul recovery”"));
}

#[test]
fn dead_token() {
    let ada = Ada::new();
    ada.lab.secret("token", "syt_signed_out_long_ago");
    for words in [["restore"], ["backups"]] {
        ada.lab.fails_untouched(&ada.opens(&words), 13, "token-refused");
    }
}

#[test]
fn token_that_no_header_can_carry() {
    let ada = Ada::new();
    ada.lab.secret("token", "two\nlines");
    ada.lab.fails_untouched(&ada.asks(&["backups"]), 13, "token-refused");
}

/// Nothing is opened and nothing written before the account is known to be the one asked for.
#[test]
fn token_of_another_account() {
    let ada = Ada::new();
    let user = format!("--user={}", ada.account.user_id);
    for other in ["@grace:example.org", "grace"] {
        let args = ada.opens(&["restore"]);
        let args: Vec<_> =
            args.into_iter().map(|arg| arg.replace(&user, &format!("--user={other}"))).collect();
        let told = ada.lab.fails_untouched(&args, 13, "token-of-another");
        assert_eq!(
            told.what,
            format!("This access token belongs to @ada:example.org, not to {other}.")
        );
        assert!(!ada.lab.data().exists());
    }
}

#[test]
fn locked_closed_and_guest_accounts() {
    let ada = Ada::new();
    let refusal = |code: &str| Trick::Say(403, json!({"errcode": code, "error": "no"}));
    for (trick, code) in [
        (refusal("M_USER_LOCKED"), "account-locked"),
        (refusal("M_USER_DEACTIVATED"), "account-closed"),
        (refusal("M_CONSENT_NOT_GIVEN"), "terms-first"),
        (
            Trick::Say(200, json!({"user_id": "@ada:example.org", "is_guest": true})),
            "guest-account",
        ),
    ] {
        let between = ada.between(vec![("/account/whoami", trick)]);
        ada.lab.fails_untouched(&ada.through(&between, ada.opens(&["restore"])), 13, code);
    }
}

#[test]
fn no_way_to_sign_in_is_named() {
    let lab = Lab::new();
    lab.fails_untouched(&["backups"], 2, "sign-in-missing");
    lab.fails_untouched(&["backups", "--user=@ada:example.org"], 2, "sign-in-missing");
    lab.fails_untouched(&["sign-out"], 2, "sign-in-missing");
}

#[test]
fn no_server_is_named() {
    let lab = Lab::new();
    let token = lab.secret("token", "syt_any");
    let args = ["backups", "--access-token-file", &token];
    lab.fails_untouched(&args, 2, "server-missing");
    for server in ["not a server", "@ada", "https://", "file:///etc/passwd", "https://a:b@c"] {
        let named = format!("--homeserver={server}");
        let told = lab.fails_untouched(
            &["backups", &named, "--access-token-file", &token],
            2,
            "server-missing",
        );
        // What stands before the host could be a password.
        assert!(!told.detail.unwrap().contains("a:b"));
    }
}
