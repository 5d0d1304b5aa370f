//! The process itself: no core dumps with secrets in them, and signals that stop work gently.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::signal::unix::{SignalKind, signal};

use super::output::Output;
use crate::base::{
    cancel::Cancel,
    failure::{Code, Failure},
};

/// Forbids core dumps and other processes' looks into this one's memory.
pub(super) fn protect() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Where the system refuses, keyhaul works all the same; it is a second fence, not the first.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// A panic is a bug of ours: it is told in words, without what was in memory, and ends the program
/// with its own code. What was committed is safe; files appear under their names only when whole.
pub(super) fn tell_panics(output: Output) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let failure = Failure::new(Code::Bug).with("file", "the log").because(&place);
        output.failure(&failure);
        std::process::exit(failure.exit().into());
    }));
}

/// Turns the first signal into a wish to stop, and the second into an end at once.
pub(super) struct Signals(Arc<AtomicU8>);

const SIGNALS: [(SignalKind, u8); 3] =
    [(SignalKind::interrupt(), 130), (SignalKind::terminate(), 143), (SignalKind::hangup(), 129)];

impl Signals {
    /// Begins to listen; needs a running runtime.
    pub(super) fn listen(cancel: Cancel) -> Self {
        let caught = Arc::new(AtomicU8::new(0));
        for (kind, exit) in SIGNALS {
            let Ok(mut stream) = signal(kind) else { continue };
            let (cancel, caught) = (cancel.clone(), Arc::clone(&caught));
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    if caught.swap(exit, Ordering::Relaxed) != 0 {
                        std::process::exit(exit.into());
                    }
                    cancel.cancel();
                }
            });
        }
        Self(caught)
    }

    /// The exit code of the signal that came, if one came.
    pub(super) fn exit(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|exit| *exit != 0)
    }
}
