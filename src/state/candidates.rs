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
        (Purpose::Command, _) if input.text.starts_with("ns ") => namespaces(state, &input.text[3..]),
        (Purpose::Command, _) if input.text.starts_with("node ") => nodes(state, &input.text[5..]),
        (Purpose::Command, _) => {
            let steps = state.runbook.steps.iter().map(|step| format!("step {}", step.id));
            let names = action::names().filter(|name| *name != "step").map(str::to_owned);
            names.chain(steps).filter(|name| name.contains(input.text.trim())).map(Clean::from).collect()
        }
        _ => Vec::new(),
    }
}

/// Completes the last of the namespaces that are named.
fn namespaces(state: &State, typed: &str) -> Vec<Clean> {
    let (before, last) = typed.rsplit_once([' ', ',']).map_or(("", typed), |(before, last)| (before, last));
    let before = if before.is_empty() { String::new() } else { format!("{before} ") };
    let watched = state.world.session.iter().flat_map(|session| &session.namespaces);
    let mut known: Vec<&Clean> = state.world.namespaces.keys().chain(watched).collect();
    known.sort();
    known.dedup();
    let names = known.into_iter().map(Clean::as_str).chain(["all"]);
    names.filter(|name| name.contains(last)).map(|name| format!("ns {before}{name}").into()).collect()
}

fn nodes(state: &State, typed: &str) -> Vec<Clean> {
    let names = state.world.cluster.nodes.values().map(|node| &node.meta.name);
    names.filter(|name| name.contains(typed.trim())).map(|name| format!("node {name}").into()).collect()
}
