//! Workloads and pods.

use super::PaneKind;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::Uid;
use crate::keymap::{Action, Context};
use crate::state::screen::pages::Detail;
use crate::state::{Focus, Frame, Severity, State, name_of, pod_lines};

pub(super) struct Pods;

impl PaneKind for Pods {
    const TITLE: &'static str = "Pods";
    const CONTEXT: Context = Context::Pods;
    const ACTION: Action = Action::FocusPods;

    fn rows(frame: &Frame<'_>) -> Vec<Clean> {
        pod_lines(frame).iter().map(|line| line.id().clone()).collect()
    }

    /// A workload shows its pods, and in detail when asked to be described; a pod its detail.
    fn open(state: &mut State, id: Clean, describe: bool) -> Vec<Effect> {
        let uid = Uid::of_recorded(id);
        let screen = &mut state.screen;
        if describe || !state.world.cluster.workloads.contains_key(&uid) {
            screen.open(Detail::of(uid));
        } else if !screen.opened.remove(&uid) {
            screen.opened.insert(uid);
        }
        Vec::new()
    }

    fn object(frame: &Frame<'_>) -> Option<Uid> {
        frame.screen.selected(Focus::Pods).cloned().map(Uid::of_recorded)
    }

    fn name(frame: &Frame<'_>, id: &Clean) -> Option<Clean> {
        name_of(frame.world, &Uid::of_recorded(id.clone()))
    }

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        if *action != Action::NextUnhealthy {
            return None;
        }
        let frame = state.frame();
        let lines = pod_lines(&frame);
        let ids: Vec<Clean> = lines.iter().map(|line| line.id().clone()).collect();
        let troubled = lines.iter().filter(|line| line.severity() > Severity::Ok);
        let troubled: Vec<Clean> = troubled.map(|line| line.id().clone()).collect();
        state.screen.list_mut().next_of(&ids, &troubled);
        Some(Vec::new())
    }
}
