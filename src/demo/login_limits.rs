//! How often Synapse lets somebody sign in (SPEC §1.3). Times are counted from the server's beginning.

use std::time::Duration;

/// Tries from one address: five at once, then one about every five and a half minutes.
const TRIES: (u32, Duration) = (5, Duration::from_micros(333_333_333));
/// Wrong passwords: three at once, then one about every six seconds.
const FAILURES: (u32, Duration) = (3, Duration::from_micros(5_882_353));

/// What was tried lately.
pub(super) struct LoginLimits {
    tries: Bucket,
    failures: Bucket,
}

impl LoginLimits {
    pub(super) fn new() -> Self {
        Self { tries: Bucket::new(TRIES), failures: Bucket::new(FAILURES) }
    }

    /// Counts a try; if it is one too many, tells how long to wait.
    pub(super) fn before(&mut self, now: Duration) -> Result<(), Duration> {
        self.tries.take(now)?;
        self.failures.look(now)
    }

    /// Counts a wrong password.
    pub(super) fn failed(&mut self, now: Duration) {
        // Too many were refused before.
        let _ = self.failures.take(now);
    }
}

/// A bucket that leaks one drop each `interval`, and holds `size` of them.
struct Bucket {
    size: u32,
    interval: Duration,
    /// When it is empty, if nothing more is put in.
    empty: Duration,
}

impl Bucket {
    fn new((size, interval): (u32, Duration)) -> Self {
        Self { size, interval, empty: Duration::ZERO }
    }

    fn look(&self, now: Duration) -> Result<(), Duration> {
        let level = self.empty.saturating_sub(now) + self.interval;
        match level.saturating_sub(self.interval * self.size) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }

    fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.look(now)?;
        self.empty = self.empty.max(now) + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_and_then_slowly() {
        let mut bucket = Bucket::new(TRIES);
        let at = Duration::from_millis;
        for try_ in 0..5 {
            assert_eq!(bucket.take(at(try_)), Ok(()), "{try_}");
        }
        let wait = bucket.take(at(110)).unwrap_err();
        assert_eq!(wait.as_millis(), 333_223);
        // What was refused does not count.
        assert_eq!(bucket.take(at(110)), Err(wait));
        assert_eq!(bucket.take(at(110) + wait), Ok(()));
        assert!(bucket.take(at(111) + wait).is_err());
    }

    #[test]
    fn wrong_passwords_shut_the_door_for_right_ones_too() {
        let mut limits = LoginLimits::new();
        let now = Duration::from_secs(9);
        for _ in 0..3 {
            limits.before(now).unwrap();
            limits.failed(now);
        }
        assert_eq!(limits.before(now).unwrap_err().as_micros(), 5_882_353);
        assert_eq!(limits.before(now + Duration::from_secs(6)), Ok(()));
    }
}
