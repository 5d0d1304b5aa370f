//! Opens the assistant on the real terminal.

use std::{io, path::PathBuf};

use jiff::{Timestamp, tz::TimeZone};
use tokio::time::Instant;

use super::{
    clipboard::Clipboard,
    model::{Ending, Model, Settings, Start},
    run::Loop,
    runner::{Runner, paper},
    terminal::{RealHost, background, events, give_back, lines_are_wide, take, wishes},
    theme::Theme,
};
use crate::{
    base::failure::{Code, Failure},
    demo::running::Running,
    recovery::{look::Wanted, sign_in::Surroundings},
};

/// How the assistant is to be opened.
pub struct Options {
    /// How to reach servers, and where files are.
    pub surroundings: Surroundings,
    /// Save a snapshot of what is read.
    pub save: bool,
    /// What is known at the beginning.
    pub start: Start,
    /// Which version is wanted.
    pub wanted: Wanted,
    /// The demo, if it runs, and the folder for its files.
    pub demo: Option<(Running, PathBuf)>,
    /// The colours; `None` asks the terminal.
    pub theme: Option<Theme>,
    /// Plain ASCII signs only.
    pub ascii: bool,
    /// Figures are drawn anew less often.
    pub calm: bool,
    /// Clicks and the wheel.
    pub mouse: bool,
    /// The person's own folder, if it is known.
    pub home: Option<PathBuf>,
    /// There is a desktop with a clipboard, and somebody in front of it.
    pub display: bool,
    /// The language of this computer, as `LANG` has it.
    pub language: String,
}

/// Runs the assistant until somebody leaves. The terminal is given back before this returns.
pub async fn open(options: Options) -> Result<Ending, Failure> {
    let ended = run(options).await;
    give_back();
    ended.map_err(|error| {
        Failure::new(Code::OutputClosed).because(&format!("the terminal: {error}"))
    })
}

async fn run(options: Options) -> io::Result<Ending> {
    let Options {
        surroundings,
        save,
        mut start,
        wanted,
        demo,
        theme,
        calm,
        mouse,
        language,
        home,
        display,
        ..
    } = options;
    let began = Instant::now();
    let wishes = wishes();
    let terminal = take(mouse)?;
    let ascii = options.ascii || lines_are_wide(&language);
    start.demo = demo.as_ref().map(|(running, _)| paper(running));
    let settings = Settings {
        theme: theme.unwrap_or_default(),
        ascii,
        calm,
        began: Timestamp::now(),
        zone: TimeZone::system(),
        wanted,
        saves: save,
        home,
    };
    let (model, effects) = Model::start(settings, terminal.size()?, start);
    let (runner, reports) = Runner::new(surroundings, demo, display.then(Clipboard::begin));
    // Nobody types into it yet: the terminal's answer would be taken for keys.
    let (_, nobody) = tokio::sync::mpsc::channel(1);
    let mut all = Loop {
        terminal,
        host: Box::new(RealHost { mouse }),
        events: nobody,
        wishes,
        model,
        effects,
        runner,
        reports,
        began,
    };
    all.first_frame()?;
    if theme.is_none() {
        all.model.settings().theme = background();
    }
    all.events = events();
    all.run().await
}
