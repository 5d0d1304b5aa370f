//! keyhaul: from a recovery key on paper to readable Matrix history.
//!
//! The house, from the top floor down; arrows point only downwards:
//!
//! | floor | rooms |
//! |---|---|
//! | faces | [`tui`] · [`cli`] |
//! | use-cases | [`recovery`] |
//! | outside world | [`homeserver`] · [`store`] · [`snapshot`] |
//! | pure rules and cryptography | [`backup`] · [`secret_storage`] · [`key_file`] · [`megolm`] |
//! | what everybody may use | [`base`] |
//!
//! [`demo`] stands beside them: an embedded homeserver made of the pure rooms only.
//! `ARCHITECTURE.md` tells how a key travels through the house.

pub mod backup;
pub mod base;
pub mod cli;
pub mod demo;
pub mod homeserver;
pub mod key_file;
pub mod megolm;
pub mod recovery;
pub mod secret_storage;
pub mod snapshot;
pub mod store;
pub mod tui;
