//! Help, manual and completions: made from the same arguments that are parsed, so each names all.

use clap::{Command, CommandFactory};
use keyhaul::cli::Args;

use crate::program::Lab;

/// Every command with its words, and every option that it shows.
fn all(command: &Command, words: &[String], to: &mut Vec<(Vec<String>, Vec<String>)>) {
    let options = command.get_arguments().filter_map(|arg| arg.get_long());
    to.push((words.to_vec(), options.map(|name| format!("--{name}")).collect()));
    for sub in command.get_subcommands() {
        let words: Vec<_> = words.iter().cloned().chain([sub.get_name().to_owned()]).collect();
        all(sub, &words, to);
    }
}

fn commands() -> Vec<(Vec<String>, Vec<String>)> {
    let mut commands = Vec::new();
    all(&Args::command(), &[], &mut commands);
    assert!(commands.len() > 12);
    commands
}

#[test]
fn help_names_every_command_and_option() {
    let lab = Lab::new();
    let global: Vec<String> = commands().remove(0).1;
    for (words, options) in commands() {
        for end in ["--help", "-h"] {
            let args: Vec<_> = words.iter().map(String::as_str).chain([end]).collect();
            let ended = lab.run(&args).exited(0);
            assert_eq!(ended.stderr, "");
            for option in options.iter().chain(&global) {
                assert!(ended.stdout.contains(option.as_str()), "{option} is missing in {ended}");
            }
        }
    }
    let help = lab.run(&["--help"]).exited(0).stdout;
    for (words, _) in commands().iter().filter(|(words, _)| words.len() == 1) {
        assert!(help.contains(&format!("\n  {}", words[0])), "{words:?}");
    }
    assert!(help.contains("keyhaul --demo"));
}

#[test]
fn manual_and_completions_name_every_command() {
    let lab = Lab::new();
    let page = lab.command(env!("CARGO_BIN_EXE_keyhaul")).arg("man").output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.contains(".TH keyhaul 1"), "{page}");
    let shells = ["bash", "zsh", "fish", "elvish", "powershell"].map(|shell| {
        let script =
            lab.command(env!("CARGO_BIN_EXE_keyhaul")).args(["completions", shell]).output();
        let script = script.unwrap();
        assert!(script.status.success() && script.stderr.is_empty());
        String::from_utf8(script.stdout).unwrap()
    });
    for (words, options) in commands() {
        if let [word] = &words[..] {
            let in_manual = page.contains(word) || page.contains(&word.replace('-', "\\-"));
            assert!(in_manual, "{word} is missing in the manual");
        }
        for script in &shells {
            assert!(words.iter().all(|word| script.contains(word)), "{words:?}");
            assert!(
                options.iter().all(|o| script.contains(o.trim_start_matches('-'))),
                "{options:?}"
            );
        }
    }
}

#[test]
fn version() {
    let ended = Lab::new().run(&["--version"]).exited(0);
    assert_eq!(ended.stdout, concat!("keyhaul ", env!("CARGO_PKG_VERSION"), "\n"));
}
