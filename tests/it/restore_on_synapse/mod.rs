//! The built program against a real Synapse, from the first request to the keys in the store; where
//! a server has to misbehave, against the demo server behind a [`gate`].

mod case;
mod computer;
mod every_command;
mod four_accounts;
mod gate;
mod history;
mod interrupted;
mod kept_keys;
mod looking;
mod one_backup;
mod repaired;
mod several_sources;
mod signed;
mod two_backups;
mod untouched;

use keyhaul::{
    backup::recovery_key,
    base::secret::{Secret32, SecretText},
};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../fixtures/backup-modern.json")).unwrap()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

/// A recovery key as it stands on paper, for a key of 32 equal bytes.
fn on_paper(byte: u8) -> SecretText {
    recovery_key::format(&Secret32::take(&mut [byte; 32]))
}
