//! The endpoints of backup versions; `tests/it/demo/writing.rs` holds them against recordings of a real
//! Synapse.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{
    account::Version,
    answers::Denial,
    endpoints::{Answer, Caller, Server},
    upload::object,
};

const NO_BACKUP: &str = "No backup found";
const UNKNOWN: &str = "Unknown backup version";

pub(super) async fn current_version(_: Caller, State(server): Server) -> Answer {
    let kind = server.setting.kind;
    let account = &server.lock().account;
    let current = kind.current(&account.versions);
    let current = current.and_then(|number| Some((number, account.version(number)?)));
    let (number, version) = current.ok_or(Denial::NotFound(NO_BACKUP.into()))?;
    Ok(Json(version.describe_as(number, kind)))
}

pub(super) async fn version(_: Caller, State(server): Server, Path(name): Path<String>) -> Answer {
    let number = version_number(&name)?;
    let account = &server.lock().account;
    let version = number.and_then(|number| Some((number, account.version(number)?)));
    let (number, version) = version.ok_or(Denial::NotFound(NO_BACKUP.into()))?;
    Ok(Json(version.describe_as(number, server.setting.kind)))
}

/// Takes any algorithm and any `auth_data`, but stumbles if one is missing.
pub(super) async fn create_version(_: Caller, State(server): Server, body: Bytes) -> Answer {
    let body = object(&body)?;
    let algorithm = body.get("algorithm").and_then(Value::as_str).ok_or(Denial::Internal)?;
    let auth_data = body.get("auth_data").ok_or(Denial::Internal)?;
    let version = Version::new(algorithm, auth_data.clone());
    let versions = &mut server.lock().account.versions;
    let highest = versions.last_key_value().map_or(0, |(number, _)| *number);
    let number = server.setting.kind.next_number(highest);
    versions.insert(number, Some(version));
    Ok(Json(json!({ "version": number.to_string() })))
}

/// Only `auth_data` can be changed, and stays as it is if it is not given.
pub(super) async fn update_version(
    _: Caller,
    State(server): Server,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer {
    let body = object(&body)?;
    if body.get("version").is_some_and(|version| *version != name.as_str()) {
        return Err(Denial::Bad("M_INVALID_PARAM", "Version in body does not match".into()));
    }
    let number = version_number(&name)?;
    let mut state = server.lock();
    let version = number.and_then(|number| state.account.versions.get_mut(&number)?.as_mut());
    let version = version.ok_or(Denial::NotFound(UNKNOWN.into()))?;
    let algorithm = body.get("algorithm").ok_or(Denial::Internal)?;
    if *algorithm != version.algorithm.as_str() {
        return Err(Denial::Bad("M_INVALID_PARAM", "Algorithm does not match".into()));
    }
    if let Some(auth_data) = body.get("auth_data") {
        version.auth_data = auth_data.clone();
    }
    Ok(Json(json!({})))
}

/// The number stays used, so that no later version gets it.
pub(super) async fn delete_version(
    _: Caller,
    State(server): Server,
    Path(name): Path<String>,
) -> Answer {
    let number = version_number(&name)?;
    let versions = &mut server.lock().account.versions;
    match number.and_then(|number| versions.get_mut(&number)) {
        Some(version) => *version = None,
        None if server.setting.kind.misses_deleted() => {
            return Err(Denial::NotFound(UNKNOWN.into()));
        }
        None => {}
    }
    Ok(Json(json!({})))
}

/// Synapse reads names of versions as numbers, and stumbles over those too large for its database.
pub(super) fn version_number(name: &str) -> Answer<Option<u64>> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    match name.parse::<i64>() {
        Ok(number) => Ok(u64::try_from(number).ok()),
        Err(_) if digits => Err(Denial::Internal),
        Err(_) => Ok(None),
    }
}
