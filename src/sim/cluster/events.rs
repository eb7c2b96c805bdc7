//! Kubernetes Events: written once for each object, reason and message, then counted.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::{EVENT, Kind, POD};
use crate::sim::json::{int, text, time, timestamp};

/// How long the API server keeps an Event.
const KEPT: TimeDelta = TimeDelta::hours(1);

impl Cluster {
    /// Records an Event about a pod of the company's namespace.
    pub(super) fn pod_event(&mut self, name: &str, severity: &str, reason: &str, message: &str) {
        self.event(&POD, NAMESPACE, name, severity, reason, message);
    }

    /// Records an Event about an object; one that is already there is counted up.
    pub(super) fn event(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        severity: &str,
        reason: &str,
        message: &str,
    ) {
        let Some(about) = self.store.get(kind, namespace, name).cloned() else { return };
        let digest =
            blake3::hash(format!("{}{reason}{message}", text(about.value(), "/metadata/uid")).as_bytes())
                .to_hex();
        let event = format!("{name}.{}", &digest[..16]);
        let now = self.now;
        let counted = self.store.update(&EVENT, namespace, &event, |event| {
            event["count"] = json!(int(event, "/count") + 1);
            event["lastTimestamp"] = timestamp(now);
        });
        if !counted {
            let mut value = new_event(kind, about.value(), severity, reason, message, now);
            value["metadata"] = json!({"name": event, "namespace": namespace});
            self.store.create(&EVENT, value, now);
        }
    }

    /// Drops the Events that are too old, as the API server's lease on them does.
    pub(super) fn expire_events(&mut self) {
        let horizon = self.now - KEPT;
        let old: Vec<_> = self
            .store
            .list(&EVENT, None)
            .filter(|event| time(event.value(), "/lastTimestamp") < Some(horizon))
            .cloned()
            .collect();
        for event in old {
            let (namespace, name) = event.key();
            self.store.delete(&EVENT, &namespace, &name);
        }
    }
}

fn new_event(
    kind: &Kind,
    about: &Value,
    severity: &str,
    reason: &str,
    message: &str,
    now: DateTime<Utc>,
) -> Value {
    let metadata = &about["metadata"];
    let component = match (kind.name, reason) {
        ("Deployment", _) => "deployment-controller",
        ("ReplicaSet", _) => "replicaset-controller",
        ("DaemonSet", _) => "daemonset-controller",
        ("StatefulSet", _) => "statefulset-controller",
        (_, "Scheduled") => "default-scheduler",
        _ => "kubelet",
    };
    let mut source = json!({"component": component});
    if component == "kubelet" {
        source["host"] = about["spec"]["nodeName"].clone();
    }
    json!({
        "involvedObject": {
            "kind": kind.name, "apiVersion": kind.api_version(), "namespace": metadata["namespace"], "name": metadata["name"],
            "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
        },
        "type": severity, "reason": reason, "message": message, "count": 1, "source": source,
        "firstTimestamp": timestamp(now), "lastTimestamp": timestamp(now), "eventTime": null,
        "reportingComponent": component, "reportingInstance": source["host"].as_str().unwrap_or_default(),
    })
}
