//! The simulated Alertmanager: the bed's one alert, by the rule of `manifests/alerts.yml`, and silences, at
//! `/api/v2`.

pub(crate) mod store;

use axum::http::Method;
use axum::response::Response;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use self::store::{FOR, Pending, Posted, Silence, time};
use super::cluster::Cluster;
use super::request::{Query, reply};

/// Answers one request.
pub(super) fn answer(
    cluster: &mut Cluster,
    method: &Method,
    path: &str,
    query: &Query,
    body: &[u8],
) -> Response {
    let silence = path.strip_prefix("/api/v2/silence/");
    match (method, path, silence) {
        (&Method::POST, "/api/v2/silences", _) => post(cluster, body),
        (&Method::DELETE, _, Some(id)) => expire(cluster, id),
        (method, ..) if *method != Method::GET => reply::text(405, "Method Not Allowed"),
        (_, "/-/ready" | "/-/healthy", _) => reply::text(200, "OK"),
        (_, "/api/v2/alerts", _) => reply::json(200, &alerts(cluster, query)),
        (_, "/api/v2/silences", _) => reply::json(
            200,
            &cluster.alerts.silences.iter().map(|silence| silence.json(cluster.now)).collect(),
        ),
        (_, "/api/v2/status", _) => reply::json(200, &status(cluster)),
        _ => reply::json(404, &json!({"code": 404, "message": format!("path {path} was not found")})),
    }
}

/// Refuses what Alertmanager refuses, in its words.
fn post(cluster: &mut Cluster, body: &[u8]) -> Response {
    let posted: Posted = match serde_json::from_slice(body) {
        Ok(posted) => posted,
        Err(error) => {
            return reply::json(
                400,
                &json!({"code": 602, "message": format!("parsing silence body failed: {error}")}),
            );
        }
    };
    let wrong = if posted.starts_at >= posted.ends_at {
        Some("Failed to create silence: start time must be before end time")
    } else if posted.ends_at < cluster.now {
        Some("Failed to create silence: end time can't be in the past")
    } else if posted.matchers.iter().all(|matcher| matcher.value.is_empty()) {
        Some("silence invalid: at least one matcher must not match the empty string")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return reply::json(400, &wrong.into());
    }
    let id = uuid(cluster.alerts.silences.len());
    cluster.alerts.silences.push(Silence { id: id.clone(), posted, updated: cluster.now });
    reply::json(200, &json!({"silenceID": id}))
}

/// Of the form of a version 4 UUID, and the same for the same place.
fn uuid(place: usize) -> String {
    let hex = blake3::hash(format!("silence {place}").as_bytes()).to_hex();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

fn expire(cluster: &mut Cluster, id: &str) -> Response {
    let now = cluster.now;
    let standing = |silence: &&mut Silence| silence.id == id && silence.state(now) != "expired";
    match cluster.alerts.silences.iter_mut().find(standing) {
        Some(silence) => {
            silence.posted.ends_at = now;
            silence.updated = now;
            reply::text(200, "")
        }
        None => reply::json(404, &format!("silence {id} not found").into()),
    }
}

fn alerts(cluster: &Cluster, query: &Query) -> Value {
    let active = query.get("active") != Some("false");
    let silenced = query.get("silenced") != Some("false");
    let all = cluster.alerts.firing(cluster.now).map(|(service, pending)| alert(cluster, service, pending));
    all.filter(|alert| if alert["status"]["state"] == "active" { active } else { silenced }).collect()
}

fn alert(cluster: &Cluster, service: &str, pending: &Pending) -> Value {
    let now = cluster.now;
    let labels = json!({"alertname": "HighErrorRate", "service": service, "severity": "critical"});
    let muting = cluster.alerts.silences.iter().filter(|silence| silence.mutes(&labels, now));
    let silenced: Vec<&str> = muting.map(|silence| silence.id.as_str()).collect();
    let state = if silenced.is_empty() { "active" } else { "suppressed" };
    let summary = format!("{service} fails {:.2}% of its requests", pending.ratio * 100.0);
    json!({
        "labels": labels,
        "annotations": {"summary": summary},
        "fingerprint": &blake3::hash(service.as_bytes()).to_hex()[..16],
        "startsAt": time(pending.since + FOR), "updatedAt": time(now), "endsAt": time(now + TimeDelta::minutes(4)),
        "status": {"state": state, "silencedBy": silenced, "inhibitedBy": [], "mutedBy": []},
        "receivers": [{"name": "none"}], "generatorURL": "http://prometheus:9090/graph",
    })
}

fn status(cluster: &Cluster) -> Value {
    let version = json!({"version": "0.28.1", "revision": "sim", "branch": "HEAD", "buildUser": "", "buildDate": "", "goVersion": "go1.25.3"});
    let uptime = cluster.now.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({"cluster": {"status": "disabled"}, "versionInfo": version, "config": {"original": "route: {receiver: none}\n"}, "uptime": uptime})
}
