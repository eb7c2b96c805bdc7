//! One entry of the timeline in full.

use super::PageKind;
use crate::effect::Effect;
use crate::event::{ContextId, Uid};
use crate::keymap::{Action, Context};
use crate::state::{Frame, State, object_of};

/// One entry of the timeline in full.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryDetail {
    /// Id of the entry.
    pub id: u64,
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl EntryDetail {
    /// Creates the page of an entry, at its top.
    pub fn of(id: u64) -> Self {
        Self { id, scroll: 0 }
    }
}

impl PageKind for EntryDetail {
    const CONTEXTS: &'static [Context] = &[Context::Page];

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        matches!(action, Action::Open | Action::Describe).then(|| state.jump())
    }

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }

    fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
        object_of(frame.world, frame.world.timeline.get(self.id)?)
    }

    fn context(&self, frame: &Frame<'_>) -> ContextId {
        frame.world.timeline.get(self.id).map(|entry| entry.context).unwrap_or_default()
    }
}
