//! What the timeline says of what was observed: deploys, troubles and recoveries, one entry for one cause.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Cluster, EntryKind, GroupState, Lag, Rates, Run, Severity, Stage, Timeline, WorkloadRow};
use crate::clean::Clean;
use crate::event::{ClusterEvent, Kind, Measure, Owner, Revision, Uid, Verdict, Workload};

/// How old a rollout may be to be told when warroom starts.
const HISTORY: TimeDelta = TimeDelta::hours(1);

/// How long a workload has to be well to have recovered.
const STEADY: TimeDelta = TimeDelta::seconds(20);

/// What was said last of each thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Workloads told to be broken.
    broken: BTreeMap<Uid, Broken>,
    /// Nodes told to be not ready.
    nodes: BTreeSet<Uid>,
    /// Services told to fail too much.
    failing: BTreeSet<Clean>,
    /// Groups told to grow or to have stopped.
    lagging: BTreeSet<Clean>,
    /// Deployments' revisions that were told.
    deployed: BTreeMap<Uid, u64>,
}

/// A workload told to be broken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Broken {
    /// The reasons that were told: a crash loop goes through several again and again.
    told: BTreeSet<Clean>,
    /// The reason seen last.
    last: Option<Clean>,
    /// Since when it has been well; between two crashes it is, for a moment.
    well: Option<DateTime<Utc>>,
}

/// What an event is about to change: the workloads it names, as they are before it.
pub type Before = BTreeMap<Uid, Workload>;

impl Detector {
    /// Why the workload was told to be broken, while it has not been well for long enough to have recovered.
    pub fn unsteady(&self, uid: &str) -> Option<&Clean> {
        self.broken.get(uid).and_then(|broken| broken.last.as_ref())
    }

    /// Remembers what the event will overwrite.
    pub fn before(cluster: &Cluster, event: &ClusterEvent) -> Before {
        let ClusterEvent::Workloads(workloads) = event else { return Before::new() };
        workloads.iter().filter_map(|w| cluster.workloads.get(&w.meta.uid)).map(|w| (w.meta.uid.clone(), w.clone())).collect()
    }

    /// Tells what the event changed.
    pub fn cluster(
        &mut self,
        at: DateTime<Utc>,
        before: &Before,
        cluster: &Cluster,
        event: &ClusterEvent,
        touched: &BTreeSet<Uid>,
        timeline: &mut Timeline,
    ) {
        match event {
            ClusterEvent::Workloads(workloads) => {
                let mut known: BTreeMap<&Uid, &Workload> = before.iter().collect();
                for now in workloads {
                    scaled(at, known.insert(&now.meta.uid, now), now, timeline); // one batch may hold several states of a workload
                }
            }
            ClusterEvent::Revisions(revisions) => revisions.iter().for_each(|r| self.deployed(at, r, cluster, timeline)),
            ClusterEvent::Listed(Kind::ReplicaSet) => self.history(at, cluster, timeline),
            ClusterEvent::Nodes(_) => self.nodes(at, cluster, timeline),
            _ => {}
        }
        self.health(at, touched, cluster, timeline);
    }

    /// A ReplicaSet with a number that its Deployment did not have: a rollout, or a rollback to an older template. What the first listing
    /// names happened before warroom looked: [`Self::history`] tells that.
    fn deployed(&mut self, at: DateTime<Utc>, revision: &Revision, cluster: &Cluster, timeline: &mut Timeline) {
        let Some(owner) = revision.owner.as_ref().filter(|_| cluster.listed.contains(&Kind::ReplicaSet)) else { return };
        let known = self.deployed.insert(owner.uid.clone(), revision.number).unwrap_or(0);
        if revision.number <= known {
            self.deployed.insert(owner.uid.clone(), known);
        } else if revision.number > 1 {
            timeline.add(at, EntryKind::Deploy, owner.name.clone(), rollout(revision, cluster, &owner.uid), None);
        }
    }

    /// Rollouts of the last hour, as far as the first listing shows them: a ReplicaSet that is younger than all with lower numbers was made
    /// by its rollout. An older one was taken up again by a rollback, at a time that nothing tells.
    fn history(&mut self, at: DateTime<Utc>, cluster: &Cluster, timeline: &mut Timeline) {
        let mut revisions: Vec<(&Owner, &Revision)> = cluster.revisions.values().filter_map(|r| Some((r.owner.as_ref()?, r))).collect();
        revisions.sort_by(|a, b| (&a.0.uid, a.1.number).cmp(&(&b.0.uid, b.1.number)));
        for of_one in revisions.chunk_by(|a, b| a.0.uid == b.0.uid) {
            let (Some((owner, _)), Some((_, newest))) = (of_one.first(), of_one.last()) else { continue };
            if self.deployed.insert(owner.uid.clone(), newest.number).is_some() {
                continue; // told since the first listing, revision by revision
            }
            for pair in of_one.windows(2) {
                let [(_, before), (_, now)] = pair else { continue };
                let youngest = of_one.iter().all(|(_, other)| other.number >= now.number || other.meta.created < now.meta.created);
                if youngest && before.number < now.number && at - now.meta.created < HISTORY {
                    timeline.add(now.meta.created, EntryKind::Deploy, owner.name.clone(), rollout(now, cluster, &owner.uid), None);
                }
            }
        }
    }

    /// What became of the rows that an event touched.
    fn health(&mut self, at: DateTime<Utc>, touched: &BTreeSet<Uid>, cluster: &Cluster, timeline: &mut Timeline) {
        for uid in touched {
            match cluster.row(uid).filter(|row| row.workload.is_some()) {
                Some(row) => self.look(at, &row, timeline),
                None => drop(self.broken.remove(uid)),
            }
        }
    }

    fn look(&mut self, at: DateTime<Utc>, row: &WorkloadRow<'_>, timeline: &mut Timeline) {
        match (&row.reason, row.severity) {
            (Some(reason), Severity::Critical) => {
                let broken = self.broken.entry(row.uid().clone()).or_default();
                broken.well = None;
                broken.last = Some(reason.clone());
                if broken.told.insert(reason.clone()) {
                    let text = row.why.as_ref().map_or_else(|| reason.to_string(), |why| format!("{reason}: {why}"));
                    timeline.add(at, EntryKind::Trouble, row.name().clone(), text, None);
                }
            }
            (_, Severity::Ok) => self.recovered(at, row, timeline),
            _ => {}
        }
    }

    fn recovered(&mut self, at: DateTime<Utc>, row: &WorkloadRow<'_>, timeline: &mut Timeline) {
        let Some(broken) = self.broken.get_mut(row.uid()) else { return };
        let well = *broken.well.get_or_insert(at);
        if at - well >= STEADY {
            let ready = row.workload.map_or(0, |w| w.ready);
            timeline.add(well, EntryKind::Recovery, row.name().clone(), format!("{ready} ready"), None);
            self.broken.remove(row.uid());
        }
    }

    /// Time went by: what has been well for long enough has recovered.
    pub fn settle(&mut self, at: DateTime<Utc>, cluster: &Cluster, timeline: &mut Timeline) {
        let steady = |broken: &Broken| broken.well.is_some_and(|well| at - well >= STEADY);
        let due: BTreeSet<Uid> = self.broken.iter().filter(|(_, broken)| steady(broken)).map(|(uid, _)| uid.clone()).collect();
        self.health(at, &due, cluster, timeline);
    }

    fn nodes(&mut self, at: DateTime<Utc>, cluster: &Cluster, timeline: &mut Timeline) {
        for node in cluster.nodes.values() {
            let (uid, name) = (&node.meta.uid, node.meta.name.clone());
            if node.ready == Some(true) {
                if self.nodes.remove(uid) {
                    timeline.add(at, EntryKind::Recovery, name, "node ready", None);
                }
            } else if self.nodes.insert(uid.clone()) {
                let why = node.message.as_deref().unwrap_or("no word from its kubelet");
                timeline.add(at, EntryKind::Trouble, name, format!("node not ready: {why}"), None);
            }
        }
    }

    /// Tells a service that crosses the threshold; it has to fall to half of it to have recovered, so that it does not flap.
    pub fn rates(&mut self, at: DateTime<Utc>, rates: &Rates, threshold: f64, timeline: &mut Timeline) {
        for service in rates.services.keys() {
            let Some(ratio) = rates.ratio(service) else { continue };
            let percent = ratio * 100.0;
            if ratio > threshold && self.failing.insert(service.clone()) {
                timeline.add(at, EntryKind::Trouble, service.clone(), format!("5xx {percent:.1} % > {:.0} %", threshold * 100.0), None);
            } else if ratio <= threshold / 2.0 && self.failing.remove(service) {
                timeline.add(at, EntryKind::Recovery, service.clone(), format!("5xx {percent:.1} %"), None);
            }
        }
    }

    /// Tells a group that began to grow or stopped, and one that has drained.
    pub fn lag(&mut self, at: DateTime<Utc>, lag: &Lag, timeline: &mut Timeline) {
        for (id, group) in &lag.groups {
            let records = group.lag().unwrap_or(0);
            match group.state() {
                GroupState::Warn | GroupState::Stop if records > 0 && self.lagging.insert(id.clone()) => {
                    let what = if group.state() == GroupState::Stop { "no members" } else { "growing" };
                    timeline.add(at, EntryKind::Trouble, id.clone(), format!("lag {records}, {what}"), None);
                }
                GroupState::Ok if group.growth().is_some_and(|growth| growth <= 0.0) && self.lagging.remove(id) => {
                    timeline.add(at, EntryKind::Recovery, id.clone(), format!("lag {records}, falling"), None);
                }
                _ => {}
            }
        }
    }
}

fn scaled(at: DateTime<Utc>, before: Option<&Workload>, now: &Workload, timeline: &mut Timeline) {
    if let Some(before) = before.filter(|before| before.desired != now.desired) {
        timeline.add(at, EntryKind::Deploy, now.meta.name.clone(), format!("scaled {} → {}", before.desired, now.desired), None);
    }
}

/// `rev 6 → 7  v1.2.3 → v1.3.0`
fn rollout(revision: &Revision, cluster: &Cluster, deployment: &Uid) -> String {
    let older = cluster.revisions_of(deployment).into_iter().find(|r| r.number < revision.number);
    let release = |r: &Revision| r.release.as_ref().map(ToString::to_string).unwrap_or_default();
    match older {
        Some(older) if older.release != revision.release => {
            format!("rev {} → {}  {} → {}", older.number, revision.number, release(older), release(revision))
        }
        Some(older) => format!("rev {} → {}", older.number, revision.number),
        None => format!("rev {}  {}", revision.number, release(revision)),
    }
}

/// What a change's new stage says on the timeline.
pub fn tell_run(at: DateTime<Utc>, run: &Run, timeline: &mut Timeline) {
    let (subject, mark) = (run.intent.target.name.clone(), Some(run.mark));
    let (kind, text) = match &run.stage {
        Stage::Sent => (EntryKind::Action, format!("{} @{}", run.intent.title, run.intent.actor)),
        Stage::Unknown(why) => (EntryKind::Unknown, format!("unknown: {why}; reading what became of it")),
        Stage::Verifying => (EntryKind::Applied, format!("applied, {} write{}", run.writes(), if run.writes() == 1 { "" } else { "s" })),
        Stage::Rejected(why) => (EntryKind::Rejected, format!("not changed: {why}")),
        Stage::Done(verdict) if verdict.ok => (EntryKind::Verified, verified(verdict)),
        Stage::Done(verdict) => (EntryKind::Unverified, unverified(verdict)),
    };
    timeline.add(at, kind, subject, text, mark);
}

/// `5xx 24.8 % → 0.4 % in 38 s`
fn verified(verdict: &Verdict) -> String {
    format!("{} in {:.0} s", changes(&verdict.before, &verdict.after), verdict.seconds)
}

fn unverified(verdict: &Verdict) -> String {
    let missing: Vec<&str> = verdict.missing.iter().map(Clean::as_str).collect();
    format!("not seen within {:.0} s: {}", verdict.seconds, missing.join("; "))
}

/// The numbers before and after that tell something: `5xx 24.8 % → 0.4 %`, `lag 4100 → 3800, ready 1 → 10`.
pub fn changes(before: &Measure, after: &Measure) -> String {
    let percent = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{:.1} %", x * 100.0));
    let number = |x: Option<i64>| x.map_or_else(|| "–".to_owned(), |x| x.to_string());
    let mut parts = Vec::new();
    if percent(before.ratio_5xx) != percent(after.ratio_5xx) {
        parts.push(format!("5xx {} → {}", percent(before.ratio_5xx), percent(after.ratio_5xx)));
    }
    if before.lag.or(after.lag).is_some() {
        parts.push(format!("lag {} → {}", number(before.lag), number(after.lag)));
    }
    if before.ready != after.ready || parts.is_empty() {
        parts.push(format!("ready {} → {}", number(before.ready.map(i64::from)), number(after.ready.map(i64::from))));
    }
    parts.join(", ")
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
