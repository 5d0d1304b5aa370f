//! Runs the scanner over the pieces of a source, on a thread of its own.

use tokio::sync::mpsc::Receiver;

use super::source::Piece;
use crate::backup::{
    entry::RawEntry,
    scanner::{Ending, ScanFault, Scanner},
};

/// Gives every entry of every body to `visit`; says whether all bodies were whole. Ends before the
/// next piece when `stop` says so, and with it the source.
pub(super) fn scan(
    mut pieces: Receiver<Piece>,
    stop: &dyn Fn() -> bool,
    visit: &mut dyn FnMut(RawEntry<'_>),
) -> Result<Ending, ScanFault> {
    let mut ending = Ending::Whole;
    let mut scanner: Option<Scanner> = None;
    while let Some(piece) = pieces.blocking_recv() {
        if stop() {
            return Ok(Ending::Cut);
        }
        match (piece, &mut scanner) {
            (Piece::Begin(shape), scanner) => {
                if scanner.replace(Scanner::new(shape)).is_some_and(|last| is_cut(&last)) {
                    ending = Ending::Cut;
                }
            }
            (Piece::Bytes(bytes), Some(scanner)) => {
                scanner.feed(&bytes, visit)?;
            }
            (Piece::Bytes(_), None) => {}
        }
    }
    // Without a body (no room that was asked for is there) there is none that could be cut.
    if scanner.is_some_and(|last| is_cut(&last)) {
        ending = Ending::Cut;
    }
    Ok(ending)
}

fn is_cut(scanner: &Scanner) -> bool {
    scanner.finish() == Ending::Cut
}
