//! keyhaul's own state: one private folder per account, with the keys that were restored, sealed.
//!
//! - [`folder`] – where it lies: private, ours, locked by one run; [`kept_session`], [`looks`] and
//!   [`names`] are small files in it.
//! - [`writer`] and [`reader`] – the open store: one writer thread, any number of readers;
//!   [`sessions`] has what both hand around, [`check`] looks everything over.
//! - [`planned`] – what several versions would bring, one after the other; nothing is written.
//! - [`slots`] – which secrets open it; `seal` – how each record is bound to its place.
//! - `candidates` – which keys of a session are kept (never worsen); `record` – a key as bytes;
//!   [`sources`] – where keys came from; [`journal`] – which entries are done; `schema` – the file.
//!
//! Who copies the folder without a secret learns how many keys, rooms and sources there are, which
//! locks open it, which versions were seen and what rooms are called, and can do nothing with it but
//! guess at a passphrase.

mod candidates;
pub mod check;
pub mod error;
pub mod folder;
pub mod journal;
pub mod kept_session;
pub mod looks;
pub mod names;
pub mod planned;
pub mod reader;
mod record;
mod schema;
mod seal;
pub mod sessions;
pub mod slots;
pub mod sources;
pub mod writer;

pub use candidates::Merged;
