//! Key files: keys go into one for other apps, and come out of one into the store.

pub mod export;
pub mod import;
pub mod passphrase;

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

/// How other apps take a key file: their own words, as of November 2026.
pub const HOW_TO_IMPORT: [&str; 5] = [
    "In Element: All settings, Encryption, Advanced, Import keys. Verify that device first: before, the \
     button is not there. When it worked, Element says nothing.",
    "In Cinny: Settings, Devices, Import Messages Data. In NeoChat: Settings, Security & Safety, Import \
     Keys. In Nheko: User settings, Encryption, Session Keys, Import.",
    "Element X takes no key file. Type your recovery key there: Settings, Encryption, Enter recovery key.",
    "In another app: look for “import room keys”.",
    "Delete the file when the app has its keys.",
];

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
