//! Use-cases: what a person wants done. The only place that combines the rooms below, and the only
//! one that turns their errors into words.
//!
//! A use-case reports through [`crate::base::progress::Progress`], stops on
//! [`crate::base::cancel::Cancel`], and returns what happened; it never prints.

mod batch;
mod closed;
pub mod contents;
pub mod diff;
pub mod doctor;
mod failures;
pub mod fits;
pub mod haul;
pub mod judged;
pub mod key_files;
mod locks;
pub mod look;
pub mod looks;
pub mod mixed;
pub mod names;
mod new_file;
mod one_room;
mod opener;
mod passphrase;
pub mod passphrase_list;
mod people;
mod pipeline;
pub mod proof;
pub mod prune;
pub mod repair;
pub mod report;
pub mod restore;
pub mod room_by_room;
mod sample;
mod scan;
pub mod secret_file;
pub mod sheet;
pub mod sign_in;
pub mod slips;
pub mod snapshots;
pub mod source;
pub mod spares;
pub mod store;
pub mod tally;
mod target;
pub mod trust;
mod typed;
pub mod unlock;
pub mod visit;
pub mod watch;
pub mod way_on;

use crate::base::failure::{Code, Failure};

/// The result of a thread; a panic in it is a bug of ours, told as one.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, Failure> {
    result.map_err(|_| Failure::new(Code::Bug).because("a worker stopped unexpectedly"))
}
