//! `rooms`: what a version holds, room by room.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::json;

use super::super::{
    desk::Desk,
    output::closed,
    table::{Align, Table},
};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
    },
    recovery::{contents, visit::Visit},
};

/// What people are told where only a part could be read.
pub(super) const NOT_ALL: &str = "This is not all: the snapshot or the answer is cut or damaged.";

pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    let visit = desk.visit().await?;
    let result = show(desk, &visit).await;
    desk.leave(visit).await;
    result
}

async fn show(desk: &Desk, visit: &Visit) -> Result<u8, Failure> {
    let version = visit.overview.choose(&desk.wanted())?.clone();
    let data_dir = desk.data_dir()?;
    let source = visit.whole(&version, Some(&data_dir));
    let store = visit.store(&data_dir);
    let contents =
        contents::contents(source, None, store, None, desk.progress(), desk.cancel.clone()).await?;
    let ids = contents.rooms.keys();
    let names = visit.names(ids, Some(&data_dir), &*desk.progress(), &desk.cancel).await;
    desk.progress().finish();

    let mut rooms: Vec<_> = contents.rooms.iter().collect();
    rooms.sort_by(|(a_id, a), (b_id, b)| b.sessions.cmp(&a.sessions).then(a_id.cmp(b_id)));
    let restored = |count: u64| contents.compared.then_some(count);
    let document = || {
        json!({
            "version": version.version,
            "etag": version.etag,
            "sessions": contents.sessions,
            "rooms": rooms.iter().map(|(id, room)| json!({
                "room_id": id,
                "name": names.get(*id).map(Shown::as_str),
                "sessions": room.sessions,
                "partial": room.partial,
                "unverified": room.unverified,
                "forwarded": room.forwarded,
                "restored": restored(room.restored),
            })).collect::<Vec<_>>(),
            "whole": contents.whole,
        })
    };
    desk.output
        .result(document, |lines| {
            let (keys, count) = (grouped(contents.sessions), grouped(rooms.len() as u64));
            lines.line(format!(
                "Backup {}: {keys} keys in {count} rooms.",
                Shown::limited(&version.version, 20)
            ));
            let announced = version.count.filter(|count| *count > contents.sessions);
            if !contents.whole {
                lines.line(NOT_ALL);
            } else if let Some(announced) = announced {
                let announced = grouped(announced);
                lines.line(format!("This is not all: the server announced {announced} keys."));
            }
            let mut table = Table::new(&[
                ("Room", Align::Flexible),
                ("Keys", Align::Right),
                ("Start late", Align::Right),
                ("Passed on", Align::Right),
                ("Here", Align::Right),
            ]);
            let label = labels(&names);
            for (id, room) in &rooms {
                table.row([
                    label(id),
                    Shown::from(room.sessions),
                    Shown::from(room.partial),
                    Shown::from(room.forwarded),
                    restored(room.restored).map_or(Shown::new("–"), Shown::from),
                ]);
            }
            lines.table(&table);
            lines.line("A key that starts late cannot open the messages from before its start.");
            lines.line("A key that was passed on came by way of another device.");
            match (contents.compared, &visit.unlocked) {
                (true, _) => {}
                (false, None) => lines.line("What is here is known once a recovery key is given."),
                (false, Some(_)) => lines.line("Nothing is here yet that this recovery key opens."),
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

/// What rooms are called. A name that another room bears, too, is told apart by the id.
pub(super) fn labels(names: &BTreeMap<Arc<str>, Shown>) -> impl Fn(&Arc<str>) -> Shown {
    let mut bearers = HashMap::<&str, usize>::new();
    names.values().for_each(|name| *bearers.entry(name.as_str()).or_default() += 1);
    move |id| {
        let short = |cells| Shown::new(id).cut_middle(cells);
        let is_shared = |name: &Shown| bearers.get(name.as_str()).is_some_and(|&rooms| rooms > 1);
        match names.get(id) {
            Some(name) if is_shared(name) => Shown::new(&format!("{} {}", name.cut(24), short(16))),
            Some(name) => name.clone(),
            None => short(24),
        }
    }
}
