//! The simulated Alertmanager: the bed's one alert, by the rule of `manifests/alerts.yml`, at `/api/v2/alerts` and `/api/v2/status`.

use std::collections::BTreeMap;

use axum::http::Method;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::prometheus::tsdb::Tsdb;
use super::prometheus::vector;
use super::request::{Query, reply};

const RATIO: &str = r#"sum(rate(http_requests_total{status=~"5.."}[30s])) by (service) / sum(rate(http_requests_total[30s])) by (service)"#;
const THRESHOLD: f64 = 0.05;
/// How long the ratio has to stay above the threshold.
const FOR: TimeDelta = TimeDelta::seconds(6);

/// The services whose error ratio is too high.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    pending: BTreeMap<String, Pending>,
}

#[derive(Debug)]
struct Pending {
    since: DateTime<Utc>,
    ratio: f64,
}

impl Alerts {
    /// Applies the rule at `now`.
    pub(crate) fn evaluate(&mut self, tsdb: &Tsdb, now: DateTime<Utc>) {
        let high = vector(tsdb, RATIO, now).into_iter().filter(|(_, ratio)| *ratio > THRESHOLD);
        let high: BTreeMap<_, _> = high.filter_map(|(labels, ratio)| Some((labels.get("service")?.clone(), ratio))).collect();
        self.pending.retain(|service, _| high.contains_key(service));
        for (service, ratio) in high {
            self.pending.entry(service).or_insert(Pending { since: now, ratio }).ratio = ratio;
        }
    }

    fn firing(&self, now: DateTime<Utc>) -> impl Iterator<Item = (&str, &Pending)> {
        self.pending.iter().filter(move |(_, pending)| now - pending.since >= FOR).map(|(service, pending)| (service.as_str(), pending))
    }
}

/// Answers one request.
pub(super) fn answer(cluster: &Cluster, method: &Method, path: &str, query: &Query) -> Response {
    if *method != Method::GET {
        return reply::text(405, "Method Not Allowed");
    }
    match path {
        "/-/ready" | "/-/healthy" => reply::text(200, "OK"),
        "/api/v2/alerts" => reply::json(200, &alerts(cluster, query)),
        "/api/v2/status" => reply::json(200, &status(cluster)),
        _ => reply::json(404, &json!({"code": 404, "message": format!("path {path} was not found")})),
    }
}

fn alerts(cluster: &Cluster, query: &Query) -> Value {
    let active = query.get("active") != Some("false");
    cluster.alerts.firing(cluster.now).filter(|_| active).map(|(service, pending)| alert(cluster.now, service, pending)).collect()
}

fn alert(now: DateTime<Utc>, service: &str, pending: &Pending) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let summary = format!("{service} fails {:.2}% of its requests", pending.ratio * 100.0);
    json!({
        "labels": {"alertname": "HighErrorRate", "service": service, "severity": "critical"},
        "annotations": {"summary": summary},
        "fingerprint": &blake3::hash(service.as_bytes()).to_hex()[..16],
        "startsAt": time(pending.since + FOR), "updatedAt": time(now), "endsAt": time(now + TimeDelta::minutes(4)),
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
        "receivers": [{"name": "none"}], "generatorURL": "http://prometheus:9090/graph",
    })
}

fn status(cluster: &Cluster) -> Value {
    let version =
        json!({"version": "0.28.1", "revision": "sim", "branch": "HEAD", "buildUser": "", "buildDate": "", "goVersion": "go1.25.3"});
    let uptime = cluster.now.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({"cluster": {"status": "disabled"}, "versionInfo": version, "config": {"original": "route: {receiver: none}\n"}, "uptime": uptime})
}
