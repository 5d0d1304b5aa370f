//! Answers in the words of Synapse 1.163: errors, and the long body of keys in pieces.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use serde_json::{Value, json};

use super::account::Version;

/// About how many bytes of a keys body are sent at once.
const PIECE: usize = 32 << 10;

/// An error as Synapse words it.
pub(super) enum Denial {
    /// No such path.
    Unrecognized,
    /// A path that exists, asked in a way that does not.
    Method,
    /// No access token.
    MissingToken,
    /// An access token that is not valid, or no longer.
    UnknownToken,
    /// An access token that was valid, and can be exchanged for another.
    ExpiredToken,
    /// A refresh token that is not valid, or no longer.
    RefreshToken,
    /// Too many requests; one is welcome again after this time.
    Limited(Duration),
    /// Keys for a version that is not the current one.
    WrongVersion {
        /// 403, or 400.
        status: u16,
        /// What `current_version` says.
        current: String,
    },
    /// 404 with this text.
    NotFound(Cow<'static, str>),
    /// 403 with this text.
    Forbidden(String),
    /// 400 with this code and text.
    Bad(&'static str, Cow<'static, str>),
    /// Synapse stumbles over this.
    Internal,
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        let (status, code, text) = match &self {
            Self::Unrecognized => (404, "M_UNRECOGNIZED", "Unrecognized request"),
            Self::Method => (405, "M_UNRECOGNIZED", "Unrecognized request"),
            Self::MissingToken => (401, "M_MISSING_TOKEN", "Missing access token"),
            Self::UnknownToken => (401, "M_UNKNOWN_TOKEN", "Invalid access token passed."),
            Self::ExpiredToken => (401, "M_UNKNOWN_TOKEN", "Access token has expired"),
            Self::RefreshToken => (401, "M_UNKNOWN_TOKEN", "invalid refresh token"),
            Self::Limited(_) => (429, "M_LIMIT_EXCEEDED", "Too Many Requests"),
            Self::WrongVersion { status, .. } => {
                (*status, "M_WRONG_ROOM_KEYS_VERSION", "Wrong room_keys version")
            }
            Self::NotFound(text) => (404, "M_NOT_FOUND", text.as_ref()),
            Self::Forbidden(text) => (403, "M_FORBIDDEN", text.as_str()),
            Self::Bad(code, text) => (400, *code, text.as_ref()),
            Self::Internal => (500, "M_UNKNOWN", "Internal server error"),
        };
        let mut body = json!({ "errcode": code, "error": text });
        let more: Option<(&str, Value)> = match &self {
            Self::UnknownToken => Some(("soft_logout", false.into())),
            Self::ExpiredToken => Some(("soft_logout", true.into())),
            Self::WrongVersion { current, .. } => Some(("current_version", current.clone().into())),
            Self::Limited(wait) => {
                let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                Some(("retry_after_ms", wait.into()))
            }
            _ => None,
        };
        if let (Some((field, value)), Value::Object(body)) = (more, &mut body) {
            body.insert(field.to_owned(), value);
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::Limited(wait) => {
                let seconds = wait.as_millis().div_ceil(1_000).to_string();
                (status, [(RETRY_AFTER, seconds)], Json(body)).into_response()
            }
            _ => (status, Json(body)).into_response(),
        }
    }
}

/// One entry, as it stands in the account.
pub(super) fn one_entry(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

/// `{"sessions":{…}}` in pieces.
pub(super) fn one_room(version: Option<&Version>, room: &str) -> Response {
    let mut parts = vec![Bytes::from_static(b"{\"sessions\":{")];
    let sessions = version.and_then(|version| version.rooms.get(room));
    push_sessions(&mut parts, sessions.into_iter().flatten());
    let bulk = version.and_then(|version| version.bulk.as_ref());
    let more = bulk.map(|bulk| bulk.sessions(room)).into_iter().flatten();
    in_pieces(parts.into_iter().chain(more).chain([Bytes::from_static(b"}}")]))
}

/// `{"rooms":{…}}` in pieces, without a Content-Length, as Synapse does.
pub(super) fn all_rooms(version: Option<&Version>) -> Response {
    let mut parts = vec![Bytes::from_static(b"{\"rooms\":{")];
    let rooms = version.iter().flat_map(|version| &version.rooms);
    for (place, (room_id, sessions)) in rooms.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let id = Value::from(room_id.as_str());
        parts.push(format!("{comma}{id}:{{\"sessions\":{{").into());
        push_sessions(&mut parts, sessions);
        parts.push(Bytes::from_static(b"}}"));
    }
    let comma = parts.len() > 1;
    let bulk = version.and_then(|version| version.bulk.clone());
    let more = bulk.map(|bulk| bulk.rooms(comma)).into_iter().flatten();
    in_pieces(parts.into_iter().chain(more).chain([Bytes::from_static(b"}}")]))
}

/// Entries are shared with the account, not copied.
fn push_sessions<'a>(
    parts: &mut Vec<Bytes>,
    sessions: impl IntoIterator<Item = (&'a String, &'a Bytes)>,
) {
    for (place, (session_id, json)) in sessions.into_iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        parts.push(format!("{comma}{}:", Value::from(session_id.as_str())).into());
        parts.push(json.clone());
    }
}

fn in_pieces(mut parts: impl Iterator<Item = Bytes> + Send + 'static) -> Response {
    let pieces = std::iter::from_fn(move || {
        let mut piece = BytesMut::with_capacity(PIECE);
        while piece.len() < PIECE {
            let Some(part) = parts.next() else { break };
            piece.extend_from_slice(&part);
        }
        (!piece.is_empty()).then(|| Ok::<_, std::convert::Infallible>(piece.freeze()))
    });
    let body = Body::from_stream(stream::iter(pieces));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
