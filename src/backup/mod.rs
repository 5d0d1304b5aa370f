//! The server-side key backup of MSC1219: versions, entries, their lock, the recovery key.
//!
//! Pure: bytes in, values out. The lock is not authenticated (see [`decryption`]): whoever knows a
//! backup's public key, the server included, can add entries that open perfectly.

pub mod decryption;
pub mod encryption;
pub mod entry;
pub mod recovery_key;
pub mod repair;
pub mod scanner;
pub mod signatures;
pub mod version;
