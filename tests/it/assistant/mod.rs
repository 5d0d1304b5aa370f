//! The terminal assistant: its screens as a person sees them, journeys through the real loop, the built
//! program in a real terminal, and whatever anybody may press at any size.

mod anything;
mod fits;
mod from_key_on;
mod guessing;
mod in_between;
mod insight;
mod journey;
mod journeys;
mod journeys_insight;
mod journeys_later;
mod journeys_stories;
mod keys;
mod leaving;
mod masked;
mod mending;
mod pictures;
mod pty;
mod scene;
mod scene_insight;
mod scene_later;
mod screens;
mod screens_later;
mod several;
mod terminal;
mod whole_way;
