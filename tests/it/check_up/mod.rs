//! The check-up, the report and the recovery sheet, through the built program.

mod findings;
mod report;
mod sheet;
mod stories;

use serde_json::Value;

/// What is wrong: each check with its finding.
#[track_caller]
fn wrong(document: &Value) -> Vec<(&str, &str)> {
    let text = |check: &'static str, of: &'static str, value: &Value| -> String {
        value[of].as_str().unwrap_or_else(|| panic!("{check}: {value:#}")).to_owned()
    };
    let checks = document["checks"].as_array().unwrap();
    let mut counts = [0, 0];
    for check in checks {
        match check["mark"].as_str().unwrap() {
            "wrong" => {
                counts[0] += 1;
                for words in ["finding", "fact", "cause", "next"] {
                    assert!(!text("wrong", words, check).is_empty());
                }
            }
            "unknown" => counts[1] += 1,
            mark => assert_eq!(mark, "ok"),
        }
        assert!(!text("any", "says", check).is_empty());
    }
    assert_eq!(document["wrong"], counts[0]);
    assert_eq!(document["unknown"], counts[1]);
    let wrong = checks.iter().filter(|check| check["mark"] == "wrong");
    wrong.map(|check| (check["id"].as_str().unwrap(), check["finding"].as_str().unwrap())).collect()
}

/// What one check says, and how it ended.
#[track_caller]
fn check<'a>(document: &'a Value, id: &str) -> (&'a str, &'a str) {
    let checks = document["checks"].as_array().unwrap().iter();
    let check = checks.clone().find(|check| check["id"] == id).unwrap();
    (check["mark"].as_str().unwrap(), check["says"].as_str().unwrap())
}
