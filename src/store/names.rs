//! What rooms were called when somebody last looked, for when the server tells no more of them.
//!
//! A file of its own beside the store, because names are wanted before anybody typed a secret. So
//! whoever reads the account's folder learns them: it is private, and holds nothing for a stranger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::folder::{Folder, FolderError, FolderLock};
use crate::base::{limits, shown::Shown};

const NAME: &str = "names.json";
/// The file without any room in it, in bytes.
const FRAME: usize = 16;

/// What the name of a room is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The name that its people gave it.
    Named,
    /// Its main address.
    Alias,
    /// The names of its people.
    People,
    /// The id of the other person in a direct chat.
    Direct,
    /// There is no name.
    #[default]
    Nothing,
}

/// A remembered name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The name.
    pub name: Shown,
    /// What it is made of.
    pub kind: Kind,
    /// Whether the account was not in the room any more.
    pub left: bool,
}

#[derive(Serialize, Deserialize)]
struct Row {
    room_id: String,
    name: String,
    kind: Kind,
    left: bool,
}

#[derive(Default, Deserialize)]
struct File {
    rooms: Vec<Row>,
}

/// The remembered names by room id. A file that cannot be understood counts as none: nothing is lost
/// but names. What it says is made safe again, because others may have written it.
pub fn remembered(folder: &Folder) -> Result<BTreeMap<String, Remembered>, FolderError> {
    let bytes = folder.read(NAME, limits::NAMES_FILE)?.unwrap_or_default();
    let file: File = serde_json::from_slice(&bytes).unwrap_or_default();
    let rows = file.rooms.into_iter().take(limits::NAMES_KEPT);
    let named = rows.filter_map(|Row { room_id, name, kind, left }| {
        let name = Shown::limited(&name, limits::ROOM_NAME);
        let sound = kind != Kind::Nothing && !name.as_str().is_empty();
        sound.then_some((room_id, Remembered { name, kind, left }))
    });
    Ok(named.collect())
}

/// Remembers names in place of earlier ones of the same rooms. If there are too many, the earlier ones
/// of other rooms go first.
pub fn remember(lock: &FolderLock, new: &BTreeMap<String, Remembered>) -> Result<(), FolderError> {
    let _turn = lock.turn();
    // One that cannot be read any more is replaced.
    let old = remembered(lock.folder()).unwrap_or_default();
    let old = old.iter().filter(|(room, _)| !new.contains_key(*room));
    let all = new.iter().chain(old).filter(|(room, _)| room.len() <= limits::NAME);
    let mut json = String::from("{\"rooms\":[");
    let most = usize::try_from(limits::NAMES_FILE).unwrap_or(usize::MAX) - FRAME;
    for (place, (room_id, Remembered { name, kind, left })) in
        all.take(limits::NAMES_KEPT).enumerate()
    {
        let (room_id, name) = (room_id.clone(), name.to_string());
        let row = Row { room_id, name, kind: *kind, left: *left };
        let row = serde_json::to_string(&row).unwrap_or_default();
        if json.len() + row.len() > most {
            break;
        }
        if place > 0 {
            json.push(',');
        }
        json.push_str(&row);
    }
    json.push_str("]}");
    lock.folder().write_private(NAME, json.as_bytes())
}
