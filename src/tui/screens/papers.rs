//! Step 7: the form of a recovery sheet or of a report.

use super::sign_in::lower_first;
use crate::{
    base::{shown::Shown, words::counted},
    tui::{
        intent::Intent,
        jobs::Work,
        layout::Regions,
        model::Model,
        page::{Page, Row, called, hint, line, mark, own, private},
        paper_form::Paper,
        theme::Ink,
    },
};

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let form = &model.take.paper;
    let width = regions.cells().saturating_sub(12).min(60);
    let (text, at) = form.file.window(width);
    let here = model.overlays.is_empty();
    let lead = vec![mark(here), own("File  [ ")];
    let mut row = lead;
    row.extend([private(&Shown::new(text)).left(width), own(" ]")]);
    let at = if model.masked { 0 } else { at };
    let mut rows = vec![Row::of(row).cursor(here.then_some(10 + at))];
    if let Some(failure) = &form.failed {
        let failure = model.told(failure);
        rows.push(Row::wrapped(
            2,
            vec![own("! ").ink(Ink::Warn), own(failure.what()).ink(Ink::Danger)],
        ));
    }
    rows.push(Row::empty());
    let words: &[&'static str] = match form.paper {
        Paper::Sheet => &[
            "To print: your account and server, what your recovery key opens, and places to write it \
             by hand.",
            "The recovery key itself is not in the file.",
        ],
        Paper::Report => &[
            "For support: which backups there are, what a check-up finds, and why keys were refused.",
            "No secrets, no names, no messages. Ids are words that mean nothing outside of it.",
        ],
    };
    rows.extend(words.iter().map(|words| Row::wrapped(0, line(*words))));
    let writing = model.jobs.job(&Work::Paper).is_some();
    if writing {
        rows.push(Row::empty());
        rows.push(Row::text(format!("… looking: {} read so far", counted(form.keys, "key"))));
    }
    let fact = match (&form.failed, form.paper) {
        (Some(failure), _) => line(model.told(failure).safe()),
        (None, Paper::Sheet) if model.key.visit.is_none() => {
            line("No recovery key was tried: the sheet cannot tell what yours opens.")
        }
        (None, Paper::Sheet) => line("The sheet tells what your recovery key opens today."),
        (None, Paper::Report) => line("Read it before you hand it on: it is a plain text."),
    };
    let next = match &form.failed {
        _ if writing => line("wait a moment, or press Ctrl-C to stop."),
        Some(failure) => line(lower_first(&model.told(failure).next())),
        None => line("press Enter to write the file."),
    };
    Page {
        title: line(match form.paper {
            Paper::Sheet => "Recovery sheet",
            Paper::Report => "Report for support",
        }),
        rows,
        fact,
        next,
        hints: vec![
            called(Intent::GoOn, "write it"),
            hint(Intent::Help),
            hint(Intent::Explain),
            hint(Intent::Back),
        ],
        ..Page::default()
    }
}
