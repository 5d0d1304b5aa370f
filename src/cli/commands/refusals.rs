//! Taken and refused keys in words, for every command that takes some.

use crate::{
    base::shown::{Shown, grouped},
    recovery::tally::{Tally, reason_words},
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
        let (name, why) = reason_words(reason);
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
