//! `completions` and `man`: made from the same arguments that are parsed.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::super::{args::Args, output::closed};
use crate::base::failure::Failure;

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

fn print(bytes: &[u8]) -> Result<u8, Failure> {
    io::stdout().lock().write_all(bytes).map_err(|error| closed(&error))?;
    Ok(0)
}
