//! What a person must know before anything else: counts of what is wrong, and the worst of it in words. Read
//! once a frame, for the header and the tab strip.

use std::collections::BTreeMap;

use crate::clean::Clean;
use crate::event::{Kind, NamespacePhase, Session, SourceHealth, SourceId, SourceState};
use crate::state::{Frame, Severity, WorkloadRow};
use crate::theme::Role;
use crate::units;

use super::primitives::symbols;

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
pub struct Summary {
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
    /// Sources that cannot be read, so that nobody knows whether all is well: `k8s blind: nodes`,
    /// `kafka not read since 14:02`.
    pub unheard: Vec<String>,
}

impl Summary {
    /// Looks over the rows of [`workload_rows`](crate::state::workload_rows) and the charts.
    pub fn new(frame: &Frame<'_>, rows: &[WorkloadRow<'_>]) -> Self {
        let (ready, pods) = frame.world.cluster.readiness();
        let mut summary =
            Self { ready, pods, known: known(frame), unheard: unheard(frame), ..Self::default() };
        for row in rows.iter().filter(|row| row.severity > Severity::Ok) {
            *(if row.severity == Severity::Critical { &mut summary.critical } else { &mut summary.warn }) +=
                1;
            let reason = symbols::reason(row.reason.as_deref().unwrap_or("unhealthy"));
            summary.troubles.push(Trouble {
                severity: row.severity,
                words: format!("{} {reason}", frame.world.place(row.meta().context(), row.name())),
            });
        }
        summary.troubles.extend(namespaces(frame));
        summary.troubles.extend(services(frame, rows).chain(nodes(frame)).chain(groups(frame, rows)));
        summary.troubles.extend(alerts(frame, rows));
        summary.troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.severity));
        summary
    }

    /// Whether all is well, and known to be.
    pub fn calm(&self) -> bool {
        self.known && self.troubles.is_empty() && self.unheard.is_empty()
    }

    /// `✖ 2` and `▲ 1`: how many of each, where there are any.
    pub fn counts(&self) -> Vec<(Role, String)> {
        let count = |severity, n: usize| {
            let (mark, role) = symbols::severity(severity);
            (n > 0).then(|| (role, format!("{mark} {n}")))
        };
        let [critical, warn] = [Severity::Critical, Severity::Warn]
            .map(|s| self.troubles.iter().filter(|t| t.severity == s).count());
        [count(Severity::Critical, critical), count(Severity::Warn, warn)].into_iter().flatten().collect()
    }
}

/// Whether the pods of any context were heard of.
fn known(frame: &Frame<'_>) -> bool {
    let cluster = &frame.world.cluster;
    let listed = |session: &Session| session.contexts.iter().any(|one| cluster.is_listed(Kind::Pod, one.id));
    frame.world.session.as_ref().is_some_and(listed)
}

fn unheard(frame: &Frame<'_>) -> Vec<String> {
    let silent = |id: SourceId| {
        let health = frame.world.sources.get(&id)?;
        (!matches!(health.state, SourceState::Live | SourceState::Off)).then_some(health)
    };
    let watches: Vec<&SourceHealth> = SourceId::critical_watches().filter_map(silent).collect();
    let worst = watches.iter().map(|health| health.state).max_by_key(|state| state.badness());
    let names: Vec<&str> = watches
        .iter()
        .filter(|health| Some(health.state) == worst)
        .map(|health| health.source.name())
        .collect();
    let cluster = worst.map(|state| match names.len() {
        n if n == SourceId::critical_watches().count() => format!("k8s {}", state.word()),
        _ => format!("k8s {}: {}", state.word(), names.join(", ")),
    });
    let others = SourceId::header_items().into_iter().filter_map(|(id, name)| {
        let health = silent(id)?;
        Some(match health.state {
            SourceState::Stale => format!("{name} not read since {}", health.since.format("%H:%M")),
            state => format!("{name} {}", state.word()),
        })
    });
    cluster.into_iter().chain(others).collect()
}

/// Alerts that call for a person and that no row tells of, by name.
fn alerts(frame: &Frame<'_>, rows: &[WorkloadRow<'_>]) -> Vec<Trouble> {
    let mut ill: BTreeMap<&Clean, Severity> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.severity > Severity::Ok && row.meta().context().is_main()) {
        for name in [row.name()].into_iter().chain(row.workload.map(|w| &w.service)) {
            let worst = ill.entry(name).or_insert(row.severity);
            *worst = row.severity.max(*worst);
        }
    }
    let told = |about: Option<&Clean>, urgency: Severity| {
        about.and_then(|about| ill.get(about)).is_some_and(|worst| *worst >= urgency)
    };
    let mut names: BTreeMap<&Clean, (Severity, usize, Option<&Clean>)> = BTreeMap::new();
    for (alert, urgency) in
        frame.world.alerts.urgent().filter(|(alert, urgency)| !told(alert.about(), *urgency))
    {
        let (worst, count, _) = names.entry(&alert.name).or_insert((urgency, 0, alert.about()));
        *worst = urgency.max(*worst);
        *count += 1;
    }
    let words = |name: &Clean, count: usize, about: Option<&Clean>| match (count, about) {
        (1, Some(about)) => format!("{name} firing for {about}"),
        (1, None) => format!("{name} firing"),
        (count, _) => format!("{name} firing ×{count}"),
    };
    names
        .into_iter()
        .map(|(name, (severity, count, about))| Trouble { severity, words: words(name, count, about) })
        .collect()
}

/// Services that fail and that no workload's row tells of.
fn services<'a>(frame: &Frame<'a>, rows: &'a [WorkloadRow<'a>]) -> impl Iterator<Item = Trouble> + 'a {
    let world = frame.world;
    let rates = &world.rates;
    let told = |name: &str| {
        rows.iter().any(|row| row.workload.is_some_and(|w| w.service == *name && w.meta.context().is_main()))
    };
    let failing = rates.services.keys().filter_map(move |name| {
        Some((name, rates.ratio(name).filter(|ratio| *ratio > world.threshold(name))?))
    });
    failing.filter(move |(name, _)| !told(name)).map(|(name, ratio)| {
        let words = format!("{name} 5xx {}", units::percent(Some(ratio)));
        Trouble { severity: Severity::Critical, words }
    })
}

/// A namespace that is deleted leaves a pane that is empty, and calm.
fn namespaces<'a>(frame: &Frame<'a>) -> impl Iterator<Item = Trouble> + 'a {
    let namespaces = frame.world.lost_namespaces();
    namespaces.map(|(name, phase)| Trouble {
        severity: Severity::Critical,
        words: format!("namespace {name} {}", lost(phase)),
    })
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

fn nodes<'a>(frame: &Frame<'a>) -> impl Iterator<Item = Trouble> + 'a {
    let down = frame.world.cluster.nodes.values().filter(|node| node.ready != Some(true));
    down.map(|node| Trouble {
        severity: Severity::Critical,
        words: format!("node {} not ready", frame.world.place(node.meta.context(), &node.meta.name)),
    })
}

/// Groups that fall behind and that no workload's row tells of.
fn groups<'a>(frame: &Frame<'a>, rows: &'a [WorkloadRow<'_>]) -> impl Iterator<Item = Trouble> + 'a {
    let told = move |name: &str| {
        rows.iter()
            .any(|row| row.workload.is_some_and(|w| w.meta.name == *name && w.meta.context().is_main()))
    };
    let behind = frame.world.lag.groups.values().filter(|group| group.in_trouble());
    behind.filter(move |group| !told(&group.now.group)).map(|group| {
        let words = format!("{} lag {}", group.now.group, units::count(group.lag()));
        Trouble { severity: group.severity(), words }
    })
}

/// `stale since 14:31:02`
pub fn since(health: &SourceHealth) -> String {
    match health.state {
        SourceState::Stale | SourceState::Down | SourceState::Blind => {
            format!("{} since {}", health.state.word(), health.since.format("%H:%M:%S"))
        }
        state => state.word().to_owned(),
    }
}

/// The same of a source that should speak and does not, with the places where it does not:
/// `prod-us down since 14:31:02`.
pub fn silence(frame: &Frame<'_>, source: SourceId) -> Option<String> {
    let health = frame.world.sources.get(&source)?;
    let silent = matches!(health.state, SourceState::Stale | SourceState::Down | SourceState::Blind);
    silent
        .then(|| places(health).map_or_else(|| since(health), |places| format!("{places} {}", since(health))))
}

/// The contexts or namespaces in which a source is as bad as that, where it is heard in several.
pub fn places(health: &SourceHealth) -> Option<String> {
    let names: Vec<&str> = health.worst().map(|part| part.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What a source that shows nothing says of it.
pub fn told<'a>(frame: &Frame<'a>, source: SourceId) -> Option<&'a str> {
    let health = frame.world.sources.get(&source).filter(|health| health.state != SourceState::Live)?;
    health.error.as_deref()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;

    use super::*;
    use crate::event::{Alert, ClusterEvent, Event, Mode, Record, Session};
    use crate::state::State;
    use crate::state::workload_rows;

    fn session() -> Session {
        serde_json::from_value(serde_json::json!({
            "mode": Mode::Live, "context": "c", "cluster": "https://c", "namespaces": [], "actor": "a", "read_only": false,
            "arm_minutes": 15, "threshold": 0.05, "version": "1",
        }))
        .unwrap()
    }

    fn alert(name: &str, severity: &str, state: &str, fingerprint: &str) -> Alert {
        let labels = [("alertname", name), ("severity", severity), ("service", "kafka")];
        let labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let fingerprint = fingerprint.into();
        let name = name.into();
        let state = state.into();
        Alert { fingerprint, name, labels, state, since: DateTime::UNIX_EPOCH, ..Alert::default() }
    }

    /// What is seen at a glance after these events on a cluster whose pods were listed.
    fn summary(events: Vec<Event>) -> Summary {
        let mut state = State::new(DateTime::UNIX_EPOCH, Arc::new(crate::runbook::embedded().unwrap()));
        let listed = [ClusterEvent::Listing(Kind::Pod.into()), ClusterEvent::Listed(Kind::Pod.into())]
            .map(Event::Cluster);
        let all = [Event::Started(session())].into_iter().chain(listed).chain(events);
        for (seq, event) in (1..).zip(all) {
            state.world.fold(&Record { seq, at: DateTime::UNIX_EPOCH, event });
        }
        Summary::new(&state.frame(), &workload_rows(&state.world))
    }

    fn heard(source: SourceId, state: SourceState) -> Event {
        Event::Health(SourceHealth {
            source,
            state,
            since: DateTime::UNIX_EPOCH,
            error: None,
            parts: Vec::new(),
        })
    }

    #[test]
    fn alerts_that_call_for_a_person_are_trouble_and_those_that_inform_are_not() {
        let told = |alerts: Vec<Alert>| -> Vec<(Severity, String)> {
            summary(vec![Event::Alerts(alerts)])
                .troubles
                .into_iter()
                .map(|trouble| (trouble.severity, trouble.words))
                .collect()
        };
        let quiet = vec![
            alert("Watchdog", "none", "active", "1"),
            alert("Info", "info", "active", "2"),
            alert("X", "critical", "suppressed", "3"),
        ];
        assert_eq!(told(quiet), []);
        let firing = vec![
            alert("TestDown", "warning", "active", "1"),
            alert("TestDown", "warning", "active", "2"),
            alert("KafkaSlow", "critical", "active", "3"),
        ];
        assert_eq!(
            told(firing),
            [
                (Severity::Critical, "KafkaSlow firing for kafka".into()),
                (Severity::Warn, "TestDown firing ×2".into())
            ]
        );
    }

    #[test]
    fn nothing_is_called_well_that_is_not_heard() {
        assert!(
            summary(vec![
                heard(SourceId::Prometheus, SourceState::Off),
                heard(SourceId::Pods, SourceState::Live)
            ])
            .calm()
        );
        let blind = summary(vec![
            heard(SourceId::Nodes, SourceState::Blind),
            heard(SourceId::StatefulSets, SourceState::Blind),
            heard(SourceId::Prometheus, SourceState::Down),
            heard(SourceId::Kafka, SourceState::Stale),
        ]);
        assert_eq!(
            (blind.calm(), blind.unheard),
            (
                false,
                vec![
                    "k8s blind: statefulsets, nodes".into(),
                    "prom down".into(),
                    "kafka not read since 00:00".into()
                ]
            )
        );
        assert_eq!(summary(vec![heard(SourceId::Pods, SourceState::Down)]).unheard, ["k8s down: pods"]);
    }
}
