//! Faults on the wire, each with its number: what a broken network (N) or a hostile server (H) does, and
//! what a person has in hand afterwards.
//!
//! Most are cases in `tests/cases/faults/*.toml`: what the server says in place of its answer, and how a
//! run of the built program must end. What takes a loop, a clock or a certificate is a test in one of
//! the modules here; what other tests hold already is named in [`table::ELSEWHERE`].

mod case;
mod cuts;
mod patience;
mod played;
mod small;
mod table;
mod told;
mod way;
