//! The alerts: what is chosen, and what a step that is begun there is aimed at.

use std::collections::BTreeMap;

use super::{Page, PageKind};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{Alert, Typed, Uid};
use crate::keymap::{Action, Context};
use crate::runbook::InputKind;
use crate::state::{Frame, State, destination, object_of_alert};

/// The alerts and their silences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertList {
    /// Fingerprint of the chosen alert.
    pub selected: Option<Clean>,
}

impl AlertList {
    /// Returns the chosen alert; the first where none was chosen yet. One that ended is none.
    pub fn chosen<'a>(&self, frame: &Frame<'a>) -> Option<&'a Alert> {
        let alerts = &frame.world.alerts;
        match &self.selected {
            Some(fingerprint) => alerts.get(fingerprint),
            None => alerts.grouped().first().and_then(|(_, alerts)| alerts.first().copied()),
        }
    }

    /// Where an action leads. It holds on to an alert, never to a row.
    fn led(&self, frame: &Frame<'_>, action: &Action) -> Option<Clean> {
        let all = frame.world.alerts.grouped().into_iter().flat_map(|(_, alerts)| alerts);
        let ids: Vec<Clean> = all.map(|alert| alert.fingerprint.clone()).collect();
        let chosen = self.chosen(frame).map(|alert| &alert.fingerprint);
        let at = chosen.and_then(|chosen| ids.iter().position(|id| id == chosen));
        ids.get(destination(at, ids.len(), action, frame.screen.page())?).cloned()
    }
}

impl PageKind for AlertList {
    const CONTEXTS: &'static [Context] = &[Context::Alerts];
    const ACTION: Option<Action> = Some(Action::Alerts);

    fn opened() -> Option<Self> {
        Some(Self::default())
    }

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        if matches!(action, Action::Open | Action::Describe) {
            return Some(state.jump());
        }
        let frame = state.frame();
        let Some(Page::Alerts(list)) = frame.screen.pages.last() else { return None };
        let to = list.led(&frame, action)?;
        if let Some(Page::Alerts(list)) = state.screen.pages.last_mut() {
            list.selected = Some(to);
        }
        Some(Vec::new())
    }

    fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
        object_of_alert(frame.world, self.chosen(frame)?)
    }
}

/// Returns the chosen alert, while the alerts lie on top.
pub fn chosen_alert<'a>(frame: &Frame<'a>) -> Option<&'a Alert> {
    match frame.screen.pages.last() {
        Some(Page::Alerts(list)) => list.chosen(frame),
        _ => None,
    }
}

/// Returns the inputs of a step that is about the chosen alert, or about the silence that keeps it quiet the
/// longest.
pub fn aimed(frame: &Frame<'_>, step: &str) -> BTreeMap<Clean, Typed> {
    let input = frame.runbook.step(step).and_then(|step| step.inputs.first());
    let found = input.zip(chosen_alert(frame)).and_then(|(input, alert)| match input.kind {
        InputKind::Alert => Some((input.name.clone(), alert.fingerprint.clone().into())),
        InputKind::Silence => {
            Some((input.name.clone(), frame.world.alerts.silencing(alert).last()?.id.clone().into()))
        }
        _ => None,
    });
    found.into_iter().collect()
}
