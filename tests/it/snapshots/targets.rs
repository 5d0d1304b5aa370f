//! Names that are taken by anything but a plain file: nothing is written through them, nothing waits
//! for them, and nothing is left beside them.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
};

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::json;

use super::few::{SOME_REFUSED, backup_secret, current, few};

fn pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// Names in a folder, with what each is.
fn listed(folder: &Path) -> Vec<(String, fs::FileType)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), entry.file_type().unwrap())
    });
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

#[test]
fn names_that_are_no_plain_files() {
    let ada = few();
    let home = ada.lab.path("home");
    let at = |name: &str| home.join(name);
    let save = |name: &str, more: &[&str]| {
        let file = at(name);
        ada.asks(&[&["snapshot", "save", file.to_str().unwrap()], more].concat())
    };
    ada.lab.json(&save("plain", &[]), 0);
    fs::write(at("notes"), "my notes").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink(at("plain"), at("link")).unwrap();
    symlink(at("notes"), at("link to notes")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    symlink("/dev/null", at("device")).unwrap();
    let _listener = UnixListener::bind(at("socket")).unwrap();
    pipe(&at("pipe"));
    symlink(at("pipe"), at("link to pipe")).unwrap();
    let before = listed(&home);
    let (plain, notes) = (fs::read(at("plain")).unwrap(), fs::read(at("notes")).unwrap());
    for name in
        ["folder", "link", "link to notes", "dangling", "device", "socket", "pipe", "link to pipe"]
    {
        for more in [&[] as &[_], &["--overwrite"]] {
            let told = ada.lab.fails(&save(name, more), 14, "file-not-plain");
            assert!(told.what.contains(name), "{}", told.what);
            assert!(listed(&home) == before, "{name}");
        }
    }
    assert!(fs::read(at("plain")).unwrap() == plain && fs::read(at("notes")).unwrap() == notes);
    ada.lab.fails(&save("missing/backup", &[]), 14, "folder-missing");
    assert!(listed(&home) == before);
}

/// A link to a cut snapshot is a link.
#[test]
fn a_link_is_not_continued() {
    let ada = few();
    let (file, link) = (ada.lab.path("home/backup.keyhaul"), ada.lab.path("home/link"));
    ada.lab.json(&ada.asks(&["snapshot", "save", file.to_str().unwrap()]), 0);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    symlink(&file, &link).unwrap();
    let args = ada.asks(&["snapshot", "save", link.to_str().unwrap()]);
    ada.lab.fails(&args, 14, "file-not-plain");
    assert!(fs::read(&file).unwrap() == bytes[..bytes.len() / 2]);
}

/// Reading a pipe would wait for somebody who writes.
#[test]
fn a_pipe_is_no_snapshot() {
    let ada = few();
    let file = ada.lab.path("home/pipe");
    pipe(&file);
    let (secret, name) = (backup_secret(&ada.lab), file.to_str().unwrap());
    let snapshot = format!("--snapshot={name}");
    for words in [
        &["snapshot", "info", name] as &[_],
        &["rooms", &snapshot],
        &["unlock", &snapshot, &secret],
        &["restore", &snapshot, &secret],
    ] {
        ada.lab.fails_untouched(words, 14, "file-unreadable");
    }
    ada.lab.fails_untouched(&["snapshot", "prune", name, "--yes"], 14, "file-not-plain");
    // Even where a store looks for a description of its locks.
    ada.lab.json(&ada.opens(&["restore", "--no-snapshot"]), SOME_REFUSED);
    let paper = format!("--secret-file={}", ada.file("recovery key"));
    let info = ada.lab.json(&["store", "info", &snapshot, &paper], 0);
    assert_eq!(info["keys"], current(&ada).expected().openable);
}

/// What lies where a restore saves its snapshot costs the restore nothing.
#[test]
fn restores_save_beside_what_is_no_file() {
    let ada = few();
    ada.lab.json(&ada.opens(&["restore"]), SOME_REFUSED);
    let own = ada.lab.data().join(ada.lab.kept().named(".keyhaul").next().unwrap());
    fs::remove_file(&own).unwrap();
    pipe(&own);
    let done = ada.lab.json(&ada.opens(&["restore"]), SOME_REFUSED);
    assert_eq!(done["stored_total"], current(&ada).expected().openable);
    let beside = own.to_str().unwrap().replace(".keyhaul", "-2.keyhaul");
    let info = ada.lab.json(&["snapshot", "info", &beside], 0);
    assert_eq!(info["entries"], current(&ada).count());
    let pruned = ada.lab.json(&["snapshot", "prune", "--yes"], 0);
    assert_eq!(pruned["snapshots"].as_array().unwrap().len(), 1);
    assert_eq!((&pruned["left_over"], &pruned["bytes"]), (&json!([]), &json!(0)));
}
