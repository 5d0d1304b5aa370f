//! A list of passphrases as somebody wrote it down: one in a line.

use thiserror::Error;

use crate::base::{
    limits,
    secret::{SecretBytes, SecretText},
};

/// One line of a list.
pub struct ListLine {
    /// Its number in the list, from one; empty lines count.
    pub number: u64,
    /// What stands in it.
    pub text: SecretText,
}

/// Why a list cannot be read. Nothing of its text is in here.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ListFault {
    /// A line is not UTF-8.
    #[error("expected UTF-8 in line {line}")]
    NotText {
        /// The line's number, from one.
        line: u64,
    },
    /// A line is longer than any passphrase.
    #[error("expected at most {} bytes in line {line}", limits::LIST_LINE)]
    TooLong {
        /// The line's number, from one.
        line: u64,
    },
}

/// Reads the lines of a list, in their order. Lines end as on any computer; a mark of the byte order and
/// lines without anything but white space are left out. White space within the others stays: it may be
/// part of the passphrase.
pub fn lines(list: &SecretBytes) -> Result<Vec<ListLine>, ListFault> {
    let bytes = list.expose();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = str::from_utf8(line).map_err(|_| ListFault::NotText { line: number })?;
        if text.len() > limits::LIST_LINE {
            return Err(ListFault::TooLong { line: number });
        }
        if !text.trim().is_empty() {
            lines.push(ListLine { number, text: SecretText::new(text.to_owned()) });
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: impl AsRef<[u8]>) -> Result<Vec<(u64, String)>, ListFault> {
        let lines = lines(&SecretBytes::new(list.as_ref().to_vec()))?;
        Ok(lines.into_iter().map(|line| (line.number, line.text.expose().to_owned())).collect())
    }

    fn known(lines: &[(u64, &str)]) -> Result<Vec<(u64, String)>, ListFault> {
        Ok(lines.iter().map(|(number, text)| (*number, (*text).to_owned())).collect())
    }

    #[test]
    fn lines_come_as_they_stand() {
        assert_eq!(read("one\ntwo\n"), known(&[(1, "one"), (2, "two")]));
        assert_eq!(read("\u{feff}one\r\n\r\n \t\n two \r"), known(&[(1, "one"), (4, " two ")]));
        assert_eq!(read(""), known(&[]));
        assert_eq!(read("\n\n"), known(&[]));
        assert_eq!(read("a\rb\0"), known(&[(1, "a\rb\0")]));
    }

    #[test]
    fn a_line_that_is_no_text_is_named() {
        assert_eq!(read(b"one\n\xff\xfe\ntwo"), Err(ListFault::NotText { line: 2 }));
        // As an editor saves “Unicode”.
        assert_eq!(read(b"\xff\xfeo\0n\0e\0"), Err(ListFault::NotText { line: 1 }));
        let long = "a".repeat(limits::LIST_LINE);
        assert_eq!(read(&long).map(|lines| lines.len()), Ok(1));
        assert_eq!(read(format!("\n{long}a")), Err(ListFault::TooLong { line: 2 }));
    }
}
