//! The clipboard of this computer, on a thread of its own: some desktops never answer, and what was copied
//! is there only as long as somebody holds it.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::base::secret::SecretText;

/// How long the desktop may take before the terminal is asked instead.
const PATIENCE: Duration = Duration::from_secs(1);

type Order = (SecretText, oneshot::Sender<bool>);

/// The clipboard of this computer.
#[derive(Clone)]
pub struct Clipboard(Sender<Order>);

impl Clipboard {
    /// Begins the thread; it opens the clipboard when something is to be copied for the first time.
    pub fn begin() -> Self {
        let (orders, to_do) = channel();
        thread::spawn(move || work(&to_do));
        Self(orders)
    }

    /// Copies a text; `false` where that did not work, or took too long.
    pub async fn copy(&self, text: SecretText) -> bool {
        let (done, is_done) = oneshot::channel();
        if self.0.send((text, done)).is_err() {
            return false;
        }
        matches!(timeout(PATIENCE, is_done).await, Ok(Ok(true)))
    }
}

fn work(orders: &Receiver<Order>) {
    // Held for as long as keyhaul runs: with it goes what was copied.
    let mut clipboard: Option<arboard::Clipboard> = None;
    for (text, done) in orders {
        if clipboard.is_none() {
            clipboard = arboard::Clipboard::new().ok();
        }
        let copied = clipboard.as_mut().is_some_and(|held| held.set_text(text.expose()).is_ok());
        // Whoever asked may have lost patience.
        let _ = done.send(copied);
    }
}
