//! The name of a room that nobody named, made of the people in it (spec: calculating the display name
//! of a room).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    base::{
        limits,
        shown::{Shown, grouped},
    },
    homeserver::rooms::Person,
};

/// The name of a room with nobody else in it, and nobody known who was.
pub(super) const EMPTY: &str = "Empty room";

/// Names a room after its people, as `own` sees it. `present` is how many are in it or invited, `own`
/// included; if it is that one alone, the people are those who were there.
///
/// It takes at most [`limits::HEROES`] of them, in the order of their ids, so that a room has the same
/// name each time.
pub(super) fn name_of(people: &[Person], own: &str, present: u64) -> Shown {
    let others: BTreeMap<&str, &Person> = people
        .iter()
        .filter(|person| person.user_id != own)
        .map(|person| (person.user_id.as_str(), person))
        .collect();
    let names = told_apart(others.values().copied());
    let missing = present.saturating_sub(1).saturating_sub(names.len() as u64);
    let name = match (present > 1, names.is_empty()) {
        (true, false) => joined(names, missing),
        (true, true) => joined(Vec::new(), missing),
        (false, true) => EMPTY.to_owned(),
        (false, false) => format!("{EMPTY} (was {})", joined(names, 0)),
    };
    Shown::limited(&name, limits::ROOM_NAME)
}

/// What the first of these people are called: by their display names, and by their ids too where
/// several have the same or none. Compared as people see them, so that what cannot be seen tells
/// nobody apart.
fn told_apart<'a>(people: impl Iterator<Item = &'a Person> + Clone) -> Vec<String> {
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for person in people.clone() {
        if !seen.insert(&person.name) {
            twice.insert(&person.name);
        }
    }
    let called = |person: &Person| {
        let id = Shown::limited(&person.user_id, limits::PERSON_NAME);
        match person.name.as_str() {
            "" => id.to_string(),
            name if twice.contains(&person.name) => format!("{name} ({id})"),
            name => name.to_owned(),
        }
    };
    people.take(limits::HEROES).map(called).collect()
}

/// "A", "A and B", "A, B and C", "A, B and 7 others".
fn joined(mut names: Vec<String>, missing: u64) -> String {
    match missing {
        0 => {}
        1 => names.push("1 other".to_owned()),
        more => names.push(format!("{} others", grouped(more))),
    }
    match names.split_last() {
        None => EMPTY.to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "@ada:s";

    fn people(known: &[(&str, &str)]) -> Vec<Person> {
        let person = |(id, name): &(&str, &str)| Person {
            user_id: (*id).to_owned(),
            name: Shown::new(name),
        };
        known.iter().map(person).collect()
    }

    fn named(known: &[(&str, &str)], present: u64) -> String {
        name_of(&people(known), OWN, present).to_string()
    }

    #[test]
    fn people_make_the_name() {
        let own = (OWN, "Ada");
        let (alan, bea, cy) = (("@a:s", "Alan"), ("@b:s", "Bea"), ("@c:s", "Cy"));
        for (known, present, expected) in [
            (&[own, alan][..], 2, "Alan"),
            (&[bea, own, alan], 3, "Alan and Bea"),
            (&[alan, bea, cy], 4, "Alan, Bea and Cy"),
            (&[alan, bea, cy], 5, "Alan, Bea, Cy and 1 other"),
            (&[alan], 1_302, "Alan and 1 300 others"),
            // More people than the count says: the people are what was seen.
            (&[alan, bea, cy], 2, "Alan, Bea and Cy"),
            (&[], 1, "Empty room"),
            (&[own], 1, "Empty room"),
            (&[], 0, "Empty room"),
            (&[alan, bea], 1, "Empty room (was Alan and Bea)"),
            (&[], 2, "1 other"),
            (&[own], 9, "8 others"),
        ] {
            assert_eq!(named(known, present), expected, "{known:?} {present}");
        }
    }

    #[test]
    fn people_are_told_apart() {
        assert_eq!(named(&[("@a:s", "Al"), ("@b:s", "Al")], 3), "Al (@a:s) and Al (@b:s)");
        // What cannot be seen tells nobody apart.
        assert_eq!(named(&[("@a:s", "Al"), ("@b:s", "A\u{200b}l")], 3), "Al (@a:s) and Al (@b:s)");
        // The second is beyond those who are named, and is there all the same.
        let six: Vec<_> = ["@a:s", "@b:s", "@c:s", "@d:s", "@e:s"].map(|id| (id, id)).to_vec();
        let six = [&six[..], &[("@f:s", "@a:s")]].concat();
        assert_eq!(named(&six, 7), "@a:s (@a:s), @b:s, @c:s, @d:s, @e:s and 1 other");
        for nothing in ["", " ", "\u{200b}"] {
            assert_eq!(named(&[("@a:s", nothing), ("@b:s", nothing)], 3), "@a:s and @b:s");
        }
        assert_eq!(named(&[("@a:s", "Al"), ("@a:s", "Al")], 2), "Al");
    }

    #[test]
    fn no_name_is_longer_than_a_name_may_be() {
        let long = "x".repeat(70);
        let many: Vec<_> = (10..99).map(|n| (format!("@{n}:s"), long.clone())).collect();
        let many: Vec<_> = many.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        assert!(named(&many, u64::MAX).chars().count() <= limits::ROOM_NAME + 1);
    }
}
