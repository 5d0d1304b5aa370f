//! `snapshot prune`: which snapshots can go, and with `--yes` away they are.

use std::path::{Path, PathBuf};

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
        words::size,
    },
    recovery::prune::{Pruning, prune},
};

pub(super) async fn run(desk: &Desk, files: Vec<PathBuf>) -> Result<u8, Failure> {
    let pruning = prune(files, desk.data_dir()?, desk.global.yes, desk.cancel.clone()).await?;
    let text = |file: &Path| file.to_string_lossy().into_owned();
    let document = || {
        json!({
            "snapshots": pruning.snapshots.iter().map(|one| json!({
                "file": text(&one.file),
                "user_id": one.user_id,
                "version": one.version,
                "bytes": one.bytes,
                "complete": one.complete,
                "held_by": one.held_by.as_deref().map(text),
            })).collect::<Vec<_>>(),
            "left_over": pruning.left_over.iter().map(|(file, _)| text(file)).collect::<Vec<_>>(),
            "unreadable": pruning.unreadable.iter().map(|file| text(file)).collect::<Vec<_>>(),
            "bytes": pruning.bytes(),
            "removed": pruning.removed,
        })
    };
    desk.output
        .result(document, |lines| {
            let gone = pruning.snapshots.iter().filter(|one| one.held_by.is_some()).count();
            let gone = gone + pruning.left_over.len();
            if !pruning.snapshots.is_empty() {
                lines.table(&table(&pruning));
            }
            for file in &pruning.unreadable {
                lines.line(format!("! {} cannot be read as a snapshot; it stays.", name(file)));
            }
            for (file, _) in &pruning.left_over {
                lines.line(format!("  {} is unfinished and holds nothing of its own.", name(file)));
            }
            let (files, bytes) = (grouped(gone as u64), size(pruning.bytes()));
            match (gone, pruning.removed) {
                (0, _) if pruning.snapshots.is_empty() && pruning.unreadable.is_empty() => {
                    lines.line("There are no snapshots here.");
                }
                (0, _) => lines.line("Each holds something that no other one holds: all stay."),
                (_, true) => lines.line(format!("✓ {files} removed, {bytes} free.")),
                (_, false) => {
                    lines.line(format!("{files} can go: {bytes}."));
                    lines.line("Nothing was removed. Give --yes to remove them.");
                }
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

fn name(file: &Path) -> Shown {
    file.file_name().map(|name| Shown::new(&name.to_string_lossy())).unwrap_or_default()
}

fn table(pruning: &Pruning) -> Table {
    let mut table = Table::new(&[
        ("Snapshot", Align::FlexibleId),
        ("Backup", Align::Left),
        ("Size", Align::Right),
        ("", Align::Left),
        ("All of it is in", Align::FlexibleId),
    ]);
    for one in &pruning.snapshots {
        let state = match (&one.held_by, one.complete) {
            (Some(_), _) => "can go",
            (None, true) => "stays",
            (None, false) => "stays, incomplete",
        };
        table.row([
            name(&one.file),
            Shown::limited(&one.version, 20),
            Shown::new(&size(one.bytes)),
            Shown::new(state),
            one.held_by.as_deref().map(name).unwrap_or_default(),
        ]);
    }
    table
}
