//! `snapshot save` and `snapshot info`.

use std::path::Path;

use serde_json::{Value, json};

use super::super::{
    desk::Desk,
    output::{Lines, closed},
};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::size,
    },
    recovery::{
        look::Overview,
        snapshots::{self, Described, Saving},
    },
};

pub(super) async fn save(desk: &mut Desk, file: &Path, with_names: bool) -> Result<u8, Failure> {
    let visit = desk.visit().await?;
    let saved = match visit.overview.choose(&desk.wanted()) {
        Ok(version) => {
            let saving = Saving { file, overwrite: desk.global.overwrite, with_names };
            snapshots::save(saving, &visit, version, desk.progress(), desk.cancel.clone()).await
        }
        Err(failure) => Err(failure),
    };
    desk.progress().finish();
    desk.leave(visit).await;
    let saved = saved?;
    desk.say_sharing(&saved, with_names);
    if saved.file != file {
        let (name, place) = (file.to_string_lossy(), saved.file.to_string_lossy());
        desk.output.say(&format!(
            "{} is another file or holds something that the new one lacks, so it stays. The new one is {}.",
            Shown::new(&name),
            Shown::new(&place)
        ));
    }
    show(desk, &saved)
}

pub(super) async fn info(desk: &Desk, file: &Path) -> Result<u8, Failure> {
    let described = snapshots::describe(file, desk.progress(), desk.cancel.clone()).await;
    desk.progress().finish();
    show(desk, &described?)
}

impl Desk {
    /// Says what somebody else learns from the file, before it is handed on.
    fn say_sharing(&self, saved: &Described, with_names: bool) {
        let names = if with_names { " and names" } else { "" };
        self.output.say(&format!(
            "Whoever gets this file learns the ids{names} of {} rooms and how many keys each has.",
            grouped(saved.contents.rooms.len() as u64)
        ));
        self.output.say("It stays locked. A weak passphrase could be guessed from it; a recovery key could not.");
    }
}

fn show(desk: &Desk, described: &Described) -> Result<u8, Failure> {
    desk.output
        .result(|| document(described), |lines| sentences(lines, described))
        .map_err(|error| closed(&error))?;
    Ok(if described.complete { 0 } else { 3 })
}

fn document(described: &Described) -> Value {
    let version = described.overview.versions.first();
    json!({
        "file": described.file.to_string_lossy(),
        "user_id": described.overview.user_id,
        "server": described.overview.server,
        "version": version.map(|version| &version.version),
        "public_key": version.and_then(|version| version.public_key().ok()).map(|key| key.to_base64()),
        "started": described.started,
        "complete": described.complete,
        "etag_before": described.trailer.as_ref().and_then(|trailer| trailer.etag_before.as_ref()),
        "etag_after": described.trailer.as_ref().and_then(|trailer| trailer.etag_after.as_ref()),
        "count": version.and_then(|version| version.count),
        "entries": described.contents.sessions,
        "rooms": described.contents.rooms.len(),
        "bytes": described.bytes,
        "bare": described.bare,
    })
}

fn sentences(lines: &mut Lines, described: &Described) {
    let version = described.overview.versions.first();
    let name = version.map(|version| Shown::limited(&version.version, 20)).unwrap_or_default();
    lines.line(format!("Snapshot {}", Shown::new(&described.file.to_string_lossy())));
    if described.bare {
        lines.line(format!("  Backup {name}; the file does not say of which account"));
    } else {
        let Overview { user_id, server, .. } = &described.overview;
        lines.line(format!("  Backup {name} of {}", Shown::limited(user_id, 80)));
        lines.line(format!("  on {}", Shown::limited(server, 80)));
    }
    lines.line(format!("  read on {}", described.started));
    lines.line(format!(
        "  {} keys in {} rooms, {}, locked",
        grouped(described.contents.sessions),
        grouped(described.contents.rooms.len() as u64),
        size(described.bytes)
    ));
    lines.line(if described.complete {
        "  complete"
    } else {
        "  incomplete: what is in it can be restored"
    });
}
