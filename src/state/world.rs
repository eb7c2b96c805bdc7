//! What is so: the fold of all recorded events, the same live and replayed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::detect::Detector;
use super::runs::Evidence;
use super::{Alerts, Cluster, EntryKind, Lag, Rates, Runs, Timeline};
use crate::clean::Clean;
use crate::event::{Alert, Event, Health, Operator, Purpose, Record, Session, SourceId, SourceState};
use crate::keymap::Action;

/// What is so, as far as warroom was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The last record folded in.
    pub seq: u64,
    /// Who looks at which cluster, with which rules.
    pub session: Option<Session>,
    /// How well each source can be heard.
    pub sources: BTreeMap<SourceId, Health>,
    /// Objects of the cluster.
    pub cluster: Cluster,
    /// Request and error rates.
    pub rates: Rates,
    /// Consumer groups.
    pub lag: Lag,
    /// Active alerts.
    pub alerts: Alerts,
    /// What happened, in order.
    pub timeline: Timeline,
    /// Changes made from this screen.
    pub runs: Runs,
    /// Until when changes may be made.
    pub armed_until: Option<DateTime<Utc>>,
    /// Why the journal cannot be written, while it cannot.
    pub journal_trouble: Option<Clean>,
    /// What the timeline has said last of each thing, so that one cause is one entry.
    pub(super) detector: Detector,
}

impl World {
    /// Takes in one record. The only way a world changes.
    pub fn fold(&mut self, record: &Record) {
        self.seq = record.seq;
        match &record.event {
            Event::Started(session) => self.start(record.at, session),
            Event::Health(health) => self.hear(record.at, health),
            Event::Cluster(event) => {
                let before = Detector::before(&self.cluster, event);
                let touched = self.cluster.fold(event);
                self.detector.cluster(record.at, &before, &self.cluster, event, &touched, &mut self.timeline);
            }
            Event::Rates(samples) => {
                self.rates.fold(samples);
                self.detector.rates(record.at, &self.rates, self.threshold(), &mut self.timeline);
            }
            Event::Lag { at, groups } => {
                self.lag.fold(*at, groups);
                self.detector.lag(*at, &self.lag, &mut self.timeline);
            }
            Event::Alerts(alerts) => self.alert(record.at, alerts),
            Event::Operator(operator) => self.operate(record.at, operator),
            Event::JournalTrouble(trouble) => self.journal_trouble.clone_from(trouble),
            Event::Intent(_) | Event::Inherited(_) | Event::Outcome { .. } | Event::VerifyDue { .. } => self.run(record),
            Event::View(_) => {}
        }
        self.detector.settle(record.at, &self.cluster, &mut self.timeline);
        self.look(record.at);
    }

    /// Whether changes may be made now.
    pub fn armed(&self, now: DateTime<Utc>) -> bool {
        self.armed_until.is_some_and(|until| now < until)
    }

    /// The share of failing requests that counts as trouble, 0..1.
    pub fn threshold(&self) -> f64 {
        self.session.as_ref().map_or(0.05, |session| session.threshold)
    }

    /// blake3 of the world's JSON, hexadecimal: equal worlds have equal hashes (every collection in it is ordered).
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        match serde_json::to_writer(&mut hasher, self) {
            Ok(()) => hasher.finalize().to_hex().to_string(),
            Err(error) => format!("unhashable: {error}"),
        }
    }

    fn start(&mut self, at: DateTime<Utc>, session: &Session) {
        let text = format!("{} looks at {}", session.actor, session.context);
        self.timeline.add(at, EntryKind::Session, "warroom".into(), text, None);
        self.session = Some(session.clone());
    }

    fn hear(&mut self, at: DateTime<Utc>, health: &Health) {
        let silent = |state: SourceState| matches!(state, SourceState::Stale | SourceState::Down);
        // The watches of the cluster share one API server: the first that falls silent and the last that comes back tell of it.
        let mut watches = self.sources.values().filter(|other| other.source.of_cluster() && other.source != health.source);
        let told = health.source.of_cluster() && watches.any(|other| silent(other.state));
        let before = self.sources.insert(health.source, health.clone()).map(|before| before.state);
        let name: Clean = if health.source.of_cluster() { "kubernetes" } else { health.source.name() }.into();
        let why = health.error.as_deref().unwrap_or("no answer");
        match (before, health.state) {
            (Some(SourceState::Live), state) if silent(state) && !told => {
                self.timeline.add(health.since, EntryKind::Session, name, format!("{}: {why}", state.word()), None);
            }
            (Some(SourceState::Live), SourceState::Blind) => {
                self.timeline.add(at, EntryKind::Session, health.source.name().into(), format!("blind: {why}"), None);
            }
            (Some(before), SourceState::Live) if silent(before) && !told => {
                self.timeline.add(at, EntryKind::Session, name, "live again", None);
            }
            (Some(SourceState::Blind), SourceState::Live) => {
                self.timeline.add(at, EntryKind::Session, health.source.name().into(), "can be seen again", None);
            }
            _ => {}
        }
    }

    fn alert(&mut self, at: DateTime<Utc>, alerts: &[Alert]) {
        let (new, ended) = self.alerts.fold(alerts);
        for alert in new {
            self.timeline.add(alert.since, EntryKind::Alert, about(&alert), alert.name.clone(), None);
        }
        for alert in ended {
            self.timeline.add(at, EntryKind::AlertEnded, about(&alert), alert.name.clone(), None);
        }
    }

    fn operate(&mut self, at: DateTime<Utc>, operator: &Operator) {
        let session = self.session.as_ref();
        match operator {
            Operator::Did(Action::Arm) if session.is_some_and(|s| !s.read_only) => {
                let minutes = session.map_or(0, |s| s.arm_minutes);
                self.armed_until = at.checked_add_signed(TimeDelta::minutes(i64::from(minutes)));
                self.timeline.add(at, EntryKind::Session, "warroom".into(), format!("armed for {minutes} min"), None);
            }
            Operator::Did(Action::Disarm | Action::StopAll) if self.armed(at) => {
                self.armed_until = None;
                self.timeline.add(at, EntryKind::Session, "warroom".into(), "disarmed", None);
            }
            Operator::Entered { purpose: Purpose::Note, text } => {
                let who = session.map(|s| Clean::new(&format!("@{}", s.actor))).unwrap_or_default();
                self.timeline.add(at, EntryKind::Note, who, text.clone(), None);
            }
            _ => {}
        }
    }

    fn run(&mut self, record: &Record) {
        let evidence = evidence(&self.sources, &self.cluster, &self.rates, &self.lag);
        let run = match &record.event {
            Event::Intent(intent) => Some(self.runs.begin(record.at, intent, false, &evidence)),
            Event::Inherited(intent) => Some(self.runs.begin(record.at, intent, true, &evidence)),
            Event::Outcome { intent, outcome } => self.runs.answer(record.at, *intent, outcome),
            Event::VerifyDue { intent } => self.runs.due(record.at, *intent, &evidence),
            _ => None,
        };
        if let Some(run) = run {
            super::detect::tell_run(record.at, run, &mut self.timeline);
        }
    }

    /// Whatever was recorded may be what a change was waiting for.
    fn look(&mut self, at: DateTime<Utc>) {
        let evidence = evidence(&self.sources, &self.cluster, &self.rates, &self.lag);
        for run in self.runs.look(at, &evidence) {
            super::detect::tell_run(at, run, &mut self.timeline);
        }
    }
}

fn evidence<'a>(sources: &BTreeMap<SourceId, Health>, cluster: &'a Cluster, rates: &'a Rates, lag: &'a Lag) -> Evidence<'a> {
    let off = sources.get(&SourceId::Prometheus).is_some_and(|health| health.state == SourceState::Off);
    Evidence { cluster, rates: (!off).then_some(rates), lag }
}

fn about(alert: &Alert) -> Clean {
    ["service", "job", "instance"].into_iter().find_map(|label| alert.labels.get(label)).cloned().unwrap_or_default()
}
