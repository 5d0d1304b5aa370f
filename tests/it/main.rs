//! The tests.

#[cfg(test)]
mod store;
#[cfg(test)]
mod synapse;
