//! The keys.

use super::PageKind;
use crate::keymap::Context;

/// The keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Help {
    /// Lines scrolled down.
    pub scroll: usize,
}

impl PageKind for Help {
    const CONTEXTS: &'static [Context] = &[Context::Help];

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }
}
