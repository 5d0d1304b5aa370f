//! From what the terminal reports to what it means: key presses become intents or letters.

use crossterm::event::{Event, KeyCode, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::layout::{Position, Size};

use super::{
    field::Edit,
    intent::Intent,
    keymap::{self, Key},
    message::Message,
    model::Model,
};
use crate::base::secret::SecretText;

/// Rows that one notch of the wheel moves.
const NOTCH: i8 = 3;

/// What an event means now; `None` where it means nothing.
pub fn message(model: &Model, event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) => pressed(model, Key::of(&key)),
        Event::Paste(text) => Some(Message::Pasted(SecretText::new(text))),
        Event::Resize(width, height) => Some(Message::Resized(Size { width, height })),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                Some(Message::Clicked(Position::new(mouse.column, mouse.row)))
            }
            MouseEventKind::ScrollUp => Some(Message::Wheel(-NOTCH)),
            MouseEventKind::ScrollDown => Some(Message::Wheel(NOTCH)),
            _ => None,
        },
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn pressed(model: &Model, key: Key) -> Option<Message> {
    let place = model.place();
    if !model.in_field() {
        return match keymap::meaning(place, key) {
            Some(intent) => Some(Message::Intent(intent)),
            // In a field that was left, what moves in it has no use; any other key is told so.
            None => key.character().map(|_| Message::Intent(Intent::Nothing)),
        };
    }
    let edit = match (key.character(), key.plain()) {
        (Some(character), _) => Edit::Insert(character),
        (None, Some(KeyCode::Backspace)) => Edit::Backspace,
        (None, Some(KeyCode::Delete)) => Edit::Delete,
        (None, Some(KeyCode::Left)) => Edit::Left,
        (None, Some(KeyCode::Right)) => Edit::Right,
        _ => return keymap::meaning_in_field(place, key).map(Message::Intent),
    };
    Some(Message::Edit(edit))
}
