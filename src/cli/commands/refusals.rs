//! Taken and refused keys in words, for every command that takes some.

use crate::{
    base::shown::{Shown, grouped},
    recovery::tally::Tally,
};

use super::super::table::{Align, Table};

/// What became of the keys that were taken, a line each; nothing of what did not occur.
pub(super) fn counts(tally: &Tally) -> Vec<String> {
    let counts = [
        (tally.figures.new, "new"),
        (tally.figures.better, "better: they reach further back than yours"),
        (tally.figures.unchanged, "already here"),
        (tally.figures.candidates, "in doubt: they disagree with yours, both are kept"),
    ];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    some.map(|(count, words)| format!("  {} {words}", grouped(count))).collect()
}

/// The sentence that says how many were refused; none where none were.
pub(super) fn sentence(tally: &Tally, verb: &str) -> Option<String> {
    match tally.figures.refused {
        0 => None,
        1 => Some(format!("1 cannot be {verb}, for a known reason. The others are not affected.")),
        count => Some(format!(
            "{} cannot be {verb}, each for a known reason. The others are not affected.",
            grouped(count)
        )),
    }
}

/// How many were refused for each reason.
pub(super) fn reasons(tally: &Tally) -> Table {
    let mut table =
        Table::new(&[("Keys", Align::Right), ("Refused", Align::Left), ("Why", Align::Flexible)]);
    for (reason, count) in tally.reasons() {
        let (name, why) = words(reason);
        table.row([Shown::from(count), Shown::new(name), Shown::new(why)]);
    }
    table
}

/// Where each of them is named.
pub(super) fn named_in(tally: &Tally) -> String {
    match tally.refused_file() {
        None => "Each of them is named in the result of --json.".to_owned(),
        Some(file) => {
            format!("Each of them is named in {}", Shown::new(&file.to_string_lossy()))
        }
    }
}

/// What a reason is called on the screen, and its sentence (SCREENS §7).
fn words(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "mac" => ("for another recovery key", "Locked for another key than this backup's."),
        "corrupt" => ("damaged", "The lock opens, but the contents are broken."),
        "malformed" => ("not a key", "The entry has no readable parts."),
        "ephemeral" => ("not a key", "One of its parts has an impossible form."),
        "algorithm" => ("unknown kind", "For a room lock that keyhaul does not know."),
        "missing_field" => ("incomplete", "A part is missing that no key can do without."),
        "session_key" => ("damaged inside", "The key inside is broken or impossible."),
        "id_mismatch" => ("under a wrong name", "The key inside has another name."),
        "room_mismatch" => ("in a wrong room", "The key says that it is for another room."),
        "too_large" => ("too large", "The entry is larger than any real key."),
        _ => ("other", "See the detail in --json."),
    }
}
