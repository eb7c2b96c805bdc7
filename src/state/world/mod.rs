//! What is so: the fold of all recorded events, the same live and replayed.

pub(in crate::state) mod alerts;
mod arming;
pub(in crate::state) mod cluster;
pub(in crate::state) mod force_deleted;
pub(in crate::state) mod kube_events;
pub(in crate::state) mod lag;
pub(in crate::state) mod latest;
mod naming;
pub(in crate::state) mod rates;
pub(in crate::state) mod runs;
pub(in crate::state) mod time_series;
pub(in crate::state) mod timeline;
pub(in crate::state) mod usage;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::arming::Armed;
use self::cluster::Index;
use self::runs::{DISARMED, STOPPED};
use super::detect::Detector;
use super::detect::changes;
use super::{Alerts, Cluster, EntryKind, Forced, Lag, Rates, Rollout, Run, Runs, Timeline, Usage};
use crate::clean::Clean;
use crate::event::{
    ClusterEvent, ContextId, Event, Namespace, NamespacePhase, ObjectKey, Operator, Purpose, Record, Session,
    Signal, SourceHealth, SourceId, SourceState, Uid, Workload,
};
use crate::keymap::Action;
use crate::step::check::Evidence;

/// State of everything that warroom watches, as far as it was reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Number of the last record folded in.
    pub seq: u64,
    /// Time of that record.
    pub at: DateTime<Utc>,
    /// Session: who watches which cluster, with which rules.
    pub session: Option<Session>,
    /// Health of each source.
    pub sources: BTreeMap<SourceId, SourceHealth>,
    /// Objects of the cluster.
    pub cluster: Cluster,
    /// CPU and memory that pods and nodes use.
    pub usage: Usage,
    /// Namespaces that were watched, by name.
    pub namespaces: BTreeMap<ObjectKey, NamespacePhase>,
    /// Pods that were force-deleted.
    pub forced: Forced,
    /// Request and error rates.
    pub rates: Rates,
    /// Consumer groups.
    pub lag: Lag,
    /// Active alerts.
    pub alerts: Alerts,
    /// Timeline of what happened.
    pub timeline: Timeline,
    /// Changes made from this screen.
    pub runs: Runs,
    /// Until when changes may be made, by context.
    #[serde(flatten)]
    armed: Armed,
    /// Identity of the cluster that answers in each context, as far as that was told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<ContextId, Clean>,
    /// Why the journal cannot be written, while it cannot.
    pub journal_trouble: Option<Clean>,
    /// Detector, which knows what the timeline has said last of each thing, so that one cause is one entry.
    pub(super) detector: Detector,
}

impl World {
    /// Returns a copy to be written down: without the rows, which follow from the objects, cost as much
    /// again, and are not written.
    #[must_use]
    pub fn copy_to_write(&mut self) -> Self {
        let index = self.cluster.replace_index(Index::default());
        let copy = self.clone();
        self.cluster.replace_index(index);
        copy
    }

    /// Takes in one record. The only way a world changes.
    pub fn fold(&mut self, record: &Record) {
        self.seq = record.seq;
        self.at = self.at.max(record.at);
        match &record.event {
            Event::Started(session) => self.start(record.at, session),
            Event::Health(health) => self.hear(record.at, health),
            Event::Cluster(event) => self.hear_of(record.at, event),
            Event::Usage(reading) => self.usage.fold(reading),
            Event::Namespaces(all) => self.name(record.at, all),
            Event::Rates(samples) => {
                self.rates.fold(samples);
                let session = self.session.as_ref();
                self.detector.rates(
                    record.at,
                    &self.rates,
                    |service| threshold(session, service),
                    &mut self.timeline,
                );
                self.blame_rollouts();
            }
            Event::RateHistory(history) => self.rates.fill(history),
            Event::RateQueries(asked) => self.rates.asked.clone_from(asked),
            Event::Lag { at, groups } => {
                self.lag.fold(*at, groups);
                self.detector.lag(*at, &self.lag, &mut self.timeline);
            }
            Event::Alerts(alerts) => {
                self.alerts.fold(alerts);
                self.detector.alerts(record.at, &self.alerts, &mut self.timeline);
            }
            Event::Silences(silences) => self.alerts.silence(silences),
            Event::Operator(operator) => self.operate(record.at, operator),
            Event::Kubeconfig(words) => {
                self.timeline.add(record.at, EntryKind::Session, "kubeconfig", words.clone(), None);
            }
            Event::Unread(words) => {
                self.timeline.add(record.at, EntryKind::Unknown, "recording", words.clone(), None);
            }
            Event::JournalTrouble(trouble) => self.journal_trouble.clone_from(trouble),
            Event::Identity { context, identity } => self.identify(record.at, *context, identity),
            Event::Intent(_)
            | Event::Inherited(_)
            | Event::Sent { .. }
            | Event::Answered { .. }
            | Event::Outcome { .. }
            | Event::VerifyDue { .. } => self.run(record),
            Event::View(_) => {}
        }
        self.detector.settle(record.at, &self.cluster, &mut self.timeline);
        self.look(record.at);
    }

    fn hear_of(&mut self, at: DateTime<Utc>, event: &ClusterEvent) {
        for name in self.forced.fold(at, &self.cluster, event) {
            self.timeline.add(
                at,
                EntryKind::Trouble,
                name,
                "force-deleted: its containers may still run",
                None,
            );
        }
        changes::tell(at, &self.cluster, event, &self.detector, &mut self.timeline);
        let before = self.detector.before(at, &self.cluster, event);
        let touched = self.cluster.fold(event);
        self.detector.cluster(at, &before, &self.cluster, event, &touched, &mut self.timeline);
    }

    /// Remembers which rollouts were followed by requests that fail.
    fn blame_rollouts(&mut self) {
        let failing = self.failing();
        if failing.is_empty() {
            return;
        }
        let of_them =
            self.cluster.workloads.values().filter(|workload| failing.contains_key(&workload.service));
        let followed: Vec<_> =
            of_them.filter_map(|w| Some((w.meta.uid.clone(), self.failing_since(w)?))).collect();
        for (uid, since) in followed {
            self.detector.rollouts.blame(&uid, since);
        }
    }

    fn name(&mut self, at: DateTime<Utc>, all: &[Namespace]) {
        for now in all {
            let key = ObjectKey::new(now.context, now.name.clone());
            let known = self.namespaces.get(&key).is_some_and(|phase| *phase != NamespacePhase::Missing);
            let phase =
                if !known && now.phase == NamespacePhase::Gone { NamespacePhase::Missing } else { now.phase };
            let before = self.namespaces.insert(key, phase);
            if self.watches(&now.name) {
                self.detector.namespace(at, &Namespace { phase, ..now.clone() }, before, &mut self.timeline);
            }
        }
    }

    /// Returns since when the oldest of what is broken now is broken: the incident's clock.
    pub fn standing(&self) -> Option<DateTime<Utc>> {
        self.detector.causes.standing()
    }

    /// Returns the time that elapsed time is counted from: as the clock, and when nothing is broken any more
    /// from the beginning of what was.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        self.detector.causes.began()
    }

    /// Returns the release that a workload's pods run, as far as it is known.
    pub fn release<'a>(&'a self, workload: &'a Workload) -> Option<&'a Clean> {
        self.detector.rollouts.release(workload, &self.cluster)
    }

    /// Returns the newest rollouts of a Deployment, oldest first, as far as they were seen.
    pub fn rollouts(&self, deployment: &Uid) -> &[Rollout] {
        self.detector.rollouts.of(deployment)
    }

    /// Other namespaces are looked at: what was known of them is heard anew.
    fn watch(&mut self, at: DateTime<Utc>, line: &str) {
        let chosen = self.namespaces_of(line);
        let (Some(session), Ok(chosen)) = (&mut self.session, chosen) else { return };
        session.namespaces.clone_from(&chosen);
        let words = format!("now watching {}", session.place());
        self.usage.keep(&chosen);
        self.cluster.watch(chosen);
        self.detector.lose_sight(at, &mut self.timeline);
        for health in self.sources.values_mut().filter(|health| health.source.of_cluster()) {
            *health = SourceHealth {
                source: health.source,
                state: SourceState::Starting,
                since: at,
                error: None,
                parts: Vec::new(),
            };
        }
        self.timeline.add(at, EntryKind::Session, "warroom", words, None);
    }

    /// Another cluster than before may answer at the same address: what was prepared for the one before is
    /// not for this one.
    fn identify(&mut self, at: DateTime<Utc>, context: ContextId, identity: &Clean) {
        let before = self.identities.insert(context, identity.clone());
        if before.is_some_and(|before| before != *identity) {
            let whom = self.label(context).map(|label| format!(" in {label}")).unwrap_or_default();
            self.timeline.add(
                at,
                EntryKind::Session,
                "kubernetes",
                format!("another cluster answers at this address{whom}"),
                None,
            );
        }
    }

    /// Returns the share of failing requests above which a service is in trouble, 0 to 1.
    pub fn threshold(&self, service: &str) -> f64 {
        threshold(self.session.as_ref(), service)
    }

    /// Returns since when the requests of a workload fail, while they do: the first sample above the
    /// threshold.
    pub(in crate::state) fn failing_since(&self, workload: &Workload) -> Option<DateTime<Utc>> {
        let service = &workload.service;
        let threshold = self.threshold(service);
        let fails = workload.meta.context().is_main()
            && self.rates.ratio(service).is_some_and(|ratio| ratio > threshold);
        self.rates.services.get(service).filter(|_| fails)?.above_since(Signal::Errors, threshold)
    }

    /// Returns the services above their threshold, with the share of their requests that fails.
    pub fn failing(&self) -> BTreeMap<&Clean, f64> {
        let failing =
            self.rates.services.keys().filter_map(|service| Some((service, self.rates.ratio(service)?)));
        failing.filter(|(service, ratio)| *ratio > self.threshold(service)).collect()
    }

    /// Returns the workload that is named as a consumer group is.
    pub fn consumer(&self, group: &str) -> Option<&Workload> {
        self.cluster
            .workloads
            .values()
            .find(|workload| workload.meta.name == *group && workload.meta.context().is_main())
    }

    /// Returns the workload that answers as a service: the one that is named so, else the only one that is
    /// known by it.
    pub fn serving(&self, service: &str) -> Option<&Workload> {
        let mut known =
            self.cluster.workloads.values().filter(|w| w.service == *service && w.meta.context().is_main());
        self.consumer(service).or_else(|| known.next().filter(|_| known.next().is_none()))
    }

    /// Returns the blake3 hash of the world's JSON, hexadecimal: equal worlds have equal hashes (every
    /// collection in it is ordered).
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        match serde_json::to_writer(&mut hasher, self) {
            Ok(()) => hasher.finalize().to_hex().to_string(),
            Err(error) => format!("unhashable: {error}"),
        }
    }

    fn start(&mut self, at: DateTime<Utc>, session: &Session) {
        let contexts: Vec<&str> = session.contexts.iter().map(|one| one.context.as_str()).collect();
        let text = format!("session opened by {} on {}", session.actor, contexts.join(", "));
        self.timeline.add(at, EntryKind::Session, "warroom", text, None);
        self.cluster.watch(session.namespaces.clone());
        self.session = Some(session.clone());
    }

    fn hear(&mut self, at: DateTime<Utc>, health: &SourceHealth) {
        let silent = |state: SourceState| matches!(state, SourceState::Stale | SourceState::Down);
        // The watches of the cluster share one API server: the first that falls silent and the last that
        // comes back tell of it.
        let mut watches =
            self.sources.values().filter(|other| other.source.of_cluster() && other.source != health.source);
        let told = health.source.of_cluster() && watches.any(|other| silent(other.state));
        let before = self.sources.insert(health.source, health.clone()).map(|before| before.state);
        let name: Clean = if health.source.of_cluster() { "kubernetes" } else { health.source.name() }.into();
        let why = health.error.as_deref().unwrap_or("no answer");
        match (before, health.state) {
            (Some(SourceState::Live), state) if silent(state) && !told => {
                self.timeline.add(
                    health.since,
                    EntryKind::Session,
                    name,
                    format!("{}: {why}", state.word()),
                    None,
                );
            }
            (Some(SourceState::Live), SourceState::Blind) => {
                self.timeline.add(
                    at,
                    EntryKind::Session,
                    health.source.name(),
                    format!("blind: {why}"),
                    None,
                );
            }
            (Some(before), SourceState::Live) if silent(before) && !told => {
                self.timeline.add(at, EntryKind::Session, name, "live again", None);
            }
            (Some(SourceState::Blind), SourceState::Live) => {
                self.timeline.add(at, EntryKind::Session, health.source.name(), "can be seen again", None);
            }
            _ => {}
        }
    }

    fn operate(&mut self, at: DateTime<Utc>, operator: &Operator) {
        let session = self.session.as_ref();
        if let Operator::Entered { purpose: Purpose::Note, text } = operator {
            let who = session.map(|s| Clean::new(&format!("@{}", s.actor))).unwrap_or_default();
            self.timeline.add(at, EntryKind::Note, who, text.shown().clone(), None);
        }
        if let Operator::Armed(context) = operator {
            return self.arm(at, *context);
        }
        if let Operator::Pinned { entry, pinned } = operator {
            self.timeline.pin(*entry, *pinned);
        }
        match operator.action() {
            // Which of several contexts is meant only the screen knows, which says so with an event of its
            // own.
            Some(Action::Arm) if session.is_some_and(|session| !session.several()) => {
                self.arm(at, ContextId::MAIN);
            }
            Some(Action::Disarm) => self.disarm(at, DISARMED),
            Some(Action::StopAll) => self.disarm(at, STOPPED),
            Some(Action::Namespaces(line)) => self.watch(at, line),
            _ => {}
        }
    }

    fn run(&mut self, record: &Record) {
        let evidence = evidence(&self.sources, &self.cluster, &self.rates, (&self.lag, &self.alerts));
        let run = match &record.event {
            Event::Intent(intent) => Some(self.runs.begin(record.at, intent, false, &evidence)),
            Event::Inherited(intent) => Some(self.runs.begin(record.at, intent, true, &evidence)),
            Event::Sent { intent, op } => self.runs.sent(*intent, *op),
            Event::Answered { intent, op, .. } => {
                self.runs.step(*intent, *op);
                None
            }
            Event::Outcome { intent, outcome } => self.runs.answer(record.at, *intent, outcome),
            Event::VerifyDue { intent } => self.runs.due(record.at, *intent, &evidence),
            _ => None,
        };
        if let Some(run) = run {
            super::detect::runs::tell(
                record.at,
                run,
                context(self.session.as_ref(), run),
                &mut self.timeline,
            );
        }
    }

    /// Whatever was recorded may be what a change was waiting for.
    fn look(&mut self, at: DateTime<Utc>) {
        let evidence = evidence(&self.sources, &self.cluster, &self.rates, (&self.lag, &self.alerts));
        for run in self.runs.look(at, &evidence) {
            super::detect::runs::tell(at, run, context(self.session.as_ref(), run), &mut self.timeline);
        }
    }
}

fn context(session: Option<&Session>, run: &Run) -> ContextId {
    session.map(|session| session.of(&run.intent.target)).unwrap_or_default()
}

fn threshold(session: Option<&Session>, service: &str) -> f64 {
    session.map_or(0.05, |session| session.threshold_of(service))
}

fn evidence<'a>(
    sources: &BTreeMap<SourceId, SourceHealth>,
    cluster: &'a Cluster,
    rates: &'a Rates,
    (lag, alerts): (&'a Lag, &'a Alerts),
) -> Evidence<'a> {
    let off = sources.get(&SourceId::Prometheus).is_some_and(|health| health.state == SourceState::Off);
    Evidence { cluster, rates: (!off).then_some(rates), lag, alerts }
}
