//! The spellings in which one passphrase may have been typed (SPEC §5.4).

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::base::secret::SecretText;

/// The spellings in which a passphrase is tried, as typed first and none twice: both ways of writing
/// accents, and the same without white space at its end.
pub fn spellings(text: &SecretText) -> Vec<SecretText> {
    let typed = text.expose();
    if typed.is_ascii() && !typed.ends_with(char::is_whitespace) {
        return if typed.is_empty() { Vec::new() } else { vec![text.duplicate()] };
    }
    let mut spellings: Vec<SecretText> = Vec::new();
    for base in [typed, typed.trim_end()] {
        for spelling in [text_of(base.chars()), text_of(base.nfc()), text_of(base.nfd())] {
            let known = spellings.iter().any(|known| known.expose() == spelling.expose());
            if !known && !spelling.is_empty() {
                spellings.push(spelling);
            }
        }
    }
    spellings
}

/// Gathers a text without leaving parts of it behind: all room is there from the beginning.
pub(super) fn text_of(characters: impl Iterator<Item = char> + Clone) -> SecretText {
    let length = characters.clone().map(char::len_utf8).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.extend(characters);
    SecretText::new(std::mem::take(&mut text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_tried_as_typed_first_and_none_twice() {
        let spelled = |typed: &str| {
            let all = spellings(&SecretText::new(typed.to_owned()));
            all.iter().map(|one| one.expose().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(spelled("plain"), ["plain"]);
        assert_eq!(spelled("plain \n"), ["plain \n", "plain"]);
        assert_eq!(spelled("\u{e9}"), ["\u{e9}", "e\u{301}"]);
        assert_eq!(
            spelled("e\u{301} "),
            ["e\u{301} ", "\u{e9} ", "e\u{301}", "\u{e9}"].map(str::to_owned)
        );
        assert_eq!(spelled(" "), [" "]);
        assert!(spelled("").is_empty());
    }
}
