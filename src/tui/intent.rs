//! What a person means by a key press or a click: the one vocabulary of keys, help, footers and tests.

use super::model::Step;

macro_rules! intents {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What a person means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Intent {
            $($(#[$doc])* $name,)*
            /// Go to a step.
            Step(Step),
            /// A key without sense in this place.
            Nothing,
        }

        impl Intent {
            /// The intent with this word in the key map; a step needs its digit, too.
            pub(super) fn named(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

intents! {
    /// Show what each key does.
    Help = "help",
    /// Explain this step.
    Explain = "explain",
    /// Hide names and ids, or show them again.
    Mask = "mask",
    /// Show every action.
    Palette = "palette",
    /// Copy what is in focus.
    Copy = "copy",
    /// Copy the command that does the same.
    CopyCommand = "copy-command",
    /// Go on: never writes to a server.
    GoOn = "go-on",
    /// Go back, losing nothing.
    Back = "back",
    /// Leave the program.
    Leave = "leave",
    /// Stop what runs.
    Stop = "stop",
    /// Do it again.
    Again = "again",
    /// To the next part of the screen.
    NextPart = "next-part",
    /// To the part before.
    PreviousPart = "previous-part",
    /// Draw everything anew.
    Redraw = "redraw",
    /// Back to the shell for a while.
    Suspend = "suspend",
    /// One row up.
    Up = "up",
    /// One row down.
    Down = "down",
    /// One page up.
    PageUp = "page-up",
    /// One page down.
    PageDown = "page-down",
    /// To the first row.
    First = "first",
    /// To the last row.
    Last = "last",
    /// Open what is in focus.
    Open = "open",
    /// Close what was opened.
    Close = "close",
    /// Choose the row, or not.
    Choose = "choose",
    /// Choose all rows that are shown, or none.
    ChooseAll = "choose-all",
    /// Choose the others instead.
    Invert = "invert",
    /// Find rows by a word.
    Find = "find",
    /// Sort by the next column.
    Sort = "sort",
    /// Turn the order round.
    SortBack = "sort-back",
    /// Open a file.
    OpenFile = "open-file",
    /// Ask for something by its number.
    ByNumber = "by-number",
    /// Check everything up.
    CheckUp = "check-up",
    /// Compare the backup in focus with another one.
    Compare = "compare",
    /// Try a list of passphrases.
    TryList = "try-list",
    /// Read a list from a file.
    ReadFile = "read-file",
    /// Forget a secret that is kept.
    Forget = "forget",
    /// Open a place for a letter that was forgotten.
    OpenPlace = "open-place",
    /// Show every secret on every lock.
    FitTable = "fit-table",
    /// Try another secret, too.
    OtherKey = "other-key",
    /// Choose other backups.
    OtherBackup = "other-backup",
    /// Pause what runs, or let it go on.
    Pause = "pause",
    /// Bring the room in focus to the front.
    Front = "front",
    /// To the next message that is closed.
    NextClosed = "next-closed",
    /// Show what is typed for a while.
    Show = "show",
    /// To the start of the field.
    Start = "start",
    /// To the end of the field.
    End = "end",
    /// Cut the word before the cursor.
    DeleteWord = "delete-word",
    /// Empty the field.
    Clear = "clear",
    /// Cut what is after the cursor.
    CutRest = "cut-rest",
}
