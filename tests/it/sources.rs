//! The program's own sources, read as tokens: what the checks over the whole house look at.
//!
//! Comments and the contents of strings are left out, so words in a sentence are no violations.

use std::{fs, path::Path};

/// One file below `src/`.
pub(crate) struct Source {
    /// Its path from the project's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A word or a sign of the language, and its line.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path such as `crate::base::secret`, with its `use` groups taken apart.
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// How many modules written inside the file stand around it.
    pub(crate) inline: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The room that the file belongs to: the folder below `src/`, or the file itself.
    pub(crate) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The module that the file is, from the crate's root.
    pub(crate) fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let mut parts: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    pub(crate) fn tokens(&self) -> Vec<Token> {
        tokens(&self.text)
    }

    pub(crate) fn named(&self) -> Vec<Named> {
        named(&self.tokens())
    }
}

/// All files below `src/`, in the order of their paths.
pub(crate) fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source::new(&inside, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.iter().any(|source| source.path == "src/lib.rs"), "no sources found");
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let letter = |at: usize| letters.get(at).copied().unwrap_or('\0');
    let until = |mut at: usize, stop: &dyn Fn(usize) -> bool| {
        while at < letters.len() && !stop(at) {
            at += 1;
        }
        at
    };
    let mut found = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while at < letters.len() {
        line += letters[counted..at].iter().filter(|letter| **letter == '\n').count();
        counted = at;
        let begin = at;
        match letter(at) {
            space if space.is_whitespace() => {
                at += 1;
                continue;
            }
            '/' if letter(at + 1) == '/' => {
                at = until(at, &|at| letter(at) == '\n');
                continue;
            }
            '/' if letter(at + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (letter(at), letter(at + 1)) {
                        ('/', '*') => (depth, at) = (depth + 1, at + 2),
                        ('*', '/') => (depth, at) = (depth - 1, at + 2),
                        _ => at += 1,
                    }
                    if depth == 0 || at >= letters.len() {
                        break;
                    }
                }
                continue;
            }
            '"' => at = end_of_string(&letters, at),
            '\'' if letter(at + 1) == '\\' => at = until(at + 3, &|at| letter(at) == '\'') + 1,
            '\'' if letter(at + 2) == '\'' => at += 3,
            '\'' => at = until(at + 1, &|at| !is_word(letter(at))),
            ':' if letter(at + 1) == ':' => at += 2,
            first if is_word(first) => {
                at = until(at, &|at| !is_word(letter(at)));
                let word: String = letters[begin..at].iter().collect();
                let prefixes_text = matches!(word.as_str(), "r" | "b" | "c" | "br" | "cr");
                let hashes = until(at, &|at| letter(at) != '#') - at;
                if prefixes_text && letter(at + hashes) == '"' && (hashes > 0 || word.contains('r'))
                {
                    let closes = |at: usize| {
                        letter(at) == '"' && (1..=hashes).all(|more| letter(at + more) == '#')
                    };
                    at = until(at + hashes + 1, &closes) + hashes + 1;
                } else if prefixes_text && letter(at) == '"' {
                    at = end_of_string(&letters, at);
                }
            }
            _ => at += 1,
        }
        let text: String = letters[begin..at.min(letters.len())].iter().collect();
        let text = if text.ends_with(['"', '#']) && text.len() > 1 { "\"\"".into() } else { text };
        found.push(Token { text, line });
    }
    found
}

/// Where a string with escapes that begins at `at` is over.
fn end_of_string(letters: &[char], mut at: usize) -> usize {
    at += 1;
    while let Some(letter) = letters.get(at) {
        match letter {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn named(tokens: &[Token]) -> Vec<Named> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut braces = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match text(at) {
            "{" => {
                braces.push(at > 1 && text(at - 2) == "mod");
                at += 1;
            }
            "}" => {
                braces.pop();
                at += 1;
            }
            word if word.starts_with(is_word) => {
                let inline = braces.iter().filter(|is_module| **is_module).count();
                let mut leaves = Vec::new();
                at = tree(tokens, at, &[], &mut leaves);
                let line = |at: usize| tokens.get(at).map_or(0, |token| token.line);
                found.extend(leaves.into_iter().map(|(segments, at)| Named {
                    segments,
                    line: line(at),
                    inline,
                }));
            }
            _ => at += 1,
        }
    }
    found
}

/// Reads one path or group from `at` on; gives where it ends.
fn tree(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    leaves: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    if text(at) == "{" {
        at += 1;
        while at < tokens.len() && text(at) != "}" {
            let is_name = text(at).starts_with(is_word) || matches!(text(at), "{" | "*");
            let renames = text(at) == "as";
            at = match (renames, is_name) {
                (true, _) => at + 2,
                (false, true) => tree(tokens, at, before, leaves),
                (false, false) => at + 1,
            };
        }
        return at + 1;
    }
    let segments = [before, &[text(at).to_owned()]].concat();
    let next = text(at + 2);
    if text(at + 1) == "::" && (next.starts_with(is_word) || matches!(next, "{" | "*")) {
        return tree(tokens, at + 2, &segments, leaves);
    }
    leaves.push((segments, at));
    at + 1
}

#[test]
fn reads_paths_and_nothing_else() {
    let text = r###"
        //! crate::comment::a
        use crate::{base::{secret::{Secret32, self as other}, *}, megolm as m};
        /* crate::comment::b /* nested */ */
        fn f<'a>(c: char) -> &'a str { let q = '"'; let e = '\''; let s = "crate::text";
            let r = r#"crate::"raw""#; let b = b"crate::bytes"; super::g::<u8>(); 'x': loop {} }
        mod tests { use super::super::h; mod inner { fn k() { crate::k(); } } }
    "###;
    let source = Source::new("src/a/b.rs", text);
    let paths: Vec<(String, usize)> = source
        .named()
        .iter()
        .filter(|named| matches!(named.segments[0].as_str(), "crate" | "super"))
        .map(|named| (named.segments.join("::"), named.inline))
        .collect();
    let paths: Vec<(&str, usize)> =
        paths.iter().map(|(path, inline)| (path.as_str(), *inline)).collect();
    assert_eq!(
        paths,
        [
            ("crate::base::secret::Secret32", 0),
            ("crate::base::secret::self", 0),
            ("crate::base::*", 0),
            ("crate::megolm", 0),
            ("super::g", 0),
            ("super::super::h", 1),
            ("crate::k", 2),
        ]
    );
    assert_eq!(source.tokens().iter().find(|token| token.text == "h").unwrap().line, 7);
    assert_eq!((source.room(), source.module()), ("a", vec!["a", "b"]));
}
