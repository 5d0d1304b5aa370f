//! Key files: keys go into one for other apps, and come out of one into the store.

pub mod export;
pub mod import;

use super::failures::IntoFailure;
use crate::{
    base::{
        cancel::Cancel,
        failure::Failure,
        progress::{News, Progress},
        secret::SecretText,
        stretch::Recipe,
    },
    homeserver::RequestError,
    key_file::crypt::{FileKeys, Head},
};

fn stopped() -> Failure {
    RequestError::Cancelled.into_failure()
}

/// Makes the keys of a file, telling how far that is.
fn file_keys(
    head: &Head,
    passphrase: &SecretText,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<FileKeys, Failure> {
    let all = head.recipe().as_ref().map_or(0, Recipe::work);
    let mut done = 0;
    let keys = head.keys(passphrase, &mut |rounds| {
        done += u64::from(rounds);
        progress.tell(News::Stretching { done, all });
        !cancel.is_cancelled()
    });
    keys.ok_or_else(stopped)
}
