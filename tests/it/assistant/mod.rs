//! The terminal assistant: its screens as a person sees them, journeys through the real loop, the built
//! program in a real terminal, and whatever anybody may press at any size.

mod anything;
mod in_between;
mod journey;
mod journeys;
mod keys;
mod leaving;
mod masked;
mod pictures;
mod pty;
mod scene;
mod screens;
mod terminal;
mod whole_way;
