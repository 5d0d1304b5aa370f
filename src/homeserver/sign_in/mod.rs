//! The ways in.

pub mod password;
pub mod token;
