//! A pod's status as its kubelet reports it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::process::{Process, State};
use crate::sim::json::{items, text, time, timestamp};

/// The tag of an image that no registry has.
const MISSING: &str = ":missing";

/// The whole `status` of a pod.
pub(super) fn pod_status(pod: &Value, process: &Process, now: DateTime<Utc>) -> Value {
    let created = time(pod, "/metadata/creationTimestamp").unwrap_or(now);
    let creating = matches!(process.state, State::Creating { .. } | State::Unpulled);
    let mut status = json!({
        "phase": if creating { "Pending" } else { "Running" },
        "conditions": conditions(pod, process, created, now),
        "containerStatuses": [container(pod, process)],
        "hostIP": host_ip(pod), "qosClass": "Burstable", "startTime": timestamp(created),
    });
    if !creating {
        let ip = pod_ip(&process.uid);
        status["podIP"] = json!(ip);
        status["podIPs"] = json!([{"ip": ip}]);
    }
    status
}

fn conditions(pod: &Value, process: &Process, created: DateTime<Utc>, now: DateTime<Utc>) -> Value {
    let mut all = vec![condition("PodScheduled", true, created), condition("Initialized", true, created)];
    for kind in ["ContainersReady", "Ready"] {
        let mut next = condition(kind, process.ready, ready_since(pod, process, kind, now));
        if !process.ready {
            next["reason"] = json!("ContainersNotReady");
            next["message"] =
                json!(format!("containers with unready status: [{}]", text(pod, "/spec/containers/0/name")));
        }
        all.push(next);
    }
    Value::Array(all)
}

/// When this readiness began: the time already reported while it stays as it is.
fn ready_since(pod: &Value, process: &Process, kind: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    let status = if process.ready { "True" } else { "False" };
    let known = items(pod, "/status/conditions")
        .iter()
        .find(|known| known["type"] == kind && known["status"] == status);
    let settled = match process.state {
        State::Running { since } if process.ready => since + TimeDelta::seconds(1),
        _ => now,
    };
    known.and_then(|known| time(known, "/lastTransitionTime")).unwrap_or(settled.min(now))
}

fn container(pod: &Value, process: &Process) -> Value {
    let image = text(pod, "/spec/containers/0/image");
    let mut status = json!({
        "name": text(pod, "/spec/containers/0/name"), "image": image, "imageID": image_id(image),
        "ready": process.ready, "restartCount": process.restarts, "started": process.running(),
        "state": state(pod, process), "lastState": last_state(process),
    });
    if process.running() {
        status["containerID"] = json!(container_id(process, process.restarts));
    }
    status
}

fn state(pod: &Value, process: &Process) -> Value {
    match process.state {
        State::Creating { .. } => json!({"waiting": {"reason": "ContainerCreating"}}),
        State::Unpulled => pull_back_off(pod),
        State::Running { since } => json!({"running": {"startedAt": timestamp(since)}}),
        State::BackOff { seconds: 0, .. } | State::Terminating { .. } => terminated(process),
        State::BackOff { seconds, .. } => {
            let container = text(pod, "/spec/containers/0/name");
            let name = text(pod, "/metadata/name");
            let wait = duration(seconds);
            let place = format!("{name}_{}({})", text(pod, "/metadata/namespace"), process.uid);
            let message = format!("back-off {wait} restarting failed container={container} pod={place}");
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
        }
    }
}

/// A duration as Go prints it: `40s`, `1m20s`.
fn duration(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

fn last_state(process: &Process) -> Value {
    let shown_as_state = matches!(process.state, State::BackOff { seconds: 0, .. });
    if shown_as_state { json!({}) } else { terminated(process) }
}

fn terminated(process: &Process) -> Value {
    process.last_exit.map_or_else(
        || json!({}),
        |exit| {
            let id = container_id(process, process.restarts);
            let started = timestamp(exit.started);
            let finished = timestamp(exit.finished);
            json!({"terminated": {"exitCode": exit.code, "reason": exit.reason, "startedAt": started, "finishedAt": finished, "containerID": id}})
        },
    )
}

fn container_id(process: &Process, run: u32) -> String {
    format!("containerd://{}", blake3::hash(format!("{}/{run}", process.uid).as_bytes()).to_hex())
}

fn image_id(image: &str) -> String {
    let name = image.split(':').next().unwrap_or(image);
    format!("docker.io/{name}@sha256:{}", blake3::hash(image.as_bytes()).to_hex())
}

/// The address of the node that a pod is bound to: the names of the nodes carry it.
fn host_ip(pod: &Value) -> String {
    text(pod, "/spec/nodeName")
        .trim_start_matches("ip-")
        .split('.')
        .next()
        .unwrap_or_default()
        .replace('-', ".")
}

/// A condition of a pod.
fn condition(kind: &str, holds: bool, since: DateTime<Utc>) -> Value {
    let status = if holds { "True" } else { "False" };
    json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": timestamp(since)})
}

/// The address of a pod, of its own for each uid.
fn pod_ip(uid: &str) -> String {
    let [a, b, c, ..] = *blake3::hash(uid.as_bytes()).as_bytes();
    format!("10.{}.{b}.{c}", 100 + a % 16)
}

/// Whether a pod's image cannot be pulled.
pub(super) fn image_missing(pod: &Value) -> bool {
    text(pod, "/spec/containers/0/image").ends_with(MISSING)
}

/// How the kubelet says so, with containerd's words.
pub(super) fn pull_back_off(pod: &Value) -> Value {
    let image = text(pod, "/spec/containers/0/image");
    let whole = format!("docker.io/{image}");
    let message = format!(
        "Back-off pulling image \"{image}\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"{whole}\": \
         failed to resolve reference \"{whole}\": {whole}: not found"
    );
    json!({"waiting": {"reason": "ImagePullBackOff", "message": message}})
}
