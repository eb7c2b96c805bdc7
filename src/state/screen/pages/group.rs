//! One consumer group in full.

use super::PageKind;
use crate::clean::Clean;
use crate::event::Uid;
use crate::keymap::Context;
use crate::state::Frame;

/// One consumer group in full.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDetail {
    /// Id of the group.
    pub id: Clean,
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl GroupDetail {
    /// Creates the page of a group, at its top.
    pub fn of(id: Clean) -> Self {
        Self { id, scroll: 0 }
    }
}

impl PageKind for GroupDetail {
    const CONTEXTS: &'static [Context] = &[Context::Page];

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }

    fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
        frame.world.consumer(&self.id).map(|workload| workload.meta.uid.clone())
    }

    fn rowless(&self) -> String {
        format!("no workload is named {}", self.id)
    }
}
