//! Which of two entries for one session a server keeps (SPEC §2).

/// What an entry's metadata says, as far as servers compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// `is_verified`.
    pub verified: bool,
    /// `first_message_index`.
    pub first: i64,
    /// `forwarded_count`.
    pub forwarded: i64,
}

/// How a server decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// As Synapse does: one thing that is better is enough, even if another is worse.
    #[default]
    Synapse,
    /// As the spec says: a later point counts only where the earlier ones are equal.
    Spec,
    /// The new entry, whatever it says.
    Always,
}

impl Rule {
    /// Whether the new entry takes the place of the stored one.
    pub fn replaces(self, stored: Told, new: Told) -> bool {
        match self {
            Self::Synapse => {
                (new.verified && !stored.verified)
                    || new.first < stored.first
                    || new.forwarded < stored.forwarded
            }
            Self::Spec => {
                let order = |told: Told| (!told.verified, told.first, told.forwarded);
                order(new) < order(stored)
            }
            Self::Always => true,
        }
    }
}
