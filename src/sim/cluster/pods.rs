//! The controllers that keep pods: those of `ReplicaSets`, by number, and the garbage collector for pods
//! whose owner is gone.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::{self, DEPLOYMENT, Kind, POD, REPLICA_SET, STATEFUL_SET};
use super::store::Object;
use super::{kubelet, scheduler};
use crate::sim::json::{items, label, text, timestamp};
use crate::sim::rng::suffix;

fn listed(cluster: &Cluster, kind: &Kind) -> Vec<Arc<Object>> {
    cluster.store.list(kind, Some(NAMESPACE)).cloned().collect()
}

pub(super) fn reconcile_replica_set(cluster: &mut Cluster, set: &Object) {
    let value = set.value();
    let name = text(set.value(), "/metadata/name");
    let mut pods = owned_pods(cluster, value);
    let wanted = usize::try_from(value["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or_default();
    for _ in pods.len()..wanted {
        let pod = format!("{name}-{}", cluster.rng.suffix(5));
        create_pod(cluster, &REPLICA_SET, value, &pod);
        cluster.event(
            &REPLICA_SET,
            NAMESPACE,
            name,
            "Normal",
            "SuccessfulCreate",
            &format!("Created pod: {pod}"),
        );
    }
    pods.sort_by_key(|pod| deletion_rank(pod.value()));
    let surplus = pods.len().saturating_sub(wanted);
    for pod in pods.drain(..surplus) {
        let pod = text(pod.value(), "/metadata/name");
        kubelet::terminate(cluster, pod);
        cluster.event(
            &REPLICA_SET,
            NAMESPACE,
            name,
            "Normal",
            "SuccessfulDelete",
            &format!("Deleted pod: {pod}"),
        );
    }
    write_counts(cluster, set);
}

/// Pods that are not ready go first, then the youngest, as the `ReplicaSet` controller ranks them.
fn deletion_rank(pod: &Value) -> (bool, std::cmp::Reverse<String>, String) {
    let created = text(pod, "/metadata/creationTimestamp").to_owned();
    (is_ready(pod), std::cmp::Reverse(created), text(pod, "/metadata/name").to_owned())
}

/// The pods that an object controls and that are not on their way out.
pub(super) fn owned_pods(cluster: &Cluster, owner: &Value) -> Vec<Arc<Object>> {
    let uid = text(owner, "/metadata/uid");
    let pods = cluster.store.list(&POD, Some(NAMESPACE));
    let active = pods.filter(|pod| pod.value()["metadata"]["deletionTimestamp"].is_null());
    active.filter(|pod| text(pod.value(), "/metadata/ownerReferences/0/uid") == uid).cloned().collect()
}

pub(super) fn is_ready(pod: &Value) -> bool {
    items(pod, "/status/conditions")
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Creates a pod of an owner's template under a name, bound to a node.
pub(super) fn create_pod(cluster: &mut Cluster, kind: &'static Kind, owner: &Value, name: &str) {
    let node = scheduler::any_node(cluster).unwrap_or_default();
    let mut pod = pod_of(kind, owner, name, node);
    if let Some(words) = scheduler::unschedulable(cluster, &pod) {
        scheduler::turned_away(&mut pod, &words);
        cluster.store.create(&POD, pod, cluster.now);
        return cluster.event(&POD, NAMESPACE, name, "Warning", "FailedScheduling", &words);
    }
    cluster.store.create(&POD, pod, cluster.now);
    scheduler::scheduled(cluster, name, node);
}

/// The pod that an owner's template gives.
pub(super) fn pod_of(kind: &Kind, owner: &Value, name: &str, node: &str) -> Value {
    let metadata = &owner["metadata"];
    let template = &owner["spec"]["template"];
    let mut pod =
        json!({"metadata": template["metadata"], "spec": template["spec"], "status": {"phase": "Pending"}});
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = metadata["namespace"].clone();
    pod["metadata"]["ownerReferences"] = json!([owner_reference(kind, metadata)]);
    if kind.name == REPLICA_SET.name {
        pod["metadata"]["generateName"] = json!(format!("{}-", text(metadata, "/name")));
    } else {
        pod["metadata"]["labels"][REVISION] = json!(template_revision(kind, owner));
    }
    pod["spec"]["nodeName"] = json!(node);
    pod
}

/// The label that says of which template a pod of a `StatefulSet` or a `DaemonSet` is.
const REVISION: &str = "controller-revision-hash";

/// What [`REVISION`] is for pods of the present template of a `StatefulSet` or a `DaemonSet`.
pub(super) fn template_revision(kind: &Kind, owner: &Value) -> String {
    let hash = template_hash(&owner["spec"]["template"]);
    if kind.name == STATEFUL_SET.name { format!("{}-{hash}", text(owner, "/metadata/name")) } else { hash }
}

/// The template that a pod is of.
pub(super) fn revision_of_pod(pod: &Value) -> &str {
    label(pod, REVISION).unwrap_or_default()
}

/// The reference from an object to the one that controls it.
pub(super) fn owner_reference(kind: &Kind, metadata: &Value) -> Value {
    json!({
        "apiVersion": kind.api_version(), "kind": kind.name, "name": metadata["name"], "uid": metadata["uid"],
        "controller": true, "blockOwnerDeletion": true,
    })
}

fn write_counts(cluster: &mut Cluster, set: &Object) {
    let pods = owned_pods(cluster, set.value());
    let ready = pods.iter().filter(|pod| is_ready(pod.value())).count();
    cluster.store.update(&REPLICA_SET, NAMESPACE, text(set.value(), "/metadata/name"), |set| {
        let mut status = json!({"replicas": pods.len(), "observedGeneration": set["metadata"]["generation"]});
        if !pods.is_empty() {
            status["fullyLabeledReplicas"] = json!(pods.len());
        }
        if ready > 0 {
            status["readyReplicas"] = json!(ready);
            status["availableReplicas"] = json!(ready);
        }
        set["status"] = status;
    });
}

/// Deletes the `ReplicaSets` whose Deployment is gone. To be done before a new Deployment of that name makes
/// others of their names.
pub(super) fn collect_garbage(cluster: &mut Cluster) {
    for set in listed(cluster, &REPLICA_SET) {
        let reference = &set.value()["metadata"]["ownerReferences"][0];
        if !owner_lives(cluster, &DEPLOYMENT, reference) {
            let (namespace, name) = set.key();
            cluster.store.delete(&REPLICA_SET, &namespace, &name);
        }
    }
}

/// Pods whose owner is gone; one that never had an owner is on its own.
pub(super) fn orphans(cluster: &Cluster) -> Vec<String> {
    let active = cluster
        .store
        .list(&POD, Some(NAMESPACE))
        .filter(|pod| pod.value()["metadata"]["deletionTimestamp"].is_null());
    let orphaned = active.filter(|pod| {
        let reference = &pod.value()["metadata"]["ownerReferences"][0];
        kind::named(text(reference, "/kind")).is_some_and(|kind| !owner_lives(cluster, kind, reference))
    });
    orphaned.map(|pod| pod.key().1).collect()
}

fn owner_lives(cluster: &Cluster, kind: &Kind, reference: &Value) -> bool {
    let owner = cluster.store.get(kind, NAMESPACE, text(reference, "/name"));
    owner.is_some_and(|owner| owner.value()["metadata"]["uid"] == reference["uid"])
}

/// A ready node of the cluster.
pub(super) fn node(name: &str, zone: char, now: chrono::DateTime<chrono::Utc>) -> Value {
    let address = name.trim_start_matches("ip-").split('.').next().unwrap_or_default().replace('-', ".");
    let conditions = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].map(|kind| {
        let status = if kind == "Ready" { "True" } else { "False" };
        let reason = if kind == "Ready" { "KubeletReady".to_owned() } else { format!("KubeletHasNo{kind}") };
        json!({"type": kind, "status": status, "reason": reason, "lastHeartbeatTime": timestamp(now), "lastTransitionTime": timestamp(now)})
    });
    let capacity = json!({"cpu": "4", "memory": "16384000Ki", "pods": "110"});
    let labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "eks.amazonaws.com/nodegroup": "workers",
        "topology.kubernetes.io/region": "us-east-1", "topology.kubernetes.io/zone": format!("us-east-1{zone}"),
    });
    let info = json!({"kubeletVersion": "v1.35.0", "containerRuntimeVersion": "containerd://2.1.4", "operatingSystem": "linux", "architecture": "amd64"});
    let status = json!({
        "conditions": conditions, "capacity": capacity, "allocatable": capacity, "nodeInfo": info,
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
    });
    json!({"metadata": {"name": name, "labels": labels}, "spec": {"providerID": format!("aws:///us-east-1{zone}/{name}")}, "status": status})
}

/// The hash that names the `ReplicaSet` of a template.
pub(super) fn template_hash(template: &Value) -> String {
    let digest = blake3::hash(template.to_string().as_bytes());
    let mut bytes = digest.as_bytes().iter();
    suffix(10, || u64::from(*bytes.next().unwrap_or(&0)))
}
