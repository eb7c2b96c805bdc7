//! The simulation as its clients see it: the real kube client and reqwest, a clock that the test moves.

mod acting;
mod faults;
mod pods;
mod reading;
mod rights;
mod rollouts;

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::Request;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use kube::{Client, Config};
use serde_json::Value;

use super::cluster::chart::NAMESPACE;
use super::scenario::Scenario;
use super::{Identity, Sim, SimConfig};
use crate::net::clock::Clock;

const APP: &str = "/apis/apps/v1/namespaces/medcontract-prod/deployments/medcontracthub-app";
const RATIO: &str = r#"sum(rate(http_requests_total{service="medcontracthub-app",status=~"5.."}[30s])) / sum(rate(http_requests_total{service="medcontracthub-app"}[30s]))"#;

/// A simulation under a clock that the test moves.
struct Bench {
    sim: Sim,
    clock: Clock,
    client: Client,
}

impl Bench {
    async fn start(scenario: Scenario) -> Self {
        Self::with(|_| (), scenario).await
    }

    async fn with(change: impl FnOnce(&mut SimConfig), scenario: Scenario) -> Self {
        let clock = Clock::manual(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let mut config =
            SimConfig { clock: clock.clone(), measured: Duration::from_secs(60), ..SimConfig::new(scenario) };
        change(&mut config);
        let sim = Sim::start(config).await.unwrap();
        let client = client(&sim);
        Self { sim, clock, client }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// The value of a query that gives one series.
    async fn query(&self, query: &str) -> Option<f64> {
        let answer: Value = self.prometheus("/api/v1/query", &[("query", query)]).await;
        answer["data"]["result"][0]["value"][1].as_str().and_then(|text| text.parse().ok())
    }

    async fn prometheus(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = format!("{}{path}", self.sim.prometheus_url());
        let bytes = http_client().get(url).query(query).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn alerts(&self) -> Value {
        let url = format!("{}/api/v2/alerts", self.sim.alertmanager_url());
        let bytes = http_client().get(url).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn get(&self, path: &str) -> Result<Value, kube::Error> {
        self.client.request(Request::get(path).body(Vec::new()).unwrap()).await
    }

    /// Creates an object.
    async fn post(&self, path: &str, object: Value) -> Result<Value, kube::Error> {
        self.client.request(Request::post(path).body(object.to_string().into_bytes()).unwrap()).await
    }

    /// Sends a JSON patch.
    async fn patch(&self, path: &str, operations: Value) -> Result<Value, kube::Error> {
        let request = Request::patch(path)
            .header("content-type", "application/json-patch+json")
            .body(operations.to_string().into_bytes());
        self.client.request(request.unwrap()).await
    }

    fn lag(&self) -> u64 {
        let positions = self.sim.shared.cluster().kafka.positions();
        positions
            .iter()
            .filter(|row| row.group == "worker-service")
            .filter_map(super::cluster::kafka::Position::lag)
            .sum()
    }
}

/// A client that sends each request once.
fn client(sim: &Sim) -> Client {
    let mut config = Config::new(sim.kubernetes_url().parse().unwrap());
    config.default_retry = false;
    NAMESPACE.clone_into(&mut config.default_namespace);
    Client::try_from(config).unwrap()
}

fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn code(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("not an answer of the API: {other}"),
    }
}

fn start_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

#[tokio::test]
async fn the_same_seed_and_clock_give_the_same_cluster_however_time_jumps() {
    let once = |jumps: &'static [u64], seed| async move {
        let bench = Bench::with(|config| config.seed = seed, Scenario::OcrCrash).await;
        for jump in jumps {
            bench.pass(*jump);
        }
        bench.sim.hash()
    };
    let slow: Vec<u64> = vec![1; 60];
    let whole = once(&[60], 7).await;
    assert_eq!(whole, once(slow.leak(), 7).await);
    assert_ne!(whole, once(&[60], 8).await);
    assert_ne!(whole, once(&[59], 7).await);
}

#[tokio::test]
async fn identities_may_do_what_they_may_do_on_the_bed() {
    let bench = Bench::with(|config| config.identity = Identity::Viewer, Scenario::Calm).await;
    let refused = bench.patch(APP, serde_json::json!([])).await.unwrap_err();
    let kube::Error::Api(status) = &refused else { panic!("{refused}") };
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    let expected = "deployments.apps \"medcontracthub-app\" is forbidden: User \"viewer\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"medcontract-prod\"";
    assert_eq!(status.message, expected);
    let review = serde_json::json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes":
        {"verb": "list", "resource": "pods", "namespace": NAMESPACE}}});
    let request = Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        .body(review.to_string().into_bytes())
        .unwrap();
    let answer: Value = bench.client.request(request).await.unwrap();
    assert_eq!(answer["status"]["allowed"], true);
    assert_eq!(bench.sim.requests().len(), 1, "a review asks for no change");
    assert_eq!(bench.sim.shared.cluster().now, start_time());
}
