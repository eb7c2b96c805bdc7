//! What the viewer has in hand: the object that keys are about, the name that can be copied, the address that
//! can be opened.

use crate::clean::Clean;
use crate::event::{Alert, ContextId, Uid};
use crate::keymap::Action;
use crate::state::{Cursor, Focus, Frame, World, object_of, selected_entry, timeline_lines};

/// Returns the object of the cluster that is in full on the screen, or selected in the focused pane: never
/// what a pane has that is not looked at.
pub fn in_hand(frame: &Frame<'_>) -> Option<Uid> {
    match frame.screen.pages.last() {
        Some(page) => page.object(frame),
        None => frame.screen.focus.object(frame),
    }
}

/// Returns the context of what is in full on the screen, or selected; the main one where nothing is.
pub fn context_in_hand(frame: &Frame<'_>) -> ContextId {
    match frame.screen.pages.last() {
        Some(page) => page.context(frame),
        None => frame.screen.focus.object_context(frame),
    }
}

/// Returns the row, among the pods, of what is in hand; of the timeline's newest entry where none is
/// selected.
pub fn row_of(frame: &Frame<'_>) -> Option<Uid> {
    let timeline = frame.screen.pages.is_empty() && frame.screen.focus == Focus::Timeline;
    let newest = || object_of(frame.world, timeline_lines(frame).last()?.entry);
    in_hand(frame).or_else(|| if timeline { newest() } else { None })
}

/// Returns whether an action does something over what is open now: the footer names no other.
pub fn offers(frame: &Frame<'_>, action: &Action) -> bool {
    let object = || in_hand(frame).filter(|_| frame.cursor == Cursor::Live);
    let is_node = |uid: Uid| frame.world.cluster.nodes.contains_key(&uid);
    let page = frame.screen.pages.last();
    page.is_none_or(|page| page.offers(frame, action))
        && match action {
            Action::Logs | Action::PreviousLogs => object().is_some_and(|uid| !is_node(uid)),
            Action::Manifest => object().is_some(),
            Action::Jump => row_of(frame).is_some_and(|uid| !is_node(uid)),
            _ => true,
        }
}

/// Returns the name of what is open, or selected.
pub fn subject(frame: &Frame<'_>) -> Option<Clean> {
    let selected = || frame.screen.focus.name(frame, frame.screen.selected(frame.screen.focus)?);
    frame.screen.pages.last().and_then(|page| page.name(frame)).or_else(selected)
}

/// Returns the name of a workload, a pod or a node.
pub fn name_of(world: &World, uid: &Uid) -> Option<Clean> {
    let cluster = &world.cluster;
    let workload = cluster.workloads.get(uid).map(|workload| &workload.meta.name);
    let pod = || cluster.pods.get(uid).map(|pod| &pod.meta.name);
    workload.or_else(pod).or_else(|| cluster.nodes.get(uid).map(|node| &node.meta.name)).cloned()
}

/// Link of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Address: `http://…` or `https://…`.
    pub address: Clean,
    /// Name of the alert.
    pub of: Clean,
}

/// Returns the link of the alert that is about what is in hand; with nothing in hand, of the one that fires
/// longest. The runbook's page is preferred to the rule's.
pub fn link(frame: &Frame<'_>) -> Option<Link> {
    let words = words(frame);
    let about = |alert: &&Alert| {
        let is = |word: &Clean| alert.name == *word || alert.fingerprint == *word;
        words.iter().any(|word| is(word) || alert.labels.values().any(|value| value == word))
    };
    let mut alerts = frame.world.alerts.rows().into_iter().filter(|alert| words.is_empty() || about(alert));
    let (alert, address) = alerts.find_map(|alert| Some((alert, address(alert)?)))?;
    Some(Link { address, of: alert.name.clone() })
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
    let cluster = &frame.world.cluster;
    let mut words: Vec<Clean> = subject(frame).into_iter().collect();
    match (frame.screen.focus, frame.screen.selected(frame.screen.focus)) {
        (Focus::Timeline, Some(_)) => {
            words.extend(selected_entry(frame).and_then(|entry| Some(entry.about.as_ref()?.id().into())));
        }
        (Focus::Pods, Some(id)) => {
            let uid = Uid::of_recorded(id.clone());
            let of_pod = cluster.pods.get(&uid).and_then(|pod| cluster.workload_of(pod));
            let workload = cluster.workloads.get(&uid).or(of_pod);
            words.extend(workload.into_iter().flat_map(|w| [w.service.clone(), w.meta.name.clone()]));
        }
        _ => {}
    }
    words
}
