//! keyhaul: from a recovery key on paper to readable Matrix history.

pub mod base;
