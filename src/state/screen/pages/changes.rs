//! What changed in the last hour.

use super::PageKind;
use crate::keymap::{Action, Context};

/// What changed in the last hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeList {
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl PageKind for ChangeList {
    const CONTEXTS: &'static [Context] = &[Context::Page];
    const ACTION: Option<Action> = Some(Action::Changes);

    fn opened() -> Option<Self> {
        Some(Self::default())
    }

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }
}
