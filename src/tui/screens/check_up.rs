//! The check-up: each check with its mark; the one in focus with its cause and the next step.

use super::sign_in::lower_first;
use crate::{
    base::words::counted,
    recovery::doctor::{
        checks::{Check, Mark},
        findings::Finding,
    },
    tui::{
        intent::Intent,
        jobs::Work,
        layout::Regions,
        model::Model,
        page::{Line, Page, Piece, Row, Target, called, hint, line, mark, own, private},
        theme::Ink,
    },
};

/// Rows for the cause below the list.
const CAUSE: usize = 3;
/// Cells of the titles in a wide window.
const TITLE: usize = 39;

/// Rows of the list that are seen at once.
pub(in crate::tui) fn check_up_height(model: &Model) -> usize {
    let regions = model.regions();
    let below = if regions.is_roomy() { CAUSE } else { 0 };
    regions.rows().saturating_sub(below).max(1)
}

fn sign(mark: Mark) -> Piece {
    match mark {
        Mark::Ok => own("✓ ").ink(Ink::Ok),
        Mark::Wrong => own("✗ ").ink(Ink::Danger),
        Mark::Unknown => own("? ").ink(Ink::Warn),
    }
}

fn says(check: &Check) -> Piece {
    match check.says.private {
        true => private(&crate::base::shown::Shown::new(&check.says.text)),
        false => own(check.says.text.clone()),
    }
}

/// What to do next, for somebody in front of the assistant.
fn advice(model: &Model, finding: &Finding) -> String {
    match finding {
        Finding::Failed(failure) => lower_first(&model.told(failure).next()),
        finding => finding.next(),
    }
}

fn fact(model: &Model, finding: &Finding) -> String {
    match finding {
        Finding::Failed(failure) => model.told(failure).what(),
        finding => finding.fact(),
    }
}

fn cause(model: &Model, finding: &Finding) -> String {
    match finding {
        Finding::Failed(failure) => model.told(failure).safe(),
        finding => finding.cause(),
    }
}

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let state = &model.check_up;
    let roomy = regions.is_roomy();
    let running = model.jobs.job(&Work::CheckUp).is_some();
    let mut rows: Vec<Row> = Vec::new();
    for place in state.cursor.seen(state.checks.len(), check_up_height(model)) {
        let Some(check) = state.checks.get(place) else { continue };
        let focus = place == state.cursor.at && model.overlays.is_empty();
        let mut row = vec![mark(focus), sign(check.mark)];
        if roomy {
            row.push(own(check.title.clone()).left(TITLE));
            row.push(says(check).left(regions.cells().saturating_sub(TITLE + 4)));
        } else {
            row.push(own(check.title.clone()).left(regions.cells().saturating_sub(4)));
        }
        rows.push(
            Row::of(row).focused(focus).target(Target::Row(place)).cursor(focus.then_some(0)),
        );
    }
    let focus = state.focus();
    let finding = focus.and_then(|check| check.finding.as_ref());
    if let Some(failure) = &state.failed {
        let failure = model.told(failure);
        rows.push(Row::of(vec![own("! ").ink(Ink::Warn), own(failure.what()).ink(Ink::Danger)]));
        rows.push(Row::wrapped(2, line(format!("  {}", failure.safe()))));
    } else if running && state.checks.is_empty() {
        rows.push(Row::text(format!("… checking: {} read so far", counted(state.keys, "key"))));
        rows.push(Row::text("  Nothing is changed, neither on the server nor here."));
    } else if let (true, Some(finding)) = (roomy, finding) {
        rows.push(Row::empty());
        rows.push(Row::wrapped(
            8,
            vec![own("Cause   ").ink(Ink::Strong), own(cause(model, finding))],
        ));
    }
    Page {
        title: line("Check-up"),
        corner: corner(model, running),
        rows,
        fact: page_fact(model, focus, running),
        next: next(model, finding, running),
        hints: hints(model),
        ..Page::default()
    }
}

fn corner(model: &Model, running: bool) -> Line {
    let state = &model.check_up;
    if running {
        return line("checking");
    }
    if state.checks.is_empty() {
        return Line::new();
    }
    line(match state.count(Mark::Wrong) {
        0 => "nothing needs you".to_owned(),
        1 => "1 thing needs you".to_owned(),
        many => format!("{many} things need you"),
    })
}

fn page_fact(model: &Model, focus: Option<&Check>, running: bool) -> Line {
    let Some(check) = focus else {
        return line(match running {
            true => "A check-up only looks.",
            false => "Nothing was checked yet.",
        });
    };
    if let Some(finding) = &check.finding {
        return line(fact(model, finding));
    }
    match check.mark {
        Mark::Unknown => {
            let mut words = line("This cannot be proven: ");
            words.extend([says(check), own(".")]);
            words
        }
        _ => {
            let mut words = vec![own(format!("{}: ", check.title))];
            words.extend([says(check), own(".")]);
            words
        }
    }
}

fn next(model: &Model, finding: Option<&Finding>, running: bool) -> Line {
    if running {
        return line("wait a moment, or press Ctrl-C to stop.");
    }
    if let Some(failure) = &model.check_up.failed {
        return line(lower_first(&model.told(failure).next()));
    }
    match finding {
        Some(finding) => line(advice(model, finding)),
        None if model.check_up.count(Mark::Wrong) > 0 => {
            line("choose a ✗ with ↓ and read its cause.")
        }
        None if model.key.visit.is_none() => {
            line("type your recovery key at step 4; then more can be checked.")
        }
        None => line("press Esc and go on."),
    }
}

fn hints(model: &Model) -> Vec<crate::tui::page::Hint> {
    let mut hints = Vec::new();
    if model.backup_to_restore().is_some() {
        hints.push(called(Intent::GoOn, "that backup"));
    }
    hints.push(called(Intent::Again, "again"));
    hints.extend([
        hint(Intent::Copy),
        hint(Intent::Explain),
        hint(Intent::Help),
        hint(Intent::Back),
    ]);
    hints
}

/// The check-up for the clipboard, without names and ids.
pub(super) fn to_copy(model: &Model) -> Option<String> {
    let state = &model.check_up;
    if state.checks.is_empty() {
        return None;
    }
    let mut text = String::new();
    for check in &state.checks {
        let mark = match check.mark {
            Mark::Ok => "ok",
            Mark::Wrong => "wrong",
            Mark::Unknown => "cannot be proven",
        };
        text.push_str(&format!("{}: {mark}", check.title));
        if !check.says.private {
            text.push_str(&format!(" ({})", check.says.text));
        }
        text.push('\n');
        match &check.finding {
            Some(Finding::Failed(failure)) => {
                let failure = failure.masked();
                text.push_str(&format!("  {}: {}\n", failure.code().word(), failure.what()));
            }
            Some(finding) => {
                text.push_str(&format!("  {}: {}\n", finding.word(), finding.fact()));
            }
            None => {}
        }
    }
    Some(text.trim_end().to_owned())
}
