//! What every room may use: secrets, safe text, failures, limits, progress, cancel.
//!
//! The lowest floor: it knows nothing of Matrix and nothing of the outside world.

pub mod base64;
pub mod cancel;
pub mod ctr;
pub mod failure;
pub mod limits;
pub mod pause;
pub mod progress;
pub mod random;
pub mod secret;
pub mod shown;
pub mod stretch;
pub mod words;
