//! What the timeline says of what was observed: deploys, troubles and recoveries, one entry for one cause.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::causes::{Causes, News, Thing, Tie};
use super::changes::{HISTORY, by};
use super::{Alerts, Cluster, EntryKind, Group, GroupState, Lag, Rates, Run, Severity, Stage, Subject, Timeline, WorkloadRow};
use crate::clean::Clean;
use crate::event::{ClusterEvent, ContainerState, ContextId, Kind, Measure, Owner, Pod, Revision, Uid, Verdict, Workload};
use crate::units;

/// How long a workload has to be well to have recovered.
const STEADY: TimeDelta = TimeDelta::seconds(20);

/// What was said last of each thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Workloads told to be broken.
    broken: BTreeMap<Uid, Broken>,
    /// Everything told to be broken, and what it broke of.
    causes: Causes,
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
            ClusterEvent::Listed(scope) if scope.kind == Kind::ReplicaSet => self.history(at, scope.context, cluster, timeline),
            ClusterEvent::Nodes(_) | ClusterEvent::Gone(Kind::Node, _) | ClusterEvent::Missed(Kind::Node, _) => {
                self.nodes(at, cluster, timeline);
            }
            ClusterEvent::Listed(scope) if scope.kind == Kind::Node => self.nodes(at, cluster, timeline),
            _ => {}
        }
        self.health(at, touched, cluster, timeline);
    }

    /// A ReplicaSet with a number that its Deployment did not have: a rollout, or a rollback to an older template. What the first listing
    /// names happened before warroom looked: [`Self::history`] tells that.
    fn deployed(&mut self, at: DateTime<Utc>, revision: &Revision, cluster: &Cluster, timeline: &mut Timeline) {
        let Some(owner) = revision.owner.as_ref().filter(|_| cluster.is_listed(Kind::ReplicaSet, revision.meta.context())) else { return };
        let known = self.deployed.insert(owner.uid.clone(), revision.number).unwrap_or(0);
        if revision.number <= known {
            self.deployed.insert(owner.uid.clone(), known);
        } else if revision.number > 1 {
            timeline.add(at, EntryKind::Deploy, of(owner), rollout(at, revision, cluster, &owner.uid), None);
        }
    }

    /// Rollouts of the last hour, as far as the first listing shows them: a ReplicaSet that is younger than all with lower numbers was made
    /// by its rollout. An older one was taken up again by a rollback, at a time that nothing tells.
    fn history(&mut self, at: DateTime<Utc>, context: ContextId, cluster: &Cluster, timeline: &mut Timeline) {
        let here = cluster.revisions.values().filter(|r| r.meta.context() == context);
        let mut revisions: Vec<(&Owner, &Revision)> = here.filter_map(|r| Some((r.owner.as_ref()?, r))).collect();
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
                    let text = rollout(now.meta.created, now, cluster, &owner.uid);
                    timeline.add(now.meta.created, EntryKind::Deploy, of(owner), text, None);
                }
            }
        }
    }

    /// What became of the rows that an event touched.
    fn health(&mut self, at: DateTime<Utc>, touched: &BTreeSet<Uid>, cluster: &Cluster, timeline: &mut Timeline) {
        for uid in touched {
            match cluster.row(uid).filter(|row| row.workload.is_some()) {
                Some(row) => self.look(at, &row, cluster, timeline),
                None if self.broken.remove(uid).is_some() => self.causes.forget(at, &Thing::Workload(uid.clone()), timeline),
                None => {}
            }
        }
    }

    fn look(&mut self, at: DateTime<Utc>, row: &WorkloadRow<'_>, cluster: &Cluster, timeline: &mut Timeline) {
        match (row.workload, &row.reason, row.severity) {
            (Some(workload), Some(reason), Severity::Critical) => {
                let broken = self.broken.entry(row.uid().clone()).or_default();
                broken.well = None;
                broken.last = Some(reason.clone());
                let thing = Thing::Workload(row.uid().clone());
                if broken.told.insert(reason.clone()) {
                    let text = row.why.as_ref().map_or_else(|| reason.to_string(), |why| format!("{reason}: {why}")).into();
                    let news = News { thing, subject: row.meta().into(), text, ties: ties(workload, row, reason, cluster) };
                    self.causes.begin(at, news, timeline);
                } else if !self.causes.settled(&thing) {
                    self.causes.retie(at, &thing, ties(workload, row, reason, cluster), timeline); // its pods may say more by now
                }
            }
            (Some(_), _, Severity::Ok) => self.recovered(at, row, timeline),
            _ => {}
        }
    }

    fn recovered(&mut self, at: DateTime<Utc>, row: &WorkloadRow<'_>, timeline: &mut Timeline) {
        let Some(broken) = self.broken.get_mut(row.uid()) else { return };
        let well = *broken.well.get_or_insert(at);
        if at - well >= STEADY {
            let ready = row.workload.map_or(0, |w| w.ready);
            self.causes.end(well, &Thing::Workload(row.uid().clone()), format!("{ready} ready"), timeline);
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
            let thing = Thing::Node(node.meta.uid.clone());
            if node.ready == Some(true) {
                self.causes.end(at, &thing, "node ready", timeline);
            } else if !self.causes.has(&thing) {
                let text = format!("node not ready: {}", node.message.as_deref().unwrap_or("no word from its kubelet")).into();
                let tie = Tie::Node(node.meta.context().mark(&node.meta.name));
                self.causes.begin(at, News { thing, subject: (&node.meta).into(), text, ties: vec![tie] }, timeline);
            }
        }
        let gone = |thing: &&Thing| matches!(thing, Thing::Node(uid) if !cluster.nodes.contains_key(uid));
        let gone: Vec<Thing> = self.causes.broken().filter(gone).cloned().collect();
        for thing in &gone {
            self.causes.forget(at, thing, timeline);
        }
    }

    /// Tells a service that crosses the threshold; it has to fall to half of it to have recovered, so that it does not flap.
    pub fn rates(&mut self, at: DateTime<Utc>, rates: &Rates, threshold: impl Fn(&str) -> f64, timeline: &mut Timeline) {
        for service in rates.services.keys() {
            let Some(ratio) = rates.ratio(service) else { continue };
            let (threshold, percent, thing) = (threshold(service), ratio * 100.0, Thing::Service(service.clone()));
            if ratio > threshold && !self.causes.has(&thing) {
                let text = format!("5xx {percent:.1} % > {:.0} %", threshold * 100.0).into();
                let tie = Tie::Service(ContextId::MAIN.own(service.clone()));
                self.causes.begin(at, News { thing, subject: service.clone().into(), text, ties: vec![tie] }, timeline);
            } else if ratio <= threshold / 2.0 {
                self.causes.end(at, &thing, format!("5xx {percent:.1} %"), timeline);
            }
        }
    }

    /// Tells a group that began to grow or stopped, and one that has drained.
    pub fn lag(&mut self, at: DateTime<Utc>, lag: &Lag, timeline: &mut Timeline) {
        for (id, group) in &lag.groups {
            let (records, thing) = (group.lag().unwrap_or(0), Thing::Group(id.clone()));
            if group.in_trouble() {
                if !self.causes.has(&thing) {
                    let text = format!("lag {}, {}", units::count(Some(records)), plight(group)).into();
                    self.causes.begin(at, News { thing, subject: id.clone().into(), text, ties: Vec::new() }, timeline);
                }
            } else if group.state() == GroupState::Ok && group.growth().is_some_and(|growth| growth <= 0.0) {
                self.causes.end(at, &thing, format!("lag {}, falling", units::count(Some(records))), timeline);
            }
        }
    }

    /// Tells the alerts that call for a person, and those that ended. One that was silenced before it was seen is nobody's trouble.
    pub fn alerts(&mut self, at: DateTime<Utc>, alerts: &Alerts, timeline: &mut Timeline) {
        for alert in alerts.rows().into_iter().filter(|alert| alert.active()) {
            let thing = Thing::Alert(alert.fingerprint.clone());
            if !self.causes.has(&thing) {
                let service = alert.service().map(|service| Tie::Service(ContextId::MAIN.own(service.clone())));
                let ties = service.into_iter().chain([Tie::Reason(ContextId::MAIN.own(alert.name.clone()))]).collect();
                let news = News { thing, subject: alert.about().cloned().unwrap_or_default().into(), text: alert.name.clone(), ties };
                self.causes.begin(alert.since, news, timeline);
            }
        }
        let over = |thing: &&Thing| matches!(thing, Thing::Alert(fingerprint) if alerts.get(fingerprint).is_none());
        let over: Vec<Thing> = self.causes.broken().filter(over).cloned().collect();
        for thing in over {
            let name = self.causes.words(&thing, timeline);
            self.causes.end(at, &thing, name, timeline);
        }
    }
}

/// What ties a broken workload to others: the node that most of its broken pods are on, the registry that they cannot pull from, the
/// namespace that they may not be created in, its service, its reason.
fn ties(workload: &Workload, row: &WorkloadRow<'_>, reason: &Clean, cluster: &Cluster) -> Vec<Tie> {
    let context = workload.meta.context();
    let broken: Vec<&Pod> = cluster.troubled(row).into_iter().map(|(pod, _)| pod).collect();
    let mut on: BTreeMap<&Clean, usize> = BTreeMap::new();
    for node in broken.iter().filter_map(|pod| pod.node.as_ref()) {
        *on.entry(node).or_default() += 1;
    }
    let node = on.into_iter().find(|(_, pods)| pods * 2 > broken.len()).map(|(node, _)| Tie::Node(context.own(node.clone())));
    let pulls = reason.contains("ImagePull");
    let waits = |pod: &&Pod| pod.containers.iter().find(|c| matches!(c.state, ContainerState::Waiting { .. })).map(|c| c.image.clone());
    let registry = broken.iter().find_map(waits).filter(|_| pulls).map(|image| Tie::Registry(context.mark(registry(&image))));
    let namespace = reason.contains("FailedCreate").then(|| Tie::Namespace(context.own(workload.meta.namespace.clone())));
    let service = Tie::Service(context.own(workload.service.clone()));
    [node, registry, namespace, Some(service), Some(Tie::Reason(context.own(reason.clone())))].into_iter().flatten().collect()
}

/// The registry of an image, as the container runtimes read its name.
fn registry(image: &str) -> &str {
    let host = image.split_once('/').map(|(host, _)| host).filter(|host| host.contains(['.', ':']) || *host == "localhost");
    host.unwrap_or("docker.io")
}

fn plight(group: &Group) -> &'static str {
    match group.state() {
        GroupState::Stop if group.now.members == Some(0) => "no members",
        GroupState::Stop => "nobody commits",
        GroupState::Stall => "offsets do not move",
        GroupState::Rewind => "went back",
        GroupState::Ok | GroupState::Unknown | GroupState::Warn => "growing",
    }
}

fn scaled(at: DateTime<Utc>, before: Option<&Workload>, now: &Workload, timeline: &mut Timeline) {
    if let Some(before) = before.filter(|before| before.desired != now.desired) {
        let text = format!("scaled {} → {}{}", before.desired, now.desired, by(now.changed.as_ref(), at));
        timeline.add(at, EntryKind::Deploy, &now.meta, text, None);
    }
}

/// Whom a rollout is about.
fn of(owner: &Owner) -> Subject {
    Subject { context: ContextId::of(&owner.uid), name: owner.name.clone() }
}

/// `rev 6 → 7  v1.2.3 → v1.3.0  by helm`
fn rollout(at: DateTime<Utc>, revision: &Revision, cluster: &Cluster, deployment: &Uid) -> String {
    let who = by(cluster.workloads.get(deployment).and_then(|w| w.changed.as_ref()), at);
    let older = cluster.revisions_of(deployment).into_iter().find(|r| r.number < revision.number);
    let release = |r: &Revision| r.release.as_ref().map(ToString::to_string).unwrap_or_default();
    match older {
        Some(older) if older.release != revision.release => {
            format!("rev {} → {}  {} → {}{who}", older.number, revision.number, release(older), release(revision))
        }
        Some(older) if older.images != revision.images => format!("rev {} → {}  {}{who}", older.number, revision.number, images(revision)),
        Some(older) => format!("rev {} → {}{who}", older.number, revision.number),
        None => format!("rev {}  {}{who}", revision.number, release(revision)),
    }
}

fn images(revision: &Revision) -> String {
    revision.images.join(", ")
}

/// What a change's new stage says on the timeline.
pub fn tell_run(at: DateTime<Utc>, run: &Run, context: ContextId, timeline: &mut Timeline) {
    let (subject, mark) = (Subject { context, name: run.intent.target.name.clone() }, Some(run.mark));
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

/// The numbers before and after that tell something: `5xx 24.8 % → 0.4 %`, `lag 4,100 → 3,800, ready 1 → 10`.
pub fn changes(before: &Measure, after: &Measure) -> String {
    let percent = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{:.1} %", x * 100.0));
    let number = |x: Option<i64>| units::count(x);
    let mut parts = Vec::new();
    if percent(before.ratio_5xx) != percent(after.ratio_5xx) {
        parts.push(format!("5xx {} → {}", percent(before.ratio_5xx), percent(after.ratio_5xx)));
    }
    if before.lag.or(after.lag).is_some() {
        parts.push(format!("lag {} → {}", number(before.lag), number(after.lag)));
    }
    if before.firing.or(after.firing).is_some() {
        parts.push(format!("firing {} → {}", number(before.firing.map(i64::from)), number(after.firing.map(i64::from))));
    }
    if before.ready != after.ready || parts.is_empty() {
        parts.push(format!("ready {} → {}", number(before.ready.map(i64::from)), number(after.ready.map(i64::from))));
    }
    parts.join(", ")
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
