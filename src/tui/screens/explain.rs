//! The explain text: in the second frame where there is one, else in the lower part of the body.

use crate::tui::{
    intent::Intent,
    keymap::Place,
    layout::Regions,
    model::Model,
    page::{Page, Row, Side, called, line, own},
    theme::Ink,
};

/// Rows of the screen that stay visible above the text.
const ABOVE: usize = 5;

/// The text of a screen.
fn text(place: Place) -> &'static str {
    match place {
        Place::SignIn => include_str!("../../../assets/explain/sign_in.md"),
        Place::Backups => include_str!("../../../assets/explain/backups.md"),
        Place::Contents => include_str!("../../../assets/explain/contents.md"),
        Place::Room | Place::Key => include_str!("../../../assets/explain/room.md"),
        Place::RecoveryKey | Place::Mend | Place::Fits => {
            include_str!("../../../assets/explain/key.md")
        }
        Place::Passphrases => include_str!("../../../assets/explain/passphrases.md"),
        Place::Restore | Place::Refused => include_str!("../../../assets/explain/restore.md"),
        Place::CheckUp => include_str!("../../../assets/explain/check_up.md"),
        Place::Compare => include_str!("../../../assets/explain/compare.md"),
        Place::Proof | Place::Why => include_str!("../../../assets/explain/proof.md"),
        _ => include_str!("../../../assets/explain/take_away.md"),
    }
}

/// The text as one paragraph.
fn paragraph(place: Place) -> String {
    text(place).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Says whether the text takes the whole body, so that the arrows are for it.
pub(in crate::tui) fn covers(regions: &Option<Regions>) -> bool {
    regions.as_ref().is_none_or(|regions| regions.side.is_none() && regions.rows() < 14)
}

/// The text in the second frame.
pub(super) fn side(model: &Model) -> Side {
    let row = Row::wrapped(0, line(paragraph(model.place())));
    Side { title: line("What this step is"), rows: vec![row] }
}

/// Adds the text to a page.
pub(super) fn add(model: &Model, regions: &Regions, page: &mut Page) {
    if regions.side.is_some() {
        page.side = Some(side(model));
        return;
    }
    let row = Row::wrapped(0, line(paragraph(model.place())));
    let pen = model.pen();
    let lines = pen.wrap(&[row], regions.cells());
    page.hints.retain(|hint| hint.intent != Intent::Explain);
    page.hints.insert(0, called(Intent::Explain, "close"));
    if covers(&Some(*regions)) {
        let top = model.explaining.unwrap_or(0).min(lines.len().saturating_sub(regions.rows()));
        page.rows = lines.into_iter().skip(top).collect();
        if page.rows.len() > regions.rows() {
            page.next = line("↓ shows more; Esc goes back.");
        }
        return;
    }
    page.rows = pen.wrap(&page.rows, regions.cells());
    // A list keeps its focus in sight, so its page is cut to fit already.
    page.rows.truncate(ABOVE.max(regions.rows().saturating_sub(lines.len() + 1)));
    let title = "── what this step is ";
    let fill = regions.cells().saturating_sub(title.chars().count());
    page.rows.push(Row::of(vec![own(format!("{title}{}", "─".repeat(fill))).ink(Ink::Muted)]));
    page.rows.extend(lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_enough_to_be_read() {
        for place in [
            Place::SignIn,
            Place::Backups,
            Place::Contents,
            Place::Room,
            Place::RecoveryKey,
            Place::Passphrases,
            Place::Restore,
            Place::Proof,
            Place::TakeAway,
            Place::CheckUp,
            Place::Compare,
        ] {
            let words = paragraph(place).split(' ').count();
            assert!((40..=110).contains(&words), "{place:?}: {words} words");
        }
    }
}
