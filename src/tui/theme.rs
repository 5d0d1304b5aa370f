//! Sixteen colours that follow the terminal's own theme (SCREENS §3). Only signs, bars and single words
//! are coloured, so a poor palette costs beauty and never meaning.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is for; the theme decides how it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Sentences.
    #[default]
    Plain,
    /// Headings.
    Strong,
    /// The focus, the present step, keys in the footer.
    Accent,
    /// What is done or proven.
    Ok,
    /// What needs attention.
    Warn,
    /// The first line of an error.
    Danger,
    /// The command, hints, what does not apply.
    Muted,
    /// A secret while it is visible.
    Secret,
}

/// A way to dress the roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light one.
    Light,
    /// Without colours.
    Mono,
    /// White on black only.
    HighContrast,
}

impl Theme {
    /// How a role looks.
    pub fn style(self, ink: Ink) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        match (ink, self) {
            (Ink::Plain, Self::HighContrast) => plain.fg(Color::White).bg(Color::Black),
            (Ink::Plain, _) => plain,
            (Ink::Strong, _) => bold,
            (Ink::Accent, Self::Dark) => plain.fg(Color::LightCyan),
            (Ink::Accent, Self::Light) => plain.fg(Color::Blue),
            (Ink::Accent, _) => bold,
            (Ink::Ok, Self::Dark) => plain.fg(Color::LightGreen),
            (Ink::Ok, Self::Light) => bold.fg(Color::Green),
            (Ink::Ok, _) => bold,
            (Ink::Warn, Self::Dark) => plain.fg(Color::LightYellow),
            (Ink::Warn, Self::Light) => plain.fg(Color::Magenta),
            (Ink::Warn, _) => plain.add_modifier(Modifier::UNDERLINED),
            (Ink::Danger, Self::Dark) => bold.fg(Color::LightRed),
            (Ink::Danger, Self::Light) => bold.fg(Color::Red),
            (Ink::Danger, _) => bold.add_modifier(Modifier::REVERSED),
            (Ink::Muted, Self::Dark | Self::Light) => plain.add_modifier(Modifier::DIM),
            (Ink::Muted, _) => plain,
            (Ink::Secret, Self::Dark) => plain.fg(Color::Black).bg(Color::LightYellow),
            (Ink::Secret, Self::Light) => plain.fg(Color::White).bg(Color::Magenta),
            (Ink::Secret, _) => plain.add_modifier(Modifier::REVERSED),
        }
    }

    /// How the row in focus looks: by colour of its first sign, and where there is none, reversed.
    pub fn focus(self) -> Style {
        match self {
            Self::Dark | Self::Light => Style::new().add_modifier(Modifier::BOLD),
            Self::Mono | Self::HighContrast => Style::new().add_modifier(Modifier::REVERSED),
        }
    }
}
