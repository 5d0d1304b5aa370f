//! `sessions ROOM`: the keys of one room.

use serde_json::json;

use super::{
    super::{
        desk::Desk,
        output::closed,
        table::{Align, Table},
    },
    rooms::NOT_ALL,
};
use crate::{
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
    },
    recovery::{
        contents::{self, RoomSessions, SessionContents},
        visit::Visit,
    },
};

pub(super) async fn run(desk: &mut Desk, room: &str) -> Result<u8, Failure> {
    let visit = desk.visit().await?;
    let result = show(desk, &visit, room).await;
    desk.leave(visit).await;
    result
}

async fn show(desk: &Desk, visit: &Visit, room: &str) -> Result<u8, Failure> {
    let version = visit.overview.choose(&desk.wanted())?;
    let source = visit.rooms(version, vec![room.to_owned()]);
    let store = visit.store(&desk.data_dir()?);
    let RoomSessions { sessions, whole } =
        contents::sessions(source, room, store, desk.progress(), desk.cancel.clone()).await?;
    desk.progress().finish();
    if sessions.is_empty() && whole {
        let version = Shown::limited(&version.version, 20);
        return Err(Failure::new(Code::RoomUnknown).with("n", version));
    }
    let document = || {
        json!({
            "room_id": room,
            "version": version.version,
            "sessions": sessions.iter().map(|session| json!({
                "session_id": session.session_id,
                "first_message_index": session.metadata.first_message_index,
                "is_verified": session.metadata.is_verified,
                "forwarded_count": session.metadata.forwarded_count,
                "restored": session.restored,
            })).collect::<Vec<_>>(),
            "whole": whole,
        })
    };
    desk.output
        .result(document, |lines| {
            let count = grouped(sessions.len() as u64);
            let keys = if sessions.len() == 1 { "key" } else { "keys" };
            lines.line(format!("{count} {keys} of room {}.", Shown::new(room).cut_middle(60)));
            if !whole {
                lines.line(NOT_ALL);
            }
            lines.table(&table(&sessions));
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

fn table(sessions: &[SessionContents]) -> Table {
    let mut table = Table::new(&[
        ("Key", Align::FlexibleId),
        ("From message", Align::Right),
        ("Verified", Align::Left),
        ("Passed on", Align::Right),
        ("Here", Align::Left),
    ]);
    let number = |number: Option<u64>| number.map_or(Shown::new("?"), Shown::from);
    let word = |yes: Option<bool>| match yes {
        Some(true) => Shown::new("yes"),
        Some(false) => Shown::new("no"),
        None => Shown::new("–"),
    };
    for session in sessions {
        table.row([
            Shown::limited(&session.session_id, 80),
            number(session.metadata.first_message_index),
            word(session.metadata.is_verified),
            number(session.metadata.forwarded_count),
            word(session.restored),
        ]);
    }
    table
}
