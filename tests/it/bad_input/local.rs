//! Folders and files of this computer that cannot be used.

use std::{fs, os::unix::fs::PermissionsExt};

use keyhaul::store::folder::DataDir;

use crate::program::{Ada, Lab, set_mode};

#[test]
fn data_directory_that_cannot_be_written() {
    let ada = Ada::new();
    // Below a file no folder can be made, not even by the administrator.
    let file = ada.lab.secret("a file", "");
    let mut args = ada.opens(&["restore"]);
    args.push(format!("--data-dir={file}/keyhaul"));
    let told = ada.lab.fails_untouched(&args, 14, "no-permission");
    assert!(told.what.contains(&file), "{}", told.what);
}

/// Looking needs no folder, so it works without one.
#[test]
fn looking_needs_no_data_directory() {
    let ada = Ada::new();
    let file = ada.lab.secret("a file", "");
    let mut args = ada.opens(&["rooms"]);
    args.push(format!("--data-dir={file}/keyhaul"));
    ada.lab.json(&args, 0);
}

#[test]
fn data_directory_that_others_may_write() {
    let ada = Ada::new();
    fs::create_dir(ada.lab.data()).unwrap();
    for mode in [0o777, 0o770, 0o702] {
        set_mode(&ada.lab.data(), mode);
        let secret = format!("--secret-file={}", ada.file("recovery key"));
        for args in [ada.opens(&["restore"]), ["store", "info", &secret].map(str::to_owned).into()]
        {
            let told = ada.lab.fails_untouched(&args, 14, "folder-foreign");
            assert!(told.what.contains(ada.lab.data().to_str().unwrap()), "{}", told.what);
        }
        let now = fs::metadata(ada.lab.data()).unwrap().permissions().mode() & 0o777;
        assert_eq!(now, mode, "somebody else's folder is left as it is");
    }
}

#[test]
fn account_folder_that_others_may_write() {
    let ada = Ada::new();
    let data_dir = DataDir::open(&ada.lab.data()).unwrap();
    let folder = data_dir.account(&ada.account.user_id, ada.server.base_url()).unwrap();
    set_mode(folder.path(), 0o777);
    ada.lab.fails_untouched(&ada.opens(&["restore"]), 14, "folder-foreign");
}

#[test]
fn account_folder_that_is_a_link() {
    let ada = Ada::new();
    let data_dir = DataDir::open(&ada.lab.data()).unwrap();
    let folder = data_dir.account(&ada.account.user_id, ada.server.base_url()).unwrap();
    fs::remove_dir(folder.path()).unwrap();
    std::os::unix::fs::symlink(ada.lab.path("home"), folder.path()).unwrap();
    ada.lab.fails(&ada.opens(&["restore"]), 14, "folder-foreign");
    assert_eq!(fs::read_dir(ada.lab.path("home")).unwrap().count(), 0);
}

/// While one run writes, another one does not; looking and planning work beside it.
#[test]
fn second_instance() {
    let ada = Ada::new();
    let data_dir = DataDir::open(&ada.lab.data()).unwrap();
    let folder = data_dir.account(&ada.account.user_id, ada.server.base_url()).unwrap();
    let first = folder.lock().unwrap();
    ada.lab.fails_untouched(&ada.opens(&["restore"]), 14, "already-running");
    ada.lab.json(&ada.opens(&["rooms"]), 0);
    ada.lab.json(&ada.opens(&["restore", "--dry-run"]), 3);
    drop(first);
}

#[test]
fn secret_file_that_cannot_be_read() {
    let ada = Ada::new();
    let long = ada.lab.secret("too long", "x".repeat((64 << 10) + 1));
    let binary = ada.lab.secret("binary", b"\xff\xfe\x00");
    let missing = ada.file("missing");
    let folder = ada.lab.path("home").to_str().unwrap().to_owned();
    for file in [&missing, &folder, &long, &binary] {
        for option in ["--secret-file", "--password-file", "--access-token-file", "--ca-file"] {
            let option = format!("{option}={file}");
            let args = match option.as_str() {
                o if o.starts_with("--secret") => ada.asks(&["backups", o]),
                o if o.starts_with("--ca") => {
                    let args = ada.asks(&["backups", o]);
                    args.into_iter().map(|arg| arg.replace("http://", "https://")).collect()
                }
                o => ["backups", "--user=@ada:example.org", o].map(str::to_owned).into(),
            };
            let told = ada.lab.fails_untouched(&args, 14, "file-unreadable");
            let named = told.what.contains(file.as_str()) || told.what.contains("--ca-file");
            assert!(named, "{}", told.what);
        }
    }
}

#[test]
fn log_file_that_cannot_be_written() {
    let lab = Lab::new();
    let folder = lab.path("home").to_str().unwrap().to_owned();
    lab.fails_untouched(&["store", "info", "--log-file", &folder], 14, "no-permission");
}
