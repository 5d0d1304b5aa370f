//! How a demo homeserver behaves, apart from the account that it holds.

use std::time::Duration;

use super::{kinds::Kind, replacement::Rule, weather::Weather};

/// How long access tokens live that can be refreshed, unless told otherwise: as in Synapse.
const TOKEN_LIFE: Duration = Duration::from_secs(300);

/// What may be set. As it comes: a Synapse in good weather that lets anybody try as often as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which homeserver it behaves as.
    pub kind: Kind,
    /// Which of two entries stays, if not as `kind` has it.
    pub rule: Option<Rule>,
    /// What goes wrong on the way.
    pub weather: Weather,
    /// Whether signing in is limited as in Synapse.
    pub limits_logins: bool,
    /// How long access tokens live that can be refreshed.
    pub token_life: Duration,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            rule: None,
            weather: Weather::default(),
            limits_logins: false,
            token_life: TOKEN_LIFE,
        }
    }
}
