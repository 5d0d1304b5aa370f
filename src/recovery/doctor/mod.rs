//! A check-up: where does it hang, why, and what is safe to do next? It reads and asks; it writes neither on
//! the server nor on this computer.
//!
//! `gathering` finds out the facts, [`facts`] holds them, [`checks`] and `storage` judge them without asking
//! anybody, and [`findings`] has the words.

pub mod checks;
pub mod facts;
pub mod findings;
mod gathering;
mod storage;
#[cfg(test)]
mod tests;

pub use gathering::{gather, without_visit};
