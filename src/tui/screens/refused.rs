//! The refused keys, one by one, each with its reason.

use super::rooms::name_of;
use crate::{
    base::{shown::Shown, words::counted},
    recovery::tally::reason_words,
    tui::{
        intent::Intent,
        layout::Regions,
        model::Model,
        page::{Page, Row, Target, called, hint, line, mark, own, private},
    },
};

/// The refused keys, one by one.
pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let Some(run) = model.restore.run() else { return Page::default() };
    let all = &run.tally.refused;
    let (name, key) = if roomy { (regions.cells().saturating_sub(44), 14) } else { (16, 0) };
    let mut rows = Vec::new();
    if roomy {
        rows.push(Row::of(vec![
            own("  room").left(name + 2),
            own("key").left(key),
            own("why").left(26),
        ]));
    }
    let height = height(regions);
    for place in model.restore.refused.seen(all.len(), height) {
        let Some(one) = all.get(place) else { continue };
        let focus = place == model.restore.refused.at && model.overlays.is_empty();
        let mut row = vec![mark(focus)];
        row.push(name_of(model, &run.version, &one.room_id).left(name));
        if roomy {
            row.push(private(&Shown::limited(&one.session_id, 255)).middle(key - 2));
            row.push(own("  "));
        }
        row.push(own(reason_words(one.reason).0).left(26));
        let row = Row::of(row).focused(focus).target(Target::Row(place));
        rows.push(row.cursor(focus.then_some(0)));
    }
    let focus = all.get(model.restore.refused.at);
    let why = focus.map(|one| reason_words(one.reason).1).unwrap_or_default();
    Page {
        title: line(match model.restore.is_several() {
            true => format!("Refused of backup {}", Shown::limited(&run.version, 20)),
            false => "Refused".to_owned(),
        }),
        corner: line(counted(run.tally.figures.refused, "key")),
        edge: line("y copies the list"),
        rows,
        fact: line(why),
        next: line("Esc goes back. The other keys are not affected."),
        hints: vec![
            called(Intent::GoOn, "copy"),
            called(Intent::Close, "close"),
            hint(Intent::Explain),
            hint(Intent::Help),
            hint(Intent::Back),
        ],
        ..Page::default()
    }
}

pub(super) fn height(regions: &Regions) -> usize {
    regions.rows().saturating_sub(usize::from(regions.is_roomy())).max(1)
}

/// The refused keys for the clipboard, a line each; under the mask without ids.
pub(in crate::tui) fn to_copy(model: &Model) -> String {
    let Some(run) = model.restore.run() else { return String::new() };
    let mut lines = vec![format!(
        "{} of backup {} refused",
        counted(run.tally.figures.refused, "key"),
        Shown::limited(&run.version, 20)
    )];
    let safe = |id: &str| Shown::limited(id, 255);
    lines.extend(run.tally.refused.iter().map(|one| match model.masked {
        true => one.reason.to_owned(),
        false => format!("{} {} {}", safe(&one.room_id), safe(&one.session_id), one.reason),
    }));
    lines.join("\n")
}
