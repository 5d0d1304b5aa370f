//! The command line contract (DESIGN §5): global options, commands, their help.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::sides::SideWord;

/// Brings your encrypted Matrix history back with the recovery key you kept.
///
/// keyhaul only reads from your server. Secrets are never taken from arguments or the environment:
/// give files, `-` for standard input, or type them when asked.
#[derive(Debug, Parser)]
#[command(name = "keyhaul", version, propagate_version = true)]
#[command(
    after_help = "Without a command the assistant opens. Try it without an account: keyhaul --demo"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options for every command.
    #[command(flatten)]
    pub global: Global,
}

/// Options that every command takes.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Options for every command")]
pub struct Global {
    /// Address or name of your server, if it cannot be told from --user
    #[arg(long, global = true, value_name = "URL|NAME")]
    pub homeserver: Option<String>,
    /// Your Matrix id, or the part before the colon
    #[arg(long, global = true, value_name = "@ID|NAME")]
    pub user: Option<String>,
    /// File with your password, or - for standard input
    #[arg(long, global = true, value_name = "FILE|-", conflicts_with = "access_token_file")]
    pub password_file: Option<PathBuf>,
    /// File with an access token of an app that is signed in, or -
    #[arg(long, global = true, value_name = "FILE|-")]
    pub access_token_file: Option<PathBuf>,
    /// File with your recovery key, passphrase or raw key, or -; may be given several times
    #[arg(long, global = true, value_name = "FILE|-")]
    pub secret_file: Vec<PathBuf>,
    /// Which backup: its number (for restore several, as 4,2), `current`, or `all` that your secrets open
    #[arg(long, global = true, value_name = "N|current|all", default_value = "current")]
    pub backup_version: String,
    /// Work on a saved snapshot, without a server
    #[arg(long, global = true, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// File with the ids of rooms, one in a line, or -: as if each was given by --room
    #[arg(long, global = true, value_name = "FILE|-")]
    pub rooms_file: Option<PathBuf>,
    /// Folder for keys and snapshots
    #[arg(long, global = true, value_name = "DIR", env = "KEYHAUL_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// File with certificates to trust besides this computer's
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Allow unlocked http to a server that is not this computer
    #[arg(long, global = true)]
    pub allow_http: bool,
    /// Stay signed in for later commands; whoever reads your files can use it until `sign-out`
    #[arg(long, global = true)]
    pub keep_signed_in: bool,
    /// Save no snapshot of what is read
    #[arg(long, global = true)]
    pub no_snapshot: bool,
    /// Replace files that exist
    #[arg(long, global = true)]
    pub overwrite: bool,
    /// Do without asking what takes long or removes files
    #[arg(long, global = true)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// Hide names, ids and files in the assistant, for screen sharing
    #[arg(long, global = true)]
    pub mask: bool,
    /// Colours of the assistant
    #[arg(long, global = true, value_name = "NAME", value_enum, default_value = "auto")]
    pub theme: ThemeName,
    /// Let the assistant draw figures anew once a second at most
    #[arg(long, global = true)]
    pub reduce_motion: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Only plain ASCII signs
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Print nothing but the result
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Write a log there (no secrets)
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Use a made-up account on an embedded server; `list` names the stories
    #[arg(long, global = true, value_name = "STORY", num_args = 0..=1, require_equals = true, default_missing_value = "plain")]
    pub demo: Option<String>,
    /// How many keys the story `huge` of the demo has
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub keys: Option<u64>,
}

/// Colours of the assistant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// As the terminal's background wants it
    #[default]
    Auto,
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// Without colours
    Mono,
    /// White on black only
    HighContrast,
}

/// What keyhaul can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all backups that exist
    Backups,
    /// List the rooms of a backup, with the keys of each
    Rooms,
    /// List the keys of one room
    Sessions {
        /// The room's id
        room: String,
    },
    /// Tell what a recovery key or passphrase opens; writes nothing
    Unlock {
        /// Try a list, one passphrase or recovery key in a line, from a file or -; nothing is sent
        #[arg(long, value_name = "FILE|-")]
        secret_list: Option<PathBuf>,
        /// How passphrases of the list may differ from what was used
        #[arg(
            long,
            value_name = "KIND",
            value_enum,
            value_delimiter = ',',
            requires = "secret_list"
        )]
        vary: Vec<Vary>,
        /// Write what opened, as it is to be typed, into this file, readable by you only
        #[arg(long, value_name = "FILE", requires = "secret_list")]
        save: Option<PathBuf>,
    },
    /// Find what a mistyped recovery key was meant to be; writes nothing
    Repair {
        /// Print the mended recovery key
        #[arg(long, conflicts_with = "save")]
        reveal: bool,
        /// Write the mended recovery key into this file, readable by you only
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Bring keys back into the store on this computer
    Restore {
        /// Only this room; may be given several times
        #[arg(long, value_name = "ID")]
        room: Vec<String>,
        /// Tell what would happen, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Read messages of one room with the restored keys, and why others stay closed
    History {
        /// The room's id
        room: String,
        /// How many of the newest messages
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
    },
    /// Write keys of the store on this computer into a key file for other apps
    Export {
        /// The file to write
        file: PathBuf,
        /// Only this room; may be given several times
        #[arg(long, value_name = "ID")]
        room: Vec<String>,
        /// File with the passphrase that is to lock the key file, or -
        #[arg(long, value_name = "FILE|-")]
        passphrase_file: Option<PathBuf>,
    },
    /// Take the keys of a key file into the store on this computer
    Import {
        /// The file to read
        file: PathBuf,
        /// File with the passphrase that locks the key file, or -
        #[arg(long, value_name = "FILE|-")]
        passphrase_file: Option<PathBuf>,
    },
    /// Save a backup as a file, still locked, or look into one
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Look after the store on this computer
    #[command(subcommand)]
    Store(StoreCommand),
    /// Compare two places: what does one hold that the other one lacks?
    Diff {
        /// backup:N, backup:current, store, file:FILE (a key file) or snapshot:FILE
        #[arg(value_parser = SideWord::parse)]
        a: SideWord,
        /// The other one
        #[arg(value_parser = SideWord::parse)]
        b: SideWord,
        /// File with the passphrase of a key file, or -; for a second key file once more
        #[arg(long, value_name = "FILE|-")]
        passphrase_file: Vec<PathBuf>,
    },
    /// Check everything up: what is wrong, why, and what is safe to do next; changes nothing
    Doctor,
    /// Write what support needs into a file: no secrets, no names, no messages
    Report {
        /// The file to write
        file: PathBuf,
        /// Write ids and the server's address as they are
        #[arg(long)]
        with_ids: bool,
    },
    /// Write a recovery sheet to print: everything but the recovery key
    Sheet {
        /// The file to write
        file: PathBuf,
    },
    /// Remove the device that --keep-signed-in left on your account
    SignOut,
    /// Run the embedded demo homeserver until stopped
    DemoServer {
        /// Where to listen; loopback unless told otherwise
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8008")]
        listen: std::net::SocketAddr,
        /// Which made-up account
        #[arg(long, value_name = "NAME", default_value = "plain")]
        story: String,
    },
    /// Print a completion script for your shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// How the passphrases of a list may differ from the one that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Vary {
    /// First letter large or small
    Case,
    /// Digits and signs at the end: added, taken away, or others; years, too
    Ending,
    /// One typing slip
    Slip,
    /// Typed on another keyboard layout: American, German, French
    Layout,
}

/// What can be done with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Save a backup into a file
    Save {
        /// The file to write
        file: PathBuf,
        /// Save the names of rooms along, not only their ids
        #[arg(long)]
        with_names: bool,
    },
    /// Tell what a snapshot holds
    Info {
        /// The file to look into
        file: PathBuf,
    },
    /// Find snapshots that hold nothing which another one lacks, and remove them with --yes
    Prune {
        /// Only these; else all in keyhaul's own folder
        file: Vec<PathBuf>,
    },
}

/// What can be done with the store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Tell what the store holds
    Info,
    /// Check every key in the store
    Check,
}
