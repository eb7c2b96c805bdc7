//! The cluster's objects, by identity, and the rows that the workloads pane and `status --json` are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::diagnosis::{Diagnosis, Severity, diagnose, restarts};
use super::notices::Notices;
use crate::clean::Clean;
use crate::event::{ClusterEvent, ConfigMap, Kind, Meta, Node, Notice, Pod, Revision, Scope, Uid, Workload};

/// What the API server has, as last heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Pods.
    pub pods: BTreeMap<Uid, Pod>,
    /// Deployments, StatefulSets, DaemonSets and Jobs.
    pub workloads: BTreeMap<Uid, Workload>,
    /// ReplicaSets.
    pub revisions: BTreeMap<Uid, Revision>,
    /// Nodes.
    pub nodes: BTreeMap<Uid, Node>,
    /// Kubernetes' warnings.
    pub notices: Notices,
    /// ConfigMaps.
    pub config_maps: BTreeMap<Uid, ConfigMap>,
    /// Nodes that are not ready, by name.
    pub down: BTreeMap<Clean, Uid>,
    /// Kinds whose first listing is complete.
    pub listed: BTreeSet<Kind>,
    /// The namespaces watched; none is all of them.
    pub(super) watched: Vec<Clean>,
    /// Listings that are complete.
    complete: BTreeSet<Scope>,
    /// During a listing: what was known before and has not been named yet.
    unnamed: Vec<(Scope, BTreeSet<Uid>)>,
}

/// A workload with its pods, or pods that no known workload owns.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadRow<'a> {
    /// The workload; `None` for pods on their own.
    pub workload: Option<&'a Workload>,
    /// Its pods with what is wrong with each, the worst first.
    pub pods: Vec<(&'a Pod, Diagnosis)>,
    /// How bad it is.
    pub severity: Severity,
    /// The worst reason: `CrashLoopBackOff`, or `None` when it is well.
    pub reason: Option<Clean>,
    /// More of it: `exit 1`.
    pub why: Option<Clean>,
    /// Restarts of all its pods.
    pub restarts: u32,
}

impl WorkloadRow<'_> {
    /// Name: the workload's, or the only pod's.
    pub fn name(&self) -> &Clean {
        self.meta_of().1
    }

    /// Namespace.
    pub fn namespace(&self) -> &Clean {
        self.meta_of().0
    }

    /// Identity of the row: the workload's, or the only pod's.
    pub fn uid(&self) -> &Uid {
        self.meta_of().2
    }

    fn meta_of(&self) -> (&Clean, &Clean, &Uid) {
        // A row has a workload or exactly one pod: `Cluster::rows` makes no other.
        static NONE: std::sync::OnceLock<Clean> = std::sync::OnceLock::new();
        let none = NONE.get_or_init(Clean::default);
        let meta = self.workload.map(|w| &w.meta).or_else(|| self.pods.first().map(|(pod, _)| &pod.meta));
        meta.map_or((none, none, none), |meta| (&meta.namespace, &meta.name, &meta.uid))
    }
}

impl Cluster {
    /// Takes in what the API server said. What is not in a namespace that is watched was said before these were chosen.
    pub fn fold(&mut self, event: &ClusterEvent) {
        match event {
            ClusterEvent::Listing(scope) => self.begin(scope),
            ClusterEvent::Listed(scope) => self.complete(scope),
            ClusterEvent::Pods(pods) => pods.iter().for_each(|pod| self.pod(pod)),
            ClusterEvent::Workloads(all) => all.iter().for_each(|w| {
                if self.name(w.kind, &w.meta) {
                    self.workloads.insert(w.meta.uid.clone(), w.clone());
                }
            }),
            ClusterEvent::Revisions(all) => all.iter().for_each(|r| {
                if self.name(Kind::ReplicaSet, &r.meta) {
                    self.revisions.insert(r.meta.uid.clone(), r.clone());
                }
            }),
            ClusterEvent::Nodes(all) => all.iter().for_each(|n| self.node(n)),
            ClusterEvent::Notices(all) => all.iter().for_each(|n| {
                if self.name(Kind::Event, &n.meta) {
                    self.notices.put(n);
                }
            }),
            ClusterEvent::ConfigMaps(all) => all.iter().for_each(|c| {
                if self.name(Kind::ConfigMap, &c.meta) {
                    self.config_maps.insert(c.meta.uid.clone(), c.clone());
                }
            }),
            ClusterEvent::Gone(kind, uids) | ClusterEvent::Missed(kind, uids) => uids.iter().for_each(|uid| self.forget(*kind, uid)),
        }
    }

    /// Other namespaces are watched from now on: all but the nodes is heard anew.
    pub(super) fn watch(&mut self, namespaces: Vec<Clean>) {
        let (nodes, down) = (std::mem::take(&mut self.nodes), std::mem::take(&mut self.down));
        *self = Self { watched: namespaces, nodes, down, ..Self::default() };
    }

    fn pod(&mut self, pod: &Pod) {
        if self.name(Kind::Pod, &pod.meta) {
            self.pods.insert(pod.meta.uid.clone(), pod.clone());
        }
    }

    fn node(&mut self, node: &Node) {
        let (uid, name) = (node.meta.uid.clone(), node.meta.name.clone());
        self.name(Kind::Node, &node.meta);
        if node.ready == Some(true) {
            self.down.remove(&name);
        } else {
            self.down.insert(name, uid.clone());
        }
        self.nodes.insert(uid, node.clone());
    }

    fn begin(&mut self, scope: &Scope) {
        let inside = |meta: &&Meta| scope.namespace.as_ref().is_none_or(|namespace| *namespace == meta.namespace);
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
            workload => Box::new(self.workloads.values().filter(move |w| w.kind == workload).map(|w| &w.meta)),
        }
    }

    /// A kind counts as listed once every namespace that is watched has been.
    fn complete(&mut self, scope: &Scope) {
        let unnamed = self.unnamed.extract_if(.., |(other, _)| other == scope).flat_map(|(_, uids)| uids).collect::<Vec<_>>();
        unnamed.iter().for_each(|uid| self.forget(scope.kind, uid));
        self.complete.insert(scope.clone());
        let kind = scope.kind;
        let part = |namespace: &Clean| self.complete.contains(&Scope { kind, namespace: Some(namespace.clone()) });
        if self.complete.contains(&kind.into()) || (!self.watched.is_empty() && self.watched.iter().all(part)) {
            self.listed.insert(kind);
        }
    }

    /// The object was named; answers whether it is one that is watched.
    fn name(&mut self, kind: Kind, meta: &Meta) -> bool {
        for (scope, uids) in &mut self.unnamed {
            if scope.kind == kind {
                uids.remove(&meta.uid);
            }
        }
        self.watched.is_empty() || !kind.namespaced() || self.watched.contains(&meta.namespace)
    }

    fn forget(&mut self, kind: Kind, uid: &Uid) {
        match kind {
            Kind::Pod => drop(self.pods.remove(uid)),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => drop(self.workloads.remove(uid)),
            Kind::ReplicaSet => drop(self.revisions.remove(uid)),
            Kind::Node => {
                self.nodes.remove(uid);
                self.down.retain(|_, down| down != uid);
            }
            Kind::Event => self.notices.remove(uid),
            Kind::ConfigMap => drop(self.config_maps.remove(uid)),
        }
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
        let owner = pod.owner.as_ref()?;
        self.workloads.get(&owner.uid).or_else(|| {
            let deployment = self.revisions.get(&owner.uid)?.owner.as_ref()?;
            self.workloads.get(&deployment.uid)
        })
    }

    /// The notices about one object, newest first.
    pub fn notices_about(&self, uid: &str) -> Vec<&Notice> {
        let mut all: Vec<&Notice> = self.notices.about(uid).collect();
        all.sort_by_key(|n| std::cmp::Reverse(n.last));
        all
    }

    /// Workloads with their pods: the worst first, then by namespace and name. What is unhealthy stands above what is well.
    pub fn rows(&self) -> Vec<WorkloadRow<'_>> {
        let mut pods_of: BTreeMap<&str, Vec<(&Pod, Diagnosis)>> = BTreeMap::new();
        let mut rows = Vec::new();
        for pod in self.pods.values() {
            match self.workload_of(pod) {
                Some(workload) => pods_of.entry(&workload.meta.uid).or_default().push((pod, diagnose(pod))),
                None => rows.push(row(None, vec![(pod, diagnose(pod))])),
            }
        }
        rows.extend(self.workloads.values().map(|w| row(Some(w), pods_of.remove(w.meta.uid.as_str()).unwrap_or_default())));
        rows.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then_with(|| a.namespace().cmp(b.namespace())).then_with(|| a.name().cmp(b.name()))
        });
        rows
    }
}

fn row<'a>(workload: Option<&'a Workload>, mut pods: Vec<(&'a Pod, Diagnosis)>) -> WorkloadRow<'a> {
    pods.sort_by(|(a, x), (b, y)| y.severity.cmp(&x.severity).then_with(|| a.meta.name.cmp(&b.meta.name)));
    let worst = pods.iter().map(|(_, d)| d).find(|d| d.severity > Severity::Ok);
    let short = workload.filter(|w| w.short() || w.stuck.is_some());
    let going = pods.iter().all(|(_, d)| d.severity < Severity::Critical) && short.is_none_or(|w| w.stuck.is_none());
    let severity = match (worst.map(|d| d.severity), short) {
        (Some(Severity::Critical), _) => Severity::Critical,
        (_, Some(w)) if w.ready == 0 || !going => Severity::Critical,
        (None, None) => Severity::Ok,
        _ => Severity::Warn,
    };
    let reason = worst.map(in_trouble).or_else(|| short.map(shortage)).filter(|_| severity > Severity::Ok);
    let why = worst.and_then(|d| d.why.clone()).or_else(|| short.and_then(|w| w.stuck.clone()));
    let restarts = pods.iter().map(|(pod, _)| restarts(pod)).fold(0, u32::saturating_add);
    WorkloadRow { workload, pods, severity, reason, why, restarts }
}

/// kubectl calls a pod `Running` that is not ready; as a reason that says nothing.
fn in_trouble(diagnosis: &Diagnosis) -> Clean {
    if diagnosis.status == "Running" { "not ready".into() } else { diagnosis.status.clone() }
}

fn shortage(workload: &Workload) -> Clean {
    workload.stuck.clone().unwrap_or_else(|| if workload.updated < workload.desired { "rolling out" } else { "not ready" }.into())
}

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
