//! A backup version saved as a file, still locked: haul first, open later.
//!
//! Line 1 says what it is a snapshot of, then comes the keys body as the server sent it, and the
//! last line proves that it is whole. Whoever holds the file learns room ids and counts, and can
//! try passphrases on it; nothing else.

pub mod bare;
pub mod format;
pub mod join;
pub mod place;
pub mod reader;
pub mod writer;
