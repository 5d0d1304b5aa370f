//! The endpoints and what they answer; `tests/it/demo/serving.rs` holds them against the words of a
//! real Synapse.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequestParts, Path, Request, State},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, post},
};
use serde_json::{Value, json};

use super::{
    answers::Denial,
    history::messages,
    key_endpoints::{
        delete_key, delete_keys, delete_keys_of_room, key, keys, keys_of_room, put_key, put_keys,
        put_keys_of_room,
    },
    room_endpoints::{
        joined_members, joined_rooms, members, room_state, room_summary, sliding_sync,
    },
    server::Shared,
    sign_in_endpoints::{login, login_flows, logout, logout_everywhere, refresh, remove_device},
    upload::object,
    version_endpoints::{create_version, current_version, delete_version, update_version, version},
    weather::weather,
};

/// The longest body that is taken, in bytes.
const LONGEST_BODY: usize = 50 << 20;

const SLIDING_SYNC: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

pub(super) type Answer<T = Json<Value>> = Result<T, Denial>;
pub(super) type Server = State<Arc<Shared>>;

/// All endpoints.
pub(super) fn router(state: Arc<Shared>) -> Router {
    let client = Router::new()
        .route("/login", get(login_flows).post(login))
        .route("/refresh", post(refresh))
        .route("/logout", post(logout))
        .route("/logout/all", post(logout_everywhere))
        .route("/devices/{device}", delete(remove_device))
        .route("/account/whoami", get(whoami))
        .route("/keys/query", post(query_keys))
        .route("/room_keys/version", get(current_version).post(create_version))
        .route(
            "/room_keys/version/{version}",
            get(version).put(update_version).delete(delete_version),
        )
        .route("/room_keys/keys", get(keys).put(put_keys).delete(delete_keys))
        .route(
            "/room_keys/keys/{room}",
            get(keys_of_room).put(put_keys_of_room).delete(delete_keys_of_room),
        )
        .route("/room_keys/keys/{room}/{session}", get(key).put(put_key).delete(delete_key))
        .route("/user/{user}/account_data/{kind}", get(account_data).put(put_account_data))
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
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), weather))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), count))
        .with_state(state)
}

async fn count(State(server): Server, request: Request, next: Next) -> Response {
    server.lock().count(request.method(), request.uri().path(), token(request.headers()));
    next.run(request).await
}

/// A request with a valid access token, and the device that it belongs to.
pub(super) struct Caller {
    pub(super) device_id: String,
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Denial;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Shared>) -> Answer<Self> {
        let token = token(&parts.headers).ok_or(Denial::MissingToken)?;
        let now = server.now();
        let state = server.lock();
        Ok(Self { device_id: state.devices.holder(token, now)?.to_owned() })
    }
}

async fn well_known(State(server): Server) -> Json<Value> {
    Json(own_address(&server))
}

pub(super) fn own_address(server: &Shared) -> Value {
    json!({ "m.homeserver": { "base_url": format!("{}/", server.base_url) } })
}

async fn spec_versions() -> Json<Value> {
    let versions = ["r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.10", "v1.11"];
    let unstable = json!({ "org.matrix.simplified_msc3575": true });
    Json(json!({ "versions": versions, "unstable_features": unstable }))
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
    Ok(Json(content.ok_or(Denial::NotFound("Account data not found".into()))?.clone()))
}

/// There is no deleting: clients put `{}`.
async fn put_account_data(
    _: Caller,
    State(server): Server,
    Path((user, kind)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let content = object(&body)?;
    let account = &mut server.lock().account;
    if user != account.user_id {
        return Err(Denial::Forbidden("Cannot add account data for other users.".to_owned()));
    }
    account.account_data.insert(kind, content.into());
    Ok(Json(json!({})))
}
