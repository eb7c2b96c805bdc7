//! The `StatefulSet` controller: pods by name and ordinal, and rolling updates from the last one down, by the
//! rules of the real one (kubernetes/kubernetes: `pkg/controller/statefulset/stateful_set_control.go`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::chart::NAMESPACE;
use super::kind::{POD, STATEFUL_SET};
use super::pods::{create_pod, is_ready, owned_pods, revision_of_pod, template_revision};
use super::store::Object;
use super::{Cluster, kubelet};
use crate::sim::json::{int, text};

/// One pass over a `StatefulSet`.
pub(super) fn reconcile(cluster: &mut Cluster, set: &Object) {
    let value = set.value();
    let name = text(set.value(), "/metadata/name");
    let names: Vec<_> = (0..wanted(value)).map(|ordinal| format!("{name}-{ordinal}")).collect();
    for pod in &names {
        if cluster.store.get(&POD, NAMESPACE, pod).is_none() {
            create_pod(cluster, &STATEFUL_SET, value, pod);
            let message = format!("create Pod {pod} in StatefulSet {name} successful");
            cluster.event(&STATEFUL_SET, NAMESPACE, name, "Normal", "SuccessfulCreate", &message);
        }
    }
    let surplus = owned_pods(cluster, value).into_iter().filter(|pod| !names.contains(&pod.key().1));
    for pod in surplus.collect::<Vec<_>>() {
        kubelet::terminate(cluster, &pod.key().1);
    }
    roll(cluster, value, &names);
    write_status(cluster, set);
}

fn wanted(set: &Value) -> i64 {
    set["spec"]["replicas"].as_i64().unwrap_or(1)
}

/// Ends the last pod that is of another template, once all are ready.
fn roll(cluster: &mut Cluster, set: &Value, names: &[String]) {
    let pods = owned_pods(cluster, set);
    let whole = pods.len() == names.len() && pods.iter().all(|pod| is_ready(pod.value()));
    if !whole || set["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return;
    }
    let revision = template_revision(&STATEFUL_SET, set);
    let partition =
        usize::try_from(int(set, "/spec/updateStrategy/rollingUpdate/partition")).unwrap_or_default();
    let old = names.iter().skip(partition).rev().find(|name| {
        let pod = cluster.store.get(&POD, NAMESPACE, name);
        pod.is_some_and(|pod| revision_of_pod(pod.value()) != revision)
    });
    if let Some(pod) = old {
        kubelet::terminate(cluster, pod);
        let name = text(set, "/metadata/name");
        let message = format!("delete Pod {pod} in StatefulSet {name} successful");
        cluster.event(&STATEFUL_SET, NAMESPACE, name, "Normal", "SuccessfulDelete", &message);
    }
}

fn write_status(cluster: &mut Cluster, set: &Object) {
    let pods = owned_pods(cluster, set.value());
    cluster.store.update(&STATEFUL_SET, NAMESPACE, &set.key().1, |set| set["status"] = status(set, &pods));
}

fn status(set: &Value, pods: &[Arc<Object>]) -> Value {
    let update = template_revision(&STATEFUL_SET, set);
    let known = text(set, "/status/currentRevision");
    let of = |revision: &str| pods.iter().filter(|pod| revision_of_pod(pod.value()) == revision).count();
    let ready = pods.iter().filter(|pod| is_ready(pod.value())).count();
    let all = usize::try_from(wanted(set)).unwrap_or_default();
    let complete = [pods.len(), of(&update), ready].iter().all(|count| *count == all);
    let current = if known.is_empty() || complete { &update } else { known };
    let mut status = json!({
        "replicas": pods.len(), "availableReplicas": ready, "observedGeneration": set["metadata"]["generation"],
        "currentRevision": current, "updateRevision": update, "collisionCount": 0,
    });
    for (field, count) in
        [("readyReplicas", ready), ("currentReplicas", of(current)), ("updatedReplicas", of(&update))]
    {
        if count > 0 {
            status[field] = json!(count);
        }
    }
    status
}
