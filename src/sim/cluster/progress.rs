//! A Deployment's status: counts, `Available` and `Progressing`, with the deadline of a rollout that does not
//! move.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::DEPLOYMENT;
use super::replica_sets::{Set, current_set, limits, old_sets};
use crate::sim::json::{int, items, time, timestamp};

/// Starts the clock of a rollout: a `ReplicaSet` was created for it, or found.
pub(super) fn restart(cluster: &mut Cluster, deployment: &str, reason: &str, set: &str, what: &str) {
    let now = cluster.now;
    cluster.store.update(&DEPLOYMENT, NAMESPACE, deployment, |deployment| {
        set_condition(deployment, "Progressing", "True", reason, &format!("{what} \"{set}\""), now);
    });
}

/// Writes what the `ReplicaSets` say into the Deployment's status.
pub(super) fn write_status(cluster: &mut Cluster, name: &str) {
    let Some(deployment) = cluster.store.get(&DEPLOYMENT, NAMESPACE, name).cloned() else { return };
    let current = current_set(cluster, deployment.value());
    let old = old_sets(cluster, deployment.value(), current.as_ref());
    let now = cluster.now;
    cluster.store.update(&DEPLOYMENT, NAMESPACE, name, |deployment| {
        let before = deployment["status"].clone();
        deployment["status"] = counts(deployment, current.as_ref(), &old);
        deployment["status"]["conditions"] =
            if before["conditions"].is_array() { before["conditions"].clone() } else { json!([]) };
        judge_availability(deployment, now);
        if let Some(current) = &current {
            judge_progress(deployment, &before, current, now);
        }
    });
}

fn counts(deployment: &Value, current: Option<&Set>, old: &[Set]) -> Value {
    let sum = |field: &str| old.iter().chain(current).map(|set| set.status(field)).sum::<i64>();
    let wanted: i64 = old.iter().chain(current).map(|set| set.wanted).sum();
    let all = [
        ("replicas", sum("replicas")),
        ("updatedReplicas", current.map_or(0, |set| set.status("replicas"))),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", sum("availableReplicas")),
        ("unavailableReplicas", wanted - sum("availableReplicas")),
    ];
    let mut status = json!({"observedGeneration": deployment["metadata"]["generation"]});
    for (field, count) in all.into_iter().filter(|(_, count)| *count > 0) {
        status[field] = json!(count);
    }
    status
}

fn judge_availability(deployment: &mut Value, now: DateTime<Utc>) {
    let replicas = int(deployment, "/spec/replicas");
    let (_, unavailable) = limits(deployment, replicas);
    if int(deployment, "/status/availableReplicas") >= replicas - unavailable {
        set_condition(
            deployment,
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
            now,
        );
    } else {
        set_condition(
            deployment,
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
            now,
        );
    }
}

fn judge_progress(deployment: &mut Value, before: &Value, current: &Set, now: DateTime<Utc>) {
    let set = &current.name;
    let known = condition(deployment, "Progressing").cloned().unwrap_or_default();
    let status = &deployment["status"];
    if complete(deployment) {
        set_condition(
            deployment,
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            &format!("ReplicaSet \"{set}\" has successfully progressed."),
            now,
        );
    } else if known["reason"] == "NewReplicaSetAvailable" && status["replicas"] == status["updatedReplicas"] {
        // A finished rollout stays finished when its pods break later.
    } else if progressed(before, status) {
        set_condition(
            deployment,
            "Progressing",
            "True",
            "ReplicaSetUpdated",
            &format!("ReplicaSet \"{set}\" is progressing."),
            now,
        );
        touch(deployment, now);
    } else if time(&known, "/lastUpdateTime").is_some_and(|last| now > last + deadline(deployment)) {
        set_condition(
            deployment,
            "Progressing",
            "False",
            "ProgressDeadlineExceeded",
            &format!("ReplicaSet \"{set}\" has timed out progressing."),
            now,
        );
    }
}

fn deadline(deployment: &Value) -> TimeDelta {
    TimeDelta::seconds(deployment["spec"]["progressDeadlineSeconds"].as_i64().unwrap_or(600))
}

/// Every replica is of the current template and available, and no old one is left.
fn complete(deployment: &Value) -> bool {
    let replicas = int(deployment, "/spec/replicas");
    ["updatedReplicas", "replicas", "availableReplicas"]
        .iter()
        .all(|field| int(&deployment["status"], &format!("/{field}")) == replicas)
}

fn progressed(before: &Value, after: &Value) -> bool {
    let old = |status: &Value| int(status, "/replicas") - int(status, "/updatedReplicas");
    let grew = |field: &str| int(after, field) > int(before, field);
    grew("/updatedReplicas")
        || grew("/readyReplicas")
        || grew("/availableReplicas")
        || old(after) < old(before)
}

fn condition<'a>(deployment: &'a Value, kind: &str) -> Option<&'a Value> {
    items(deployment, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// Sets a condition; its times move as the controller moves them: the update with the reason, the transition
/// with the status.
fn set_condition(
    deployment: &mut Value,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: DateTime<Utc>,
) {
    let known = condition(deployment, kind).cloned().unwrap_or_default();
    if known["status"] == status && known["reason"] == reason {
        return;
    }
    let transition =
        if known["status"] == status { known["lastTransitionTime"].clone() } else { timestamp(now) };
    let next = json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": timestamp(now), "lastTransitionTime": transition,
    });
    let mut all: Vec<_> = items(deployment, "/status/conditions")
        .iter()
        .filter(|condition| condition["type"] != kind)
        .cloned()
        .collect();
    all.push(next);
    deployment["status"]["conditions"] = Value::Array(all);
}

fn touch(deployment: &mut Value, now: DateTime<Utc>) {
    if let Some(conditions) = deployment["status"]["conditions"].as_array_mut() {
        for condition in conditions.iter_mut().filter(|condition| condition["type"] == "Progressing") {
            condition["lastUpdateTime"] = timestamp(now);
        }
    }
}
