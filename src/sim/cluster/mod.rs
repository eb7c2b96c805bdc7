//! The model of the cluster: objects, controllers, kubelets, traffic, Kafka and what Prometheus has scraped.
//! It moves in steps of [`STEP`] of simulated time and depends on nothing but its seed and what is asked of
//! it: no I/O, no clock, no task in here.

pub(crate) mod chart;
mod controllers;
mod daemon_set;
mod deployment;
mod events;
mod helm;
pub(crate) mod kafka;
pub(crate) mod kind;
mod kubelet;
mod pods;
pub(crate) mod process;
mod progress;
mod replica_sets;
mod revision;
mod scheduler;
mod seed;
mod stateful_set;
mod status;
pub(crate) mod store;
mod traffic;
mod trouble;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use self::chart::NAMESPACE;
use self::kafka::Kafka;
use self::kind::{DEPLOYMENT, EVENT, Kind, POD};
use self::process::Process;
use self::store::Store;
use crate::sim::alertmanager::store::Alerts;
use crate::sim::json::text;
use crate::sim::prometheus::tsdb::Tsdb;
use crate::sim::rng::Rng;
use crate::sim::scenario::Release;

/// The grain of simulated time.
pub(crate) const STEP: TimeDelta = TimeDelta::milliseconds(250);
/// How often Prometheus scrapes and evaluates its rules.
pub(crate) const SCRAPE: TimeDelta = TimeDelta::seconds(2);

/// Everything that is so in the simulated cluster.
pub(crate) struct Cluster {
    /// The simulated time up to which everything has happened.
    pub(crate) now: DateTime<Utc>,
    pub(crate) store: Store,
    /// Nodes whose kubelet has stopped.
    stopped: BTreeSet<String>,
    /// Processes by the name of their pod, of the company's namespace only.
    pub(crate) processes: BTreeMap<String, Process>,
    pub(crate) kafka: Kafka,
    pub(crate) tsdb: Tsdb,
    pub(crate) alerts: Alerts,
    rng: Rng,
    incident: Option<(DateTime<Utc>, Release)>,
    next_scrape: DateTime<Utc>,
    /// The version that the controllers have settled on.
    settled: u64,
    stepped: watch::Sender<DateTime<Utc>>,
}

impl Cluster {
    /// A healthy cluster at `now`, `measured` for so long, in which `incident` is released at its time.
    pub(crate) fn new(
        seed: u64,
        now: DateTime<Utc>,
        extra_pods: u32,
        measured: TimeDelta,
        incident: Option<(DateTime<Utc>, Release)>,
    ) -> Self {
        let mut rng = Rng::new(seed);
        let mut cluster = Self {
            now,
            store: Store::new(Rng::new(rng.next())),
            stopped: BTreeSet::new(),
            processes: BTreeMap::new(),
            kafka: Kafka::default(),
            tsdb: Tsdb::default(),
            alerts: Alerts::default(),
            rng,
            incident,
            next_scrape: now + SCRAPE,
            settled: 0,
            stepped: watch::Sender::new(now),
        };
        seed::fill(&mut cluster, extra_pods, measured);
        cluster
    }

    /// Shows the simulated time, for those who wait for it to move.
    pub(crate) fn steps(&self) -> watch::Receiver<DateTime<Utc>> {
        self.stepped.subscribe()
    }

    /// Lives until `now`, step by step: one long jump ends as many short ones do.
    pub(crate) fn advance_to(&mut self, now: DateTime<Utc>) {
        let before = self.now;
        while self.now + STEP <= now {
            self.step();
        }
        if self.now != before {
            self.stepped.send_replace(self.now);
        }
    }

    fn step(&mut self) {
        self.now += STEP;
        if let Some((_, release)) = self.incident.take_if(|(at, _)| *at <= self.now) {
            self.release(&release);
        }
        self.reconcile();
        kubelet::step(self);
        traffic::step(self, 0.25);
        kafka::step(self, 0.25);
        if self.now >= self.next_scrape {
            self.next_scrape += SCRAPE;
            self.scrape();
            self.evaluate_alerts();
            self.expire_events();
            self.collect_namespaces();
        }
    }

    /// Runs the controllers, unless nothing was written since they last had nothing to do; every 5 s in any
    /// case, for deadlines.
    fn reconcile(&mut self) {
        let due = self.now.timestamp_millis() % 5_000 < 250;
        if self.settled == self.store.version() && !due {
            return;
        }
        let before = self.store.version();
        pods::collect_garbage(self);
        deployment::reconcile(self);
        controllers::reconcile(self);
        self.settled = before;
    }

    /// Deploys: every Deployment of the chart gets the spec of this release, whatever was changed by hand.
    pub(crate) fn release(&mut self, release: &Release) {
        let now = self.now;
        helm::record(self, &release.version);
        for deployment in chart::deployments(release) {
            let name = text(&deployment, "/metadata/name").to_owned();
            let known = self.store.get(&DEPLOYMENT, NAMESPACE, &name).is_some();
            if !known {
                seed::create(self, &DEPLOYMENT, deployment);
                continue;
            }
            self.store.update(&DEPLOYMENT, NAMESPACE, &name, |known| {
                if known["spec"] != deployment["spec"] {
                    known["spec"] = deployment["spec"].clone();
                    known["metadata"]["managedFields"] = json!([seed::managed_by_helm(&DEPLOYMENT, now)]);
                }
            });
        }
    }

    /// Removes an object: a pod after its own grace, anything else at once.
    pub(crate) fn remove(&mut self, kind: &'static Kind, namespace: &str, name: &str) -> Option<Value> {
        if kind.name == POD.name {
            return self.end_pod(namespace, name, None);
        }
        self.store.delete(kind, namespace, name).map(|object| object.value().clone())
    }

    /// Deletes a pod within so many seconds, those of its spec if none are given; gives it as it is then, or
    /// as it was at last: where no kubelet has it, it goes at once.
    pub(crate) fn end_pod(&mut self, namespace: &str, name: &str, grace: Option<i64>) -> Option<Value> {
        let grace = kubelet::grace(self.store.get(&POD, namespace, name)?.value(), grace);
        let graceful = grace > 0;
        let first = graceful && kubelet::mark(self, namespace, name, grace);
        if graceful && namespace == NAMESPACE && self.processes.contains_key(name) {
            if first {
                kubelet::stop(self, name);
            }
            return self.store.get(&POD, namespace, name).map(|pod| pod.value().clone());
        }
        self.store.delete(&POD, namespace, name).map(|pod| pod.value().clone())
    }

    /// Deletes an object and creates another of the same name; it has a new uid.
    pub(crate) fn recreate(&mut self, kind: &'static Kind, namespace: &str, name: &str) -> bool {
        let Some(object) = self.store.delete(kind, namespace, name) else { return false };
        let mut value = object.value().clone();
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp"] {
            value["metadata"][field] = Value::Null;
        }
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.retain(|_, field| !field.is_null());
        }
        self.store.create(kind, value, self.now);
        true
    }

    /// Writes a line into a pod's log, if its container runs.
    pub(crate) fn write_log(&mut self, pod: &str, line: &[u8]) -> bool {
        let now = self.now;
        let process = self.processes.get_mut(pod).filter(|process| process.running());
        process.map(|process| process.write(now, line.to_vec())).is_some()
    }

    /// Begins a new file for a pod's log.
    pub(crate) fn rotate_log(&mut self, pod: &str) {
        if let Some(process) = self.processes.get_mut(pod) {
            process.log.clear();
        }
    }

    /// The kernel kills a pod's container.
    pub(crate) fn kill(&mut self, pod: &str) {
        kubelet::end(self, pod, 137, "OOMKilled");
    }

    /// A digest of everything that is so.
    pub(crate) fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (kind, object) in self.store.all() {
            hasher.update(kind.as_bytes()).update(object.json().as_bytes());
        }
        hasher.update(format!("{:?}{:?}{:?}", self.now, self.kafka, self.processes).as_bytes());
        hasher.update(self.tsdb.digest().as_bytes());
        hasher.finalize()
    }

    fn forget_events(&mut self) {
        let events: Vec<_> = self.store.list(&EVENT, None).map(|event| event.key()).collect();
        for (namespace, name) in events {
            self.store.delete(&EVENT, &namespace, &name);
        }
    }
}
