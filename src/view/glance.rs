//! What a person must know before anything else: counts of what is wrong, and the worst of it in words. Read once a frame, for the header
//! and the tab strip.

use crate::event::{ContextId, Health, Kind, NamespacePhase, SourceId, SourceState};
use crate::state::{Severity, State, WorkloadRow};
use crate::theme::Role;
use crate::units;

use super::marks;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How bad it is.
    pub severity: Severity,
    /// `ocr-service CrashLoopBackOff`
    pub words: String,
}

/// All that is wrong, in short.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    /// Pods that are ready.
    pub ready: usize,
    /// Pods that should be: those that have not completed.
    pub pods: usize,
    /// Workloads that are broken.
    pub critical: usize,
    /// Workloads worth an eye.
    pub warn: usize,
    /// In words, the worst first.
    pub troubles: Vec<Trouble>,
    /// Whether anything was heard of the cluster.
    pub known: bool,
}

impl Glance {
    /// Looks over the rows of [`workload_rows`](crate::state::workload_rows) and the charts.
    pub fn new(state: &State, rows: &[WorkloadRow<'_>]) -> Self {
        let (ready, pods) = state.world.cluster.readiness();
        let mut glance = Self { ready, pods, known: state.world.cluster.is_listed(Kind::Pod, ContextId::MAIN), ..Self::default() };
        for row in rows.iter().filter(|row| row.severity > Severity::Ok) {
            *(if row.severity == Severity::Critical { &mut glance.critical } else { &mut glance.warn }) += 1;
            let reason = marks::reason(row.reason.as_deref().unwrap_or("not well"));
            glance.troubles.push(Trouble {
                severity: row.severity,
                words: format!("{} {reason}", state.world.place(row.meta().context(), row.name())),
            });
        }
        glance.troubles.extend(namespaces(state));
        glance.troubles.extend(services(state, rows).chain(nodes(state)).chain(groups(state, rows)));
        glance.troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.severity));
        glance
    }

    /// `✖ 2` and `▲ 1`: how many of each, where there are any.
    pub fn counts(&self) -> Vec<(Role, String)> {
        let count = |severity, n: usize| {
            let (mark, role) = marks::severity(severity);
            (n > 0).then(|| (role, format!("{mark} {n}")))
        };
        let [critical, warn] = [Severity::Critical, Severity::Warn].map(|s| self.troubles.iter().filter(|t| t.severity == s).count());
        [count(Severity::Critical, critical), count(Severity::Warn, warn)].into_iter().flatten().collect()
    }
}

/// Services that fail and that no workload's row tells of.
fn services<'a>(state: &'a State, rows: &'a [WorkloadRow<'_>]) -> impl Iterator<Item = Trouble> + 'a {
    let (rates, world) = (&state.world.rates, &state.world);
    let told = |name: &str| rows.iter().any(|row| row.workload.is_some_and(|w| w.service == *name && w.meta.context().is_main()));
    let failing =
        rates.services.keys().filter_map(move |name| Some((name, rates.ratio(name).filter(|ratio| *ratio > world.threshold(name))?)));
    failing.filter(move |(name, _)| !told(name)).map(|(name, ratio)| {
        let words = format!("{name} 5xx {}", units::percent(Some(ratio)));
        Trouble { severity: Severity::Critical, words }
    })
}

/// A namespace that is deleted leaves a pane that is empty, and calm.
fn namespaces(state: &State) -> impl Iterator<Item = Trouble> + '_ {
    let namespaces = state.world.lost_namespaces();
    namespaces.map(|(name, phase)| Trouble { severity: Severity::Critical, words: format!("namespace {name} {}", lost(phase)) })
}

/// What became of a namespace.
pub fn lost(phase: NamespacePhase) -> &'static str {
    match phase {
        NamespacePhase::Active => "is there",
        NamespacePhase::Terminating => "is being deleted",
        NamespacePhase::Gone => "is gone",
        NamespacePhase::Missing => "is not there",
    }
}

fn nodes(state: &State) -> impl Iterator<Item = Trouble> + '_ {
    let down = state.world.cluster.nodes.values().filter(|node| node.ready != Some(true));
    down.map(|node| Trouble {
        severity: Severity::Critical,
        words: format!("node {} not ready", state.world.place(node.meta.context(), &node.meta.name)),
    })
}

/// Groups that fall behind and that no workload's row tells of.
fn groups<'a>(state: &'a State, rows: &'a [WorkloadRow<'_>]) -> impl Iterator<Item = Trouble> + 'a {
    let told = move |name: &str| rows.iter().any(|row| row.workload.is_some_and(|w| w.meta.name == *name && w.meta.context().is_main()));
    let behind = state.world.lag.groups.values().filter(|group| group.in_trouble());
    behind.filter(move |group| !told(&group.now.group)).map(|group| {
        let words = format!("{} lag {}", group.now.group, units::count(group.lag()));
        Trouble { severity: group.severity(), words }
    })
}

/// `stale since 14:31:02`
pub fn since(health: &Health) -> String {
    match health.state {
        SourceState::Stale | SourceState::Down | SourceState::Blind => {
            format!("{} since {}", health.state.word(), health.since.format("%H:%M:%S"))
        }
        state => state.word().to_owned(),
    }
}

/// The same of a source that should speak and does not, with the places where it does not: `prod-us down since 14:31:02`.
pub fn silence(state: &State, source: SourceId) -> Option<String> {
    let health = state.world.sources.get(&source)?;
    let silent = matches!(health.state, SourceState::Stale | SourceState::Down | SourceState::Blind);
    silent.then(|| places(health).map_or_else(|| since(health), |places| format!("{places} {}", since(health))))
}

/// The contexts or namespaces in which a source is as bad as that, where it is heard in several.
pub fn places(health: &Health) -> Option<String> {
    let names: Vec<&str> = health.worst().map(|part| part.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What a source that shows nothing says of it.
pub fn told(state: &State, source: SourceId) -> Option<&str> {
    let health = state.world.sources.get(&source).filter(|health| health.state != SourceState::Live)?;
    health.error.as_deref()
}
