//! One pod, workload or node in full.

use super::PageKind;
use crate::clean::Clean;
use crate::event::Uid;
use crate::keymap::{Action, Context};
use crate::state::{Frame, name_of};

/// One pod, workload or node in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Uid of the object.
    pub uid: Uid,
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl Detail {
    /// Creates the page of an object, at its top.
    pub fn of(uid: Uid) -> Self {
        Self { uid, scroll: 0 }
    }
}

impl PageKind for Detail {
    const CONTEXTS: &'static [Context] = &[Context::Detail];

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }

    fn object(&self, _: &Frame<'_>) -> Option<Uid> {
        Some(self.uid.clone())
    }

    fn name(&self, frame: &Frame<'_>) -> Option<Clean> {
        name_of(frame.world, &self.uid)
    }

    fn offers(&self, _: &Frame<'_>, action: &Action) -> bool {
        *action != Action::Describe
    }
}
