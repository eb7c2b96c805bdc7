//! What a typed line can be completed to: the one list that the keys walk through and the view shows.

use super::{Overlay, State};
use crate::clean::Clean;
use crate::event::Purpose;
use crate::keymap::action;

/// The candidates for the typed line as it is now.
pub fn candidates(state: &State) -> Vec<Clean> {
    let Some(input) = &state.screen.input else { return Vec::new() };
    match (&input.purpose, state.screen.overlays.last()) {
        (Purpose::Input, Some(Overlay::Form(form))) => {
            form.choices(&state.world, state.now, &input.text).into_iter().map(|choice| choice.value).collect()
        }
        (Purpose::Command, _) if input.text.is_empty() => state.screen.history.iter().map(|line| Clean::new(line)).collect(),
        (Purpose::Command, _) => {
            let steps = state.runbook.steps.iter().map(|step| format!("step {}", step.id));
            let names = action::names().filter(|name| *name != "step").map(str::to_owned);
            names.chain(steps).filter(|name| name.contains(input.text.trim())).map(Clean::from).collect()
        }
        _ => Vec::new(),
    }
}
