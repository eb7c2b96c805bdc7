//! What was drawn where: noted while a frame is drawn, asked when the mouse is pressed. Says what a place
//! stands for, never what to do.

use std::cell::RefCell;

use ratatui::layout::{Position, Rect};

use crate::clean::Clean;
use crate::keymap::Key;
use crate::state::Focus;

/// What a place on the screen stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A pane, or its tab.
    Pane(Focus),
    /// A row of a pane, by its identity.
    Row(Focus, Clean),
    /// One of the things offered: a candidate, a theme.
    Choice(usize),
    /// A key that is named there.
    Key(Key),
    /// What lies over the panes.
    Over,
}

/// The places of one frame.
#[derive(Debug, Default)]
pub struct Hits(RefCell<Vec<(Rect, Spot)>>);

impl Hits {
    /// Forgets everything: a new frame begins.
    pub(in crate::view) fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// Notes what `area` stands for; it lies over all that was noted before.
    pub(in crate::view) fn note(&self, area: Rect, spot: Spot) {
        self.0.borrow_mut().push((area, spot));
    }

    /// Notes rows one below the other, from the top of `area`.
    pub(in crate::view) fn rows(&self, area: Rect, spots: impl IntoIterator<Item = Spot>) {
        for (spot, y) in spots.into_iter().zip(area.top()..area.bottom()) {
            self.note(Rect { y, height: 1, ..area }, spot);
        }
    }

    /// What stands at this column and row of the terminal.
    pub fn at(&self, column: u16, row: u16) -> Option<Spot> {
        let places = self.0.borrow();
        let found = places.iter().rev().find(|(area, _)| area.contains(Position { x: column, y: row }));
        found.map(|(_, spot)| spot.clone())
    }
}
