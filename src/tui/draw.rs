//! Draws a page into a window: the head, the rail, the frame and its rows, the four lines below.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
};
use unicode_width::UnicodeWidthStr;

use super::{
    intent::Intent,
    keymap::{self, Place},
    layout::layout,
    model::{Model, Step},
    page::{Hint, Line, Page, Row, Side, Target, own},
    pen::Pen,
    screens,
    theme::Ink,
};

/// What was clicked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    Intent(Intent),
    Target(Target),
}

/// Draws the model.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let pen = model.pen();
    let Some(regions) = layout(area.into()) else {
        draw_too_small(model, &pen, frame.buffer_mut(), area);
        return;
    };
    let page = screens::page(model, &regions);
    let buffer = frame.buffer_mut();
    let head = screens::head(model, &regions);
    pen.draw(buffer, indented(regions.head), &head.0);
    pen.draw_right(buffer, indented(regions.head), &head.1);
    if let Some(rail) = regions.rail {
        for (_, place, line) in rail_lines(model, &pen, rail) {
            pen.draw(buffer, place, &line);
        }
    }
    if let Some(place) = regions.frame {
        draw_frame(&pen, buffer, place, &page);
    }
    let cursor = draw_rows(&pen, buffer, regions.body, &page.rows);
    if let (Some(place), Some(side)) = (regions.side, &page.side) {
        draw_side(&pen, buffer, place, side);
    }
    let next = next_lines(&pen, &page.next, usize::from(indented(regions.next).width));
    match (next.as_slice(), regions.fact) {
        // What to do next is never cut short: where it needs two lines, it takes that of the fact.
        ([first, second, ..], Some(fact)) => {
            pen.draw(buffer, indented(fact), &first.line);
            pen.draw(buffer, indented(regions.next), &second.line);
        }
        ([first, ..], fact) => {
            pen.draw(buffer, indented(regions.next), &first.line);
            if let Some(place) = fact {
                let place = indented(place);
                let fact = pen.sentences(&page.fact, usize::from(place.width));
                pen.draw(buffer, place, &fact);
            }
        }
        ([], _) => {}
    }
    for (_, place, line) in hint_lines(model, &pen, regions.hints, &page.hints) {
        pen.draw(buffer, place, &line);
    }
    if let Some(place) = regions.command {
        let mut line = vec![own("$ ").ink(Ink::Muted)];
        line.extend(page.command.iter().cloned().map(|piece| piece.ink(Ink::Muted)));
        pen.draw(buffer, indented(place), &line);
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// What stands at a position of the window.
pub(super) fn hit(model: &Model, at: Position) -> Option<Hit> {
    let regions = layout(model.size())?;
    let pen = model.pen();
    let page = screens::page(model, &regions);
    if let Some(rail) = regions.rail.filter(|rail| rail.contains(at)) {
        let lines = rail_lines(model, &pen, rail);
        let (step, ..) = lines.into_iter().find(|(_, place, _)| place.contains(at))?;
        return Some(Hit::Intent(Intent::Step(step)));
    }
    if regions.hints.contains(at) {
        let lines = hint_lines(model, &pen, regions.hints, &page.hints);
        let (intent, ..) = lines.into_iter().find(|(_, place, _)| place.contains(at))?;
        return Some(Hit::Intent(intent));
    }
    let lines = pen.wrap(&page.rows, regions.cells());
    let row = regions.body.contains(at).then(|| usize::from(at.y - regions.body.y))?;
    let above = above(&lines, usize::from(regions.body.height));
    lines.get(above + row)?.target.map(Hit::Target)
}

/// What to do next, with its word in front, as lines of a width.
fn next_lines(pen: &Pen, next: &Line, width: usize) -> Vec<Row> {
    let mut line = vec![own("Next: ").ink(Ink::Strong)];
    line.extend(next.iter().cloned());
    pen.wrap(&[Row::wrapped(0, line)], width)
}

fn indented(place: Rect) -> Rect {
    Rect { x: place.x + 1, width: place.width.saturating_sub(2), ..place }
}

fn draw_too_small(model: &Model, pen: &Pen, buffer: &mut Buffer, area: Rect) {
    let mut rows = vec![Row::wrapped(0, vec![own("Make the window larger: 40 by 12.")])];
    rows.extend(screens::working(model).map(|work| Row::wrapped(0, work)));
    draw_rows(pen, buffer, area, &rows);
}

/// How many lines are above those that are seen: the focus is always among these. Long lists see to that
/// themselves; this is for short ones that are long for once.
fn above(lines: &[Row], height: usize) -> usize {
    let focus = lines.iter().rposition(|line| line.focus);
    focus.map_or(0, |focus| (focus + 1).saturating_sub(height))
}

fn draw_rows(pen: &Pen, buffer: &mut Buffer, place: Rect, rows: &[Row]) -> Option<Position> {
    let mut cursor = None;
    let lines = pen.wrap(rows, usize::from(place.width));
    let above = above(&lines, usize::from(place.height));
    for (y, row) in (place.y..place.bottom()).zip(lines.iter().skip(above)) {
        let line = Rect { y, height: 1, ..place };
        let end = pen.draw(buffer, line, &row.line);
        if row.focus {
            let focus = Rect { width: end.saturating_sub(line.x).min(line.width), ..line };
            buffer.set_style(focus, pen.theme.focus());
        }
        if let Some(cell) = row.cursor.and_then(|cell| u16::try_from(cell).ok()) {
            let x = (line.x + cell).min(line.right().saturating_sub(1));
            cursor = Some(Position::new(x, y));
        }
    }
    cursor
}

fn draw_side(pen: &Pen, buffer: &mut Buffer, place: Rect, side: &Side) {
    let page = Page { title: side.title.clone(), ..Page::default() };
    draw_frame(pen, buffer, place, &page);
    let inside = Rect {
        x: place.x + 2,
        y: place.y + 1,
        width: place.width.saturating_sub(4),
        height: place.height.saturating_sub(2),
    };
    draw_rows(pen, buffer, inside, &side.rows);
}

/// A frame of single lines: reading. Its edges carry the title, the corner, and what is chosen.
fn draw_frame(pen: &Pen, buffer: &mut Buffer, place: Rect, page: &Page) {
    if place.width < 4 || place.height < 2 {
        return;
    }
    let inner = usize::from(place.width - 2);
    let mut across = |y: u16, ends: [&str; 2], left: &Line, right: &Line| {
        let edge = format!("{}{}{}", ends[0], "─".repeat(inner), ends[1]);
        let line = Rect { y, height: 1, ..place };
        pen.draw(buffer, line, &vec![own(edge)]);
        let inside = Rect { x: place.x + 1, width: place.width - 2, ..line };
        let padded = |line: &Line| {
            let mut padded = vec![own(" ")];
            padded.extend(line.iter().cloned());
            padded.push(own(" "));
            padded
        };
        let mut taken = 0;
        if !left.is_empty() {
            let left = padded(left);
            taken = pen.line(&left).width();
            pen.draw(buffer, inside, &left);
        }
        if !right.is_empty() {
            let right = padded(right);
            // One cell of the edge stays visible behind it.
            if taken + pen.line(&right).width() < inner {
                pen.draw_right(buffer, Rect { width: inside.width - 1, ..inside }, &right);
            }
        }
    };
    across(place.y, ["┌", "┐"], &page.title, &page.corner);
    across(place.bottom() - 1, ["└", "┘"], &page.edge, &Line::new());
    for y in place.y + 1..place.bottom() - 1 {
        for x in [place.x, place.right() - 1] {
            pen.print(buffer, Position::new(x, y), place.right(), "│", Ink::Plain);
        }
    }
}

/// The steps: numbered words, because the digit is the key.
fn rail_lines(model: &Model, pen: &Pen, rail: Rect) -> Vec<(Step, Rect, Line)> {
    let wide = rail.width >= 110;
    let mut x = rail.x + 1;
    let mut lines = Vec::new();
    for step in Step::ALL {
        let (sign, ink) = screens::rail_sign(model, step);
        // On the rail a tick is one sign also in ASCII, so that the steps keep their places.
        let sign = if pen.ascii && sign == "✓" { "+" } else { sign };
        let ink_of_name = if sign == "▸" { Ink::Accent } else { Ink::Plain };
        let name = format!("{} {}", step.number(), step.title());
        let line = vec![own(sign).ink(ink), own(name).ink(ink_of_name)];
        let width = u16::try_from(pen.line(&line).width()).unwrap_or(0);
        let gap = if wide { 5 } else { 2 };
        lines.push((
            step,
            Rect { x, width: width.min(rail.right().saturating_sub(x)), ..rail },
            line,
        ));
        x = x.saturating_add(width + gap).min(rail.right());
    }
    lines
}

/// The footer: as many keys as fit, the most likely first.
fn hint_lines(model: &Model, pen: &Pen, place: Rect, hints: &[Hint]) -> Vec<(Intent, Rect, Line)> {
    let place = indented(place);
    let (screen, in_field) = (model.place(), model.in_field());
    let mut lines: Vec<(Intent, Rect, Line)> = Vec::new();
    let mut x = place.x;
    let help = [Hint { intent: Intent::Help, label: None }];
    let mut wanted: Vec<&Hint> = hints.iter().collect();
    // Help is named on every screen: when there is no room for all, it is what stays.
    if !hints.iter().any(|hint| hint.intent == Intent::Help) {
        wanted.extend(&help);
    }
    let made: Vec<(Intent, Line, u16)> = wanted
        .into_iter()
        .filter_map(|hint| {
            let (key, label) = keymap::hint(screen, in_field, hint.intent)?;
            let label = hint.label.unwrap_or(label);
            let line = vec![own(key).ink(Ink::Accent), own(format!(" {label}"))];
            let width = u16::try_from(pen.line(&line).width()).ok()?;
            Some((hint.intent, line, width))
        })
        .collect();
    let help_width = made.iter().find(|(intent, ..)| *intent == Intent::Help).map_or(0, |m| m.2);
    for (intent, mut line, width) in made {
        let gap = if lines.is_empty() { 0 } else { 3 };
        let is_help = intent == Intent::Help;
        let kept_free = if is_help { 0 } else { help_width + 3 };
        if x + gap + width + kept_free > place.right() {
            continue;
        }
        if gap > 0 {
            line.insert(0, own(" · ").ink(Ink::Muted));
        }
        lines.push((intent, Rect { x, width: gap + width, ..place }, line));
        x += gap + width;
    }
    lines
}

/// The keys that help lists on a screen, place by place: those of a field first, where one has the focus.
pub(super) fn help_places(model: &Model) -> [Place; 4] {
    let [own, lists, everywhere] = model.place().chain();
    match model.screen_in_field() {
        true => [Place::Field, everywhere, own, lists],
        false => [own, lists, everywhere, Place::Field],
    }
}
