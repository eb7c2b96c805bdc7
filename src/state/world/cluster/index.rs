//! Rows, kept up with every change: pods by the controller that has them, and for each row its place and what
//! it says.
//!
//! A change marks what it concerns; [`Index::settle`] works out those rows again and no other. Nothing in
//! here is a fact of its own: [`Index::of`] the same objects is the same index.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Objects;
use super::group::{Group, Rank};
use super::row::Summary;
use crate::clean::Clean;
use crate::event::{ContextId, Kind, Pod, PodPhase, Revision, Uid, Workload};
use crate::state::detect::pod_diagnosis::{Diagnosis, Severity};

/// Where a row stands: the worst first, then by namespace, name and context.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::state) struct SortKey(Reverse<Severity>, Clean, Clean, ContextId, Uid);

impl SortKey {
    pub(in crate::state) fn uid(&self) -> &Uid {
        &self.4
    }

    pub(in crate::state) fn name(&self) -> &Clean {
        &self.2
    }
}

/// What changed since the rows were worked out last.
#[derive(Clone, Debug, Default, PartialEq)]
struct Changed {
    /// Rows of workloads.
    rows: BTreeSet<Uid>,
    /// Pods, with their controllers.
    pods: BTreeSet<(Uid, Uid)>,
    /// Controllers that may belong to another row now.
    moved: BTreeSet<Uid>,
}

/// Rows and what they are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::state) struct Index {
    groups: BTreeMap<Uid, Group>,
    /// Deployment → its ReplicaSets.
    revisions: BTreeMap<Uid, BTreeSet<Uid>>,
    rows: BTreeMap<SortKey, Summary>,
    places: BTreeMap<Uid, SortKey>,
    /// Ready pods, and pods that have not completed.
    readiness: (usize, usize),
    changed: Changed,
}

fn controller(pod: &Pod) -> &Uid {
    pod.owner.as_ref().map_or(&pod.meta.uid, |owner| &owner.uid)
}

fn owner(revision: &Revision) -> Option<&Uid> {
    revision.owner.as_ref().map(|owner| &owner.uid)
}

impl Index {
    /// The index of objects at hand.
    pub(in crate::state) fn of(objects: &Objects) -> Self {
        let mut index = Self::default();
        objects.workloads.values().for_each(|workload| index.workload(workload, true));
        objects.revisions.values().for_each(|revision| index.revision(None, Some(revision)));
        objects.pods.values().for_each(|pod| index.pod(None, Some(pod)));
        index.settle(objects);
        index
    }

    /// A pod came, changed, or went.
    pub(in crate::state) fn pod(&mut self, old: Option<&Pod>, new: Option<&Pod>) {
        if let Some(pod) = old {
            self.count(pod, |n, by| n - by);
            let emptied = self.groups.get_mut(controller(pod)).is_some_and(|group| {
                group.remove(pod);
                group.pods.is_empty()
            });
            if emptied {
                self.groups.remove(controller(pod));
            }
        }
        if let Some(pod) = new {
            self.count(pod, |n, by| n + by);
            self.groups.entry(controller(pod).clone()).or_default().add(pod);
        }
        let pods = old.into_iter().chain(new).map(|pod| (controller(pod).clone(), pod.meta.uid.clone()));
        self.changed.pods.extend(pods);
    }

    fn count(&mut self, pod: &Pod, by: impl Fn(usize, usize) -> usize) {
        let (ready, all) = self.readiness;
        let counts = usize::from(pod.phase != PodPhase::Succeeded);
        self.readiness = (by(ready, counts * usize::from(pod.ready)), by(all, counts));
    }

    /// A workload came or changed.
    pub(in crate::state) fn workload(&mut self, workload: &Workload, new: bool) {
        let uid = &workload.meta.uid;
        self.changed.rows.insert(uid.clone());
        if new {
            self.moved_with(uid);
        }
    }

    fn moved_with(&mut self, workload: &Uid) {
        self.changed.moved.insert(workload.clone());
        self.changed.moved.extend(self.revisions.get(workload).into_iter().flatten().cloned());
    }

    /// A ReplicaSet came, changed, or went.
    pub(in crate::state) fn revision(&mut self, old: Option<&Revision>, new: Option<&Revision>) {
        if old.and_then(owner) == new.and_then(owner) {
            if old.map(|old| old.number) != new.map(|new| new.number) {
                self.changed.rows.extend(new.and_then(owner).cloned()); // it may be the newest now
            }
            return;
        }
        if let Some((revision, owner)) = old.and_then(|r| Some((r, owner(r)?))) {
            let emptied = self
                .revisions
                .get_mut(owner)
                .is_some_and(|all| all.remove(&revision.meta.uid) && all.is_empty());
            if emptied {
                self.revisions.remove(owner);
            }
            self.moved(owner, &revision.meta.uid);
        }
        if let Some((revision, owner)) = new.and_then(|r| Some((r, owner(r)?))) {
            self.revisions.entry(owner.clone()).or_default().insert(revision.meta.uid.clone());
            self.moved(owner, &revision.meta.uid);
        }
    }

    fn moved(&mut self, owner: &Uid, controller: &Uid) {
        self.changed.rows.insert(owner.clone());
        self.changed.moved.insert(controller.clone());
    }

    /// An object is gone: takes it out of the objects as well.
    pub(in crate::state) fn forget(&mut self, kind: Kind, uid: &Uid, objects: &mut Objects) {
        match kind {
            Kind::Pod => self.pod(objects.pods.remove(uid).as_deref(), None),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
                if objects.workloads.remove(uid).is_some() {
                    self.changed.rows.insert(uid.clone());
                    self.moved_with(uid);
                }
            }
            Kind::ReplicaSet => self.revision(objects.revisions.remove(uid).as_ref(), None),
            Kind::Node => objects.forget_node(uid),
            Kind::Event => objects.notices.remove(uid),
            Kind::ConfigMap => drop(objects.config_maps.remove(uid)),
        }
    }

    /// Works out again the rows that changes concern; answers which.
    pub(in crate::state) fn settle(&mut self, objects: &Objects) -> BTreeSet<Uid> {
        let Changed { mut rows, pods, moved } = std::mem::take(&mut self.changed);
        for (controller, pod) in pods {
            rows.insert(objects.workload_behind(&controller).map_or(pod, |w| w.meta.uid.clone()));
        }
        for controller in moved {
            rows.extend(self.groups.get(&controller).into_iter().flat_map(Group::pods).cloned());
            rows.extend(objects.workload_behind(&controller).map(|w| w.meta.uid.clone()));
        }
        for uid in &rows {
            self.work_out(uid, objects);
        }
        rows
    }

    fn work_out(&mut self, uid: &Uid, objects: &Objects) {
        if let Some(place) = self.places.remove(uid) {
            self.rows.remove(&place);
        }
        let alone = || objects.pods.get(uid).filter(|pod| objects.workload_behind(controller(pod)).is_none());
        let (meta, summary) = if let Some(workload) = objects.workloads.get(uid) {
            let groups: Vec<&Group> = self.groups_of(uid).collect();
            (
                &workload.meta,
                Summary::of_workload(workload, &groups, |pod| self.is_leaving(pod, objects), objects),
            )
        } else if let Some(pod) = alone() {
            (&pod.meta, Summary::of_pod(pod))
        } else {
            return;
        };
        let place = SortKey(
            Reverse(summary.severity),
            meta.namespace.clone(),
            meta.name.clone(),
            meta.context(),
            uid.clone(),
        );
        self.rows.insert(place.clone(), summary);
        self.places.insert(uid.clone(), place);
    }

    fn groups_of(&self, workload: &Uid) -> impl Iterator<Item = &Group> {
        let revisions = self.revisions.get(workload).into_iter().flatten();
        self.groups
            .get(workload)
            .into_iter()
            .chain(revisions.filter_map(|revision| self.groups.get(revision)))
    }

    /// Whether a pod is of an older ReplicaSet than the newest of its Deployment, and being deleted or
    /// replaced.
    pub(in crate::state) fn is_leaving(&self, pod: &Pod, objects: &Objects) -> bool {
        let Some(mine) = objects.revisions.get(controller(pod)) else { return false };
        let Some(deployment) = owner(mine).and_then(|uid| objects.workloads.get(uid)) else { return false };
        if pod.meta.deleting.is_none() && !deployment.is_rolling_out() {
            return false;
        }
        let others = self
            .revisions
            .get(&deployment.meta.uid)
            .into_iter()
            .flatten()
            .filter_map(|uid| objects.revisions.get(uid));
        others.into_iter().any(|other| other.number > mine.number)
    }

    /// All rows in their order.
    pub(in crate::state) fn order(&self) -> impl Iterator<Item = (&SortKey, &Summary)> {
        self.rows.iter()
    }

    /// What one row says.
    pub(in crate::state) fn summary(&self, uid: &Uid) -> Option<&Summary> {
        self.rows.get(self.places.get(uid)?)
    }

    /// The pods of a row that are not well, the worst first.
    pub(in crate::state) fn troubled<'a>(
        &'a self,
        row: &Uid,
        objects: &'a Objects,
    ) -> Vec<(&'a Pod, &'a Diagnosis)> {
        let mut ranked: Vec<(&Rank, &Diagnosis)> =
            self.groups_of_row(row, objects).flat_map(|group| &group.trouble).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked
            .into_iter()
            .filter_map(|((.., uid), diagnosis)| Some((objects.pods.get(uid)?.as_ref(), diagnosis)))
            .collect()
    }

    /// The pods of a row, the worst first, then by name.
    pub(in crate::state) fn pods_of<'a>(&'a self, row: &Uid, objects: &'a Objects) -> Vec<&'a Pod> {
        let mut all: Vec<_> = self.groups_of_row(row, objects).flat_map(|group| &group.pods).collect();
        all.sort_by_key(|((name, uid), severity)| (Reverse(**severity), name, uid));
        all.into_iter().filter_map(|((_, uid), _)| objects.pods.get(uid).map(AsRef::as_ref)).collect()
    }

    /// The groups of a workload's row; of a lone pod's row none, for it has no pods beside itself.
    fn groups_of_row<'a>(&'a self, row: &Uid, objects: &Objects) -> impl Iterator<Item = &'a Group> {
        let workload = objects.workloads.contains_key(row);
        self.groups_of(row).filter(move |_| workload)
    }

    pub(in crate::state) fn readiness(&self) -> (usize, usize) {
        self.readiness
    }
}
