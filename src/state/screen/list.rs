//! Lists: which pane has the keyboard, what is selected in each, and how the selection moves.

use crate::clean::Clean;
use crate::keymap::Action;

/// Position of a viewer in a list. The selection is an identity, never a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListView {
    /// Identity of what is selected; `None`: the list follows its own order and end.
    pub selected: Option<Clean>,
    /// Order of the rows while something is selected; what is new comes last.
    pub held: Vec<Clean>,
    /// Text that rows must contain; empty for all.
    pub filter: Clean,
}

impl ListView {
    /// Clears the selection; the rows stand in their own order again.
    pub fn let_go(&mut self) {
        self.selected = None;
        self.held.clear();
    }

    /// Selects a row. Rows keep the order that they have now, unless they are kept already; what has come
    /// since is taken in when it is selected.
    pub fn select(&mut self, ids: &[Clean], id: Clean) {
        if self.selected.is_none() || !self.held.contains(&id) {
            self.held = ids.to_vec();
        }
        self.selected = Some(id);
    }

    /// Moves the selection; up from the first row lets go of the list, which follows its own order again.
    pub fn travel(&mut self, ids: &[Clean], action: &Action, page: usize) {
        let at = self.at(ids);
        if at == Some(0) && *action == Action::Up {
            self.let_go();
        } else if let Some(to) = destination(at, ids.len(), action, page) {
            self.select(ids, ids[to].clone());
        }
    }

    /// Selects the next of `wanted` below the selection; below the last one the first.
    pub fn next_of(&mut self, ids: &[Clean], wanted: &[Clean]) {
        let at = self.at(ids);
        let after = ids.iter().skip(at.map_or(0, |at| at + 1)).find(|id| wanted.contains(id));
        if let Some(next) = after.or(wanted.first()).cloned() {
            self.select(ids, next);
        }
    }

    fn at(&self, ids: &[Clean]) -> Option<usize> {
        self.selected.as_ref().and_then(|selected| ids.iter().position(|id| id == selected))
    }
}

/// Returns where in rows `0..len` an action leads from `at`; `None` at first selects an end.
pub fn destination(at: Option<usize>, len: usize, action: &Action, page: usize) -> Option<usize> {
    let last = len.checked_sub(1)?;
    let down = |by: usize| at.map_or(0, |at| (at + by).min(last));
    let up = |by: usize| at.map_or(last, |at| at.saturating_sub(by));
    match action {
        Action::Down => Some(down(1)),
        Action::Up => Some(up(1)),
        Action::PageDown => Some(down(page)),
        Action::PageUp => Some(up(page)),
        Action::HalfPageDown => Some(down(page / 2)),
        Action::HalfPageUp => Some(up(page / 2)),
        Action::Top => Some(0),
        Action::Bottom => Some(last),
        _ => None,
    }
}
