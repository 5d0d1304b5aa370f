//! The face for commands: arguments in, plain lines or one JSON document out.
//!
//! It holds no logic of recovery: each command asks a use-case and shows what it returns.

mod args;
mod commands;
mod desk;
mod inputs;
mod logging;
mod output;
mod process;
mod progress;
mod sides;
mod table;

pub use args::{Args, Command};
pub use commands::run;
pub use output::report_usage;
pub use sides::SideWord;
