//! What the viewer has in hand: the object that keys are about, the name that can be copied, the address that
//! can be opened.

use crate::clean::Clean;
use crate::event::{Alert, Uid, Workload};
use crate::keymap::Action;
use crate::state::{
    Dialog, Focus, Frame, Overlay, object_of, object_of_alert, selected_entry, timeline_lines,
};
use crate::step::guard;

/// The object of the cluster that is in full on the screen, or selected in the focused pane: never what a
/// pane has that is not looked at.
pub fn in_hand(frame: &Frame<'_>) -> Option<Uid> {
    let world = frame.world;
    match frame.screen.overlays.last() {
        Some(Overlay::Detail { uid, .. }) => Some(uid.clone()),
        Some(Overlay::Manifest(view)) => Some(world.context_of(&view.target).mark(&view.target.uid)),
        Some(Overlay::Logs(log)) => Some(log.subject.uid.clone()),
        Some(Overlay::Group { id, .. }) => world.consumer(id).map(uid_of),
        Some(Overlay::Service(name)) => world.serving(name).map(uid_of),
        Some(Overlay::Entry { id, .. }) => object_of(world, world.timeline.get(*id)?),
        Some(Overlay::Alerts { .. }) => object_of_alert(world, chosen_alert(frame)?),
        Some(
            Overlay::Help { .. }
            | Overlay::Changes { .. }
            | Overlay::Sources { .. }
            | Overlay::Form(_)
            | Overlay::Confirm(_)
            | Overlay::Picker { .. },
        ) => None,
        None => selected(frame),
    }
}

/// The same of the focused pane; a step is aimed at what is selected among the pods.
fn selected(frame: &Frame<'_>) -> Option<Uid> {
    let world = frame.world;
    let chosen = |focus| frame.screen.lists.get(&focus)?.selected.as_ref();
    match frame.screen.focus {
        Focus::Pods | Focus::Steps => chosen(Focus::Pods).cloned(),
        Focus::Rates => world.serving(chosen(Focus::Rates)?).map(uid_of),
        Focus::Lag => world.consumer(chosen(Focus::Lag)?).map(uid_of),
        Focus::Timeline => object_of(world, selected_entry(frame)?),
    }
}

fn uid_of(workload: &Workload) -> Uid {
    workload.meta.uid.clone()
}

/// The chosen alert; the first where none was chosen yet. One that ended is none.
pub fn chosen_alert<'a>(frame: &Frame<'a>) -> Option<&'a Alert> {
    let Some(Overlay::Alerts { selected }) = frame.screen.overlays.last() else { return None };
    match selected {
        Some(fingerprint) => frame.world.alerts.get(fingerprint),
        None => frame.world.alerts.grouped().first().and_then(|(_, alerts)| alerts.first().copied()),
    }
}

/// The row, among the pods, of what is in hand; of the timeline's newest entry where none is selected.
pub fn row_of(frame: &Frame<'_>) -> Option<Uid> {
    let timeline = frame.screen.overlays.is_empty() && frame.screen.focus == Focus::Timeline;
    let newest = || object_of(frame.world, timeline_lines(frame).last()?.entry);
    in_hand(frame).or_else(|| if timeline { newest() } else { None })
}

/// Whether an action does something over what is open now: the footer names no other.
pub fn offers(frame: &Frame<'_>, action: &Action) -> bool {
    let top = frame.screen.overlays.last();
    let object = || in_hand(frame).filter(|_| frame.screen.playback.is_none());
    match action {
        Action::Logs => object().is_some_and(|uid| !frame.world.cluster.nodes.contains_key(&uid)),
        Action::PreviousLogs if !matches!(top, Some(Overlay::Logs(_))) => offers(frame, &Action::Logs),
        Action::Manifest => object().is_some() && !matches!(top, Some(Overlay::Manifest(_))),
        Action::Describe => !matches!(top, Some(Overlay::Detail { .. })),
        Action::Confirm => !matches!(top, Some(Overlay::Confirm(dialog)) if !may_go(frame, dialog)),
        Action::Jump => row_of(frame).is_some_and(|uid| !frame.world.cluster.nodes.contains_key(&uid)),
        _ => true,
    }
}

/// Whether nothing is in the way of what a question is about.
fn may_go(frame: &Frame<'_>, Dialog { plan, .. }: &Dialog) -> bool {
    guard::confirmable(frame.world, plan, frame.now).is_ok()
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
pub fn subject(frame: &Frame<'_>) -> Option<Clean> {
    match frame.screen.overlays.last() {
        Some(Overlay::Detail { uid, .. }) => name_of(frame, uid),
        Some(Overlay::Manifest(view)) => Some(view.target.name.clone()),
        Some(Overlay::Logs(log)) => Some(log.subject.name.clone()),
        Some(Overlay::Confirm(dialog)) => Some(dialog.plan.intent.target.name.clone()),
        _ => {
            let id = frame.screen.lists.get(&frame.screen.focus)?.selected.clone()?;
            match frame.screen.focus {
                Focus::Pods => name_of(frame, &id),
                Focus::Timeline => {
                    let entry = selected_entry(frame)?;
                    Some(if entry.subject.is_empty() { entry.text.clone() } else { entry.subject.clone() })
                }
                Focus::Rates | Focus::Lag | Focus::Steps => Some(id),
            }
        }
    }
}

fn name_of(frame: &Frame<'_>, uid: &Clean) -> Option<Clean> {
    let cluster = &frame.world.cluster;
    let workload = cluster.workloads.get(uid).map(|workload| &workload.meta.name);
    let pod = || cluster.pods.get(uid).map(|pod| &pod.meta.name);
    workload.or_else(pod).or_else(|| cluster.nodes.get(uid).map(|node| &node.meta.name)).cloned()
}

/// The address of the alert that is about what is in hand; with nothing in hand, of the one that fires
/// longest. The runbook's page is preferred to the rule's.
pub fn link(frame: &Frame<'_>) -> Option<Link> {
    let words = words(frame);
    let alerts = frame.world.alerts.rows();
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
fn words(frame: &Frame<'_>) -> Vec<Clean> {
    let mut words: Vec<Clean> = subject(frame).into_iter().collect();
    let Some(id) = frame.screen.lists.get(&frame.screen.focus).and_then(|list| list.selected.clone()) else {
        return words;
    };
    match frame.screen.focus {
        Focus::Timeline => words.extend(selected_entry(frame).and_then(|entry| entry.about.clone())),
        Focus::Pods => {
            let of_pod =
                frame.world.cluster.pods.get(&id).and_then(|pod| frame.world.cluster.workload_of(pod));
            let workload = frame.world.cluster.workloads.get(&id).or(of_pod);
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
