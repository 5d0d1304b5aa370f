//! `keyhaul` alone: opens the assistant, with what the options say filled in.

use std::{env, io::IsTerminal, path::Path};

use super::super::{
    args::{Args, Global, ThemeName},
    desk::Desk,
};
use crate::{
    base::failure::{Code, Failure},
    recovery::sign_in::Way,
    tui::{
        model::{Ending, Start},
        open::{Options, open},
        theme::Theme,
    },
};

/// Says whether the assistant is wanted and there is a terminal for it.
pub(super) fn is_wanted(args: &Args) -> bool {
    let term = env::var("TERM").unwrap_or_default();
    args.command.is_none()
        && !args.global.json
        && args.global.demo.as_deref() != Some("list")
        && std::io::stdout().is_terminal()
        && !term.is_empty()
        && term != "dumb"
}

/// Runs the assistant, and says at its end what remains.
pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    if let Some(story) = desk.global.demo.clone() {
        desk.start_demo(&story).await?;
    }
    let options = options(desk).await?;
    let Ending { exit, words } = open(options).await?;
    for line in words {
        desk.output.say(&line);
    }
    Ok(exit)
}

async fn options(desk: &mut Desk) -> Result<Options, Failure> {
    let way = desk.way_at_hand().await?;
    let here = desk.surroundings()?;
    let demo = desk.demo.take().map(|demo| (demo, here.data_dir.clone()));
    // Somebody may leave the demo for an account of their own, whose files are no part of it.
    let surroundings = desk.surroundings().unwrap_or(here);
    let global = desk.global.clone();
    if let Some(snapshot) = &global.snapshot {
        must_exist(snapshot)?;
    }
    let language = language();
    Ok(Options {
        surroundings,
        save: !global.no_snapshot,
        wanted: desk.wanted(),
        theme: theme(&global),
        ascii: global.ascii || is_plain(&language),
        calm: global.reduce_motion,
        mouse: !global.no_mouse,
        language,
        home: etcetera::home_dir().ok(),
        display: has_display(),
        start: Start {
            user: global.user,
            server: global.homeserver,
            way,
            snapshot: global.snapshot,
            demo: None,
            masked: global.mask,
        },
        demo,
    })
}

/// A file that is not there is told at once, before the screen changes.
fn must_exist(file: &Path) -> Result<(), Failure> {
    let name = file.to_string_lossy();
    match std::fs::metadata(file) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(Failure::new(Code::NoSnapshot).with("file", &*name).because(&error.to_string()))
        }
    }
}

/// Says whether there is a desktop here, whose clipboard somebody in front of it can paste from.
fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let far = set("SSH_CONNECTION") || set("SSH_TTY");
    !far && (cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY"))
}

/// The language and the signs of this computer, as programs are told.
fn language() -> String {
    let told = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| env::var(name).ok());
    told.into_iter().find(|told| !told.is_empty()).unwrap_or_default()
}

/// Says whether the terminal has no signs beyond ASCII.
fn is_plain(language: &str) -> bool {
    let lower = language.to_ascii_lowercase();
    let utf8 = lower.contains("utf-8") || lower.contains("utf8");
    !utf8 || env::var("TERM").is_ok_and(|term| term == "linux")
}

/// The colours that were asked for; `None` where the terminal is to be asked.
fn theme(global: &Global) -> Option<Theme> {
    match global.theme {
        ThemeName::Auto if env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()) => {
            Some(Theme::Mono)
        }
        ThemeName::Auto => None,
        ThemeName::Dark => Some(Theme::Dark),
        ThemeName::Light => Some(Theme::Light),
        ThemeName::Mono => Some(Theme::Mono),
        ThemeName::HighContrast => Some(Theme::HighContrast),
    }
}

impl Desk {
    /// What the options say of how to sign in, as far as nobody has to be asked.
    async fn way_at_hand(&mut self) -> Result<Option<Way>, Failure> {
        let demo = self.global.demo.is_some() && self.global.user.is_none();
        let given = self.given_way().await?;
        match given {
            Some(way) => Ok(Some(way)),
            None if !demo && self.global.snapshot.is_none() && self.is_kept()? => {
                Ok(Some(Way::Kept))
            }
            None => Ok(None),
        }
    }
}
