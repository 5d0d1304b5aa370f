//! The tests.

#[cfg(test)]
mod synapse;
