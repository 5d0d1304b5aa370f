//! Types that hold secrets can neither be printed nor written nor copied by accident: said to the
//! compiler for the known ones, and looked for in the sources for all that will come.

use std::fmt::{Debug, Display};

use keyhaul::{
    backup::decryption::{DecryptionKey, Workroom},
    base::secret::{Secret32, SecretBytes, SecretText},
    key_file::{crypt::FileKeys, portable::Portable},
    megolm::{room_key::RoomKey, session_key::SessionKey},
    recovery::unlock::{ProvenStorageKey, Unlocked},
};
use serde::Serialize;
use static_assertions::assert_not_impl_any;

use crate::sources::{self, Source};

assert_not_impl_any!(Secret32: Debug, Display, Serialize, Clone, Copy, PartialEq);
assert_not_impl_any!(SecretBytes: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(SecretText: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(SessionKey: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(RoomKey: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(DecryptionKey: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(FileKeys: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(Portable: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(ProvenStorageKey: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(Unlocked: Debug, Display, Serialize, Clone, PartialEq);
assert_not_impl_any!(Workroom: Debug, Display, Serialize, Clone, PartialEq);

/// Types that hold a secret, whatever they are wrapped in.
const HOLDERS: &[&str] = &[
    "Secret32",
    "SecretBytes",
    "SecretText",
    "Zeroizing",
    "SessionKey",
    "RoomKey",
    "DecryptionKey",
    "Workroom",
    "FileKeys",
    "Portable",
    "ProvenStorageKey",
    "Unlocked",
    "Typed",
    "Stream",
    "ListLine",
    "Guess",
    "Guesses",
    "List",
    "Searched",
];

/// What would bring a secret onto a screen, into a log or into a file.
const LEAKS: &[&str] = &["Debug", "Display", "Serialize"];

/// `true` if the type has the trait: what is said of the type alone hides what is said of all.
macro_rules! implements {
    ($type:ty: $trait:path) => {{
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        impl<T: ?Sized + $trait> Probe<T> {
            const HAS: bool = true;
        }
        // Both are used whatever the type: text has every trait asked for here.
        const _: bool = <() as Otherwise>::HAS && <Probe<String>>::HAS;
        <Probe<$type>>::HAS
    }};
}

fn leaks_of<const N: usize>(has: [bool; N], names: [&'static str; N]) -> Vec<&'static str> {
    has.into_iter().zip(names).filter_map(|(has, name)| has.then_some(name)).collect()
}

macro_rules! leaks {
    ($type:ty) => {
        leaks_of(
            [
                implements!($type: Debug),
                implements!($type: Display),
                implements!($type: Serialize),
                implements!($type: Clone),
            ],
            ["Debug", "Display", "Serialize", "Clone"],
        )
    };
}

#[test]
fn no_secret_can_be_printed_written_or_copied() {
    let known = [
        leaks!(Secret32),
        leaks!(SecretBytes),
        leaks!(SecretText),
        leaks!(SessionKey),
        leaks!(RoomKey),
        leaks!(DecryptionKey),
        leaks!(Workroom),
        leaks!(FileKeys),
        leaks!(Portable),
        leaks!(ProvenStorageKey),
        leaks!(Unlocked),
        leaks!(Option<Secret32>),
    ];
    assert_eq!(known.concat(), [""; 0]);
}

#[test]
fn a_leaking_type_is_found() {
    #[derive(Debug, Clone)]
    struct Careless {
        _password: String,
    }
    assert_eq!(leaks!(Careless), ["Debug", "Clone"]);
    assert_eq!(leaks!(String), ["Debug", "Display", "Serialize", "Clone"]);
}

/// Types that derive a leak although one of their fields holds a secret.
fn careless_derives(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let tokens = source.tokens();
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        let mut derived = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            match text(at) {
                "derive" => {
                    let end = (at..tokens.len()).find(|at| text(*at) == ")").unwrap_or(at);
                    derived.extend((at..end).map(text).filter(|name| LEAKS.contains(name)));
                    at = end;
                }
                "struct" | "enum" | "union" => {
                    let (name, line) = (text(at + 1), tokens[at].line);
                    let end = end_of_item(&tokens, at);
                    // Before a bracket stands the name of a variant, not a type.
                    let is_type = |at: &usize| !matches!(text(at + 1), "(" | "{");
                    let mut types = (at + 2..end).filter(is_type).map(text);
                    let held = types.find(|word| HOLDERS.contains(word));
                    if let (Some(held), Some(leak)) = (held, derived.first()) {
                        let path = &source.path;
                        found.push(format!("{path}:{line}: {name} holds {held}, derives {leak}"));
                    }
                    derived.clear();
                    at = end;
                }
                // Another item: what was derived before it was not for a type.
                "fn" | "impl" | "mod" | "trait" => derived.clear(),
                _ => {}
            }
            at += 1;
        }
    }
    found
}

/// The end of a type's declaration: its semicolon or its closing brace.
fn end_of_item(tokens: &[sources::Token], begin: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(begin) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 => return at,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    tokens.len()
}

#[test]
fn types_that_hold_secrets_derive_no_leak() {
    let violations = careless_derives(&sources::all());
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn a_careless_derive_is_found() {
    let planted = Source::new(
        "src/base/a.rs",
        "#[derive(Clone, Debug)]\n#[repr(C)]\npub struct Login { user: String, password: SecretText }\n\
         #[derive(Debug)] enum Way { Token(Option<Box<Secret32>>), None }\n\
         #[derive(Default)] struct Quiet(Zeroizing<Vec<u8>>);\n\
         #[derive(Debug)] struct Plain { secret_id: u8 } // Secret32\n\
         #[derive(serde::Serialize)] struct Wrapped<'a>(&'a SessionKey);\n\
         #[derive(Debug)] enum Fault { SessionKey(SessionKeyFault), RoomKey { at: u8 } }",
    );
    assert_eq!(
        careless_derives(&[planted]),
        [
            "src/base/a.rs:3: Login holds SecretText, derives Debug",
            "src/base/a.rs:4: Way holds Secret32, derives Debug",
            "src/base/a.rs:7: Wrapped holds SessionKey, derives Serialize",
        ]
    );
}
