//! The key map: keys → intents, from `assets/keys.toml`. Help, footers, the list of commands and the table
//! in the README are made from the same rows.

use std::sync::LazyLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

use super::{intent::Intent, model::Step};

/// Where a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// On every screen.
    Everywhere,
    /// Wherever there is a list.
    Lists,
    /// Step 1.
    SignIn,
    /// Step 2.
    Backups,
    /// Step 3.
    Contents,
    /// One room, key by key.
    Room,
    /// One key.
    Key,
    /// Step 4.
    RecoveryKey,
    /// The search for a slip.
    Mend,
    /// What every secret opens.
    Fits,
    /// A list of passphrases.
    Passphrases,
    /// Step 5.
    Restore,
    /// The keys that were refused.
    Refused,
    /// Step 6.
    Proof,
    /// Why one message is closed.
    Why,
    /// The rooms whose messages can be read.
    ProofRooms,
    /// Step 7.
    TakeAway,
    /// Making a key file.
    KeyFile,
    /// A key file that was made.
    FileMade,
    /// The check-up.
    CheckUp,
    /// Two places beside each other.
    Compare,
    /// A report or a recovery sheet.
    Paper,
    /// In a text field that has the focus.
    Field,
}

impl Place {
    /// The places whose keys hold on this screen outside of a field, the nearest first.
    pub fn chain(self) -> [Self; 3] {
        [self, Self::Lists, Self::Everywhere]
    }

    /// How help names the screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Lists => "moving",
            Self::SignIn => "Sign in",
            Self::Backups => "Backups",
            Self::Contents => "Contents",
            Self::Room => "one room",
            Self::Key => "one key",
            Self::RecoveryKey => "Key",
            Self::Mend => "the slip",
            Self::Fits => "what fits",
            Self::Passphrases => "passphrases",
            Self::Restore => "Restore",
            Self::Refused => "refused keys",
            Self::Proof => "Proof",
            Self::Why => "one message",
            Self::ProofRooms => "rooms",
            Self::TakeAway => "Take away",
            Self::KeyFile | Self::FileMade => "key file",
            Self::CheckUp => "Check-up",
            Self::Compare => "Compare",
            Self::Paper => "a paper",
            Self::Field => "in a text field",
        }
    }
}

/// One key, as a terminal reports it. Shift is in the character itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

impl Key {
    /// The key of a press.
    pub fn of(event: &KeyEvent) -> Self {
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            // Ctrl-L and Ctrl-l are the same press.
            KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            code => code,
        };
        Self { code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// The character that a field takes, if it is one.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl => Some(c),
            _ => None,
        }
    }

    /// The code of a key without Ctrl.
    pub fn plain(self) -> Option<KeyCode> {
        (!self.ctrl).then_some(self.code)
    }

    fn parse(name: &str) -> Option<Self> {
        let plain = |code| Some(Self { code, ctrl: false });
        if let Some(letter) = name.strip_prefix("Ctrl-") {
            let letter = letter.chars().next()?.to_ascii_lowercase();
            return Some(Self { code: KeyCode::Char(letter), ctrl: true });
        }
        let mut characters = name.chars();
        if let (Some(only), None) = (characters.next(), characters.next()) {
            return plain(KeyCode::Char(only));
        }
        if let Some(number) = name.strip_prefix('F') {
            return plain(KeyCode::F(number.parse().ok()?));
        }
        plain(match name {
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Tab" => KeyCode::Tab,
            "Shift-Tab" => KeyCode::BackTab,
            "Space" => KeyCode::Char(' '),
            "Up" => KeyCode::Up,
            "Down" => KeyCode::Down,
            "Left" => KeyCode::Left,
            "Right" => KeyCode::Right,
            "PgUp" => KeyCode::PageUp,
            "PgDn" => KeyCode::PageDown,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "Del" => KeyCode::Delete,
            "Insert" => KeyCode::Insert,
            _ => return None,
        })
    }
}

/// One row of the key map.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Where it holds.
    #[serde(rename = "where")]
    pub place: Place,
    /// The word of its intent.
    pub intent: String,
    /// The names of its keys, the most likely first.
    pub keys: Vec<String>,
    /// What the footer calls it.
    pub label: String,
    /// What help and the list of commands call it.
    pub says: String,
}

impl Row {
    /// What it means; `None` for a step, which needs a digit.
    pub fn intent(&self) -> Option<Intent> {
        Intent::named(&self.intent)
    }

    /// What one of its keys means.
    fn meaning(&self, name: &str) -> Option<Intent> {
        match self.intent.as_str() {
            "step" => Step::numbered(name.parse().ok()?).map(Intent::Step),
            word => Intent::named(word),
        }
    }

    /// The keys as help prints them: “Enter”, “↓ j”, “1 … 7”.
    pub fn keys(&self) -> String {
        if self.intent == "step" {
            return "1 … 7".to_owned();
        }
        self.keys.iter().map(|key| name(key)).collect::<Vec<_>>().join(" ")
    }
}

/// A key as it is printed: arrows as arrows.
fn name(key: &str) -> &str {
    match key {
        "Up" => "↑",
        "Down" => "↓",
        "Left" => "←",
        "Right" => "→",
        other => other,
    }
}

#[derive(Deserialize)]
struct File {
    key: Vec<Row>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the key map is part of the program and tested")]
    let file: File =
        toml::from_str(include_str!("../../assets/keys.toml")).expect("the key map is well-formed");
    file.key
});

/// All rows, in the order of the file.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// What a key means on a screen, where no field has the focus.
pub fn meaning(place: Place, key: Key) -> Option<Intent> {
    let mut places = place.chain().into_iter();
    places.find_map(|place| find(place, key))
}

/// What a key means while a field has the focus: letters are text, so only what no field could take
/// remains of the other places.
pub fn meaning_in_field(place: Place, key: Key) -> Option<Intent> {
    if let Some(intent) = find(Place::Field, key) {
        return Some(intent);
    }
    let moves = matches!(key.code, KeyCode::Left | KeyCode::Right | KeyCode::Backspace);
    if key.character().is_some() || moves {
        return None;
    }
    meaning(place, key)
}

fn find(place: Place, key: Key) -> Option<Intent> {
    rows().iter().filter(|row| row.place == place).find_map(|row| {
        let name = row.keys.iter().find(|name| Key::parse(name) == Some(key))?;
        row.meaning(name)
    })
}

/// The key and the label of an intent on a screen, as the footer prints them; in a field one that works
/// there.
pub fn hint(place: Place, in_field: bool, intent: Intent) -> Option<(String, &'static str)> {
    let places = std::iter::once(Place::Field).filter(|_| in_field).chain(place.chain());
    for place in places {
        let found = rows().iter().find(|row| row.place == place && row.intent() == Some(intent));
        let Some(row) = found else { continue };
        let works = |key: &&String| {
            Key::parse(key).is_some_and(|key| !in_field || key.character().is_none())
        };
        if let Some(key) = row.keys.iter().find(works) {
            return Some((name(key).to_owned(), &row.label));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const SCREENS: [Place; 19] = [
        Place::SignIn,
        Place::Backups,
        Place::Contents,
        Place::Room,
        Place::Key,
        Place::RecoveryKey,
        Place::Fits,
        Place::Passphrases,
        Place::Restore,
        Place::Refused,
        Place::Proof,
        Place::Why,
        Place::ProofRooms,
        Place::TakeAway,
        Place::KeyFile,
        Place::FileMade,
        Place::CheckUp,
        Place::Compare,
        Place::Paper,
    ];

    /// Keys with two meanings on one screen.
    fn doubled(rows: &[Row]) -> Vec<String> {
        let mut found = Vec::new();
        let screens = SCREENS.into_iter().map(|screen| (screen, screen.chain().to_vec()));
        for (screen, places) in screens.chain([(Place::Field, vec![Place::Field])]) {
            let mut meanings = HashMap::new();
            for row in rows.iter().filter(|row| places.contains(&row.place)) {
                for key in &row.keys {
                    if let Some(before) = meanings.insert(key, &row.intent) {
                        found.push(format!("{key}: {before} and {} on {screen:?}", row.intent));
                    }
                }
            }
        }
        found
    }

    #[test]
    fn no_key_has_two_meanings_on_one_screen() {
        assert_eq!(doubled(rows()), Vec::<String>::new());
    }

    #[test]
    fn a_key_with_two_meanings_is_found() {
        let row = |place, intent: &str, key: &str| Row {
            place,
            intent: intent.to_owned(),
            keys: vec![key.to_owned()],
            label: String::new(),
            says: String::new(),
        };
        let planted = [
            row(Place::Everywhere, "copy", "y"),
            row(Place::Backups, "choose", "y"),
            row(Place::Room, "open", "x"),
            row(Place::Contents, "find", "x"),
            row(Place::Field, "show", "y"),
        ];
        assert_eq!(doubled(&planted), ["y: copy and choose on Backups"]);
    }

    #[test]
    fn every_row_can_be_used() {
        for row in rows() {
            for key in &row.keys {
                assert!(Key::parse(key).is_some(), "{key} is no key");
                assert!(row.meaning(key).is_some(), "{} means nothing", row.intent);
            }
            assert!(!row.keys.is_empty() && row.label.chars().count() <= 12, "{row:?}");
            assert!(row.says.chars().count() <= 46, "{row:?}");
        }
    }

    #[test]
    fn a_field_takes_letters() {
        let key = |name| Key::parse(name).unwrap();
        assert_eq!(meaning(Place::Contents, key("q")), Some(Intent::Leave));
        assert_eq!(meaning_in_field(Place::Contents, key("q")), None);
        assert_eq!(meaning_in_field(Place::Contents, key("F1")), Some(Intent::Help));
        assert_eq!(meaning_in_field(Place::Contents, key("Home")), Some(Intent::Start));
        assert_eq!(meaning_in_field(Place::Contents, key("Left")), None);
        assert_eq!(meaning_in_field(Place::Contents, key("Esc")), Some(Intent::Back));
        let steps = meaning(Place::SignIn, key("3"));
        assert_eq!(steps, Some(Intent::Step(Step::Contents)));
    }
}
