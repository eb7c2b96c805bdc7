//! What changed in the cluster and who changed it, as entries of the timeline; and the view back over them: what changed lately, and
//! what broke after each change.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Cluster, Entry, EntryKind, State, Timeline};
use crate::event::{ClusterEvent, ConfigMap, Kind, LastChange, Node, Uid, Workload};

/// How far back a change is told when warroom starts, and how far the view back reaches.
pub const HISTORY: TimeDelta = TimeDelta::hours(1);

/// How long after a change a trouble may come of it.
const CONSEQUENCE: TimeDelta = TimeDelta::minutes(15);

/// How far a change and the object that it made may lie apart: controllers take their time.
const NEAR: TimeDelta = TimeDelta::seconds(60);

/// ` by helm`, where whoever changed the object last did so at about this time.
pub fn by(changed: Option<&LastChange>, at: DateTime<Utc>) -> String {
    let near = changed.filter(|changed| (changed.at - at).abs() <= NEAR);
    near.map(|changed| format!("  by {}", changed.manager)).unwrap_or_default()
}

/// Tells what an event changes that the cluster has not taken in yet: ConfigMaps, nodes, and scalings of the past hour.
pub fn tell(at: DateTime<Utc>, cluster: &Cluster, event: &ClusterEvent, timeline: &mut Timeline) {
    match event {
        ClusterEvent::ConfigMaps(all) => {
            let mut known: BTreeMap<&Uid, &ConfigMap> = BTreeMap::new();
            for now in all {
                let before = known.insert(&now.meta.uid, now).or_else(|| cluster.config_maps.get(&now.meta.uid));
                config_map(at, before, now, timeline);
            }
        }
        ClusterEvent::Nodes(all) => {
            let mut known: BTreeMap<&Uid, &Node> = BTreeMap::new();
            for now in all {
                let before = known.insert(&now.meta.uid, now).or_else(|| cluster.nodes.get(&now.meta.uid));
                node(at, before, now, timeline);
            }
        }
        ClusterEvent::Workloads(all) => all.iter().for_each(|now| scaled_before(at, cluster, now, timeline)),
        ClusterEvent::Gone(Kind::ConfigMap, uids) | ClusterEvent::Missed(Kind::ConfigMap, uids) => {
            let gone = uids.iter().filter_map(|uid| cluster.config_maps.get(uid)).filter(|map| map.changed.is_some());
            for map in gone {
                timeline.add(at, EntryKind::Change, &map.meta, "config map deleted", None);
            }
        }
        ClusterEvent::Gone(Kind::Node, uids) | ClusterEvent::Missed(Kind::Node, uids) => {
            let gone = uids.iter().filter_map(|uid| cluster.nodes.get(uid));
            for node in gone {
                timeline.add(at, EntryKind::Change, &node.meta, "node left", None);
            }
        }
        _ => {}
    }
}

/// A ConfigMap that somebody wrote, and not a controller.
fn config_map(at: DateTime<Utc>, before: Option<&ConfigMap>, now: &ConfigMap, timeline: &mut Timeline) {
    let Some(changed) = now.changed.as_ref().filter(|changed| at - changed.at < HISTORY) else { return };
    if before.and_then(|before| before.changed.as_ref()).is_some_and(|before| before.at >= changed.at) {
        return;
    }
    let what = if (changed.at - now.meta.created).abs() <= TimeDelta::seconds(1) { "created" } else { "changed" };
    let text = format!("config map {what}  by {}", changed.manager);
    timeline.add_once(changed.at.min(at), EntryKind::Change, &now.meta, text);
}

fn node(at: DateTime<Utc>, before: Option<&Node>, now: &Node, timeline: &mut Timeline) {
    match before {
        None if at - now.meta.created < HISTORY => timeline.add_once(now.meta.created.min(at), EntryKind::Change, &now.meta, "node joined"),
        Some(before) if before.cordoned != now.cordoned => {
            let what = if now.cordoned { "node cordoned" } else { "node uncordoned" };
            timeline.add(at, EntryKind::Change, &now.meta, format!("{what}{}", by(now.changed.as_ref(), at)), None);
        }
        _ => {}
    }
}

/// A workload that is heard of for the first time, and that was scaled within the hour.
fn scaled_before(at: DateTime<Utc>, cluster: &Cluster, now: &Workload, timeline: &mut Timeline) {
    let scaled = now.changed.as_ref().filter(|changed| changed.subresource.as_deref() == Some("scale"));
    let Some(scaled) = scaled.filter(|changed| at - changed.at < HISTORY && !cluster.workloads.contains_key(&now.meta.uid)) else { return };
    let text = format!("scaled to {}  by {}", now.desired, scaled.manager);
    timeline.add_once(scaled.at.min(at), EntryKind::Deploy, &now.meta, text);
}

/// A change, and the first trouble after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changed<'a> {
    /// The change.
    pub entry: &'a Entry,
    /// The first thing that broke within a quarter of an hour.
    pub then: Option<&'a Entry>,
}

/// What changed within the last hour, newest first.
pub fn changed(state: &State) -> Vec<Changed<'_>> {
    let entries = state.world.timeline.entries();
    let from = entries.partition_point(|entry| entry.at < state.now - HISTORY);
    let nodes = &state.world.cluster.nodes;
    let is_node = |entry: &Entry| nodes.values().any(|node| node.meta.name == entry.subject && node.meta.context() == entry.context);
    let changes = entries.iter().enumerate().skip(from).filter(|(_, entry)| match entry.kind {
        EntryKind::Deploy | EntryKind::Change | EntryKind::Applied => true,
        EntryKind::Trouble | EntryKind::Recovery => is_node(entry),
        _ => false,
    });
    let first_after = |at: usize, change: &Entry| {
        let later = entries[at + 1..].iter().take_while(|entry| entry.at - change.at < CONSEQUENCE);
        later.into_iter().find(|entry| matches!(entry.kind, EntryKind::Trouble | EntryKind::Alert) && entry.context == change.context)
    };
    let mut found: Vec<Changed<'_>> = changes.map(|(at, entry)| Changed { entry, then: first_after(at, entry) }).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Amount, Meta};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn meta(name: &str, created: i64) -> Meta {
        Meta { uid: name.into(), namespace: "n".into(), name: name.into(), created: at(created), deleting: None, held_by: None }
    }

    fn change(second: i64) -> LastChange {
        LastChange { manager: "kubectl-edit".into(), operation: "Update".into(), subresource: None, at: at(second) }
    }

    /// What a cluster's timeline says after these events, each at its second.
    fn told(events: &[(i64, ClusterEvent)]) -> Vec<String> {
        let (mut cluster, mut timeline) = (Cluster::default(), Timeline::default());
        for (second, event) in events {
            tell(at(*second), &cluster, event, &mut timeline);
            cluster.fold(event);
        }
        timeline.entries().iter().map(|e| format!("{} {} {}", (e.at - DateTime::UNIX_EPOCH).num_seconds(), e.subject, e.text)).collect()
    }

    #[test]
    fn a_config_map_is_told_once_for_each_decision_about_it() {
        let map = |created, changed| ClusterEvent::ConfigMaps(vec![ConfigMap { meta: meta("flags", created), changed }]);
        let day = 86_400;
        let events = [
            (day, map(0, Some(change(0)))),            // long ago
            (day + 10, map(0, Some(change(day + 9)))), // edited
            (day + 11, map(0, Some(change(day + 9)))), // its labels were touched by a controller
            (day + 20, map(day + 20, None)),           // nobody's decision
            (day + 30, ClusterEvent::Gone(Kind::ConfigMap, vec!["unknown".into()])),
        ];
        assert_eq!(told(&events), [format!("{} flags config map changed  by kubectl-edit", day + 9)]);
    }

    #[test]
    fn nodes_come_go_and_are_cordoned() {
        let node = |cordoned, changed| {
            let (allocatable, pressures) = (Amount::default(), Vec::new());
            ClusterEvent::Nodes(vec![Node {
                meta: meta("n1", 5),
                ready: Some(true),
                cordoned,
                message: None,
                allocatable,
                pressures,
                changed,
            }])
        };
        let events = [(10, node(false, None)), (20, node(true, Some(change(20)))), (30, ClusterEvent::Gone(Kind::Node, vec!["n1".into()]))];
        assert_eq!(told(&events), ["5 n1 node joined", "20 n1 node cordoned  by kubectl-edit", "30 n1 node left"]);
    }
}
