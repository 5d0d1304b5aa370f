//! Each case in a whole body, between two good entries of its room: whatever it is, it costs nobody
//! else anything, and it ends as it does by itself.

use keyhaul::backup::{
    entry::RawEntry,
    scanner::{Ending, Scanner, Shape},
};
use serde_json::Value;

use super::{
    assert_none, fault,
    forms::{Backup, Case},
    wrongly_expected,
};

/// A whole body with these entries of one room, in this order.
fn body(room_id: &str, entries: &[&Case]) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let one = |case: &&Case| format!("{}:{}", quoted(&case.session_id), case.text);
    let entries: Vec<String> = entries.iter().map(one).collect();
    format!("{{\"rooms\":{{{}:{{\"sessions\":{{{}}}}}}}}}", quoted(room_id), entries.join(","))
}

/// What goes wrong where a case stands between two good entries, in a body that comes in pieces.
fn faults_beside(backup: &Backup, case: &Case, piece: usize) -> Vec<String> {
    let [before, after] = backup.beside();
    let entries = [&before, case, &after];
    let body = body(&case.room_id, &entries);
    let mut faults = Vec::new();
    let mut count = 0;
    let mut open = |entry: RawEntry<'_>| {
        let Some(expected) = entries.get(count) else { return };
        count += 1;
        if (entry.room_id, entry.session_id) != (&case.room_id, &expected.session_id) {
            faults.push(format!("found {} in {}", entry.session_id, entry.room_id));
        }
        let fault = fault(&expected.expected, &backup.open(&entry));
        faults.extend(fault.map(|fault| format!("{} {fault}", expected.name)));
    };
    let mut scanner = Scanner::new(Shape::WholeBody);
    let mut pieces = body.as_bytes().chunks(piece);
    let scanned = pieces.try_for_each(|piece| scanner.feed(piece, &mut open).map(|_| ()));
    if scanned != Ok(()) || scanner.finish() != Ending::Whole || scanner.entries() != 3 {
        faults.push(format!("{count} of 3 entries, {scanned:?}"));
    }
    faults.into_iter().map(|fault| format!("{} beside others: {fault}", case.name)).collect()
}

#[test]
fn a_case_costs_only_itself() {
    let backup = Backup::read();
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| !case.alone).collect();
    let both = |case: &Case| [usize::MAX, 509].map(|piece| faults_beside(&backup, case, piece));
    let faults: Vec<String> = cases.iter().flat_map(both).flatten().collect();
    assert_none(&faults);
}

#[test]
fn a_case_that_costs_others_something_is_found() {
    let backup = Backup::read();
    let cases = Case::all();
    let (alone, others): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.alone);
    // Those that break whatever they stand in; a case that does not must not say so.
    for case in &alone {
        let broken = faults_beside(&backup, case, usize::MAX);
        assert!(broken.iter().any(|fault| fault.contains(" of 3 entries")), "{}", case.name);
    }
    for case in wrongly_expected(&others) {
        assert_eq!(faults_beside(&backup, &case, usize::MAX).len(), 1, "{}", case.name);
    }
}
