//! Pictures of the assistant for the README: the real views, fed with the story's fixed data, as SVG. Text
//! stays text; only frames and bars are drawn, so that they meet whatever font there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::scene::Scene;
use super::scene_later as later;

/// A picture, and how to come to what is on it.
struct Picture {
    /// The file's name without its ending.
    name: &'static str,
    /// What stands above the window.
    title: &'static str,
    /// What is to be seen, for whoever cannot.
    says: &'static str,
    scene: fn() -> Scene,
}

/// All pictures. One more is one more row here; `INSTA_UPDATE=always` draws it.
const PICTURES: &[Picture] = &[
    Picture {
        name: "sign-in",
        title: "keyhaul – sign in",
        says: "Step 1: the server was found, the password is being typed and stays hidden",
        scene: || {
            let mut scene = Scene::at_password(80, 24);
            scene.types("an engine ");
            scene
        },
    },
    Picture {
        name: "backups",
        title: "keyhaul – backups",
        says: "Step 2: three backups that still exist, with their keys, and who signed them",
        scene: || Scene::at_backups(80, 24),
    },
    Picture {
        name: "contents",
        title: "keyhaul – contents",
        says: "Step 3: the rooms of a backup by name, how many keys each has and how many start late",
        scene: || Scene::named(120, 30),
    },
    Picture {
        name: "key",
        title: "keyhaul – key",
        says: "Step 4: the recovery key in twelve hidden cells, and the locks that it opens",
        scene: || Scene::with_key(80, 24, later::opens_all()),
    },
    Picture {
        name: "plan",
        title: "keyhaul – plan",
        says: "Step 5: the plan as a sum, before anything is written: new, better, refused and why",
        scene: || Scene::planned(120, 36),
    },
    Picture {
        name: "restore",
        title: "keyhaul – restore",
        says: "Step 5: keys are restored, room by room, with the rate and the time left",
        scene: || Scene::in_the_middle(80, 24),
    },
    Picture {
        name: "proof",
        title: "keyhaul – proof",
        says: "Step 6: messages of a room, opened with the restored keys; each closed one says why",
        scene: || Scene::at_proof(80, 24),
    },
    Picture {
        name: "take-away",
        title: "keyhaul – take away",
        says: "Step 7: a key file for other apps, with a passphrase that was made",
        scene: || Scene::at_key_file(80, 24),
    },
];

/// A cell, in the units of the picture.
const CELL: (usize, usize) = (9, 19);
/// From the top of a row to the line on which its letters stand.
const BASE: usize = 14;
const FONT: usize = 15;
const MARGIN: usize = 14;
const BAR: usize = 34;
/// Between the bar and the first row.
const GAP: usize = 6;
const GROUND: &str = "#16181d";
const TEXT: &str = "#d5d8de";
/// The sixteen colours of a terminal, for a dark background.
const PALETTE: [&str; 16] = [
    "#16181d", "#cc6666", "#9fbf6f", "#d9b566", "#6f9fd8", "#b58ccf", "#6fb7b7", "#c5c8c6",
    "#6b7078", "#f07178", "#a8d977", "#ffd866", "#82aaff", "#d6a4ff", "#7fdbea", "#ffffff",
];

/// How a cell looks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    front: &'static str,
    ground: &'static str,
    bold: bool,
    dim: bool,
    underlined: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let has = |modifier| cell.modifier.contains(modifier);
        let (mut front, mut ground) = (colour(cell.fg, TEXT), colour(cell.bg, GROUND));
        if has(Modifier::REVERSED) {
            (front, ground) = (ground, front);
        }
        Self {
            front,
            ground,
            bold: has(Modifier::BOLD),
            dim: has(Modifier::DIM),
            underlined: has(Modifier::UNDERLINED),
        }
    }

    /// The attributes of letters that look so.
    fn letters(self) -> String {
        let mut attributes = String::new();
        if self.front != TEXT {
            attributes.push_str(&format!(r#" fill="{}""#, self.front));
        }
        for (is, attribute) in [
            (self.bold, r#" font-weight="bold""#),
            (self.dim, r#" opacity=".6""#),
            (self.underlined, r#" text-decoration="underline""#),
        ] {
            attributes.push_str(if is { attribute } else { "" });
        }
        attributes
    }
}

fn colour(colour: Color, otherwise: &'static str) -> &'static str {
    let number = match colour {
        Color::Reset => return otherwise,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        other => panic!("{other} is none of the sixteen colours"),
    };
    PALETTE[number]
}

/// How wide a character is in the fonts that people have: what belongs together is set together, to the
/// width that it has in the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ordinary,
    Sign,
    Wide,
}

/// Characters that look the same and stand beside each other.
struct Run {
    column: usize,
    columns: usize,
    text: String,
    look: Look,
    kind: Kind,
}

/// The cells of a row that show something of their own: column, cell, width.
fn cells(buffer: &Buffer, row: usize) -> impl Iterator<Item = (usize, &Cell, usize)> {
    let width = usize::from(buffer.area.width);
    let mut behind = 0;
    let cells = buffer.content()[row * width..][..width].iter().enumerate();
    cells.filter_map(move |(column, cell)| {
        if behind > 0 {
            // What a wide character covers.
            behind -= 1;
            return None;
        }
        let wide = cell.symbol().width().max(1);
        behind = wide - 1;
        Some((column, cell, wide))
    })
}

/// Which ways a frame's line goes from the middle of its cell: left, right, up, down.
fn lines(symbol: &str) -> Option<[bool; 4]> {
    let (yes, no) = (true, false);
    Some(match symbol {
        "─" => [yes, yes, no, no],
        "│" => [no, no, yes, yes],
        "┌" => [no, yes, no, yes],
        "┐" => [yes, no, no, yes],
        "└" => [no, yes, yes, no],
        "┘" => [yes, no, yes, no],
        "├" => [no, yes, yes, yes],
        "┤" => [yes, no, yes, yes],
        "┬" => [yes, yes, no, yes],
        "┴" => [yes, yes, yes, no],
        "┼" => [yes; 4],
        _ => return None,
    })
}

/// How much of a cell's colour a bar's sign has.
fn filled(symbol: &str) -> Option<&'static str> {
    match symbol {
        "█" => Some("1"),
        "░" => Some(".25"),
        _ => None,
    }
}

fn is_drawn(symbol: &str) -> bool {
    lines(symbol).is_some() || filled(symbol).is_some()
}

/// The text of a row in runs. Two spaces end one: what stands in columns keeps its place.
fn runs(buffer: &Buffer, row: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (column, cell, wide) in cells(buffer, row) {
        let symbol = cell.symbol();
        if symbol == " " || is_drawn(symbol) {
            continue;
        }
        let look = Look::of(cell);
        let kind = match (wide, symbol.is_ascii()) {
            (2.., _) => Kind::Wide,
            (_, true) => Kind::Ordinary,
            (_, false) => Kind::Sign,
        };
        let gap = |run: &Run| column - run.column - run.columns;
        let last = runs.last_mut().filter(|run| run.look == look && run.kind == kind);
        // Words that are read from right to left stand in one piece, or their order would change.
        let joins = kind == Kind::Ordinary || symbol.chars().all(char::is_alphabetic);
        match last.filter(|run| gap(run) == 0 || gap(run) == 1 && joins) {
            Some(run) => {
                run.text.push_str(if gap(run) == 1 { " " } else { "" });
                run.text.push_str(symbol);
                run.columns = column + wide - run.column;
            }
            None => {
                let text = symbol.to_owned();
                runs.push(Run { column, columns: wide, text, look, kind });
            }
        }
    }
    runs
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Rows of the same cells beside each other, as rectangles: where, how wide, the colour, how much of it.
fn rectangles(buffer: &Buffer, row: usize) -> Vec<(usize, usize, &'static str, &'static str)> {
    let mut all: Vec<(usize, usize, &'static str, &'static str)> = Vec::new();
    for (column, cell, wide) in cells(buffer, row) {
        let look = Look::of(cell);
        let grounds = (look.ground != GROUND).then_some((look.ground, "1"));
        let bars = filled(cell.symbol()).map(|part| (look.front, part));
        for (colour, part) in grounds.into_iter().chain(bars) {
            match all.last_mut() {
                Some(last) if last.0 + last.1 == column && (last.2, last.3) == (colour, part) => {
                    last.1 += wide;
                }
                _ => all.push((column, wide, colour, part)),
            }
        }
    }
    all
}

/// The lines of all frames, those of one colour in one path.
fn frames(buffer: &Buffer) -> BTreeMap<(&'static str, bool), String> {
    let mut paths: BTreeMap<(&'static str, bool), String> = BTreeMap::new();
    let size = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let at = |column: usize, row: usize| &buffer.content()[row * size.0 + column];
    // Along rows, then along columns: each line from its first cell to its last one.
    for along_rows in [true, false] {
        let (across, along) = if along_rows { (size.1, size.0) } else { (size.0, size.1) };
        let (back, on) = if along_rows { (0, 1) } else { (2, 3) };
        let cell = if along_rows { CELL.0 } else { CELL.1 };
        for other in 0..across {
            let mut line: Option<(usize, usize, Look)> = None;
            for place in 0..=along {
                let here = (place < along).then(|| match along_rows {
                    true => at(place, other),
                    false => at(other, place),
                });
                let ways = here.and_then(|here| lines(here.symbol()));
                let ways = ways.filter(|ways| ways[back] || ways[on]);
                let look = here.map(Look::of);
                let end = place * cell;
                let goes_on = ways.is_some_and(|ways| ways[back])
                    && line.is_some_and(|(_, to, before)| to == end && look == Some(before));
                if let Some((from, to, look)) = line.filter(|_| !goes_on) {
                    let (x, y) = match along_rows {
                        true => (from, other * CELL.1 + CELL.1 / 2),
                        false => (other * CELL.0 + CELL.0 / 2, from),
                    };
                    let letter = if along_rows { 'h' } else { 'v' };
                    let path = paths.entry((look.front, look.dim)).or_default();
                    write!(path, "M{x} {y}{letter}{}", to - from).unwrap();
                    line = None;
                }
                let (Some(ways), Some(look)) = (ways, look) else { continue };
                let middle = end + cell / 2;
                let from = line.map_or(if ways[back] { end } else { middle }, |(from, ..)| from);
                line = Some((from, if ways[on] { end + cell } else { middle }, look));
            }
        }
    }
    paths
}

/// A window as a picture.
fn svg(picture: &Picture, buffer: &Buffer) -> String {
    let (width, height) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (wide, high) = (width * CELL.0 + 2 * MARGIN, height * CELL.1 + MARGIN + BAR + GAP);
    let (title, says) = (escaped(picture.title), escaped(picture.says));
    let mut svg = String::new();
    let mut line = |text: String| writeln!(svg, "{text}").unwrap();
    line(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">"#
    ));
    line(format!("<title>{says}</title>"));
    line(format!(r#"<rect width="{wide}" height="{high}" rx="9" fill="{GROUND}"/>"#));
    line(format!(
        r##"<path d="M0 {BAR}V9a9 9 0 0 1 9-9H{}a9 9 0 0 1 9 9V{BAR}z" fill="#2a2d35"/>"##,
        wide - 9
    ));
    for (place, colour) in ["#f07178", "#ffd866", "#a8d977"].into_iter().enumerate() {
        line(format!(
            r#"<circle cx="{}" cy="{}" r="6" fill="{colour}"/>"#,
            20 + place * 20,
            BAR / 2
        ));
    }
    line(format!(
        r#"<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="{FONT}" fill="{TEXT}">"#
    ));
    line(format!(
        r#"<text x="{}" y="{}" text-anchor="middle" opacity=".7">{title}</text>"#,
        wide / 2,
        BAR / 2 + 5
    ));
    line(format!(r#"<g transform="translate({MARGIN} {})">"#, BAR + GAP));
    for row in 0..height {
        for (column, columns, colour, part) in rectangles(buffer, row) {
            let (x, y, wide) = (column * CELL.0, row * CELL.1, columns * CELL.0);
            let part = if part == "1" { String::new() } else { format!(r#" opacity="{part}""#) };
            line(format!(
                r#"<rect x="{x}" y="{y}" width="{wide}" height="{}" fill="{colour}"{part}/>"#,
                CELL.1
            ));
        }
    }
    for ((front, dim), path) in frames(buffer) {
        let part = if dim { ".35" } else { ".5" };
        line(format!(r#"<path d="{path}" stroke="{front}" opacity="{part}" fill="none"/>"#));
    }
    for row in 0..height {
        for run in runs(buffer, row) {
            let (x, y, text) = (run.column * CELL.0, row * CELL.1 + BASE, escaped(&run.text));
            let length = match run.text.chars().count() {
                1 => String::new(),
                _ => format!(r#" textLength="{}""#, run.columns * CELL.0),
            };
            line(format!(r#"<text x="{x}" y="{y}"{length}{}>{text}</text>"#, run.look.letters()));
        }
    }
    line("</g></g></svg>".to_owned());
    svg
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots")
}

#[test]
fn the_pictures_are_what_the_views_draw() {
    let update = std::env::var("INSTA_UPDATE").as_deref() == Ok("always");
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    let mut names = BTreeSet::new();
    for picture in PICTURES {
        let name = format!("{}.svg", picture.name);
        let svg = svg(picture, &(picture.scene)().buffer());
        if update {
            std::fs::write(folder.join(&name), &svg).unwrap();
        }
        let there = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(there == svg, "{name} is another picture; INSTA_UPDATE=always draws it anew");
        names.insert(name);
    }
    let there = std::fs::read_dir(folder).unwrap();
    let there = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, there, "pictures that nobody draws");
}

/// The README shows pictures that exist, and says what is on them.
#[test]
fn the_readme_shows_pictures_that_exist() {
    let readme = include_str!("../../../README.md");
    let mut shown = 0;
    for rest in readme.split("![").skip(1) {
        let (says, rest) = rest.split_once("](").unwrap();
        let (file, _) = rest.split_once(')').unwrap();
        let Some(name) = file.strip_prefix("assets/screenshots/") else { continue };
        let mut pictures = PICTURES.iter();
        let picture = pictures.find(|picture| format!("{}.svg", picture.name) == name);
        assert_eq!(says, picture.expect(file).says);
        shown += 1;
    }
    assert!(shown >= 2, "{shown}");
}

/// What XML would take for its own is written out, colours and widths are kept, and all the words are there.
#[test]
fn a_picture_holds_what_the_window_shows() {
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 3));
    buffer.set_string(0, 0, "┌─ a<b>&\"c\" ─┐", Style::new());
    buffer.set_string(0, 1, "│写真  two   bars", Style::new().fg(Color::LightGreen));
    buffer.set_string(0, 2, "██░░", Style::new().fg(Color::LightCyan));
    let picture = Picture { name: "", title: "t", says: "s", scene: || Scene::begin(1, 1) };
    buffer.set_string(6, 2, "x", Style::new().add_modifier(Modifier::REVERSED));
    let svg = svg(&picture, &buffer);
    for part in [
        ">a&lt;b&gt;&amp;&quot;c&quot;</text>",
        &format!(r#"<text x="9" y="33" textLength="36" fill="{}">写真</text>"#, PALETTE[10]),
        &format!(r#"textLength="27" fill="{}">two</text>"#, PALETTE[10]),
        &format!(r#"<rect x="0" y="38" width="18" height="19" fill="{}"/>"#, PALETTE[14]),
        &format!(
            r#"<rect x="18" y="38" width="18" height="19" fill="{}" opacity=".25"/>"#,
            PALETTE[14]
        ),
        &format!(r#"<rect x="54" y="38" width="9" height="19" fill="{TEXT}"/>"#),
        &format!(r#"<text x="54" y="52" fill="{GROUND}">x</text>"#),
        // The frame from its corner on, and down from there.
        "M4 9h14",
        "M4 9v10",
    ] {
        assert!(svg.contains(part), "{part} is not in\n{svg}");
    }
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
}
