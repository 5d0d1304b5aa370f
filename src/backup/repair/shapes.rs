//! Ways to undo a slip: each makes other texts of a typed one, which can be numbered.

use super::{
    alike::TWO_AS_ONE,
    letters::{Is, Letter, digit},
};

/// Letters in a group.
pub(super) const GROUP: usize = 4;

/// What may have happened to a text on its way, and is to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many letters were typed too much.
    Without(usize),
    /// So many letters in a row were typed too much.
    WithoutRun(usize),
    /// So many letters were left out.
    Holes(usize),
    /// A group of four was left out.
    Gap,
    /// So many letters in a row were left out.
    Run(usize),
    /// Two neighbours changed places.
    Neighbours,
    /// Two letters changed places that are no neighbours.
    Pairs,
    /// Two groups of four changed places.
    Groups,
    /// A group of four came to another place.
    Moved,
    /// Letters in a row were typed with capitals for small letters, and small ones for capitals.
    OtherCase,
    /// One letter was read as two.
    Merged,
    /// Two letters were read as one.
    Parted,
    /// Of so many letters from the left that exist as capitals and as small ones, each may be the other.
    Cases(usize),
}

impl Shape {
    /// How many letters the other texts have; `None` where it does not apply.
    pub(super) fn length(self, letters: usize) -> Option<usize> {
        let whole_groups = letters > 0 && letters.is_multiple_of(GROUP);
        match self {
            Self::Without(count) | Self::WithoutRun(count) => letters.checked_sub(count),
            Self::Holes(count) | Self::Run(count) => Some(letters + count),
            Self::Gap => whole_groups.then_some(letters + GROUP),
            Self::Groups | Self::Moved => whole_groups.then_some(letters),
            Self::Merged => letters.checked_sub(1),
            Self::Parted => Some(letters + 1),
            Self::Neighbours | Self::Pairs | Self::OtherCase | Self::Cases(_) => Some(letters),
        }
    }

    /// How many other texts it makes of one with so many letters.
    pub(super) fn count(self, letters: usize) -> u64 {
        let groups = letters / GROUP;
        match self {
            Self::Without(count) => choose(letters, count),
            Self::WithoutRun(count) => (letters + 1).saturating_sub(count) as u64,
            Self::Holes(count) => choose(letters + count, count),
            Self::Gap => groups as u64 + 1,
            Self::Run(_) => letters as u64 + 1,
            Self::Neighbours => letters.saturating_sub(1) as u64,
            Self::Pairs => choose(letters.saturating_sub(1), 2),
            Self::Groups => choose(groups, 2),
            Self::Moved => (groups * groups.saturating_sub(1)) as u64,
            Self::OtherCase => choose(letters + 1, 2),
            Self::Merged => (letters.saturating_sub(1) * TWO_AS_ONE.len()) as u64,
            Self::Parted => (letters * TWO_AS_ONE.len()) as u64,
            Self::Cases(count) => 1 << count,
        }
    }

    /// How many open places it makes.
    pub(super) fn holes(self) -> usize {
        match self {
            Self::Holes(count) | Self::Run(count) => count,
            Self::Gap => GROUP,
            _ => 0,
        }
    }

    /// Says whether every text it makes is one that can be meant, whatever the letters are.
    pub(super) fn always_applies(self) -> bool {
        !matches!(self, Self::OtherCase | Self::Merged | Self::Parted)
    }

    /// Makes one of these texts, numbered from 0; says whether it is one that can be meant.
    pub(super) fn apply(self, letters: &mut Vec<Letter>, number: u64) -> bool {
        let length = letters.len();
        let place = number as usize;
        match self {
            Self::Without(count) => {
                let places = places(number, length, count);
                for place in places.iter().rev() {
                    letters.remove(*place);
                }
            }
            Self::WithoutRun(count) => drop(letters.drain(place..place + count)),
            Self::Holes(count) => {
                let places = places(number, length + count, count);
                places.into_iter().for_each(|place| letters.insert(place, Letter::HOLE));
            }
            Self::Gap => insert(letters, place * GROUP, GROUP),
            Self::Run(count) => insert(letters, place, count),
            Self::Neighbours => letters.swap(place, place + 1),
            Self::Pairs => {
                // A pair with at least one letter between them.
                if let [first, second] = *places(number, length.saturating_sub(1), 2) {
                    letters.swap(first, second + 1);
                }
            }
            Self::Groups => {
                if let [first, second] = *places(number, length / GROUP, 2) {
                    let letter = |group: usize, of: usize| group * GROUP + of;
                    (0..GROUP).for_each(|of| letters.swap(letter(first, of), letter(second, of)));
                }
            }
            Self::Moved => {
                let others = length / GROUP - 1;
                let (from, to) = (place / others, place % others);
                let group: [Letter; GROUP] = std::array::from_fn(|_| letters.remove(from * GROUP));
                group.into_iter().rev().for_each(|letter| {
                    letters.insert((to + usize::from(to >= from)) * GROUP, letter);
                });
            }
            Self::OtherCase => {
                let Some((from, to)) = run(number, length) else { return false };
                return letters
                    .iter_mut()
                    .take(to)
                    .skip(from)
                    .all(|letter| letter.in_other_case().map(|other| *letter = other).is_some());
            }
            Self::Merged => {
                let (place, rule) = (place / TWO_AS_ONE.len(), place % TWO_AS_ONE.len());
                let Some((two, one)) = TWO_AS_ONE.get(rule) else { return false };
                let are = two.map(|letter| digit(letter).map(Is::Known));
                let typed = [place, place + 1].map(|place| letters.get(place).map(|l| l.is));
                let Some(one) = Letter::known(*one).filter(|_| are == typed) else { return false };
                letters.remove(place);
                return letters.get_mut(place).map(|letter| *letter = one).is_some();
            }
            Self::Parted => {
                let (place, rule) = (place / TWO_AS_ONE.len(), place % TWO_AS_ONE.len());
                let Some((two, one)) = TWO_AS_ONE.get(rule) else { return false };
                let is = letters.get(place).map(|letter| letter.is);
                if is != digit(*one).map(Is::Known) {
                    return false;
                }
                letters.remove(place);
                two.iter().rev().filter_map(|letter| Letter::known(*letter)).for_each(|letter| {
                    letters.insert(place, letter);
                });
            }
            Self::Cases(count) => {
                let both = letters.iter_mut().filter(|letter| has_both_cases(letter));
                for (bit, letter) in both.take(count).enumerate() {
                    if number >> bit & 1 == 1
                        && let Some(other) = letter.in_other_case()
                    {
                        *letter = other;
                    }
                    // What is decided here is not to be changed again.
                    letter.other_case = 0;
                }
            }
        }
        true
    }
}

/// Says whether a letter can be a capital and a small one.
pub(super) fn has_both_cases(letter: &Letter) -> bool {
    matches!(letter.is, Is::Known(_)) && letter.other_case != 0
}

fn insert(letters: &mut Vec<Letter>, place: usize, count: usize) {
    (0..count).for_each(|_| letters.insert(place, Letter::HOLE));
}

/// In how many ways some of a number of things can be taken.
pub(super) fn choose(of: usize, some: usize) -> u64 {
    if some > of {
        return 0;
    }
    let of = of as u64;
    (0..some as u64).fold(1, |ways, next| ways * (of - next) / (next + 1))
}

/// The way with this number, in the order of the first place, then of the second, and so on.
pub(super) fn places(mut number: u64, of: usize, some: usize) -> Vec<usize> {
    let mut places = Vec::with_capacity(some);
    let mut place = 0;
    while places.len() < some && place < of {
        let with = choose(of - place - 1, some - places.len() - 1);
        if number < with {
            places.push(place);
        } else {
            number -= with;
        }
        place += 1;
    }
    places
}

/// The run of letters with this number: where it begins, and the place behind it.
fn run(number: u64, letters: usize) -> Option<(usize, usize)> {
    match *places(number, letters + 1, 2) {
        [from, to] => Some((from, to)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::letters, *};

    fn all(shape: Shape, text: &str) -> Vec<String> {
        let typed: Vec<Letter> = letters::read(text).collect();
        let told = |letter: &Letter| match letter.is {
            Is::Known(digit) => letters::character(digit).unwrap(),
            Is::Unreadable => '!',
            Is::Hole => '.',
        };
        let made = (0..shape.count(typed.len())).filter_map(|number| {
            let mut made = typed.clone();
            shape.apply(&mut made, number).then(|| made.iter().map(told).collect::<String>())
        });
        let made: Vec<String> = made.collect();
        assert!(made.iter().all(|made| Some(made.len()) == shape.length(typed.len())));
        made
    }

    #[test]
    fn every_way_comes_once() {
        assert_eq!(all(Shape::Without(1), "abc"), ["bc", "ac", "ab"]);
        assert_eq!(all(Shape::Without(2), "abc"), ["c", "b", "a"]);
        assert_eq!(all(Shape::WithoutRun(2), "abcd"), ["cd", "ad", "ab"]);
        assert_eq!(all(Shape::Holes(1), "abc"), [".abc", "a.bc", "ab.c", "abc."]);
        assert_eq!(all(Shape::Holes(2), "a"), ["..a", ".a.", "a.."]);
        assert_eq!(all(Shape::Gap, "abcd"), ["....abcd", "abcd...."]);
        assert_eq!(all(Shape::Run(2), "ab"), ["..ab", "a..b", "ab.."]);
        assert_eq!(all(Shape::Neighbours, "abc"), ["bac", "acb"]);
        assert_eq!(all(Shape::Pairs, "abcd"), ["cbad", "dbca", "adcb"]);
        assert_eq!(
            all(Shape::Groups, "aaaabbbbcccc"),
            ["bbbbaaaacccc", "ccccbbbbaaaa", "aaaaccccbbbb"]
        );
        let mut moved = all(Shape::Moved, "aaaabbbbcccc");
        moved.sort();
        moved.dedup();
        assert_eq!(moved, ["aaaaccccbbbb", "bbbbaaaacccc", "bbbbccccaaaa", "ccccaaaabbbb"]);
        assert_eq!(all(Shape::OtherCase, "a7o"), ["A7o", "A7o", "a7o"]);
        assert_eq!(all(Shape::OtherCase, "O"), ["o"]);
        assert_eq!(all(Shape::Merged, "arnn"), ["amn", "arm"]);
        assert_eq!(all(Shape::Parted, "mw"), ["nnw", "rnw", "mvv", "muu"]);
        assert_eq!(all(Shape::Cases(2), "oa7bc"), ["oa7bc", "oA7bc", "oa7Bc", "oA7Bc"]);
    }
}
