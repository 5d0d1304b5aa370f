//! Step 6: one room's messages, each open or closed for a reason.

use super::{
    rooms::{known, name_of},
    sign_in::lower_first,
};
use crate::{
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
        words::{counted, day, size},
    },
    recovery::proof::{
        Message,
        reason::Reason,
        said::{File, Said},
    },
    tui::{
        intent::Intent,
        layout::Regions,
        model::Model,
        page::{
            Hint, Instead, Line, Page, Piece, Row, Target, called, hint, instead, line, mark, own,
            private,
        },
        proof_step::Sum,
        theme::Ink,
    },
};

/// Most lines of one message: whoever wants to fill a window with theirs shall not.
const LINES: usize = 12;
/// Most of a message that is quoted by an answer, in cells.
const QUOTE: usize = 30;

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let version = &model.restore.version;
    let title = match &model.proof.room {
        Some(room) => vec![name_of(model, version, room)],
        None => line("Proof"),
    };
    let mut page = Page {
        title,
        rows: Vec::new(),
        fact: fact(model, roomy),
        next: next(model, roomy),
        hints: hints(model),
        ..Page::default()
    };
    if let Some(words) = cannot(model) {
        page.rows = words;
        return page;
    }
    page.corner = corner(model);
    page.edge = line(sum_words(model));
    let (rows, focus) = message_rows(model, regions);
    page.rows = window(rows, focus, regions.rows());
    page
}

/// Why no message can be shown, if none can.
fn cannot(model: &Model) -> Option<Vec<Row>> {
    let said = |sign: &'static str, what: String, safe: String| {
        vec![
            Row::wrapped(2, vec![own(sign).ink(Ink::Warn), own(what).ink(Ink::Danger)]),
            Row::wrapped(2, vec![own("  "), own(safe)]),
        ]
    };
    let told = |failure: &Failure| {
        let failure = model.told(failure);
        said("! ", failure.what(), failure.safe())
    };
    if model.is_offline() {
        return Some(told(&Failure::new(Code::HistoryOffline)));
    }
    if !model.can_read_messages() && model.has_keys_here() {
        // What was typed was forgotten, by hand or after a while.
        return Some(vec![
            Row::text("Your keys are on this computer, locked with your recovery key."),
            Row::text("To read messages, type it once more: press 4."),
        ]);
    }
    if !model.can_read_messages() {
        return Some(vec![
            Row::text("There are no keys on this computer yet that could open a message."),
            Row::text("Restore some first: 4 takes your recovery key, 5 restores."),
        ]);
    }
    if model.proof.messages.is_empty() {
        return match (&model.proof.failed, model.proof.reading, model.proof.read) {
            (Some(failure), None, _) => Some(told(failure)),
            (_, Some(_), _) => Some(vec![Row::text("… asking the server for messages")]),
            (None, None, true) => {
                Some(vec![Row::text("There are no messages in this room that you may see.")])
            }
            (None, None, false) => Some(vec![Row::text("No room is chosen. Tab chooses one.")]),
        };
    }
    None
}

fn corner(model: &Model) -> Line {
    let version = &model.restore.version;
    let room = model.proof.room.as_ref();
    let room = room.and_then(|room| known(model, version, room));
    room.map(|room| line(counted(room.figures.sessions, "key"))).unwrap_or_default()
}

fn sum_words(model: &Model) -> String {
    let Sum { opened, closed, deleted } = model.proof.sum();
    let all = (opened + closed + deleted) as u64;
    format!("{} of the last {} opened", grouped(opened as u64), counted(all, "message"))
}

/// Rows of all messages, and which of them are those of the focus.
fn message_rows(model: &Model, regions: &Regions) -> (Vec<Row>, std::ops::Range<usize>) {
    let proof = &model.proof;
    let pen = model.pen();
    let cells = regions.cells();
    let mut rows: Vec<Row> = Vec::new();
    let mut focus = 0..0;
    rows.push(Row::of(vec![
        own(match (proof.reading.is_some(), &proof.earlier) {
            (true, _) => "… reading older messages",
            (false, Some(_)) => "↑ reads older messages",
            (false, None) if proof.is_full => "Older messages are not read in one go.",
            (false, None) if proof.failed.is_some() => "Older messages could not be read.",
            (false, None) => "There are no older messages that you may see.",
        })
        .ink(Ink::Muted),
    ]));
    let mut last = None;
    for (place, message) in proof.messages.iter().enumerate() {
        let date = date(model, message);
        if last.as_ref() != Some(&date) {
            let rule = format!("── {date} ");
            let fill = cells.saturating_sub(rule.chars().count());
            rows.push(Row::text(rule + &"─".repeat(fill)));
            last = Some(date);
        }
        let first = rows.len();
        let here = place == proof.cursor.at && model.overlays.is_empty();
        let said = message_lines(model, message, regions, here);
        let said = said.into_iter().map(|row| row.target(Target::Row(place)));
        rows.extend(pen.wrap(&said.collect::<Vec<_>>(), cells));
        if place == proof.cursor.at {
            focus = first..rows.len();
        }
    }
    (rows, focus)
}

/// The part of the rows that is seen: the focus in the middle, where there is more than fits.
fn window(rows: Vec<Row>, focus: std::ops::Range<usize>, height: usize) -> Vec<Row> {
    let middle = (focus.start + focus.end) / 2;
    let top = middle.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    // A long message begins at the top at the latest.
    let top = top.min(focus.start);
    rows.into_iter().skip(top).take(height).collect()
}

fn date(model: &Model, message: &Message) -> String {
    match message.at {
        Some(at) => day(at, &model.settings.zone),
        None => "At no time that makes sense".to_owned(),
    }
}

fn time(model: &Model, message: &Message) -> String {
    message.at.map_or_else(
        || "--:--".to_owned(),
        |at| {
            let zoned = model.settings.zone.to_datetime(at);
            format!("{:02}:{:02}", zoned.hour(), zoned.minute())
        },
    )
}

fn name(message: &Message) -> Piece {
    match message.own {
        true => own("you"),
        false => private(&message.name.cut(20)),
    }
}

/// The lines of one message, not wrapped yet.
fn message_lines(model: &Model, message: &Message, regions: &Regions, here: bool) -> Vec<Row> {
    let wide = if regions.is_roomy() { 12 } else { 7 };
    let before = 2 + 5 + 2 + wide + 1;
    let mut said = said(message);
    let mut lead =
        vec![mark(here), own(time(model, message)).left(7), name(message).left(wide), own(" ")];
    let mut rows = Vec::new();
    if let Some(answered) = &message.answers {
        lead.push(own("↳ answers "));
        lead.push(match &answered.words {
            Some(words) => private(&Shown::new(&format!("“{}”", words.shown().cut(QUOTE)))),
            None => own("an older message"),
        });
        rows.push(std::mem::take(&mut lead));
    } else {
        lead.extend(said.remove(0));
        rows.push(lead);
    }
    for line in said {
        let mut row = vec![own(" ".repeat(before))];
        row.extend(line);
        rows.push(row);
    }
    let rows = rows.into_iter().enumerate();
    rows.map(|(place, line)| {
        let row = Row::wrapped(before, line).focused(here);
        row.cursor((here && place == 0).then_some(0))
    })
    .collect()
}

/// What a message says, line by line; at least one.
fn said(message: &Message) -> Vec<Line> {
    let text = |words: &crate::recovery::proof::words::Words| -> Vec<Line> {
        let all = words.lines();
        let mut lines: Vec<Line> = all.iter().take(LINES).map(|text| vec![private(text)]).collect();
        if let more @ 1.. = all.len().saturating_sub(LINES) {
            lines.push(line(format!("… and {} more", counted(more as u64, "line"))));
        }
        lines
    };
    let mut lines: Vec<Line> = match &message.said {
        Said::Text(words) | Said::Other(Some(words)) => text(words),
        Said::File(File { what, name, caption, bytes }) => {
            let bytes = bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
            let mut lines =
                vec![vec![own(format!("{}  ", what.word())), private(&name.shown()), own(bytes)]];
            lines.extend(caption.iter().flat_map(text));
            lines
        }
        Said::Other(None) => {
            let kind = Shown::limited(&message.kind, 60);
            vec![vec![own("(something of the kind "), private(&kind), own(")")]]
        }
        Said::Deleted => vec![vec![own("deleted").ink(Ink::Muted)]],
        Said::Closed(reason) => {
            vec![vec![own("x closed").ink(Ink::Warn), own(format!("  {}", reason.line()))]]
        }
    };
    if lines.is_empty() {
        lines.push(Line::new());
    }
    let marks = [
        (!message.locked && message.reason().is_none(), " (was never locked)"),
        (message.edited, " (edited)"),
    ];
    if let Some(last) = lines.last_mut() {
        last.extend(marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| own(mark)));
    }
    lines
}

fn fact(model: &Model, roomy: bool) -> Line {
    if model.is_offline() {
        return line("keyhaul works offline now. Your keys are safe.");
    }
    if model.proof.messages.is_empty() {
        return line("Nothing is marked as read, and nobody sees that you look.");
    }
    if let Some(failure) = &model.proof.failed {
        return line(model.told(failure).what());
    }
    let Sum { closed, .. } = model.proof.sum();
    match (closed, roomy) {
        (0, _) => line("These are your messages, opened with the restored keys."),
        (1, _) => line("1 message is closed; → on it says why."),
        (closed, true) => {
            line(format!("{} messages are closed; → on one says why.", grouped(closed as u64)))
        }
        (closed, false) => line(format!("{} are closed; → says why.", grouped(closed as u64))),
    }
}

fn next(model: &Model, roomy: bool) -> Line {
    if model.is_offline() {
        return line("press 1 to sign in, or 7 to take your keys away.");
    }
    if !model.can_read_messages() {
        return line("press 4 and type your recovery key.");
    }
    if model.proof.reading.is_some() {
        return line("wait a moment, or press Ctrl-C to stop.");
    }
    if let (Some(failure), true) = (&model.proof.failed, model.proof.messages.is_empty()) {
        return line(lower_first(&model.told(failure).next()));
    }
    line(match (model.proof.messages.is_empty(), roomy) {
        (true, _) => "Tab chooses another room. Enter goes on.",
        (false, true) => "↑ reads further back. Enter goes on and takes your keys along.",
        (false, false) => "↑ reads back, Enter goes on.",
    })
}

fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = vec![called(Intent::GoOn, "take away")];
    if model.can_read_messages() {
        hints.push(called(Intent::NextPart, "rooms"));
        if model.proof.sum().closed > 0 {
            hints.extend([hint(Intent::NextClosed), hint(Intent::Open)]);
        }
        hints.push(called(Intent::Again, "ask again"));
    }
    hints.extend([hint(Intent::Explain), hint(Intent::Help), hint(Intent::Back)]);
    hints
}

/// Why one message is closed.
pub(super) fn why_page(model: &Model) -> Page {
    let Some(message) = model.proof.focus() else { return Page::default() };
    let Said::Closed(reason) = &message.said else { return Page::default() };
    let mut head = vec![own(format!("{}, {}, from ", date(model, message), time(model, message)))];
    head.push(name(message));
    let mut rows = vec![Row::wrapped(0, head), Row::empty()];
    rows.push(Row::wrapped(0, line(reason.why())));
    rows.push(Row::wrapped(0, line(reason.help())));
    if let Reason::NoKey | Reason::StartsLater { .. } = reason {
        rows.push(Row::empty());
        rows.push(Row::wrapped(
            0,
            line("A key file that you saved earlier is read by: keyhaul import FILE"),
        ));
    }
    rows.push(Row::empty());
    let id = Shown::limited(&message.event_id, 255);
    rows.push(Row::of(vec![own("Message  ").ink(Ink::Muted), private(&id).middle(50)]));
    let sender = Shown::limited(&message.sender, 255);
    rows.push(Row::of(vec![
        own("Sender   ").ink(Ink::Muted),
        instead(&sender, Instead::Account).middle(50),
    ]));
    Page {
        title: line("Why this message is closed"),
        corner: line(reason.word()),
        rows,
        fact: line("The message itself is still on your server."),
        next: line("Esc goes back to the messages."),
        hints: vec![
            called(Intent::Close, "close"),
            called(Intent::Copy, "copy"),
            hint(Intent::Explain),
            hint(Intent::Help),
        ],
        ..Page::default()
    }
}

/// Details of a closed message for the clipboard: no names, no text.
pub(in crate::tui) fn why_to_copy(model: &Model) -> Option<String> {
    let message = model.proof.focus()?;
    let Said::Closed(reason) = &message.said else { return None };
    let at = message.at.map(|at| at.to_string()).unwrap_or_default();
    Some(format!("{at} closed: {} ({})", reason.why(), reason.word()))
}

/// The rooms whose messages can be read.
pub(super) fn rooms_page(model: &Model, regions: &Regions) -> Page {
    let rooms = model.proof_rooms();
    let height = regions.rows();
    let version = &model.restore.version;
    let wide = regions.cells().saturating_sub(14);
    let mut list = Vec::new();
    for place in model.proof.rooms.seen(rooms.len(), height) {
        let Some(id) = rooms.get(place) else { continue };
        let focus = place == model.proof.rooms.at && model.overlays.is_empty();
        let keys = known(model, version, id).map_or(0, |room| room.figures.sessions);
        let row = vec![
            mark(focus),
            name_of(model, version, id).left(wide),
            own(counted(keys, "key")).right(12),
        ];
        let row = Row::of(row).focused(focus).target(Target::Row(place));
        list.push(row.cursor(focus.then_some(0)));
    }
    Page {
        title: line("Which room?"),
        corner: line(counted(rooms.len() as u64, "room")),
        rows: list,
        fact: line("The numbers are those of the backup."),
        next: line("choose a room with ↓ and press Enter."),
        hints: vec![
            called(Intent::GoOn, "read"),
            hint(Intent::Back),
            hint(Intent::Explain),
            hint(Intent::Help),
        ],
        ..Page::default()
    }
}
