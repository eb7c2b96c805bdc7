//! The overlay of alerts: what is chosen, and what a step begun there is aimed at.

use std::collections::BTreeMap;

use super::operate;
use crate::clean::Clean;
use crate::event::Typed;
use crate::keymap::Action;
use crate::runbook::InputKind;
use crate::state::{Overlay, State, chosen_alert};

/// Moves the choice. It holds on to an alert, never to a row.
pub(super) fn travel(state: &mut State, action: &Action, page: usize) {
    let ids: Vec<Clean> = state
        .world
        .alerts
        .grouped()
        .into_iter()
        .flat_map(|(_, alerts)| alerts)
        .map(|alert| alert.fingerprint.clone())
        .collect();
    let at =
        chosen_alert(&state.frame()).and_then(|alert| ids.iter().position(|id| *id == alert.fingerprint));
    let to = operate::destination(at, ids.len(), action, page).and_then(|to| ids.get(to).cloned());
    if let (Some(to), Some(Overlay::Alerts { selected })) = (to, state.screen.overlays.last_mut()) {
        *selected = Some(to);
    }
}

/// The inputs of a step that is about the chosen alert, or about the silence that keeps it quiet the longest.
pub(super) fn chosen(state: &State, step: &str) -> BTreeMap<Clean, Typed> {
    let input = state.runbook.step(step).and_then(|step| step.inputs.first());
    let found = input.zip(chosen_alert(&state.frame())).and_then(|(input, alert)| match input.kind {
        InputKind::Alert => Some((input.name.clone(), alert.fingerprint.clone().into())),
        InputKind::Silence => {
            Some((input.name.clone(), state.world.alerts.silencing(alert).last()?.id.clone().into()))
        }
        _ => None,
    });
    found.into_iter().collect()
}
