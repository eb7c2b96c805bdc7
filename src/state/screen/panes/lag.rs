//! Consumer groups.

use super::PaneKind;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::Uid;
use crate::keymap::{Action, Context};
use crate::state::screen::pages::GroupDetail;
use crate::state::{Focus, Frame, State, lag_lines};

pub(super) struct Lag;

impl PaneKind for Lag {
    const TITLE: &'static str = "Kafka lag";
    const CONTEXT: Context = Context::Lag;
    const ACTION: Action = Action::FocusLag;

    fn rows(frame: &Frame<'_>) -> Vec<Clean> {
        lag_lines(frame).into_iter().map(|group| group.now.group.clone()).collect()
    }

    fn open(state: &mut State, id: Clean, _: bool) -> Vec<Effect> {
        state.screen.open(GroupDetail::of(id));
        Vec::new()
    }

    fn object(frame: &Frame<'_>) -> Option<Uid> {
        frame.world.consumer(frame.screen.selected(Focus::Lag)?).map(|workload| workload.meta.uid.clone())
    }
}
