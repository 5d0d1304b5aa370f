//! A wish to pause, seen by the threads of one job.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// How often somebody who waits asks whether to stop instead.
const LOOK_UP: Duration = Duration::from_millis(50);

/// A wish to pause that all parts of one job share; clones are the same wish.
#[derive(Clone, Debug, Default)]
pub struct Pause(Arc<(Mutex<bool>, Condvar)>);

impl Pause {
    /// Pauses the job, or lets it go on.
    pub fn set(&self, paused: bool) {
        let (held, changed) = &*self.0;
        *held.lock().unwrap_or_else(PoisonError::into_inner) = paused;
        changed.notify_all();
    }

    /// Waits on this thread as long as the job is paused and nobody wants it to stop.
    pub fn wait(&self, stop: impl Fn() -> bool) {
        let (held, changed) = &*self.0;
        let mut paused = held.lock().unwrap_or_else(PoisonError::into_inner);
        while *paused && !stop() {
            let waited = changed.wait_timeout(paused, LOOK_UP);
            paused = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
