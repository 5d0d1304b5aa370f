//! The ways in.

pub mod flows;
pub mod password;
pub mod token;
