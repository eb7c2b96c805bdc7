//! Drawing: the terminal, the theme that is chosen, and when a frame is due.

use std::io;
use std::time::{Duration, Instant};

use super::input::Keys;
use crate::clean::Clean;
use crate::data::Lazy;
use crate::effect::Effect;
use crate::state::State;
use crate::terminal::Screen;
use crate::theme::Theme;
use crate::view::{self, Hits};

/// At most so often when nobody presses a key.
const FRAME: Duration = Duration::from_millis(15);

/// So long nothing is drawn unless there are rows or somebody presses a key: a frame without rows would only
/// be in their way.
const FIRST: Duration = Duration::from_millis(60);

/// So long after the beginning all that comes is drawn at once: everything is new.
const BEGINNING: Duration = Duration::from_secs(3);

/// So long after a key nothing is drawn only because the clock has moved: whoever types on sees it with the
/// next key, whose frame would else have to wait for such a one.
const TYPING: Duration = Duration::from_millis(250);

pub use crate::view::Look;

/// The themes to choose from, at the depth of this terminal, and whether it shows more than ASCII.
pub struct Looks {
    /// Themes, the chosen one first.
    pub themes: Vec<Lazy<Theme>>,
    /// Only ASCII.
    pub ascii: bool,
}

/// Draws when something changed: at once after a key, else at most sixty times a second, and what may wait
/// with the clock's next second.
pub(super) struct Painter {
    screen: Screen,
    looks: Looks,
    hits: Hits,
    pace: Pace,
    /// When the next frame will be drawn.
    due: Option<Instant>,
    blank: bool,
}

/// Why the screen is no longer what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// The clock: its seconds are on the screen.
    Clock,
    /// A reading that comes every few seconds, whatever happens, and told nothing new: it may wait for the
    /// clock.
    Reading,
    /// Something happened.
    World,
}

/// When frames may come.
struct Pace {
    /// When the screen was taken.
    began: Instant,
    /// When the next frame may be drawn.
    next: Instant,
    /// When the terminal last told of somebody.
    typed: Option<Instant>,
}

impl Pace {
    /// When to draw what moved at `now`; nothing where the clock will draw it with its next second.
    fn frame(&self, moved: Moved, now: Instant) -> Option<Instant> {
        match moved {
            Moved::World => Some(self.next),
            Moved::Reading => (now < self.began + BEGINNING).then_some(self.next),
            Moved::Clock => Some(self.typed.map_or(self.next, |typed| self.next.max(typed + TYPING))),
        }
    }
}

impl Painter {
    pub(super) fn new(screen: Screen, looks: Looks) -> Self {
        let began = Instant::now();
        let pace = Pace { began, next: began + FIRST, typed: None };
        Self { screen, looks, hits: Hits::default(), due: Some(pace.next), pace, blank: true }
    }

    /// Something changed.
    pub(super) fn touch(&mut self, moved: Moved) {
        let Some(at) = self.pace.frame(moved, Instant::now()) else { return };
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Somebody pressed a key, turned the wheel or took hold of the window: the clock holds back.
    pub(super) fn typed(&mut self) {
        self.pace.typed = Some(Instant::now());
    }

    /// Whether nothing was drawn yet.
    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    /// When the next frame will be drawn, where one is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Draws now.
    pub(super) fn draw(&mut self, state: &State, keys: &Keys) -> io::Result<()> {
        let theme = &self.looks.themes[state.screen.themes.at % self.looks.themes.len()];
        let keymap = keys.map(state);
        let before = keys.before(state);
        let look = Look { theme, keymap, before, ascii: self.looks.ascii, hits: &self.hits };
        self.screen.draw(|terminal| view::view(&state.frame(), &look, terminal))?;
        self.pace.next = Instant::now() + FRAME;
        self.due = None;
        self.blank = false;
        Ok(())
    }

    /// What the last frame has drawn where.
    pub(super) fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Carries out what is only about this screen, and nothing of any other effect. Answers what the viewer
    /// has to be told of it.
    pub(super) fn carry_out(&mut self, effect: &Effect) -> io::Result<Option<Clean>> {
        self.touch(Moved::World);
        match effect {
            Effect::Copy(text) => self.screen.copy(text)?,
            Effect::Redraw => self.screen.forget()?,
            Effect::Suspend => self.screen.suspend()?,
            Effect::Mouse(ours) => self.screen.mouse(*ours)?,
            Effect::Notify { text, by } => self.screen.notify(text, *by)?,
            Effect::Browse(address) => {
                let Err(_why) = open::that_detached(address.as_str()) else { return Ok(None) };
                self.screen.copy(address)?;
                return Ok(Some(format!("no browser here; copied: {address}").into()));
            }
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_waits_for_whoever_types_readings_wait_for_the_clock_and_the_world_for_nothing() {
        let began = Instant::now();
        let next = began + FRAME;
        let later = began + BEGINNING;
        let mut pace = Pace { began, next, typed: None };
        let all = |pace: &Pace, now| {
            [Moved::World, Moved::Reading, Moved::Clock].map(|moved| pace.frame(moved, now))
        };
        assert_eq!(all(&pace, began), [Some(next); 3], "in the beginning all is new");
        assert_eq!(all(&pace, later), [Some(next), None, Some(next)]);
        pace.typed = Some(next);
        assert_eq!(all(&pace, later), [Some(next), None, Some(next + TYPING)]);
        pace = Pace { next: later + TYPING, ..pace };
        assert_eq!(pace.frame(Moved::Clock, later), Some(later + TYPING), "not earlier than frames may come");
    }
}
