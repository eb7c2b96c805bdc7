//! Objects by identity, and what a listing that is under way has not named yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{
    ConfigMap, ContextId, Kind, Meta, Node, Notice, ObjectKey, Pod, Revision, Scope, Uid, Workload,
};
use crate::state::world::kube_events::Notices;

/// Objects of the API server, as last reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    /// Pods. Shared with the records that brought them.
    pub pods: BTreeMap<Uid, Arc<Pod>>,
    /// Deployments, StatefulSets, DaemonSets and Jobs.
    pub workloads: BTreeMap<Uid, Workload>,
    /// ReplicaSets.
    pub revisions: BTreeMap<Uid, Revision>,
    /// Nodes.
    pub nodes: BTreeMap<Uid, Node>,
    /// Nodes that are not ready, by name.
    pub down: BTreeMap<ObjectKey, Uid>,
    /// Kubernetes' warnings.
    pub notices: Notices,
    /// ConfigMaps.
    pub config_maps: BTreeMap<Uid, ConfigMap>,
    /// Kinds whose first listing is complete in a context, in every namespace that is watched.
    #[serde(flatten)]
    listed: Listed,
    /// The namespaces watched; none is all of them.
    pub(in crate::state) watched: Vec<Clean>,
    /// Listings that are complete.
    complete: BTreeSet<Scope>,
    /// During a listing: what was known before and has not been named yet.
    unnamed: Vec<(Scope, BTreeSet<Uid>)>,
}

/// What is listed, by context.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "RecordedListed", into = "RecordedListed")]
struct Listed(BTreeSet<(ContextId, Kind)>);

/// The same as checkpoints have it since the first release: the main context apart from the others.
#[derive(Serialize, Deserialize)]
struct RecordedListed {
    listed: BTreeSet<Kind>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    listed_beside: BTreeSet<(ContextId, Kind)>,
}

impl From<RecordedListed> for Listed {
    fn from(it: RecordedListed) -> Self {
        let main = it.listed.into_iter().map(|kind| (ContextId::MAIN, kind));
        Self(main.chain(it.listed_beside).collect())
    }
}

impl From<Listed> for RecordedListed {
    fn from(Listed(all): Listed) -> Self {
        let (main, others): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(|(id, _)| id.is_main());
        Self { listed: main.into_iter().map(|(_, kind)| kind).collect(), listed_beside: others }
    }
}

impl Objects {
    /// Nothing known but the nodes, which belong to no namespace.
    pub(in crate::state) fn only_nodes(self, watched: Vec<Clean>) -> Self {
        Self { nodes: self.nodes, down: self.down, watched, ..Self::default() }
    }

    /// Returns whether what is in a namespace is looked at.
    pub fn watches(&self, namespace: &str) -> bool {
        self.watched.is_empty() || self.watched.iter().any(|watched| watched == namespace)
    }

    pub(in crate::state) fn begin(&mut self, scope: &Scope) {
        let of_namespace =
            |meta: &Meta| scope.namespace.as_ref().is_none_or(|namespace| *namespace == meta.namespace);
        let inside = |meta: &&Meta| meta.context() == scope.context && of_namespace(meta);
        let known = self.metas(scope.kind).filter(inside).map(|meta| meta.uid.clone()).collect();
        self.unnamed.retain(|(other, _)| other != scope);
        self.unnamed.push((scope.clone(), known));
    }

    fn metas(&self, kind: Kind) -> Box<dyn Iterator<Item = &Meta> + '_> {
        match kind {
            Kind::Pod => Box::new(self.pods.values().map(|pod| &pod.meta)),
            Kind::ReplicaSet => Box::new(self.revisions.values().map(|r| &r.meta)),
            Kind::Node => Box::new(self.nodes.values().map(|n| &n.meta)),
            Kind::Event => Box::new(self.notices.values().map(|n| &n.meta)),
            Kind::ConfigMap => Box::new(self.config_maps.values().map(|c| &c.meta)),
            workload => {
                Box::new(self.workloads.values().filter(move |w| w.kind == workload).map(|w| &w.meta))
            }
        }
    }

    /// Ends a listing; answers what it did not name and is therefore gone.
    pub(in crate::state) fn complete(&mut self, scope: &Scope) -> BTreeSet<Uid> {
        self.complete.insert(scope.clone());
        let part = |namespace: Option<&Clean>| {
            self.complete.contains(&Scope { namespace: namespace.cloned(), ..scope.clone() })
        };
        if part(None) || self.watched.iter().all(|namespace| part(Some(namespace))) {
            self.listed.0.insert((scope.context, scope.kind));
        }
        let at = self.unnamed.iter().position(|(other, _)| other == scope);
        at.map(|at| self.unnamed.swap_remove(at).1).unwrap_or_default()
    }

    /// Iterates over what a listing that is under way has not named yet; when it ends, that is gone.
    pub fn unnamed(&self, scope: &Scope) -> impl Iterator<Item = &Uid> {
        self.unnamed.iter().filter(move |(other, _)| other == scope).flat_map(|(_, uids)| uids)
    }

    /// Returns the metadata of an object, as far as it has a name.
    pub fn meta(&self, kind: Kind, uid: &Uid) -> Option<&Meta> {
        match kind {
            Kind::Pod => self.pods.get(uid).map(|pod| &pod.meta),
            Kind::ReplicaSet => self.revisions.get(uid).map(|revision| &revision.meta),
            Kind::Node => self.nodes.get(uid).map(|node| &node.meta),
            Kind::ConfigMap => self.config_maps.get(uid).map(|map| &map.meta),
            Kind::Event => None,
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
                self.workloads.get(uid).map(|workload| &workload.meta)
            }
        }
    }

    /// Returns whether the first listing of a kind is complete in a context: what comes from then on is new.
    pub fn is_listed(&self, kind: Kind, context: ContextId) -> bool {
        self.listed.0.contains(&(context, kind))
    }

    /// Returns the node of that name in a context, while it is not ready.
    pub fn down(&self, context: ContextId, name: &str) -> Option<&Node> {
        self.nodes.get(self.down.get(&*ObjectKey::text(context, name))?)
    }

    /// An object was named. Answers whether it is in a namespace that is watched: what is not was said before
    /// these were chosen.
    pub(in crate::state) fn name(&mut self, kind: Kind, meta: &Meta) -> bool {
        for (_, uids) in self.unnamed.iter_mut().filter(|(scope, _)| scope.kind == kind) {
            uids.remove(&meta.uid);
        }
        self.watched.is_empty() || !kind.namespaced() || self.watched.contains(&meta.namespace)
    }

    pub(in crate::state) fn put_pod(&mut self, pod: &Arc<Pod>) -> Option<Arc<Pod>> {
        self.pods.insert(pod.meta.uid.clone(), Arc::clone(pod))
    }

    pub(in crate::state) fn put_workload(&mut self, workload: &Workload) -> Option<Workload> {
        self.workloads.insert(workload.meta.uid.clone(), workload.clone())
    }

    pub(in crate::state) fn put_revision(&mut self, revision: &Revision) -> Option<Revision> {
        self.revisions.insert(revision.meta.uid.clone(), revision.clone())
    }

    pub(in crate::state) fn put_node(&mut self, node: &Node) {
        let uid = node.meta.uid.clone();
        let name = ObjectKey::new(node.meta.context(), node.meta.name.clone());
        self.name(Kind::Node, &node.meta);
        if node.ready == Some(true) {
            self.down.remove(&name);
        } else {
            self.down.insert(name, uid.clone());
        }
        self.nodes.insert(uid, node.clone());
    }

    pub(in crate::state) fn forget_node(&mut self, uid: &Uid) {
        self.nodes.remove(uid);
        self.down.retain(|_, down| down != uid);
    }

    pub(in crate::state) fn put_notice(&mut self, notice: &Notice) {
        if self.name(Kind::Event, &notice.meta) {
            self.notices.put(notice);
        }
    }

    pub(in crate::state) fn put_config_map(&mut self, map: &ConfigMap) {
        if self.name(Kind::ConfigMap, &map.meta) {
            self.config_maps.insert(map.meta.uid.clone(), map.clone());
        }
    }

    /// Returns a Deployment's revisions, newest first.
    pub fn revisions_of(&self, deployment: &Uid) -> Vec<&Revision> {
        let mut all: Vec<&Revision> = self
            .revisions
            .values()
            .filter(|r| r.owner.as_ref().is_some_and(|owner| owner.uid == *deployment))
            .collect();
        all.sort_by_key(|r| std::cmp::Reverse(r.number));
        all
    }

    /// Returns the workload that a pod belongs to, through its ReplicaSet where there is one.
    pub fn workload_of(&self, pod: &Pod) -> Option<&Workload> {
        self.workload_behind(&pod.owner.as_ref()?.uid)
    }

    /// The workload that a controller is, or that it works for.
    pub(in crate::state) fn workload_behind(&self, controller: &Uid) -> Option<&Workload> {
        self.workloads.get(controller).or_else(|| {
            let deployment = self.revisions.get(controller)?.owner.as_ref()?;
            self.workloads.get(&deployment.uid)
        })
    }

    /// Returns the notices about one object, newest first.
    pub fn notices_about(&self, uid: &Uid) -> Vec<&Notice> {
        let mut all: Vec<&Notice> = self.notices.about(uid).collect();
        all.sort_by_key(|n| std::cmp::Reverse(n.last));
        all
    }
}
