//! The Deployment controller: `ReplicaSets` by template, revisions, rolling updates and status, by the rules
//! of the real one (kubernetes/kubernetes: `pkg/controller/deployment`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::{DEPLOYMENT, REPLICA_SET};
use super::pods::owner_reference;
use super::store::Object;
use super::{progress, revision};
use crate::sim::json::{annotation, int, text};
use crate::sim::rng::suffix;

/// A `ReplicaSet` of a Deployment, with the counts that decide its next size.
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

/// One pass over the company's Deployments.
pub(super) fn reconcile(cluster: &mut Cluster) {
    let deployments: Vec<_> = cluster.store.list(&DEPLOYMENT, Some(NAMESPACE)).cloned().collect();
    for deployment in deployments {
        reconcile_one(cluster, deployment.value());
    }
}

fn reconcile_one(cluster: &mut Cluster, deployment: &Value) {
    let name = text(deployment, "/metadata/name");
    let paused = deployment["spec"]["paused"] == true;
    if current_set(cluster, deployment).is_none() && !paused {
        create_set(cluster, deployment);
    }
    if let Some(current) = current_set(cluster, deployment)
        && !paused
    {
        revision::renew(cluster, deployment, &current.object);
    }
    let current = current_set(cluster, deployment);
    let old = old_sets(cluster, deployment, current.as_ref());
    match &current {
        Some(current) if !paused => roll(cluster, deployment, current, &old),
        _ => {}
    }
    progress::write_status(cluster, name);
    revision::clean_up(cluster, name);
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

/// The hash that names the `ReplicaSet` of a template.
pub(super) fn template_hash(template: &Value) -> String {
    let digest = blake3::hash(template.to_string().as_bytes());
    let mut bytes = digest.as_bytes().iter();
    suffix(10, || u64::from(*bytes.next().unwrap_or(&0)))
}

fn create_set(cluster: &mut Cluster, deployment: &Value) {
    let set = set_of(deployment, 0);
    let next = revision::next(&sets_of(cluster, deployment));
    let created = cluster.store.create(&REPLICA_SET, set, cluster.now);
    revision::stamp(cluster, &created.key().1, next);
    progress::restart(
        cluster,
        text(deployment, "/metadata/name"),
        "NewReplicaSetCreated",
        &created.key().1,
        "Created new replica set",
    );
}

/// The `ReplicaSet` of a Deployment's template.
pub(super) fn set_of(deployment: &Value, replicas: i64) -> Value {
    let metadata = &deployment["metadata"];
    let spec = &deployment["spec"];
    let hash = template_hash(&spec["template"]);
    let mut template = spec["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let mut selector = spec["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = json!(hash);
    json!({
        "metadata": {
            "name": format!("{}-{hash}", text(metadata, "/name")), "namespace": metadata["namespace"], "labels": template["metadata"]["labels"],
            "annotations": revision::inherited(metadata), "ownerReferences": [owner_reference(&DEPLOYMENT, metadata)],
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
        "status": {"replicas": 0},
    })
}

/// Moves a rolling update on by one scaling, or a settled Deployment to its size.
fn roll(cluster: &mut Cluster, deployment: &Value, current: &Set, old: &[Set]) {
    let replicas = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let (surge, unavailable) = limits(deployment, replicas);
    let total: i64 = current.wanted + old.iter().map(|set| set.wanted).sum::<i64>();
    let grown = (current.wanted + (replicas + surge - total).max(0)).min(replicas);
    let next = if current.wanted > replicas { replicas } else { grown.max(current.wanted) };
    if next != current.wanted {
        return scale(cluster, deployment, current, next);
    }
    let least = replicas - unavailable;
    let spare = total - least - (current.wanted - current.available);
    for (set, size) in shrunk(old, spare, current.available, least) {
        scale(cluster, deployment, &set, size);
    }
}

/// Which old `ReplicaSets` to shrink to which size: first the pods that do not work, then what availability
/// allows.
fn shrunk(old: &[Set], spare: i64, current_available: i64, least: i64) -> Vec<(Set, i64)> {
    let mut sizes: Vec<_> = old.iter().map(|set| set.wanted).collect();
    let mut spare = spare.max(0);
    for (size, set) in sizes.iter_mut().zip(old) {
        let broken = (set.wanted - set.available).clamp(0, spare);
        *size -= broken;
        spare -= broken;
    }
    let available = current_available + old.iter().map(|set| set.available).sum::<i64>();
    let mut allowed = (available - least).clamp(0, spare);
    for size in &mut sizes {
        let taken = allowed.min(*size);
        *size -= taken;
        allowed -= taken;
    }
    old.iter().cloned().zip(sizes).filter(|(set, size)| set.wanted != *size).collect()
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

fn scale(cluster: &mut Cluster, deployment: &Value, set: &Set, size: i64) {
    let replicas = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let (surge, _) = limits(deployment, replicas);
    cluster.store.update(&REPLICA_SET, NAMESPACE, &set.name, |value| {
        value["spec"]["replicas"] = json!(size);
        value["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] =
            json!(replicas.to_string());
        value["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"] =
            json!((replicas + surge).to_string());
    });
    let direction = if size > set.wanted { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {} from {} to {size}", set.name, set.wanted);
    cluster.event(
        &DEPLOYMENT,
        NAMESPACE,
        text(deployment, "/metadata/name"),
        "Normal",
        "ScalingReplicaSet",
        &message,
    );
}

/// The revision of a `ReplicaSet` or a Deployment; 0 when it has none yet.
pub(super) fn revision_of(value: &Value) -> i64 {
    annotation(value, revision::REVISION).and_then(|revision| revision.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surge_is_rounded_up_and_unavailability_down() {
        let cases = [
            (json!({"maxSurge": "25%", "maxUnavailable": "25%"}), 2, (1, 0)),
            (json!({"maxSurge": "25%", "maxUnavailable": "25%"}), 10, (3, 2)),
            (json!({"maxSurge": 1, "maxUnavailable": 1}), 1, (1, 1)),
            (json!({"maxSurge": 0, "maxUnavailable": "25%"}), 2, (0, 1)),
            (Value::Null, 4, (1, 1)),
        ];
        for (rolling, replicas, expected) in cases {
            let deployment = json!({"spec": {"strategy": {"rollingUpdate": rolling}}});
            assert_eq!(limits(&deployment, replicas), expected, "{rolling} of {replicas}");
        }
    }
}
