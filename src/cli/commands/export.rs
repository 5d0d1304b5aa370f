//! `export`: keys of the store into a key file for other apps.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::{desk::Desk, output::closed};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::size,
    },
    recovery::key_files::{
        HOW_TO_IMPORT,
        export::{Export, Exported, export},
    },
};

pub(super) async fn run(
    desk: &mut Desk,
    file: PathBuf,
    rooms: Vec<String>,
    passphrase: Option<&Path>,
) -> Result<u8, Failure> {
    let rooms = desk.rooms(rooms).await?;
    let kept = desk.kept().await?;
    let passphrase = desk.file_passphrase(passphrase, true).await?;
    let overwrite = desk.global.overwrite;
    let wish = Export { file: file.clone(), rooms, passphrase, overwrite };
    let exported = export(kept, wish, desk.progress(), desk.cancel.clone()).await;
    desk.progress().finish();
    show(desk, &file, &exported?)
}

fn show(desk: &Desk, file: &Path, exported: &Exported) -> Result<u8, Failure> {
    let name = file.to_string_lossy();
    let document = || {
        json!({
            "file": name,
            "rooms": exported.rooms,
            "sessions": exported.sessions,
            "bytes": exported.bytes,
            "left_out": exported.left_out,
            "left_out_count": exported.left_out_count,
        })
    };
    desk.output
        .result(document, |lines| {
            let rooms = match exported.rooms {
                1 => "1 room".to_owned(),
                rooms => format!("{} rooms", grouped(rooms as u64)),
            };
            let (keys, size) = (grouped(exported.sessions), size(exported.bytes));
            lines.line(format!("✓ {keys} keys of {rooms} are in {} ({size}).", Shown::new(&name)));
            lines.line("✓ The file was read back with the passphrase.");
            for (count, words) in exported.left_out_words() {
                lines.line(format!("! {} {words}", grouped(count)));
            }
            if exported.left_out_count > 0 {
                let all = exported.left_out.len() as u64 == exported.left_out_count;
                let named = if all { "Each of them is" } else { "The first of them are" };
                lines.line(format!("  {named} named in the result of --json."));
            }
            for how in HOW_TO_IMPORT {
                lines.line(how);
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(if exported.missing > 0 { 3 } else { 0 })
}
