//! What lies above a screen: it covers the frame only, so that who, where and what next stay in sight.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::sign_in::lower_first;
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::ago,
    },
    recovery::{sign_in::Device, snapshots::Kept},
    tui::{
        draw::help_places,
        field::Field,
        intent::Intent,
        jobs::Work,
        keymap::{self, Place},
        layout::Regions,
        list::Cursor,
        model::Model,
        overlay::{Choice, Overlay},
        page::{Instead, Line, Page, Row, Target, called, hint, instead, line, mark, own, private},
        theme::Ink,
    },
};

/// An action in the list of commands.
pub(in crate::tui) struct Entry {
    /// What it means.
    pub(in crate::tui) intent: Intent,
    /// What it is called.
    says: &'static str,
    /// Its keys.
    keys: String,
    /// Why it cannot be used now.
    pub(in crate::tui) refused: Option<&'static str>,
}

/// Rows of the list on top that are seen at once.
pub(super) fn list_height(model: &Model, regions: &Regions) -> usize {
    let above = match model.overlays.last() {
        Some(Overlay::Palette { .. }) => 1,
        Some(Overlay::OpenFile { failed, .. }) => 3 + 3 * usize::from(failed.is_some()),
        _ => 0,
    };
    regions.rows().saturating_sub(above).max(1)
}

/// How many rows the list on top has.
pub(in crate::tui) fn rows(model: &Model) -> usize {
    match model.overlays.last() {
        Some(Overlay::Help { .. }) => help_rows(model, &model.regions()).len(),
        Some(Overlay::Palette { .. }) => palette_rows(model).len(),
        Some(Overlay::OpenFile { kept, .. }) => 1 + kept.as_ref().map_or(0, Vec::len),
        Some(Overlay::Failed { choices, .. }) => choices.len(),
        _ => 0,
    }
}

/// Covers a page with what lies above it.
pub(super) fn cover(model: &Model, regions: &Regions, page: &mut Page) {
    let covered = match model.overlays.last() {
        Some(Overlay::Help { top }) => help(model, regions, *top),
        Some(Overlay::Palette { field, cursor }) => palette(model, regions, field, cursor),
        Some(Overlay::OpenFile { field, kept, cursor, failed }) => {
            open_file(model, regions, field, kept.as_deref(), cursor, failed.as_ref())
        }
        Some(Overlay::ByNumber { field }) => by_number(model, field),
        Some(Overlay::Failed { failure, choices, cursor, detail }) => {
            failed(model, regions, failure, choices, cursor, *detail)
        }
        Some(Overlay::Leave { cursor }) => leave(model, cursor),
        Some(Overlay::Unmask) => unmask(),
        None => return,
    };
    *page = Page { command: page.command.clone(), ..covered };
}

fn help_rows(model: &Model, regions: &Regions) -> Vec<Row> {
    let mut rows = Vec::new();
    let cells = regions.cells();
    let two = cells >= 72;
    let half = if two { cells / 2 } else { cells };
    for place in help_places(model) {
        let there: Vec<_> = keymap::rows().iter().filter(|row| row.place == place).collect();
        if there.is_empty() {
            continue;
        }
        let title = if place == model.place() { "here" } else { place.title() };
        rows.push(Row::of(vec![own(title).ink(Ink::Strong)]));
        let cell = |row: &&keymap::Row| -> Line {
            let says = if two { &row.label } else { &row.says };
            vec![
                own(format!("  {}", row.keys())).ink(Ink::Accent).left(14),
                own(says.clone()).left(half.saturating_sub(14)),
            ]
        };
        if two {
            for pair in there.chunks(2) {
                rows.push(Row::of(pair.iter().flat_map(cell).collect()));
            }
        } else {
            rows.extend(there.iter().map(|row| Row::of(cell(row))));
        }
    }
    rows.push(Row::empty());
    rows.push(Row::wrapped(0, line("Mouse: click and wheel. Hold Shift to mark text as usual.")));
    rows
}

fn help(model: &Model, regions: &Regions, top: usize) -> Page {
    let rows = help_rows(model, regions);
    let more = rows.len() > regions.rows();
    let top = top.min(rows.len().saturating_sub(regions.rows()));
    Page {
        title: line(format!("Keys in “{}”", model.place().title())),
        corner: if more { line("↓ more") } else { Line::new() },
        rows: rows.into_iter().skip(top).collect(),
        fact: line("Every action is also in the list of commands: press : and type a word."),
        next: line("Esc goes back."),
        hints: vec![hint(Intent::Back), called(Intent::Down, "more"), hint(Intent::Leave)],
        ..Page::default()
    }
}

/// The actions that the typed word finds, those of this screen first.
pub(in crate::tui) fn palette_rows(model: &Model) -> Vec<Entry> {
    let Some(Overlay::Palette { field, .. }) = model.overlays.last() else { return Vec::new() };
    let word = field.text();
    let pattern = Pattern::parse(word, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut entries = Vec::new();
    for place in [model.place(), Place::Everywhere] {
        for row in keymap::rows().iter().filter(|row| row.place == place) {
            let Some(intent) = row.intent() else { continue };
            let score = pattern.score(Utf32Str::new(&row.says, &mut buffer), &mut matcher);
            if let Some(score) = score {
                let refused = refused(model, intent);
                entries.push((score, Entry { intent, says: &row.says, keys: row.keys(), refused }));
            }
        }
    }
    if !word.is_empty() {
        entries.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Why an action cannot be used now.
fn refused(model: &Model, intent: Intent) -> Option<&'static str> {
    let haul = model.haul();
    match intent {
        Intent::Find if model.masked => Some("not while names are hidden"),
        Intent::Show => Some("in a field for secrets only"),
        Intent::Open if haul.is_some_and(crate::tui::haul::Haul::is_reading) => {
            Some("once everything is read")
        }
        Intent::ByNumber if model.is_offline() => Some("a snapshot holds one backup"),
        Intent::Copy if super::focus_to_copy(model).is_none() => Some("nothing is in focus"),
        Intent::Palette => Some("is open"),
        _ => None,
    }
}

/// A field between brackets in an overlay.
fn field_row(model: &Model, lead: &'static str, field: &Field, width: usize, focus: bool) -> Row {
    let (text, at) = field.window(width);
    // Under the mask the cursor would tell how long the text is.
    let at = if model.masked { 0 } else { at };
    let row = vec![own(format!("{lead}[ ")), private(&Shown::new(text)).left(width), own(" ]")];
    Row::of(row).cursor(focus.then_some(lead.chars().count() + 2 + at))
}

fn palette(model: &Model, regions: &Regions, field: &Field, cursor: &Cursor) -> Page {
    let width = regions.cells().saturating_sub(8).min(40);
    let mut rows = vec![field_row(model, ": ", field, width, true)];
    let entries = palette_rows(model);
    let height = list_height(model, regions);
    let roomy = regions.is_roomy();
    for place in cursor.seen(entries.len(), height) {
        let Some(entry) = entries.get(place) else { continue };
        let focus = place == cursor.at;
        let tone = if entry.refused.is_some() { Ink::Muted } else { Ink::Plain };
        let says = regions.cells().saturating_sub(if roomy { 32 } else { 12 });
        let mut row = vec![mark(focus), own(entry.says).ink(tone).left(says)];
        row.push(match entry.refused {
            Some(why) if roomy => own(why).ink(Ink::Muted).left(30),
            _ => own(entry.keys.clone()).ink(Ink::Accent).left(if roomy { 30 } else { 10 }),
        });
        rows.push(Row::of(row).focused(focus).target(Target::Row(place)));
    }
    if entries.is_empty() {
        rows.push(Row::text("  No action is called like that."));
    }
    Page {
        title: line("Commands"),
        rows,
        fact: line("Type a part of what you want to do."),
        next: line("choose with ↓ and press Enter."),
        hints: vec![called(Intent::GoOn, "do it"), hint(Intent::Back)],
        ..Page::default()
    }
}

fn open_file(
    model: &Model,
    regions: &Regions,
    field: &Field,
    kept: Option<&[Kept]>,
    cursor: &Cursor,
    failed: Option<&Failure>,
) -> Page {
    let width = regions.cells().saturating_sub(8).min(60);
    let mut rows = vec![field_row(model, "  ", field, width, cursor.at == 0)];
    if let Some(failure) = failed {
        let failure = model.told(failure);
        let mut what = vec![own("! ").ink(Ink::Danger)];
        what.push(own(failure.what()).ink(Ink::Danger));
        rows.push(Row::wrapped(2, what));
        rows.push(Row::wrapped(2, line(format!("  {}", failure.safe()))));
    }
    rows.push(Row::empty());
    match kept {
        None => rows.push(Row::text("… looking for snapshots on this computer")),
        Some([]) => rows.push(Row::text("keyhaul has saved no snapshot on this computer yet.")),
        Some(kept) => {
            rows.push(Row::text("Snapshots on this computer"));
            let height = list_height(model, regions);
            let shown = Cursor { at: cursor.at.saturating_sub(1), top: cursor.top };
            for place in shown.seen(kept.len(), height) {
                let Some(one) = kept.get(place) else { continue };
                let focus = place + 1 == cursor.at;
                rows.push(kept_row(model, regions, one, focus).target(Target::Row(place + 1)));
            }
        }
    }
    Page {
        title: line("Open a snapshot"),
        rows,
        fact: line("A snapshot opens without any server. It is still locked."),
        next: line(match (failed, kept) {
            (Some(failure), _) => lower_first(&model.told(failure).next()),
            (None, Some([_, ..])) if cursor.at > 0 => {
                "press Enter to open the one in focus.".into()
            }
            (None, Some([_, ..])) => "type a file's name, or choose one with ↓.".into(),
            _ => "type the name of a file and press Enter.".into(),
        }),
        hints: vec![
            called(Intent::GoOn, "open"),
            called(Intent::NextPart, "next"),
            hint(Intent::Back),
        ],
        ..Page::default()
    }
}

fn kept_row(model: &Model, regions: &Regions, one: &Kept, focus: bool) -> Row {
    let roomy = regions.is_roomy();
    let keys = match one.entries {
        Some(entries) => format!("{} keys", grouped(entries)),
        None => "incomplete".to_owned(),
    };
    let mut row = vec![mark(focus)];
    row.push(own(format!("backup {}", Shown::limited(&one.version, 12))).left(14));
    row.push(own(keys).right(13));
    row.push(own("  "));
    if roomy {
        row.push(own(ago(one.started, model.wall())).left(18));
        let user = Shown::limited(&one.user_id, 80);
        row.push(instead(&user, Instead::Account).left(regions.cells().saturating_sub(49)));
    } else {
        row.push(own(ago(one.started, model.wall())));
    }
    Row::of(row).focused(focus).cursor(focus.then_some(0))
}

fn by_number(model: &Model, field: &Field) -> Page {
    Page {
        title: line("A backup by its number"),
        rows: vec![
            Row::wrapped(
                0,
                line("Servers list no backups. If you know a number, keyhaul asks for it."),
            ),
            Row::empty(),
            field_row(model, "  Number ", field, 12, true),
        ],
        fact: line("Asking changes nothing."),
        next: line("type the number and press Enter."),
        hints: vec![called(Intent::GoOn, "ask"), hint(Intent::Back)],
        ..Page::default()
    }
}

fn failed(
    model: &Model,
    regions: &Regions,
    failure: &Failure,
    choices: &[Choice],
    cursor: &Cursor,
    detail: bool,
) -> Page {
    let failure = model.told(failure);
    let roomy = regions.is_roomy();
    let what = vec![own("! ").ink(Ink::Danger), own(failure.what()).ink(Ink::Danger)];
    let mut rows = vec![Row::wrapped(2, what), Row::empty()];
    let technical = failure.detail().map_or("There is no technical detail.", Shown::as_str);
    let technical = Row::wrapped(2, line(format!("  {technical}")));
    match (roomy, detail) {
        (true, _) => {
            let safe = vec![own("  Safe     ").ink(Ink::Strong), own(failure.safe())];
            rows.push(Row::wrapped(11, safe));
        }
        // In a small window the one takes the place of the other.
        (false, false) => rows.push(Row::wrapped(2, line(format!("  {}", failure.safe())))),
        (false, true) => rows.push(technical.clone()),
    }
    if !choices.is_empty() {
        rows.push(Row::empty());
    }
    if !choices.is_empty() && roomy {
        rows.push(Row::of(vec![own("  Choose").ink(Ink::Strong)]));
    }
    let lead = if roomy { 2 } else { 0 };
    for (place, choice) in choices.iter().enumerate() {
        let focus = place == cursor.at;
        let (words, key) = match choice {
            Choice::Again(_) => ("Try again", "r"),
            Choice::Snapshot => ("Work with a snapshot", "o"),
            Choice::SignIn => ("Another account or server", ""),
            Choice::CheckUp => ("Check-up: where it hangs", "c"),
        };
        let mut row = vec![own(" ".repeat(lead)), mark(focus)];
        row.extend([own(words).left(28), own(key).ink(Ink::Accent)]);
        let row = Row::of(row).focused(focus).cursor(focus.then_some(lead));
        rows.push(row.target(Target::Row(place)));
    }
    if roomy {
        rows.push(Row::empty());
        rows.push(match detail {
            true => technical,
            false => Row::text("  e shows the technical detail, y copies it without names."),
        });
    }
    let go_on = if choices.is_empty() { "go on" } else { "choose" };
    let mut hints = vec![called(Intent::GoOn, go_on)];
    if choices.iter().any(|choice| matches!(choice, Choice::Again(_))) {
        hints.insert(0, called(Intent::Again, "try again"));
    }
    hints.extend([called(Intent::Explain, "detail"), hint(Intent::Copy), hint(Intent::Back)]);
    Page {
        title: line("This did not work"),
        corner: line(failure.code().word()),
        rows,
        fact: line("Nothing is lost. What was there before is still there."),
        next: line(lower_first(&failure.next())),
        hints,
        ..Page::default()
    }
}

/// A failure for the clipboard, without names: for a ticket or a chat.
pub(in crate::tui) fn failure_to_copy(failure: &Failure) -> String {
    let failure = failure.masked();
    let code = failure.code().word();
    format!("{}\n{}\nNext: {}\n({code})", failure.what(), failure.safe(), failure.next())
}

fn leave(model: &Model, cursor: &Cursor) -> Page {
    let device = model.account.as_ref().map(|account| account.signed.device);
    let leave = match device {
        Some(Device::Ours) => "Stop, sign out and leave",
        Some(Device::Kept) => "Stop and leave; you stay signed in",
        Some(Device::OfAnotherApp) | None => "Stop and leave",
    };
    let choices = [
        ("Stay", "Enter or Esc"),
        (leave, "q"),
        ("Stop and leave, but stay signed in for later", "↓ and Enter"),
    ];
    let done = model.cut_by_leaving().unwrap_or_default();
    let kept = if model.saves() || model.is_restoring() {
        "They are kept on this computer."
    } else {
        "They are not kept: no copy is being saved."
    };
    let exporting = model.jobs.job(&Work::Export).is_some();
    let kept = if exporting { "Your keys stay here." } else { kept };
    let mut rows = vec![Row::wrapped(0, line(format!("{done} {kept}"))), Row::empty()];
    for (place, (words, keys)) in choices.into_iter().take(model.ways_out()).enumerate() {
        let focus = place == cursor.at;
        let row = vec![mark(focus), own(words).left(46), own(keys).ink(Ink::Muted)];
        rows.push(
            Row::of(row).focused(focus).target(Target::Row(place)).cursor(focus.then_some(0)),
        );
    }
    Page {
        title: line(match (exporting, model.is_restoring()) {
            (true, _) => "Leave while the key file is written?",
            (false, true) => "Leave while keys are restored?",
            (false, false) => "Leave while the backup is read?",
        }),
        rows,
        fact: line(if model.saves() || model.is_restoring() {
            "Whatever you choose, nothing that was read is lost."
        } else {
            "Your backup on the server stays as it is."
        }),
        next: line("press Enter to stay, or q to leave."),
        hints: vec![
            called(Intent::GoOn, "choose"),
            called(Intent::Leave, "leave"),
            hint(Intent::Back),
        ],
        ..Page::default()
    }
}

fn unmask() -> Page {
    Page {
        title: line("Show names again?"),
        rows: vec![
            Row::wrapped(0, line("Others may see this screen.")),
            Row::empty(),
            Row::wrapped(
                0,
                line("m shows ids, names of rooms and people, files and addresses again."),
            ),
            Row::wrapped(0, line("Enter or Esc leaves them hidden.")),
        ],
        fact: line("Names are hidden. Numbers, counts and reasons are real."),
        next: line("press m to show names, or Esc."),
        hints: vec![called(Intent::Mask, "show names"), hint(Intent::Back)],
        ..Page::default()
    }
}
