//! What a use-case tells while it works. Use-cases never print: faces decide what to show.

/// One piece of news from running work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Work of a kind without figures has begun.
    Began(Stage),
    /// A backup is being read.
    Reading {
        /// Bytes of these entries.
        bytes: u64,
        /// Entries seen.
        entries: u64,
    },
    /// Keys are being restored.
    Restoring {
        /// Entries whose outcome is committed to the store.
        committed: u64,
        /// Of these, refused ones.
        refused: u64,
        /// What the server says the version holds, if it says so.
        expected: Option<u64>,
    },
    /// A passphrase becomes a key, slowly on purpose.
    Stretching {
        /// Rounds of the calculation that are done.
        done: u64,
        /// Rounds of all locks and spellings to be tried.
        all: u64,
    },
    /// What a mistyped recovery key was meant to be is being searched for.
    Mending {
        /// What this stage of the search looks for.
        stage: &'static str,
        /// Possibilities tried in this stage.
        tried: u64,
        /// Possibilities of this stage.
        of: u64,
        /// Seconds left in this stage, once that can be told.
        left: Option<u64>,
    },
    /// Passphrases of a list are tried on the locks.
    Guessing {
        /// Tries so far: one is one passphrase on one lock.
        tried: u64,
        /// Tries in all, if nothing more opens.
        of: u64,
        /// Tries in ten seconds, on the average.
        in_ten_seconds: u64,
        /// Seconds that the rest may take; nothing as long as that is not known.
        left: Option<u64>,
    },
    /// A passphrase of a list opened a lock.
    Guessed {
        /// The number of its line, from one.
        line: u64,
    },
    /// Keys go into a key file or come out of one.
    Carrying {
        /// Keys so far.
        keys: u64,
    },
    /// Messages of a room are being read.
    Messages {
        /// Messages so far.
        read: u64,
    },
    /// A server lets us wait; told anew each second, so that it can be counted down.
    Waiting {
        /// Seconds left, rounded up; none when it goes on.
        left: u64,
        /// Why.
        why: Delay,
    },
    /// A backup is read room by room, because its server cannot send it whole.
    RoomByRoom {
        /// Rooms that were asked for.
        done: u64,
        /// Rooms that are known.
        all: u64,
    },
    /// Something worth knowing.
    Hint(Hint),
}

/// Why a request waits before it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// The server asks for it.
    AskedFor,
    /// The server or the way to it had a fault, which may pass.
    Fault,
}

/// Something worth knowing while work goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The server will soon ask for a pause between logins; staying signed in spares them.
    KeepSignedIn,
}

/// The parts of work that a person would name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Asking the server who we are, or signing in.
    SigningIn,
    /// Asking which backup versions exist.
    Looking,
    /// Waiting for the first byte of a backup.
    Collecting,
    /// Asking for room names.
    Naming,
    /// Signing out.
    SigningOut,
}

/// Whoever wants to hear news; called from worker threads, so it must be quick.
pub trait Progress: Send + Sync {
    /// Takes one piece of news.
    fn tell(&self, news: News);

    /// Hears that nothing runs any more, so that a result can be shown.
    fn finish(&self) {}
}

/// Listens to nothing.
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: News) {}
}
