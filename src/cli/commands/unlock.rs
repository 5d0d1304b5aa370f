//! `unlock`: what does this secret open? Writes nothing.

use serde_json::json;

use super::super::{desk::Desk, output::closed};
use crate::{
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
    },
    recovery::{
        look::Overview,
        unlock::{Fit, LockKind, SecretKind, Unlocked, failure},
    },
};

pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    let visit = desk.visit_with_secret().await?;
    let result = show(desk, &visit.overview, visit.unlocked.as_ref());
    desk.leave(visit).await;
    result
}

fn show(desk: &Desk, overview: &Overview, unlocked: Option<&Unlocked>) -> Result<u8, Failure> {
    let unlocked = unlocked.ok_or_else(|| Failure::new(Code::SecretMissing))?;
    if unlocked.fits.is_empty() {
        return Err(failure(unlocked, overview, None));
    }
    let document = || {
        json!({
            "secret_is": unlocked.kinds.first().unwrap_or(&SecretKind::Unknown),
            "fits": unlocked.fits,
            "opens_backups": unlocked.opens_backups(),
        })
    };
    desk.output
        .result(document, |lines| {
            for fit in &unlocked.fits {
                lines.line(sentence(fit, overview));
            }
            if unlocked.opens_backups().is_empty() {
                lines.line(failure(unlocked, overview, None).what());
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

fn sentence(fit: &Fit, overview: &Overview) -> String {
    let id = Shown::limited(&fit.id, 40);
    match fit.kind {
        LockKind::SecretStorage if fit.current => {
            format!("✓ It opens secret storage {id}, the one in use.")
        }
        LockKind::SecretStorage => format!("✓ It opens secret storage {id}, not the one in use."),
        LockKind::Backup => {
            let count = overview.versions.iter().find(|version| version.version == fit.id);
            let count = count.and_then(|version| version.count);
            let keys = count.map(|n| format!(" ({} keys)", grouped(n))).unwrap_or_default();
            match (&overview.current, fit.current) {
                (_, true) => format!("✓ It opens backup {id}, the current one{keys}."),
                (Some(current), false) => {
                    format!(
                        "✓ It opens backup {id}{keys}, not the current backup {}.",
                        Shown::limited(current, 20)
                    )
                }
                (None, false) => format!("✓ It opens backup {id}{keys}."),
            }
        }
    }
}
