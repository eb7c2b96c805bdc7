//! Which queries are asked: those of the settings, and for the rest those that fit what Prometheus has.

use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::known;
use crate::config::{Rates, SERVICE, WINDOW};
use crate::event::{Signal, Unit};
use crate::net::failure::Failure;
use crate::net::http::Server;

/// Counters of requests, the one to prefer first.
const COUNTERS: [&str; 6] = [
    "http_requests_total",
    "istio_requests_total",
    "http_server_requests_seconds_count",
    "http_server_request_duration_seconds_count",
    "http_request_duration_seconds_count",
    "nginx_ingress_controller_requests",
];

/// Histograms of how long requests take, with their unit.
const HISTOGRAMS: [(&str, Unit); 5] = [
    ("http_request_duration_seconds_bucket", Unit::Seconds),
    ("http_server_request_duration_seconds_bucket", Unit::Seconds),
    ("http_server_requests_seconds_bucket", Unit::Seconds),
    ("istio_request_duration_milliseconds_bucket", Unit::Millis),
    ("nginx_ingress_controller_request_duration_seconds_bucket", Unit::Seconds),
];

const CONTAINER_CPU: &str = "container_cpu_usage_seconds_total";
const CONTAINER_LIMITS: &str = "kube_pod_container_resource_limits";
const PROCESS_CPU: &str = "process_cpu_seconds_total";

/// Labels that hold the status of an answer.
const STATUSES: [&str; 6] =
    ["status", "code", "status_code", "response_code", "http_response_status_code", "http_status_code"];

/// Labels that name a service. `exported_service` is the application's own where the scrape puts another over
/// it; a mesh counts by destination.
const SERVICES: [&str; 7] =
    ["destination_service_name", "exported_service", "service", "service_name", "app", "application", "job"];

/// A query, and what its numbers are.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What it measures.
    pub signal: Signal,
    /// `PromQL` with [`WINDOW`] and [`SERVICE`] in it.
    template: String,
    /// The label that names the service.
    pub label: String,
    /// The unit of its numbers.
    pub unit: Unit,
    /// What they should stay below, in that unit.
    pub threshold: Option<f64>,
    /// The metric that it was found by; a query of the settings has none.
    pub metric: Option<&'static str>,
}

impl Query {
    /// The query over this window.
    pub fn over(&self, window: &str) -> String {
        self.template.replace(WINDOW, window).replace(SERVICE, &self.label)
    }
}

/// The queries for this server.
pub async fn queries(server: &Server, rates: &Rates) -> Result<Vec<Query>, Failure> {
    let finder = Finder { server, rates, names: names(server).await? };
    let counted = finder.counted().await?;
    let mut queries = Vec::new();
    for signal in Signal::ALL {
        let found = match (rates.queries.get(signal), signal) {
            (Some(set), _) => Some(Query {
                signal: *signal,
                template: set.query.clone(),
                label: rates.label.clone().unwrap_or_else(|| "service".to_owned()),
                unit: set.unit,
                threshold: set.threshold,
                metric: None,
            }),
            (None, Signal::Errors) => Some(counted.errors()),
            (None, Signal::Requests) => Some(counted.requests()),
            (None, Signal::Latency) => finder.latency().await?,
            (None, Signal::Saturation) => finder.saturation().await?,
        };
        queries.extend(found);
    }
    Ok(queries)
}

/// Which of the usual metrics there are; none where the server does not tell.
async fn names(server: &Server) -> Result<Vec<String>, Failure> {
    let wanted = COUNTERS.into_iter().chain(HISTOGRAMS.map(|(name, _)| name)).chain([
        CONTAINER_CPU,
        CONTAINER_LIMITS,
        PROCESS_CPU,
    ]);
    let matching = format!("{{__name__=~\"{}\"}}", wanted.collect::<Vec<_>>().join("|"));
    list(server, "api/v1/label/__name__/values", &matching).await
}

async fn list(server: &Server, path: &str, matching: &str) -> Result<Vec<String>, Failure> {
    let answer: Option<Answer<Vec<String>>> = known(ask(server, path, matching).await)?;
    Ok(answer.map(|answer| answer.data).unwrap_or_default())
}

async fn ask<T: DeserializeOwned>(server: &Server, path: &str, matching: &str) -> Result<T, Failure> {
    server.ask(server.get(path, &[("match[]", matching)])).await
}

/// A counter of requests, and its labels.
struct Counted {
    metric: &'static str,
    status: String,
    service: String,
    /// A matcher that counts each request once.
    once: String,
}

impl Counted {
    fn query(&self, signal: Signal, matchers: &str) -> Query {
        let Self { metric, service, .. } = self;
        let template = format!("sum by ({SERVICE}) (rate({metric}{matchers}[{WINDOW}]))");
        Query {
            signal,
            template,
            label: service.clone(),
            unit: Unit::PerSecond,
            threshold: None,
            metric: Some(metric),
        }
    }

    fn errors(&self) -> Query {
        let comma = if self.once.is_empty() { "" } else { "," };
        self.query(Signal::Errors, &format!("{{{}=~\"5..\"{comma}{}}}", self.status, self.once))
    }

    fn requests(&self) -> Query {
        let matchers = if self.once.is_empty() { String::new() } else { format!("{{{}}}", self.once) };
        self.query(Signal::Requests, &matchers)
    }
}

struct Finder<'a> {
    server: &'a Server,
    rates: &'a Rates,
    names: Vec<String>,
}

impl Finder<'_> {
    fn has(&self, metric: &str) -> bool {
        self.names.iter().any(|name| name == metric)
    }

    /// Where nothing counts requests yet, what the runbook asks for.
    async fn counted(&self) -> Result<Counted, Failure> {
        let metric = COUNTERS.into_iter().find(|metric| self.has(metric)).unwrap_or(COUNTERS[0]);
        let labels = self.labels(metric).await?;
        let status = first_of(&STATUSES, &labels).unwrap_or(STATUSES[0]).to_owned();
        Ok(Counted {
            metric,
            status,
            service: self.service(&labels).unwrap_or_else(|| "service".to_owned()),
            once: self.once(metric).await?,
        })
    }

    async fn labels(&self, metric: &str) -> Result<Vec<String>, Failure> {
        if self.has(metric) { list(self.server, "api/v1/labels", metric).await } else { Ok(Vec::new()) }
    }

    fn service(&self, labels: &[String]) -> Option<String> {
        self.rates.label.clone().or_else(|| first_of(&SERVICES, labels).map(str::to_owned))
    }

    /// A mesh counts a request at both its ends; one of them is enough.
    async fn once(&self, metric: &str) -> Result<String, Failure> {
        if !metric.starts_with("istio_") {
            return Ok(String::new());
        }
        let reporters = list(self.server, "api/v1/label/reporter/values", metric).await?;
        let reporter = first_of(&["destination", "waypoint", "source"], &reporters).unwrap_or("destination");
        Ok(format!("reporter=\"{reporter}\""))
    }

    async fn latency(&self) -> Result<Option<Query>, Failure> {
        let Some((metric, unit)) = HISTOGRAMS.into_iter().find(|(metric, _)| self.has(metric)) else {
            return Ok(None);
        };
        let Some(label) = self.service(&self.labels(metric).await?) else { return Ok(None) };
        let once = self.once(metric).await?;
        let matchers = if once.is_empty() { once } else { format!("{{{once}}}") };
        let template =
            format!("histogram_quantile(0.95, sum by ({SERVICE}, le) (rate({metric}{matchers}[{WINDOW}])))");
        Ok(Some(Query {
            signal: Signal::Latency,
            template,
            label,
            unit,
            threshold: None,
            metric: Some(metric),
        }))
    }

    /// The processors that the containers use of those they may; else those that the processes use.
    async fn saturation(&self) -> Result<Option<Query>, Failure> {
        let query = |template: String, label: String, unit, metric| {
            Some(Query {
                signal: Signal::Saturation,
                template,
                label,
                unit,
                threshold: None,
                metric: Some(metric),
            })
        };
        if self.has(CONTAINER_CPU) && self.has(CONTAINER_LIMITS) {
            let used = format!("sum by ({SERVICE}) (rate({CONTAINER_CPU}{{container!=\"\"}}[{WINDOW}]))");
            let allowed = format!("sum by ({SERVICE}) ({CONTAINER_LIMITS}{{resource=\"cpu\"}})");
            return Ok(query(
                format!("{used} / {allowed}"),
                "container".to_owned(),
                Unit::Ratio,
                CONTAINER_CPU,
            ));
        }
        let label = if self.has(PROCESS_CPU) { self.service(&self.labels(PROCESS_CPU).await?) } else { None };
        let template = format!("sum by ({SERVICE}) (rate({PROCESS_CPU}[{WINDOW}]))");
        Ok(label.and_then(|label| query(template, label, Unit::Cores, PROCESS_CPU)))
    }
}

fn first_of<'a>(wanted: &[&'a str], there: &[String]) -> Option<&'a str> {
    wanted.iter().copied().find(|name| there.iter().any(|other| other == name))
}

#[cfg(test)]
mod tests;
