//! The rows of each list as the viewer sees them: filtered, in the order that holds while the cursor is among
//! them. Shared by the keys, which move over rows, and by the view, which draws them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::trouble::answered;
use crate::clean::Clean;
use crate::event::{Pod, Signal};
use crate::runbook::{Step, Suggestion, suggestions};
use crate::state::{
    Cluster, Focus, Frame, Group, ListView, Screen, Series, Severity, WorkloadRow, World, diagnose, explain,
};
use crate::units;

/// A row of the pods pane.
#[derive(Clone, Debug, PartialEq)]
pub enum PodLine<'a> {
    /// A workload, or a pod on its own.
    Workload(WorkloadRow<'a>),
    /// A pod of the workload above it.
    Pod(&'a Pod),
}

impl PodLine<'_> {
    /// Returns the identity that a selection holds on to.
    pub fn id(&self) -> &Clean {
        match self {
            Self::Workload(row) => row.uid().recorded(),
            Self::Pod(pod) => pod.meta.uid.recorded(),
        }
    }

    /// Returns the severity of the row.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Workload(row) => row.severity,
            Self::Pod(pod) => diagnose(pod).severity,
        }
    }
}

/// Returns the workloads, the worst first, with what the charts know of them: one whose requests fail, or
/// whose group falls behind, is not well although all its pods are.
pub fn workload_rows(world: &World) -> Vec<WorkloadRow<'_>> {
    let failing = world.failing();
    let behind: BTreeMap<&Clean, (Severity, i64)> = world
        .lag
        .groups
        .values()
        .filter_map(|group| Some((&group.now.group, (group.severity(), falling_behind(group)?))))
        .collect();
    let mut rows: Vec<WorkloadRow<'_>> = world.cluster.rows().collect();
    // Rates and lag are those of the main context.
    let main = |row: &WorkloadRow<'_>| row.meta().context().is_main();
    let ratio = |row: &WorkloadRow<'_>| failing.get(&row.workload?.service).filter(|_| main(row)).copied();
    for row in &mut rows {
        explain(world, row);
        let trouble = ratio(row)
            .map(|ratio| (Severity::Critical, format!("5xx {}", units::percent(Some(ratio)))))
            .or_else(|| {
                behind
                    .get(row.name())
                    .filter(|_| main(row))
                    .map(|(severity, lag)| (*severity, format!("lag {}", units::count(Some(*lag)))))
            });
        unsteady(world, row);
        if let Some((severity, reason)) =
            trouble.filter(|(severity, _)| row.workload.is_some() && *severity > row.severity)
        {
            let of_pods = row.reason.replace(reason.into());
            row.severity = severity;
            row.restarts_told &= of_pods.is_none();
            row.why = of_pods.or(row.why.take());
        }
        if let Some(answered) = row
            .workload
            .filter(|_| row.severity > Severity::Ok)
            .and_then(|workload| answered(world, workload))
        {
            row.why = Some(
                row.why.as_ref().map_or_else(|| answered.clone(), |why| format!("{answered} · {why}")).into(),
            );
        }
    }
    rows.sort_by_key(|row| (Reverse(row.severity), ratio(row).is_none()));
    rows
}

/// A row that was told to be broken and has not been well for long stays marked.
fn unsteady(world: &World, row: &mut WorkloadRow<'_>) {
    if row.severity > Severity::Ok {
        return;
    }
    if let Some(told) = world.detector.unsteady(row.uid()) {
        row.severity = Severity::Warn;
        row.reason = Some(told.clone());
        row.why = Some("ready again, but only just".into());
    }
}

/// The lag of a group that grows, or that nobody reads.
fn falling_behind(group: &Group) -> Option<i64> {
    group.in_trouble().then(|| group.lag()).flatten()
}

/// Returns the rows of the pods pane: workloads, the worst first; beneath each its pods that are in trouble,
/// or all of them when it is opened.
pub fn pod_lines<'a>(frame: &Frame<'a>) -> Vec<PodLine<'a>> {
    pod_lines_of(frame, workload_rows(frame.world))
}

/// Returns the same of rows at hand.
pub fn pod_lines_of<'a>(frame: &Frame<'a>, mut rows: Vec<WorkloadRow<'a>>) -> Vec<PodLine<'a>> {
    let screen = frame.screen;
    let filter = frame.screen.filter(Focus::Pods).to_lowercase();
    let cluster = &frame.world.cluster;
    rows.retain(|row| {
        (!screen.faults_only || row.severity > Severity::Ok) && matches(frame.world, row, &filter)
    });
    hold(&mut rows, screen.lists.get(&Focus::Pods), |row| row.uid().recorded());
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let pods = shown(cluster, &row, screen, &filter);
        lines.push(PodLine::Workload(row));
        lines.extend(pods.into_iter().map(PodLine::Pod));
    }
    lines
}

/// Pods that are shown beneath a workload that is not opened.
const PEEK: usize = 3;

/// All pods of what was opened; else those that the filter names, where it does not name the workload; else
/// those in trouble.
fn shown<'a>(cluster: &'a Cluster, row: &WorkloadRow<'a>, screen: &Screen, filter: &str) -> Vec<&'a Pod> {
    if row.workload.is_none() {
        return Vec::new();
    }
    if screen.opened.contains(row.uid()) {
        return cluster.pods_of(row);
    }
    if !filter.is_empty() && !row.name().to_lowercase().contains(filter) {
        let named: Vec<_> = cluster
            .pods_of(row)
            .into_iter()
            .filter(|pod| pod.meta.name.to_lowercase().contains(filter))
            .take(PEEK)
            .collect();
        if !named.is_empty() {
            return named;
        }
    }
    if row.severity == Severity::Ok {
        // none of its pods is in trouble: most rows of a big cluster are not looked at further
        return Vec::new();
    }
    cluster.troubled(row).into_iter().take(PEEK).map(|(pod, _)| pod).collect()
}

fn matches(world: &World, row: &WorkloadRow<'_>, filter: &str) -> bool {
    let cluster = &world.cluster;
    let has = |text: &str| text.to_lowercase().contains(filter);
    filter.is_empty()
        || has(row.name())
        || has(row.namespace())
        || world.label(row.meta().context()).is_some_and(|label| has(label))
        || row.reason.as_ref().is_some_and(|reason| has(reason))
        || cluster
            .pods_of(row)
            .iter()
            .any(|pod| has(&pod.meta.name) || pod.node.as_ref().is_some_and(|node| has(node)))
        || cluster.troubled(row).iter().any(|(_, diagnosis)| has(&diagnosis.status))
}

/// Keeps the rows in the order that the viewer began to move in; what came since then stands last.
fn hold<T>(rows: &mut [T], list: Option<&ListView>, id: impl Fn(&T) -> &Clean) {
    let Some(held) = list.map(|list| &list.held).filter(|held| !held.is_empty()) else { return };
    if rows.iter().map(&id).eq(held) {
        return; // as they mostly stand already: no order is worked out for every frame and key
    }
    let place: HashMap<&Clean, usize> = held.iter().enumerate().map(|(n, id)| (id, n)).collect();
    rows.sort_by_cached_key(|row| place.get(id(row)).copied().unwrap_or(usize::MAX));
}

/// Returns the services that match the filter and of which the charts have something to show, those that fail
/// most first; of those that fail alike the one that failed most in the time that is shown.
pub fn rate_lines<'a>(frame: &Frame<'a>) -> Vec<(&'a Clean, &'a Series)> {
    let rates = &frame.world.rates;
    let filter = frame.screen.filter(Focus::Rates).to_lowercase();
    let since = frame.now - frame.screen.span.length();
    let shown = |(name, series): &(&Clean, &Series)| {
        name.to_lowercase().contains(&filter) && (rates.now(name).is_some() || series.known_since(since))
    };
    // of a percent, as they are shown
    let tenths = |ratio: Option<f64>| (ratio.unwrap_or(-1.0) * 1_000.0).round();
    let failed = |(name, series): (&'_ Clean, &'_ Series)| {
        let most = series.dots(Signal::Errors, since, frame.now, 1).first().copied().flatten();
        [tenths(rates.ratio(name)), tenths(most)]
    };
    let mut rows: Vec<_> =
        rates.services.iter().filter(shown).map(|service| (failed(service), service)).collect();
    rows.sort_by(|([a, before_a], _), ([b, before_b], _)| b.total_cmp(a).then(before_b.total_cmp(before_a)));
    let mut rows: Vec<(&Clean, &Series)> = rows.into_iter().map(|(_, service)| service).collect();
    hold(&mut rows, frame.screen.lists.get(&Focus::Rates), |(name, _)| name);
    rows
}

/// Returns the consumer groups that match the filter, the worst first.
pub fn lag_lines<'a>(frame: &Frame<'a>) -> Vec<&'a Group> {
    let filter = frame.screen.filter(Focus::Lag).to_lowercase();
    let mut rows = frame.world.lag.rows();
    rows.retain(|group| group.now.group.to_lowercase().contains(&filter));
    hold(&mut rows, frame.screen.lists.get(&Focus::Lag), |group| &group.now.group);
    rows
}

/// A row of the steps pane.
#[derive(Clone, Debug, PartialEq)]
pub enum StepLine<'a> {
    /// A step with inputs that fit what is wrong now.
    Suggested(Suggestion),
    /// A step as the runbook has it.
    Plain(&'a Step),
}

/// Returns the rows of the steps pane: what fits now, then all.
pub fn step_lines<'a>(frame: &Frame<'a>) -> Vec<(Clean, StepLine<'a>)> {
    let suggested = suggestions(frame.world, frame.runbook)
        .into_iter()
        .map(|s| (format!("suggested {}", s.title).into(), StepLine::Suggested(s)));
    let offered = frame.runbook.offered(frame.world);
    suggested.chain(offered.map(|step| (step.id.clone(), StepLine::Plain(step)))).collect()
}

/// Returns the identities of the focused pane's rows, top to bottom.
pub fn row_ids(frame: &Frame<'_>) -> Vec<Clean> {
    frame.screen.focus.rows(frame)
}
