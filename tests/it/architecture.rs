//! The house rules that a compiler does not know (ARCHITECTURE.md), each checked over all sources,
//! and each check shown to find a planted violation.

use crate::sources::{self, Source};

/// Which rooms a room may know besides itself. Whatever has no row may not exist.
///
/// The faces may name the value types of the pure rooms (an id, a refusal), but never the outside
/// world: only `recovery` combines rooms. The demo server is started by whoever shows it.
const ARROWS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("megolm", &["base"]),
    ("secret_storage", &["base"]),
    ("key_file", &["base", "megolm"]),
    ("backup", &["base", "megolm"]),
    ("demo", &["base", "backup", "megolm", "secret_storage", "key_file"]),
    ("homeserver", &["base", "backup", "megolm", "secret_storage", "key_file"]),
    ("store", &["base", "backup", "megolm", "secret_storage", "key_file"]),
    ("snapshot", &["base", "backup", "megolm", "secret_storage", "key_file"]),
    (
        "recovery",
        &[
            "base",
            "backup",
            "megolm",
            "secret_storage",
            "key_file",
            "homeserver",
            "store",
            "snapshot",
        ],
    ),
    // The command line opens the assistant, as one of the things it can be told to do.
    ("cli", &["tui", "recovery", "demo", "base", "backup", "megolm", "secret_storage", "key_file"]),
    ("tui", &["recovery", "demo", "base", "backup", "megolm", "secret_storage", "key_file"]),
    ("main", &["cli", "tui", "base"]),
    ("lib", &[]),
];

/// Rooms without I/O, clock, async and randomness of their own.
const PURE: &[&str] = &["backup", "megolm", "secret_storage", "key_file"];

/// What the outside world is called.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "tokio",
    "reqwest",
    "rusqlite",
    "getrandom",
    "crate::base::random::SystemRandom",
];

/// Names of clocks, wherever they come from.
const CLOCKS: &[&str] = &["SystemTime", "Instant", "Timestamp"];

/// Names that say nothing of what a file knows.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "types", "misc"];

/// Most lines of one file.
const LINES: usize = 600;

/// The one way to a `WritePermit`; only `src/recovery/upkeep*` may take it.
const PERMIT: &str = "for_agreed";

fn wrong_arrows(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let Some((room, allowed)) = ARROWS.iter().find(|(room, _)| *room == source.room()) else {
            found.push(format!("{}: the room {} has no row", source.path, source.room()));
            continue;
        };
        for named in source.named() {
            let Some(known) = room_named(source, &named) else { continue };
            if known != *room && !allowed.contains(&known.as_str()) {
                let (path, line) = (&source.path, named.line);
                found.push(format!("{path}:{line}: {room} must not know {known}"));
            }
        }
    }
    found
}

/// The room that a path leads into, if it leads into any.
fn room_named(source: &Source, named: &sources::Named) -> Option<String> {
    let segments: Vec<&str> = named.segments.iter().map(String::as_str).collect();
    let root = |rest: &[&str]| rest.first().map(|room| (*room).to_owned());
    match segments.as_slice() {
        ["crate", rest @ ..] => root(rest),
        ["keyhaul", rest @ ..] if source.room() == "main" => root(rest),
        ["super", ..] => {
            let up = segments.iter().take_while(|segment| **segment == "super").count();
            let mut module = source.module();
            let up = up.saturating_sub(named.inline);
            module.truncate(module.len().saturating_sub(up));
            let inside = up == 0 || !module.is_empty();
            if inside {
                return root(&module);
            }
            root(
                segments
                    .iter()
                    .skip_while(|s| **s == "super")
                    .copied()
                    .collect::<Vec<_>>()
                    .as_slice(),
            )
        }
        _ => None,
    }
}

fn impure(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| PURE.contains(&source.room())) {
        for named in source.named() {
            let path = named.segments.join("::");
            // A word alone is a variable or a field; `use std::fs` is a path of two.
            let outside = path.contains("::")
                && OUTSIDE.iter().any(|name| {
                    let rest = path.strip_prefix(name);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                });
            let clock = named.segments.iter().any(|name| CLOCKS.contains(&name.as_str()));
            if outside || clock {
                found.push(format!("{}:{}: {path} in a pure room", source.path, named.line));
            }
        }
    }
    found
}

fn permits_taken_elsewhere(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let tokens = source.tokens();
        let follows = |first: &str, second: &str| {
            tokens.windows(2).any(|pair| pair[0].text == first && pair[1].text == second)
        };
        // Were the constructor renamed, this check would look for nothing.
        if follows("struct", "WritePermit") && !follows("fn", PERMIT) {
            found.push(format!("{}: WritePermit without `{PERMIT}`", source.path));
        }
        let upkeep = source.path.strip_prefix("src/recovery/upkeep").is_some();
        for (at, token) in tokens.iter().enumerate() {
            let defined = at > 0 && tokens[at - 1].text == "fn";
            if token.text == PERMIT && !defined && !upkeep {
                found.push(format!("{}:{}: takes a WritePermit", source.path, token.line));
            }
        }
    }
    found
}

fn odd_files(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources {
        let lines = text.lines().count();
        if lines > LINES {
            found.push(format!("{path}: {lines} lines, at most {LINES}"));
        }
        if !text.starts_with("//!") {
            found.push(format!("{path}: does not begin by saying what it knows (`//!`)"));
        }
        let says_nothing = |part: &str| EMPTY_NAMES.contains(&part.trim_end_matches(".rs"));
        if path.split('/').any(says_nothing) {
            found.push(format!("{path}: a name that says nothing"));
        }
    }
    found
}

#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn arrows_point_downwards() {
    assert_none(&wrong_arrows(&sources::all()));
}

#[test]
fn a_wrong_arrow_is_found() {
    let planted = [
        Source::new("src/base/a.rs", "use crate::{base::b, backup::entry};"),
        Source::new("src/store/a.rs", "fn f() { super::super::homeserver::get() }"),
        Source::new("src/backup/a.rs", "mod tests { use super::super::entry; }"),
        Source::new("src/megolm/mod.rs", "use super::backup;"),
        Source::new("src/tui/screens/a.rs", "type A = crate::store::Row;"),
        Source::new("src/main.rs", "use keyhaul::{cli, recovery};"),
        Source::new("src/attic/a.rs", ""),
    ];
    assert_eq!(
        wrong_arrows(&planted),
        [
            "src/base/a.rs:1: base must not know backup",
            "src/store/a.rs:1: store must not know homeserver",
            "src/megolm/mod.rs:1: megolm must not know backup",
            "src/tui/screens/a.rs:1: tui must not know store",
            "src/main.rs:1: main must not know recovery",
            "src/attic/a.rs: the room attic has no row",
        ]
    );
}

#[test]
fn pure_rooms_are_pure() {
    assert_none(&impure(&sources::all()));
}

#[test]
fn an_impure_room_is_found() {
    let planted = [
        Source::new("src/backup/a.rs", "use std::{fmt, fs::File};\nfn f() { tokio::spawn(g()) }"),
        Source::new("src/megolm/a.rs", "use std::time;\nlet now = time::Instant::now();"),
        Source::new("src/store/a.rs", "use std::fs;"),
        Source::new(
            "src/key_file/a.rs",
            "// std::fs\nlet tokio = \"std::env\"; getrandom::fill(b)",
        ),
    ];
    assert_eq!(
        impure(&planted),
        [
            "src/backup/a.rs:1: std::fs::File in a pure room",
            "src/backup/a.rs:2: tokio::spawn in a pure room",
            "src/megolm/a.rs:2: time::Instant::now in a pure room",
            "src/key_file/a.rs:2: getrandom::fill in a pure room",
        ]
    );
}

#[test]
fn only_upkeep_takes_a_write_permit() {
    assert_none(&permits_taken_elsewhere(&sources::all()));
}

#[test]
fn a_permit_taken_elsewhere_is_found() {
    let taken = "let permit = WritePermit::for_agreed(&plan);";
    let planted = [
        Source::new("src/recovery/upkeep.rs", taken),
        Source::new("src/recovery/upkeep_delete.rs", taken),
        Source::new("src/recovery/restore.rs", taken),
        Source::new("src/homeserver/permit.rs", "pub struct WritePermit; fn for_agreed() {}"),
        Source::new("src/homeserver/other.rs", "pub struct WritePermit; fn for_anybody() {}"),
    ];
    assert_eq!(
        permits_taken_elsewhere(&planted),
        [
            "src/recovery/restore.rs:1: takes a WritePermit",
            "src/homeserver/other.rs: WritePermit without `for_agreed`",
        ]
    );
}

#[test]
fn files_are_short_and_say_what_they_know() {
    assert_none(&odd_files(&sources::all()));
}

#[test]
fn an_odd_file_is_found() {
    let planted = [
        Source::new("src/base/a.rs", &"//!\n".repeat(LINES + 1)),
        Source::new("src/base/b.rs", "/// Not the file's own words.\nfn f() {}"),
        Source::new("src/base/utils.rs", "//! Everything."),
        Source::new("src/tui/common/a.rs", "//! Everything."),
        Source::new("src/tui/uncommon.rs", "//! One thing."),
    ];
    assert_eq!(
        odd_files(&planted),
        [
            "src/base/a.rs: 601 lines, at most 600",
            "src/base/b.rs: does not begin by saying what it knows (`//!`)",
            "src/base/utils.rs: a name that says nothing",
            "src/tui/common/a.rs: a name that says nothing",
        ]
    );
}
