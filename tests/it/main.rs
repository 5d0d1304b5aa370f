//! The tests.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod synapse;
