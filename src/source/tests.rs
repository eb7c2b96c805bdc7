//! All sources against the simulated cluster: what they tell when all is well, when everything goes wrong,
//! and when nobody answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::chance::seeds;
use crate::event::{Signal, SourceHealth, SourceState, Uid};
use crate::net::connect::{ConnectSettings, connect};
use crate::net::discovery::ServiceKind;
use crate::sim::scenario::{Release, Scenario, ServiceFault};
use crate::sim::{Sim, SimConfig};
use crate::state::{Alerts, Cluster, Lag, Rates};

const NAMESPACE: &str = "medcontract-prod";
const MINUTE: Duration = Duration::from_secs(60);
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// A simulation under a clock that the test moves, and what all sources told of it.
struct Room {
    sim: Sim,
    clock: Clock,
    events: mpsc::Receiver<Event>,
    cluster: Cluster,
    rates: Rates,
    lag: Lag,
    alerts: Alerts,
    health: BTreeMap<SourceId, SourceHealth>,
    _sources: Sources,
}

impl Room {
    /// On a cluster of which Prometheus has `measured` so much.
    async fn open(scenario: Scenario, seed: u64, measured: Duration, timing: Timing) -> Self {
        let clock = Clock::manual("2026-11-23T06:00:00Z".parse().unwrap());
        let sim = Sim::start(SimConfig { clock: clock.clone(), seed, measured, ..SimConfig::new(scenario) })
            .await
            .unwrap();
        let settings = ConnectSettings { url: Some(sim.kubernetes_url()), ..ConnectSettings::default() };
        let connection = connect(&settings, &timing).await.unwrap();
        let wanted = kafka::Wanted { settings: crate::config::Kafka::default(), namespace: NAMESPACE.into() };
        let discovery = Discovery::new(connection.reader.clone(), Some(NAMESPACE.to_owned()), &timing);
        let way = |what, url: String| {
            Resolver::new(what, url.parse::<crate::config::Where>().unwrap().into(), discovery.clone())
        };
        let settings = SourceSettings {
            namespaces: watch::Sender::new(vec![NAMESPACE.into()]).subscribe(),
            prometheus: way(ServiceKind::Prometheus, sim.prometheus_url()),
            alertmanager: way(ServiceKind::Alertmanager, sim.alertmanager_url()),
            kafka: Kafka::On(Box::new(wanted)),
            find_kafka: None,
            rates: crate::config::Rates::default(),
        };
        let (sender, events) = mpsc::channel(16);
        let contexts = connection.into();
        let begun =
            Start { settings, contexts, clock: clock.clone(), timing: timing.clone(), events: sender };
        let sources = Sources::spawn(&begun);
        let (cluster, rates, lag, alerts, health) = Default::default();
        Self { sim, clock, events, cluster, rates, lag, alerts, health, _sources: sources }
    }

    /// Takes in what is told until this is true at a quiet moment. At each of them the clock goes on by a
    /// second.
    async fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let all = async {
            loop {
                match tokio::time::timeout(Duration::from_millis(20), self.events.recv()).await {
                    Ok(event) => self.fold(event.unwrap()),
                    Err(_quiet) if so(self) => return,
                    Err(_quiet) => self.clock.advance(Duration::from_secs(1)),
                }
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(120), all).await.is_ok();
        assert!(came, "never {what}: {:?}", self.health);
    }

    fn fold(&mut self, event: Event) {
        match event {
            Event::Cluster(event) => drop(self.cluster.fold(&event)),
            Event::Rates(samples) => self.rates.fold(&samples),
            Event::RateHistory(history) => self.rates.fill(&history),
            Event::RateQueries(asked) => self.rates.asked = asked,
            Event::Lag { at, groups } => self.lag.fold(at, &groups),
            Event::Silences(silences) => self.alerts.silence(&silences),
            Event::Alerts(alerts) => self.alerts.fold(&alerts),
            Event::Usage(_) | Event::Namespaces(_) => {}
            Event::Health(health) => drop(self.health.insert(health.source, health)),
            other => panic!("no source tells {other:?}"),
        }
    }

    fn all(&self, state: SourceState) -> bool {
        self.health.len() == SourceId::ALL.len() && self.health.values().all(|health| health.state == state)
    }

    /// Uids and versions of everything, as the server has it and as it was told.
    fn in_step(&self) -> bool {
        let uids = |kind: &str| -> Vec<String> {
            let told = |object: &serde_json::Value| kind != "Event" || object["type"] == "Warning";
            let namespaced = |object: &serde_json::Value| {
                told(object) && (kind == "Node" || object["metadata"]["namespace"] == NAMESPACE)
            };
            let mut all: Vec<String> = self
                .sim
                .list(kind)
                .iter()
                .filter(|o| namespaced(o))
                .map(|o| o["metadata"]["uid"].as_str().unwrap().into())
                .collect();
            all.sort();
            all
        };
        let workloads = |kind: Kind| {
            self.cluster.workloads.iter().filter(move |(_, w)| w.kind == kind).map(|(uid, _)| uid)
        };
        let warned = |cluster: &Cluster| -> Vec<String> {
            let mut all: Vec<String> =
                cluster.notices.values().map(|notice| notice.meta.uid.to_string()).collect();
            all.sort();
            all
        };
        let told = |uids: Vec<&Uid>| -> Vec<String> { uids.into_iter().map(ToString::to_string).collect() };
        uids("Pod") == told(self.cluster.pods.keys().collect())
            && uids("Node") == told(self.cluster.nodes.keys().collect())
            && uids("ReplicaSet") == told(self.cluster.revisions.keys().collect())
            && uids("Deployment") == told(workloads(Kind::Deployment).collect())
            && uids("StatefulSet") == told(workloads(Kind::StatefulSet).collect())
            && uids("Event") == warned(&self.cluster)
            && self.ready()
    }

    /// Whether each Deployment was told with the numbers that it has.
    fn ready(&self) -> bool {
        self.sim.list("Deployment").iter().filter(|o| o["metadata"]["namespace"] == NAMESPACE).all(|object| {
            let told = self.cluster.workloads.get(object["metadata"]["uid"].as_str().unwrap());
            told.is_some_and(|w| {
                i64::from(w.ready) == object["status"]["readyReplicas"].as_i64().unwrap_or_default()
            })
        })
    }
}

#[tokio::test]
async fn the_simulated_cluster_is_told_whole() {
    let mut room = Room::open(Scenario::BadRelease, 1, HALF_AN_HOUR, Timing::default()).await;
    room.until("live", |room| room.all(SourceState::Live) && room.in_step()).await;
    room.until("half an hour of history", |room| line(room, 30).iter().flatten().count() > 100).await;
    assert!(room.lag.groups.contains_key("worker-service"));
    room.until("an alert", |room| room.alerts.firing() > 0).await;
    room.until("errors", |room| room.rates.ratio("medcontracthub-app").is_some_and(|ratio| ratio > 0.1))
        .await;
}

/// The app's share of failures in the last minutes, a value every 5 seconds.
fn line(room: &Room, minutes: i64) -> Vec<Option<f64>> {
    let Some(to) = room.rates.at else { return vec![None] };
    let dots = usize::try_from(minutes * 12).unwrap();
    room.rates.services["medcontracthub-app"].dots(
        Signal::Errors,
        to - chrono::TimeDelta::minutes(minutes),
        to,
        dots,
    )
}

#[tokio::test]
async fn servers_that_stop_are_stale_and_live_again_when_they_go_on() {
    // A piece of the past that a busy machine is late with three times stays a gap.
    let timing = Timing { metrics_answer: Duration::from_secs(2), ..Timing::scaled(0.05) };
    let mut room = Room::open(Scenario::BadRelease, 1, HALF_AN_HOUR, timing).await;
    room.until("live", |room| room.all(SourceState::Live)).await;
    room.sim.faults().freeze();
    room.until("stale", |room| room.all(SourceState::Stale)).await;
    room.sim.faults().thaw();
    room.until("live again", |room| room.all(SourceState::Live) && room.in_step()).await;
    room.until("filled in", |room| line(room, 10).iter().all(Option::is_some)).await;
}

/// After Sieve (OSDI'22): whatever is lost, late, doubled or refused on the way, the end is what the server
/// has.
#[tokio::test]
async fn whatever_goes_wrong_the_world_is_the_servers_in_the_end() {
    for seed in 0..seeds(2, 3) {
        // Retries are soon; answers may take their time, for nothing here is silent for ever.
        let Timing { answer, patience, silence, metrics_answer, lag_answer, .. } = Timing::default();
        let timing = Timing { answer, patience, silence, metrics_answer, lag_answer, ..Timing::scaled(0.02) };
        let mut room = Room::open(Scenario::BadRelease, seed, MINUTE, timing).await;
        room.sim.faults().random(seed, 0.4);
        for round in 0..3 {
            let pods: Vec<String> = room.cluster.pods.values().map(|pod| pod.meta.name.to_string()).collect();
            for name in pods.iter().skip(usize::try_from(seed).unwrap() % 3).step_by(3) {
                room.sim.recreate("Pod", NAMESPACE, name);
            }
            match round % 3 {
                0 => room.sim.release(&Release::fault("ocr-service", ServiceFault::Crash)),
                1 => room.sim.compact(),
                _ => room.sim.release(&Release::version("v1.2.3")),
            }
            let passed = room.clock.now() + chrono::TimeDelta::seconds(5);
            room.until("time passed", |room| room.clock.now() >= passed).await;
        }
        room.sim.faults().clear();
        room.until("in step", |room| room.all(SourceState::Live) && room.in_step()).await;
    }
}

#[tokio::test]
async fn a_fault_in_a_source_is_shown_and_the_source_starts_again() {
    let (events, mut heard) = mpsc::channel(4);
    let handle = move || SourceHandle::new(SourceId::Kafka, Clock::system(), events.clone());
    let runs = AtomicU32::new(0);
    let run = move |mut handle: SourceHandle| -> BoxFuture<'static, ()> {
        let first = runs.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert!(!first, "not this time");
            handle.live(None).await;
        }
        .boxed()
    };
    supervise(handle, run, Duration::from_millis(1)).await;
    let mut told = Vec::new();
    while let Some(Event::Health(health)) = heard.recv().await {
        told.push((health.state, health.error.is_some_and(|error| error.contains("not this time"))));
    }
    assert_eq!(told, [(SourceState::Down, true), (SourceState::Live, false)]);
}
