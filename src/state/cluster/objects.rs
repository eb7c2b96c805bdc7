//! Objects by identity, and what a listing that is under way has not named yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Kind, Node, Notice, Pod, Revision, Uid, Workload};

/// What the API server has, as last heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    /// Pods. Shared with the records that brought them.
    pub pods: BTreeMap<Uid, Arc<Pod>>,
    /// Deployments and StatefulSets.
    pub workloads: BTreeMap<Uid, Workload>,
    /// ReplicaSets.
    pub revisions: BTreeMap<Uid, Revision>,
    /// Nodes.
    pub nodes: BTreeMap<Uid, Node>,
    /// Kubernetes Events.
    pub notices: BTreeMap<Uid, Notice>,
    /// Kinds whose first listing is complete.
    pub listed: BTreeSet<Kind>,
    /// During a listing: what was known before and has not been named yet.
    unnamed: BTreeMap<Kind, BTreeSet<Uid>>,
}

impl Objects {
    pub(super) fn begin(&mut self, kind: Kind) {
        let known = match kind {
            Kind::Pod => self.pods.keys().cloned().collect(),
            Kind::Deployment | Kind::StatefulSet => {
                self.workloads.values().filter(|w| w.kind == kind).map(|w| w.meta.uid.clone()).collect()
            }
            Kind::ReplicaSet => self.revisions.keys().cloned().collect(),
            Kind::Node => self.nodes.keys().cloned().collect(),
            Kind::Event => self.notices.keys().cloned().collect(),
        };
        self.unnamed.insert(kind, known);
    }

    /// Ends a listing; answers what it did not name and is therefore gone.
    pub(super) fn complete(&mut self, kind: Kind) -> BTreeSet<Uid> {
        self.listed.insert(kind);
        self.unnamed.remove(&kind).unwrap_or_default()
    }

    fn name(&mut self, kind: Kind, uid: &Uid) {
        if let Some(unnamed) = self.unnamed.get_mut(&kind) {
            unnamed.remove(uid);
        }
    }

    pub(super) fn put_pod(&mut self, pod: &Arc<Pod>) -> Option<Arc<Pod>> {
        self.name(Kind::Pod, &pod.meta.uid);
        self.pods.insert(pod.meta.uid.clone(), Arc::clone(pod))
    }

    pub(super) fn put_workload(&mut self, workload: &Workload) -> Option<Workload> {
        self.name(workload.kind, &workload.meta.uid);
        self.workloads.insert(workload.meta.uid.clone(), workload.clone())
    }

    pub(super) fn put_revision(&mut self, revision: &Revision) -> Option<Revision> {
        self.name(Kind::ReplicaSet, &revision.meta.uid);
        self.revisions.insert(revision.meta.uid.clone(), revision.clone())
    }

    pub(super) fn put_node(&mut self, node: &Node) {
        self.name(Kind::Node, &node.meta.uid);
        self.nodes.insert(node.meta.uid.clone(), node.clone());
    }

    pub(super) fn put_notice(&mut self, notice: &Notice) {
        self.name(Kind::Event, &notice.meta.uid);
        self.notices.insert(notice.meta.uid.clone(), notice.clone());
    }

    /// The workload of that kind and name.
    pub fn workload(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Workload> {
        self.workloads.values().find(|w| w.kind == kind && w.meta.name == name && w.meta.namespace == namespace)
    }

    /// A Deployment's revisions, newest first.
    pub fn revisions_of(&self, deployment: &str) -> Vec<&Revision> {
        let mut all: Vec<&Revision> =
            self.revisions.values().filter(|r| r.owner.as_ref().is_some_and(|owner| owner.uid == deployment)).collect();
        all.sort_by_key(|r| std::cmp::Reverse(r.number));
        all
    }

    /// The workload that a pod belongs to, through its ReplicaSet where there is one.
    pub fn workload_of(&self, pod: &Pod) -> Option<&Workload> {
        self.workload_behind(&pod.owner.as_ref()?.uid)
    }

    /// The workload that a controller is, or that it works for.
    pub(super) fn workload_behind(&self, controller: &str) -> Option<&Workload> {
        self.workloads.get(controller).or_else(|| {
            let deployment = self.revisions.get(controller)?.owner.as_ref()?;
            self.workloads.get(&deployment.uid)
        })
    }

    /// The notices about one object, newest first.
    pub fn notices_about(&self, uid: &str) -> Vec<&Notice> {
        let mut all: Vec<&Notice> = self.notices.values().filter(|n| n.about_uid == uid).collect();
        all.sort_by_key(|n| std::cmp::Reverse(n.last));
        all
    }
}
