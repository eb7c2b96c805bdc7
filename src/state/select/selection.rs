//! What the viewer has in hand: the object that keys are about, the name that can be copied, the address that
//! can be opened.

use crate::clean::Clean;
use crate::event::{Alert, Uid, Workload};
use crate::keymap::Action;
use crate::state::{
    Dialog, Focus, Overlay, State, object_of, object_of_alert, selected_entry, timeline_lines,
};
use crate::step::guard;

/// The object of the cluster that is in full on the screen, or selected in the focused pane: never what a
/// pane has that is not looked at.
pub fn in_hand(state: &State) -> Option<Uid> {
    let world = &state.world;
    match state.screen.overlays.last() {
        Some(Overlay::Detail { uid, .. }) => Some(uid.clone()),
        Some(Overlay::Manifest(view)) => Some(world.context_of(&view.target).mark(&view.target.uid)),
        Some(Overlay::Logs(log)) => Some(log.subject.uid.clone()),
        Some(Overlay::Group { id, .. }) => world.consumer(id).map(uid_of),
        Some(Overlay::Service(name)) => world.serving(name).map(uid_of),
        Some(Overlay::Entry { id, .. }) => object_of(world, world.timeline.get(*id)?),
        Some(Overlay::Alerts { .. }) => object_of_alert(world, chosen_alert(state)?),
        Some(
            Overlay::Help { .. }
            | Overlay::Changes { .. }
            | Overlay::Sources { .. }
            | Overlay::Form(_)
            | Overlay::Confirm(_)
            | Overlay::Picker { .. },
        ) => None,
        None => selected(state),
    }
}

/// The same of the focused pane; a step is aimed at what is selected among the pods.
fn selected(state: &State) -> Option<Uid> {
    let world = &state.world;
    let chosen = |focus| state.screen.lists.get(&focus)?.selected.as_ref();
    match state.screen.focus {
        Focus::Pods | Focus::Steps => chosen(Focus::Pods).cloned(),
        Focus::Rates => world.serving(chosen(Focus::Rates)?).map(uid_of),
        Focus::Lag => world.consumer(chosen(Focus::Lag)?).map(uid_of),
        Focus::Timeline => object_of(world, selected_entry(state)?),
    }
}

fn uid_of(workload: &Workload) -> Uid {
    workload.meta.uid.clone()
}

/// The chosen alert; the first where none was chosen yet. One that ended is none.
pub fn chosen_alert(state: &State) -> Option<&Alert> {
    let Some(Overlay::Alerts { selected }) = state.screen.overlays.last() else { return None };
    match selected {
        Some(fingerprint) => state.world.alerts.get(fingerprint),
        None => state.world.alerts.grouped().first().and_then(|(_, alerts)| alerts.first().copied()),
    }
}

/// The row, among the pods, of what is in hand; of the timeline's newest entry where none is selected.
pub fn row_of(state: &State) -> Option<Uid> {
    let timeline = state.screen.overlays.is_empty() && state.screen.focus == Focus::Timeline;
    let newest = || object_of(&state.world, timeline_lines(state).last()?.entry);
    in_hand(state).or_else(|| if timeline { newest() } else { None })
}

/// Whether an action does something over what is open now: the footer names no other.
pub fn offers(state: &State, action: &Action) -> bool {
    let top = state.screen.overlays.last();
    let object = || in_hand(state).filter(|_| state.screen.playback.is_none());
    match action {
        Action::Logs => object().is_some_and(|uid| !state.world.cluster.nodes.contains_key(&uid)),
        Action::PreviousLogs if !matches!(top, Some(Overlay::Logs(_))) => offers(state, &Action::Logs),
        Action::Manifest => object().is_some() && !matches!(top, Some(Overlay::Manifest(_))),
        Action::Describe => !matches!(top, Some(Overlay::Detail { .. })),
        Action::Confirm => !matches!(top, Some(Overlay::Confirm(dialog)) if !may_go(state, dialog)),
        Action::Jump => row_of(state).is_some_and(|uid| !state.world.cluster.nodes.contains_key(&uid)),
        _ => true,
    }
}

/// Whether nothing is in the way of what a question is about.
fn may_go(state: &State, Dialog { plan, .. }: &Dialog) -> bool {
    guard::confirmable(&state.world, plan, state.now).is_ok()
}

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

/// The address of the alert that is about what is in hand; with nothing in hand, of the one that fires
/// longest. The runbook's page is preferred to the rule's.
pub fn link(state: &State) -> Option<Link> {
    let words = words(state);
    let alerts = state.world.alerts.rows();
    let about = |alert: &&Alert| {
        words.iter().any(|word| {
            alert.name == *word
                || alert.fingerprint == *word
                || alert.labels.values().any(|value| value == word)
        })
    };
    let alert = alerts
        .into_iter()
        .filter(|alert| words.is_empty() || about(alert))
        .find(|alert| address(alert).is_some())?;
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
    let Some(id) = state.screen.lists.get(&state.screen.focus).and_then(|list| list.selected.clone()) else {
        return words;
    };
    match state.screen.focus {
        Focus::Timeline => words.extend(selected_entry(state).and_then(|entry| entry.about.clone())),
        Focus::Pods => {
            let of_pod =
                state.world.cluster.pods.get(&id).and_then(|pod| state.world.cluster.workload_of(pod));
            let workload = state.world.cluster.workloads.get(&id).or(of_pod);
            words.extend(
                workload
                    .into_iter()
                    .flat_map(|workload| [workload.service.clone(), workload.meta.name.clone()]),
            );
        }
        _ => {}
    }
    words
}
