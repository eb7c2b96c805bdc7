//! What changed lately, and what broke after each change.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::event::Uid;
use crate::state::detect::changes::HISTORY;
use crate::state::{EntryKind, Frame, Run, TimelineEntry, World};

/// How long after a change a trouble may come of it.
const CONSEQUENCE: TimeDelta = TimeDelta::minutes(15);

/// A change, who made it from here, and the first trouble after it that may come of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changed<'a> {
    /// The change.
    pub entry: &'a TimelineEntry,
    /// Run that made it, where it was made from here.
    pub run: Option<&'a Run>,
    /// First thing that broke within a quarter of an hour: the same workload, or the same node and what ran
    /// on it.
    pub then: Option<&'a TimelineEntry>,
}

/// Returns what changed within the last hour, newest first.
pub fn changed<'a>(frame: &Frame<'a>) -> Vec<Changed<'a>> {
    let world = frame.world;
    let entries = frame.world.timeline.entries();
    let from = entries.partition_point(|entry| entry.at < frame.now - HISTORY);
    let nodes: BTreeSet<&Uid> = world.cluster.nodes.keys().collect();
    let changes = entries.iter().enumerate().skip(from).filter(|(_, entry)| match entry.kind {
        EntryKind::Deploy | EntryKind::Change | EntryKind::Applied => entry.cause.is_none(),
        EntryKind::Trouble | EntryKind::Recovery => {
            entry.about.as_ref().is_some_and(|uid| nodes.contains(uid))
        }
        _ => false,
    });
    let told = |(at, entry)| Changed {
        entry,
        run: world.runs.all().find(|run| entry.kind == EntryKind::Applied && entry.mark == Some(run.mark)),
        then: entries[at + 1..]
            .iter()
            .take_while(|later| later.at - entry.at < CONSEQUENCE)
            .find(|later| comes_of(world, entry, later)),
    };
    let mut found: Vec<Changed<'_>> = changes.map(told).collect();
    found.reverse();
    found
}

/// Whether a trouble may come of a change: it is of the workload that was changed, or of the node, or of a
/// workload with broken pods on it. Which workloads read a ConfigMap is not known.
fn comes_of(world: &World, change: &TimelineEntry, trouble: &TimelineEntry) -> bool {
    if !matches!(trouble.kind, EntryKind::Trouble | EntryKind::Alert)
        || trouble.context != change.context
        || change.subject.is_empty()
    {
        return false;
    }
    let cluster = &world.cluster;
    match change.kind {
        EntryKind::Deploy | EntryKind::Applied => {
            let here = cluster.workloads.values().filter(|w| w.meta.context() == change.context);
            let mut named = here.filter(|w| w.meta.name == change.subject);
            trouble.subject == change.subject || named.any(|w| trouble.subject == w.service)
        }
        _ => {
            let on_it = |uid: &Uid| {
                let row = cluster.row(uid);
                row.is_some_and(|row| {
                    cluster.troubled(&row).iter().any(|(pod, _)| pod.node.as_ref() == Some(&change.subject))
                })
            };
            let node = change.about.as_ref().is_some_and(|uid| cluster.nodes.contains_key(uid));
            node && trouble.id != change.id
                && (trouble.about == change.about || trouble.about.as_ref().is_some_and(on_it))
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::event::{ClusterEvent, Meta, Node, samples};
    use crate::state::State;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn meta(name: &str, created: i64) -> Meta {
        Meta { created: at(created), ..samples::meta(name) }
    }

    fn plain(name: &str, created: i64) -> Node {
        samples::node(meta(name, created))
    }

    #[test]
    fn a_change_is_blamed_for_trouble_of_its_own_alone() {
        let mut state = State::new(at(60), std::sync::Arc::new(crate::runbook::embedded().unwrap()));
        state.world.cluster.fold(&ClusterEvent::Nodes(vec![plain("n1", 0), plain("n2", 0)]));
        let timeline = &mut state.world.timeline;
        timeline.add(at(1), EntryKind::Deploy, "app", "rev 1 → 2", None);
        timeline.add(at(2), EntryKind::Change, "app", "config map changed", None);
        for (second, node) in [(3, "n1"), (4, "n2")] {
            let id = timeline.add(at(second), EntryKind::Change, node, "node cordoned", None);
            timeline.about(id, &node.into());
        }
        timeline.add(at(10), EntryKind::Trouble, "hungry", "rolling out", None);
        timeline.add(at(20), EntryKind::Trouble, "app", "CrashLoopBackOff", None);
        let id = timeline.add(at(30), EntryKind::Trouble, "n2", "node not ready", None);
        timeline.about(id, &"n2".into());
        let blamed: Vec<_> = changed(&state.frame())
            .iter()
            .map(|change| (change.entry.text.clone(), change.then.map(|then| then.at)))
            .collect();
        let expected = [
            ("node not ready", None),
            ("node cordoned", Some(at(30))),
            ("node cordoned", None),
            ("config map changed", None),
            ("rev 1 → 2", Some(at(20))),
        ];
        assert_eq!(blamed, expected.map(|(text, then)| (text.into(), then)));
    }
}
