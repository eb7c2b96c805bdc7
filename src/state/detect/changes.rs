//! What changed in the cluster and who changed it, as entries of the timeline; and the view back over them:
//! what changed lately, and what broke after each change.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Detector;
use crate::clean::Clean;
use crate::event::{ClusterEvent, ConfigMap, ContextId, Kind, LastChange, Meta, Node, Uid};
use crate::state::{ChangeSort, Cluster, EntryKind, Subject, Timeline, TimelineEntry};

/// Time that changes reach back: how far back a change is told when warroom starts, and how far the view back
/// reaches.
pub const HISTORY: TimeDelta = TimeDelta::hours(1);

/// Time that a change and the object that it made may lie apart: controllers take their time.
pub(in crate::state) const NEAR: TimeDelta = TimeDelta::seconds(60);

/// So many changes of one sort, none further than [`NEAR`] from another, are one: a helm upgrade, a cluster
/// that grows.
const MANY: usize = 3;

/// Cases that are listed under a change; further ones are only counted.
const LISTED: usize = 200;

/// The ConfigMap that `kube-controller-manager` puts into every namespace: nobody's decision.
const ROOT_CA: &str = "kube-root-ca.crt";

/// Tells a change, with those of its sort that lie near it as the cases of one entry; not one that was told
/// before.
pub fn together(at: DateTime<Utc>, sort: ChangeSort, meta: &Meta, text: &str, timeline: &mut Timeline) {
    let near = near(at, sort, meta.context(), timeline);
    if near.iter().any(|e| e.at == at && e.subject == meta.name) {
        return;
    }
    let head = near.iter().find_map(|e| e.cause);
    let first = near.iter().map(|e| e.at).min().unwrap_or(at).min(at);
    let mut cases: Vec<u64> = near.iter().filter(|e| e.cause.is_none()).map(|e| e.id).collect();
    if head.and_then(|head| timeline.get(head)).is_none_or(|head| (head.cases as usize) < LISTED) {
        cases.push(add(at, sort, meta, text, timeline));
    }
    let nameless = Subject { name: Clean::default(), ..Subject::from(meta) };
    let many = cases.len() >= MANY;
    if let Some(head) =
        head.or_else(|| many.then(|| timeline.add(first, sort.kind(), nameless, sort.many().1, None)))
    {
        gather(head, sort, &cases, timeline);
    }
}

/// What is told of a sort in a context around a time, without what stands for several.
fn near(at: DateTime<Utc>, sort: ChangeSort, context: ContextId, timeline: &Timeline) -> Vec<&TimelineEntry> {
    let entries = timeline.entries();
    let from = entries.partition_point(|e| e.at < at - NEAR);
    let to = entries.partition_point(|e| e.at <= at + NEAR);
    entries[from..to].iter().filter(|e| e.context == context && e.sort == Some(sort)).collect()
}

fn add(at: DateTime<Utc>, sort: ChangeSort, meta: &Meta, text: &str, timeline: &mut Timeline) -> u64 {
    let id = timeline.add(at, sort.kind(), meta, text, None);
    if let Some(entry) = timeline.get_mut(id) {
        entry.about = Some(meta.uid.clone());
        entry.sort = Some(sort);
    }
    id
}

/// Puts cases under the line that stands for them, which counts them; without one it is one more that is not
/// listed.
fn gather(head: u64, sort: ChangeSort, cases: &[u64], timeline: &mut Timeline) {
    for case in cases {
        if let Some(entry) = timeline.get_mut(*case) {
            entry.cause = Some(head);
        }
    }
    if let Some(line) = timeline.get_mut(head) {
        line.cases += u32::try_from(cases.len().max(1)).unwrap_or(u32::MAX);
        line.subject = format!("{} {}", line.cases, sort.many().0).into();
    }
}

/// Returns the field manager, ` by helm`, where whoever changed the object last did so at about this time.
pub fn by(changed: Option<&LastChange>, at: DateTime<Utc>) -> String {
    let near = changed.filter(|changed| (changed.at - at).abs() <= NEAR);
    near.map(|changed| format!("  by {}", changed.manager)).unwrap_or_default()
}

/// Tells what an event changes that the cluster has not taken in yet: ConfigMaps, nodes, and what is deleted.
pub fn tell(
    at: DateTime<Utc>,
    cluster: &Cluster,
    event: &ClusterEvent,
    told: &Detector,
    timeline: &mut Timeline,
) {
    match event {
        ClusterEvent::ConfigMaps(all) => {
            let mut known: BTreeMap<&Uid, &ConfigMap> = BTreeMap::new();
            for now in all {
                let before =
                    known.insert(&now.meta.uid, now).or_else(|| cluster.config_maps.get(&now.meta.uid));
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
        ClusterEvent::Gone(kind, uids) | ClusterEvent::Missed(kind, uids) => {
            for uid in uids {
                gone(at, *kind, uid, cluster, told, timeline);
            }
        }
        ClusterEvent::Listed(scope) => {
            cluster.unnamed(scope).for_each(|uid| gone(at, scope.kind, uid, cluster, told, timeline));
        }
        _ => {}
    }
}

/// An object was deleted. Pods and Jobs come and go: only those that were in trouble are worth a word.
fn gone(
    at: DateTime<Utc>,
    kind: Kind,
    uid: &Uid,
    cluster: &Cluster,
    told: &Detector,
    timeline: &mut Timeline,
) {
    let Some(meta) = cluster.meta(kind, uid) else { return };
    let decided =
        cluster.config_maps.get(uid).is_some_and(|map| map.changed.is_some() && map.meta.name != *ROOT_CA);
    let (sort, text) = match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => {
            (ChangeSort::Deleted, format!("{} deleted", kind.word()))
        }
        Kind::Job | Kind::Pod if told.is_broken(uid) => {
            (ChangeSort::Ended, format!("{} deleted", kind.word()))
        }
        Kind::ConfigMap if decided => (ChangeSort::Configured, "config map deleted".to_owned()),
        Kind::Node => (ChangeSort::Left, "node left".to_owned()),
        _ => return,
    };
    together(at, sort, meta, &text, timeline);
}

/// A ConfigMap that somebody wrote, and not a controller.
fn config_map(at: DateTime<Utc>, before: Option<&ConfigMap>, now: &ConfigMap, timeline: &mut Timeline) {
    let decided = now.changed.as_ref().filter(|_| now.meta.name != *ROOT_CA);
    let Some(changed) = decided.filter(|changed| at - changed.at < HISTORY) else { return };
    if before.and_then(|before| before.changed.as_ref()).is_some_and(|before| before.at >= changed.at) {
        return;
    }
    let what =
        if (changed.at - now.meta.created).abs() <= TimeDelta::seconds(1) { "created" } else { "changed" };
    together(
        changed.at.min(at),
        ChangeSort::Configured,
        &now.meta,
        &format!("config map {what}  by {}", changed.manager),
        timeline,
    );
}

fn node(at: DateTime<Utc>, before: Option<&Node>, now: &Node, timeline: &mut Timeline) {
    match before {
        None if at - now.meta.created < HISTORY => {
            together(now.meta.created.min(at), ChangeSort::Joined, &now.meta, "node joined", timeline);
        }
        Some(before) if before.cordoned != now.cordoned => {
            let what = if now.cordoned { "node cordoned" } else { "node uncordoned" };
            let id = timeline.add(
                at,
                EntryKind::Change,
                &now.meta,
                format!("{what}{}", by(now.changed.as_ref(), at)),
                None,
            );
            timeline.about(id, &now.meta.uid);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::samples;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn meta(name: &str, created: i64) -> Meta {
        Meta { created: at(created), ..samples::meta(name) }
    }

    fn change(second: i64) -> LastChange {
        LastChange {
            manager: "kubectl-edit".into(),
            operation: "Update".into(),
            subresource: None,
            at: at(second),
        }
    }

    /// What a cluster's timeline says after these events, each at its second: its lines, and how many cases
    /// they have.
    fn told(events: &[(i64, ClusterEvent)]) -> Vec<String> {
        let mut cluster = Cluster::default();
        let mut timeline = Timeline::default();
        for (second, event) in events {
            tell(at(*second), &cluster, event, &Detector::default(), &mut timeline);
            cluster.fold(event);
        }
        timeline
            .lines()
            .map(|e| format!("{} {} {}", (e.at - DateTime::UNIX_EPOCH).num_seconds(), e.subject, e.text))
            .collect()
    }

    #[test]
    fn a_config_map_is_told_once_for_each_decision_about_it() {
        let map = |created, changed| {
            ClusterEvent::ConfigMaps(vec![ConfigMap { meta: meta("flags", created), changed }])
        };
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
        let node =
            |cordoned, changed| ClusterEvent::Nodes(vec![Node { cordoned, changed, ..plain("n1", 5) }]);
        let events = [
            (10, node(false, None)),
            (20, node(true, Some(change(20)))),
            (30, ClusterEvent::Gone(Kind::Node, vec!["n1".into()])),
        ];
        assert_eq!(
            told(&events),
            ["5 n1 node joined", "20 n1 node cordoned  by kubectl-edit", "30 n1 node left"]
        );
    }

    fn plain(name: &str, created: i64) -> Node {
        samples::node(meta(name, created))
    }

    #[test]
    fn what_comes_or_goes_together_is_one_entry_that_opens() {
        let nodes = |from: i64, to: i64| {
            ClusterEvent::Nodes((from..to).map(|n| plain(&format!("n{n}"), n)).collect())
        };
        let all = (0..40).map(|n| format!("n{n}").as_str().into()).collect();
        let events = [
            (5, nodes(0, 2)),
            (50, nodes(2, 40)),
            (60, nodes(0, 40)),
            (900, ClusterEvent::Gone(Kind::Node, all)),
        ];
        assert_eq!(told(&events[..1]), ["0 n0 node joined", "1 n1 node joined"]);
        assert_eq!(told(&events), ["0 40 nodes joined", "900 40 nodes left"]);
        let ca = ConfigMap { meta: meta(ROOT_CA, 5), changed: Some(change(5)) };
        assert_eq!(told(&[(5, ClusterEvent::ConfigMaps(vec![ca]))]), Vec::<String>::new());
    }
}
