//! What rooms are called, for people to find theirs (spec: room state).

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::Value;

use super::{error::RequestError, request::Request, session::Session};
use crate::base::{cancel::Cancel, limits, shown::Shown};

#[derive(Deserialize)]
struct JoinedRooms {
    // Not as room ids: one odd id must not hide the others.
    joined_rooms: Vec<Value>,
}

#[derive(Deserialize)]
struct NameContent {
    #[serde(default)]
    name: Value,
}

/// The ids of the rooms the user is in, in the server's order; any text, checked by nobody.
pub async fn joined(session: &Session, cancel: &Cancel) -> Result<Vec<String>, RequestError> {
    let request = Request::get("/_matrix/client/v3/joined_rooms", &[]);
    let answer = session.send(request, cancel).await?;
    let rooms: JoinedRooms = answer.json("a list of joined rooms", cancel).await?;
    Ok(rooms.joined_rooms.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// What the room's `m.room.name` says; `None` where it says nothing or may not be asked.
pub async fn name(
    session: &Session,
    room: &str,
    cancel: &Cancel,
) -> Result<Option<Shown>, RequestError> {
    let request = Request::get("/_matrix/client/v3/rooms/{}/state/m.room.name", &[room]);
    let found = match session.send(request, cancel).await {
        Ok(answer) => answer.json::<NameContent>("a room's name", cancel).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(NameContent { name }) => {
            let name = Shown::limited(name.as_str().unwrap_or_default(), limits::ROOM_NAME);
            Ok(Some(name).filter(|name| !name.as_str().is_empty()))
        }
        // A name that cannot be asked for or makes no sense is no reason to leave out the others.
        Err(RequestError::NameUnsendable | RequestError::Odd { .. }) => Ok(None),
        Err(error) if error.is_missing() || error.is_forbidden() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks for the names of many rooms, a few at a time, and tells each as it comes, in any order.
///
/// An error ends it; the names told before stay good.
pub async fn names(
    session: &Session,
    rooms: &[String],
    cancel: &Cancel,
    mut told: impl FnMut(&str, Option<Shown>),
) -> Result<(), RequestError> {
    let asked =
        rooms.iter().map(|room| async move { Ok((room, name(session, room, cancel).await?)) });
    let mut answers = stream::iter(asked).buffer_unordered(limits::NAMES_AT_A_TIME);
    while let Some((room, name)) = answers.try_next().await? {
        told(room, name);
    }
    Ok(())
}
