//! The text form of a key file: base64 between a first and a last line.

use std::io::{self, Read, Write};

use thiserror::Error;
use zeroize::Zeroizing;

use crate::base::{base64, limits};

/// The line before the data.
pub const HEADER: &str = "-----BEGIN MEGOLM SESSION DATA-----";
/// The line after it.
pub const TRAILER: &str = "-----END MEGOLM SESSION DATA-----";
/// Bytes of data on one line: 128 letters, as Element writes. Some readers refuse longer lines.
const LINE: usize = 96;
/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// Why a text is no key file.
#[derive(Debug, Error)]
pub enum ArmorFault {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The first line is missing.
    #[error("expected the line {HEADER}, found none")]
    Header,
    /// The last line is missing: the file was cut.
    #[error("expected the line {TRAILER}, found none")]
    Trailer,
    /// A character that is no base64.
    #[error("expected base64, got another character at byte {at}")]
    Character {
        /// Its place in the file, in bytes from 0.
        at: u64,
    },
    /// Base64 always has pairs, threes or fours of letters; this has one too many.
    #[error("a letter is missing in the base64")]
    Letters,
    /// Larger than any real key file.
    #[error("expected at most {limit} bytes")]
    TooLarge {
        /// Largest file accepted, in bytes.
        limit: u64,
    },
}

/// Takes the armor off while the text is read: what stands before the first line and after the last
/// does not matter, nor do line breaks, spaces, padding or a byte order mark.
pub struct Dearmored<R> {
    from: R,
    state: State,
    piece: Vec<u8>,
    letters: String,
    /// Bytes read so far.
    at: u64,
}

enum State {
    /// The line that is being read, without the white space before it.
    Before(Vec<u8>),
    Body,
    /// So many letters of the last line have come.
    Trailer(usize),
    Done,
}

impl<R: Read> Dearmored<R> {
    /// Begins at the beginning of a file.
    pub fn new(from: R) -> Self {
        let state = State::Before(Vec::with_capacity(HEADER.len()));
        Self { from, state, piece: vec![0; PIECE], letters: String::new(), at: 0 }
    }

    /// Adds the next bytes to `to`; `false` once there are no more.
    pub fn next_piece(&mut self, to: &mut Vec<u8>) -> Result<bool, ArmorFault> {
        loop {
            if matches!(self.state, State::Done) {
                return Ok(false);
            }
            let length = self.from.read(&mut self.piece)?;
            if length == 0 {
                return Err(match self.state {
                    State::Before(_) => ArmorFault::Header,
                    _ => ArmorFault::Trailer,
                });
            }
            self.letters.reserve(length);
            self.walk(length)?;
            let end = matches!(self.state, State::Done);
            let whole = if end { self.letters.len() } else { self.letters.len() / 4 * 4 };
            let (ready, _) = self.letters.split_at(whole);
            let bytes = base64::decode(ready).ok_or(ArmorFault::Letters)?;
            self.letters.drain(..whole);
            to.extend_from_slice(&bytes);
            if !bytes.is_empty() {
                return Ok(true);
            }
        }
    }

    /// What was read from, with what may still be behind the last line.
    pub fn into_inner(self) -> R {
        self.from
    }

    fn walk(&mut self, length: usize) -> Result<(), ArmorFault> {
        for byte in self.piece.iter().take(length).copied() {
            match &mut self.state {
                State::Before(_) if byte == b'\n' => self.state = State::Before(Vec::new()),
                State::Before(line) => {
                    let blank = line.is_empty() && is_blank(byte);
                    if !blank && line.len() < HEADER.len() {
                        line.push(byte);
                        if line.as_slice() == HEADER.as_bytes() {
                            self.state = State::Body;
                        }
                    }
                }
                State::Body => match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                        self.letters.push(char::from(byte));
                    }
                    b'=' => {}
                    b'-' => self.state = State::Trailer(1),
                    byte if byte.is_ascii_whitespace() => {}
                    _ => return Err(ArmorFault::Character { at: self.at }),
                },
                State::Trailer(come) => {
                    if TRAILER.as_bytes().get(*come) != Some(&byte) {
                        return Err(ArmorFault::Character { at: self.at });
                    }
                    *come += 1;
                    if *come == TRAILER.len() {
                        self.state = State::Done;
                        return Ok(());
                    }
                }
                State::Done => return Ok(()),
            }
            self.at += 1;
            if self.at > limits::KEY_FILE {
                return Err(ArmorFault::TooLarge { limit: limits::KEY_FILE });
            }
        }
        Ok(())
    }
}

/// White space or a part of a byte order mark.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf)
}

/// Puts the armor on while bytes are written.
pub struct Armored<W: Write> {
    to: W,
    line: Zeroizing<Vec<u8>>,
}

impl<W: Write> Armored<W> {
    /// Writes the first line.
    pub fn new(mut to: W) -> io::Result<Self> {
        to.write_all(HEADER.as_bytes())?;
        to.write_all(b"\n")?;
        Ok(Self { to, line: Zeroizing::new(Vec::with_capacity(LINE)) })
    }

    /// Writes the next bytes.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(LINE - self.line.len()));
            self.line.extend_from_slice(now);
            bytes = later;
            if self.line.len() == LINE {
                self.end_line()?;
            }
        }
        Ok(())
    }

    /// Writes what is left and the last line.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        self.to.write_all(TRAILER.as_bytes())?;
        self.to.write_all(b"\n")?;
        Ok(self.to)
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.to.write_all(base64::encode_padded(&self.line).as_bytes())?;
        self.to.write_all(b"\n")?;
        self.line.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dearmored(text: &[u8]) -> Result<Vec<u8>, ArmorFault> {
        let mut bytes = Vec::new();
        let mut armor = Dearmored::new(text);
        while armor.next_piece(&mut bytes)? {}
        Ok(bytes)
    }

    fn armored(bytes: &[u8]) -> String {
        let mut armor = Armored::new(Vec::new()).unwrap();
        bytes.chunks(7).for_each(|part| armor.write(part).unwrap());
        String::from_utf8(armor.finish().unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_wrapped() {
        for length in [0, 1, 2, 95, 96, 97, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| n as u8).collect();
            let text = armored(&bytes);
            assert!(text.lines().all(|line| line.len() <= 128));
            assert!(text.ends_with("-----\n") && !text.contains('\r'));
            assert_eq!(dearmored(text.as_bytes()).unwrap(), bytes, "{length}");
        }
    }

    #[test]
    fn every_way_of_laying_out_is_read() {
        let (head, tail) = (HEADER, TRAILER);
        for text in [
            format!("{head}\nAQID\n{tail}\n"),
            format!("{head}\r\nAQID\r\n{tail}\r\n"),
            format!("\u{feff}{head}\nAQID\n{tail}"),
            format!("  {head}  \n   AQ\n  ID \n  {tail}"),
            format!("Dear reader,\n{head}\nA\nQ\nI\nD==\n{tail}\nbye\n---"),
            format!("{head}AQID{tail}"),
        ] {
            assert_eq!(dearmored(text.as_bytes()).unwrap(), [1, 2, 3], "{text}");
        }
        assert_eq!(dearmored(format!("{head}\nAQI\n{tail}").as_bytes()).unwrap(), [1, 2]);
    }

    #[test]
    fn each_fault_has_its_name() {
        let (head, tail) = (HEADER, TRAILER);
        let fault = |text: &str| dearmored(text.as_bytes()).unwrap_err();
        assert!(matches!(fault("-----"), ArmorFault::Header));
        assert!(matches!(fault(""), ArmorFault::Header));
        assert!(matches!(fault(&format!("x{head}\nAQID\n{tail}")), ArmorFault::Header));
        assert!(matches!(fault(&format!("{head}\n-----")), ArmorFault::Trailer));
        assert!(matches!(fault(&format!("{head}\nAQID")), ArmorFault::Trailer));
        assert!(matches!(fault(&format!("{head}\nAQIDA\n{tail}")), ArmorFault::Letters));
        let odd = fault(&format!("{head}\nAQ_D\n{tail}"));
        assert!(matches!(odd, ArmorFault::Character { at: 38 }), "{odd}");
        let other = format!("{head}\nAQID\n-----BEGIN");
        assert!(matches!(fault(&other), ArmorFault::Character { at: 46 }));
    }
}
