//! `report`: what support needs, and nothing secret.

use std::path::Path;

use serde_json::json;

use super::{
    super::{desk::Desk, output::closed},
    doctor::examine,
};
use crate::{
    base::{failure::Failure, shown::Shown, words::counted},
    recovery::report::{Wish, report},
};

pub(super) async fn run(desk: &mut Desk, file: &Path, with_ids: bool) -> Result<u8, Failure> {
    let wish = Wish { file, overwrite: desk.global.overwrite, with_ids };
    wish.check()?;
    let facts = examine(desk).await?;
    let reported = report(&facts, wish)?;
    let name = file.to_string_lossy();
    let document = || json!({"file": name, "with_ids": with_ids, "findings": reported.findings});
    desk.output
        .result(document, |lines| {
            lines.line(format!("The report is in {}.", Shown::new(&name)));
            lines.sentences(if with_ids {
                "It has no secrets and no messages; ids and the server's address are in it as they are."
            } else {
                "It has no secrets, no names and no messages; ids are in it as words without a meaning."
            });
            let found = counted(reported.findings.len() as u64, "finding");
            lines.line(format!("It tells of {found}. Read it before you hand it on."));
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}
