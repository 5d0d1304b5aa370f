//! The search for a slip: thousands of generated slips of each kind, and the command that searches.

mod one_slip;
mod told;

use std::ops::ControlFlow;

use keyhaul::{
    backup::{
        recovery_key,
        repair::{Search, Slips},
    },
    base::secret::{Secret32, SecretText},
};

/// Chance that is the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(super) fn of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.below(some.len())]
    }

    /// A key as the 48 letters of its text.
    pub(super) fn key(&mut self) -> (Secret32, Vec<char>) {
        let key = Secret32::filled_by(|bytes| {
            bytes.iter_mut().for_each(|byte| *byte = self.next() as u8);
        });
        let letters =
            recovery_key::format(&key).expose().chars().filter(|letter| *letter != ' ').collect();
        (key, letters)
    }
}

/// The stages that look for one slip.
pub(super) const ONE_SLIP: &[Slips] = &[
    Slips::Unreadable,
    Slips::OneWrong,
    Slips::Exchanged,
    Slips::OneLeftOut,
    Slips::OneTooMany,
    Slips::PartTwice,
];

/// In which stage a search comes upon a key, if it does in one of these. What is compared is the key
/// itself, so nothing else can be taken for it.
pub(super) fn found(typed: &str, key: &Secret32, among: &[Slips]) -> Option<Slips> {
    let search = Search::of(&SecretText::new(typed.to_owned()));
    for (stage, slips) in search.stages().enumerate() {
        if !among.contains(&slips) {
            continue;
        }
        for portion in 0..search.portions(stage) {
            let walked = search.walk(stage, portion, &mut |candidate| {
                if candidate.same_as(key) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if walked.is_break() {
                return Some(slips);
            }
        }
    }
    None
}
