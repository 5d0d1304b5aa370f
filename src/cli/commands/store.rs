//! `store info` and `store check`.

use serde_json::{Value, json};

use super::super::{desk::Desk, output::closed};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::size,
    },
    recovery::store::{Origin, lock_name},
};

pub(super) async fn info(desk: &mut Desk) -> Result<u8, Failure> {
    let kept = desk.kept().await?;
    let info = kept.info()?;
    let folder = kept.folder().to_string_lossy();
    let document = || {
        json!({
            "folder": folder,
            "keys": info.keys,
            "candidates": info.candidates,
            "rooms": info.rooms,
            "bytes": info.bytes,
            "bytes_per_key": info.bytes_per_key(),
            "locks": info.slots.iter()
                .map(|lock| json!({"kind": lock.kind.word(), "id": lock.id}))
                .collect::<Vec<_>>(),
            "sources": info.sources.iter().map(source_json).collect::<Vec<_>>(),
        })
    };
    desk.output
        .result(document, |lines| {
            lines.line(format!("Store in {}", Shown::new(&folder)));
            lines.line(format!(
                "  {} keys of {} rooms, {}, locked",
                grouped(info.keys),
                grouped(info.rooms),
                size(info.bytes)
            ));
            if info.candidates > 0 {
                let candidates = grouped(info.candidates);
                lines.line(format!(
                    "  {candidates} more in doubt: they disagree with a key beside them"
                ));
            }
            for lock in &info.slots {
                lines.line(format!("  opens with {}", lock_name(lock)));
            }
            for source in &info.sources {
                lines.line(format!("  from {}", source_words(source)));
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

pub(super) async fn check(desk: &mut Desk) -> Result<u8, Failure> {
    let kept = desk.kept().await?;
    let folder = kept.folder().to_string_lossy().into_owned();
    let report = kept.check()?;
    let document = || {
        json!({
            "folder": folder,
            "keys": report.keys,
            "candidates": report.candidates,
            "rooms": report.rooms,
            "damaged": report.damaged,
        })
    };
    desk.output
        .result(document, |lines| {
            let (keys, rooms) = (grouped(report.keys), grouped(report.rooms));
            lines.line(format!("✓ All {keys} keys of {rooms} rooms are whole."));
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

fn source_json(source: &Origin) -> Value {
    match source {
        Origin::Backup { version, public_key } => {
            json!({"kind": "backup", "version": version, "public_key": public_key.to_base64()})
        }
        Origin::KeyFile { name, .. } => json!({"kind": "key_file", "name": name}),
    }
}

fn source_words(source: &Origin) -> String {
    match source {
        Origin::Backup { version, public_key } => {
            format!("backup {} ({})", Shown::limited(version, 20), public_key.fingerprint())
        }
        Origin::KeyFile { name, .. } => format!("the key file “{}”", Shown::limited(name, 80)),
    }
}
