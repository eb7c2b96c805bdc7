//! All that is measured of one service.

use super::{Page, PageKind};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::Uid;
use crate::keymap::{Action, Context};
use crate::state::{Frame, State, destination, row_ids};

/// All that is measured of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDetail {
    /// Name of the service.
    pub name: Clean,
}

impl ServiceDetail {
    /// From one service to another, as the list has them.
    fn led(&self, frame: &Frame<'_>, action: &Action) -> Option<(Vec<Clean>, usize)> {
        let ids = row_ids(frame);
        let at = ids.iter().position(|id| *id == self.name);
        let to = destination(at, ids.len(), action, frame.screen.page())?;
        Some((ids, to))
    }
}

impl PageKind for ServiceDetail {
    const CONTEXTS: &'static [Context] = &[Context::Page, Context::Rates];

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        let frame = state.frame();
        let Some(Page::Service(page)) = frame.screen.pages.last() else { return None };
        let (ids, to) = page.led(&frame, action)?;
        let name = ids[to].clone();
        state.screen.list_mut().select(&ids, name.clone());
        state.screen.open(Self { name });
        Some(Vec::new())
    }

    fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
        frame.world.serving(&self.name).map(|workload| workload.meta.uid.clone())
    }
}
