//! The demo account holds what it says, and the demo server answers as the recorded Synapse does.

use std::sync::OnceLock;

use keyhaul::demo::{account::Account, stories::Story};

mod history;
mod kinds;
mod opening;
mod rooms;
mod serving;
mod staying;
mod told;
mod weather;
mod writing;

pub(crate) use serving::encoded;

pub(crate) fn account() -> &'static Account {
    static ACCOUNT: OnceLock<Account> = OnceLock::new();
    ACCOUNT.get_or_init(|| Story::Plain.account())
}
