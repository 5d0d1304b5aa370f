//! The README's table of keys is made from the key map.

use keyhaul::tui::keymap::{self, Place};

fn table() -> String {
    let mut table = String::from("| where | keys | what |\n|---|---|---|\n");
    let mut last = None;
    for row in keymap::rows() {
        let place = if last == Some(row.place) { "" } else { row.place.title() };
        last = Some(row.place);
        let keys = row.keys();
        let keys: Vec<String> = match row.intent.as_str() {
            "step" => vec![format!("`{keys}`")],
            _ => keys.split(' ').map(|key| format!("`{key}`")).collect(),
        };
        table.push_str(&format!("| {place} | {} | {} |\n", keys.join(" "), row.says));
    }
    table
}

#[test]
fn the_readme_has_the_table_of_keys() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- keys -->\n", "<!-- end of keys -->");
    let (before, rest) = readme.split_once(begin).expect("a place for the table");
    let (now, after) = rest.split_once(end).expect("the end of the table");
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        std::fs::write(path, format!("{before}{begin}{}{end}{after}", table())).unwrap();
        return;
    }
    assert_eq!(now, table(), "INSTA_UPDATE=always writes it anew");
}

#[test]
fn every_place_has_a_name() {
    for row in keymap::rows() {
        assert!(!row.place.title().is_empty());
    }
    assert_eq!(Place::Contents.title(), "Contents");
}
