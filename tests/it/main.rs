//! The tests.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod homeserver;
#[cfg(test)]
mod synapse;
