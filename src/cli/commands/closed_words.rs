//! Versions that stay closed, and what could open them, for every command that meets some.

use serde_json::{Value, json};

use crate::{
    base::{shown::Shown, words::counted},
    recovery::way_on::{Closed, Opener},
};

/// One version in a sentence or two.
pub(super) fn sentence(closed: &Closed) -> String {
    let version = Shown::limited(&closed.version, 20);
    let keys = closed.count.map(|count| format!(" ({})", counted(count, "key")));
    let keys = keys.unwrap_or_default();
    match closed.could_open.is_empty() {
        true => format!("Backup {version}{keys} stays closed: {}.", closed.openers()),
        false => {
            format!("Backup {version}{keys} stays closed. It opens with {}.", closed.openers())
        }
    }
}

/// One version in a document.
pub(super) fn document(closed: &Closed) -> Value {
    let could_open = closed.could_open.iter().map(|opener| match opener {
        Opener::RecoveryKey => json!({"kind": "recovery_key"}),
        Opener::Passphrase => json!({"kind": "passphrase"}),
        Opener::Storage { id, default, passphrase } => json!({
            "kind": "secret_storage",
            "id": id,
            "default": default,
            "passphrase": passphrase,
        }),
    });
    json!({
        "version": closed.version,
        "count": closed.count,
        "current": closed.current,
        "could_open": could_open.collect::<Vec<_>>(),
    })
}
