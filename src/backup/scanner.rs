//! Cuts a keys body into entries while it arrives, in chunks of any size.
//!
//! Only the structure is read here (which room, which session, where its object begins and ends);
//! each entry's own JSON goes to serde_json later, so that one bad entry never costs the others.
//! Memory is bounded: at most one entry and one map key are ever held.

use memchr::memchr2;
use thiserror::Error;

use super::entry::{EntryFault, RawEntry};
use crate::base::limits;

/// What a body holds at its top (SPEC §1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"rooms":{ROOM:{"sessions":{SESSION:entry}}}}`
    WholeBody,
    /// `{"sessions":{SESSION:entry}}` of one room.
    Room {
        /// The room that was asked for.
        room_id: String,
    },
    /// One entry.
    Session {
        /// The room that was asked for.
        room_id: String,
        /// The session that was asked for.
        session_id: String,
    },
}

/// Why a body cannot be read on. Entries given out before stay good.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ScanFault {
    /// Not JSON, or not the shape that was asked for.
    #[error("expected {expected} at byte {at}, got something else")]
    NotJson {
        /// What would have been right.
        expected: &'static str,
        /// Offset into the body, in bytes.
        at: u64,
    },
    /// Nested deeper than [`limits::JSON_DEPTH`] outside of entries.
    #[error("JSON nested deeper than {limit} levels at byte {at}")]
    TooDeep {
        /// Deepest nesting accepted.
        limit: u32,
        /// Offset into the body, in bytes.
        at: u64,
    },
    /// More entries than [`limits::ENTRIES`].
    #[error("more than {limit} entries")]
    TooManyEntries {
        /// Most entries accepted.
        limit: u64,
    },
    /// More rooms than [`limits::ROOMS`].
    #[error("more than {limit} rooms")]
    TooManyRooms {
        /// Most rooms accepted.
        limit: u64,
    },
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its outermost object was closed.
    Whole,
    /// It was cut off; everything up to the last whole entry was given out.
    Cut,
}

/// The incremental scanner; feed it chunks, it gives out entries.
pub struct Scanner {
    shape: Shape,
    state: State,
    stack: Vec<Frame>,
    /// Raw JSON of a map key, or of an entry that spans chunks.
    held: Vec<u8>,
    key: String,
    key_fault: bool,
    room_id: String,
    room_fault: bool,
    offset: u64,
    entries: u64,
    rooms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// The outermost object.
    Top,
    /// The object of rooms.
    Rooms,
    /// One room's object.
    Room,
    /// One room's object of sessions.
    Sessions,
}

#[derive(Clone, Copy)]
enum State {
    Start,
    KeyOrEnd,
    KeyAfterComma,
    InKey { escaped: bool },
    Colon,
    Value,
    InValue(Walk),
    CommaOrEnd,
    Done,
}

/// Where we are inside a value that is kept whole (an entry) or passed over.
#[derive(Clone, Copy)]
struct Walk {
    keep: bool,
    depth: u32,
    /// For each open level: object or array, so that brackets must match.
    objects: u64,
    in_string: bool,
    escaped: bool,
    scalar: bool,
    /// Was nested too deeply to remember which bracket must close.
    blind: bool,
    fault: Option<EntryFault>,
}

impl Scanner {
    /// A scanner for a body of the given shape.
    pub fn new(shape: Shape) -> Self {
        let (room_id, key) = match &shape {
            Shape::WholeBody => (String::new(), String::new()),
            Shape::Room { room_id } => (room_id.clone(), String::new()),
            Shape::Session { room_id, session_id } => (room_id.clone(), session_id.clone()),
        };
        Self {
            shape,
            state: State::Start,
            stack: Vec::with_capacity(4),
            held: Vec::new(),
            key,
            key_fault: false,
            room_id,
            room_fault: false,
            offset: 0,
            entries: 0,
            rooms: 0,
        }
    }

    /// Takes the next chunk and gives out every entry that it completes.
    ///
    /// Returns how many bytes belong to the body: fewer than the chunk has only once the outermost
    /// object is closed.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        give: &mut dyn FnMut(RawEntry<'_>),
    ) -> Result<usize, ScanFault> {
        let mut at = 0;
        // Where the value being kept begins in this chunk.
        let mut begin = 0;
        while let Some(&byte) = chunk.get(at) {
            match self.state {
                State::Done => break,
                State::InKey { escaped } => {
                    at += self.walk_key(chunk.get(at..).unwrap_or_default(), escaped)?;
                    continue;
                }
                State::InValue(walk) => {
                    let rest = chunk.get(at..).unwrap_or_default();
                    let (walk, used, ended) = self.walk_value(walk, rest, at)?;
                    at += used;
                    self.state = State::InValue(walk);
                    if walk.keep && at - begin + self.held.len() > limits::ENTRY {
                        self.held.clear();
                        begin = at;
                        self.state =
                            State::InValue(Walk { fault: Some(EntryFault::TooLarge), ..walk });
                    }
                    if ended {
                        self.end_value(chunk.get(begin..at).unwrap_or_default(), give)?;
                    }
                    continue;
                }
                _ if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') => at += 1,
                // A byte order mark, which may come in pieces.
                State::Start if matches!(byte, 0xef | 0xbb | 0xbf) => at += 1,
                State::Start if byte != b'{' => return Err(self.not_json("an object", at)),
                State::Start if matches!(self.shape, Shape::Session { .. }) => {
                    self.state = State::Value;
                }
                State::Start => {
                    self.stack.push(Frame::Top);
                    self.state = State::KeyOrEnd;
                    at += 1;
                }
                State::KeyOrEnd | State::CommaOrEnd if byte == b'}' => {
                    self.stack.pop();
                    self.state =
                        if self.stack.is_empty() { State::Done } else { State::CommaOrEnd };
                    at += 1;
                }
                State::KeyOrEnd | State::KeyAfterComma if byte == b'"' => {
                    self.held.clear();
                    self.key_fault = false;
                    self.state = State::InKey { escaped: false };
                    at += 1;
                }
                State::KeyOrEnd | State::KeyAfterComma => return Err(self.not_json("a name", at)),
                State::Colon if byte == b':' => {
                    self.state = State::Value;
                    at += 1;
                }
                State::Colon => return Err(self.not_json("a colon", at)),
                State::CommaOrEnd if byte == b',' => {
                    self.state = State::KeyAfterComma;
                    at += 1;
                }
                State::CommaOrEnd => return Err(self.not_json("a comma or a brace", at)),
                State::Value => {
                    if self.enter(byte, at)? {
                        at += 1;
                    } else {
                        begin = at;
                    }
                }
            }
        }
        if let State::InValue(Walk { keep: true, fault, .. }) = self.state
            && fault != Some(EntryFault::TooLarge)
        {
            self.held.extend_from_slice(chunk.get(begin..at).unwrap_or_default());
        }
        self.offset += at as u64;
        Ok(at)
    }

    /// Says how the body ended, once there are no more chunks.
    pub fn finish(&self) -> Ending {
        if matches!(self.state, State::Done) { Ending::Whole } else { Ending::Cut }
    }

    /// How many entries were given out.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Begins a value: steps into the objects that lead to entries (`true`: the byte is used),
    /// keeps an entry, passes over anything else.
    fn enter(&mut self, byte: u8, at: usize) -> Result<bool, ScanFault> {
        let whole = self.shape == Shape::WholeBody;
        let next = match (self.stack.last(), self.key.as_str()) {
            (Some(Frame::Top), "rooms") if whole => Some(Frame::Rooms),
            (Some(Frame::Top), "sessions") if !whole => Some(Frame::Sessions),
            (Some(Frame::Rooms), _) => Some(Frame::Room),
            (Some(Frame::Room), "sessions") => Some(Frame::Sessions),
            _ => None,
        };
        if let (Some(frame), b'{') = (next, byte) {
            if frame == Frame::Room {
                self.rooms += 1;
                if self.rooms > limits::ROOMS {
                    return Err(ScanFault::TooManyRooms { limit: limits::ROOMS });
                }
                std::mem::swap(&mut self.room_id, &mut self.key);
                self.room_fault = self.key_fault;
            }
            self.stack.push(frame);
            self.state = State::KeyOrEnd;
            return Ok(true);
        }
        if !matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            return Err(self.not_json("a value", at));
        }
        let keep = matches!(self.stack.last(), Some(Frame::Sessions) | None);
        self.held.clear();
        self.state = State::InValue(Walk {
            keep,
            depth: 0,
            objects: 0,
            in_string: false,
            escaped: false,
            scalar: !matches!(byte, b'{' | b'[' | b'"'),
            blind: false,
            fault: None,
        });
        Ok(false)
    }

    /// Walks over a map key; returns the bytes used.
    fn walk_key(&mut self, rest: &[u8], escaped: bool) -> Result<usize, ScanFault> {
        if escaped {
            self.hold_key(rest.get(..1).unwrap_or_default());
            self.state = State::InKey { escaped: false };
            return Ok(1);
        }
        let Some(stop) = memchr2(b'"', b'\\', rest) else {
            self.hold_key(rest);
            return Ok(rest.len());
        };
        self.hold_key(rest.get(..stop).unwrap_or_default());
        if rest.get(stop) == Some(&b'\\') {
            self.hold_key(b"\\");
            self.state = State::InKey { escaped: true };
        } else {
            self.end_key();
            self.state = State::Colon;
        }
        Ok(stop + 1)
    }

    fn hold_key(&mut self, bytes: &[u8]) {
        let room = limits::NAME.saturating_sub(self.held.len());
        self.key_fault |= bytes.len() > room;
        self.held.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
    }

    fn end_key(&mut self) {
        self.key.clear();
        if !self.held.contains(&b'\\')
            && !self.held.iter().any(u8::is_ascii_control)
            && let Ok(text) = str::from_utf8(&self.held)
        {
            self.key.push_str(text);
            return;
        }
        let quoted = [b"\"", self.held.as_slice(), b"\""].concat();
        if let Ok(text) = serde_json::from_slice::<String>(&quoted) {
            self.key = text;
        } else {
            self.key_fault = true;
            self.key.push_str(&String::from_utf8_lossy(&self.held));
        }
    }

    /// Walks on inside a value; says how many bytes were used and whether it ended.
    fn walk_value(
        &self,
        mut walk: Walk,
        rest: &[u8],
        base: usize,
    ) -> Result<(Walk, usize, bool), ScanFault> {
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            if walk.escaped {
                walk.escaped = false;
                at += 1;
            } else if walk.in_string {
                match memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default()) {
                    None => at = rest.len(),
                    Some(stop) => {
                        at += stop + 1;
                        if rest.get(at - 1) == Some(&b'\\') {
                            walk.escaped = true;
                        } else {
                            walk.in_string = false;
                            if walk.depth == 0 {
                                return Ok((walk, at, true));
                            }
                        }
                    }
                }
            } else if walk.scalar {
                if matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
                    return Ok((walk, at, true));
                }
                at += 1;
            } else {
                at += 1;
                match byte {
                    b'"' => walk.in_string = true,
                    b'{' | b'[' => {
                        walk.depth += 1;
                        walk.objects = walk.objects << 1 | u64::from(byte == b'{');
                        if walk.depth > limits::JSON_DEPTH {
                            if !walk.keep {
                                let at = self.offset + (base + at - 1) as u64;
                                return Err(ScanFault::TooDeep { limit: limits::JSON_DEPTH, at });
                            }
                            walk.blind = true;
                            walk.fault = walk.fault.or(Some(EntryFault::TooDeep));
                        }
                    }
                    b'}' | b']' => {
                        let matches = walk.objects & 1 == u64::from(byte == b'}');
                        if !matches && !walk.blind {
                            return Err(self.not_json("a matching bracket", base + at - 1));
                        }
                        walk.objects >>= 1;
                        walk.depth -= 1;
                        if walk.depth == 0 {
                            return Ok((walk, at, true));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok((walk, at, false))
    }

    /// A value is complete: gives out an entry, forgets anything else.
    fn end_value(
        &mut self,
        tail: &[u8],
        give: &mut dyn FnMut(RawEntry<'_>),
    ) -> Result<(), ScanFault> {
        let State::InValue(walk) = self.state else { return Ok(()) };
        self.state = if self.stack.is_empty() { State::Done } else { State::CommaOrEnd };
        if !walk.keep {
            return Ok(());
        }
        if self.entries == limits::ENTRIES {
            return Err(ScanFault::TooManyEntries { limit: limits::ENTRIES });
        }
        self.entries += 1;
        let bad_name = (self.key_fault || self.room_fault).then_some(EntryFault::BadName);
        let json = if walk.fault == Some(EntryFault::TooLarge) {
            &[]
        } else if self.held.is_empty() {
            tail
        } else {
            self.held.extend_from_slice(tail);
            self.held.as_slice()
        };
        give(RawEntry {
            room_id: &self.room_id,
            session_id: &self.key,
            json,
            fault: walk.fault.or(bad_name),
        });
        self.held.clear();
        Ok(())
    }

    fn not_json(&self, expected: &'static str, at: usize) -> ScanFault {
        ScanFault::NotJson { expected, at: self.offset + at as u64 }
    }
}
