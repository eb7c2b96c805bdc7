//! Since when a workload is in trouble, which rollout the trouble followed, and which came after it:
//! somebody's answer.

use chrono::{DateTime, TimeDelta, Utc};

use crate::clean::Clean;
use crate::event::{Revision, Signal, Workload};
use crate::state::{Rollout, World};
use crate::units;

/// Time that an answer to a trouble has to work before it may be doubted.
pub(in crate::state) const ANSWER: TimeDelta = TimeDelta::minutes(3);

/// Returns when the trouble of a workload began: the first moment that it was seen broken, or the first
/// sample of its failing requests above the threshold, whichever is earlier. `None` while it is in none.
pub fn troubled_since(world: &World, workload: &Workload) -> Option<DateTime<Utc>> {
    let broken = world.detector.broken_since(&workload.meta.uid);
    broken.into_iter().chain(world.failing_since(workload)).min()
}

/// Returns the newest rollout of a workload, where it began after the workload's trouble: somebody's answer
/// to it. It stands for three minutes and while it is under way.
pub fn answer<'a>(world: &'a World, workload: &Workload) -> Option<&'a Rollout> {
    let since = troubled_since(world, workload)?;
    let newest = world.rollouts(&workload.meta.uid).last()?;
    (newest.at > since && (world.at - newest.at < ANSWER || workload.is_rolling_out())).then_some(newest)
}

/// Says an answer, first what no narrow row may cut off: `12 s ago: kubectl-edit rolled out rev 8 (v1.2.4)`.
pub(in crate::state) fn answered(world: &World, workload: &Workload) -> Option<String> {
    let rollout = answer(world, workload)?;
    let revisions = world.cluster.revisions_of(&workload.meta.uid);
    let release = revisions
        .into_iter()
        .find(|revision| revision.number == rollout.number)
        .and_then(|revision| revision.release.as_ref());
    let release = release.map(|release| format!(" ({release})")).unwrap_or_default();
    let who = rollout.by.as_ref().map_or("somebody", Clean::as_str);
    let ago = units::seconds((world.at - rollout.at).as_seconds_f64());
    Some(format!("{ago} ago: {who} rolled out rev {}{release}", rollout.number))
}

/// A way back to before a trouble.
pub(in crate::state) struct Back {
    /// Time when the rollout began that the trouble followed.
    pub cause: DateTime<Utc>,
    /// Number of the revision to go back to; `None` where that is simply the one before the current.
    pub revision: Option<u64>,
}

/// Whether requests failed in the minute before a revision was replaced: whoever did that wants it back no
/// more than who saw it.
fn was_left_failing(world: &World, workload: &Workload, revision: &Revision) -> bool {
    let service = &workload.service;
    let threshold = world.threshold(&workload.service);
    let series = world.rates.services.get(service).filter(|_| workload.meta.context().is_main());
    let next = world.rollouts(&workload.meta.uid).iter().find(|rollout| rollout.number > revision.number);
    let Some((next, series)) = next.zip(series) else { return false };
    let before = series.dots(Signal::Errors, next.at - TimeDelta::minutes(1), next.at, 12);
    before.into_iter().flatten().any(|ratio| ratio > threshold)
}

/// Returns the newest revision of before the rollout that the trouble followed. Never one that ran while the
/// trouble was there, nor one that trouble followed before.
pub(in crate::state) fn back(world: &World, workload: &Workload, since: DateTime<Utc>) -> Option<Back> {
    let rollouts = &world.detector.rollouts;
    let uid = &workload.meta.uid;
    let cause = rollouts.before(uid, since)?;
    let newest = rollouts.of(uid).last()?;
    let blamed = |revision: &Revision| {
        rollouts.of(uid).iter().any(|rollout| rollout.number == revision.number && rollout.bad)
    };
    let bad = |revision: &Revision| blamed(revision) || was_left_failing(world, workload, revision);
    let revisions = world.cluster.revisions_of(uid);
    let target = revisions.iter().find(|revision| revision.number < cause.number && !bad(revision))?;
    let plain = cause.number == newest.number
        && revisions.get(1).is_some_and(|second| second.number == target.number);
    Some(Back { cause: cause.at, revision: (!plain).then_some(target.number) })
}
