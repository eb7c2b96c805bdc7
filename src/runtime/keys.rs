//! From keys to events: what a key means here and now. Keys end here; the journal gets the action.

use crossterm::event::{Event as Terminal, KeyEvent};

use crate::event::{Edit, Event, Operator, View};
use crate::journal::redact::redact_text;
use crate::keymap::{Action, Context, Key, Keymap, Resolution};
use crate::reduce::taken;
use crate::state::State;

/// The keymap at work.
pub struct Keys(pub Keymap);

impl Keys {
    /// The event that a terminal event means in this state.
    pub fn read(&self, state: &State, input: &Terminal) -> Option<Event> {
        match input {
            Terminal::Key(key) => self.key(state, *key),
            Terminal::Paste(text) if state.screen.input.is_some() => Some(edited(Edit::Insert(text.clone()))),
            Terminal::Resize(columns, rows) => Some(Event::View(View::Resized { columns: *columns, rows: *rows })),
            _ => None,
        }
    }

    fn key(&self, state: &State, key: KeyEvent) -> Option<Event> {
        let key = Key::pressed(key)?;
        let pending = &state.screen.pending;
        match self.0.resolve(&state.screen.contexts(), pending, key) {
            Resolution::Typed(c) => Some(edited(Edit::Insert(c.to_string()))),
            Resolution::Action(action) => Some(acted(state, action)),
            Resolution::Pending(_) => Some(Event::View(View::Pending([pending.as_slice(), &[key]].concat()))),
            Resolution::None => (!pending.is_empty()).then(|| Event::View(View::Pending(Vec::new()))),
        }
    }
}

fn edited(edit: Edit) -> Event {
    Event::View(View::Edited(edit))
}

/// Editing stays on this screen; a committed line goes on with its text, redacted.
fn acted(state: &State, action: Action) -> Event {
    match action {
        Action::InputCancel => Event::Operator(Operator::Did(Action::Cancel)),
        Action::InputAccept => match taken(state) {
            Some((purpose, text)) => Event::Operator(Operator::Entered { purpose, text: redact_text(&text).into_owned().into() }),
            None => Event::View(View::Tick),
        },
        action if action.spec().contexts.contains(&Context::Input) && state.screen.input.is_some() && !action.always_works() => {
            edited(Edit::Act(action))
        }
        action => Event::Operator(Operator::Did(action)),
    }
}
