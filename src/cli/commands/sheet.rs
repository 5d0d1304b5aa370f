//! `sheet`: the recovery sheet, with everything but the recovery key.

use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::json;

use super::super::{desk::Desk, output::closed};
use crate::{
    base::{
        failure::{Code, Failure},
        shown::Shown,
    },
    recovery::sheet::{Wish, sheet},
};

pub(super) async fn run(desk: &mut Desk, file: &Path) -> Result<u8, Failure> {
    if desk.global.secret_file.len() > 1 {
        return Err(Failure::new(Code::Usage)
            .because("a recovery sheet goes with one recovery key: give --secret-file once"));
    }
    let wish = Wish { file, overwrite: desk.global.overwrite };
    wish.check()?;
    let visit = desk.visit().await?;
    let written = sheet(&visit, wish, &TimeZone::system());
    desk.leave(visit).await;
    let tried = written?;
    let name = file.to_string_lossy();
    desk.output
        .result(
            || json!({"file": name, "tried": tried}),
            |lines| {
                lines.line(format!("The recovery sheet is in {}.", Shown::new(&name)));
                lines.line(
                    "Print it, and write your recovery key on it by hand: it is not in the file.",
                );
                if !tried {
                    lines.line(
                        "What a recovery key opens is on it if you give one with --secret-file.",
                    );
                }
            },
        )
        .map_err(|error| closed(&error))?;
    Ok(0)
}
