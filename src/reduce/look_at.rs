//! Where a viewer looks: other namespaces, a node, an object's manifest.

use super::operate;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{ContextId, Kind, Meta, Target};
use crate::state::{Focus, ManifestView, Overlay, State, in_hand, selected_entry};

/// The world looks at other namespaces; the sources follow. What was selected or opened is not there any
/// more.
pub(super) fn at_namespaces(state: &mut State, line: &str) -> Vec<Effect> {
    if state.screen.playback.is_some() {
        state.screen.tell(state.now, "a replay shows the namespaces that were recorded");
        return Vec::new();
    }
    match state.world.namespaces_of(line) {
        Ok(chosen) => {
            state.screen.opened.clear();
            state.screen.overlays.clear();
            state.screen.lists.entry(Focus::Pods).or_default().let_go();
            vec![Effect::Unfollow, Effect::Watch(chosen)]
        }
        Err(why) => {
            state.screen.tell(state.now, why);
            Vec::new()
        }
    }
}

/// Opens a node in full.
pub(super) fn at_node(state: &mut State, name: &str) {
    let world = &state.world;
    let nodes = state.world.cluster.nodes.values();
    let found: Vec<&Meta> = nodes
        .map(|node| &node.meta)
        .filter(|meta| meta.name == name || world.place(meta.context(), &meta.name) == name)
        .collect();
    match found.as_slice() {
        [one] => {
            let uid = one.uid.clone();
            operate::open(state, Overlay::Detail { uid, scroll: 0 });
        }
        [_, ..] => {
            let names: Vec<String> =
                found.iter().map(|meta| format!("\"{}\"", world.place(meta.context(), &meta.name))).collect();
            state.screen.tell(state.now, format!("several nodes are called so: say {}", names.join(" or ")));
        }
        [] => state.screen.tell(state.now, format!("no node \"{name}\" is known")),
    }
}

/// Asks for the whole object that is selected or open.
pub(super) fn at_manifest(state: &mut State) -> Vec<Effect> {
    if state.screen.playback.is_some() {
        state.screen.tell(state.now, "a recording holds no manifests");
        return Vec::new();
    }
    let Some(target) = target(state) else {
        state.screen.tell(state.now, "choose a pod or a workload first (j, k)");
        return Vec::new();
    };
    operate::open(state, Overlay::Manifest(ManifestView { target: target.clone(), lines: None, scroll: 0 }));
    vec![Effect::Fetch(target)]
}

/// The context of what is in full on the screen, or selected; the main one where nothing is.
pub(super) fn context_in_hand(state: &State) -> ContextId {
    match state.screen.overlays.last() {
        Some(Overlay::Confirm(dialog)) => state.world.context_of(&dialog.plan.intent.target),
        Some(Overlay::Form(form)) => form.context(&state.world),
        Some(Overlay::Logs(log)) => ContextId::of(&log.subject.uid),
        Some(Overlay::Entry { id, .. }) => {
            state.world.timeline.get(*id).map(|entry| entry.context).unwrap_or_default()
        }
        None if state.screen.focus == Focus::Timeline => {
            selected_entry(&state.frame()).map(|entry| entry.context).unwrap_or_default()
        }
        _ => in_hand(&state.frame()).map(|uid| ContextId::of(&uid)).unwrap_or_default(),
    }
}

/// The pod, the workload or the node in hand.
fn target(state: &State) -> Option<Target> {
    let uid = &in_hand(&state.frame())?;
    let objects = &state.world.cluster;
    let pod = || objects.pods.get(uid).map(|pod| (Kind::Pod, &pod.meta));
    let workload = || objects.workloads.get(uid).map(|workload| (workload.kind, &workload.meta));
    let (kind, meta) =
        pod().or_else(workload).or_else(|| objects.nodes.get(uid).map(|node| (Kind::Node, &node.meta)))?;
    Some(bound(state, kind, meta))
}

fn bound(state: &State, kind: Kind, meta: &Meta) -> Target {
    let looked = state.world.session.as_ref().and_then(|session| session.looked(meta.context()));
    let (cluster, context) = looked.map(|one| (one.cluster.clone(), one.context.clone())).unwrap_or_default();
    Target {
        cluster,
        identity: state.world.identities.get(&meta.context()).cloned().unwrap_or_default(),
        context: if meta.context().is_main() { Clean::default() } else { context },
        kind: kind.word().into(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: ContextId::bare(&meta.uid).into(),
    }
}

/// The manifest has come, or the reason why there is none.
pub(super) fn fetched(state: &mut State, target: &Target, answer: &Result<Vec<Clean>, Clean>) {
    for overlay in &mut state.screen.overlays {
        if let Overlay::Manifest(view) = overlay
            && view.target == *target
        {
            view.lines = Some(answer.clone());
        }
    }
}
