//! Data sources and their health.

use super::PageKind;
use crate::keymap::{Action, Context};

/// Data sources and their health.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceList {
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl PageKind for SourceList {
    const CONTEXTS: &'static [Context] = &[Context::Page];
    const ACTION: Option<Action> = Some(Action::Sources);

    fn opened() -> Option<Self> {
        Some(Self::default())
    }

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }
}
