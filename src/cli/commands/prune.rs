//! `snapshot prune`: which snapshots can go, and with `--yes` away they are.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{
    desk::Desk,
    output::closed,
    progress::size,
    table::{Align, Table},
};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
    },
    recovery::prune::{Pruning, prune},
};

pub(super) fn run(desk: &Desk, files: &[PathBuf]) -> Result<u8, Failure> {
    let pruning = prune(files, &desk.data_dir()?, desk.global.yes)?;
    let document = || {
        json!({
            "snapshots": pruning.snapshots.iter().map(|one| json!({
                "file": one.file,
                "user_id": one.user_id,
                "version": one.version,
                "bytes": one.bytes,
                "complete": one.complete,
                "held_by": one.held_by,
            })).collect::<Vec<_>>(),
            "left_over": pruning.left_over,
            "bytes": pruning.bytes(),
            "removed": pruning.removed,
        })
    };
    desk.output
        .result(document, |lines| {
            if pruning.snapshots.is_empty() {
                lines.line("There are no snapshots here.");
                return;
            }
            lines.table(&table(&pruning));
            let gone = pruning.snapshots.iter().filter(|one| one.held_by.is_some()).count();
            let left_over = pruning.left_over.len();
            let files = grouped((gone + left_over) as u64);
            match (gone + left_over, pruning.removed) {
                (0, _) => lines.line("Each holds something that no other one holds: all stay."),
                (_, true) => {
                    lines.line(format!("✓ {files} removed, {} free.", size(pruning.bytes())));
                }
                (_, false) => {
                    lines.line(format!("{files} can go: {}.", size(pruning.bytes())));
                    lines.line("Nothing was removed. Give --yes to remove them.");
                }
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

fn table(pruning: &Pruning) -> Table {
    let mut table = Table::new(&[
        ("Snapshot", Align::FlexibleId),
        ("Backup", Align::Left),
        ("Size", Align::Right),
        ("", Align::Left),
        ("All of it is in", Align::FlexibleId),
    ]);
    let name = |file: &Path| {
        file.file_name().map(|name| Shown::new(&name.to_string_lossy())).unwrap_or_default()
    };
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
