//! What is typed and pasted: into the field in focus, or, if it is a recovery key, nowhere that it is seen.

use crate::{
    backup::recovery_key,
    base::secret::SecretText,
    tui::{
        effect::Effect,
        field::{Edit, Field},
        keymap::Place,
        message::Moment,
        model::{Leaving, Model},
        sign_in::SignIn,
    },
};

/// Enter so soon after another character is part of a paste, not a wish.
const PASTED: Moment = Moment::from_millis(50);
/// What line 21 says of a recovery key that came into a wrong field.
const KEPT: &str = "This looks like a recovery key. It stays hidden until step 4.";

impl Model {
    pub(super) fn edit(&mut self, edit: Edit, effects: &mut Vec<Effect>) {
        if self.leaving_is_under_way() {
            return;
        }
        self.leaving = Leaving::No;
        if !self.overlays.is_empty() {
            self.edit_overlay(edit);
        } else if self.place() == Place::SignIn {
            self.edit_sign_in(edit, effects);
        } else if self.place() == Place::RecoveryKey {
            self.edit_key(edit, effects);
        } else if self.place() == Place::Passphrases {
            self.edit_guesses(edit, effects);
        } else if self.place() == Place::KeyFile {
            self.edit_key_file(edit);
        } else if self.place() == Place::Paper {
            self.edit_paper(edit);
        } else if self.finding {
            self.edit_filter(edit);
        }
        self.keep_key_typed();
    }

    /// A recovery key that came into a field for anything else is taken out of it, before Enter could send
    /// it to a server.
    fn keep_key_typed(&mut self) {
        let mut found = None;
        let paper = &mut self.take.paper.file;
        let form = &mut self.take.form;
        let secrets = [&mut self.sign_in.password, &mut self.sign_in.token];
        for field in secrets.into_iter().chain([&mut form.chosen, &mut form.again]) {
            if field.holds(is_recovery_key) {
                found = Some(field.secret());
                field.edit(Edit::Clear);
            }
        }
        let filter = self.open.as_ref().and_then(|open| self.hauls.get_mut(open));
        let list = &mut self.guess.file;
        let SignIn { id, name, .. } = &mut self.sign_in;
        let fields = [id, name, &mut form.file, list, paper].into_iter();
        let fields = fields.chain(filter.map(|haul| &mut haul.rooms.filter));
        for field in fields.chain(self.overlays.last_mut().and_then(|overlay| overlay.field_mut()))
        {
            if is_recovery_key(field.text()) {
                found = Some(SecretText::new(field.text().to_owned()));
                *field = Field::default();
            }
        }
        if let Some(secret) = found {
            self.keep_key(secret);
        }
    }

    fn keep_key(&mut self, secret: SecretText) {
        self.kept_secret = Some(secret);
        self.remark(KEPT);
    }

    pub(super) fn pasted(&mut self, text: &SecretText, effects: &mut Vec<Effect>) {
        if self.leaving_is_under_way() {
            return;
        }
        self.last_letter = Some(self.now);
        if self.place() == Place::RecoveryKey && self.overlays.is_empty() {
            return self.paste_key(text, effects);
        }
        // Among passphrases it is in its place, but not in the name of a file.
        if self.place() == Place::Passphrases && self.overlays.is_empty() {
            self.paste_guesses(text, effects);
            return self.keep_key_typed();
        }
        if is_recovery_key(text.expose()) {
            return self.keep_key(text.duplicate());
        }
        if self.place() == Place::KeyFile && self.overlays.is_empty() {
            self.paste_key_file(text);
            return self.keep_key_typed();
        }
        if self.place() == Place::Paper && self.overlays.is_empty() {
            self.paste_paper(text);
            return self.keep_key_typed();
        }
        if let Some(overlay) = self.overlays.last_mut() {
            match overlay.field_mut() {
                Some(field) => field.paste(text.expose()),
                None => return self.remark("There is no field to paste into."),
            }
            self.overlay_edited();
        } else if self.in_field() && self.place() == Place::SignIn {
            self.paste_sign_in(text, effects);
        } else if self.finding {
            if let Some(haul) = self.haul_mut() {
                haul.rooms.filter.paste(text.expose());
            }
            self.arrange();
        } else {
            self.remark("There is no field to paste into.");
        }
        self.keep_key_typed();
    }

    /// Says whether a character came so lately that Enter belongs to the same paste.
    pub(super) fn is_pasting(&self) -> bool {
        self.last_letter.is_some_and(|letter| self.now < letter + PASTED)
    }
}

/// Says whether a text is a recovery key, whatever stands between its characters.
fn is_recovery_key(text: &str) -> bool {
    text.len() >= recovery_key::LETTERS && recovery_key::parse(text).is_ok()
}
