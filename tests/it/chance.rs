//! Randomness for tests: fixed bytes where the answer is known, and how properties are run.

use keyhaul::base::random::Random;
use proptest::test_runner::Config;

/// Counts up from a byte.
pub(crate) struct Counting(pub(crate) u8);

impl Random for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// So many cases of a property. A failure prints its smallest case; nothing is written beside the
/// sources.
pub(crate) fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}
