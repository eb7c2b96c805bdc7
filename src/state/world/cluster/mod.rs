//! The cluster as last heard: its [`Objects`], and the rows that the workloads pane and `status --json` are
//! made of.
//!
//! Rows are kept up with every change ([`index`]), never worked out anew: a frame costs as much as it shows,
//! whatever the cluster's size. The index follows from the objects alone, so it is neither recorded nor
//! hashed.

mod group;
mod index;
mod objects;
mod row;

use std::collections::BTreeSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};

use crate::clean::Clean;
use crate::event::{ClusterEvent, Kind, Pod, Uid};
use crate::state::detect::pod_diagnosis::Diagnosis;

pub(in crate::state) use self::index::Index;
pub(in crate::state) use self::index::SortKey;
pub use self::objects::Objects;
pub(in crate::state) use self::row::ROLLING_OUT;
pub use self::row::{WorkloadRow, last_end};

/// Objects of the API server, as last reported. Read as [`Objects`]; changed by [`Cluster::fold`] alone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Objects")]
pub struct Cluster {
    objects: Objects,
    index: Index,
}

impl Deref for Cluster {
    type Target = Objects;

    fn deref(&self) -> &Objects {
        &self.objects
    }
}

impl Serialize for Cluster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.objects.serialize(serializer)
    }
}

impl From<Objects> for Cluster {
    fn from(objects: Objects) -> Self {
        let index = Index::of(&objects);
        Self { objects, index }
    }
}

impl Cluster {
    /// Takes in what the API server reported; returns which rows it touched.
    pub fn fold(&mut self, event: &ClusterEvent) -> BTreeSet<Uid> {
        let objects = &mut self.objects;
        let index = &mut self.index;
        match event {
            ClusterEvent::Listing(scope) => objects.begin(scope),
            ClusterEvent::Listed(scope) => {
                for uid in objects.complete(scope) {
                    index.forget(scope.kind, &uid, objects);
                }
            }
            ClusterEvent::Pods(all) => {
                for pod in all.iter().filter(|pod| objects.name(Kind::Pod, &pod.meta)).collect::<Vec<_>>() {
                    index.pod(objects.put_pod(pod).as_deref(), Some(pod));
                }
            }
            ClusterEvent::Workloads(all) => {
                for workload in all.iter().filter(|w| objects.name(w.kind, &w.meta)).collect::<Vec<_>>() {
                    index.workload(workload, objects.put_workload(workload).is_none());
                }
            }
            ClusterEvent::Revisions(all) => {
                for revision in
                    all.iter().filter(|r| objects.name(Kind::ReplicaSet, &r.meta)).collect::<Vec<_>>()
                {
                    index.revision(objects.put_revision(revision).as_ref(), Some(revision));
                }
            }
            ClusterEvent::Nodes(all) => all.iter().for_each(|node| objects.put_node(node)),
            ClusterEvent::Notices(all) => all.iter().for_each(|notice| objects.put_notice(notice)),
            ClusterEvent::ConfigMaps(all) => all.iter().for_each(|map| objects.put_config_map(map)),
            ClusterEvent::Gone(kind, uids) | ClusterEvent::Missed(kind, uids) => {
                for uid in uids {
                    index.forget(*kind, uid, objects);
                }
            }
        }
        index.settle(objects)
    }

    /// Takes another index in the place of this one.
    pub(in crate::state) fn replace_index(&mut self, index: Index) -> Index {
        std::mem::replace(&mut self.index, index)
    }

    /// Other namespaces are watched from now on: all but the nodes is heard anew.
    pub(in crate::state) fn watch(&mut self, namespaces: Vec<Clean>) {
        *self = std::mem::take(&mut self.objects).only_nodes(namespaces).into();
    }

    /// Iterates over workloads, and pods that no known workload owns: the worst first, then by namespace and
    /// name.
    pub fn rows(&self) -> impl Iterator<Item = WorkloadRow<'_>> {
        self.rows_where(|_| true)
    }

    /// Those of them whose place passes, in the same order: the others are not looked at further.
    pub(in crate::state) fn rows_where(
        &self,
        passes: impl Fn(&SortKey) -> bool,
    ) -> impl Iterator<Item = WorkloadRow<'_>> {
        let order = self.index.order().filter(move |(key, _)| passes(key));
        order.filter_map(|(key, summary)| WorkloadRow::new(&self.objects, key.uid(), summary))
    }

    /// Returns one row by its identity: the workload's, or the lone pod's.
    pub fn row(&self, uid: &Uid) -> Option<WorkloadRow<'_>> {
        WorkloadRow::new(&self.objects, uid, self.index.summary(uid)?)
    }

    /// Returns the pods of a row that are unhealthy, the worst first.
    pub fn troubled(&self, row: &WorkloadRow<'_>) -> Vec<(&Pod, &Diagnosis)> {
        self.index.troubled(row.uid(), &self.objects)
    }

    /// Returns the pods of a row, the worst first, then by name.
    pub fn pods_of(&self, row: &WorkloadRow<'_>) -> Vec<&Pod> {
        self.index.pods_of(row.uid(), &self.objects)
    }

    /// Returns whether a pod is on its way out: of an older revision than its Deployment's newest, and being
    /// deleted or replaced. What is wrong with it says nothing of the newest.
    pub fn is_leaving(&self, pod: &Pod) -> bool {
        self.index.is_leaving(pod, &self.objects)
    }

    /// Returns the number of pods that are ready, and of pods that should be: those that have not completed.
    pub fn readiness(&self) -> (usize, usize) {
        self.index.readiness()
    }
}

#[cfg(test)]
mod tests;
