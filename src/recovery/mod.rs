//! Use-cases: what a person wants done. The only place that combines the rooms below, and the only
//! one that turns their errors into words.
//!
//! A use-case reports through [`crate::base::progress::Progress`], stops on
//! [`crate::base::cancel::Cancel`], and returns what happened; it never prints.

mod batch;
pub mod contents;
mod failures;
pub mod look;
mod pipeline;
pub mod restore;
mod scan;
pub mod sign_in;
pub mod snapshots;
pub mod source;
pub mod store;
pub mod tally;
mod target;
pub mod unlock;
pub mod visit;

use crate::base::failure::{Code, Failure};

/// The result of a thread; a panic in it is a bug of ours, told as one.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, Failure> {
    result.map_err(|_| Failure::new(Code::Bug).because("a worker stopped unexpectedly"))
}
