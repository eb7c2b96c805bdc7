//! The cluster as it stands when the simulation starts: a company that has run for days and half an hour of
//! its measurements.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::chart::{self, MONITORING, NAMESPACE};
use super::deployment::set_of;
use super::kind::{
    DEPLOYMENT, Kind, NAMESPACE as NAMESPACE_KIND, NODE, POD, REPLICA_SET, SERVICE, STATEFUL_SET,
};
use super::process::{Process, State};
use super::{
    Cluster, SCRAPE, controllers, deployment, helm, kafka, kubelet, pods, replica_sets, revision, status,
    traffic,
};
use crate::sim::json::{text, timestamp};
use crate::sim::scenario::Release;

/// The namespace of the pods that are there only to be many.
const SCALE: &str = "scale";
/// Pods in each Deployment of that namespace.
const PODS_OF_A_DEPLOYMENT: u32 = 100;

/// The versions that were installed, and how many days before the start.
const VERSIONS: [(&str, i64); 3] = [("v1.2.1", 30), ("v1.2.2", 16), ("v1.2.3", 2)];

/// Fills an empty cluster; `cluster.now` is the start of the simulation before and after.
pub(super) fn fill(cluster: &mut Cluster, extra_pods: u32, measured: TimeDelta) {
    let start = cluster.now;
    cluster.now = start - TimeDelta::days(40);
    for (node, zone) in chart::NODES.into_iter().zip('a'..) {
        let node = pods::node(node, zone, cluster.now);
        cluster.store.create(&NODE, node, cluster.now);
    }
    for name in ["default", "kube-system", MONITORING, NAMESPACE, SCALE]
        .into_iter()
        .filter(|name| *name != SCALE || extra_pods > 0)
    {
        let namespace = json!({"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}, "status": {"phase": "Active"}});
        cluster.store.create(&NAMESPACE_KIND, namespace, cluster.now);
    }
    for service in chart::services() {
        create(cluster, &SERVICE, service);
    }
    for service in chart::monitoring() {
        cluster.store.create(&SERVICE, service, cluster.now);
    }
    install(cluster, start);
    load(cluster, extra_pods, start - TimeDelta::days(3));
    for (version, days) in VERSIONS {
        cluster.now = start - TimeDelta::days(days);
        helm::record(cluster, version);
    }
    backfill(cluster, start, measured);
}

/// The time before the start, measured but not otherwise lived.
fn backfill(cluster: &mut Cluster, start: DateTime<Utc>, measured: TimeDelta) {
    cluster.now = start - measured;
    while cluster.now < start {
        cluster.now += SCRAPE;
        traffic::step(cluster, 2.0);
        kafka::step(cluster, 2.0);
        cluster.scrape();
    }
    cluster.now = start;
    cluster.store.compact();
}

/// Creates a namespaced object of the chart, marked as Helm marks what it installs.
pub(super) fn create(cluster: &mut Cluster, kind: &'static Kind, mut value: Value) {
    let metadata = &mut value["metadata"];
    metadata["namespace"] = json!(NAMESPACE);
    metadata["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
    metadata["annotations"] =
        json!({"meta.helm.sh/release-name": "medcontracthub", "meta.helm.sh/release-namespace": NAMESPACE});
    metadata["managedFields"] = json!([managed_by_helm(kind, cluster.now)]);
    cluster.store.create(kind, value, cluster.now);
}

pub(super) fn managed_by_helm(kind: &Kind, now: DateTime<Utc>) -> Value {
    let time = timestamp(now);
    json!({"manager": "helm", "operation": "Update", "apiVersion": kind.api_version(), "time": time, "fieldsType": "FieldsV1", "fieldsV1": {}})
}

fn install(cluster: &mut Cluster, start: DateTime<Utc>) {
    for deployment in chart::deployments(&Release::default()) {
        cluster.now = start - TimeDelta::days(40);
        create(cluster, &DEPLOYMENT, deployment.clone());
        grow(cluster, text(&deployment, "/metadata/name"), start);
    }
    cluster.now = start - TimeDelta::days(2);
    for set in chart::stateful_sets() {
        create(cluster, &STATEFUL_SET, set);
    }
    controllers::reconcile(cluster);
    let names: Vec<_> = cluster.store.list(&POD, Some(NAMESPACE)).map(|pod| pod.key().1).collect();
    for name in names {
        kubelet::settle(cluster, &name);
    }
    controllers::reconcile(cluster);
    deployment::reconcile(cluster);
    cluster.now = start - TimeDelta::minutes(50);
    cluster.forget_events();
}

/// The `ReplicaSets` of earlier versions, empty, and the current one with its pods.
fn grow(cluster: &mut Cluster, name: &str, start: DateTime<Utc>) {
    let Some(deployment) = cluster.store.get(&DEPLOYMENT, NAMESPACE, name).cloned() else { return };
    for (number, (version, days)) in VERSIONS.into_iter().enumerate() {
        cluster.now = start - TimeDelta::days(days);
        let mut then = deployment.value().clone();
        then["spec"]["template"] = of_version(&then["spec"]["template"], version);
        let current = version == "v1.2.3";
        let set = set_of(&then, if current { then["spec"]["replicas"].as_i64().unwrap_or(1) } else { 0 });
        let set = cluster.store.create(&REPLICA_SET, set, cluster.now);
        revision::stamp(cluster, &set.key().1, i64::try_from(number).unwrap_or_default() + 1);
    }
}

/// The template with which an earlier version was installed.
fn of_version(template: &Value, version: &str) -> Value {
    serde_json::from_str(&template.to_string().replace("v1.2.3", version)).unwrap_or_default()
}

/// Ready pods in Deployments `sim-0000`…, that no controller looks after.
fn load(cluster: &mut Cluster, extra_pods: u32, created: DateTime<Utc>) {
    cluster.now = created;
    for (number, first) in (0..extra_pods).step_by(PODS_OF_A_DEPLOYMENT as usize).enumerate() {
        let replicas = (extra_pods - first).min(PODS_OF_A_DEPLOYMENT);
        load_deployment(cluster, &format!("sim-{number:04}"), replicas);
    }
}

fn load_deployment(cluster: &mut Cluster, name: &str, replicas: u32) {
    let container = json!({"name": "sim", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}});
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], "restartPolicy": "Always"}});
    let spec =
        json!({"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template});
    let counts = json!({"observedGeneration": 1, "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas});
    let mut status = counts.clone();
    status["updatedReplicas"] = json!(replicas);
    let deployment = json!({"metadata": {"name": name, "namespace": SCALE, "labels": {"app": name}}, "spec": spec, "status": status});
    let deployment = cluster.store.create(&DEPLOYMENT, deployment, cluster.now);
    let mut set = set_of(deployment.value(), i64::from(replicas));
    set["status"] = counts;
    set["metadata"]["annotations"][replica_sets::REVISION] = json!("1");
    let set = cluster.store.create(&REPLICA_SET, set, cluster.now);
    for _ in 0..replicas {
        load_pod(cluster, set.value());
    }
}

fn load_pod(cluster: &mut Cluster, set: &Value) {
    let name = format!("{}-{}", text(set, "/metadata/name"), cluster.rng.suffix(5));
    let node = chart::NODES[usize::try_from(cluster.rng.below(3)).unwrap_or_default()];
    let mut pod = pods::pod_of(&REPLICA_SET, set, &name, node);
    pod["metadata"]["creationTimestamp"] = timestamp(cluster.now);
    pod["metadata"]["uid"] = json!(name);
    let mut process = Process::new(&pod, State::Running { since: cluster.now }, cluster.now);
    process.ready = true;
    pod["status"] = status::pod_status(&pod, &process, cluster.now);
    cluster.store.create(&POD, pod, cluster.now);
}
