//! 5xx by service.

use super::PaneKind;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::Uid;
use crate::keymap::{Action, Context};
use crate::state::screen::pages::ServiceDetail;
use crate::state::{Focus, Frame, State, rate_lines};

pub(super) struct Rates;

impl PaneKind for Rates {
    const TITLE: &'static str = "5xx by service";
    const CONTEXT: Context = Context::Rates;
    const ACTION: Action = Action::FocusRates;

    fn rows(frame: &Frame<'_>) -> Vec<Clean> {
        rate_lines(frame).into_iter().map(|(service, _)| service.clone()).collect()
    }

    fn open(state: &mut State, name: Clean, _: bool) -> Vec<Effect> {
        state.screen.open(ServiceDetail { name });
        Vec::new()
    }

    fn object(frame: &Frame<'_>) -> Option<Uid> {
        frame.world.serving(frame.screen.selected(Focus::Rates)?).map(|workload| workload.meta.uid.clone())
    }
}
