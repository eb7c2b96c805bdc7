//! Drawing: the terminal, the theme that is chosen, and when a frame is due.

use std::io;
use std::time::{Duration, Instant};

use super::keys::Keys;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::state::State;
use crate::terminal::Screen;
use crate::theme::Theme;
use crate::view::{self, Hits};

/// At most so often when nobody presses a key.
const FRAME: Duration = Duration::from_millis(15);

/// So long nothing is drawn unless there are rows or somebody presses a key: a frame without rows would only be in their way.
const FIRST: Duration = Duration::from_millis(60);

pub use crate::view::Look;

/// The themes to choose from, at the depth of this terminal, and whether it shows more than ASCII.
pub struct Looks {
    /// Themes, the chosen one first.
    pub themes: Vec<Theme>,
    /// Only ASCII.
    pub ascii: bool,
}

/// Draws when something changed: at once after a key, else at most sixty times a second.
pub(super) struct Painter {
    screen: Screen,
    looks: Looks,
    hits: Hits,
    next: Instant,
    due: bool,
    blank: bool,
}

impl Painter {
    pub(super) fn new(screen: Screen, looks: Looks) -> Self {
        Self { screen, looks, hits: Hits::default(), next: Instant::now() + FIRST, due: true, blank: true }
    }

    /// Something changed.
    pub(super) fn touch(&mut self) {
        self.due = true;
    }

    /// Whether nothing was drawn yet.
    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    /// When the next frame may be drawn, where one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.then_some(self.next)
    }

    /// Draws now.
    pub(super) fn draw(&mut self, state: &State, keys: &Keys) -> io::Result<()> {
        let theme = &self.looks.themes[state.screen.themes.at % self.looks.themes.len()];
        let (keymap, before) = (keys.map(state), keys.before(state));
        let look = Look { theme, keymap, before, ascii: self.looks.ascii, hits: &self.hits };
        self.screen.draw(|frame| view::view(state, &look, frame))?;
        (self.next, self.due, self.blank) = (Instant::now() + FRAME, false, false);
        Ok(())
    }

    /// What the last frame has drawn where.
    pub(super) fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Carries out what is only about this screen, and nothing of any other effect. Answers what the viewer has to be told of it.
    pub(super) fn carry_out(&mut self, effect: &Effect) -> io::Result<Option<Clean>> {
        self.due = true;
        match effect {
            Effect::Copy(text) => self.screen.copy(text)?,
            Effect::Redraw => self.screen.forget()?,
            Effect::Suspend => self.screen.suspend()?,
            Effect::Mouse(ours) => self.screen.mouse(*ours)?,
            Effect::Notify { text, by } => self.screen.notify(text, *by)?,
            Effect::Browse(address) => {
                return Ok(open::that_detached(address.as_str()).err().map(|why| format!("no browser could be opened: {why}").into()));
            }
            _ => {}
        }
        Ok(None)
    }
}
