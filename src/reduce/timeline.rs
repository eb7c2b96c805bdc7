//! Reading the timeline: opening causes and entries, finding, pinning, and going to the object that an entry
//! is about.

use super::operate;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::Operator;
use crate::state::{
    Focus, Overlay, State, TimelineEntry, pod_lines, row_ids, row_of, search, selected_entry, timeline_lines,
};

/// The selected entry, or the newest.
fn chosen(state: &State) -> Option<&TimelineEntry> {
    selected_entry(&state.frame()).or_else(|| timeline_lines(&state.frame()).last().map(|line| line.entry))
}

/// Opens a cause, or shows an entry in full.
pub(super) fn open(state: &mut State, describe: bool) {
    let Some((id, cases)) = chosen(state).map(|entry| (entry.id, entry.cases)) else { return };
    if cases > 0 && !describe {
        expand(state);
    } else {
        operate::open(state, Overlay::Entry { id, scroll: 0 });
    }
}

/// Shows the cases of a cause, or hides them; on a case, hides it with its siblings.
pub(super) fn expand(state: &mut State) {
    let Some(id) = chosen(state).and_then(|entry| entry.cause.or((entry.cases > 0).then_some(entry.id)))
    else {
        state.screen.tell(state.now, "it stands for itself: there is nothing below it");
        return;
    };
    if !state.screen.reading.opened.remove(&id) {
        state.screen.reading.opened.insert(id);
    }
    select(state, id);
}

fn select(state: &mut State, id: u64) {
    let ids = row_ids(&state.frame());
    operate::select(state.screen.list_mut(), &ids, id.to_string().into());
}

/// Goes to the next or previous entry that has the searched text, and opens the cause that it is a case of.
pub(super) fn find(state: &mut State, forward: bool) {
    let text = state.screen.reading.search.clone();
    if text.is_empty() {
        return;
    }
    match search(&state.frame(), forward).map(|entry| (entry.id, entry.cause)) {
        Some((id, cause)) => {
            state.screen.reading.opened.extend(cause);
            select(state, id);
        }
        None => state.screen.tell(state.now, format!("\"{text}\" is not in the timeline")),
    }
}

/// Keeps an entry in sight, or no longer. A decision: it is recorded.
pub(super) fn pin(state: &mut State) -> Vec<Effect> {
    if state.screen.playback.is_some() {
        state.screen.tell(state.now, "a replay is not written to");
        return Vec::new();
    }
    let Some(entry) = chosen(state) else { return Vec::new() };
    vec![Effect::Decide(Operator::Pinned { entry: entry.id, pinned: !entry.pinned })]
}

/// Goes to the row, among the pods, of what is in hand; of the timeline's newest entry where none is
/// selected.
pub(super) fn jump(state: &mut State) {
    let why = match state.screen.overlays.last() {
        Some(Overlay::Group { id, .. }) => format!("no workload is named {id}"),
        _ => "it is about nothing that is in the cluster now".to_owned(),
    };
    match row_of(&state.frame()) {
        Some(uid) => go_to(state, uid),
        None => state.screen.tell(state.now, why),
    }
}

/// Selects a workload or a pod in the pods pane; whatever hides it gives way.
pub(super) fn go_to(state: &mut State, uid: Clean) {
    state.screen.overlays.clear();
    state.screen.focus = Focus::Pods;
    let shown = |state: &State| pod_lines(&state.frame()).iter().any(|line| *line.id() == uid);
    if !shown(state) {
        let cluster = &state.world.cluster;
        let owner = cluster
            .pods
            .get(&uid)
            .and_then(|pod| cluster.workload_of(pod))
            .map(|workload| workload.meta.uid.clone());
        state.screen.opened.extend(owner);
    }
    if !shown(state) {
        state.screen.list_mut().filter = Clean::default();
        state.screen.faults_only = false;
    }
    let ids = row_ids(&state.frame());
    operate::select(state.screen.list_mut(), &ids, uid);
}
