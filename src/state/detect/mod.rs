//! What the timeline says of what was observed: deploys, troubles and recoveries, one entry for one cause.

pub(in crate::state) mod causes;
pub(in crate::state) mod changes;
mod correlation;
pub(in crate::state) mod findings;
pub(in crate::state) mod pod_diagnosis;
pub(in crate::state) mod rollouts;
pub(in crate::state) mod row_diagnosis;
pub(in crate::state) mod runs;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use self::causes::Causes;
use self::findings::{CorrelationKey, Finding, Thing};
use self::rollouts::Rollouts;
use super::world::alerts::urgency;
use super::world::cluster::ROLLING_OUT;
use super::{Alerts, Cluster, Group, GroupState, Lag, Rates, Severity, Subject, Timeline, WorkloadRow};
use crate::clean::Clean;
use crate::event::{ClusterEvent, Kind, Meta, Namespace, NamespacePhase, ObjectKey, Uid, Workload};
use crate::units;

/// How long a workload has to be well to have recovered.
const STEADY: TimeDelta = TimeDelta::seconds(20);

/// What is new has so long to start before it is called broken; and so long may it take until the owner of a
/// pod is named.
const GRACE: TimeDelta = TimeDelta::seconds(20);

/// An alert that was not told when it began to fire, because it was silenced, stands where it is told if that
/// was longer ago.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// Detector of troubles and changes: it remembers what was last said of each thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Rows that are broken.
    broken: BTreeMap<Uid, Broken>,
    /// Everything that is reported as broken, with its cause.
    pub(super) causes: Causes,
    /// Rollouts that were reported.
    #[serde(default)]
    pub(super) rollouts: Rollouts,
    /// Workloads and nodes that are new, and until when they have time to start.
    #[serde(default)]
    young: BTreeMap<Uid, DateTime<Utc>>,
    /// Whether alerts were read before.
    #[serde(default)]
    alerts_read: bool,
}

/// A row that is broken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Broken {
    /// The reasons that were told: a crash loop goes through several again and again. None while it may only
    /// be starting.
    told: BTreeSet<Clean>,
    /// When it was seen broken first, were it only starting.
    #[serde(default)]
    since: Option<DateTime<Utc>>,
    /// Until when it may only be starting.
    #[serde(default)]
    until: Option<DateTime<Utc>>,
    /// The reason seen last.
    last: Option<Clean>,
    /// Since when it has been well; between two crashes it is, for a moment.
    well: Option<DateTime<Utc>>,
}

/// Workloads that an event names, as they are before it.
pub type Before = BTreeMap<Uid, Workload>;

impl Detector {
    /// Returns why the workload was told to be broken, while it has not been well for long enough to have
    /// recovered.
    pub fn unsteady(&self, uid: &Uid) -> Option<&Clean> {
        self.broken.get(uid).and_then(|broken| broken.last.as_ref())
    }

    /// Returns when a row that is broken was first seen so.
    pub fn broken_since(&self, uid: &Uid) -> Option<DateTime<Utc>> {
        self.broken.get(uid)?.since
    }

    /// Iterates over rows that are, or were a moment ago, seen broken.
    pub fn suspects(&self) -> impl Iterator<Item = &Uid> {
        self.broken.keys()
    }

    /// Returns whether a row is reported as broken.
    pub fn is_broken(&self, uid: &Uid) -> bool {
        self.broken.get(uid).is_some_and(|broken| !broken.told.is_empty())
    }

    /// Remembers what the event will overwrite, and greets what it brings.
    pub fn before(&mut self, at: DateTime<Utc>, cluster: &Cluster, event: &ClusterEvent) -> Before {
        match event {
            ClusterEvent::Workloads(all) => {
                let new = |w: &&Workload| !cluster.workloads.contains_key(&w.meta.uid);
                all.iter()
                    .filter(new)
                    .for_each(|w| self.greet(at, &w.meta, cluster.is_listed(w.kind, w.meta.context())));
                all.iter()
                    .filter_map(|w| cluster.workloads.get(&w.meta.uid))
                    .map(|w| (w.meta.uid.clone(), w.clone()))
                    .collect()
            }
            ClusterEvent::Nodes(all) => {
                let new = all.iter().filter(|node| !cluster.nodes.contains_key(&node.meta.uid));
                new.for_each(|node| {
                    self.greet(at, &node.meta, cluster.is_listed(Kind::Node, node.meta.context()));
                });
                Before::new()
            }
            _ => Before::new(),
        }
    }

    /// What comes after the first listing is new; of what that names, what has only just been created.
    fn greet(&mut self, at: DateTime<Utc>, meta: &Meta, listed: bool) {
        if listed || (at - meta.created).abs() < GRACE {
            self.young.insert(meta.uid.clone(), at + GRACE);
        }
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
        self.rollouts.tell(at, before, cluster, event, timeline);
        match event {
            ClusterEvent::Nodes(_)
            | ClusterEvent::Gone(Kind::Node, _)
            | ClusterEvent::Missed(Kind::Node, _) => {
                self.nodes(at, cluster, timeline);
            }
            ClusterEvent::Listed(scope) if scope.kind == Kind::Node => self.nodes(at, cluster, timeline),
            _ => {}
        }
        self.health(at, touched, cluster, timeline);
    }

    /// What became of the rows that an event touched.
    fn health(
        &mut self,
        at: DateTime<Utc>,
        touched: &BTreeSet<Uid>,
        cluster: &Cluster,
        timeline: &mut Timeline,
    ) {
        for uid in touched {
            match cluster.row(uid) {
                Some(row) => self.look(at, &row, cluster, timeline),
                None if self.broken.remove(uid).is_some() => self.lost(at, uid, cluster, timeline),
                None => {}
            }
        }
    }

    /// A row that was broken is no row any more: it was deleted, or it is a pod whose owner is known by now
    /// and tells of it.
    fn lost(&mut self, at: DateTime<Utc>, uid: &Uid, cluster: &Cluster, timeline: &mut Timeline) {
        for thing in [Thing::Workload(uid.clone()), Thing::Pod(uid.clone())] {
            if cluster.pods.contains_key(uid) {
                self.causes.lose_sight(at, &thing, timeline);
            } else {
                self.causes.gone(at, &thing, timeline);
            }
        }
    }

    /// Forgets what is no longer watched: other namespaces are, of which nothing is known yet.
    pub fn lose_sight(&mut self, at: DateTime<Utc>, timeline: &mut Timeline) {
        let objects: Vec<Thing> = self
            .causes
            .broken()
            .filter(|thing| matches!(thing, Thing::Workload(_) | Thing::Pod(_)))
            .cloned()
            .collect();
        for thing in &objects {
            self.causes.lose_sight(at, thing, timeline);
        }
        self.broken.clear();
    }

    fn look(&mut self, at: DateTime<Utc>, row: &WorkloadRow<'_>, cluster: &Cluster, timeline: &mut Timeline) {
        match (&row.reason, row.severity) {
            (Some(reason), Severity::Critical) => self.broke(at, row, reason, cluster, timeline),
            (_, Severity::Ok) => self.recovered(at, row, timeline),
            _ if self.broken.contains_key(row.uid()) && only_leaving(row, cluster) => {
                self.recovered(at, row, timeline);
            }
            _ if !self.is_broken(row.uid()) => drop(self.broken.remove(row.uid())),
            _ => {}
        }
    }

    fn broke(
        &mut self,
        at: DateTime<Utc>,
        row: &WorkloadRow<'_>,
        reason: &Clean,
        cluster: &Cluster,
        timeline: &mut Timeline,
    ) {
        let patience =
            self.young.get(row.uid()).copied().or_else(|| may_have_an_owner(row).then(|| at + GRACE));
        let broken = self.broken.entry(row.uid().clone()).or_insert_with(|| Broken {
            since: Some(at),
            until: patience,
            ..Broken::default()
        });
        if broken.until.is_some_and(|until| at < until) {
            return;
        }
        broken.well = None;
        if *reason == *ROLLING_OUT && !broken.told.is_empty() {
            return; // what is wrong with it was told, and somebody may be putting it right
        }
        broken.last = Some(reason.clone());
        if let Some(since) = broken.since.filter(|_| *reason != *ROLLING_OUT) {
            self.rollouts.blame(row.uid(), since);
        }
        let thing = thing(row);
        if broken.told.insert(reason.clone()) {
            let text =
                row.why.as_ref().map_or_else(|| reason.to_string(), |why| format!("{reason}: {why}")).into();
            let news = Finding {
                thing,
                subject: row.meta().into(),
                text,
                ties: correlation::keys(row, reason, cluster),
            };
            self.causes.begin(at, news, timeline);
        } else if !self.causes.settled(&thing) {
            // its pods may say more by now
            self.causes.retie(at, &thing, correlation::keys(row, reason, cluster), timeline);
        }
    }

    fn recovered(&mut self, at: DateTime<Utc>, row: &WorkloadRow<'_>, timeline: &mut Timeline) {
        let Some(broken) = self.broken.get_mut(row.uid()) else { return };
        let well = *broken.well.get_or_insert(at);
        if broken.told.is_empty() {
            self.broken.remove(row.uid());
        } else if at - well >= STEADY {
            let text = match (row.workload, row.pod) {
                (Some(workload), _) => format!("{} ready", workload.ready),
                (None, Some(pod)) if !pod.ready => "completed".to_owned(),
                _ => "ready".to_owned(),
            };
            self.causes.end(well, &thing(row), text, timeline);
            self.broken.remove(row.uid());
        }
    }

    /// Time went by: what has been well for long enough has recovered, and what has had time to start is
    /// looked at.
    pub fn settle(&mut self, at: DateTime<Utc>, cluster: &Cluster, timeline: &mut Timeline) {
        let steady = |broken: &Broken| broken.well.is_some_and(|well| at - well >= STEADY);
        let waited =
            |broken: &Broken| broken.told.is_empty() && broken.until.is_some_and(|until| at >= until);
        let due: BTreeSet<Uid> = self
            .broken
            .iter()
            .filter(|(_, broken)| steady(broken) || waited(broken))
            .map(|(uid, _)| uid.clone())
            .collect();
        self.health(at, &due, cluster, timeline);
        let young = self.young.len();
        self.young.retain(|_, until| at < *until);
        if self.young.len() < young {
            self.nodes(at, cluster, timeline);
        }
    }

    fn nodes(&mut self, at: DateTime<Utc>, cluster: &Cluster, timeline: &mut Timeline) {
        for node in cluster.nodes.values() {
            let thing = Thing::Node(node.meta.uid.clone());
            if node.ready == Some(true) {
                self.causes.end(at, &thing, "node ready", timeline);
            } else if !self.causes.has(&thing)
                && self.young.get(&node.meta.uid).is_none_or(|until| at >= *until)
            {
                let text = format!("node not ready: {}", node.why_not_ready()).into();
                let tie = CorrelationKey::Node(ObjectKey::new(node.meta.context(), node.meta.name.clone()));
                self.causes.begin(
                    at,
                    Finding { thing, subject: (&node.meta).into(), text, ties: vec![tie] },
                    timeline,
                );
            }
        }
        let gone = |thing: &&Thing| matches!(thing, Thing::Node(uid) if !cluster.nodes.contains_key(uid));
        let gone: Vec<Thing> = self.causes.broken().filter(gone).cloned().collect();
        for thing in &gone {
            self.causes.gone(at, thing, timeline);
        }
    }

    /// A namespace that was there and is on its way out, or gone, takes everything in it along.
    pub fn namespace(
        &mut self,
        at: DateTime<Utc>,
        now: &Namespace,
        before: Option<NamespacePhase>,
        timeline: &mut Timeline,
    ) {
        let thing = Thing::Namespace(ObjectKey::new(now.context, now.name.clone()));
        let text = match (before, now.phase) {
            (Some(NamespacePhase::Active), NamespacePhase::Terminating) => {
                "namespace is being deleted, with all that is in it"
            }
            (Some(NamespacePhase::Active | NamespacePhase::Terminating), NamespacePhase::Gone) => {
                "namespace is gone"
            }
            (_, NamespacePhase::Active) => {
                return self.causes.end(at, &thing, "namespace is there again", timeline);
            }
            _ => return,
        };
        let subject = Subject { context: now.context, name: now.name.clone() };
        self.causes.begin(at, Finding { thing, subject, text: text.into(), ties: Vec::new() }, timeline);
    }

    /// Tells a service that crosses the threshold; it has to fall to half of it to have recovered, so that it
    /// does not flap.
    pub fn rates(
        &mut self,
        at: DateTime<Utc>,
        rates: &Rates,
        threshold: impl Fn(&str) -> f64,
        timeline: &mut Timeline,
    ) {
        for service in rates.services.keys() {
            let Some(ratio) = rates.ratio(service) else { continue };
            let threshold = threshold(service);
            let percent = ratio * 100.0;
            let thing = Thing::Service(service.clone());
            if ratio > threshold && !self.causes.has(&thing) {
                let text = format!("5xx {percent:.1} % > {:.0} %", threshold * 100.0).into();
                let tie = CorrelationKey::Service(service.clone().into());
                self.causes.begin(
                    at,
                    Finding { thing, subject: service.clone().into(), text, ties: vec![tie] },
                    timeline,
                );
            } else if ratio <= threshold / 2.0 {
                self.causes.end(at, &thing, format!("5xx {percent:.1} %"), timeline);
            }
        }
    }

    /// Tells a group that began to grow or stopped, and one that has drained.
    pub fn lag(&mut self, at: DateTime<Utc>, lag: &Lag, timeline: &mut Timeline) {
        for (id, group) in &lag.groups {
            let records = group.lag().unwrap_or(0);
            let thing = Thing::Group(id.clone());
            if group.in_trouble() {
                if !self.causes.has(&thing) {
                    let text = format!("lag {}, {}", units::count(Some(records)), plight(group)).into();
                    self.causes.begin(
                        at,
                        Finding { thing, subject: id.clone().into(), text, ties: Vec::new() },
                        timeline,
                    );
                }
            } else if group.state() == GroupState::Ok && group.growth().is_some_and(|growth| growth <= 0.0) {
                self.causes.end(
                    at,
                    &thing,
                    format!("lag {}, falling", units::count(Some(records))),
                    timeline,
                );
            }
        }
    }

    /// Tells the alerts that call for a person, those that ended, and those that somebody silenced. One that
    /// was silenced before it was seen is nobody's trouble, and neither is one that only informs.
    pub fn alerts(&mut self, at: DateTime<Utc>, alerts: &Alerts, timeline: &mut Timeline) {
        let read_before = std::mem::replace(&mut self.alerts_read, true);
        for alert in alerts.rows().into_iter().filter(|alert| alert.active() && urgency(alert) > Severity::Ok)
        {
            let thing = Thing::Alert(alert.fingerprint.clone());
            if !self.causes.has(&thing) {
                let service = alert.service().map(|service| CorrelationKey::Service(service.clone().into()));
                let ties =
                    service.into_iter().chain([CorrelationKey::Reason(alert.name.clone().into())]).collect();
                let news = Finding {
                    thing,
                    subject: alert.about().cloned().unwrap_or_default().into(),
                    text: alerts.told(alert),
                    ties,
                };
                let late = read_before && at - alert.since > LATE;
                self.causes.begin(if late { at } else { alert.since }, news, timeline);
            }
        }
        let told: Vec<Thing> =
            self.causes.broken().filter(|thing| matches!(thing, Thing::Alert(_))).cloned().collect();
        for thing in told {
            let Thing::Alert(fingerprint) = &thing else { continue };
            let name = self.causes.words(&thing, timeline);
            match alerts.get(fingerprint) {
                None => self.causes.end(at, &thing, name, timeline),
                Some(alert) if !alert.silenced_by.is_empty() => {
                    self.causes.quiet(at, &thing, format!("{name} silenced"), timeline);
                }
                Some(alert) if !alert.inhibited_by.is_empty() => {
                    self.causes.quiet(at, &thing, format!("{name} inhibited"), timeline);
                }
                Some(_) => {}
            }
        }
    }
}

/// Whether nothing is wrong with a workload but with pods that are on their way out.
fn only_leaving(row: &WorkloadRow<'_>, cluster: &Cluster) -> bool {
    let complete = row.workload.is_some_and(|workload| !workload.short());
    complete && cluster.troubled(row).into_iter().all(|(pod, _)| cluster.is_leaving(pod))
}

/// What a row is of.
fn thing(row: &WorkloadRow<'_>) -> Thing {
    let uid = row.uid().clone();
    if row.workload.is_some() { Thing::Workload(uid) } else { Thing::Pod(uid) }
}

/// Whether it is a pod of a kind of owner that is watched: it is named with its pods, a little earlier or
/// later.
fn may_have_an_owner(row: &WorkloadRow<'_>) -> bool {
    let owner = row.pod.and_then(|pod| pod.owner.as_ref());
    owner.is_some_and(|owner| {
        Kind::ALL
            .into_iter()
            .any(|kind| (kind.is_workload() || kind == Kind::ReplicaSet) && owner.kind == *kind.name())
    })
}

fn plight(group: &Group) -> &'static str {
    match group.state() {
        GroupState::Stop if group.now.members == Some(0) => "no members",
        GroupState::Stop => "no commits",
        GroupState::Stall => "offsets do not move",
        GroupState::Rewind => "offset went back",
        GroupState::Ok | GroupState::Unknown | GroupState::Warn => "growing",
    }
}

#[cfg(test)]
mod tests;
