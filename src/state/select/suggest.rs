//! When steps fit what is wrong now: deterministic rules, each over what the panes show. The kinds of step
//! offer by them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::trouble::{ANSWER, Back, answer, back, troubled_since};
use crate::clean::redact::split_env;
use crate::event::{Kind, StepCall, Typed, Uid, Workload};
use crate::state::world::cluster::{ROLLING_OUT, SortKey};
use crate::state::{GroupState, Run, Severity, WorkloadRow, World};
use crate::step::{Flag, Suggested};
use crate::units;

/// How long after a rollout failing requests are taken to come of it.
const RECENT: TimeDelta = TimeDelta::minutes(30);

/// Suggests rollbacks: Deployments that are broken, or whose requests fail since a rollout, and that have a
/// revision from before it. What was changed from here is left alone until it is verified, and for a while
/// after; what somebody rolled out against the trouble as well.
pub fn rollbacks(world: &World) -> Vec<Suggested> {
    let suspects = suspects(world);
    let rows = world.cluster.rows_where(|key| suspects.contains(key.uid()));
    let mut found: Vec<(Back, &Workload, String)> = rows.filter_map(|row| rollback(world, &row)).collect();
    found.sort_by_key(|(back, ..)| Reverse(back.cause));
    let offer = |(back, workload, because): (Back, &Workload, String)| {
        let mut inputs = vec![("deployment", world.called(&workload.meta).to_string())];
        inputs.extend(back.revision.map(|number| ("revision", number.to_string())));
        let to = back.revision.map(|number| format!(" to rev {number}")).unwrap_or_default();
        let title = format!("roll back {}{to}", workload.meta.name);
        Suggested { context: workload.meta.context(), inputs, title, because, rank: 1 }
    };
    found.into_iter().map(offer).collect()
}

/// Rows that were seen broken, or whose requests fail: few, where rows are many and this is asked for every
/// frame.
fn suspects(world: &World) -> BTreeSet<&Uid> {
    let failing = world.failing();
    let all = world.cluster.workloads.values().filter(|_| !failing.is_empty());
    let fails = all.filter(|workload| failing.contains_key(&workload.service));
    world.detector.suspects().chain(fails.map(|workload| &workload.meta.uid)).collect()
}

fn rollback<'a>(world: &World, row: &WorkloadRow<'a>) -> Option<(Back, &'a Workload, String)> {
    let workload = row
        .workload
        .filter(|workload| workload.kind == Kind::Deployment && workload.observed >= workload.generation)?;
    let broken = broken(world, row);
    let because = match (&broken, failing(world, workload)) {
        (Some(reason), _) => reason.clone(),
        (None, Some(ratio)) => format!("{:.1} % of its requests fail", ratio * 100.0),
        (None, None) => return None,
    };
    let since = troubled_since(world, workload)?;
    if answer(world, workload).is_some() || changed_from_here(world, workload) {
        return None;
    }
    let back = back(world, workload, since)?;
    (broken.is_some() || since - back.cause < RECENT).then_some((back, workload, because))
}

/// Why the row is broken. A crash loop runs for a moment again and again: what it was told to be holds until
/// it has been well for a while. That pods only start says nothing against a rollout that is young.
fn broken(world: &World, row: &WorkloadRow<'_>) -> Option<String> {
    let young = world.rollouts(row.uid()).last().is_some_and(|newest| world.at - newest.at < ANSWER);
    let starts = |reason: &str| matches!(reason, ROLLING_OUT | "ContainerCreating" | "PodInitializing");
    let seen = row.reason.as_ref().filter(|_| row.severity == Severity::Critical);
    let mut reasons = [seen, world.detector.unsteady(row.uid())].into_iter().flatten();
    reasons.find(|reason| !(young && starts(reason))).map(ToString::to_string)
}

/// The share of a workload's requests that fails, where that is more than may.
fn failing(world: &World, workload: &Workload) -> Option<f64> {
    let ratio = world.rates.ratio(&workload.service).filter(|_| workload.meta.context().is_main())?;
    (ratio > world.threshold(&workload.service)).then_some(ratio)
}

/// Whether a change from here is still on its way, or so young that what is seen may come of it.
fn changed_from_here(world: &World, workload: &Workload) -> bool {
    let young = |run: &Run| !run.settled() || world.at - run.at < ANSWER;
    world.runs.all().filter(|run| is(world, run, workload) && !run.undone()).any(young)
}

/// Whether a run is aimed at this workload.
fn is(world: &World, run: &Run, workload: &Workload) -> bool {
    let target = &run.intent.target;
    *target.uid == *workload.meta.uid.id() && world.context_of(target) == workload.meta.context()
}

/// Suggests more replicas: Deployments named as a group that grows.
pub fn lagging(world: &World) -> Vec<Suggested> {
    let growing =
        world.lag.groups.values().filter(|group| group.state() == GroupState::Warn || group.growing());
    let found = growing.filter_map(|group| {
        let named = |w: &&Workload| {
            w.kind == Kind::Deployment
                && w.meta.name == group.now.group
                && w.meta.context().is_main()
                && w.desired < 10
        };
        let because = format!("its lag grows by {:.0}/s", group.growth()?);
        world.cluster.workloads.values().find(named).map(|w| (w, because))
    });
    let offer = |(workload, because): (&Workload, String)| Suggested {
        context: workload.meta.context(),
        inputs: vec![("deployment", world.called(&workload.meta).to_string()), ("replicas", "10".to_owned())],
        title: format!("scale {} {} → 10", workload.meta.name, workload.desired),
        because,
        rank: 0,
    };
    found.map(offer).collect()
}

/// Suggests feature flags: those that are known for what fails and that were not set from here: above all
/// else, and whatever is being rolled out.
pub fn flags(world: &World, flags: &[Flag]) -> Vec<Suggested> {
    let mut found = Vec::new();
    // Asked for every frame: of most rows of a big cluster no flag is known.
    let known = |key: &SortKey| flags.iter().any(|flag| flag.dependency == *key.name());
    for row in world.cluster.rows_where(known) {
        let (Some(dependency), Some(because)) = (row.workload, unwell(world, &row)) else { continue };
        for flag in flags.iter().filter(|flag| flag.dependency == dependency.meta.name) {
            let of = |w: &&Workload| {
                w.kind == Kind::Deployment && w.meta.name == flag.deployment && near(w, dependency)
            };
            let Some(workload) =
                world.cluster.workloads.values().find(of).filter(|w| !is_set(world, w, flag))
            else {
                continue;
            };
            let several = flags.iter().filter(|other| other.env == flag.env).count() > 1;
            let on = if several { format!(" on {}", workload.meta.name) } else { String::new() };
            found.push(Suggested {
                context: workload.meta.context(),
                inputs: vec![
                    ("deployment", world.called(&workload.meta).to_string()),
                    ("env", flag.env.to_string()),
                ],
                title: format!("set {}{on}", flag.env),
                because: because.clone(),
                rank: 2,
            });
        }
    }
    found
}

/// Whether two workloads are in the same namespace of the same cluster.
fn near(one: &Workload, other: &Workload) -> bool {
    one.meta.context() == other.meta.context() && one.meta.namespace == other.meta.namespace
}

/// What is wrong with a dependency: `ai-service 0/1 ready`, `ocr-service 0/1 ready: CrashLoopBackOff`,
/// `ai-service 5xx 24.8 %`.
fn unwell(world: &World, row: &WorkloadRow<'_>) -> Option<String> {
    let workload = row.workload?;
    let name = &workload.meta.name;
    let ready = format!("{}/{} ready", workload.ready, workload.desired);
    let critical = row.reason.as_ref().filter(|_| row.severity == Severity::Critical);
    match (critical.or_else(|| world.detector.unsteady(row.uid())), failing(world, workload)) {
        (Some(reason), _) if workload.short() && matches!(reason.as_str(), "not ready" | ROLLING_OUT) => {
            Some(format!("{name} {ready}"))
        }
        (Some(reason), _) => Some(format!("{name} {ready}: {reason}")),
        (None, Some(ratio)) => Some(format!("{name} 5xx {}", units::percent(Some(ratio)))),
        (None, None) => None,
    }
}

/// Whether the newest change from here that is about the flag's variables sets them so, and was not taken
/// back, nor the template with it.
fn is_set(world: &World, workload: &Workload, flag: &Flag) -> bool {
    let wanted = split_env(Typed::env(&flag.env).shown());
    let made = |run: &&Run| is(world, run, workload) && (run.applied.is_some() || !run.settled());
    let of_it = |run: &&Run| {
        is_rollback(&run.intent.call)
            || variables(&run.intent.call).iter().any(|one| named_alike(one, &wanted))
    };
    let newest = world.runs.all().rev().filter(made).find(of_it);
    newest.is_some_and(|run| wanted.iter().all(|one| variables(&run.intent.call).contains(one)))
}

/// Whether a call asks for nothing but a Deployment and a revision: a rollback brings another template,
/// whatever was set in the one before.
fn is_rollback(call: &StepCall) -> bool {
    call.inputs.keys().all(|name| matches!(name.as_str(), "deployment" | "revision" | StepCall::CONTEXT))
}

/// The variables that a call sets or takes away, as they are recorded: each value as a digest.
fn variables(call: &StepCall) -> Vec<String> {
    call.inputs.get("env").map(|env| split_env(env.shown())).unwrap_or_default()
}

fn named_alike(variable: &str, others: &[String]) -> bool {
    let name = |variable: &str| {
        variable.split_once('=').map_or(variable.trim_end_matches('-'), |(name, _)| name).to_owned()
    };
    others.iter().any(|other| name(other) == name(variable))
}
