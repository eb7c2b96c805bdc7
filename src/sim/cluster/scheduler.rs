//! The scheduler: pods that no node has yet get one that takes new pods, or are told why there is none; and
//! the taint of nodes that take none.

use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::chart::NODES;
use super::kind::{NODE, POD};
use crate::sim::json::{items, text, timestamp};

/// Cores of a node.
const CORES: u64 = 4;

/// The taint of a node that was cordoned.
const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// One pass over the pods without a node.
pub(super) fn step(cluster: &mut Cluster) {
    let pending = cluster.store.list(&POD, Some(NAMESPACE)).filter(|pod| {
        let value = pod.value();
        text(value, "/spec/nodeName").is_empty() && value["metadata"]["deletionTimestamp"].is_null()
    });
    for pod in pending.cloned().collect::<Vec<_>>() {
        let name = text(pod.value(), "/metadata/name");
        match unschedulable(cluster, pod.value()) {
            Some(words) if items(pod.value(), "/status/conditions").is_empty() => {
                cluster.store.update(&POD, NAMESPACE, name, |pod| turned_away(pod, &words));
                cluster.event(&POD, NAMESPACE, name, "Warning", "FailedScheduling", &words);
            }
            Some(_) => {}
            None => bind(cluster, name),
        }
    }
}

fn bind(cluster: &mut Cluster, pod: &str) {
    let Some(node) = any_node(cluster) else { return };
    cluster.store.update(&POD, NAMESPACE, pod, |pod| pod["spec"]["nodeName"] = json!(node));
    scheduled(cluster, pod, node);
}

/// Tells that a pod was bound to a node.
pub(super) fn scheduled(cluster: &mut Cluster, pod: &str, node: &str) {
    cluster.event(
        &POD,
        NAMESPACE,
        pod,
        "Normal",
        "Scheduled",
        &format!("Successfully assigned {NAMESPACE}/{pod} to {node}"),
    );
}

/// One of the nodes that take new pods, by chance.
pub(super) fn any_node(cluster: &mut Cluster) -> Option<&'static str> {
    let open = open_nodes(cluster);
    let drawn = cluster.rng.below(u64::try_from(open.len()).unwrap_or_default());
    open.get(usize::try_from(drawn).unwrap_or_default()).copied()
}

fn open_nodes(cluster: &Cluster) -> Vec<&'static str> {
    let cordoned = |name: &str| {
        cluster.store.get(&NODE, "", name).is_some_and(|node| node.value()["spec"]["unschedulable"] == true)
    };
    NODES.into_iter().filter(|name| !cordoned(name)).collect()
}

/// The scheduler's words about a pod that asks for more than a node has, or for which no node is open.
pub(super) fn unschedulable(cluster: &Cluster, pod: &Value) -> Option<String> {
    let all = NODES.len();
    let asked = text(pod, "/spec/containers/0/resources/requests/cpu").parse::<u64>().unwrap_or_default();
    let (why, preemption) = if asked > CORES {
        (format!("{all} Insufficient cpu"), "No preemption victims found for incoming pod")
    } else if open_nodes(cluster).is_empty() {
        (format!("{all} node(s) were unschedulable"), "Preemption is not helpful for scheduling")
    } else {
        return None;
    };
    Some(format!(
        "0/{all} nodes are available: {why}. preemption: 0/{all} nodes are available: {all} {preemption}."
    ))
}

/// A pod that no node takes.
pub(super) fn turned_away(pod: &mut Value, words: &str) {
    pod["spec"].as_object_mut().map(|spec| spec.remove("nodeName"));
    let condition =
        json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words});
    pod["status"] = json!({"phase": "Pending", "conditions": [condition]});
}

/// Taints the nodes that were cordoned, and only them, as the node lifecycle controller does.
pub(super) fn taint_nodes(cluster: &mut Cluster) {
    let now = timestamp(cluster.now);
    for name in NODES {
        cluster.store.update(&NODE, "", name, |node| {
            let cordoned = node["spec"]["unschedulable"] == true;
            let tainted = items(node, "/spec/taints").iter().any(|taint| taint["key"] == CORDONED);
            if cordoned != tainted {
                set_taint(
                    node,
                    cordoned.then(|| json!({"key": CORDONED, "effect": "NoSchedule", "timeAdded": now})),
                );
            }
        });
    }
}

fn set_taint(node: &mut Value, taint: Option<Value>) {
    let others = items(node, "/spec/taints").iter().filter(|taint| taint["key"] != CORDONED).cloned();
    let taints: Vec<_> = others.chain(taint).collect();
    let Some(spec) = node["spec"].as_object_mut() else { return };
    spec.remove("taints");
    if !taints.is_empty() {
        spec.insert("taints".to_owned(), Value::Array(taints));
    }
}
