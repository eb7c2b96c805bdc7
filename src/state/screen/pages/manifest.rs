//! An object's manifest.

use super::{Page, PageKind};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{Kind, Meta, Target, Uid};
use crate::keymap::{Action, Context};
use crate::state::{Frame, State, in_hand};

/// One object's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestView {
    /// Object that the manifest is of.
    pub target: Target,
    /// Lines of the manifest, or why there are none, once the answer is there.
    pub lines: Option<Result<Vec<Clean>, Clean>>,
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl PageKind for ManifestView {
    const CONTEXTS: &'static [Context] = &[Context::Detail];

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }

    fn object(&self, frame: &Frame<'_>) -> Option<Uid> {
        Some(Uid::new(frame.world.context_of(&self.target), self.target.uid.clone()))
    }

    fn name(&self, _: &Frame<'_>) -> Option<Clean> {
        Some(self.target.name.clone())
    }

    fn offers(&self, _: &Frame<'_>, action: &Action) -> bool {
        *action != Action::Manifest
    }
}

/// Asks for the whole object that is selected or open.
pub fn open(state: &mut State) -> Vec<Effect> {
    let Some(target) = target(&state.frame()) else {
        state.screen.tell(state.now, "choose a pod or a workload first (j, k)");
        return Vec::new();
    };
    state.screen.open(ManifestView { target: target.clone(), lines: None, scroll: 0 });
    vec![Effect::Fetch(target)]
}

/// Takes the manifest that arrived, or why there is none.
pub fn fetched(state: &mut State, target: &Target, answer: &Result<Vec<Clean>, Clean>) {
    for page in &mut state.screen.pages {
        if let Page::Manifest(view) = page
            && view.target == *target
        {
            view.lines = Some(answer.clone());
        }
    }
}

/// The pod, the workload or the node in hand.
fn target(frame: &Frame<'_>) -> Option<Target> {
    let uid = &in_hand(frame)?;
    let objects = &frame.world.cluster;
    let pod = || objects.pods.get(uid).map(|pod| (Kind::Pod, &pod.meta));
    let workload = || objects.workloads.get(uid).map(|workload| (workload.kind, &workload.meta));
    let node = || objects.nodes.get(uid).map(|node| (Kind::Node, &node.meta));
    let (kind, meta) = pod().or_else(workload).or_else(node)?;
    Some(bound(frame, kind, meta))
}

fn bound(frame: &Frame<'_>, kind: Kind, meta: &Meta) -> Target {
    let world = frame.world;
    let looked = world.session.as_ref().and_then(|session| session.context(meta.context()));
    let (cluster, context) = looked.map(|one| (one.cluster.clone(), one.context.clone())).unwrap_or_default();
    Target {
        cluster,
        identity: world.identities.get(&meta.context()).cloned().unwrap_or_default(),
        context: if meta.context().is_main() { Clean::default() } else { context },
        kind: kind.word().into(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.id().into(),
    }
}
