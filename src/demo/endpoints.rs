//! The endpoints and what they answer; `tests/it/demo/serving.rs` holds them against the words of a
//! real Synapse.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequestParts, Path, Query, Request, State},
    http::{header::AUTHORIZATION, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    account::{Account, Version},
    answers::{Denial, all_rooms, one_entry, one_room},
    history::messages,
    room_endpoints::{
        joined_members, joined_rooms, members, room_state, room_summary, sliding_sync,
    },
    server::Shared,
};

const SLIDING_SYNC: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

pub(super) type Answer<T = Json<Value>> = Result<T, Denial>;
pub(super) type Server = State<Arc<Shared>>;
type Parameters = Query<BTreeMap<String, String>>;

/// All endpoints.
pub(super) fn router(state: Arc<Shared>) -> Router {
    let client = Router::new()
        .route("/login", get(login_flows).post(login))
        .route("/logout", post(logout))
        .route("/account/whoami", get(whoami))
        .route("/keys/query", post(query_keys))
        .route("/room_keys/version", get(current_version))
        .route("/room_keys/version/{version}", get(version))
        .route("/room_keys/keys", get(keys))
        .route("/room_keys/keys/{room}", get(keys_of_room))
        .route("/room_keys/keys/{room}/{session}", get(key))
        .route("/user/{user}/account_data/{kind}", get(account_data))
        .route("/joined_rooms", get(joined_rooms))
        .route("/rooms/{room}/state/{kind}", get(room_state))
        .route("/rooms/{room}/state/{kind}/", get(room_state))
        .route("/rooms/{room}/joined_members", get(joined_members))
        .route("/rooms/{room}/members", get(members))
        .route("/rooms/{room}/messages", get(messages));
    Router::new()
        .route("/.well-known/matrix/client", get(well_known))
        .route("/_matrix/client/versions", get(spec_versions))
        .route("/_matrix/client/v1/room_summary/{room}", get(room_summary))
        .route(SLIDING_SYNC, post(sliding_sync))
        .nest("/_matrix/client/v3", client.clone())
        .nest("/_matrix/client/r0", client.clone())
        .nest("/_matrix/client/unstable", client)
        .fallback(async || Denial::Unrecognized)
        .method_not_allowed_fallback(async || Denial::Method)
        .layer(middleware::from_fn_with_state(Arc::clone(&state), count))
        .with_state(state)
}

async fn count(State(server): Server, request: Request, next: Next) -> Response {
    server.lock().count(request.method(), request.uri().path());
    next.run(request).await
}

/// A request with a valid access token, and the device that it belongs to.
pub(super) struct Caller {
    device_id: String,
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Denial;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Shared>) -> Answer<Self> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(Denial::MissingToken)?;
        let state = server.lock();
        let device_id = state.device(token).ok_or(Denial::UnknownToken)?.to_owned();
        Ok(Self { device_id })
    }
}

async fn well_known(State(server): Server) -> Json<Value> {
    Json(own_address(&server))
}

fn own_address(server: &Shared) -> Value {
    json!({ "m.homeserver": { "base_url": format!("{}/", server.base_url) } })
}

async fn spec_versions() -> Json<Value> {
    let versions = ["r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.10", "v1.11"];
    let unstable = json!({ "org.matrix.simplified_msc3575": true });
    Json(json!({ "versions": versions, "unstable_features": unstable }))
}

async fn login_flows() -> Json<Value> {
    Json(json!({ "flows": [{ "type": "m.login.password" }] }))
}

/// Takes the user as an id or its first part, in the present or the old form of the request.
async fn login(State(server): Server, body: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| Denial::Bad("M_NOT_JSON", "Content not JSON."))?;
    if !body.is_object() {
        return Err(Denial::Bad("M_BAD_JSON", "Content must be a JSON object."));
    }
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
    if text("/type") != Some("m.login.password") {
        return Err(Denial::Bad("M_INVALID_PARAM", "Invalid login submission"));
    }
    let password =
        text("/password").ok_or(Denial::Bad("M_INVALID_PARAM", "Bad parameter: password"))?;
    let user = text("/identifier/user").or(text("/user"));
    let mut state = server.lock();
    let user_id = state.account.user_id.clone();
    let localpart = user_id.trim_start_matches('@').split(':').next();
    if (user != Some(&user_id) && user != localpart) || password != state.account.password {
        return Err(Denial::Forbidden("Invalid username or password".to_owned()));
    }
    let (device_id, access_token) = state.sign_in(text("/device_id"));
    Ok(Json(json!({
        "user_id": user_id,
        "access_token": access_token,
        "home_server": user_id.split_once(':').map(|(_, server)| server),
        "device_id": device_id,
        "well_known": own_address(&server),
    })))
}

async fn logout(caller: Caller, State(server): Server) -> Json<Value> {
    server.lock().sign_out(&caller.device_id);
    Json(json!({}))
}

async fn whoami(caller: Caller, State(server): Server) -> Json<Value> {
    let user_id = &server.lock().account.user_id;
    Json(json!({ "user_id": user_id, "is_guest": false, "device_id": caller.device_id }))
}

/// The server knows of one account only.
async fn query_keys(_: Caller, State(server): Server) -> Json<Value> {
    let account = &server.lock().account;
    let user = &account.user_id;
    Json(json!({
        "device_keys": { user: account.device_keys },
        "failures": {},
        "master_keys": { user: account.master_key },
    }))
}

async fn current_version(_: Caller, State(server): Server) -> Answer {
    let state = server.lock();
    let (number, version) = state.account.current().ok_or(Denial::NotFound("No backup found"))?;
    Ok(Json(version.describe(number)))
}

async fn version(_: Caller, State(server): Server, Path(name): Path<String>) -> Answer {
    let number = version_number(&name)?;
    let state = server.lock();
    let version = number.and_then(|number| Some((number, state.account.version(number)?)));
    let (number, version) = version.ok_or(Denial::NotFound("No backup found"))?;
    Ok(Json(version.describe(number)))
}

/// Synapse reads names of versions as numbers, and stumbles over those too large for its database.
fn version_number(name: &str) -> Answer<Option<u64>> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    match name.parse::<i64>() {
        Ok(number) => Ok(u64::try_from(number).ok()),
        Err(_) if digits => Err(Denial::Internal),
        Err(_) => Ok(None),
    }
}

/// The version that `?version=` names.
fn named_version<'a>(account: &'a Account, parameters: &Parameters) -> Answer<&'a Version> {
    let missing = Denial::Bad("M_MISSING_PARAM", "Missing string query parameter 'version'");
    let name = parameters.get("version").ok_or(missing)?;
    let version = version_number(name)?.and_then(|number| account.version(number));
    version.ok_or(Denial::NotFound("Unknown backup version"))
}

async fn keys(_: Caller, State(server): Server, parameters: Parameters) -> Answer<Response> {
    Ok(all_rooms(&named_version(&server.lock().account, &parameters)?.rooms))
}

async fn keys_of_room(
    _: Caller,
    State(server): Server,
    Path(room): Path<String>,
    parameters: Parameters,
) -> Answer<Response> {
    Ok(one_room(named_version(&server.lock().account, &parameters)?.rooms.get(&room)))
}

async fn key(
    _: Caller,
    State(server): Server,
    Path((room, session)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer<Response> {
    let state = server.lock();
    let rooms = &named_version(&state.account, &parameters)?.rooms;
    let json = rooms.get(&room).and_then(|sessions| sessions.get(&session));
    Ok(one_entry(json.ok_or(Denial::NotFound("No room_keys found"))?.clone()))
}

async fn account_data(
    _: Caller,
    State(server): Server,
    Path((user, kind)): Path<(String, String)>,
) -> Answer {
    let account = &server.lock().account;
    if user != account.user_id {
        return Err(Denial::Forbidden("Cannot get account data for other users.".to_owned()));
    }
    let content = account.account_data.get(&kind);
    Ok(Json(content.ok_or(Denial::NotFound("Account data not found"))?.clone()))
}
