//! Megolm as far as recovery needs it: one room's session key, its checks, which of two is better.
//!
//! Ratchets and signatures are vodozemac's; the checks it leaves out are ours (SPEC §3.6).

pub mod message;
pub mod room_key;
pub mod session_key;
