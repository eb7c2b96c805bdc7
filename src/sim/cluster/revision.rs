//! Revisions of a Deployment: how they are numbered, what a reused `ReplicaSet`'s old number becomes, which
//! `ReplicaSets` are forgotten.

use serde_json::{Map, Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::{DEPLOYMENT, REPLICA_SET};
use super::replica_sets::{REVISION, Set, current_set, old_sets, revision_of};
use super::store::Object;
use crate::sim::json::{annotation, int, text};

const HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// Annotations of a Deployment that its `ReplicaSets` do not take over.
const OWN: [&str; 5] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
];

/// The annotations that a `ReplicaSet` takes over from its Deployment.
pub(super) fn inherited(metadata: &Value) -> Value {
    let all = metadata["annotations"].as_object().cloned().unwrap_or_default();
    all.into_iter().filter(|(key, _)| !OWN.contains(&key.as_str())).collect::<Map<_, _>>().into()
}

/// The number after the highest of these `ReplicaSets`.
pub(super) fn next(sets: &[Set]) -> i64 {
    sets.iter().map(|set| revision_of(set.object.value())).max().unwrap_or_default() + 1
}

/// Gives the current `ReplicaSet` the highest number, and the Deployment the same. A reused `ReplicaSet`
/// keeps its former number in its history.
pub(super) fn renew(cluster: &mut Cluster, deployment: &Value, current: &Object) {
    let name = current.key().1;
    let others: Vec<_> = old_sets(cluster, deployment, current_set(cluster, deployment).as_ref());
    let next = next(&others);
    if revision_of(current.value()) < next {
        stamp(cluster, &name, next);
        super::progress::restart(
            cluster,
            text(deployment, "/metadata/name"),
            "FoundNewReplicaSet",
            &name,
            "Found new replica set",
        );
    }
    let Some(set) = cluster.store.get(&REPLICA_SET, NAMESPACE, &name).cloned() else { return };
    let revision = annotation(set.value(), REVISION).unwrap_or_default();
    cluster.store.update(&DEPLOYMENT, NAMESPACE, text(deployment, "/metadata/name"), |deployment| {
        deployment["metadata"]["annotations"][REVISION] = json!(revision);
    });
}

/// Numbers a `ReplicaSet`; a number that it already had goes to its history.
pub(super) fn stamp(cluster: &mut Cluster, set: &str, number: i64) {
    cluster.store.update(&REPLICA_SET, NAMESPACE, set, |set| {
        let former = annotation(set, REVISION).unwrap_or_default().to_owned();
        let history = annotation(set, HISTORY).unwrap_or_default().to_owned();
        let annotations = &mut set["metadata"]["annotations"];
        annotations[REVISION] = json!(number.to_string());
        if !former.is_empty() {
            annotations[HISTORY] =
                json!(if history.is_empty() { former } else { format!("{history},{former}") });
        }
    });
}

/// Deletes the oldest empty `ReplicaSets` beyond `revisionHistoryLimit`.
pub(super) fn clean_up(cluster: &mut Cluster, deployment: &str) {
    let Some(deployment) = cluster.store.get(&DEPLOYMENT, NAMESPACE, deployment).cloned() else { return };
    let value = deployment.value();
    let mut old = old_sets(cluster, value, current_set(cluster, value).as_ref());
    let limit = value["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
    let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    old.sort_by_key(|set| revision_of(set.object.value()));
    for set in old.into_iter().take(surplus) {
        if set.wanted == 0 && int(set.object.value(), "/status/replicas") == 0 {
            cluster.store.delete(&REPLICA_SET, NAMESPACE, &set.name);
        }
    }
}
