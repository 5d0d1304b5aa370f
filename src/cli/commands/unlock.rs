//! `unlock`: what does this secret open? Writes nothing.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    super::{
        desk::Desk,
        output::{Lines, closed},
        table::{Align, Table},
    },
    closed_words, fit_table, passphrase_list,
};
use crate::{
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped, waiting},
    },
    recovery::{
        passphrase_list::Searched,
        unlock::{Fit, LockKind, Proof, SecretKind, Unlocked},
        visit::Visit,
        way_on::{Cause, typable},
    },
};

pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    let visit = desk.visit_with_secret().await?;
    let result = show(desk, &visit, None, None);
    desk.leave(visit).await;
    result
}

/// Shows what the secrets opened, and what came of a list of them.
pub(super) fn show(
    desk: &Desk,
    visit: &Visit,
    list: Option<&Searched>,
    saved: Option<&Path>,
) -> Result<u8, Failure> {
    let unlocked = visit.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
    let way_on = visit.way_on().ok_or_else(|| Failure::new(Code::SecretMissing))?;
    if let Some(failure) = visit.fits_nothing() {
        desk.output.explain(|lines| {
            // What is wrong with a key that has a slip in it says more than any table.
            if unlocked.table.tries() == 0 {
                return;
            }
            kinds(unlocked, lines);
            fit_table::print(&unlocked.table, lines);
            lines.line("How that can be, and what helps:");
            let mut list = Table::new(&[("", Align::Left), ("", Align::Flexible)]);
            for cause in Cause::possible(unlocked) {
                list.row([Shown::new(cause.words()), Shown::new(cause.option())]);
            }
            lines.list(&list);
        });
        return Err(failure);
    }
    let left_out = unlocked.left_out_seconds();
    let document = || {
        let mut document = json!({
            "secret_is": unlocked.kinds.first().unwrap_or(&SecretKind::Unknown),
            "fits": unlocked.fits,
            "opens_backups": unlocked.opens_backups(),
            "cannot_check": unlocked.cannot_check,
            "left_out_seconds": left_out,
            "secrets": unlocked.kinds.iter().enumerate().map(|(number, kind)| json!({
                "kind": kind,
                "fits": unlocked.table.of_secret(number).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "table": fit_table::document(&unlocked.table),
            "closed": way_on.closed.iter().map(closed_words::document).collect::<Vec<_>>(),
            "way_on": way_on.what,
        });
        if let (Some(list), Value::Object(document)) = (list, &mut document) {
            document.insert("list".to_owned(), passphrase_list::document(list));
        }
        document
    };
    desk.output
        .result(document, |lines| {
            if let Some(list) = list {
                passphrase_list::lines(list, lines);
            }
            kinds(unlocked, lines);
            for fit in &unlocked.fits {
                lines.line(sentence(fit, visit));
            }
            for key in unlocked.storage_keys.iter().filter(|key| !key.checked) {
                let id = Shown::limited(&key.id, 40);
                lines.line(format!(
                    "  Lock {id} cannot be checked by itself, so keyhaul will only read with it."
                ));
            }
            for id in &unlocked.cannot_check {
                let id = Shown::limited(id, 40);
                lines.line(format!("? Lock {id} has nothing to check a secret with: not known."));
            }
            if let Some(seconds) = left_out {
                let time = waiting(Some(seconds));
                lines.line(format!(
                    "? Locks that ask for about {time} of calculation were left out; --yes tries them."
                ));
            }
            fit_table::print(&unlocked.table, lines);
            lines.sentences(&way_on.what);
            let missed = way_on.closed.iter().filter(|closed| closed.is_missed());
            missed.for_each(|closed| lines.sentences(&closed_words::sentence(closed)));
            lines.line(match way_on.option() {
                Some(option) => {
                    let more = with_files(desk, saved);
                    format!("Next: keyhaul restore{option}{more}")
                }
                None => format!("Next: {}", visit.closed().next_command()),
            });
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

/// The options of the next command that name files: the snapshot that this one read, and what a list opened.
fn with_files(desk: &Desk, saved: Option<&Path>) -> String {
    let files = [("snapshot", desk.global.snapshot.as_deref()), ("secret-file", saved)];
    let options = files.into_iter().filter_map(|(name, file)| {
        Some(format!(" --{name} {}", typable(&file?.to_string_lossy())))
    });
    options.collect()
}

fn kinds(unlocked: &Unlocked, lines: &mut Lines) {
    for (number, kind) in (1..).zip(&unlocked.kinds) {
        let kind = kind_words(*kind);
        lines.line(match unlocked.kinds.len() {
            1 => format!("This is {kind}."),
            _ => format!("Secret {number} is {kind}."),
        });
    }
}

fn kind_words(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::RecoveryKey => "a recovery key; its checksum is right",
        SecretKind::Passphrase => "a passphrase",
        SecretKind::RawKey => "a raw key of 32 bytes",
        SecretKind::Unknown => "neither a recovery key nor a passphrase of this account",
    }
}

/// What a fit means, in a sentence.
pub(super) fn sentence(fit: &Fit, visit: &Visit) -> String {
    let id = Shown::limited(&fit.id, 40);
    match fit.kind {
        LockKind::SecretStorage if fit.current => {
            format!("✓ It opens secret storage {id}, the one in use.")
        }
        LockKind::SecretStorage => format!("✓ It opens secret storage {id}, not the one in use."),
        LockKind::Backup => {
            let overview = &visit.overview;
            let version = overview.versions.iter().find(|version| version.version == fit.id);
            let keys = match (fit.proof, version.and_then(|version| visit.sampled(version))) {
                (Proof::Entries, Some((opened, tried))) => {
                    format!(" ({opened} of {tried} keys tried)")
                }
                _ => version
                    .and_then(|version| version.count)
                    .map(|count| format!(" ({} keys)", grouped(count)))
                    .unwrap_or_default(),
            };
            match (&overview.current, fit.current) {
                // A snapshot does not know what is current now.
                _ if overview.all_found.is_none() => format!("✓ It opens backup {id}{keys}."),
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
