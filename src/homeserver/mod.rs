//! Everything keyhaul says to a homeserver: the only room that opens a network connection.
//!
//! | file | knows |
//! |---|---|
//! | `client` | one server: connection rules, and the door with its table of harmless requests |
//! | `request`, `answer` | one question, one bounded answer |
//! | `error`, `cause` | what can go wrong, and how to tell from the layers below |
//! | `retry` | when a request is sent again |
//! | `permit` | proof that a person agreed to a writing request |
//! | `session` | who we are: signed in here, or borrowing another app's token |
//! | `discovery`, `sign_in`, `sign_out` | the way in and out |
//! | `pulse` | whether the server answers, and its clock |
//! | `room_keys`, `account_data`, `device_keys`, `rooms`, `history`, `sliding_sync` | what is read |
//!
//! Paths are built here and not by ruma's request types: those leave `%` in a name as it is, so a
//! hostile version name (`%2e%2e`) would reach another endpoint, and they copy the access token
//! into memory that nobody wipes. Identifiers are ruma's.

pub mod account_data;
mod answer;
mod cause;
mod client;
pub mod device_keys;
pub mod discovery;
mod error;
pub mod history;
mod permit;
pub mod pulse;
mod request;
mod retry;
pub mod room_keys;
pub mod rooms;
mod session;
pub mod sign_in;
mod sign_out;
pub mod sliding_sync;

pub use answer::Answer;
pub use client::{AddressError, Client, Free, NEEDS_NO_PERMIT, Patience, Settings};
pub use error::{Distrust, RequestError};
pub use permit::{AgreedPlan, WritePermit};
pub use request::Request;
pub use session::{Origin, OwnSession, Session};
pub use sign_out::sign_out;
