//! keyhaul: from a recovery key on paper to readable Matrix history.

pub mod backup;
pub mod base;
pub mod megolm;
pub mod secret_storage;
pub mod store;
