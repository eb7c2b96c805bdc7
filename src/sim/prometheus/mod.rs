//! The simulated Prometheus: `/api/v1/query`, `query_range`, `labels`, `label/…/values`, `targets`,
//! `status/buildinfo` and `/-/ready`, in its own envelope.

pub(in crate::sim) mod eval;
mod promql;
pub(crate) mod tsdb;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use self::eval::{Answer, eval};
use self::promql::parse;
use self::tsdb::Labels;
use super::cluster::Cluster;
use super::request::{Query, reply};

/// More points than this for each series are refused.
const POINTS: i64 = 11_000;

/// Answers one request; `query` holds the parameters of the address and of a posted form.
pub(super) fn answer(cluster: &Cluster, method: &Method, path: &str, query: &Query) -> Response {
    let outcome = match path {
        "/-/ready" => return reply::text(200, "Prometheus Server is Ready.\n"),
        "/-/healthy" => return reply::text(200, "Prometheus Server is Healthy.\n"),
        _ if *method != Method::GET && *method != Method::POST => {
            return reply::text(405, "Method Not Allowed");
        }
        "/api/v1/query" => instant(cluster, query),
        "/api/v1/query_range" => range(cluster, query),
        "/api/v1/labels" => labels(cluster, query, |found| found.keys().cloned().collect()),
        _ if label_of(path).is_some() => {
            let label = label_of(path).unwrap_or_default();
            labels(cluster, query, |found| found.get(label).into_iter().cloned().collect())
        }
        "/api/v1/targets" => Ok(targets(cluster)),
        "/api/v1/status/buildinfo" => {
            Ok(json!({"version": "3.7.3", "revision": "sim", "branch": "HEAD", "goVersion": "go1.25.3"}))
        }
        _ => return reply::text(404, "404 page not found\n"),
    };
    match outcome {
        Ok(data) => reply::json(200, &json!({"status": "success", "data": data})),
        Err(error) => reply::json(400, &json!({"status": "error", "errorType": "bad_data", "error": error})),
    }
}

fn instant(cluster: &Cluster, query: &Query) -> Result<Value, String> {
    let expr = parse_parameter(query)?;
    let at =
        query.get("time").map_or_else(|| Ok(cluster.now.timestamp_millis()), |text| time("time", text))?;
    Ok(match eval(&cluster.tsdb, &expr, at) {
        Answer::Scalar(value) => json!({"resultType": "scalar", "result": point(at, value)}),
        Answer::Vector(vector) => {
            let result: Vec<_> = vector
                .iter()
                .map(|(labels, value)| json!({"metric": labels, "value": point(at, *value)}))
                .collect();
            json!({"resultType": "vector", "result": result})
        }
    })
}

fn range(cluster: &Cluster, query: &Query) -> Result<Value, String> {
    let required = |name| {
        query
            .get(name)
            .ok_or_else(|| format!("invalid parameter \"{name}\": cannot parse \"\" to a valid timestamp"))
    };
    let start = time("start", required("start")?)?;
    let end = time("end", required("end")?)?;
    let step = step(query.get("step").unwrap_or_default())?;
    if end < start {
        return Err("invalid parameter \"end\": end timestamp must not be before start time".to_owned());
    }
    if (end - start) / step > POINTS {
        return Err(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)".to_owned()
        );
    }
    let expr = parse_parameter(query)?;
    let mut series: BTreeMap<Labels, Vec<Value>> = BTreeMap::new();
    for number in 0..=(end - start) / step {
        let at = start + number * step;
        let values = match eval(&cluster.tsdb, &expr, at) {
            Answer::Scalar(value) => BTreeMap::from([(Labels::new(), value)]),
            Answer::Vector(vector) => vector,
        };
        for (labels, value) in values {
            series.entry(labels).or_default().push(point(at, value));
        }
    }
    let result: Vec<_> =
        series.into_iter().map(|(labels, values)| json!({"metric": labels, "values": values})).collect();
    Ok(json!({"resultType": "matrix", "result": result}))
}

/// `/api/v1/label/job/values`: `job`
fn label_of(path: &str) -> Option<&str> {
    path.strip_prefix("/api/v1/label/")?.strip_suffix("/values")
}

/// What is said of the series that match, sorted, each once.
fn labels(cluster: &Cluster, query: &Query, said: impl Fn(&Labels) -> Vec<String>) -> Result<Value, String> {
    let expr = query
        .get("match[]")
        .map(|text| parse(text).map_err(|error| format!("invalid parameter \"match[]\": {error}")))
        .transpose()?;
    let matches = |series: &Labels| match &expr {
        Some(promql::Expr::Selector(selector)) => selector.matches(series),
        _ => true,
    };
    let found: BTreeSet<String> =
        cluster.tsdb.labels().filter(|series| matches(series)).flat_map(said).collect();
    Ok(json!(found))
}

fn parse_parameter(query: &Query) -> Result<promql::Expr, String> {
    parse(query.get("query").unwrap_or_default())
        .map_err(|error| format!("invalid parameter \"query\": {error}"))
}

/// Seconds since 1970 with a fraction, or RFC 3339; in milliseconds.
fn time(name: &str, text: &str) -> Result<i64, String> {
    let unix = text.parse::<f64>().ok().and_then(millis);
    let parsed = unix.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis()));
    parsed
        .ok_or_else(|| format!("invalid parameter \"{name}\": cannot parse \"{text}\" to a valid timestamp"))
}

/// Seconds or a duration, in milliseconds.
fn step(text: &str) -> Result<i64, String> {
    let number = text.parse::<f64>().ok().and_then(millis);
    let parsed = number.or_else(|| promql::duration(text));
    match parsed {
        None => Err(format!("invalid parameter \"step\": cannot parse \"{text}\" to a valid duration")),
        Some(step) if step <= 0 => {
            Err("invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"
                .to_owned())
        }
        Some(step) => Ok(step),
    }
}

fn millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1000.0).round();
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the range is checked on the line above the cast's use"
    )]
    (millis.abs() < 9.0e15).then_some(millis as i64)
}

/// A time in seconds and a value as text, as the API writes them.
fn point(at: i64, value: f64) -> Value {
    let seconds = at.div_euclid(1000);
    let time = if at % 1000 == 0 {
        json!(seconds)
    } else {
        json!(format!("{seconds}.{:03}", at.rem_euclid(1000)).parse::<f64>().unwrap_or_default())
    };
    let text = if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    };
    json!([time, text])
}

fn targets(cluster: &Cluster) -> Value {
    let active: Vec<_> =
        cluster.targets().map(|(pod, instance, _)| target(cluster, pod, &instance)).collect();
    json!({"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {"pods": 0}})
}

fn target(cluster: &Cluster, pod: &str, instance: &str) -> Value {
    json!({
        "discoveredLabels": {"__address__": instance, "__metrics_path__": "/metrics", "__scheme__": "http", "job": "pods"},
        "labels": {"instance": instance, "job": "pods", "namespace": super::cluster::chart::NAMESPACE, "pod": pod},
        "scrapePool": "pods", "scrapeUrl": format!("http://{instance}/metrics"), "globalUrl": format!("http://{instance}/metrics"),
        "lastError": "", "lastScrape": cluster.now.to_rfc3339_opts(SecondsFormat::Nanos, true), "lastScrapeDuration": 0.001,
        "health": "up", "scrapeInterval": "2s", "scrapeTimeout": "2s",
    })
}
