//! The guesses of a list: each once, the likely ones first, their number known before, and of each kind
//! what it promises.

use std::collections::HashSet;

use keyhaul::{
    base::secret::SecretText,
    secret_storage::{
        guesses::{Guesses, Kind, Variation, list::ListLine},
        spellings::spellings,
    },
};
use proptest::prelude::*;

use crate::chance::{Counting, cases};

/// More than any list here gives.
const MANY: usize = 1 << 20;

fn lines(lines: &[impl AsRef<str>]) -> Vec<ListLine> {
    let text = |line: &str| SecretText::new(line.to_owned());
    (1..).zip(lines).map(|(number, line)| ListLine { number, text: text(line.as_ref()) }).collect()
}

fn guesses(list: &[impl AsRef<str>], kinds: &[Kind]) -> Guesses {
    Guesses::of(lines(list), kinds, MANY, &mut Counting(3)).unwrap()
}

/// A guess as a test sees it.
type Seen = (u64, Variation, String);

fn all(guesses: &Guesses) -> Vec<Seen> {
    let each = (0..guesses.len()).map(|number| guesses.guess(number).unwrap());
    each.map(|guess| (guess.line, guess.variation, guess.text.expose().to_owned())).collect()
}

/// What is wrong with the guesses of a list, if anything.
fn faults(list: &[String], seen: &[Seen], as_typed: usize) -> Vec<String> {
    let mut faults = Vec::new();
    let mut known = HashSet::new();
    for (place, (line, variation, text)) in seen.iter().enumerate() {
        if !known.insert(text) {
            faults.push(format!("{text:?} twice"));
        }
        if text.is_empty() {
            faults.push("an empty guess".to_owned());
        }
        let own = &list[*line as usize - 1];
        if (*variation == Variation::AsTyped) != (place < as_typed) {
            faults.push(format!("{variation:?} at place {place}"));
        }
        if (*variation == Variation::AsTyped) != (own == text) {
            faults.push(format!("{variation:?} of {own:?} is {text:?}"));
        }
    }
    let rank = |(_, variation, _): &Seen| match variation {
        Variation::AsTyped => 0,
        Variation::Spelling => 1,
        Variation::Swapped | Variation::Doubled | Variation::Missing | Variation::Beside => 3,
        _ => 2,
    };
    if !seen.is_sorted_by_key(rank) {
        faults.push("not in their order".to_owned());
    }
    faults
}

#[test]
fn each_fault_is_found() {
    let list = ["one".to_owned(), "two".to_owned()];
    let seen = |line, variation, text: &str| (line, variation, text.to_owned());
    let (one, two) = (seen(1, Variation::AsTyped, "one"), seen(2, Variation::AsTyped, "two"));
    let large = seen(1, Variation::FirstLarge, "One");
    let slip = seen(1, Variation::Missing, "oe");
    let found = |seen: &[Seen]| faults(&list, seen, 2);
    assert!(found(&[one.clone(), two.clone(), large.clone(), slip.clone()]).is_empty());
    assert_eq!(found(&[one.clone(), two.clone(), slip, large.clone()]), ["not in their order"]);
    assert_eq!(found(&[one.clone(), two.clone(), large.clone(), large.clone()]), ["\"One\" twice"]);
    assert_eq!(found(&[one.clone(), large, two]).len(), 3);
    assert_eq!(found(&[one, seen(2, Variation::AsTyped, "")]).len(), 2);
}

fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9!. ]{1,24}",
        "[a-c]{1,4}[0-9!]{0,3}",
        "(é|e\u{301}|ß|İ|日|🔑|ǆ| |a){1,8}",
        ".{1,12}",
    ]
    .prop_filter("a line has something in it", |line| !line.trim().is_empty())
}

fn any_kinds() -> impl Strategy<Value = Vec<Kind>> {
    prop::sample::subsequence(Kind::ALL.to_vec(), 0..=Kind::ALL.len())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn each_comes_once_in_order_and_is_counted(
        list in prop::collection::vec(any_line(), 1..5),
        kinds in any_kinds(),
    ) {
        let guesses = guesses(&list, &kinds);
        let seen = all(&guesses);
        let [as_typed, likely, slips] = guesses.parts();
        prop_assert_eq!(faults(&list, &seen, as_typed.end), Vec::<String>::new());
        prop_assert_eq!((as_typed.start, as_typed.end), (0, likely.start));
        prop_assert_eq!((likely.end, slips.end), (slips.start, guesses.len()));
        prop_assert!(guesses.guess(guesses.len()).is_none());
        prop_assert_eq!(guesses.lines(), list.len());

        // The number is exact: one fewer is not enough, and the same number is.
        let within = |most| Guesses::of(lines(&list), &kinds, most, &mut Counting(9));
        prop_assert_eq!(within(seen.len()).map(|guesses| guesses.len()).ok(), Some(seen.len()));
        prop_assert!(within(seen.len() - 1).is_err());

        // Less is never more: what fewer kinds give, more kinds give, too.
        let texts: HashSet<&String> = seen.iter().map(|(_, _, text)| text).collect();
        for fewer in kinds.iter().map(|kind| vec![*kind]).chain([vec![]]) {
            let fewer = self::guesses(&list, &fewer);
            prop_assert!(all(&fewer).iter().all(|(_, _, text)| texts.contains(text)));
        }
    }

    #[test]
    fn what_is_promised_is_there(line in "[a-z]{2,3}[a-zA-Z0-9 ]{1,10}[a-z]", place in 0_usize..3) {
        let texts = |kind| -> HashSet<String> {
            all(&guesses(&[&line], &[kind])).into_iter().map(|(_, _, text)| text).collect()
        };
        let letters: Vec<char> = line.chars().collect();
        let text = |letters: &[char]| letters.iter().collect::<String>();
        let (first, rest) = line.split_at(1);
        let large = first.to_uppercase() + rest;
        prop_assert!(texts(Kind::Case).contains(&large), "{}", large);

        let endings = texts(Kind::Ending);
        for ending in ["!", ".", "?", "1", "0", "9", "!!", "123", "1961", "2024"] {
            let longer = format!("{line}{ending}");
            prop_assert!(endings.contains(&longer), "{}", longer);
            // And away again.
            let away = guesses(&[&longer], &[Kind::Ending]);
            let found = all(&away).into_iter().find(|(_, _, text)| *text == line);
            prop_assert_eq!(found.map(|(_, variation, _)| variation), Some(Variation::EndingAway));
        }

        let slips = texts(Kind::Slip);
        let mut swapped = letters.clone();
        swapped.swap(place, place + 1);
        let mut doubled = letters.clone();
        doubled.insert(place, letters[place]);
        let mut missing = letters.clone();
        missing.remove(place);
        for slip in [swapped, doubled, missing] {
            prop_assert!(slips.contains(&text(&slip)), "{}", text(&slip));
        }
        let longer = format!("{line}!");
        prop_assert!(!slips.contains(&longer));
    }
}

/// By every kind, the passphrase comes from a line that differs from it in one way; and what is told of it.
#[test]
fn a_difference_is_told_by_its_kind() {
    let found = |line: &str, passphrase: &str, kinds: &[Kind]| {
        let seen = all(&guesses(&[line], kinds)).into_iter();
        seen.filter(|(.., text)| text == passphrase).map(|(_, variation, _)| variation).next()
    };
    for (line, kind, wanted, variation) in [
        ("Kettle 7", Kind::Case, "kettle 7", Variation::FirstSmall),
        ("kettle", Kind::Ending, "kettle1", Variation::EndingAdded),
        ("kettle12", Kind::Ending, "kettle", Variation::EndingAway),
        ("kettle 1999", Kind::Ending, "kettle 7", Variation::EndingOther),
        ("ketlte 7", Kind::Slip, "kettle 7", Variation::Swapped),
        ("ketle 7", Kind::Slip, "kettle 7", Variation::Doubled),
        ("kettlee 7", Kind::Slip, "kettle 7", Variation::Missing),
        ("ketrle 7", Kind::Slip, "kettle 7", Variation::Beside),
        ("kettle è", Kind::Layout, "kettle 7", Variation::Layout),
        ("kettle 7", Kind::Slip, "kettle 7", Variation::AsTyped),
        ("kettle 7 ", Kind::Slip, "kettle 7", Variation::Spelling),
    ] {
        assert_eq!(found(line, wanted, &[kind]), Some(variation), "{line}");
        let others: Vec<Kind> = Kind::ALL.into_iter().filter(|other| *other != kind).collect();
        let plain = [Variation::AsTyped, Variation::Spelling].contains(&variation);
        assert_eq!(found(line, wanted, &others).is_some(), plain, "{line}");
    }
    let both = [Kind::Case, Kind::Ending];
    assert_eq!(found("Kettle1", "kettle", &both), Some(Variation::FirstAndEndingAway));
    assert_eq!(found("Kettle", "kettle!", &both), Some(Variation::FirstAndEndingAdded));
    assert_eq!(found("Kettle3", "kettle!", &both), Some(Variation::FirstAndEndingOther));
    assert_eq!(found("Kettle", "kettle!", &[Kind::Case]), None);
    assert_eq!(found("kettle", "Kettle", &both), Some(Variation::FirstLarge));
}

/// The same passphrase on several lines, or as a variation of another line, is tried once.
#[test]
fn lines_that_give_the_same_are_one() {
    let seen = all(&guesses(&["tea", "Tea", "tea", "tea "], &[Kind::Case]));
    let texts: Vec<_> = seen.iter().map(|(line, _, text)| (*line, text.as_str())).collect();
    assert_eq!(texts, [(1, "tea"), (2, "Tea"), (4, "tea ")]);
    // Accents in both spellings, of a variation, too.
    let seen = all(&guesses(&["été"], &[Kind::Case]));
    let both = |text: &str| spellings(&SecretText::new(text.to_owned())).len();
    assert_eq!((seen.len(), both("été"), both("Été")), (4, 2, 2));
}

/// What a person with two lines sees in the assistant before it begins.
#[test]
fn a_common_list_stays_small() {
    let list = ["correct horse battery", "Summer2019"];
    let of = |kinds: &[Kind]| guesses(&list, kinds).len();
    assert_eq!(of(&[]), 2);
    assert_eq!(of(&[Kind::Case]), 4);
    assert!((200..600).contains(&of(&[Kind::Case, Kind::Ending])));
    assert!(of(&Kind::ALL) < 1_000);
}
