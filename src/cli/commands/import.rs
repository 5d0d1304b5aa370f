//! `import`: keys of a key file into the store.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{
    super::{desk::Desk, output::closed},
    refusals,
};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
    },
    recovery::key_files::import::{Import, Imported, Into, import, opens_slowly},
};

pub(super) async fn run(
    desk: &mut Desk,
    file: PathBuf,
    passphrase: Option<&Path>,
) -> Result<u8, Failure> {
    let slow = desk.global.yes || is_worth_waiting(desk, &file).await?;
    let imported = if desk.goes_somewhere() {
        let visit = desk.visit_with_secret().await?;
        let imported = match desk.file_passphrase(passphrase, false).await {
            Ok(passphrase) => {
                let data_dir = desk.data_dir()?;
                let into = Into::Account { visit: &visit, data_dir: &data_dir };
                take(desk, into, Import { file: file.clone(), passphrase, slow }).await
            }
            Err(failure) => Err(failure),
        };
        desk.leave(visit).await;
        imported?
    } else {
        let into = Into::Kept(desk.kept().await?);
        let passphrase = desk.file_passphrase(passphrase, false).await?;
        take(desk, into, Import { file: file.clone(), passphrase, slow }).await?
    };
    show(desk, &file, &imported)
}

async fn take(desk: &Desk, into: Into<'_>, wish: Import) -> Result<Imported, Failure> {
    let imported = import(into, wish, desk.progress(), desk.cancel.clone()).await;
    desk.progress().finish();
    imported
}

/// Asks before a file is opened that asks for very much calculation; other files are not asked about.
async fn is_worth_waiting(desk: &Desk, file: &Path) -> Result<bool, Failure> {
    match opens_slowly(file) {
        Some(slow) if !desk.go_on_although(&slow).await? => Err(slow),
        slow => Ok(slow.is_some()),
    }
}

fn show(desk: &Desk, file: &Path, imported: &Imported) -> Result<u8, Failure> {
    let tally = &imported.tally;
    let name = file.to_string_lossy();
    let document = || {
        json!({
            "file": name,
            "sessions": tally.figures.entries,
            "new": tally.figures.new,
            "better": tally.figures.better,
            "unchanged": tally.figures.unchanged,
            "candidates": tally.figures.candidates,
            "refused": tally.refused,
            "refused_count": tally.figures.refused,
            "refused_file": tally.refused_file().map(Path::to_string_lossy),
            "stored_total": imported.stored_total,
        })
    };
    desk.output
        .result(document, |lines| {
            let (taken, all) = (grouped(tally.figures.opened), grouped(tally.figures.entries));
            lines.line(format!("{taken} of {all} keys of {} are taken.", Shown::new(&name)));
            for line in refusals::counts(tally) {
                lines.line(line);
            }
            if let Some(sentence) = refusals::sentence(tally, "taken") {
                lines.line(sentence);
                lines.table(&refusals::reasons(tally));
                lines.line(refusals::named_in(tally));
            }
            let stored = grouped(imported.stored_total);
            lines.line(format!("{stored} keys are in the store on this computer, locked."));
        })
        .map_err(|error| closed(&error))?;
    Ok(if tally.figures.refused > 0 { 3 } else { 0 })
}
