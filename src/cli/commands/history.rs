//! `history ROOM`: messages of one room, opened with the restored keys.

use std::path::PathBuf;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::super::{
    desk::Desk,
    output::{Lines, closed},
};
use crate::{
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
        words::{counted, day, size},
    },
    recovery::{
        proof::{
            self, History, Message, Wish,
            said::{File, Said},
            words::Words,
        },
        restore,
        store::Kept,
        visit::Visit,
        watch::Watch,
    },
};

/// Widest name before a message, in cells.
const NAME: usize = 20;
/// Cells of a line before and between its time and its name.
const BEFORE: usize = 10;
/// Most of a message that is quoted by an answer, in cells.
const QUOTE: usize = 40;
/// Most lines of one message: whoever wants to fill a window with theirs shall not.
const LINES: usize = 40;

pub(super) async fn run(desk: &mut Desk, room: String, limit: u16) -> Result<u8, Failure> {
    if !room.starts_with('!') {
        return Err(Failure::new(Code::Usage)
            .because("expected a room's id, which begins with !; see keyhaul rooms --json"));
    }
    let visit = desk.visit_with_secret().await?;
    // Somebody may have made new locks on the server since: the store has its own.
    let kept = match visit.fits_nothing() {
        Some(_) => desk.kept().await.ok(),
        None => None,
    };
    let result = read(desk, &visit, room, limit, kept).await;
    desk.leave(visit).await;
    result
}

async fn read(
    desk: &Desk,
    visit: &Visit,
    room_id: String,
    limit: u16,
    kept: Option<Kept>,
) -> Result<u8, Failure> {
    let data_dir = match &desk.demo {
        None => desk.data_dir()?,
        Some(story) => {
            // A story begins anew each time, with nothing on its computer; what it restores is gone
            // with it.
            let data_dir = story.data_dir();
            bring_back(desk, visit, &room_id, data_dir.clone()).await?;
            data_dir
        }
    };
    let wish = Wish { data_dir, room_id, from: None, limit: usize::from(limit), kept };
    let history = proof::history(visit, wish, &*desk.progress(), &desk.cancel).await;
    desk.progress().finish();
    let history = history?;
    if let Some(stopped) = history.shortfall.as_ref().filter(|why| why.code() == Code::Stopped) {
        return Err(stopped.clone());
    }
    desk.output
        .result(|| document(&history), |lines| show(&history, &TimeZone::system(), lines))
        .map_err(|error| closed(&error))?;
    match &history.shortfall {
        None => Ok(0),
        Some(failure) => {
            desk.output.warning(failure);
            Ok(3)
        }
    }
}

async fn bring_back(
    desk: &Desk,
    visit: &Visit,
    room_id: &str,
    data_dir: PathBuf,
) -> Result<(), Failure> {
    let (wanted, rooms) = (desk.wanted(), vec![room_id.to_owned()]);
    let wish = restore::Wish {
        wanted,
        rooms,
        dry_run: false,
        save_snapshot: false,
        data_dir,
        from: Default::default(),
        read_back: false,
    };
    let watch = Watch::default();
    restore::restore(visit, wish, watch, desk.progress(), desk.cancel.clone()).await.map(drop)
}

fn document(history: &History) -> Value {
    let events = history.messages.iter().map(|message| {
        let file = match &message.said {
            Said::File(File { what, name, bytes, .. }) => {
                json!({"what": what.word(), "name": name.expose(), "bytes": bytes})
            }
            _ => Value::Null,
        };
        json!({
            "event_id": message.event_id,
            "sender": message.sender,
            "name": message.name.as_str(),
            "ts": message.at.map(|at| at.to_string()),
            "type": message.kind,
            "locked": message.locked,
            "readable": message.reason().is_none(),
            "body": message.words().map(Words::expose),
            "file": file,
            "edited": message.edited,
            "answers": message.answers.as_ref().map(|answered| &answered.event_id),
            "reason": message.reason(),
        })
    });
    json!({
        "room_id": history.room_id,
        "events": events.collect::<Vec<_>>(),
        "readable": history.readable,
        "unreadable": history.unreadable,
        "deleted": history.deleted,
        "earlier": history.earlier.is_some(),
    })
}

fn show(history: &History, zone: &TimeZone, lines: &mut Lines) {
    let names: Vec<Shown> = history.messages.iter().map(name).collect();
    let width = names.iter().map(Shown::width).max().unwrap_or_default();
    let mut last = None;
    for (message, name) in history.messages.iter().zip(&names) {
        let (day, time) = day_and_time(message.at, zone);
        if last.as_ref() != Some(&day) {
            lines.line(format!("── {day} ──"));
            last = Some(day);
        }
        let padding = " ".repeat(width.saturating_sub(name.width()));
        let before = format!(" {time}  {name}{padding}  ");
        let indent = " ".repeat(BEFORE + width);
        let mut said = said(message).into_iter();
        if let Some(answered) = &message.answers {
            let quoted = answered.words.as_ref().map(|words| words.shown().cut(QUOTE));
            let quoted = quoted.map_or("an older message".to_owned(), |words| format!("“{words}”"));
            lines.line(format!("{before}↳ answers {quoted}"));
        } else if let Some(first) = said.next() {
            lines.line(format!("{before}{first}").trim_end());
        }
        said.for_each(|line| lines.line(format!("{indent}{line}").trim_end()));
    }
    if let Some(help) = help(history) {
        lines.line(help);
    }
    lines.line(sum(history));
}

fn name(message: &Message) -> Shown {
    if message.own { Shown::new("you") } else { message.name.cut(NAME) }
}

fn day_and_time(at: Option<Timestamp>, zone: &TimeZone) -> (String, String) {
    match at {
        Some(at) => {
            let zoned = zone.to_datetime(at);
            (day(at, zone), format!("{:02}:{:02}", zoned.hour(), zoned.minute()))
        }
        None => ("At no time that makes sense".to_owned(), "--:--".to_owned()),
    }
}

/// The lines of a message.
fn said(message: &Message) -> Vec<String> {
    let mut lines: Vec<String> = match &message.said {
        Said::Text(words) => text(words),
        Said::File(file) => {
            let bytes = file.bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
            let name = file.name.shown();
            let mut lines = vec![format!("{}  {name}{bytes}", file.what.word())];
            lines.extend(file.caption.iter().flat_map(text));
            lines
        }
        Said::Other(Some(words)) => text(words),
        Said::Other(None) => {
            vec![format!("(something of the kind {})", Shown::limited(&message.kind, 60))]
        }
        Said::Deleted => vec!["deleted".to_owned()],
        Said::Closed(reason) => vec![format!("x closed  {}", reason.line())],
    };
    if !message.locked && message.reason().is_none() {
        mark(&mut lines, "was never locked");
    }
    if message.edited {
        mark(&mut lines, "edited");
    }
    lines
}

fn text(words: &Words) -> Vec<String> {
    let all = words.lines();
    let mut lines: Vec<String> = all.iter().take(LINES).map(Shown::to_string).collect();
    if let more @ 1.. = all.len().saturating_sub(LINES) {
        lines.push(format!("… and {} more", counted(more as u64, "line")));
    }
    lines
}

fn mark(lines: &mut Vec<String>, word: &str) {
    match lines.last_mut() {
        Some(last) => last.push_str(&format!(" ({word})")),
        None => lines.push(format!("({word})")),
    }
}

/// The last line: how many opened.
fn sum(history: &History) -> String {
    let all = history.messages.len() as u64;
    let deleted = match history.deleted as u64 {
        0 => String::new(),
        1 => ", 1 was deleted".to_owned(),
        more => format!(", {} were deleted", grouped(more)),
    };
    match (all, history.unreadable) {
        (0, _) => "There are no messages in this room that you may see.".to_owned(),
        _ => format!(
            "{} of the last {} opened{deleted}.",
            grouped(history.readable as u64),
            counted(all, "message")
        ),
    }
}

/// What may help the newest message that is closed.
fn help(history: &History) -> Option<String> {
    let closed = |message: &&Message| matches!(message.said, Said::Closed(_));
    match &history.messages.iter().rfind(closed)?.said {
        Said::Closed(reason) => {
            Some(format!("The newest closed one: {} {}", reason.why(), reason.help()))
        }
        _ => None,
    }
}
