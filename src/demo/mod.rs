//! An embedded homeserver with a made-up account, for trying keyhaul and for tests.
//!
//! Everything here is invented and public: its "secrets" are the same on every computer and protect
//! nothing. The cryptography is real, so whatever works here works with a real account.

pub mod account;
pub mod random;
pub mod running;
pub mod server;
pub mod stories;
pub mod timeline;

mod answers;
mod chats;
mod endpoints;
mod forge;
mod history;
mod room_endpoints;
mod rooms;
