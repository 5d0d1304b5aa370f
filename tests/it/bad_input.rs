//! Whatever goes wrong, the program says what happened, what is safe and what to do next, with the
//! code word and exit code of its contract: to people on stderr, to programs as one document.

mod backups;
mod in_parts;
mod local;
mod network;
mod recovery_keys;
mod sign_in;
mod snapshots;
mod stopping;
mod stores;
mod usage;
