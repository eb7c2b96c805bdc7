//! A simulated cluster under the machine's clock, as the program's kubeconfig and flags reach it.

use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use warroom::net::clock::Clock;
use warroom::sim::scenario::{Release, Scenario};
use warroom::sim::{Identity, NAMESPACE, SeenRequest, Sim, SimConfig};

use super::Home;

/// A simulation that runs beside the test.
pub struct Cluster {
    runtime: Runtime,
    pub sim: Sim,
    pub home: Home,
    flags: Vec<String>,
}

impl Cluster {
    pub fn calm() -> Self {
        Self::start(Identity::Admin, Clock::system())
    }

    pub fn start(identity: Identity, clock: Clock) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = SimConfig {
            identity,
            clock,
            onset: Duration::ZERO,
            measured: Duration::from_secs(60),
            ..SimConfig::new(Scenario::Calm)
        };
        let sim = runtime.block_on(Sim::start(config)).unwrap();
        let home = Home::on(&sim.kubernetes_url(), NAMESPACE);
        let flags =
            ["--prometheus".into(), sim.prometheus_url(), "--alertmanager".into(), sim.alertmanager_url()]
                .to_vec();
        Self { runtime, sim, home, flags }
    }

    /// Arguments with the addresses before them.
    pub fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        self.flags.iter().map(String::as_str).chain(args.iter().copied()).collect()
    }

    pub fn run(&self, args: &[&str]) -> super::Ran {
        self.home.run(&self.args(args))
    }

    /// Deploys, from within the simulation's runtime.
    pub fn release(&self, release: &Release) {
        let _inside = self.runtime.enter();
        self.sim.release(release);
    }

    /// Sends a request to the API server as anybody else's client would, and expects that it is taken.
    pub fn send(&self, method: reqwest::Method, path: &str, media: &str, body: &Value) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.sim.kubernetes_url()));
        let sent = request.header("content-type", media).body(body.to_string()).send();
        let answer = self.runtime.block_on(sent).unwrap();
        assert!(answer.status().is_success(), "{:?}", self.runtime.block_on(answer.text()));
    }

    /// The requests that changed something or asked to.
    pub fn writes(&self) -> Vec<SeenRequest> {
        self.sim.requests().into_iter().filter(|request| !request.dry_run).collect()
    }
}
