//! Lists that are no lists: what is wrong is told by the number of the line, and nothing is tried.

use super::{account, read};
use crate::program::{Lab, Told};

/// What the program tells of a list.
fn told(list: &[u8], more: &[&str], exit: i32, code: &str) -> Told {
    let (lab, account) = (Lab::new(), account(&[]));
    let snapshot = format!("--snapshot={}", account.file().display());
    let list = format!("--secret-list={}", lab.secret("list", list));
    let args = ["unlock", &snapshot, &list];
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    lab.fails_untouched(&args, exit, code)
}

#[test]
fn lines_that_are_no_text() {
    for (list, number) in [
        (b"one\ntwo\nKanarienvogel \xff\n" as &[u8], "3"),
        (b"\xff\xfeK\0a\0", "1"),
        (b"\n\xed\xa0\x80", "2"),
        (b"one\r\n\xf5\x80\x80\x80", "2"),
    ] {
        let told = told(list, &[], 14, "list-line");
        assert_eq!(told.what, format!("Line {number} of the list cannot be read."));
        assert!(!told.detail.unwrap().contains("Kanarienvogel"));
    }
}

#[test]
fn lines_that_have_no_end() {
    let long = [b"one\n".as_slice(), &[b'a'; 1_025]].concat();
    let told_of = told(&long, &[], 14, "list-line");
    assert!(told_of.what.contains("Line 2 "), "{}", told_of.what);
    assert!(!told_of.detail.unwrap().contains("aaa"));
    let longest = [b"one\npassphrase\n".as_slice(), &[b'a'; 1_024]].concat();
    assert_eq!(read(&longest, &[]).map(|list| list.lines()).ok(), Some(3));
}

#[test]
fn lists_without_a_line_and_lists_without_an_end() {
    for list in [b"" as &[u8], b"\n\r\n \t\n", b"\xef\xbb\xbf"] {
        told(list, &[], 2, "secret-missing");
    }
    told(&vec![b'\n'; (4 << 20) + 1], &[], 14, "file-unreadable");
    let told_of = told(&many(500_001), &[], 14, "list-too-long");
    assert!(told_of.what.contains("500 000"), "{}", told_of.what);
    // So many lines are enough for all kinds.
    told(&many(10_000), &["--vary=slip,ending"], 14, "list-too-long");
    assert_eq!(read(many(500_000), &[]).map(|list| list.guesses()).ok(), Some(500_000));
}

/// So many different lines.
fn many(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|number| format!("{number:x}\n").into_bytes()).collect()
}

#[test]
fn files_that_are_not_there() {
    let (lab, account) = (Lab::new(), account(&[]));
    let snapshot = format!("--snapshot={}", account.file().display());
    let nowhere = format!("--secret-list={}", lab.path("nowhere").display());
    lab.fails_untouched(&["unlock", &snapshot, &nowhere], 14, "file-unreadable");
    let folder = format!("--secret-list={}", lab.path("home").display());
    lab.fails_untouched(&["unlock", &snapshot, &folder], 14, "file-unreadable");
    // Standard input is there once.
    let args = ["unlock", &snapshot, "--secret-list=-", "--secret-file=-"];
    lab.run_with_input(&args, b"passphrase\n").exited(2);
    let args = ["unlock", &snapshot, "--secret-list=-", "--json"];
    let ended = lab.run_with_input(&args, b"nothing\npassphrase\n").exited(0);
    assert_eq!(ended.document()["list"]["opened"][0]["line"], 2);
}

/// Variations are of a list, and only such that there are.
#[test]
fn variations_of_nothing_are_not_understood() {
    let lab = Lab::new();
    for args in [&["unlock", "--vary=case"] as &[_], &["unlock", "--secret-list=a", "--vary=magic"]]
    {
        let ended = lab.run(args).exited(2);
        assert!(ended.stderr.starts_with("error: "), "{ended}");
    }
}
