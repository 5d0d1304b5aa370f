//! Secrets that keyhaul found, in a file that only its owner can read: one of the few outputs that hold a
//! secret, and only where somebody asked for it.

use std::path::Path;

use super::{
    failures::writing,
    new_file::{NewFile, folder_name, is_taken},
};
use crate::base::{failure::Failure, secret::SecretText};

/// Says why secrets could not be saved under this name, before anything is searched.
pub fn will_save(file: &Path, overwrite: bool) -> Result<(), Failure> {
    is_taken(file, overwrite).map(drop)
}

/// Saves secrets, each in a line.
pub fn save<'a>(
    secrets: impl Iterator<Item = &'a SecretText>,
    file: &Path,
    overwrite: bool,
) -> Result<(), Failure> {
    let mut new = NewFile::create(file, overwrite)?;
    let failed = |error| writing(&folder_name(file), &error);
    for secret in secrets {
        new.write_secret(secret).map_err(failed)?;
        new.write_secret(&SecretText::new("\n".to_owned())).map_err(failed)?;
    }
    new.settle()
}
