//! keyhaul, the program: arguments, face, exit code; nothing else.

use std::process::ExitCode;

use clap::Parser;
use keyhaul::cli;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    ExitCode::from(match cli::Args::try_parse_from(arguments) {
        Ok(args) => cli::run(args),
        Err(error) => cli::report_usage(&error, json),
    })
}
