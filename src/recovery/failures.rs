//! Turns what went wrong below into words: the only place that knows both sides.

use std::io;

use super::{source::SourceFault, store::lock_name};
use crate::{
    backup::{recovery_key::RecoveryKeyFault, scanner::ScanFault, version::VersionFault},
    base::{
        failure::{Code, Failure},
        limits,
        shown::{Shown, grouped, waiting},
    },
    homeserver::{AddressError, RequestError, discovery::DiscoveryError},
    snapshot::reader::SnapshotFault,
    store::{error::StoreError, folder::FolderError},
};

/// Turns one kind of error into its words.
pub(crate) trait IntoFailure {
    /// The failure that says it.
    fn into_failure(self) -> Failure;
}

impl IntoFailure for RequestError {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        let failure = match self {
            Self::ServerNotFound { host } => Failure::new(Code::ServerNotFound).with("name", host),
            Self::NoNetwork => Failure::new(Code::NoNetwork),
            Self::NotListening { .. } | Self::Silent { .. } | Self::Proxy { .. } => {
                Failure::new(Code::ServerSilent)
            }
            Self::ConnectionLost { .. } => {
                Failure::new(Code::ConnectionLost).with("n", "All").with("all", "the restored")
            }
            Self::Certificate { host, .. } => Failure::new(Code::Certificate).with("host", host),
            Self::NotMatrix { host, .. } => {
                Failure::new(Code::NotMatrix).with("name", example_name(&host)).with("host", host)
            }
            Self::SentElsewhere { to } => Failure::new(Code::SentElsewhere).with("host", to),
            Self::PassedOnTooOften { host } => Failure::new(Code::SentElsewhere).with("host", host),
            Self::AskedToWait { seconds } => {
                Failure::new(Code::AskedToWait).with("time", waiting(seconds)).after(seconds)
            }
            Self::AnswerCut { .. } => Failure::new(Code::AnswerCut).with("n", "The restored"),
            Self::ServerFault { .. } => Failure::new(Code::ServerFault),
            // Only a body of keys can be larger without being nonsense.
            Self::TooLarge { limit } if limit <= limits::ANSWER => Failure::new(Code::AnswerOdd),
            Self::TooLarge { limit } => {
                Failure::new(Code::AnswerTooLarge).with("size", format!("{} bytes", grouped(limit)))
            }
            Self::TokenUnknown { .. } | Self::TokenUnsendable => Failure::new(Code::TokenRefused),
            Self::Locked => Failure::new(Code::AccountLocked),
            Self::Deactivated => Failure::new(Code::AccountClosed),
            Self::Suspended => Failure::new(Code::AccountSuspended),
            Self::Guest => Failure::new(Code::GuestAccount),
            Self::TermsFirst { url } => Failure::new(Code::TermsFirst)
                .with("url", url.unwrap_or_else(|| Shown::new("your provider's page"))),
            Self::Odd { .. } | Self::Refused { .. } => Failure::new(Code::AnswerOdd),
            // Servers' names are checked when they come: this one is from the command line.
            Self::NameUnsendable => Failure::new(Code::Usage),
            Self::WriteWithoutPermit { .. } => Failure::new(Code::Bug).with("file", "the log"),
            Self::Cancelled => Failure::new(Code::Stopped).with("n", "The restored"),
        };
        failure.because(&detail)
    }
}

/// The name in the hint that a server is often at `matrix.` and its name: the one that was typed,
/// unless that is an address already.
fn example_name(host: &Shown) -> Shown {
    let name = host.as_str();
    let is_name = name.contains('.') && name.chars().any(|c| c.is_ascii_alphabetic());
    if is_name && !name.contains(':') && !name.starts_with("matrix.") {
        host.clone()
    } else {
        Shown::new("example.org")
    }
}

impl IntoFailure for AddressError {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        let failure = match self {
            Self::PlainHttp { host } => Failure::new(Code::PlainHttp).with("host", host),
            Self::NotWeb { .. } | Self::NotBare { .. } => Failure::new(Code::ServerMissing),
            Self::CaFile => Failure::new(Code::FileUnreadable).with("file", "of --ca-file"),
            Self::NoTls { .. } => Failure::new(Code::Certificate).with("host", "any server"),
        };
        failure.because(&detail)
    }
}

impl IntoFailure for DiscoveryError {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        match self {
            Self::NotAnAddress { .. } => Failure::new(Code::ServerMissing).because(&detail),
            Self::Address(error) => error.into_failure(),
            Self::HintBroken { name, .. } => {
                Failure::new(Code::ServerHintBroken).with("name", name).because(&detail)
            }
            Self::Request(error) => error.into_failure(),
        }
    }
}

impl IntoFailure for VersionFault {
    fn into_failure(self) -> Failure {
        Failure::new(Code::AnswerOdd).because(&self.to_string())
    }
}

impl IntoFailure for ScanFault {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        let code =
            match self {
                Self::TooManyEntries { limit } => Failure::new(Code::AnswerTooLarge)
                    .with("size", format!("{} keys", grouped(limit))),
                Self::TooManyRooms { limit } => Failure::new(Code::AnswerTooLarge)
                    .with("size", format!("{} rooms", grouped(limit))),
                Self::NotJson { .. } | Self::TooDeep { .. } => Failure::new(Code::AnswerOdd),
            };
        code.because(&detail)
    }
}

impl IntoFailure for SnapshotFault {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        let failure = match &self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                Failure::new(Code::NoSnapshot).with("file", "with this name")
            }
            Self::Io(_) => Failure::new(Code::FileUnreadable).with("file", "of the snapshot"),
            _ => Failure::new(Code::SnapshotUnknown),
        };
        failure.because(&detail)
    }
}

impl IntoFailure for SourceFault {
    fn into_failure(self) -> Failure {
        match self {
            Self::Request(error) => error.into_failure(),
            Self::Snapshot(fault) => fault.into_failure(),
            Self::Saving(error) => writing("the folder of the snapshot", &error),
        }
    }
}

/// A file that could not be written into a folder.
pub(crate) fn writing(folder: &str, error: &io::Error) -> Failure {
    let failure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => disk_full(),
        _ => Failure::new(Code::NoPermission).with("folder", folder),
    };
    failure.because(&error.to_string())
}

impl IntoFailure for RecoveryKeyFault {
    fn into_failure(self) -> Failure {
        match self {
            Self::Empty => Failure::new(Code::SecretMissing),
            Self::OneCase { .. } => Failure::new(Code::KeyWrongCase),
            Self::Alphabet { position, character, likely } => Failure::new(Code::KeyBadCharacter)
                .with("c", ((position - 1) / 4 + 1) as u64)
                .with("x", character.to_string())
                .with("likely", likely),
            Self::Length { got } if got < crate::backup::recovery_key::LETTERS => {
                let missing = crate::backup::recovery_key::LETTERS - got;
                Failure::new(Code::KeyTooShort).with("n", got as u64).with("m", missing as u64)
            }
            Self::Length { got } => {
                let extra = got.saturating_sub(crate::backup::recovery_key::LETTERS);
                Failure::new(Code::KeyTooLong).with("n", got as u64).with("m", extra as u64)
            }
            Self::Bytes { .. } | Self::Prefix => Failure::new(Code::KeyNotMatrix),
            Self::Parity => Failure::new(Code::KeyChecksum),
        }
        .because(&self.to_string())
    }
}

impl IntoFailure for FolderError {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        let failure = match self {
            Self::NoPermission { folder } | Self::Io { folder, .. } => {
                Failure::new(Code::NoPermission).with("folder", folder)
            }
            Self::Foreign { folder } | Self::NotPlain { path: folder } => {
                Failure::new(Code::FolderForeign).with("folder", folder)
            }
            Self::AlreadyRunning { .. } => Failure::new(Code::AlreadyRunning),
            Self::TooLarge { file, .. } => Failure::new(Code::FileUnreadable).with("file", file),
            Self::DiskFull { .. } => disk_full(),
        };
        failure.because(&detail)
    }
}

impl IntoFailure for StoreError {
    fn into_failure(self) -> Failure {
        let detail = self.to_string();
        let failure = match self {
            Self::Folder(error) => return error.into_failure(),
            Self::Missing => Failure::new(Code::StoreEmpty),
            Self::Newer { .. } => Failure::new(Code::StoreNewer),
            Self::OtherLock { locks } => {
                let names: Vec<String> = locks.iter().map(lock_name).collect();
                return Failure::new(Code::StoreOtherLock)
                    .because(&format!("it opens with {}", names.join(" or ")));
            }
            Self::Busy => Failure::new(Code::AlreadyRunning),
            Self::DiskFull { .. } => disk_full(),
            Self::NoPermission { .. } => {
                Failure::new(Code::NoPermission).with("folder", "the folder of the store")
            }
            Self::Unreadable { .. } | Self::Database { .. } => Failure::new(Code::StoreUnreadable),
            Self::UnknownLock
            | Self::LastLock
            | Self::LockId { .. }
            | Self::RecordTooLarge { .. } => Failure::new(Code::Bug).with("file", "the log"),
        };
        failure.because(&detail)
    }
}

fn disk_full() -> Failure {
    Failure::new(Code::DiskFull).with("n", "The restored").with("size", "some space")
}
