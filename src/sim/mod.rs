//! The simulated cluster behind `warroom demo` and most tests: Kubernetes, Prometheus and Alertmanager on
//! loopback, over plain HTTP, so that every key runs the real client code. It is a model of the cluster, not
//! a script of the screen: what the operator does changes what happens next. The same seed, clock and
//! requests give the same cluster.
//!
//! - [`scenario`]: what can go wrong
//! - `cluster`: the model: objects, controllers, kubelets, traffic, Kafka; no I/O, no clock
//! - `api`, `prometheus`, `alertmanager`: the servers' answers
//! - `server`: connections and the way of a request; [`fault`] and `malformed`: what is made to go wrong on
//!   that way
//! - [`load`]: a very large cluster, which is no model: pods by the ten thousand that come and change

mod alertmanager;
mod api;
mod cluster;
pub mod fault;
mod json;
pub mod load;
pub mod malformed;
mod prometheus;
mod request;
mod rng;
pub mod scenario;
mod server;
mod shared;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use self::api::Identity;
use self::api::Target;
use self::cluster::Cluster;
pub use self::cluster::chart::NAMESPACE;
use self::fault::Faults;
pub use self::request::SeenRequest;
use self::scenario::{Release, Scenario};
use self::server::Server;
use self::shared::Shared;
use crate::net::clock::Clock;

/// How a simulation is started.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Decides every chance in the simulation.
    pub seed: u64,
    /// What goes wrong.
    pub scenario: Scenario,
    /// Simulated time. A manual clock moves the cluster only when it is advanced.
    pub clock: Clock,
    /// Whose requests the API server takes all requests for.
    pub identity: Identity,
    /// Further pods, ready and without a controller, in namespace `scale`.
    pub extra_pods: u32,
    /// When the incident begins, after the start.
    pub onset: Duration,
    /// How long Prometheus has measured before the start.
    pub measured: Duration,
}

impl SimConfig {
    /// An administrator's calm cluster under the machine's clock, half an hour measured, the incident, if one
    /// is chosen, after 8 s.
    pub fn new(scenario: Scenario) -> Self {
        let onset = Duration::from_secs(8);
        let measured = Duration::from_secs(30 * 60);
        Self {
            seed: 1,
            scenario,
            clock: Clock::system(),
            identity: Identity::Admin,
            extra_pods: 0,
            onset,
            measured,
        }
    }
}

/// Why the simulation could not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No port of loopback could be listened on.
    #[error(
        "the simulated cluster cannot listen on 127.0.0.1: {0}; is loopback up and are there free ports?"
    )]
    Listen(#[from] std::io::Error),
}

/// A running simulation; it ends, with all its connections, when this is dropped.
pub struct Sim {
    shared: Arc<Shared>,
    addresses: [SocketAddr; 3],
    tasks: Vec<AbortHandle>,
}

impl Sim {
    /// Starts the servers and the cluster behind them.
    pub async fn start(config: SimConfig) -> Result<Self, SimError> {
        let now = config.clock.now();
        let onset = TimeDelta::from_std(config.onset).unwrap_or(TimeDelta::MAX);
        let incident =
            config.scenario.release().and_then(|release| Some((now.checked_add_signed(onset)?, release)));
        let measured = TimeDelta::from_std(config.measured).unwrap_or(TimeDelta::zero());
        let cluster = Cluster::new(config.seed, now, config.extra_pods, measured, incident);
        let shared = Arc::new(Shared::new(config.clock, config.identity, cluster));
        let mut sim =
            Self { shared, addresses: [SocketAddr::from(([127, 0, 0, 1], 0)); 3], tasks: Vec::new() };
        for (place, server) in
            [Server::Kubernetes, Server::Prometheus, Server::Alertmanager].into_iter().enumerate()
        {
            let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
            sim.addresses[place] = listener.local_addr()?;
            let shared = sim.shared.clone();
            let served =
                server::accept(listener, move |request| server::handle(server, shared.clone(), request));
            sim.tasks.push(tokio::spawn(served).abort_handle());
        }
        sim.tasks.push(tokio::spawn(server::live(sim.shared.clone())).abort_handle());
        Ok(sim)
    }

    /// `http://127.0.0.1:PORT` of the API server.
    pub fn kubernetes_url(&self) -> String {
        format!("http://{}", self.addresses[0])
    }

    /// `http://127.0.0.1:PORT` of Prometheus.
    pub fn prometheus_url(&self) -> String {
        format!("http://{}", self.addresses[1])
    }

    /// `http://127.0.0.1:PORT` of Alertmanager.
    pub fn alertmanager_url(&self) -> String {
        format!("http://{}", self.addresses[2])
    }

    /// What is made to go wrong between client and server.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Every request so far that asked the API server or Alertmanager for a change, in order of arrival.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.seen().clone()
    }

    /// The object at a path such as
    /// `/apis/apps/v1/namespaces/medcontract-prod/deployments/medcontracthub-app`.
    pub fn object(&self, path: &str) -> Option<Value> {
        let target = Target::parse(path)?;
        let cluster = self.shared.cluster();
        let object = cluster.store.get(target.kind, target.namespace(), target.name.as_deref()?)?;
        serde_json::from_str(&api::with_type(target.kind, object.json())).ok()
    }

    /// All objects of a kind (`Pod`, `Deployment`…), by namespace and name; none for a kind that is not
    /// known.
    pub fn list(&self, kind: &str) -> Vec<Value> {
        let Some(kind) = cluster::kind::named(kind) else { return Vec::new() };
        self.shared.cluster().store.list(kind, None).map(|object| object.value().clone()).collect()
    }

    /// Deletes an object, a pod of the company after its grace; says whether it was there.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) -> bool {
        cluster::kind::named(kind)
            .is_some_and(|kind| self.shared.cluster().remove(kind, namespace, name).is_some())
    }

    /// Deletes an object and at once creates one like it, of the same name and with a new uid; says whether
    /// it was there.
    pub fn recreate(&self, kind: &str, namespace: &str, name: &str) -> bool {
        cluster::kind::named(kind).is_some_and(|kind| self.shared.cluster().recreate(kind, namespace, name))
    }

    /// Changes an object, as somebody with kubectl would; says whether it changed.
    pub fn edit(&self, kind: &str, namespace: &str, name: &str, edit: impl FnOnce(&mut Value)) -> bool {
        cluster::kind::named(kind)
            .is_some_and(|kind| self.shared.cluster().store.update(kind, namespace, name, edit))
    }

    /// Gives the cluster another identity, the uid of its namespace `kube-system`: the same address leads to
    /// another cluster now.
    pub fn set_cluster_identity(&self, uid: &str) {
        self.edit("Namespace", "", "kube-system", |namespace| {
            namespace["metadata"]["uid"] = Value::from(uid);
        });
    }

    /// Stops a node's kubelet; the node controller notices it at once.
    pub fn stop_node(&self, name: &str) {
        self.shared.cluster().stop_node(name);
    }

    /// Deletes a pod without grace.
    pub fn delete_by_force(&self, namespace: &str, pod: &str) {
        self.shared.cluster().delete_by_force(namespace, pod);
    }

    /// Deletes a namespace and all that is in it.
    pub fn delete_namespace(&self, name: &str) {
        self.shared.cluster().delete_namespace(name);
    }

    /// Deploys, as the bed's `bed release` does: whatever was changed by hand is overwritten.
    pub fn release(&self, release: &Release) {
        self.shared.cluster().release(release);
    }

    /// Writes a line into the log of a pod's container; says whether it runs.
    pub fn write_log(&self, pod: &str, line: &[u8]) -> bool {
        self.shared.cluster().write_log(pod, line)
    }

    /// Begins a new file for a pod's log, as the kubelet does with one that has become too large: what is in
    /// the old one cannot be read any more.
    pub fn rotate_log(&self, pod: &str) {
        self.shared.cluster().rotate_log(pod);
    }

    /// Kills a pod's container for taking too much memory; the kubelet starts it again.
    pub fn kill(&self, pod: &str) {
        self.shared.cluster().kill(pod);
    }

    /// Forgets the API server's history: every version and page token given out so far is expired.
    pub fn compact(&self) {
        self.shared.cluster().store.compact();
    }

    /// A digest of everything that is so in the cluster, in hexadecimal.
    pub fn hash(&self) -> String {
        self.shared.cluster().hash().to_hex().to_string()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

#[cfg(test)]
mod tests;
