//! Staying signed in, and signing in too often; in the words that were recorded from Synapse 1.163.

use std::time::Duration;

use keyhaul::demo::setting::Setting;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    serving::{Lab, answer, with_password},
    writing::nothing_backed_up,
};

const V3: &str = "/_matrix/client/v3";

async fn lab(setting: Setting) -> Lab {
    Lab::with(nothing_backed_up(), setting).await
}

async fn refresh(lab: &Lab, token: &Value) -> (u16, Value) {
    let body = json!({ "refresh_token": token }).to_string();
    answer(lab.request(Method::POST, &format!("{V3}/refresh")).body(body)).await
}

#[tokio::test]
async fn a_token_ends_softly_and_is_refreshed() {
    let setting = Setting { token_life: Duration::from_secs(3), ..Setting::default() };
    let lab = lab(setting).await;
    let mut body = with_password("ada");
    body["refresh_token"] = true.into();
    let (status, login) = lab.login(body).await;
    assert_eq!((status, &login["expires_in_ms"]), (200, &json!(3_000)));
    let whoami = format!("{V3}/account/whoami");
    let ask = async |token: &Value| lab.get(token.as_str(), &whoami).await;
    assert_eq!(ask(&login["access_token"]).await.0, 200);
    lab.server.let_pass(Duration::from_secs(3));
    let ended = json!({
        "errcode": "M_UNKNOWN_TOKEN", "error": "Access token has expired", "soft_logout": true,
    });
    assert_eq!(ask(&login["access_token"]).await, (401, ended));

    let (status, again) = refresh(&lab, &login["refresh_token"]).await;
    assert_eq!((status, &again["expires_in_ms"]), (200, &json!(3_000)));
    assert_ne!(again["refresh_token"], login["refresh_token"]);
    let (_, own) = ask(&again["access_token"]).await;
    assert_eq!(own["device_id"], login["device_id"]);
    let wrong = json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "invalid refresh token" });
    assert_eq!(refresh(&lab, &login["refresh_token"]).await, (401, wrong));
    assert_eq!(lab.server.devices(), 1);
    assert_eq!(lab.server.writes(), 0);
}

#[tokio::test]
async fn a_token_that_was_not_asked_to_end_does_not() {
    let lab = lab(Setting::default()).await;
    let (_, login) = lab.login(with_password("ada")).await;
    assert_eq!((&login["refresh_token"], &login["expires_in_ms"]), (&Value::Null, &Value::Null));
    lab.server.let_pass(Duration::from_secs(1 << 30));
    let whoami = format!("{V3}/account/whoami");
    assert_eq!(lab.get(login["access_token"].as_str(), &whoami).await.0, 200);
}

#[tokio::test]
async fn the_sixth_login_in_a_row_has_to_wait() {
    let lab = lab(Setting { limits_logins: true, ..Setting::default() }).await;
    for _ in 0..5 {
        lab.token().await;
    }
    let request = lab.request(Method::POST, &format!("{V3}/login"));
    let refused = request.body(with_password("ada").to_string()).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["Retry-After"].to_str().unwrap().parse().unwrap();
    let told: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    let wait = told["retry_after_ms"].as_u64().unwrap();
    assert_eq!(
        (&told["errcode"], &told["error"]),
        (&json!("M_LIMIT_EXCEEDED"), &json!("Too Many Requests"))
    );
    assert!((300_000..=333_333).contains(&wait), "{wait}");
    assert_eq!(seconds, wait.div_ceil(1_000));
    // The time is told in whole milliseconds, cut off as Synapse cuts them.
    lab.server.let_pass(Duration::from_millis(wait + 1));
    lab.token().await;
    assert_eq!(lab.login(with_password("ada")).await.0, 429);
}

#[tokio::test]
async fn wrong_passwords_count() {
    let lab = lab(Setting { limits_logins: true, ..Setting::default() }).await;
    let mut wrong = with_password("ada");
    wrong["password"] = "wrong".into();
    for _ in 0..3 {
        assert_eq!(lab.login(wrong.clone()).await.0, 403);
    }
    assert_eq!(lab.login(with_password("ada")).await.0, 429);
    lab.server.let_pass(Duration::from_secs(6));
    lab.token().await;
    assert_eq!(lab.login(with_password("ada")).await.0, 429);
}

#[tokio::test]
async fn a_device_may_remove_itself() {
    let lab = lab(Setting::default()).await;
    let (_, one) = lab.login(with_password("ada")).await;
    let (_, two) = lab.login(with_password("ada")).await;
    let remove = async |device: &Value| {
        let path = format!("{V3}/devices/{}", device.as_str().unwrap());
        let request = lab.request(Method::DELETE, &path);
        answer(request.bearer_auth(one["access_token"].as_str().unwrap())).await.0
    };
    assert_eq!(remove(&two["device_id"]).await, 403);
    assert_eq!((lab.server.devices(), lab.server.writes()), (2, 1));
    assert_eq!(remove(&one["device_id"]).await, 200);
    assert_eq!((lab.server.devices(), lab.server.writes()), (1, 1));
    let all = lab.request(Method::POST, &format!("{V3}/logout/all"));
    let all = all.bearer_auth(two["access_token"].as_str().unwrap());
    assert_eq!(answer(all).await, (200, json!({})));
    assert_eq!(lab.server.devices(), 0);
}
