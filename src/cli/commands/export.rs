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
    recovery::key_files::export::{Export, Exported, export},
};

pub(super) async fn run(
    desk: &mut Desk,
    file: PathBuf,
    rooms: Vec<String>,
    passphrase: Option<&Path>,
) -> Result<u8, Failure> {
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
            for (count, words) in left_out(exported) {
                lines.line(format!("! {} {words}", grouped(count)));
            }
            if exported.left_out_count > 0 {
                let all = exported.left_out.len() as u64 == exported.left_out_count;
                let named = if all { "Each of them is" } else { "The first of them are" };
                lines.line(format!("  {named} named in the result of --json."));
            }
            lines.line(
                "In Element: Settings, Encryption, Import keys; choose the file and type the",
            );
            lines.line("passphrase. In another app: look for “import room keys”.");
            lines.line("Delete the file when the app has its keys.");
        })
        .map_err(|error| closed(&error))?;
    Ok(if exported.missing > 0 { 3 } else { 0 })
}

/// What is not in the file, in words.
fn left_out(exported: &Exported) -> Vec<(u64, &'static str)> {
    let count = |reasons: &[&str]| {
        reasons.iter().filter_map(|reason| exported.reasons.get(reason)).sum::<u64>()
    };
    let words = [
        (
            count(&["bad_sender_key", "malformed"]),
            "left out: they lack a part without which Element refuses the file.",
        ),
        (
            count(&["candidate"]),
            "left out: in doubt, because another key of the same session is preferred.",
        ),
        (count(&["bad_claim"]), "written without a claim that no app could read."),
    ];
    words.into_iter().filter(|(count, _)| *count > 0).collect()
}
