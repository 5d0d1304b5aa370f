//! What stands on the first screen: the id, the server that was found, the ways in.

use std::time::Duration;

use super::{
    field::{Edit, Field, SecretField},
    message::{DemoPaper, Moment},
};
use crate::{
    base::{failure::Failure, shown::Shown},
    recovery::sign_in::{Flow, Found},
};

/// A part of the screen that can have the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// The Matrix id, or a server.
    #[default]
    Id,
    /// The name on a server that was given without one.
    Name,
    /// The password.
    Password,
    /// A page in a browser.
    Browser,
    /// A way that only its server knows.
    Other,
    /// Another app's access token.
    Token,
    /// A snapshot instead of a server.
    Snapshot,
    /// The made-up account.
    Demo,
}

/// How far the search for a server is.
#[derive(Clone, Debug, Default)]
pub(super) enum Finding {
    /// Nobody asked yet.
    #[default]
    Nothing,
    /// It is being asked.
    Asking,
    /// A server was found.
    Found(Found),
    /// None was found.
    Failed(Failure),
}

/// The state of the screen.
#[derive(Default)]
pub(super) struct SignIn {
    /// The Matrix id, a server's name, or its address.
    pub(super) id: Field,
    /// The name on the server, where `id` is only a server.
    pub(super) name: Field,
    /// The password.
    pub(super) password: SecretField,
    /// An access token.
    pub(super) token: SecretField,
    /// The part in focus.
    pub(super) part: Part,
    /// Whether letters go into the field in focus.
    pub(super) in_field: bool,
    /// The server that the command line named.
    pub(super) server: Option<String>,
    /// What was found for what is typed.
    pub(super) finding: Finding,
    /// When to ask for the server, if nobody types before.
    pub(super) ask_at: Option<Moment>,
    /// Go on to the next field when the server is found, because somebody pressed Enter.
    pub(super) go_on: bool,
    /// How often signing in with a password was tried.
    pub(super) tries: u32,
    /// Why it failed the last time.
    pub(super) failed: Option<Failure>,
    /// Until when the server wants us to wait.
    pub(super) wait_until: Option<Moment>,
    /// What lies on the table of the made-up person.
    pub(super) demo: Option<DemoPaper>,
}

/// How long after the last letter of a whole id its server is asked for.
const PAUSE: Duration = Duration::from_millis(500);

impl SignIn {
    /// The parts that are on the screen now, from top to bottom.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = vec![Part::Id];
        if let Finding::Found(found) = &self.finding {
            if self.needs_name() {
                parts.push(Part::Name);
            }
            for flow in &found.flows {
                let part = match flow {
                    Flow::Password => Part::Password,
                    Flow::Browser { .. } => Part::Browser,
                    Flow::Other(_) => Part::Other,
                };
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
            parts.push(Part::Token);
        }
        parts.push(Part::Snapshot);
        if self.demo.is_none() {
            parts.push(Part::Demo);
        }
        parts
    }

    /// Says whether the part in focus is a field.
    pub(super) fn is_field(&self) -> bool {
        matches!(self.part, Part::Id | Part::Name | Part::Password | Part::Token)
    }

    /// Puts the focus on a part; a field takes letters at once.
    pub(super) fn focus(&mut self, part: Part) {
        self.password.hide();
        self.token.hide();
        self.part = part;
        self.in_field = self.is_field();
    }

    /// Says whether a whole Matrix id is typed.
    fn is_whole_id(&self) -> bool {
        let typed = self.id.text().trim();
        let parts = typed.strip_prefix('@').and_then(|rest| rest.split_once(':'));
        parts.is_some_and(|(name, server)| !name.is_empty() && server.len() > 2)
    }

    /// The server that needs not be told from the id: the demo's, or the one of the command line.
    pub(super) fn given_server(&self) -> Option<&str> {
        let demo = self.demo.as_ref().map(|demo| &demo.server);
        demo.or(self.server.as_ref()).map(String::as_str)
    }

    fn needs_name(&self) -> bool {
        !self.is_whole_id() && self.given_server().is_none()
    }

    /// What the server is to be told from.
    pub(super) fn subject(&self) -> Option<String> {
        let typed = self.id.text().trim();
        let subject = self.given_server().unwrap_or(typed);
        (!subject.is_empty()).then(|| subject.to_owned())
    }

    /// Who wants to sign in.
    pub(super) fn user(&self) -> Option<String> {
        let text = if self.needs_name() { self.name.text() } else { self.id.text() };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Another id is being typed: what was found was for the one before. Says whether a search that runs
    /// is of no use any more.
    pub(super) fn id_changed(&mut self, now: Moment) -> bool {
        self.failed = None;
        self.wait_until = None;
        self.tries = 0;
        self.go_on = false;
        let typed = self.id.text().trim();
        let left_demo = self.demo.take_if(|demo| demo.user != typed).is_some();
        if left_demo {
            // Nobody's password may go to the made-up server, nor hers to another.
            self.password.edit(Edit::Clear);
        } else if self.given_server().is_some() {
            // The server is given, whoever signs in there.
            return false;
        }
        let asking = matches!(self.finding, Finding::Asking);
        self.finding = Finding::Nothing;
        let known = self.is_whole_id() || self.server.is_some();
        self.ask_at = known.then(|| now + PAUSE);
        asking
    }

    /// The server that was found.
    pub(super) fn found(&self) -> Option<&Found> {
        match &self.finding {
            Finding::Found(found) => Some(found),
            _ => None,
        }
    }

    /// The host that a password goes to.
    pub(super) fn host(&self) -> Option<&Shown> {
        self.found().map(|found| &found.host)
    }

    /// How long the server still wants us to wait.
    pub(super) fn waits(&self, now: Moment) -> Option<Duration> {
        self.wait_until.and_then(|until| until.checked_sub(now)).filter(|left| !left.is_zero())
    }

    /// The first part below the id that wants something from a person.
    pub(super) fn first_way(&self) -> Part {
        if self.id.text().trim().is_empty() {
            return Part::Id;
        }
        let parts = self.parts();
        let ways = [Part::Name, Part::Password, Part::Token];
        let open = |part: &&Part| **part != Part::Name || self.name.is_empty();
        ways.iter().filter(open).find(|way| parts.contains(way)).copied().unwrap_or_default()
    }
}
