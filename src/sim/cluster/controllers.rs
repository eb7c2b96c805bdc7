//! One pass of the controllers over everything that owns pods.

use std::sync::Arc;

use super::chart::NAMESPACE;
use super::kind::{DAEMON_SET, Kind, REPLICA_SET, STATEFUL_SET};
use super::pods::{orphans, reconcile_replica_set};
use super::store::Object;
use super::{Cluster, daemon_set, kubelet, scheduler, stateful_set};

/// One pass over everything that owns pods.
pub(super) fn reconcile(cluster: &mut Cluster) {
    for set in listed(cluster, &REPLICA_SET) {
        reconcile_replica_set(cluster, &set);
    }
    for set in listed(cluster, &STATEFUL_SET) {
        stateful_set::reconcile(cluster, &set);
    }
    for set in listed(cluster, &DAEMON_SET) {
        daemon_set::reconcile(cluster, &set);
    }
    for orphan in orphans(cluster) {
        kubelet::terminate(cluster, &orphan);
    }
    scheduler::step(cluster);
    scheduler::taint_nodes(cluster);
}

fn listed(cluster: &Cluster, kind: &Kind) -> Vec<Arc<Object>> {
    cluster.store.list(kind, Some(NAMESPACE)).cloned().collect()
}
