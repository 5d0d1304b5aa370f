//! One wish to stop, seen by threads (they ask) and by async work (it waits).

use std::sync::Arc;

use tokio::sync::watch;

/// A wish to stop that all parts of one job share; clones are the same wish.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Default for Cancel {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Cancel {
    /// Asks everything that holds this wish to stop; asking twice is the same.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Says whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks to stop.
    pub async fn cancelled(&self) {
        let mut watch = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = watch.wait_for(|stop| *stop).await;
    }
}
