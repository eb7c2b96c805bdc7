//! The `DaemonSet` controller: a pod for each node, cordoned or not, and rolling updates
//! (kubernetes/kubernetes: `pkg/controller/daemon`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::chart::NAMESPACE;
use super::chart::NODES;
use super::kind::{DAEMON_SET, POD};
use super::pods::{is_ready, owned_pods, pod_of, revision_of_pod, template_revision};
use super::store::Object;
use super::{Cluster, kubelet, scheduler};
use crate::sim::json::{int, text};

/// One pass over a `DaemonSet`.
pub(super) fn reconcile(cluster: &mut Cluster, set: &Object) {
    let uid = text(set.value(), "/metadata/uid");
    let all = cluster
        .store
        .list(&POD, Some(NAMESPACE))
        .filter(|pod| text(pod.value(), "/metadata/ownerReferences/0/uid") == uid);
    let taken: Vec<_> = all.map(|pod| text(pod.value(), "/spec/nodeName").to_owned()).collect();
    for node in NODES.into_iter().filter(|node| !taken.iter().any(|taken| taken == node)) {
        create_pod(cluster, set.value(), node);
    }
    roll(cluster, set.value());
    write_status(cluster, set);
}

fn create_pod(cluster: &mut Cluster, set: &Value, node: &str) {
    let name = text(set, "/metadata/name");
    let pod = format!("{name}-{}", cluster.rng.suffix(5));
    cluster.store.create(&POD, pod_of(&DAEMON_SET, set, &pod, node), cluster.now);
    scheduler::scheduled(cluster, &pod, node);
    cluster.event(&DAEMON_SET, NAMESPACE, name, "Normal", "SuccessfulCreate", &format!("Created pod: {pod}"));
}

/// Ends pods of another template: those that do not work, and as many others as may be missing.
fn roll(cluster: &mut Cluster, set: &Value) {
    if set["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return;
    }
    let revision = template_revision(&DAEMON_SET, set);
    let pods = owned_pods(cluster, set);
    let (working, broken): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| is_ready(pod.value()));
    let most = usize::try_from(int(set, "/spec/updateStrategy/rollingUpdate/maxUnavailable"))
        .unwrap_or_default()
        .max(1);
    let allowed = most.saturating_sub(NODES.len() - working.len());
    let old = |pod: &Arc<Object>| revision_of_pod(pod.value()) != revision;
    let ended = broken.into_iter().filter(old).chain(working.into_iter().filter(old).take(allowed));
    for pod in ended.map(|pod| pod.key().1).collect::<Vec<_>>() {
        kubelet::terminate(cluster, &pod);
        let name = text(set, "/metadata/name");
        cluster.event(
            &DAEMON_SET,
            NAMESPACE,
            name,
            "Normal",
            "SuccessfulDelete",
            &format!("Deleted pod: {pod}"),
        );
    }
}

fn write_status(cluster: &mut Cluster, set: &Object) {
    let pods = owned_pods(cluster, set.value());
    let revision = template_revision(&DAEMON_SET, set.value());
    let ready = pods.iter().filter(|pod| is_ready(pod.value())).count();
    let updated = pods.iter().filter(|pod| revision_of_pod(pod.value()) == revision).count();
    cluster.store.update(&DAEMON_SET, NAMESPACE, &set.key().1, |set| {
        let mut status = json!({
            "currentNumberScheduled": pods.len(), "desiredNumberScheduled": NODES.len(), "numberMisscheduled": 0, "numberReady": ready,
            "observedGeneration": set["metadata"]["generation"],
        });
        let rest = [("updatedNumberScheduled", updated), ("numberAvailable", ready), ("numberUnavailable", NODES.len() - ready)];
        for (field, count) in rest.into_iter().filter(|(_, count)| *count > 0) {
            status[field] = json!(count);
        }
        set["status"] = status;
    });
}
