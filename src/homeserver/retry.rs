//! When a request is sent again, and after how long. Only questions are: sending a password twice would
//! count against the person who typed it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{client::Patience, error::RequestError, request::Persistence};
use crate::base::{
    cancel::Cancel,
    limits,
    progress::{Delay, News},
    random::{SystemRandom, array},
};

/// What one request has met so far.
pub(super) struct Tries {
    persistence: Persistence,
    back_off: Duration,
    pauses: u32,
    faults: u32,
}

/// A pause before the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    /// How long.
    length: Duration,
    /// Why.
    why: Delay,
}

impl Tries {
    pub(super) fn new(persistence: Persistence, patience: &Patience) -> Self {
        Self { persistence, back_off: patience.back_off, pauses: 0, faults: 0 }
    }

    /// The pause after an error, or `None` where the error is the answer.
    pub(super) fn pause(&mut self, error: &RequestError) -> Option<Pause> {
        match error {
            _ if self.persistence == Persistence::Once => None,
            RequestError::AskedToWait { seconds } => {
                self.pauses += 1;
                let length = match seconds.map(Duration::from_secs) {
                    // So long that a person should decide.
                    Some(asked) if asked > limits::RETRY_AFTER => return None,
                    Some(asked) => asked.max(self.back_off),
                    None => self.growing(self.pauses),
                };
                (self.pauses <= limits::PAUSES).then_some(Pause { length, why: Delay::AskedFor })
            }
            error if self.may_pass(error) => {
                self.faults += 1;
                let most = match (self.persistence, error) {
                    // What cuts one room's keys may let single ones through.
                    (
                        Persistence::Stubborn,
                        RequestError::AnswerCut { status: 502 | 504 | 524 },
                    ) => 1,
                    (Persistence::Stubborn, RequestError::ServerFault { .. }) => 1,
                    (Persistence::Stubborn, _) => limits::FAULTS_OF_A_ROOM,
                    _ => limits::FAULTS,
                };
                let length = self.growing(self.faults);
                (self.faults <= most).then_some(Pause { length, why: Delay::Fault })
            }
            _ => None,
        }
    }

    /// Says whether a fault is of a kind that may be over in a moment.
    fn may_pass(&self, error: &RequestError) -> bool {
        match error {
            RequestError::ServerFault { .. } => true,
            RequestError::ConnectionLost { .. } => true,
            RequestError::AnswerCut { status: 503 } => true,
            RequestError::AnswerCut { status: 502 | 504 | 524 } => {
                self.persistence != Persistence::Whole
            }
            RequestError::NotListening { .. }
            | RequestError::NoNetwork
            | RequestError::ServerNotFound { .. } => self.persistence == Persistence::Stubborn,
            _ => false,
        }
    }

    /// Twice as long each time, and a bit by chance, so that not all come back at once.
    fn growing(&self, time: u32) -> Duration {
        let doubled = 1_u32.checked_shl(time.saturating_sub(1)).unwrap_or(u32::MAX);
        let length = self.back_off.saturating_mul(doubled).min(limits::LONGEST_BACK_OFF);
        let [chance] = array::<1>(&mut SystemRandom);
        length + length / 4 * u32::from(chance) / 255
    }
}

impl Pause {
    /// Waits, telling the seconds left; not after somebody asked to stop.
    pub(super) async fn pass(self, cancel: &Cancel) -> Result<(), RequestError> {
        let Self { length, why } = self;
        let end = Instant::now() + length;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let seconds = left.as_millis().div_ceil(1_000);
            cancel.tell(News::Waiting { left: u64::try_from(seconds).unwrap_or(u64::MAX), why });
            if left.is_zero() {
                return Ok(());
            }
            let whole = Duration::from_secs(left.as_secs());
            let next = if whole == left { left - Duration::from_secs(1) } else { whole };
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(RequestError::Cancelled),
                () = sleep_until(end - next) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{progress::Progress, shown::Shown};
    use std::sync::{Arc, Mutex};

    fn tries(persistence: Persistence) -> Tries {
        Tries::new(persistence, &Patience::default())
    }

    fn asked(seconds: Option<u64>) -> RequestError {
        RequestError::AskedToWait { seconds }
    }

    fn fault() -> RequestError {
        RequestError::ServerFault { status: 500, message: Shown::new("") }
    }

    /// How long the pauses after one error are, one after the other, without chance.
    fn pauses(persistence: Persistence, error: &RequestError) -> Vec<u64> {
        let mut tries = tries(persistence);
        std::iter::from_fn(|| Some(tries.pause(error)?.length.as_secs())).collect()
    }

    #[test]
    fn a_server_is_given_the_time_that_it_asks_for() {
        assert_eq!(pauses(Persistence::Usual, &asked(Some(7))), [7; 10]);
        assert_eq!(pauses(Persistence::Usual, &asked(Some(0))), [1; 10]);
        assert_eq!(pauses(Persistence::Usual, &asked(Some(300))).len(), 10);
        // Longer than anybody would wait without being asked.
        assert_eq!(pauses(Persistence::Usual, &asked(Some(301))), [0; 0]);
        assert_eq!(pauses(Persistence::Usual, &asked(Some(u64::MAX))), [0; 0]);
    }

    #[test]
    fn without_a_time_the_pauses_grow() {
        let pauses = pauses(Persistence::Usual, &asked(None));
        assert_eq!(pauses.len(), 10);
        for (place, (got, least)) in
            pauses.iter().zip([1, 2, 4, 8, 16, 32, 60, 60, 60, 60]).enumerate()
        {
            assert!((least..=least + least / 4).contains(got), "{place}: {got}");
        }
    }

    #[test]
    fn faults_are_tried_again_as_often_as_it_makes_sense() {
        let times = |persistence, error: &RequestError| pauses(persistence, error).len();
        let cut = RequestError::AnswerCut { status: 504 };
        let large = RequestError::AnswerCut { status: 413 };
        let silent =
            RequestError::Silent { host: Shown::new("s"), waited: Duration::from_secs(60) };
        for (persistence, faults, cuts, outages) in [
            (Persistence::Once, 0, 0, 0),
            (Persistence::Usual, 2, 2, 0),
            (Persistence::Whole, 2, 0, 0),
            (Persistence::Stubborn, 1, 1, 5),
        ] {
            assert_eq!(times(persistence, &fault()), faults);
            let lost = times(persistence, &RequestError::ConnectionLost { received: 9 });
            assert_eq!(lost, faults.max(outages));
            let busy = times(persistence, &RequestError::AnswerCut { status: 503 });
            assert_eq!(busy, faults.max(outages));
            assert_eq!(times(persistence, &cut), cuts);
            assert_eq!(times(persistence, &RequestError::NoNetwork), outages);
            for never in [&large, &silent, &RequestError::Locked, &RequestError::Cancelled] {
                assert_eq!(times(persistence, never), 0, "{never:?}");
            }
        }
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<u64>>);

    impl Progress for Heard {
        fn tell(&self, news: News) {
            let News::Waiting { left, why: Delay::AskedFor } = news else { panic!("{news:?}") };
            self.0.lock().unwrap().push(left);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_counted_down() {
        let heard = Arc::new(Heard::default());
        let cancel = Cancel::default().heard_by(heard.clone());
        let begun = Instant::now();
        let pause = Pause { length: Duration::from_millis(3_500), why: Delay::AskedFor };
        pause.pass(&cancel).await.unwrap();
        assert_eq!(begun.elapsed().as_millis(), 3_500);
        assert_eq!(*heard.0.lock().unwrap(), [4, 3, 2, 1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_when_somebody_asks_to_stop() {
        let cancel = Cancel::default();
        let pause = Pause { length: Duration::from_secs(300), why: Delay::AskedFor };
        let begun = Instant::now();
        let stop = async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            cancel.cancel();
        };
        let (passed, ()) = tokio::join!(pause.pass(&cancel), stop);
        assert!(matches!(passed, Err(RequestError::Cancelled)));
        assert_eq!(begun.elapsed().as_millis(), 1_500);
    }
}
