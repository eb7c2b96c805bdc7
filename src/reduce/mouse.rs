//! What the mouse does: it chooses panes, rows and what is offered; its wheel moves what is under it.

use super::actions;
use crate::clean::Clean;
use crate::keymap::{Action, Context};
use crate::state::{Focus, Page, State, candidates};

/// Rows that one notch of the wheel moves in a pane.
const NOTCH: usize = 3;

fn pane(context: Context) -> Option<Focus> {
    Focus::ALL.iter().copied().find(|focus| focus.context() == context)
}

/// The mouse chose a pane, and maybe a row. What lies over the panes keeps the keyboard.
pub(super) fn pointed(state: &mut State, context: Context, row: Option<&Clean>) {
    let free = state.screen.pages.is_empty() && state.screen.input.is_none();
    let Some(focus) = pane(context).filter(|_| free) else { return };
    state.screen.focus = focus;
    let ids = focus.rows(&state.frame());
    if let Some(id) = row.filter(|id| ids.contains(id)) {
        state.screen.list_mut().select(&ids, id.clone());
    }
}

/// The mouse chose one of the things offered: a theme, a keymap, a candidate of the typed line.
pub(super) fn picked(state: &mut State, at: usize) {
    if let Some(Page::Picker(picker)) = state.screen.pages.last() {
        let picks = picker.picks;
        let choices = state.screen.choices_mut(picks);
        choices.at = at.min(choices.names.len().saturating_sub(1));
        return;
    }
    let taken = candidates(&state.frame()).into_iter().nth(at);
    if let (Some(input), Some(candidate)) = (&mut state.screen.input, taken) {
        candidate.text.raw().clone_into(&mut input.text);
        input.cursor = input.text.len();
        input.candidate = None;
    }
}

/// The wheel turned over a pane, which need not be the focused one, or over what lies over the panes.
pub(super) fn wheeled(state: &mut State, context: Option<Context>, down: bool) {
    let action = if down { Action::Down } else { Action::Up };
    if let Some(page) = state.screen.pages.last() {
        for _ in 0..page.notch() {
            actions::on_page(state, &action);
        }
    } else if let Some(focus) = context.and_then(pane) {
        let ids = focus.rows(&state.frame());
        let list = state.screen.lists.entry(focus).or_default();
        for _ in 0..NOTCH {
            // A list that nobody moves in shows one end: there is nothing beyond it.
            if down || list.selected.is_some() || focus.ends() {
                list.travel(&ids, &action, 1);
            }
        }
    }
}
