//! Twelve groups of four in every order.

use std::ops::ControlFlow;

use zeroize::Zeroizing;

use super::{
    super::recovery_key::LETTERS,
    letters::{Is, Letter},
    number::{BASE, Number, Power},
    pattern::Found,
    shapes::GROUP,
};

/// Groups of a recovery key.
const GROUPS: usize = LETTERS / GROUP;
/// In how many orders ten groups can stand, behind the first two.
const ORDERS_OF_TEN: u64 = 3_628_800;
/// Parts of the walk: by the groups that come first and second.
pub(super) const PORTIONS: u64 = (GROUPS * GROUPS) as u64;

/// What each group is worth as a number of four letters; `None` unless there are twelve readable ones.
fn groups(letters: &[Letter]) -> Option<Zeroizing<Vec<u64>>> {
    let groups = letters.chunks_exact(GROUP).map(|group| {
        group.iter().try_fold(0, |worth, letter| match letter.is {
            Is::Known(digit) => Some(worth * BASE + u64::from(digit)),
            Is::Unreadable | Is::Hole => None,
        })
    });
    let groups = Zeroizing::new(groups.collect::<Option<Vec<u64>>>()?);
    (letters.len() == LETTERS).then_some(groups)
}

/// Says whether a recovery key can begin with this group.
fn begins(groups: &[u64], first: usize) -> bool {
    let mut sum = Number::zero();
    sum.add_times(&power(0), groups.get(first).copied().unwrap_or_default());
    sum.reaches(Power::reach(GROUP))
}

/// How many orders there are in a part: none that begin with a group that no recovery key begins with.
pub(super) fn count(letters: &[Letter], portion: u64) -> u64 {
    let (first, second) = (portion as usize / GROUPS, portion as usize % GROUPS);
    let possible = groups(letters).is_some_and(|groups| begins(&groups, first));
    if possible && first != second { ORDERS_OF_TEN } else { 0 }
}

/// Walks through the orders of a part, and hands on what passes.
pub(super) fn walk(letters: &[Letter], portion: u64, found: &mut Found<'_>) -> ControlFlow<()> {
    let (first, second) = (portion as usize / GROUPS, portion as usize % GROUPS);
    let Some(groups) = groups(letters).filter(|_| first != second) else {
        return ControlFlow::Continue(());
    };
    let mut orders = Orders { groups: &groups, found };
    let mut sum = Number::zero();
    for (place, group) in [first, second].into_iter().enumerate() {
        sum.add_times(&power(place), orders.groups.get(group).copied().unwrap_or_default());
    }
    orders.place(&sum, 2, ((1 << GROUPS) - 1) & !(1 << first) & !(1 << second))
}

struct Orders<'a, 'f> {
    groups: &'a [u64],
    found: &'a mut Found<'f>,
}

impl Orders<'_, '_> {
    /// Puts each group that is left at a place, and the others behind it.
    fn place(&mut self, sum: &Number, place: usize, left: u32) -> ControlFlow<()> {
        if left == 0 {
            return if sum.passes() { (self.found)(sum) } else { ControlFlow::Continue(()) };
        }
        if !sum.reaches(Power::reach(place * GROUP)) {
            return ControlFlow::Continue(());
        }
        let power = power(place);
        let mut rest = left;
        while rest != 0 {
            let group = rest.trailing_zeros();
            rest &= rest - 1;
            let mut sum = sum.again();
            sum.add_times(&power, self.groups.get(group as usize).copied().unwrap_or_default());
            self.place(&sum, place + 1, left & !(1 << group))?;
        }
        ControlFlow::Continue(())
    }
}

/// What a group is worth at a place: as much as its last letter.
fn power(place: usize) -> Power {
    Power::at(place * GROUP + GROUP - 1)
}
