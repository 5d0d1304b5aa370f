//! The fit table in text and in a document: one row for each lock, and what came of every secret on it.

use serde_json::{Value, json};

use super::super::{
    output::Lines,
    table::{Align, Table},
};
use crate::{
    base::{
        shown::{Shown, grouped},
        words::{about, counted, listed},
    },
    recovery::{
        fits::{Cell, Fits, LeadsTo, LockKind, Outcome, Reading, Row},
        unlock::SecretKind,
        way_on::storage_name,
    },
};

/// Most secrets beside one another: more do not fit into 80 columns.
const SECRETS: usize = 2;

/// One column with what came of the secrets.
enum Column {
    /// The only secret, read in one way.
    As(Reading),
    /// Of several secrets one, read in whichever way says more.
    Of(usize),
}

/// Prints the table; of an account without locks there is none.
pub(super) fn print(fits: &Fits, lines: &mut Lines) {
    if fits.rows.is_empty() {
        return;
    }
    let mut columns: Vec<(String, Column)> = Vec::new();
    if let [kind] = fits.secrets.as_slice() {
        let as_key = if *kind == SecretKind::RawKey { "As raw key" } else { "As recovery key" };
        let ways = [(Reading::Key, as_key), (Reading::Passphrase, "As passphrase")];
        let ways = ways.into_iter().filter(|(reading, _)| fits.was_read_as(*reading));
        columns.extend(ways.map(|(way, heading)| (heading.to_owned(), Column::As(way))));
    } else {
        let numbers = 0..fits.secrets.len();
        columns.extend(numbers.map(|n| (format!("Secret {}", n + 1), Column::Of(n))));
    }
    for columns in columns.chunks(SECRETS) {
        lines.table(&table(fits, columns));
    }
    let locks = counted(fits.locks() as u64, "lock");
    let tries = match fits.tries() as u64 {
        1 => "1 try".to_owned(),
        tries => format!("{} tries", grouped(tries)),
    };
    lines.line(format!("{locks}, {tries}, nothing sent to the server."));
}

fn table(fits: &Fits, columns: &[(String, Column)]) -> Table {
    let mut headings =
        vec![("Lock".to_owned(), Align::Flexible), ("Keys".to_owned(), Align::Right)];
    headings.extend(columns.iter().map(|(heading, _)| (heading.clone(), Align::Left)));
    headings.push(("Leads to".to_owned(), Align::Flexible));
    let mut table = Table::headed(headings);
    for row in &fits.rows {
        let mut cells = vec![lock(row), keys(row)];
        cells.extend(columns.iter().map(|(_, column)| {
            let outcome = match column {
                Column::As(Reading::Key) => row.cells.first().map(|cell| &cell.key),
                Column::As(Reading::Passphrase) => row.cells.first().map(|cell| &cell.passphrase),
                Column::Of(secret) => row.cells.get(*secret).map(Cell::best),
            };
            Shown::new(&outcome.map(words).unwrap_or_default())
        }));
        cells.push(leads_to(row));
        table.row_of(cells);
    }
    table
}

fn lock(row: &Row) -> Shown {
    match (row.kind, row.current) {
        (LockKind::SecretStorage, true) => {
            Shown::new(&format!("Storage {}, default", storage_name(&row.id)))
        }
        (LockKind::SecretStorage, false) => {
            Shown::new(&format!("Storage {}", storage_name(&row.id)))
        }
        (LockKind::Backup, true) => {
            Shown::new(&format!("Backup {}, current", Shown::limited(&row.id, 12)))
        }
        (LockKind::Backup, false) => Shown::new(&format!("Backup {}", Shown::limited(&row.id, 12))),
    }
}

fn keys(row: &Row) -> Shown {
    match (row.kind, row.gone) {
        (LockKind::SecretStorage, _) => Shown::default(),
        (LockKind::Backup, true) => Shown::new("gone"),
        (LockKind::Backup, false) => row.count.map_or(Shown::new("?"), Shown::from),
    }
}

/// What came of a secret in one way. A tick stands only behind what was proven here.
fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Impossible => "–".to_owned(),
        Outcome::NotTried => "not tried".to_owned(),
        Outcome::No => "✗ no".to_owned(),
        Outcome::LeftOut { seconds } => format!("? takes {}", about(*seconds)),
        Outcome::Maybe => "? maybe".to_owned(),
        Outcome::Opens { held_in: None, .. } => "✓ opens".to_owned(),
        Outcome::Opens { held_in: Some(id), .. } => format!("✓ with {}", storage_name(id)),
    }
}

fn leads_to(row: &Row) -> Shown {
    let words = match &row.leads_to {
        LeadsTo::Nowhere => "–".to_owned(),
        LeadsTo::Keys(_) => match row.sampled {
            Some((opened, tried)) => format!("{opened} of {tried} tried"),
            None => "its keys".to_owned(),
        },
        LeadsTo::KeyOf(versions) => {
            let names = versions.iter().map(|name| Shown::limited(name, 12).to_string());
            format!("backup {}", listed(&names.collect::<Vec<_>>()))
        }
        LeadsTo::KeyOfAnother => "another backup".to_owned(),
        LeadsTo::NoKey => "no backup".to_owned(),
        LeadsTo::Damaged => "damaged".to_owned(),
    };
    Shown::new(&words)
}

/// The table in a document.
pub(super) fn document(fits: &Fits) -> Value {
    let rows = fits.rows.iter().map(|row| {
        let held_in = |cell: &Cell| match cell.best() {
            Outcome::Opens { held_in, .. } => held_in.clone(),
            _ => None,
        };
        let secrets = row.cells.iter().map(|cell| {
            json!({
                "as_key": cell.key.word(),
                "as_passphrase": cell.passphrase.word(),
                "held_in": held_in(cell),
            })
        });
        json!({
            "kind": row.kind,
            "id": row.id,
            "current": row.current,
            "count": row.count,
            "gone": row.gone,
            "secrets": secrets.collect::<Vec<_>>(),
            "holds": match &row.leads_to {
                LeadsTo::Nowhere | LeadsTo::Keys(_) => None,
                LeadsTo::KeyOf(_) => Some("key_of_backup"),
                LeadsTo::KeyOfAnother => Some("key_of_another"),
                LeadsTo::NoKey => Some("no_key"),
                LeadsTo::Damaged => Some("damaged"),
            },
            "key_of": match &row.leads_to {
                LeadsTo::KeyOf(versions) => versions.as_slice(),
                _ => &[],
            },
        })
    });
    rows.collect()
}
