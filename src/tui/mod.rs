//! The face for people: a terminal assistant that leads from sign-in to contents.
//!
//! One key press goes: terminal event → [`input`] (with [`keymap`]) → [`message::Message`] → `update` (pure)
//! → [`effect::Effect`]s for the [`runner`], and a new [`model::Model`] → `screens` say it as a
//! [`page::Page`] → [`draw`] puts it on the window with the [`pen`], the only door to the screen.

mod backups;
mod check_up;
pub mod clipboard;
mod compare_step;
mod field;
mod guess_step;
mod haul;
mod jobs;
mod key_field;
mod key_step;
mod list;
mod mend;
mod overlay;
mod paper_form;
mod proof_step;
mod restore_step;
mod rooms;
mod screens;
mod sign_in;
mod take_away;
mod update;

pub mod draw;
pub mod effect;
pub mod input;
pub mod intent;
pub mod keymap;
pub mod layout;
pub mod message;
pub mod model;
pub mod open;
pub mod page;
pub mod pen;
pub mod run;
pub mod runner;
pub mod terminal;
pub mod theme;

pub use compare_step::Beside;
pub use field::Edit;
pub use paper_form::Paper;
