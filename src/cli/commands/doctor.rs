//! `doctor`: a check-up with causes and next steps.

use serde_json::{Value, json};

use super::super::{
    desk::Desk,
    output::{Lines, closed},
    table::{Align, Table},
};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
    },
    recovery::doctor::{
        checks::{Check, Mark},
        facts::Facts,
        findings::Finding,
        gather, without_visit,
    },
};

pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    let checks = examine(desk).await?.checks();
    desk.output
        .result(|| document(&checks), |lines| tell(&checks, lines))
        .map_err(|error| closed(&error))?;
    Ok(if count(&checks, Mark::Wrong) > 0 { 3 } else { 0 })
}

/// Finds out all that a check-up judges by.
pub(super) async fn examine(desk: &mut Desk) -> Result<Facts, Failure> {
    let data_dir = desk.data_dir()?;
    let facts = match desk.visit().await {
        Ok(visit) => {
            let facts = gather(&visit, &data_dir, desk.progress(), desk.cancel.clone()).await;
            desk.leave(visit).await;
            facts
        }
        Err(failure) => without_visit(failure),
    };
    desk.progress().finish();
    facts
}

fn count(checks: &[Check], mark: Mark) -> u64 {
    checks.iter().filter(|check| check.mark == mark).count() as u64
}

fn document(checks: &[Check]) -> Value {
    json!({
        "wrong": count(checks, Mark::Wrong),
        "unknown": count(checks, Mark::Unknown),
        "checks": checks.iter().map(check_json).collect::<Vec<_>>(),
    })
}

fn check_json(check: &Check) -> Value {
    let finding = check.finding.as_ref();
    json!({
        "id": check.id,
        "title": check.title,
        "mark": check.mark,
        "says": check.says.text,
        "finding": finding.map(Finding::word),
        "fact": finding.map(Finding::fact),
        "cause": finding.map(Finding::cause),
        "next": finding.map(Finding::next),
    })
}

fn tell(checks: &[Check], lines: &mut Lines) {
    lines.line(match count(checks, Mark::Wrong) {
        0 => "Nothing needs you.".to_owned(),
        1 => "1 thing needs you.".to_owned(),
        many => format!("{} things need you.", grouped(many)),
    });
    let mut table =
        Table::new(&[("", Align::Left), ("Check", Align::Left), ("Found", Align::Flexible)]);
    for check in checks {
        let mark = match check.mark {
            Mark::Ok => "✓",
            Mark::Wrong => "✗",
            Mark::Unknown => "?",
        };
        table.row([Shown::new(mark), Shown::new(&check.title), Shown::new(&check.says.text)]);
    }
    lines.table(&table);
    if checks.iter().any(|check| check.mark == Mark::Unknown) {
        lines.line("? means that it cannot be proven.");
    }
    for finding in checks.iter().filter_map(|check| check.finding.as_ref()) {
        lines.line("");
        lines.sentences(&finding.fact());
        lines.sentences(&format!("Cause: {}", finding.cause()));
        lines.sentences(&format!("Next: {}", finding.next()));
    }
}
