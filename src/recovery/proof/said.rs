//! What a message says: the contents of an event, read leniently (spec: instant messaging).

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{reason::Reason, words::Words};

/// What a message says, or why it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A text.
    Text(Words),
    /// A file that somebody sent.
    File(File),
    /// Something that is neither, such as a poll; the text is what it says for apps that do not know it.
    Other(Option<Words>),
    /// Deleted, by its author or by somebody who may.
    Deleted,
    /// It stays closed.
    Closed(Reason),
}

/// A file that somebody sent; keyhaul does not fetch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is.
    pub what: FileKind,
    /// Its name.
    pub name: Words,
    /// The text beside it, if there is one.
    pub caption: Option<Words>,
    /// Its size, as its sender says.
    pub bytes: Option<u64>,
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A picture.
    Photo,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// A sticker.
    Sticker,
    /// Anything else.
    File,
}

impl FileKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Sticker => "sticker",
            Self::File => "file",
        }
    }
}

/// What one event brings.
pub(super) struct Contents {
    /// What it says; `None` for what is no message of its own, such as a reaction.
    pub(super) said: Option<Said>,
    /// The event that it answers.
    pub(super) answers: Option<String>,
    /// The event that it replaces the text of.
    pub(super) edits: Option<String>,
}

/// Reads a content. `outside` is what stood beside the locked content, which is where relations are.
pub(super) fn read(kind: &str, content: &str, outside: Option<&str>) -> Contents {
    let object = Object::parse(content).unwrap_or_default();
    let outside = outside.and_then(Object::parse);
    let relation = outside.as_ref().and_then(|outside| outside.object("m.relates_to"));
    let relation = relation.or_else(|| object.object("m.relates_to")).unwrap_or_default();
    let kind_of_relation = relation.text("rel_type").unwrap_or_default();
    let target = || relation.text("event_id");
    match kind_of_relation.as_str() {
        "m.annotation" => return Contents { said: None, answers: None, edits: None },
        "m.replace" => {
            let new = object.object("m.new_content");
            let said = said(kind, new.as_ref().unwrap_or(&object), false);
            return Contents { said: Some(said), answers: None, edits: target() };
        }
        _ => {}
    }
    // Apps that do not know threads show their messages as answers to the last one.
    let stands_in = relation.is_true("is_falling_back");
    let answers = relation.object("m.in_reply_to").and_then(|to| to.text("event_id"));
    let answers = answers.filter(|_| !stands_in);
    let said = match kind {
        "m.reaction" => None,
        _ => Some(said(kind, &object, answers.is_some())),
    };
    Contents { said, answers, edits: None }
}

fn said(kind: &str, content: &Object<'_>, is_answer: bool) -> Said {
    let body = content.text("body");
    let Some(body) = body.map(|body| if is_answer { without_quote(&body) } else { body }) else {
        return Said::Other(None);
    };
    let what = match (kind, content.text("msgtype").unwrap_or_default().as_str()) {
        ("m.room.message", "m.text" | "m.notice" | "m.emote" | "m.location") => {
            return Said::Text(Words::new(body));
        }
        ("m.room.message", "m.image") => FileKind::Photo,
        ("m.room.message", "m.video") => FileKind::Video,
        ("m.room.message", "m.audio") => FileKind::Audio,
        ("m.room.message", "m.file") => FileKind::File,
        ("m.sticker", _) => FileKind::Sticker,
        _ => return Said::Other(Some(Words::new(body))),
    };
    let (name, caption) = match content.text("filename") {
        Some(name) if name != body => (name, Some(Words::new(body))),
        _ => (body, None),
    };
    let bytes = content.object("info").and_then(|info| info.number("size"));
    Said::File(File { what, name: Words::new(name), caption, bytes })
}

/// A text without the quotation that apps put before answers for those that do not know them.
fn without_quote(body: &str) -> String {
    let mut rest = body;
    while let Some(line) = rest.strip_prefix("> ") {
        rest = line.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let answer = if rest.len() == body.len() { body } else { rest.trim_start_matches('\n') };
    if answer.is_empty() { body } else { answer }.to_owned()
}

/// A JSON object, its members read only where they are asked for. Of duplicates the last counts.
#[derive(Default)]
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    fn number(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    fn is_true(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|raw| raw.get() == "true")
    }

    fn object(&self, name: &str) -> Option<Self> {
        Self::parse(self.0.get(name)?.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(said: Option<Said>) -> String {
        match said {
            Some(Said::Text(words)) => words.expose().to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn answers_lose_the_quotation_of_old_apps() {
        let content = r#"{"msgtype":"m.text","body":"> <@a:x> first\n> second\n\nYes.","m.relates_to":{"m.in_reply_to":{"event_id":"$1"}}}"#;
        let contents = read("m.room.message", content, None);
        assert_eq!((text(contents.said), contents.answers.as_deref()), ("Yes.".into(), Some("$1")));
        // Without an answer it is the writer's own.
        let content = r#"{"msgtype":"m.text","body":"> said I"}"#;
        assert_eq!(text(read("m.room.message", content, None).said), "> said I");
        assert_eq!(without_quote("> only"), "> only");
        assert_eq!(without_quote("no quote\n"), "no quote\n");
    }

    #[test]
    fn relations_stand_outside_the_lock() {
        let inside = r#"{"msgtype":"m.text","body":"* new","m.new_content":{"msgtype":"m.text","body":"new"}}"#;
        let outside = r#"{"m.relates_to":{"rel_type":"m.replace","event_id":"$1"}}"#;
        let contents = read("m.room.message", inside, Some(outside));
        assert_eq!((text(contents.said), contents.edits.as_deref()), ("new".into(), Some("$1")));
        let thread = r#"{"m.relates_to":{"rel_type":"m.thread","event_id":"$1","is_falling_back":true,"m.in_reply_to":{"event_id":"$2"}}}"#;
        let contents = read("m.room.message", r#"{"msgtype":"m.text","body":"x"}"#, Some(thread));
        assert_eq!((contents.answers, contents.edits), (None, None));
        let reaction = r#"{"m.relates_to":{"rel_type":"m.annotation","event_id":"$1","key":"+"}}"#;
        assert!(read("m.reaction", reaction, None).said.is_none());
    }

    #[test]
    fn odd_contents_are_something_else() {
        for content in ["{}", "[]", "7", r#"{"body":7}"#, r#"{"msgtype":"m.text"}"#] {
            assert_eq!(read("m.room.message", content, None).said, Some(Said::Other(None)));
        }
        let unknown = read("org.example", r#"{"body":"hello"}"#, None).said;
        assert_eq!(unknown, Some(Said::Other(Some(Words::new("hello".into())))));
    }

    #[test]
    fn files_have_a_name_and_perhaps_a_caption() {
        let content = r#"{"msgtype":"m.image","body":"The harbour","filename":"harbour.jpg","info":{"size":2100000}}"#;
        let Some(Said::File(file)) = read("m.room.message", content, None).said else {
            panic!("a file")
        };
        assert_eq!((file.what, file.name.expose()), (FileKind::Photo, "harbour.jpg"));
        assert_eq!((file.caption.unwrap().expose(), file.bytes), ("The harbour", Some(2_100_000)));
        let content = r#"{"msgtype":"m.file","body":"a.pdf","info":{"size":-1}}"#;
        let Some(Said::File(file)) = read("m.room.message", content, None).said else {
            panic!("a file")
        };
        assert_eq!((file.caption, file.bytes), (None, None));
    }
}
