//! What the cluster measures of itself: the scrapes of Prometheus, the figures of the metrics API, the alert
//! rule.

use serde_json::{Value, json};

use super::Cluster;
use super::chart::NAMESPACE;
use super::kind::{NODE, POD};
use super::process::{Answers, Process};
use crate::sim::json::{items, label, text, timestamp};
use crate::sim::prometheus::tsdb::Labels;

/// Processor time that one request takes.
const CPU_SECONDS: f64 = 0.004;

impl Cluster {
    /// The targets of Prometheus: pod, address and the process behind it.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&str, String, &Process)> {
        let scraped = self
            .processes
            .iter()
            .filter(|(_, process)| process.running() && !process.behaviour.service.is_empty());
        scraped.filter_map(|(name, process)| {
            let pod = self.store.get(&POD, NAMESPACE, name)?;
            Some((name.as_str(), format!("{}:8080", text(pod.value(), "/status/podIP")), process))
        })
    }

    /// One scrape of every target, and of the broker's exporter.
    pub(super) fn scrape(&mut self) {
        let mut samples = Vec::new();
        for (pod, instance, process) in self.targets() {
            let target =
                [("instance", instance.as_str()), ("job", "pods"), ("namespace", NAMESPACE), ("pod", pod)];
            samples.push((labels("up", &target, &[]), 1.0));
            let answers = process.answers;
            for (status, count) in [("200", answers.ok), ("500", answers.error), ("503", answers.unavailable)]
            {
                let own =
                    [("method", "GET"), ("service", process.behaviour.service.as_str()), ("status", status)];
                samples.push((labels("http_requests_total", &target, &own), f64::from(count)));
            }
            let service = ("service", process.behaviour.service.as_str());
            for (bound, count) in buckets(answers) {
                samples.push((
                    labels("http_request_duration_seconds_bucket", &target, &[service, ("le", bound)]),
                    count,
                ));
            }
            samples.push((
                labels("process_cpu_seconds_total", &target, &[service]),
                f64::from(answers.all()) * CPU_SECONDS,
            ));
        }
        for row in self.kafka.positions() {
            let partition = row.partition.to_string();
            let own = [("consumergroup", row.group), ("topic", row.topic), ("partition", partition.as_str())];
            if let Some(lag) = row.lag().and_then(|lag| u32::try_from(lag).ok()) {
                samples.push((
                    labels(
                        "kafka_consumergroup_lag",
                        &[("job", "kafka"), ("instance", "kafka-exporter:9308")],
                        &own,
                    ),
                    f64::from(lag),
                ));
            }
        }
        self.tsdb.scrape(self.now.timestamp_millis(), samples);
    }

    /// Applies the rule of `manifests/alerts.yml`.
    pub(super) fn evaluate_alerts(&mut self) {
        self.alerts.evaluate(&self.tsdb, self.now);
    }

    /// What the metrics API says of the pods in a namespace, or in all.
    pub(crate) fn pod_metrics(&self, namespace: Option<&str>) -> Vec<Value> {
        let running =
            self.store.list(&POD, namespace).filter(|pod| text(pod.value(), "/status/phase") == "Running");
        running.map(|pod| self.metrics_of(pod.value())).collect()
    }

    fn metrics_of(&self, pod: &Value) -> Value {
        let (milli, mebi) = usage(pod);
        let metadata = json!({"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "labels": pod["metadata"]["labels"]});
        let container = json!({"name": pod["spec"]["containers"][0]["name"], "usage": {"cpu": format!("{milli}m"), "memory": format!("{}Ki", mebi * 1024)}});
        json!({"metadata": metadata, "timestamp": timestamp(self.now), "window": "15s", "containers": [container]})
    }

    /// What the metrics API says of the nodes: the sum of their pods and what the system takes.
    pub(crate) fn node_metrics(&self) -> Vec<Value> {
        self.store.list(&NODE, None).map(|node| self.metrics_of_node(node.value())).collect()
    }

    fn metrics_of_node(&self, node: &Value) -> Value {
        let name = text(node, "/metadata/name");
        let pods = self.store.list(&POD, None).filter(|pod| text(pod.value(), "/spec/nodeName") == name);
        let (milli, mebi) =
            pods.map(|pod| usage(pod.value())).fold((180, 900), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let usage = json!({"cpu": format!("{milli}m"), "memory": format!("{}Ki", mebi * 1024)});
        json!({"metadata": {"name": name, "labels": node["metadata"]["labels"]}, "timestamp": timestamp(self.now), "window": "15s", "usage": usage})
    }
}

/// Thousandths of a core and mebibytes: fixed for each pod, more where there is traffic.
fn usage(pod: &Value) -> (u32, u32) {
    let spread = u32::from(blake3::hash(text(pod, "/metadata/name").as_bytes()).as_bytes()[0]);
    let busy = if items(pod, "/spec/containers/0/env").is_empty() { 1 } else { 12 };
    let heavy = if label(pod, "app") == Some("kafka") { 400 } else { 20 };
    (busy + spread % 9, heavy + spread % 32)
}

/// What answers took: most are quick, and those that fail are slow.
fn buckets(answers: Answers) -> [(&'static str, f64); 4] {
    let part = |share: f64| (f64::from(answers.ok) * share).floor();
    [
        ("0.1", part(0.7)),
        ("0.5", part(0.98)),
        ("2.5", f64::from(answers.all())),
        ("+Inf", f64::from(answers.all())),
    ]
}

fn labels(name: &str, target: &[(&str, &str)], own: &[(&str, &str)]) -> Labels {
    let all = target.iter().chain(own).copied().chain([("__name__", name)]);
    all.map(|(label, value)| (label.to_owned(), value.to_owned())).collect()
}
