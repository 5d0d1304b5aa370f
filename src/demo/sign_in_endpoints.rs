//! The endpoints of signing in, staying so, and signing out, in the words of Synapse.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{
    answers::Denial,
    devices::Tokens,
    endpoints::{Answer, Caller, Server, own_address},
    upload::object,
};

pub(super) async fn login_flows() -> Json<Value> {
    Json(json!({ "flows": [{ "type": "m.login.password" }] }))
}

/// Takes the user as an id or its first part, in the present or the old form of the request. Every try
/// counts for the limits, whatever comes of it.
pub(super) async fn login(State(server): Server, body: Bytes) -> Answer {
    let now = server.now();
    let setting = server.setting;
    let body = Value::Object(object(&body)?);
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
    let invalid = |words: &'static str| Denial::Bad("M_INVALID_PARAM", words.into());
    if text("/type") != Some("m.login.password") {
        return Err(invalid("Invalid login submission"));
    }
    let password = text("/password").ok_or(invalid("Bad parameter: password"))?;
    let user = text("/identifier/user").or(text("/user"));
    let mut state = server.lock();
    if setting.limits_logins {
        state.limits.before(now).map_err(Denial::Limited)?;
    }
    let user_id = state.account.user_id.clone();
    let localpart = user_id.trim_start_matches('@').split(':').next();
    if (user != Some(&user_id) && user != localpart) || password != state.account.password {
        state.limits.failed(now);
        return Err(Denial::Forbidden("Invalid username or password".to_owned()));
    }
    let life = setting.token_life;
    let life = (body.pointer("/refresh_token") == Some(&Value::Bool(true))).then_some(life);
    let tokens = state.devices.sign_in(text("/device_id"), life, now);
    let mut answer = json!({
        "user_id": user_id,
        "access_token": tokens.access,
        "home_server": user_id.split_once(':').map(|(_, server)| server),
        "device_id": tokens.device_id,
        "well_known": own_address(&server),
    });
    tell_refresh(&mut answer, tokens);
    Ok(Json(answer))
}

fn tell_refresh(answer: &mut Value, tokens: Tokens) {
    if let (Value::Object(answer), Some((refresh, life))) = (answer, tokens.refresh) {
        let life = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        answer.insert("expires_in_ms".to_owned(), life.into());
        answer.insert("refresh_token".to_owned(), refresh.into());
    }
}

/// New tokens for a refresh token; both old ones end with it.
pub(super) async fn refresh(State(server): Server, body: Bytes) -> Answer {
    let now = server.now();
    let body = object(&body)?;
    let token = body.get("refresh_token").and_then(Value::as_str);
    let missing = Denial::Bad("M_MISSING_PARAM", "Missing params: ['refresh_token']".into());
    let token = token.ok_or(missing)?;
    let life = server.setting.token_life;
    let tokens = server.lock().devices.refresh(token, life, now).ok_or(Denial::RefreshToken)?;
    let mut answer = json!({ "access_token": tokens.access });
    tell_refresh(&mut answer, tokens);
    Ok(Json(answer))
}

pub(super) async fn logout(caller: Caller, State(server): Server) -> Json<Value> {
    server.lock().devices.sign_out(&caller.device_id);
    Json(json!({}))
}

pub(super) async fn logout_everywhere(_: Caller, State(server): Server) -> Json<Value> {
    server.lock().devices.sign_out_all();
    Json(json!({}))
}

/// A device may remove itself; for others Synapse wants the password once more.
pub(super) async fn remove_device(
    caller: Caller,
    State(server): Server,
    Path(device_id): Path<String>,
) -> Answer {
    if device_id != caller.device_id {
        return Err(Denial::Forbidden("The password is needed for that".to_owned()));
    }
    server.lock().devices.sign_out(&device_id);
    Ok(Json(json!({})))
}
