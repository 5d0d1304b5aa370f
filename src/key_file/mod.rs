//! Element's key file (spec: key exports; SPEC §6): room keys for another app, locked with a
//! passphrase.
//!
//! Reading is lenient and streams, so that a file of any client opens and memory stays flat; writing
//! is strict, because some apps refuse a whole file for one session that they do not like.
//!
//! - [`armor`] – the text around the bytes; [`crypt`] – salt, rounds, MAC and cipher.
//! - [`reading`] – from a file to its sessions; `elements` – cuts their list into sessions.
//! - [`writing`] – from sessions to a file; [`portable`] – what of a key may go into one.

pub mod armor;
pub mod crypt;
mod elements;
pub mod portable;
pub mod reading;
pub mod writing;
