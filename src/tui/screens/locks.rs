//! The locks of an account, and which of them a secret opens.

use crate::{
    backup::version::BackupVersion,
    base::{shown::Shown, words::counted},
    recovery::unlock::{Fit, LockKind, SecretKind},
    tui::{
        layout::Regions,
        message::Opened,
        model::Model,
        page::{Row, own},
        theme::Ink,
    },
};

/// A lock of the account.
pub(super) struct Lock {
    kind: LockKind,
    id: String,
    name: Shown,
    about: &'static str,
    keys: Option<u64>,
}

/// The locks of the account: of secret storage first, then its backups.
pub(super) fn locks(model: &Model) -> Vec<Lock> {
    let Some(looked) = &model.backups.looked else { return Vec::new() };
    let storage = looked.overview.locks.listed().into_iter().map(|(id, default)| Lock {
        kind: LockKind::SecretStorage,
        name: lock_name(&id),
        id,
        about: if default { " (default)" } else { "" },
        keys: None,
    });
    let backup = |version: &BackupVersion| Lock {
        kind: LockKind::Backup,
        id: version.version.clone(),
        name: Shown::limited(&version.version, 12),
        about: match model.backups.is_current(version) && !model.is_offline() {
            true => ", current",
            false => "",
        },
        keys: version.count,
    };
    storage.chain(looked.overview.versions.iter().map(backup)).collect()
}

/// A lock of secret storage by the begin of its id.
fn lock_name(id: &str) -> Shown {
    Shown::new(&id.chars().take(4).collect::<String>())
}

/// Every lock, and whether it opens.
pub(super) fn lock_rows(model: &Model, regions: &Regions, room: usize) -> Vec<Row> {
    let locks = locks(model);
    if locks.is_empty() || room < 3 {
        return Vec::new();
    }
    let opened = model.key.opened.as_ref();
    let head = if opened.is_some() { "What it opens" } else { "What it may open on this account" };
    let how = if opened.is_some() { "how" } else { "" };
    let wide = regions.cells().saturating_sub(36).clamp(34, 44);
    let mut rows = vec![Row::of(vec![own("  "), own(head).left(wide + 15), own(how)])];
    let shown = room - 1;
    for lock in locks.iter().take(if locks.len() > shown { shown - 1 } else { shown }) {
        let kind = match lock.kind {
            LockKind::SecretStorage => "Secret storage, lock ",
            LockKind::Backup => "Backup ",
        };
        let name = Shown::new(&format!("{kind}{}{}", lock.name, lock.about));
        let keys = lock.keys.map(|keys| counted(keys, "key")).unwrap_or_default();
        let (sign, words, how) = outcome(lock, opened);
        let ink = if sign == "✓ " { Ink::Ok } else { Ink::Muted };
        let keys_wide = 13;
        let storage = lock.kind == LockKind::SecretStorage;
        let name_wide = if storage { wide } else { wide - keys_wide };
        let mut row = vec![own("  "), own(sign).ink(ink).left(2)];
        // The id of a lock says nothing of anybody; the mask leaves it.
        row.push(own(name.to_string()).left(name_wide));
        if !storage {
            row.push(own(keys).right(keys_wide));
        }
        row.extend([own("  "), own(words).left(11), own(how)]);
        rows.push(Row::of(row));
    }
    if locks.len() > shown {
        rows.push(Row::text(format!("    and {} more", locks.len() + 1 - shown)));
    }
    rows
}

/// Whether a lock opens, and how.
fn outcome(lock: &Lock, opened: Option<&Opened>) -> (&'static str, &'static str, String) {
    let Some(opened) = opened else { return ("  ", "not tried", String::new()) };
    let fits = |fit: &Fit| fit.kind == lock.kind && fit.id == lock.id;
    if opened.fits.iter().any(fits) {
        let held = lock.kind == LockKind::Backup && opened.in_secret_storage.contains(&lock.id);
        let storage = opened.fits.iter().find(|fit| fit.kind == LockKind::SecretStorage);
        let how = match (storage.filter(|_| held), opened.kind) {
            (Some(storage), _) => format!("held in {}", lock_name(&storage.id)),
            (None, SecretKind::Passphrase) => "your passphrase".to_owned(),
            (None, SecretKind::RawKey) => "your raw key".to_owned(),
            (None, _) => "your recovery key".to_owned(),
        };
        return ("✓ ", "opens", how);
    }
    if opened.left_out_seconds.is_some() {
        return ("? ", "not tried", "it takes long".to_owned());
    }
    if lock.kind == LockKind::SecretStorage && opened.cannot_check.contains(&lock.id) {
        return ("? ", "maybe", "nothing to check it with".to_owned());
    }
    ("✗ ", "does not", "–".to_owned())
}
