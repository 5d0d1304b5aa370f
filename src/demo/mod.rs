//! An embedded homeserver with a made-up account, for trying keyhaul and for tests.
//!
//! Everything here is invented and public: its "secrets" are the same on every computer and protect
//! nothing. The cryptography is real, so whatever works here works with a real account.

pub mod account;
pub mod bulk;
pub mod kinds;
pub mod random;
pub mod replacement;
pub mod running;
pub mod server;
pub mod setting;
pub mod stories;
pub mod timeline;
pub mod weather;

mod answers;
mod chats;
mod devices;
mod endpoints;
mod forge;
mod history;
mod key_endpoints;
mod login_limits;
mod room_endpoints;
mod rooms;
mod sign_in_endpoints;
mod upload;
mod version_endpoints;
