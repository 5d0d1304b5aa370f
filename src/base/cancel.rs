//! What the parts of one job share: a wish to stop, seen by threads (they ask) and by async work (it
//! waits), and an ear for pauses that nobody planned.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use super::progress::{News, Progress};

/// A wish to stop that all parts of one job share; clones are the same wish.
#[derive(Clone)]
pub struct Cancel {
    wish: Arc<watch::Sender<bool>>,
    ear: Option<Arc<dyn Progress>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { wish: Arc::new(watch::Sender::new(false)), ear: None }
    }
}

impl Cancel {
    /// The same wish, and somebody who hears when the job has to wait for a server: that happens below
    /// the use-cases, in any request.
    #[must_use]
    pub fn heard_by(self, ear: Arc<dyn Progress>) -> Self {
        Self { ear: Some(ear), ..self }
    }

    /// Tells news of the job, if anybody hears.
    pub fn tell(&self, news: News) {
        if let Some(ear) = &self.ear {
            ear.tell(news);
        }
    }

    /// Asks everything that holds this wish to stop; asking twice is the same.
    pub fn cancel(&self) {
        self.wish.send_replace(true);
    }

    /// Says whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        *self.wish.borrow()
    }

    /// Waits until somebody asks to stop.
    pub async fn cancelled(&self) {
        let mut watch = self.wish.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = watch.wait_for(|stop| *stop).await;
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("wish", &self.is_cancelled()).finish_non_exhaustive()
    }
}
