//! Randomness as a parameter: the program hands it in, so tests and the demo can fix it.

/// A source of unpredictable bytes.
pub trait Random: Send {
    /// Fills the whole buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// The operating system's generator.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, buffer: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            reason = "without randomness no key can be made safely; there is nothing to go on with"
        )]
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// A fresh array from a source.
pub fn array<const N: usize>(random: &mut dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
