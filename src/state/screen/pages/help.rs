//! The keys.

use super::PageKind;
use crate::keymap::{Action, Context};

/// The keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Help {
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl PageKind for Help {
    const CONTEXTS: &'static [Context] = &[Context::Help];
    const ACTION: Option<Action> = Some(Action::Help);

    fn opened() -> Option<Self> {
        Some(Self::default())
    }

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }
}
