//! What the cluster itself has: services that look like Prometheus or Alertmanager, brokers of Kafka. By what
//! the common charts and operators call them, best first; each is asked whether it is what it looks like
//! before it is used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::failure::Failure;
use super::http::Server;
use super::query::escaped;
use super::timing::Timing;
use crate::config::{Bootstrap, HostPort, InCluster};
use crate::units;

/// Services in one page of a listing.
const PAGE: usize = 500;

/// Pages at the most: who has more services than this names the right one.
const PAGES: usize = 40;

/// For so long one listing serves all who look.
const FRESH: Duration = Duration::from_secs(30);

/// So many are asked whether they are what they look like.
const TRIES: usize = 5;

/// Kind of service that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Servers that answer `/api/v1/query` as Prometheus does.
    Prometheus,
    /// Servers that answer Alertmanager's API v2.
    Alertmanager,
}

impl ServiceKind {
    /// Returns its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Alertmanager => "Alertmanager",
        }
    }

    /// Returns the flag, the variable of the environment and the table of the settings that name it.
    pub fn settings(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Prometheus => ("--prometheus", "WARROOM_PROMETHEUS_URL", "prometheus"),
            Self::Alertmanager => ("--alertmanager", "WARROOM_ALERTMANAGER_URL", "alertmanager"),
        }
    }

    fn signs(self) -> &'static [Pattern] {
        match self {
            Self::Prometheus => PROMETHEUS,
            Self::Alertmanager => ALERTMANAGER,
        }
    }
}

/// How a service of a known chart or operator looks.
struct Pattern {
    name: Name,
    /// The ports that answer, the best first.
    ports: &'static [u16],
    prefix: &'static str,
}

enum Name {
    Is(&'static str),
    Ends(&'static str),
    Begins(&'static str),
    /// By the label `app.kubernetes.io/name`.
    Labelled(&'static str),
}

const fn sign(name: Name, ports: &'static [u16]) -> Pattern {
    Pattern { name, ports, prefix: "" }
}

/// Best first: the operator's own, the common charts, what reads several of them, what only speaks the same
/// language.
const PROMETHEUS: &[Pattern] = &[
    sign(Name::Is("prometheus-operated"), &[9090]),
    sign(Name::Is("prometheus-k8s"), &[9090]),
    sign(Name::Ends("-prometheus"), &[9090]),
    sign(Name::Ends("prometheus-server"), &[9090, 80]),
    sign(Name::Is("prometheus"), &[9090, 80]),
    sign(Name::Ends("thanos-query-frontend"), &[9090, 10902]),
    sign(Name::Ends("thanos-query"), &[9090, 10902]),
    sign(Name::Begins("vmsingle"), &[8428, 8429]),
    sign(Name::Ends("victoria-metrics-single-server"), &[8428]),
    Pattern { name: Name::Begins("vmselect"), ports: &[8481], prefix: "/select/0/prometheus" },
    Pattern { name: Name::Ends("mimir-query-frontend"), ports: &[8080], prefix: "/prometheus" },
    sign(Name::Labelled("prometheus"), &[9090, 80]),
];

const ALERTMANAGER: &[Pattern] = &[
    sign(Name::Is("alertmanager-operated"), &[9093]),
    sign(Name::Is("alertmanager-main"), &[9093]),
    sign(Name::Ends("-alertmanager"), &[9093, 80]),
    sign(Name::Is("alertmanager"), &[9093, 80]),
    sign(Name::Begins("vmalertmanager"), &[9093]),
    sign(Name::Labelled("alertmanager"), &[9093, 80]),
];

/// Where brokers answer without encryption.
const KAFKA_PORT: u16 = 9092;

impl Name {
    fn fits(&self, service: &Service) -> bool {
        let name = service.metadata.name.as_str();
        match self {
            Self::Is(whole) => name == *whole,
            Self::Ends(end) => name.ends_with(end),
            Self::Begins(begin) => name.starts_with(begin),
            Self::Labelled(value) => {
                service.metadata.labels.get("app.kubernetes.io/name").is_some_and(|label| label == value)
            }
        }
    }
}

impl Pattern {
    fn find(&self, service: &Service) -> Option<InCluster> {
        let port =
            self.ports.iter().find(|port| service.listens(**port)).filter(|_| self.name.fits(service))?;
        let metadata = &service.metadata;
        let namespace = metadata.namespace.clone();
        let name = metadata.name.clone();
        let prefix = self.prefix.to_owned();
        Some(InCluster { namespace, name, port: port.to_string(), tls: false, prefix })
    }
}

/// A listing, as far as it is read.
#[derive(Deserialize)]
struct List<T> {
    metadata: Page,
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default, rename = "continue")]
    token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
    name: String,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Service {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Spec {
    #[serde(default)]
    ports: Vec<Port>,
    #[serde(default)]
    selector: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Port {
    port: u16,
}

impl Service {
    fn listens(&self, port: u16) -> bool {
        self.spec.ports.iter().any(|one| one.port == port)
    }

    /// How much it looks like the way to Kafka's brokers; smaller is more.
    fn broker_rank(&self) -> Option<usize> {
        let name = self.metadata.name.as_str();
        let not =
            ["exporter", "connect", "ui", "rest", "schema", "zookeeper", "metrics", "operator", "console"];
        let named = name.contains("kafka")
            || self.metadata.labels.get("app.kubernetes.io/name").is_some_and(|label| label == "kafka");
        let wanted = self.listens(KAFKA_PORT)
            && named
            && !self.spec.selector.is_empty()
            && !not.iter().any(|word| name.contains(word));
        let known =
            ["kafka-bootstrap", "kafka", "headless", "brokers"].iter().position(|end| name.ends_with(end));
        wanted.then(|| known.unwrap_or(usize::MAX))
    }
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

impl Pod {
    fn ready(&self) -> bool {
        self.status.conditions.iter().any(|one| one.kind == "Ready" && one.status == "True")
    }
}

/// Pod of a broker, and how its brokers are reached from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Bootstrap address as the pod reaches it: `kafka:9092`.
    pub bootstrap: Bootstrap,
}

/// Services of the cluster that match a pattern, and which ones were searched.
#[derive(Debug)]
pub struct Catalog {
    services: Vec<Service>,
    /// Services that were searched, in words: `12 services of all namespaces`.
    pub looked: String,
    near: Option<String>,
}

impl Catalog {
    /// Returns the services that match a kind, the best first; among alike ones those of the session's own
    /// namespace.
    pub fn candidates(&self, what: ServiceKind) -> Vec<InCluster> {
        let rank = |service| {
            what.signs().iter().enumerate().find_map(|(rank, sign)| Some((rank, sign.find(service)?)))
        };
        let mut found: Vec<(usize, bool, InCluster)> = self
            .services
            .iter()
            .filter_map(rank)
            .map(|(rank, at)| (rank, self.far(&at.namespace), at))
            .collect();
        found.sort();
        found.into_iter().map(|(.., at)| at).collect()
    }

    fn far(&self, namespace: &str) -> bool {
        self.near.as_deref() != Some(namespace)
    }

    fn brokers(&self) -> Vec<&Service> {
        let mut found: Vec<_> =
            self.services.iter().filter_map(|service| Some((service.broker_rank()?, service))).collect();
        found.sort_by_key(|(rank, service)| {
            (
                self.far(&service.metadata.namespace),
                *rank,
                &service.metadata.namespace,
                &service.metadata.name,
            )
        });
        found.into_iter().map(|(_, service)| service).collect()
    }
}

/// A catalog, and when it was made.
type Listing = (Instant, Arc<Catalog>);

/// Discovery of services in one cluster; cheap to clone, and shared by all who ask.
#[derive(Clone)]
pub struct Discovery {
    pub(super) client: kube::Client,
    /// The session's namespace: looked at first, and alone where all are forbidden.
    near: Option<String>,
    pub(super) timing: Timing,
    last: Arc<Mutex<Option<Listing>>>,
}

impl std::fmt::Debug for Discovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Discovery near {:?}", self.near)
    }
}

impl Discovery {
    /// Creates a discovery that has asked nothing yet.
    pub fn new(client: kube::Client, near: Option<String>, timing: &Timing) -> Self {
        Self { client, near, timing: timing.clone(), last: Arc::default() }
    }

    /// Returns the services of the cluster; the API server is asked once.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, Failure> {
        let mut last = self.last.lock().await;
        if let Some((_, catalog)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(catalog));
        }
        let catalog = Arc::new(self.list().await?);
        *last = Some((Instant::now(), Arc::clone(&catalog)));
        Ok(catalog)
    }

    async fn list(&self) -> Result<Catalog, Failure> {
        let (services, whole) = match (self.all("/api/v1/services", "services").await, &self.near) {
            (Err(Failure::Forbidden(_)), Some(near)) => (
                self.all(
                    &format!("/api/v1/namespaces/{near}/services"),
                    &format!("services in namespace {near}"),
                )
                .await?,
                false,
            ),
            (all, _) => (all?, true),
        };
        let count = services.len();
        let looked = match &self.near {
            Some(near) if !whole => {
                format!("{count} services of namespace {near}; listing those of all is forbidden")
            }
            _ => format!("{count} services of all namespaces"),
        };
        Ok(Catalog { services, looked, near: self.near.clone() })
    }

    async fn all(&self, path: &str, what: &str) -> Result<Vec<Service>, Failure> {
        let mut all = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let next =
                if token.is_empty() { String::new() } else { format!("&continue={}", escaped(&token)) };
            let page: List<Service> = self.ask(&format!("{path}?limit={PAGE}{next}"), what).await?;
            all.extend(page.items);
            token = page.metadata.token;
            if token.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Failure> {
        let request = Request::get(path)
            .body(Vec::new())
            .map_err(|error| Failure::Rejected(format!("{what} cannot be asked for: {error}")))?;
        let Ok(answer) = tokio::time::timeout(self.timing.patience, self.client.request::<T>(request)).await
        else {
            return Err(Failure::silent("the API server", self.timing.patience));
        };
        answer.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 401 => Failure::logged_out(),
            kube::Error::Api(status) if status.code == 403 => {
                Failure::Forbidden(format!("list {what} is forbidden (403)"))
            }
            kube::Error::Api(status) => Failure::Lost(format!(
                "the API server answers {} to list {what}: {}",
                status.code, status.message
            )),
            error => Failure::unreachable("the API server", &error),
        })
    }

    /// Returns the best service that answers as it should, and what the others said; what looked like it at
    /// all was tried.
    pub async fn find(&self, what: ServiceKind) -> Result<Option<(InCluster, Server)>, Failure> {
        let catalog = self.catalog().await?;
        let mut first = None;
        for service in catalog.candidates(what).into_iter().take(TRIES) {
            let server = Server::within(what.name(), &service, self.client.clone(), &self.timing);
            match test(what, &server).await {
                Ok(_) => return Ok(Some((service, server))),
                Err(failure) => drop(first.get_or_insert(failure)),
            }
        }
        first.map_or(Ok(None), Err)
    }

    /// Returns a ready pod of a broker; `None` where there is none.
    pub async fn broker(&self) -> Result<Option<Broker>, Failure> {
        let catalog = self.catalog().await?;
        for service in catalog.brokers().into_iter().take(TRIES) {
            let namespace = &service.metadata.namespace;
            let name = &service.metadata.name;
            let selector: Vec<String> =
                service.spec.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let path = format!(
                "/api/v1/namespaces/{namespace}/pods?limit=50&labelSelector={}",
                escaped(&selector.join(","))
            );
            let pods: List<Pod> = self.ask(&path, &format!("pods in namespace {namespace}")).await?;
            let mut ready: Vec<String> =
                pods.items.into_iter().filter(Pod::ready).map(|pod| pod.metadata.name).collect();
            ready.sort();
            if let Some(pod) = ready.into_iter().next() {
                return Ok(Some(Broker {
                    namespace: namespace.clone(),
                    pod,
                    bootstrap: Bootstrap(vec![HostPort { host: name.clone(), port: KAFKA_PORT }]),
                }));
            }
        }
        Ok(None)
    }
}

/// Tests whether a server answers as it should, and returns what it has, in words.
pub async fn test(what: ServiceKind, server: &Server) -> Result<String, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        version_info: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    match what {
        ServiceKind::Prometheus => {
            let answer: serde_json::Value =
                server.ask(server.get("api/v1/query", &[("query", "sum by (job) (up)")])).await?;
            let jobs = answer.pointer("/data/result").and_then(serde_json::Value::as_array);
            let jobs =
                jobs.ok_or_else(|| Failure::Rejected("it answers, but not as Prometheus does".into()))?;
            let targets: u64 =
                jobs.iter().filter_map(|job| job.pointer("/value/1")?.as_str()?.parse::<u64>().ok()).sum();
            Ok(format!(
                "{} up in {}",
                units::counted(usize::try_from(targets).unwrap_or(usize::MAX), "target"),
                units::counted(jobs.len(), "job")
            ))
        }
        ServiceKind::Alertmanager => {
            let status: Status = server.ask(server.get("api/v2/status", &[])).await?;
            Ok(format!("version {}", status.version_info.version))
        }
    }
}

#[cfg(test)]
mod tests;
