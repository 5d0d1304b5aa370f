//! The door to the screen: whatever text comes in, only harmless text comes out.

use keyhaul::base::{
    failure::{Code, Failure},
    shown::{Shown, escape_json},
};
use proptest::prelude::*;
use serde_json::Value;

use crate::chance::cases;

/// Characters that must never reach a terminal (SPEC §12.4), listed here on their own so that a slip
/// in `Shown` is no slip in its test.
fn violations(text: &str) -> Vec<char> {
    text.chars()
        .filter(|character| {
            character.is_control()
                || matches!(character,
                    // Directions.
                    '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'
                    | '\u{61c}'
                    // Without width, fillers, variation selectors, tags.
                    | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200d}'
                    | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}'
                    | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                    | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}'
                    // Lines, private use, no characters.
                    | '\u{2028}' | '\u{2029}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}'
                    | '\u{fffe}' | '\u{ffff}' | '\u{f0000}'..='\u{10ffff}')
        })
        .collect()
}

/// Text with far more hostile characters than real text has.
fn hostile() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        '\u{1b}',
        '\u{9b}',
        '\u{7}',
        '\r',
        '\n',
        '\t',
        '\0',
        '\u{7f}',
        '\u{85}',
        '\u{202e}',
        '\u{2066}',
        '\u{200b}',
        '\u{200d}',
        '\u{feff}',
        '\u{fe0f}',
        '\u{e0041}',
        '\u{e000}',
        '\u{10ffff}',
        '\u{2028}',
        '\u{a0}',
        '\u{3000}',
        '\u{301}',
        '\u{20e3}',
        '\u{1f3fb}',
        ' ',
        '🎈',
        '漢',
        '👩',
        '"',
        '\\',
        '{',
        '}',
        '\u{644}',
        '\u{627}',
        '\u{1f1e9}',
        '\u{1160}',
    ]);
    prop::collection::vec(prop_oneof![2 => bad, 1 => any::<char>()], 0..40)
        .prop_map(|characters| characters.into_iter().collect())
}

#[test]
fn planted_violations_are_found() {
    assert_eq!(violations("a\u{1b}]0;b\u{7} \u{9b}c\n"), ['\u{1b}', '\u{7}', '\u{9b}', '\n']);
    assert_eq!(violations("\u{202e}x\u{e0041}\u{200b}é🎈"), ['\u{202e}', '\u{e0041}', '\u{200b}']);
    assert_eq!(violations("Räume 漢字 e\u{301} 🎈 ␛ �"), Vec::<char>::new());
    let careless = serde_json::json!({"name": "\u{202e}\u{9b}\u{7f}"}).to_string();
    assert_eq!(violations(&careless), ['\u{202e}', '\u{9b}', '\u{7f}']);
}

#[test]
fn a_failure_does_not_read_its_values_as_words_of_its_own() {
    let failure =
        Failure::new(Code::TokenOfAnother).with("user", "{typed}").with("typed", "{user} {x");
    assert_eq!(failure.what(), "This access token belongs to {typed}, not to {user} {x.");
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn only_harmless_text_is_shown(text in hostile(), characters in 0_usize..30, cells in 0_usize..30) {
        let shown = Shown::new(&text);
        let limited = Shown::limited(&text, characters);
        for shown in [&shown, &limited, &shown.cut(cells), &shown.cut_middle(cells)] {
            prop_assert_eq!(violations(shown.as_str()), Vec::<char>::new());
            prop_assert!(shown.as_str().chars().all(Shown::passes));
            prop_assert!(!shown.as_str().contains("  "));
        }
        // What was safe stays as it is.
        prop_assert_eq!(&Shown::new(shown.as_str()), &shown);
        prop_assert!(limited.as_str().chars().count() <= characters + 1);
    }

    #[test]
    fn a_cut_text_fits_its_cells(text in hostile(), cells in 0_usize..30) {
        let shown = Shown::new(&text);
        prop_assert!(shown.cut(cells).width() <= cells);
        prop_assert!(shown.cut_middle(cells).width() <= cells);
    }

    #[test]
    fn an_escaped_document_is_the_same_to_a_parser(name in hostile(), text in hostile()) {
        let value = serde_json::json!({ "": [text, 1.5, null], name: {} });
        for document in [value.to_string(), format!("{value:#}")] {
            let escaped = escape_json(&document);
            prop_assert_eq!(violations(&escaped.replace('\n', "")), Vec::<char>::new());
            prop_assert_eq!(&serde_json::from_str::<Value>(&escaped).unwrap(), &value);
        }
    }

    #[test]
    fn a_failure_shows_only_harmless_text(text in hostile()) {
        let failure = Failure::new(Code::ServerNotFound).with("name", &*text).because(&text);
        for words in [failure.what(), failure.safe(), failure.next(), failure.next_command()] {
            prop_assert_eq!(violations(&words), Vec::<char>::new());
        }
        prop_assert_eq!(violations(failure.detail().unwrap().as_str()), Vec::<char>::new());
    }
}
