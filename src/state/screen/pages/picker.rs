//! Themes or keymaps to choose from; the one under the cursor is in use already.

use super::{Page, PageKind};
use crate::effect::Effect;
use crate::keymap::{Action, Context};
use crate::state::{Picks, Screen, State, destination};

/// Themes or keymaps to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct Picker {
    /// Kind of what is chosen.
    pub picks: Picks,
    /// Index of the one that was in use before.
    pub before: usize,
}

impl PageKind for Picker {
    const CONTEXTS: &'static [Context] = &[Context::Dialog];
    const NOTCH: usize = 1;

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        let Some(Page::Picker(Self { picks, .. })) = state.screen.pages.last() else { return None };
        let picks = *picks;
        let page = state.screen.page();
        let choices = state.screen.choices_mut(picks);
        match action {
            Action::NextField => choices.turn(),
            Action::Choose => {
                state.screen.pages.pop();
                state.screen.tell_choice(state.now, picks);
            }
            action => choices.at = destination(Some(choices.at), choices.names.len(), action, page)?,
        }
        Some(Vec::new())
    }

    fn closed(&self, screen: &mut Screen) -> Vec<Effect> {
        screen.choices_mut(self.picks).at = self.before;
        Vec::new()
    }
}
