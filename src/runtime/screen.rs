//! Drawing: the terminal, the theme that is chosen, and when a frame is due.

use std::io;
use std::time::{Duration, Instant};

use crate::keymap::Keymap;
use crate::state::State;
use crate::terminal::Screen;
use crate::theme::Theme;
use crate::view;

/// At most so often when nobody presses a key.
const FRAME: Duration = Duration::from_millis(33);

pub use crate::view::Look;

/// The themes to choose from, at the depth of this terminal, and whether it shows more than ASCII.
pub struct Looks {
    /// Themes, the chosen one first.
    pub themes: Vec<Theme>,
    /// Only ASCII.
    pub ascii: bool,
}

/// Draws when something changed: at once after a key, else at most thirty times a second.
pub(super) struct Painter {
    screen: Screen,
    looks: Looks,
    last: Instant,
    due: bool,
}

impl Painter {
    pub(super) fn new(screen: Screen, looks: Looks) -> Self {
        Self { screen, looks, last: Instant::now(), due: true }
    }

    /// Something changed.
    pub(super) fn touch(&mut self) {
        self.due = true;
    }

    /// When the next frame may be drawn, where one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.then(|| self.last + FRAME)
    }

    /// Draws now.
    pub(super) fn draw(&mut self, state: &State, keymap: &Keymap) -> io::Result<()> {
        let theme = &self.looks.themes[state.screen.theme % self.looks.themes.len()];
        let look = Look { theme, keymap, ascii: self.looks.ascii };
        self.screen.draw(|frame| view::view(state, &look, frame))?;
        (self.last, self.due) = (Instant::now(), false);
        Ok(())
    }

    /// The terminal itself.
    pub(super) fn screen(&mut self) -> &mut Screen {
        self.due = true;
        &mut self.screen
    }
}
