//! One file per command. Each asks use-cases and shows what they return.

mod assistant;
mod backups;
mod closed_words;
mod demo;
mod diff;
mod doctor;
mod export;
mod fit_table;
mod history;
mod import;
mod papers;
mod passphrase_list;
mod prune;
mod refusals;
mod repair;
mod report;
mod restore;
mod rooms;
mod sessions;
mod sheet;
mod sign_out;
mod snapshot;
mod store;
mod unlock;

use tokio::runtime::Builder;

use super::{
    args::{Args, Command, SnapshotCommand, StoreCommand},
    desk::Desk,
    logging,
    output::Output,
    process,
};
use crate::base::{
    cancel::Cancel,
    failure::{Code, Failure},
};

/// Runs a command and returns its exit code (DESIGN §5).
pub fn run(args: Args) -> u8 {
    process::protect();
    let assistant = assistant::is_wanted(&args);
    let Args { command, global } = args;
    let output = Output::new(&global);
    process::tell_panics(output.clone());
    if let Some(file) = &global.log_file
        && let Err(failure) = logging::begin(file)
    {
        output.failure(&failure);
        return failure.exit();
    }
    if let Err(failure) = understood(&global.backup_version) {
        output.failure(&failure);
        return failure.exit();
    }
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
        let failure = Failure::new(Code::Bug).because("no threads could be started");
        output.failure(&failure);
        return failure.exit();
    };
    let cancel = Cancel::default();
    let mut desk = Desk::new(global, output.clone(), cancel.clone());
    if assistant {
        // The assistant hears signals itself: it has a terminal to give back first.
        let result = runtime.block_on(assistant::run(&mut desk));
        runtime.shutdown_background();
        return result.unwrap_or_else(|failure| {
            output.failure(&failure);
            failure.exit()
        });
    }
    let signals = runtime.block_on(async { process::Signals::listen(cancel) });
    let result = runtime.block_on(dispatch(command, &mut desk));
    desk.progress().finish();
    // Threads that still wait for a server or for input need not hold up the end.
    runtime.shutdown_background();
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            let failure = match (failure.code(), signals.exit()) {
                (Code::Stopped, Some(exit)) => failure.exiting(exit),
                _ => failure,
            };
            output.failure(&failure);
            failure.exit()
        }
    }
}

/// Says what is odd about the word of `--backup-version`: a list has names only, and none of them is empty.
fn understood(versions: &str) -> Result<(), Failure> {
    let several = versions.contains(',');
    let odd = |name: &str| name.is_empty() || several && matches!(name, "current" | "all");
    match versions.split(',').map(str::trim).any(odd) {
        true => Err(Failure::new(Code::Usage)
            .because("--backup-version takes a number, several as in 4,2, or current, or all")),
        false => Ok(()),
    }
}

async fn dispatch(command: Option<Command>, desk: &mut Desk) -> Result<u8, Failure> {
    match command {
        Some(Command::Completions { shell }) => return papers::completions(shell),
        Some(Command::Man) => return papers::man(),
        Some(Command::DemoServer { listen, story }) => {
            return demo::serve(desk, listen, &story).await;
        }
        _ => {}
    }
    match desk.global.demo.clone() {
        Some(word) if word == "list" => return demo::list(desk),
        Some(word) => desk.begin_demo(&word).await?,
        None => {}
    }
    match command {
        Some(Command::Backups) => backups::run(desk).await,
        Some(Command::Rooms) => rooms::run(desk).await,
        Some(Command::Sessions { room }) => sessions::run(desk, &room).await,
        Some(Command::Unlock { secret_list: Some(list), vary, save }) => {
            passphrase_list::run(desk, &list, &vary, save.as_deref()).await
        }
        Some(Command::Unlock { .. }) => unlock::run(desk).await,
        Some(Command::Repair { reveal, save }) => repair::run(desk, reveal, save.as_deref()).await,
        Some(Command::Restore { room, dry_run }) => restore::run(desk, room, dry_run).await,
        Some(Command::History { room, limit }) => history::run(desk, room, limit).await,
        Some(Command::Export { file, room, passphrase_file }) => {
            export::run(desk, file, room, passphrase_file.as_deref()).await
        }
        Some(Command::Import { file, passphrase_file }) => {
            import::run(desk, file, passphrase_file.as_deref()).await
        }
        Some(Command::Snapshot(SnapshotCommand::Save { file, with_names })) => {
            snapshot::save(desk, &file, with_names).await
        }
        Some(Command::Snapshot(SnapshotCommand::Prune { file })) => prune::run(desk, file).await,
        Some(Command::Snapshot(SnapshotCommand::Info { file })) => {
            snapshot::info(desk, &file).await
        }
        Some(Command::Store(StoreCommand::Info)) => store::info(desk).await,
        Some(Command::Store(StoreCommand::Check)) => store::check(desk).await,
        Some(Command::Diff { a, b, passphrase_file }) => {
            diff::run(desk, [a, b], passphrase_file).await
        }
        Some(Command::Doctor) => doctor::run(desk).await,
        Some(Command::Report { file, with_ids }) => report::run(desk, &file, with_ids).await,
        Some(Command::Sheet { file }) => sheet::run(desk, &file).await,
        Some(Command::SignOut) => sign_out::run(desk).await,
        None if desk.demo.is_some() => demo::tour(desk).await,
        // Answered above.
        Some(Command::Completions { .. } | Command::Man | Command::DemoServer { .. }) => Ok(0),
        None => Err(Failure::new(Code::Usage)
            .because("no command was given, and there is no terminal for the assistant")),
    }
}
