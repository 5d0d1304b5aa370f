//! Cuts a JSON list into its elements while it arrives, in memory that is wiped: each holds a key.
//!
//! Only the structure is looked at; each element's own JSON is parsed later, so a bad one costs only
//! itself.

use memchr::memchr2;
use zeroize::{Zeroize, Zeroizing};

use crate::base::limits;

/// One element of the list.
pub(super) enum Element<'a> {
    /// Its JSON.
    Json(&'a [u8]),
    /// Larger than [`limits::ENTRY`]; its bytes were not kept.
    TooLarge,
}

/// Why a text is not a list that can be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAList {
    /// Where, in bytes from 0.
    pub(super) at: u64,
}

/// The cutter; feed it pieces of any size.
pub(super) struct Cutter {
    state: State,
    /// An element that spans pieces. All its room is there from the beginning, so it never moves.
    held: Zeroizing<Vec<u8>>,
    too_large: bool,
    at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    ElementOrEnd,
    Element,
    In { depth: u64, text: Text },
    CommaOrEnd,
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

impl Cutter {
    pub(super) fn new() -> Self {
        let held = Zeroizing::new(Vec::with_capacity(limits::ENTRY));
        Self { state: State::Start, held, too_large: false, at: 0 }
    }

    /// Takes the next piece and gives out every element that it completes.
    pub(super) fn feed(
        &mut self,
        piece: &[u8],
        give: &mut dyn FnMut(Element<'_>),
    ) -> Result<(), NotAList> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            let blank = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            match self.state {
                State::In { depth, text } => {
                    let rest = piece.get(at..).unwrap_or_default();
                    let (used, ended) = self.walk(rest, depth, text);
                    self.hold(rest.get(..used).unwrap_or_default());
                    at += used;
                    if ended {
                        self.end(give);
                    }
                    continue;
                }
                _ if blank => {}
                // A byte order mark, which may come in pieces.
                State::Start if matches!(byte, 0xef | 0xbb | 0xbf) => {}
                State::Start if byte == b'[' => self.state = State::ElementOrEnd,
                State::ElementOrEnd | State::CommaOrEnd if byte == b']' => {
                    self.state = State::Done;
                }
                State::CommaOrEnd if byte == b',' => self.state = State::Element,
                State::ElementOrEnd | State::Element if !matches!(byte, b',' | b']' | b'}') => {
                    self.state = State::In { depth: 0, text: Text::Outside };
                    continue;
                }
                _ => return Err(NotAList { at: self.at + at as u64 }),
            }
            at += 1;
        }
        self.at += piece.len() as u64;
        Ok(())
    }

    /// Says whether the list was closed, once there are no more pieces.
    pub(super) fn is_whole(&self) -> bool {
        self.state == State::Done
    }

    /// Walks on inside an element; says how many bytes belong to it and whether it ended.
    fn walk(&mut self, rest: &[u8], mut depth: u64, mut text: Text) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            match (text, byte) {
                (Text::Escaped, _) => text = Text::Inside,
                (Text::Inside, b'"') => text = Text::Outside,
                (Text::Inside, b'\\') => text = Text::Escaped,
                (Text::Inside, _) => {
                    let next = memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default());
                    at = next.map_or(rest.len(), |next| at + next);
                    continue;
                }
                (Text::Outside, b'"') => text = Text::Inside,
                (Text::Outside, b'{' | b'[') => depth += 1,
                (Text::Outside, b',' | b']') if depth == 0 => {
                    self.state = State::CommaOrEnd;
                    return (at, true);
                }
                (Text::Outside, b'}' | b']') => depth = depth.saturating_sub(1),
                (Text::Outside, _) => {}
            }
            at += 1;
        }
        self.state = State::In { depth, text };
        (at, false)
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.too_large |= bytes.len() > limits::ENTRY - self.held.len();
        if !self.too_large {
            self.held.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, give: &mut dyn FnMut(Element<'_>)) {
        let element =
            if self.too_large { Element::TooLarge } else { Element::Json(self.held.trim_ascii()) };
        give(element);
        self.held.as_mut_slice().zeroize();
        self.held.clear();
        self.too_large = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, size: usize) -> Result<(Vec<String>, bool), NotAList> {
        let mut elements = Vec::new();
        let mut cutter = Cutter::new();
        for piece in text.as_bytes().chunks(size) {
            cutter.feed(piece, &mut |element| {
                elements.push(match element {
                    Element::Json(json) => String::from_utf8(json.to_vec()).unwrap(),
                    Element::TooLarge => "too large".to_owned(),
                });
            })?;
        }
        Ok((elements, cutter.is_whole()))
    }

    #[test]
    fn elements_are_the_same_in_pieces_of_any_size() {
        let text = " [ {\"a\":[1,\"]\\\"}\"]} , 7,\"x,]\" ,[[]],{}\n]\n";
        for size in 1..=text.len() {
            let (elements, whole) = cut(text, size).unwrap();
            assert_eq!(elements, [r#"{"a":[1,"]\"}"]}"#, "7", "\"x,]\"", "[[]]", "{}"], "{size}");
            assert!(whole);
        }
        assert_eq!(cut("[]", 1), Ok((vec![], true)));
        assert_eq!(cut("\u{feff}[1", 2), Ok((vec![], false)));
    }

    #[test]
    fn what_is_no_list_is_told() {
        for (text, at) in [("{}", 0), ("x", 0), ("[,1]", 1), ("[1,]", 3), ("[1}]", 4), ("[1]x", 3)]
        {
            match cut(text, 1) {
                Err(fault) => assert_eq!(fault, NotAList { at }, "{text}"),
                // Where brackets do not match, the list just never ends.
                Ok((_, whole)) => assert!(text == "[1}]" && whole, "{text}"),
            }
        }
    }

    #[test]
    fn a_large_element_costs_only_itself() {
        let large = "9".repeat(limits::ENTRY + 1);
        let text = format!("[1,{large},2]");
        let (elements, whole) = cut(&text, 1000).unwrap();
        assert_eq!(elements, ["1", "too large", "2"]);
        assert!(whole);
    }
}
