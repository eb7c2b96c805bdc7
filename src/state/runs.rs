//! Changes made from this screen: confirmed, answered, verified.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::{Alerts, Cluster, Lag, Rates};
use crate::clean::Clean;
use crate::event::{Intent, Kind, Measure, Outcome, Verdict, Verify};
use crate::units;

/// A lag has begun to fall when it is below its peak by this part of it: less is jitter.
const FALL: i64 = 20;

/// Where a change stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// On disk and on its way; no answer yet.
    Sent,
    /// The answer was lost; being read.
    Unknown(Clean),
    /// Made; its effect is awaited.
    Verifying,
    /// Nothing was changed.
    Rejected(Clean),
    /// Made, and its effect looked for.
    Done(Verdict),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number on the timeline and the charts, from 1.
    pub mark: u32,
    /// What was confirmed.
    pub intent: Intent,
    /// When.
    pub at: DateTime<Utc>,
    /// Where it stands.
    pub stage: Stage,
    /// The newest outcome.
    pub outcome: Option<Outcome>,
    /// When its outcome was applied.
    pub applied: Option<DateTime<Utc>>,
    /// The numbers when it was confirmed.
    pub before: Measure,
    /// The highest lag since, for [`Verify::LagFalling`].
    pub peak: Option<i64>,
}

impl Run {
    /// Whether nothing more will come of it.
    pub fn settled(&self) -> bool {
        matches!(self.stage, Stage::Rejected(_) | Stage::Done(_))
    }

    /// Whether it is not known whether anything was changed.
    pub fn unanswered(&self) -> bool {
        matches!(self.stage, Stage::Sent | Stage::Unknown(_))
    }

    /// Requests that the server answered as done.
    pub fn writes(&self) -> u32 {
        match self.outcome {
            Some(Outcome::Applied { writes, .. }) => writes,
            _ => 0,
        }
    }
}

/// All changes of the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    runs: BTreeMap<Ulid, Run>,
    count: u32,
}

/// What a verify looks at.
pub struct Evidence<'a> {
    /// Ready replicas and generations.
    pub cluster: &'a Cluster,
    /// Error shares; `None` where there is no Prometheus to ask.
    pub rates: Option<&'a Rates>,
    /// Lag.
    pub lag: &'a Lag,
    /// Alerts and silences.
    pub alerts: &'a Alerts,
}

impl Runs {
    /// A change was confirmed (or, `inherited`, found without an outcome).
    pub fn begin(&mut self, at: DateTime<Utc>, intent: &Intent, inherited: bool, evidence: &Evidence) -> &Run {
        self.count += 1;
        let before = evidence.measure(&intent.verify);
        let stage = if inherited { Stage::Unknown("warroom ended before the answer came".into()) } else { Stage::Sent };
        let run = Run { mark: self.count, intent: intent.clone(), at, stage, outcome: None, applied: None, peak: before.lag, before };
        self.runs.entry(intent.id).or_insert(run)
    }

    /// An answer came, or was lost, or was found out by reading. A settled run stays as it is.
    pub fn answer(&mut self, at: DateTime<Utc>, id: Ulid, outcome: &Outcome) -> Option<&Run> {
        let run = self.runs.get_mut(&id).filter(|run| matches!(run.stage, Stage::Sent | Stage::Unknown(_)))?;
        run.outcome = Some(outcome.clone());
        run.stage = match outcome {
            Outcome::Applied { .. } => Stage::Verifying,
            Outcome::Rejected { reason, .. } => Stage::Rejected(reason.clone()),
            Outcome::Unknown { reason } => Stage::Unknown(reason.clone()),
        };
        run.applied = matches!(outcome, Outcome::Applied { .. }).then_some(at);
        Some(run)
    }

    /// Looks at every run whose effect is awaited; answers those whose effect has come.
    pub fn look(&mut self, at: DateTime<Utc>, evidence: &Evidence) -> Vec<&Run> {
        let mut done = Vec::new();
        for run in self.runs.values_mut().filter(|run| run.stage == Stage::Verifying) {
            run.peak = run.peak.max(evidence.measure(&run.intent.verify).lag);
            if evidence.missing(run).is_empty() {
                run.stage = Stage::Done(evidence.verdict(run, at, true));
                done.push(&*run);
            }
        }
        done
    }

    /// The time for the effect is over.
    pub fn due(&mut self, at: DateTime<Utc>, id: Ulid, evidence: &Evidence) -> Option<&Run> {
        let run = self.runs.get_mut(&id).filter(|run| run.stage == Stage::Verifying)?;
        run.stage = Stage::Done(evidence.verdict(run, at, false));
        Some(run)
    }

    /// One run.
    pub fn get(&self, id: Ulid) -> Option<&Run> {
        self.runs.get(&id)
    }

    /// All, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.values()
    }

    /// The newest change that was made and can be taken back.
    pub fn undoable(&self) -> Option<&Run> {
        self.runs.values().rev().find(|run| run.applied.is_some() && run.intent.undo.is_some())
    }
}

impl Evidence<'_> {
    fn verdict(&self, run: &Run, at: DateTime<Utc>, ok: bool) -> Verdict {
        let seconds = run.applied.map_or(0.0, |applied| (at - applied).as_seconds_f64());
        let missing = if ok { Vec::new() } else { self.missing(run) };
        Verdict { ok, before: run.before.clone(), after: self.measure(&run.intent.verify), seconds, missing, at }
    }

    /// The numbers that these verifies are about.
    pub fn measure(&self, verifies: &[Verify]) -> Measure {
        let mut measure = Measure::default();
        for verify in verifies {
            match verify {
                Verify::Rollout { uid, .. } | Verify::Ready { uid, .. } => {
                    let workload = self.cluster.workloads.get(uid);
                    measure.ready = workload.map(|w| w.ready);
                    measure.desired = workload.map(|w| w.desired);
                }
                Verify::ErrorsBelow { service, .. } => measure.ratio_5xx = self.rates.and_then(|rates| rates.ratio(service)),
                Verify::Silenced { alerts, .. } => measure.firing = u32::try_from(self.calling(alerts)).ok(),
                Verify::Unsilenced { .. } => measure.firing = u32::try_from(self.alerts.firing()).ok(),
                Verify::LagFalling { group } => measure.lag = self.lag.groups.get(group).and_then(super::Group::lag),
            }
        }
        measure
    }

    /// What has not come true yet, in words.
    pub fn missing(&self, run: &Run) -> Vec<Clean> {
        run.intent.verify.iter().filter_map(|verify| self.lacks(run, verify)).collect()
    }

    fn lacks(&self, run: &Run, verify: &Verify) -> Option<Clean> {
        match verify {
            Verify::Rollout { kind, uid } => self.rollout(run, *kind, uid),
            Verify::Ready { kind, uid, replicas } => self.ready(*kind, uid, *replicas),
            Verify::ErrorsBelow { service, ratio } => self.errors(run, service, *ratio),
            Verify::LagFalling { group } => self.lag(run, group),
            Verify::Silenced { tag, alerts } => self.silenced(tag, alerts),
            Verify::Unsilenced { id } => self.unsilenced(id),
        }
    }

    /// How many of these alerts call for a person.
    fn calling(&self, alerts: &[Clean]) -> usize {
        alerts.iter().filter_map(|fingerprint| self.alerts.get(fingerprint)).filter(|alert| alert.active()).count()
    }

    fn silenced(&self, tag: &Clean, alerts: &[Clean]) -> Option<Clean> {
        if !self.alerts.silences().iter().any(|silence| silence.active && silence.comment.contains(tag.as_str())) {
            return Some("Alertmanager does not list the silence yet".into());
        }
        let calling = self.calling(alerts);
        (calling > 0).then(|| format!("{calling} of {} alerts still call for somebody", alerts.len()).into())
    }

    /// That it is gone is not enough: those it kept quiet have to be heard again, or be over.
    fn unsilenced(&self, id: &Clean) -> Option<Clean> {
        if self.alerts.silences().iter().any(|silence| silence.id == *id) {
            return Some("the silence is still in force".into());
        }
        let quiet = self.alerts.rows().into_iter().filter(|alert| alert.silenced_by.contains(id)).count();
        (quiet > 0).then(|| format!("{} still kept quiet by it", units::counted(quiet, "alert")).into())
    }

    /// As `kubectl rollout status`: the controller has seen the write, all replicas are new, none is old, all are ready.
    fn rollout(&self, run: &Run, kind: Kind, uid: &Clean) -> Option<Clean> {
        let Some(w) = self.cluster.workloads.get(uid) else { return Some(format!("the {} is gone", kind.word()).into()) };
        let written = match run.outcome {
            Some(Outcome::Applied { generation, .. }) => generation,
            _ => w.generation,
        };
        if w.generation < written || w.observed < w.generation {
            return Some("the controller has not seen the change yet".into());
        }
        let done = w.updated >= w.desired && w.replicas == w.updated && w.ready >= w.desired;
        (!done).then(|| format!("{} of {} replicas new, {} ready, {} in all", w.updated, w.desired, w.ready, w.replicas).into())
    }

    fn ready(&self, kind: Kind, uid: &Clean, replicas: u32) -> Option<Clean> {
        let Some(w) = self.cluster.workloads.get(uid) else { return Some(format!("the {} is gone", kind.word()).into()) };
        let done = w.desired == replicas && w.ready == replicas && w.observed >= w.generation;
        (!done).then(|| format!("{} of {replicas} replicas ready", w.ready).into())
    }

    /// A sample is needed whose whole window is of after the change, or half of the time that is left for it where the window is longer: what
    /// was asked before knows nothing of the change. Without a Prometheus, or for a service that it counts no requests of, there is nothing to
    /// hold the change to.
    fn errors(&self, run: &Run, service: &Clean, below: f64) -> Option<Clean> {
        let rates = self.rates?;
        if rates.at.is_some() && !rates.services.get(service).is_some_and(super::Series::recent) {
            return None;
        }
        let window = TimeDelta::seconds(rates.window.unwrap_or(0).min(run.intent.verify_within / 2).into());
        match rates.ratio(service).filter(|_| run.applied.is_some_and(|applied| rates.at > Some(applied + window))) {
            Some(ratio) if ratio < below => None,
            Some(ratio) => Some(format!("{:.1} % of requests to {service} fail", ratio * 100.0).into()),
            None => Some(format!("no error rate of {service} since the change").into()),
        }
    }

    fn lag(&self, run: &Run, group: &Clean) -> Option<Clean> {
        let group = self.lag.groups.get(group)?; // no such group: nothing to hold it to
        let now = group.lag().filter(|_| self.lag.at > run.applied);
        match (now, run.peak) {
            (Some(0), _) => None,
            (Some(lag), Some(peak)) if lag <= peak - peak / FALL && group.growth().is_none_or(|growth| growth < 0.0) => None,
            (Some(lag), _) => Some(format!("lag of {} is {lag} and has not begun to fall", group.now.group).into()),
            (None, _) => Some(format!("no lag of {} since the change", group.now.group).into()),
        }
    }
}

#[cfg(test)]
#[path = "runs_tests.rs"]
mod tests;
