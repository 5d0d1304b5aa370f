//! Filling names in, and comparing an answer with what is expected of it.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::Value;

/// Values that differ from run to run.
pub(super) type Names = BTreeMap<String, String>;

/// A text with each `{name}` replaced by its value.
pub(super) fn filled(text: &str, names: &Names) -> Result<String, String> {
    fill(text, names, str::to_owned)
}

/// The same, with values encoded as parts of a path.
pub(super) fn filled_path(path: &str, names: &Names) -> Result<String, String> {
    fill(path, names, |value| {
        let mut url = Url::parse("http://localhost").unwrap();
        url.path_segments_mut().unwrap().push(value);
        url.path()[1..].to_owned()
    })
}

fn fill(text: &str, names: &Names, write: impl Fn(&str) -> String) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("no }} in {text:?}"))?;
        let value = names.get(name).ok_or_else(|| format!("nothing is called {name:?}"))?;
        filled.push_str(before);
        filled.push_str(&write(value));
        rest = after;
    }
    Ok(filled + rest)
}

/// A request's body with its texts filled in.
pub(super) fn filled_body(body: &Value, names: &Names) -> Result<Value, String> {
    Ok(match body {
        Value::String(text) => filled(text, names)?.into(),
        Value::Array(values) => {
            values.iter().map(|value| filled_body(value, names)).collect::<Result<_, _>>()?
        }
        Value::Object(fields) => {
            let mut body = serde_json::Map::new();
            for (name, value) in fields {
                body.insert(filled(name, names)?, filled_body(value, names)?);
            }
            Value::Object(body)
        }
        other => other.clone(),
    })
}

/// Compares; a text that is `{any}` stands for anything but `null`, `{as x}` for a text that is called
/// x from then on, `{1..5}` for a number or a text that is one, and `{"{in any order}": […]}` for an
/// array of such texts. The error is the first difference, with where it is.
pub(super) fn compare(
    expected: &Value,
    got: &Value,
    names: &mut Names,
    at: &str,
) -> Result<(), String> {
    let differs = || Err(format!("at {at:?} expected {expected}, got {got}"));
    match (expected, got) {
        (Value::String(pattern), _) => match compare_text(pattern, got, names)? {
            true => Ok(()),
            false => differs(),
        },
        (Value::Object(expected), _) if expected.contains_key("{in any order}") => {
            let mut wanted = filled_body(&expected["{in any order}"], names)?;
            let mut found = got.clone();
            for list in [&mut wanted, &mut found] {
                if let Some(list) = list.as_array_mut() {
                    list.sort_by_key(Value::to_string);
                }
            }
            if wanted == found { Ok(()) } else { differs() }
        }
        (Value::Object(wanted), Value::Object(found)) => {
            if wanted.len() != found.len() {
                return differs();
            }
            for (name, value) in wanted {
                let name = filled(name, names)?;
                let Some(found) = found.get(&name) else { return differs() };
                compare(value, found, names, &format!("{at}/{name}"))?;
            }
            Ok(())
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.try_for_each(|(n, (one, other))| compare(one, other, names, &format!("{at}/{n}")))
        }
        _ if expected == got => Ok(()),
        _ => differs(),
    }
}

fn compare_text(pattern: &str, got: &Value, names: &mut Names) -> Result<bool, String> {
    let inside = pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let inside = inside.unwrap_or_default();
    if inside == "any" {
        return Ok(!got.is_null());
    }
    if let Some(name) = inside.strip_prefix("as ") {
        let Some(text) = got.as_str().filter(|text| !text.is_empty()) else { return Ok(false) };
        names.insert(name.to_owned(), text.to_owned());
        return Ok(true);
    }
    if let Some((low, high)) = inside.split_once("..") {
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{pattern}: no number"));
        let range = number(low)?..=number(high)?;
        let found = got.as_u64().or_else(|| got.as_str()?.parse().ok());
        return Ok(found.is_some_and(|found| range.contains(&found)));
    }
    Ok(got.as_str() == Some(&filled(pattern, names)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn same(expected: Value, got: Value) -> bool {
        let mut names = Names::from([("room".to_owned(), "!a/b".to_owned())]);
        compare(&expected, &got, &mut names, "").is_ok()
    }

    #[test]
    fn patterns_stand_for_no_more_than_they_say() {
        assert!(same(json!({ "a": ["{any}", "{2..4}"] }), json!({ "a": [{}, 3] })));
        assert!(same(json!("{2..4}"), json!("4")));
        assert!(same(json!({ "{in any order}": ["x", "{room}"] }), json!(["!a/b", "x"])));
        assert!(same(json!({ "id": "{as x}", "z": "{x}" }), json!({ "id": "1", "z": "1" })));
        for (expected, got) in [
            (json!("{any}"), json!(null)),
            (json!("{as x}"), json!(1)),
            (json!("{as x}"), json!("")),
            (json!("{2..4}"), json!(5)),
            (json!("{room}"), json!("{room}")),
            (json!("{unknown}"), json!("unknown")),
            (json!(1), json!("1")),
            (json!({}), json!({ "more": 1 })),
            (json!({ "less": 1 }), json!({})),
            (json!([1, 2]), json!([2, 1])),
            (json!([1]), json!([1, 2])),
            (json!({ "{in any order}": ["x"] }), json!(["x", "x"])),
            (json!({ "id": "{as x}", "z": "{x}" }), json!({ "id": "1", "z": "2" })),
        ] {
            assert!(!same(expected.clone(), got.clone()), "{expected} {got}");
        }
    }

    #[test]
    fn ids_are_encoded_in_paths_only() {
        let names = Names::from([("room".to_owned(), "!a/b?".to_owned())]);
        assert_eq!(filled_path("/x/{room}/y", &names).unwrap(), "/x/!a%2Fb%3F/y");
        assert_eq!(filled("{room}", &names).unwrap(), "!a/b?");
    }
}
