//! `completions` and `man`: made from the same arguments that are parsed.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::super::{args::Args, output::closed};
use crate::base::failure::{Code, Failure};

pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "keyhaul", &mut script);
    print(&script)
}

pub(super) fn man() -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page).map_err(|error| closed(&error))?;
    print(&page)
}

/// Without a terminal and without anything said: what could be said. The exit code is that of wrong usage.
pub(super) fn short_help() -> u8 {
    // Nobody reads stderr any more: the exit code still tells.
    let _ = write!(io::stderr().lock(), "{}", Args::command().render_help());
    Failure::new(Code::Usage).exit()
}

fn print(bytes: &[u8]) -> Result<u8, Failure> {
    io::stdout().lock().write_all(bytes).map_err(|error| closed(&error))?;
    Ok(0)
}
