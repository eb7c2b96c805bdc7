//! The kubelets: they start, probe, restart and end the processes of the pods, and write the pods' status.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::POD;
use super::process::{Exit, Process, State};
use super::status::{image_missing, pod_status};
use crate::sim::json::{text, time, timestamp};
use crate::sim::scenario::ServiceFault;

/// One step: takes on new pods, forgets removed ones, moves every process on.
pub(super) fn step(cluster: &mut Cluster) {
    adopt(cluster);
    let names: Vec<_> = cluster.processes.keys().cloned().collect();
    for name in names {
        if cluster.stopped.is_empty() || runs(cluster, &name) {
            step_pod(cluster, &name);
        }
    }
}

/// Whether the pod's kubelet works.
fn runs(cluster: &Cluster, name: &str) -> bool {
    cluster.store.get(&POD, NAMESPACE, name).is_none_or(|pod| cluster.looked_after(pod.value()))
}

/// The seconds that a pod's containers have to end, `asked` or those of its spec; none where no node has it
/// or it has ended.
pub(super) fn grace(pod: &Value, asked: Option<i64>) -> i64 {
    let ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    if ended || text(pod, "/spec/nodeName").is_empty() { 0 } else { asked.unwrap_or(own) }
}

/// Asks for the end of a pod of the company.
pub(super) fn terminate(cluster: &mut Cluster, name: &str) {
    cluster.remove(&POD, NAMESPACE, name);
}

/// Writes down that a pod is to be gone within so many seconds; says whether that is new.
pub(super) fn mark(cluster: &mut Cluster, namespace: &str, name: &str, grace: i64) -> bool {
    let until = timestamp(cluster.now + TimeDelta::seconds(grace));
    cluster.store.update(&POD, namespace, name, |pod| {
        if pod["metadata"]["deletionTimestamp"].is_null() {
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
            pod["metadata"]["deletionTimestamp"] = until;
        }
    })
}

/// Ends a pod's process: it stops now, and the object goes a second later.
pub(super) fn stop(cluster: &mut Cluster, name: &str) {
    let until = cluster.now + TimeDelta::seconds(1);
    if let Some(process) = cluster.processes.get_mut(name) {
        process.state = State::Terminating { until };
        process.ready = false;
        let message = format!("Stopping container {}", container_of(cluster, name));
        cluster.pod_event(name, "Normal", "Killing", &message);
    }
}

fn adopt(cluster: &mut Cluster) {
    let pods: Vec<_> = cluster.store.list(&POD, Some(NAMESPACE)).cloned().collect();
    cluster.processes.retain(|name, process| {
        let pod = pods.iter().find(|pod| text(pod.value(), "/metadata/name") == name);
        pod.is_some_and(|pod| text(pod.value(), "/metadata/uid") == process.uid)
    });
    for pod in pods {
        let name = text(pod.value(), "/metadata/name");
        if !cluster.processes.contains_key(name) && cluster.looked_after(pod.value()) {
            let until = cluster.now
                + TimeDelta::milliseconds(1000 + i64::try_from(cluster.rng.below(2000)).unwrap_or_default());
            let process = Process::new(pod.value(), State::Creating { until }, cluster.now);
            cluster.processes.insert(name.to_owned(), process);
            write_status(cluster, name);
        }
    }
}

fn step_pod(cluster: &mut Cluster, name: &str) {
    let now = cluster.now;
    let Some(process) = cluster.processes.get_mut(name) else { return };
    match process.state {
        State::Creating { until } | State::BackOff { until, .. } if now >= until => start(cluster, name),
        State::Running { since } => run(cluster, name, now - since),
        State::Terminating { until } if now >= until => {
            cluster.processes.remove(name);
            cluster.store.delete(&POD, NAMESPACE, name);
        }
        _ => {}
    }
}

fn start(cluster: &mut Cluster, name: &str) {
    let now = cluster.now;
    let missing = cluster.store.get(&POD, NAMESPACE, name).is_some_and(|pod| image_missing(pod.value()));
    let Some(process) = cluster.processes.get_mut(name) else { return };
    if missing {
        process.state = State::Unpulled;
        return write_status(cluster, name);
    }
    if matches!(process.state, State::BackOff { .. }) {
        process.restarts += 1;
    }
    process.state = State::Running { since: now };
    process.reported = now - TimeDelta::seconds(5);
    let container = container_of(cluster, name);
    let image = image_of(cluster, name);
    cluster.pod_event(
        name,
        "Normal",
        "Pulled",
        &format!("Container image \"{image}\" already present on machine"),
    );
    cluster.pod_event(name, "Normal", "Created", &format!("Container created: {container}"));
    cluster.pod_event(name, "Normal", "Started", "Container started");
    write_status(cluster, name);
}

fn run(cluster: &mut Cluster, name: &str, age: TimeDelta) {
    let Some(process) = cluster.processes.get_mut(name) else { return };
    match process.behaviour.fault {
        Some(ServiceFault::Crash) if age >= TimeDelta::seconds(10) => return end(cluster, name, 1, "Error"),
        Some(ServiceFault::Leak) if age >= TimeDelta::seconds(5) => {
            return end(cluster, name, 137, "OOMKilled");
        }
        _ => {}
    }
    if !process.behaviour.healthy() {
        let slow = process.behaviour.fault == Some(ServiceFault::Slow);
        return probe_failed(cluster, name, slow, age);
    }
    if !process.ready && age >= readiness_delay(&process.uid) {
        process.ready = true;
        write_status(cluster, name);
    }
}

/// When the first probe succeeds: the probes of a pod have a phase of their own within their period.
fn readiness_delay(uid: &str) -> TimeDelta {
    let phase: u32 = uid.bytes().map(u32::from).sum();
    TimeDelta::milliseconds(1000 + i64::from(phase % 2000))
}

fn probe_failed(cluster: &mut Cluster, name: &str, slow: bool, age: TimeDelta) {
    if age.num_milliseconds() % 9_000 != 3_000 {
        return;
    }
    let ip = cluster
        .store
        .get(&POD, NAMESPACE, name)
        .map(|pod| text(pod.value(), "/status/podIP").to_owned())
        .unwrap_or_default();
    let timeout = format!(
        "Get \"http://{ip}:8080/health\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    );
    let why = if slow { &timeout } else { "HTTP probe failed with statuscode: 503" };
    cluster.pod_event(name, "Warning", "Unhealthy", &format!("Readiness probe failed: {why}"));
}

/// Ends a container that runs; it is started again after the back-off.
pub(super) fn end(cluster: &mut Cluster, name: &str, code: i32, reason: &'static str) {
    let now = cluster.now;
    let Some(process) = cluster.processes.get_mut(name) else { return };
    let State::Running { since } = process.state else { return };
    if code == 1 {
        process.write(now, b"fatal: cannot reach database".to_vec());
    }
    let seconds = back_off(process.restarts);
    process.exit(Exit { code, reason, started: since, finished: now });
    process.state = State::BackOff { until: now + TimeDelta::seconds(seconds), seconds };
    let uid = process.uid.clone();
    let container = container_of(cluster, name);
    if seconds > 0 {
        let message =
            format!("Back-off restarting failed container {container} in pod {name}_{NAMESPACE}({uid})");
        cluster.pod_event(name, "Warning", "BackOff", &message);
    }
    write_status(cluster, name);
}

/// The first restart is immediate, then 10 s, doubled each time up to 5 minutes (the kubelet's own figures).
fn back_off(restarts: u32) -> i64 {
    restarts.checked_sub(1).map_or(0, |doublings| (10 << doublings.min(5)).min(300))
}

fn container_of(cluster: &Cluster, name: &str) -> String {
    cluster
        .store
        .get(&POD, NAMESPACE, name)
        .map(|pod| text(pod.value(), "/spec/containers/0/name").to_owned())
        .unwrap_or_default()
}

fn image_of(cluster: &Cluster, name: &str) -> String {
    cluster
        .store
        .get(&POD, NAMESPACE, name)
        .map(|pod| text(pod.value(), "/spec/containers/0/image").to_owned())
        .unwrap_or_default()
}

/// Writes what the process is into the pod's status.
pub(super) fn write_status(cluster: &mut Cluster, name: &str) {
    let now = cluster.now;
    let Some(process) = cluster.processes.get(name) else { return };
    cluster.store.update(&POD, NAMESPACE, name, |pod| pod["status"] = pod_status(pod, process, now));
}

/// Makes a pod of the seed one that has run since it was created.
pub(super) fn settle(cluster: &mut Cluster, name: &str) {
    let Some(created) = cluster
        .store
        .get(&POD, NAMESPACE, name)
        .and_then(|pod| time(pod.value(), "/metadata/creationTimestamp"))
    else {
        return;
    };
    let Some(pod) = cluster.store.get(&POD, NAMESPACE, name).cloned() else { return };
    let mut process =
        Process::new(pod.value(), State::Running { since: created + TimeDelta::seconds(2) }, cluster.now);
    process.ready = true;
    cluster.processes.insert(name.to_owned(), process);
    write_status(cluster, name);
}
