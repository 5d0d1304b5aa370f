//! What a client wants to put into a backup version, and putting it there, as Synapse goes about it: hardly
//! anything is checked, and a request that fails in its middle may be half done.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    account::Version,
    answers::Denial,
    endpoints::Answer,
    replacement::{Rule, Told},
};

/// Entries as they came in, by room and session.
pub(super) struct Upload(Vec<(String, Vec<(String, Value)>)>);

impl Upload {
    /// The body of `PUT /room_keys/keys`.
    pub(super) fn of_rooms(body: &[u8]) -> Answer<Self> {
        let rooms = members(object(body)?, "rooms")?;
        let rooms = rooms.into_iter().map(|(room, content)| {
            let Value::Object(content) = content else { return Err(Denial::Internal) };
            Ok((room, members(content, "sessions")?.into_iter().collect()))
        });
        Ok(Self(rooms.collect::<Answer<_>>()?))
    }

    /// The body of `PUT /room_keys/keys/{room}`.
    pub(super) fn of_room(room: String, body: &[u8]) -> Answer<Self> {
        let sessions = members(object(body)?, "sessions")?;
        Ok(Self(vec![(room, sessions.into_iter().collect())]))
    }

    /// The body of `PUT /room_keys/keys/{room}/{session}`.
    pub(super) fn of_session(room: String, session: String, body: &[u8]) -> Answer<Self> {
        Ok(Self(vec![(room, vec![(session, Value::Object(object(body)?))])]))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the entries into a version and tells how many of its entries changed. Entries that are there
    /// already are replaced one by one; new ones come in all together, at the end.
    pub(super) fn put(self, version: &mut Version, rule: Rule) -> Answer<u64> {
        let mut changed = 0;
        let mut added = Vec::new();
        for (room, sessions) in self.0 {
            for (session, entry) in sessions {
                let verified = entry.get("is_verified").ok_or(Denial::Internal)?;
                let verified = verified.as_bool().ok_or_else(|| not_boolean(&room, &session))?;
                let stored = version.rooms.get(&room).and_then(|sessions| sessions.get(&session));
                match stored {
                    Some(stored) => {
                        let new = told(&entry, verified).ok_or(Denial::Internal)?;
                        if rule.replaces(stored_as(stored), new) {
                            insert(version, room.clone(), session, kept(&entry)?);
                            changed += 1;
                        }
                    }
                    None => added.push((room.clone(), session, entry)),
                }
            }
        }
        let added =
            added.into_iter().map(|(room, session, entry)| Ok((room, session, kept(&entry)?)));
        for (room, session, entry) in added.collect::<Answer<Vec<_>>>()? {
            insert(version, room, session, entry);
            changed += 1;
        }
        Ok(changed)
    }
}

/// A body that must be a JSON object.
pub(super) fn object(body: &[u8]) -> Answer<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Denial::Bad("M_BAD_JSON", "Content must be a JSON object.".into())),
        Err(_) => Err(Denial::Bad("M_NOT_JSON", "Content not JSON.".into())),
    }
}

/// The members of a member that must be there.
fn members(mut object: Map<String, Value>, name: &str) -> Answer<Map<String, Value>> {
    match object.remove(name) {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(Denial::Internal),
    }
}

fn not_boolean(room: &str, session: &str) -> Denial {
    // Without a space before the room, as Synapse writes it.
    let words =
        format!("is_verified must be a boolean in keys for session {session} inroom {room}");
    Denial::Bad("M_INVALID_PARAM", words.into())
}

fn told(entry: &Value, verified: bool) -> Option<Told> {
    let number = |name: &str| entry.get(name)?.as_i64();
    let (first, forwarded) = (number("first_message_index")?, number("forwarded_count")?);
    Some(Told { verified, first, forwarded })
}

/// What a stored entry says; one that was stored without numbers is the worst there is.
fn stored_as(entry: &Bytes) -> Told {
    let entry: Value = serde_json::from_slice(entry).unwrap_or_default();
    let verified = entry.get("is_verified").and_then(Value::as_bool).unwrap_or_default();
    let worst = Told { verified, first: i64::MAX, forwarded: i64::MAX };
    told(&entry, verified).unwrap_or(worst)
}

/// The four members that are kept of an entry, in the order in which they are told again.
fn kept(entry: &Value) -> Answer<Bytes> {
    let member = |name: &str| entry.get(name).ok_or(Denial::Internal);
    let entry = json!({
        "first_message_index": member("first_message_index")?,
        "forwarded_count": member("forwarded_count")?,
        "is_verified": member("is_verified")?,
        "session_data": member("session_data")?,
    });
    Ok(Bytes::from(entry.to_string()))
}

/// What was known to be wrong with an older entry in this place is no longer so.
fn insert(version: &mut Version, room: String, session: String, entry: Bytes) {
    version.damaged.remove(&(room.clone(), session.clone()));
    version.rooms.entry(room).or_default().insert(session, entry);
}
