//! What the viewer has in hand: the name that can be copied, and the address that can be opened.

use super::{Focus, Overlay, State, selected_entry};
use crate::clean::Clean;
use crate::event::Alert;

/// An address, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `http://…` or `https://…`
    pub address: Clean,
    /// The alert.
    pub of: Clean,
}

/// The name of what is open, or selected.
pub fn subject(state: &State) -> Option<Clean> {
    match state.screen.overlays.last() {
        Some(Overlay::Detail { uid, .. }) => name_of(state, uid),
        Some(Overlay::Manifest(view)) => Some(view.target.name.clone()),
        Some(Overlay::Logs(log)) => Some(log.subject.name.clone()),
        Some(Overlay::Confirm(dialog)) => Some(dialog.plan.intent.target.name.clone()),
        _ => {
            let id = state.screen.lists.get(&state.screen.focus)?.selected.clone()?;
            match state.screen.focus {
                Focus::Pods => name_of(state, &id),
                Focus::Timeline => {
                    let entry = selected_entry(state)?;
                    Some(if entry.subject.is_empty() { entry.text.clone() } else { entry.subject.clone() })
                }
                Focus::Rates | Focus::Lag | Focus::Steps => Some(id),
            }
        }
    }
}

fn name_of(state: &State, uid: &Clean) -> Option<Clean> {
    let cluster = &state.world.cluster;
    let workload = cluster.workloads.get(uid).map(|workload| &workload.meta.name);
    let pod = || cluster.pods.get(uid).map(|pod| &pod.meta.name);
    workload.or_else(pod).or_else(|| cluster.nodes.get(uid).map(|node| &node.meta.name)).cloned()
}

/// The address of the alert that is about what is in hand; with nothing in hand, of the one that fires longest. The runbook's page is
/// preferred to the rule's.
pub fn link(state: &State) -> Option<Link> {
    let words = words(state);
    let alerts = state.world.alerts.rows();
    let about = |alert: &&Alert| {
        words.iter().any(|word| alert.name == *word || alert.fingerprint == *word || alert.labels.values().any(|value| value == word))
    };
    let alert = alerts.into_iter().filter(|alert| words.is_empty() || about(alert)).find(|alert| address(alert).is_some())?;
    Some(Link { address: address(alert)?, of: alert.name.clone() })
}

/// Only what a browser opens, and only as it was sent: an address with marks of cleaning in it is none.
fn address(alert: &Alert) -> Option<Clean> {
    let plain = |text: &&Clean| {
        (text.starts_with("https://") || text.starts_with("http://"))
            && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\''))
    };
    [&alert.runbook, &alert.generator].into_iter().flatten().find(plain).cloned()
}

/// What an alert can call the thing in hand: its name, its service, its workload, its alert.
fn words(state: &State) -> Vec<Clean> {
    let mut words: Vec<Clean> = subject(state).into_iter().collect();
    let Some(id) = state.screen.lists.get(&state.screen.focus).and_then(|list| list.selected.clone()) else { return words };
    match state.screen.focus {
        Focus::Timeline => words.extend(selected_entry(state).and_then(|entry| entry.about.clone())),
        Focus::Pods => {
            let of_pod = state.world.cluster.pods.get(&id).and_then(|pod| state.world.cluster.workload_of(pod));
            let workload = state.world.cluster.workloads.get(&id).or(of_pod);
            words.extend(workload.into_iter().flat_map(|workload| [workload.service.clone(), workload.meta.name.clone()]));
        }
        _ => {}
    }
    words
}
