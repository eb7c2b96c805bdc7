//! The `ReplicaSets` of a Deployment: the current one, the old ones, and how many pods they may have.

use std::sync::Arc;

use serde_json::Value;

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::REPLICA_SET;
use super::store::Object;
use crate::sim::json::{annotation, int, text};

/// A `ReplicaSet` of a Deployment, with the counts that decide its next size.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

#[derive(Clone)]
pub(super) struct Set {
    pub(super) object: Arc<Object>,
    pub(super) name: String,
    pub(super) wanted: i64,
    pub(super) available: i64,
}

impl Set {
    fn of(object: &Arc<Object>) -> Self {
        let value = object.value();
        let name = text(value, "/metadata/name").to_owned();
        let wanted = int(value, "/spec/replicas");
        Self { object: object.clone(), name, wanted, available: int(value, "/status/availableReplicas") }
    }

    pub(super) fn status(&self, field: &str) -> i64 {
        self.object.value()["status"][field].as_i64().unwrap_or_default()
    }
}

/// The `ReplicaSets` that a Deployment controls, oldest first.
pub(super) fn sets_of(cluster: &Cluster, deployment: &Value) -> Vec<Set> {
    let uid = text(deployment, "/metadata/uid");
    let all = cluster.store.list(&REPLICA_SET, Some(NAMESPACE));
    let mut sets: Vec<_> =
        all.filter(|set| text(set.value(), "/metadata/ownerReferences/0/uid") == uid).map(Set::of).collect();
    sets.sort_by_key(|set| {
        (text(set.object.value(), "/metadata/creationTimestamp").to_owned(), set.name.clone())
    });
    sets
}

/// The `ReplicaSet` whose template is the Deployment's, the hash aside.
pub(super) fn current_set(cluster: &Cluster, deployment: &Value) -> Option<Set> {
    sets_of(cluster, deployment)
        .into_iter()
        .find(|set| same_template(&set.object.value()["spec"]["template"], &deployment["spec"]["template"]))
}

pub(super) fn old_sets(cluster: &Cluster, deployment: &Value, current: Option<&Set>) -> Vec<Set> {
    sets_of(cluster, deployment)
        .into_iter()
        .filter(|set| current.is_none_or(|current| current.name != set.name))
        .collect()
}

fn same_template(set: &Value, deployment: &Value) -> bool {
    let labels = |template: &Value| {
        let all = template["metadata"]["labels"].as_object().into_iter().flatten();
        all.filter(|(key, _)| *key != "pod-template-hash")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    let same = |part: &str| set.pointer(part) == deployment.pointer(part);
    same("/metadata/annotations") && same("/spec") && labels(set) == labels(deployment)
}

/// Pods above and below the wanted number during an update; a share of surge is rounded up, one of
/// unavailability down.
pub(super) fn limits(deployment: &Value, replicas: i64) -> (i64, i64) {
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let surge = share(&rolling["maxSurge"], replicas, 99);
    let unavailable = share(&rolling["maxUnavailable"], replicas, 0);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable.min(replicas)) }
}

/// A number, or a percentage of `of` after adding `rounding` hundredths; 25 % when absent.
fn share(value: &Value, of: i64, rounding: i64) -> i64 {
    let percent = value.as_str().unwrap_or("25%").trim_end_matches('%').parse().unwrap_or(25);
    value.as_i64().unwrap_or((of * percent + rounding) / 100)
}

/// The revision of a `ReplicaSet` or a Deployment; 0 when it has none yet.
pub(super) fn revision_of(value: &Value) -> i64 {
    annotation(value, REVISION).and_then(|revision| revision.parse().ok()).unwrap_or_default()
}
