//! The recovery sheet: everything about an account's backups but the recovery key, to be printed and kept
//! with it.

use std::{io::Write, path::Path};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    failures::writing,
    look::Overview,
    new_file::{self, NewFile, folder_name},
    unlock::{LockKind, SecretKind, Unlocked},
    visit::Visit,
};
use crate::{
    backup::version::BackupVersion,
    base::{
        failure::Failure,
        shown::Shown,
        words::{counted, date},
    },
};

/// Width of the sheet, in cells.
const WIDTH: usize = 80;
/// How wide the names on the left are.
const LEFT: usize = 16;

/// Where a sheet goes.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// The file.
    pub file: &'a Path,
    /// Replace a file of that name.
    pub overwrite: bool,
}

impl Wish<'_> {
    /// Says early what would keep the file from being written.
    pub fn check(&self) -> Result<(), Failure> {
        new_file::is_taken(self.file, self.overwrite).map(drop)
    }
}

/// Writes the sheet of a visit into a file that only its owner reads. Says whether a secret was tried.
pub fn sheet(visit: &Visit, wish: Wish<'_>, zone: &TimeZone) -> Result<bool, Failure> {
    let day = date(Timestamp::now(), zone);
    let text = text(&visit.overview, visit.unlocked.as_ref(), &day);
    let mut file = NewFile::create(wish.file, wish.overwrite)?;
    let written = (&mut file).write_all(text.as_bytes());
    written.map_err(|error| writing(&folder_name(wish.file), &error))?;
    file.settle()?;
    Ok(visit.unlocked.is_some())
}

fn text(overview: &Overview, unlocked: Option<&Unlocked>, day: &str) -> String {
    let mut lines =
        vec![format!(" Recovery sheet{day:>width$}", width = WIDTH - 16), account(overview)];
    match unlocked {
        None => lines.push(row("Opens", "not tried: no recovery key was given that day")),
        Some(unlocked) => lines.extend(opens(overview, unlocked)),
    }
    let closed = |version: &&BackupVersion| {
        unlocked.is_none_or(|unlocked| !unlocked.opens_backups().contains(&version.version))
    };
    let closed = overview.versions.iter().filter(closed).map(|version| backup(version, false));
    let heading = if unlocked.is_some() { "Does not open" } else { "Not tried on" };
    lines.extend(under(heading, closed.collect()));
    lines.push(String::new());
    lines.extend(by_hand(unlocked).into_iter().map(|line| format!(" {line}")));
    lines.into_iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn account(overview: &Overview) -> String {
    let server = overview.server.split_once("//").map_or(&*overview.server, |(_, host)| host);
    let known = |text: &str| match text {
        "" => Shown::new("not known"),
        text => Shown::limited(text, 255),
    };
    let line = row("Account", &format!("{:<25} ", known(&overview.user_id).as_str()));
    format!("{line}Server  {}", known(server))
}

fn row(name: &str, text: &str) -> String {
    format!(" {name:<width$}{text}", width = LEFT - 1)
}

/// Rows of which only the first one has a name in front.
fn under(name: &str, rows: Vec<String>) -> Vec<String> {
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    names.zip(rows).map(|(name, text)| row(name, &text)).collect()
}

fn opens(overview: &Overview, unlocked: &Unlocked) -> Vec<String> {
    let storage = unlocked.fits.iter().filter(|fit| fit.kind == LockKind::SecretStorage);
    let locks: Vec<String> =
        storage.map(|fit| format!("secret storage {}", Shown::limited(&fit.id, 40))).collect();
    let open = unlocked.opens_backups();
    let versions = overview.versions.iter().filter(|version| open.contains(&version.version));
    let backups: Vec<String> = versions.map(|version| backup(version, true)).collect();
    let mut rows = Vec::new();
    if let Some((last, others)) = locks.split_last() {
        rows.extend(others.iter().map(|lock| format!("{lock},")));
        rows.push(match backups.is_empty() {
            true => last.clone(),
            false => format!("{last}, and with it"),
        });
    }
    rows.extend(backups);
    if rows.is_empty() {
        rows.push("nothing on this account that day".to_owned());
    }
    under("Opens", rows)
}

fn backup(version: &BackupVersion, with_keys: bool) -> String {
    let key = match version.public_key() {
        Ok(key) => format!("public key {}", key.fingerprint()),
        Err(_) => "without a public key".to_owned(),
    };
    let keys = version.count.filter(|_| with_keys);
    let keys = keys.map(|count| format!("   {} that day", counted(count, "key")));
    let name = Shown::limited(&version.version, 20);
    format!("backup {name:<3} {key}{}", keys.unwrap_or_default())
}

/// Blank places for what must be written by hand.
fn by_hand(unlocked: Option<&Unlocked>) -> Vec<&'static str> {
    let kind = unlocked.and_then(|unlocked| unlocked.kinds.first());
    match kind {
        Some(SecretKind::Passphrase) => vec![
            "Write your passphrase by hand. keyhaul does not print it.",
            "",
            "  ____________________________________________________________",
            "Capital letters, spaces and dots count.",
        ],
        Some(SecretKind::RawKey) => vec![
            "Write your key by hand, as you gave it. keyhaul does not print it.",
            "",
            "  ____________________________________________________________",
        ],
        _ => vec![
            "Write your recovery key by hand. keyhaul does not print it.",
            "  ____  ____  ____  ____",
            "  ____  ____  ____  ____",
            "  ____  ____  ____  ____",
            "Never there: 0 (zero), O (capital o), I (capital i), l (small L).",
        ],
    }
}
