//! The Deployment controller: `ReplicaSets` by template, revisions, rolling updates and status, by the rules
//! of the real one (kubernetes/kubernetes: `pkg/controller/deployment`).

use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::{DEPLOYMENT, REPLICA_SET};
use super::pods::{owner_reference, template_hash};
use super::replica_sets::{Set, current_set, limits, old_sets, sets_of};
use super::{progress, revision};
use crate::sim::json::text;

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
