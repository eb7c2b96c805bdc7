//! What was installed, rolled out and scaled, when and by whom, as entries of the timeline; and what no
//! controller has taken up yet.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Before;
use super::changes::{HISTORY, NEAR, by, together};
use crate::clean::Clean;
use crate::event::{ClusterEvent, ContextId, Kind, LastChange, Owner, Revision, Uid, Workload};
use crate::state::{ChangeSort, Cluster, EntryKind, Subject, Timeline};

/// How long a controller may take to see a change before that is worth a word.
const PROMPT: TimeDelta = TimeDelta::seconds(10);

/// Rollouts that are kept of each Deployment.
const KEPT: usize = 8;

/// A rollout of a Deployment. The age of its ReplicaSet does not tell when it began: a rollback takes up an
/// older one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Number of the revision that it brought.
    pub number: u64,
    /// Time when it began.
    pub at: DateTime<Utc>,
    /// Field manager that made it: `helm`, `kubectl-edit`; `None` while that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Clean>,
    /// Whether trouble followed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bad: bool,
    /// Whether it began before it could be watched: at `at` it was found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    found: bool,
}

impl Rollout {
    fn new(number: u64, at: DateTime<Utc>) -> Self {
        Self { number, at, by: None, bad: false, found: false }
    }

    /// Completes it from the last change of its Deployment, which says when it began where that was not seen.
    fn sign(&mut self, changed: &LastChange, after: Option<DateTime<Utc>>) {
        let near = if self.found {
            changed.at <= self.at && Some(changed.at) >= after
        } else {
            (changed.at - self.at).abs() <= NEAR
        };
        if near {
            self.by = Some(changed.manager.clone());
        }
        if near && self.found {
            self.at = changed.at;
            self.found = false;
        }
    }
}

/// Rollouts that were reported, and those not rolled out yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rollouts {
    /// Deployments' revisions that were told.
    deployed: BTreeMap<Uid, u64>,
    /// Entries of rollouts that were heard of before their Deployment was: who made them is not known yet.
    unsigned: BTreeMap<Uid, u64>,
    /// Workloads whose controller has not seen their newest generation.
    unseen: BTreeMap<Uid, Unseen>,
    /// The newest rollouts of each Deployment, oldest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recent: BTreeMap<Uid, Vec<Rollout>>,
    /// When Deployments were written last: a rollout begins then, although its ReplicaSet may have to wait
    /// until the old pods are gone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    written: BTreeMap<Uid, DateTime<Utc>>,
}

/// A change that no controller has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unseen {
    since: DateTime<Utc>,
    /// The release before it, which is what runs; where it was heard of.
    release: Option<Clean>,
}

impl Rollouts {
    /// Tells what an event changed that the cluster has taken in.
    pub fn tell(
        &mut self,
        at: DateTime<Utc>,
        before: &Before,
        cluster: &Cluster,
        event: &ClusterEvent,
        timeline: &mut Timeline,
    ) {
        match event {
            ClusterEvent::Workloads(workloads) => {
                let mut known: BTreeMap<&Uid, &Workload> = before.iter().collect();
                for now in workloads {
                    // one batch may hold several states of a workload
                    let before = known.insert(&now.meta.uid, now);
                    self.follow(at, before, now);
                    if before.is_some_and(|before| self.begins(before, now)) {
                        self.written.insert(now.meta.uid.clone(), at);
                    }
                    self.sign(now, timeline);
                    match before {
                        Some(before) => changed(at, before, now, timeline),
                        None => found(at, now, timeline),
                    }
                }
            }
            ClusterEvent::Revisions(revisions) => {
                for revision in revisions {
                    self.deployed(at, revision, cluster, timeline);
                }
            }
            ClusterEvent::Listed(scope) if scope.kind == Kind::ReplicaSet => {
                self.history(at, scope.context, cluster, timeline);
            }
            ClusterEvent::Gone(kind, uids) | ClusterEvent::Missed(kind, uids)
                if *kind == Kind::Deployment =>
            {
                for uid in uids {
                    self.forget(uid);
                }
            }
            ClusterEvent::Gone(..) | ClusterEvent::Missed(..) | ClusterEvent::Listed(_) => {
                self.unseen.retain(|uid, _| cluster.workloads.contains_key(uid));
            }
            _ => {}
        }
    }

    /// Returns whether a workload's controller has not seen its newest generation for longer than it should
    /// take.
    pub fn is_unseen(&self, workload: &Workload, now: DateTime<Utc>) -> bool {
        self.unseen.get(&workload.meta.uid).is_some_and(|unseen| now - unseen.since > PROMPT)
    }

    /// Returns the release that a workload's pods run, as far as it is known: the template's, unless no
    /// controller has seen that.
    pub fn release<'a>(&'a self, workload: &'a Workload, cluster: &'a Cluster) -> Option<&'a Clean> {
        let Some(unseen) = self.unseen.get(&workload.meta.uid) else { return workload.release.as_ref() };
        let newest = || {
            cluster.revisions_of(&workload.meta.uid).first().and_then(|revision| revision.release.as_ref())
        };
        unseen.release.as_ref().or_else(newest)
    }

    /// Returns a Deployment's newest rollouts, oldest first, as far as they were seen.
    pub fn of(&self, deployment: &Uid) -> &[Rollout] {
        self.recent.get(deployment).map_or(&[], Vec::as_slice)
    }

    /// Returns the rollout that trouble since then followed.
    pub fn before(&self, deployment: &Uid, trouble: DateTime<Utc>) -> Option<&Rollout> {
        self.of(deployment).iter().rev().find(|rollout| rollout.at <= trouble)
    }

    /// Marks the rollout that trouble since then followed: nobody wants that back.
    pub fn blame(&mut self, deployment: &Uid, trouble: DateTime<Utc>) {
        let rollouts = self.recent.get_mut(deployment).into_iter().flatten();
        if let Some(cause) = rollouts.rev().find(|rollout| rollout.at <= trouble) {
            cause.bad = true;
        }
    }

    /// Whether a Deployment was written in a way that may begin a rollout of which no ReplicaSet is known
    /// yet.
    fn begins(&self, before: &Workload, now: &Workload) -> bool {
        let written = now.kind == Kind::Deployment
            && before.generation < now.generation
            && before.desired == now.desired;
        let known = self.deployed.get(&now.meta.uid).copied();
        written
            && known.is_some()
            && (now.revision > known || (now.revision == known && before.revision == now.revision))
    }

    fn forget(&mut self, deployment: &Uid) {
        self.unseen.remove(deployment);
        self.recent.remove(deployment);
        self.written.remove(deployment);
    }

    fn remember(&mut self, deployment: &Uid, rollout: Rollout) {
        let rollouts = self.recent.entry(deployment.clone()).or_default();
        rollouts.push(rollout);
        rollouts.drain(..rollouts.len().saturating_sub(KEPT));
    }

    fn follow(&mut self, at: DateTime<Utc>, before: Option<&Workload>, now: &Workload) {
        if now.observed >= now.generation {
            self.unseen.remove(&now.meta.uid);
        } else {
            let release = before
                .filter(|before| before.observed >= before.generation)
                .and_then(|before| before.release.clone());
            self.unseen.entry(now.meta.uid.clone()).or_insert(Unseen { since: at, release });
        }
    }

    /// The Deployment says who changed it last, once it knows of its newest revision.
    fn sign(&mut self, now: &Workload, timeline: &mut Timeline) {
        let uid = &now.meta.uid;
        if self.unsigned.contains_key(uid) && now.revision >= self.deployed.get(uid).copied() {
            let entry = self.unsigned.remove(uid).and_then(|id| timeline.get_mut(id));
            if let Some(entry) = entry {
                entry.text = format!("{}{}", entry.text, by(now.changed.as_ref(), entry.at)).into();
            }
        }
        let Some([older @ .., newest]) = self.recent.get_mut(uid).map(Vec::as_mut_slice) else { return };
        let decided = now
            .changed
            .as_ref()
            .filter(|changed| changed.subresource.is_none() && now.revision >= Some(newest.number));
        if let Some(changed) = decided.filter(|_| newest.by.is_none()) {
            newest.sign(changed, older.last().map(|before| before.at));
        }
    }

    /// A ReplicaSet with a number that its Deployment did not have: a rollout, or a rollback to an older
    /// template. What the first listing names happened before warroom looked: [`Self::history`] tells that.
    fn deployed(
        &mut self,
        at: DateTime<Utc>,
        revision: &Revision,
        cluster: &Cluster,
        timeline: &mut Timeline,
    ) {
        let Some(owner) =
            revision.owner.as_ref().filter(|_| cluster.is_listed(Kind::ReplicaSet, revision.meta.context()))
        else {
            return;
        };
        let known = self.deployed.insert(owner.uid.clone(), revision.number).unwrap_or(0);
        if revision.number <= known {
            self.deployed.insert(owner.uid.clone(), known);
        } else if revision.number > 1 {
            let written = self.written.remove(&owner.uid).filter(|written| at - *written <= NEAR);
            self.remember(&owner.uid, Rollout::new(revision.number, written.unwrap_or(at)));
            self.rolled_out(at, owner, revision, cluster, timeline);
        }
    }

    fn rolled_out(
        &mut self,
        at: DateTime<Utc>,
        owner: &Owner,
        revision: &Revision,
        cluster: &Cluster,
        timeline: &mut Timeline,
    ) {
        let subject = Subject { context: owner.uid.context(), name: owner.name.clone() };
        let id = timeline.add(at, EntryKind::Deploy, subject, rollout(revision, cluster, &owner.uid), None);
        timeline.about(id, &owner.uid);
        self.unsigned.insert(owner.uid.clone(), id);
        if let Some(workload) = cluster.workloads.get(&owner.uid) {
            self.sign(workload, timeline);
        }
    }

    /// Rollouts of the last hour, as far as the first listing shows them: a ReplicaSet that is younger than
    /// all with lower numbers was made by its rollout. An older one was taken up again by a rollback, at a
    /// time that nothing tells.
    fn history(&mut self, at: DateTime<Utc>, context: ContextId, cluster: &Cluster, timeline: &mut Timeline) {
        let here = cluster.revisions.values().filter(|r| r.meta.context() == context);
        let mut revisions: Vec<(&Owner, &Revision)> =
            here.filter_map(|r| Some((r.owner.as_ref()?, r))).collect();
        revisions.sort_by(|a, b| (&a.0.uid, a.1.number).cmp(&(&b.0.uid, b.1.number)));
        for of_one in revisions.chunk_by(|a, b| a.0.uid == b.0.uid) {
            let (Some((owner, _)), Some((_, newest))) = (of_one.first(), of_one.last()) else { continue };
            // they were told one by one
            let known = self.deployed.insert(owner.uid.clone(), newest.number).unwrap_or(0);
            for (_, now) in of_one.iter().filter(|(_, now)| now.number > known.max(1)) {
                let mut older = of_one.iter().filter(|(_, other)| other.number < now.number).peekable();
                let any = older.peek().is_some();
                let youngest = older.all(|(_, other)| other.meta.created < now.meta.created);
                if youngest {
                    self.remember(&owner.uid, Rollout::new(now.number, now.meta.created));
                } else if now.number == newest.number {
                    self.remember(&owner.uid, Rollout { found: true, ..Rollout::new(now.number, at) });
                }
                if any && youngest && at - now.meta.created < HISTORY {
                    self.rolled_out(now.meta.created, owner, now, cluster, timeline);
                }
            }
            if let Some(workload) = cluster.workloads.get(&owner.uid) {
                self.sign(workload, timeline);
            }
        }
    }
}

/// A workload that is heard of for the first time: it is new, or it was made or scaled within the hour.
fn found(at: DateTime<Utc>, now: &Workload, timeline: &mut Timeline) {
    if now.kind != Kind::Job && at - now.meta.created < HISTORY {
        let release = now.release.as_ref().map(|release| format!("  {release}")).unwrap_or_default();
        let text =
            format!("{} created{release}{}", now.kind.word(), by(now.changed.as_ref(), now.meta.created));
        together(now.meta.created.min(at), ChangeSort::Created, &now.meta, &text, timeline);
    }
    let scaled = now.changed.as_ref().filter(|changed| changed.subresource.as_deref() == Some("scale"));
    if let Some(scaled) = scaled.filter(|changed| at - changed.at < HISTORY) {
        let text = format!("scaled to {}  by {}", now.desired, scaled.manager);
        timeline.add_once(scaled.at.min(at), EntryKind::Deploy, &now.meta, text);
    }
}

/// A scaling; and of what has no ReplicaSets a new template. A DaemonSet's count follows the nodes, a Job's
/// is never changed.
fn changed(at: DateTime<Utc>, before: &Workload, now: &Workload, timeline: &mut Timeline) {
    let by = by(now.changed.as_ref(), at);
    let scales = matches!(now.kind, Kind::Deployment | Kind::StatefulSet);
    let set = matches!(now.kind, Kind::StatefulSet | Kind::DaemonSet);
    let text = if scales && before.desired != now.desired {
        format!("scaled {} → {}{by}", before.desired, now.desired)
    } else if set && before.generation < now.generation {
        match (&before.release, &now.release) {
            (Some(old), Some(new)) if old != new => format!("{old} → {new}{by}"),
            _ => format!("changed, generation {} → {}{by}", before.generation, now.generation),
        }
    } else {
        return;
    };
    timeline.add(at, EntryKind::Deploy, &now.meta, text, None);
}

/// `rev 6 → 7  v1.2.3 → v1.3.0`
fn rollout(revision: &Revision, cluster: &Cluster, deployment: &Uid) -> String {
    let older = cluster.revisions_of(deployment).into_iter().find(|r| r.number < revision.number);
    let release = |r: &Revision| r.release.as_ref().map(ToString::to_string).unwrap_or_default();
    match older {
        Some(older) if older.release != revision.release => {
            format!("rev {} → {}  {} → {}", older.number, revision.number, release(older), release(revision))
        }
        Some(older) if older.images != revision.images => {
            format!("rev {} → {}  {}", older.number, revision.number, images(revision))
        }
        Some(older) => format!("rev {} → {}", older.number, revision.number),
        None => format!("rev {}  {}", revision.number, release(revision)),
    }
}

fn images(revision: &Revision) -> String {
    revision.images.join(", ")
}
