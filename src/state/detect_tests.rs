use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::event::{Amount, Container, ContainerState, Meta, Owner, Pod, PodPhase};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn meta(uid: &str, created: i64) -> Meta {
    Meta { uid: uid.into(), namespace: "prod".into(), name: uid.into(), created: at(created), deleting: None, held_by: None }
}

fn owner(uid: &str) -> Owner {
    Owner { kind: "X".into(), name: uid.into(), uid: uid.into() }
}

/// A cluster, its timeline, and what was told of it.
#[derive(Default)]
struct Story {
    cluster: Cluster,
    detector: Detector,
    timeline: Timeline,
}

impl Story {
    fn take(&mut self, second: i64, event: &ClusterEvent) {
        let before = Detector::before(&self.cluster, event);
        let touched = self.cluster.fold(event);
        self.detector.cluster(at(second), &before, &self.cluster, event, &touched, &mut self.timeline);
    }

    fn app(&mut self, second: i64, ready: u32, state: ContainerState) {
        let workload = Workload {
            kind: Kind::Deployment,
            meta: meta("app", 0),
            desired: 1,
            replicas: 1,
            updated: 1,
            ready,
            generation: 1,
            observed: 1,
            revision: Some(1),
            paused: false,
            stuck: None,
            release: None,
            service: "app".into(),
            changed: None,
        };
        let container = Container {
            name: "c".into(),
            image: "i".into(),
            init: false,
            ready: ready > 0,
            restarts: 1,
            state,
            last: None,
            requests: Amount::default(),
            limits: Amount::default(),
        };
        let pod = Pod {
            meta: meta("app-1-x", 0),
            owner: Some(owner("app").into()),
            node: None,
            phase: PodPhase::Running,
            ready: ready > 0,
            reason: None,
            message: None,
            containers: vec![container],
        };
        self.take(second, &ClusterEvent::Workloads(vec![workload]));
        self.take(second, &ClusterEvent::Pods(vec![Arc::new(pod)]));
    }

    fn revision(number: u64, created: i64) -> Revision {
        let (meta, owner) = (meta(&format!("app-{number}"), created), Some(owner("app")));
        Revision { meta, owner, number, release: None, images: vec![], cause: None, desired: 1, ready: 1 }
    }

    fn told(&self) -> Vec<String> {
        let entries = self.timeline.entries().iter();
        entries.map(|e| format!("{} {:?} {}", (e.at - DateTime::UNIX_EPOCH).num_seconds(), e.kind, e.text)).collect()
    }
}

fn waiting(reason: &str) -> ContainerState {
    ContainerState::Waiting { reason: Some(reason.into()), message: None }
}

#[test]
fn a_crash_loop_is_one_trouble_until_it_has_been_well_for_a_while() {
    let mut story = Story::default();
    for cycle in 0..5 {
        story.app(cycle * 30, 0, ContainerState::Terminated { reason: Some("Error".into()), exit: 1, at: None, message: None });
        story.app(cycle * 30 + 1, 0, waiting("CrashLoopBackOff"));
        story.app(cycle * 30 + 15, 1, ContainerState::Running { since: None });
    }
    assert_eq!(story.told(), ["0 Trouble CrashLoopBackOff"], "the newest word of one trouble");
    assert_eq!(story.detector.unsteady("app").map(Clean::as_str), Some("CrashLoopBackOff"), "ready again, for a moment");
    story.detector.settle(at(155), &story.cluster, &mut story.timeline);
    assert_eq!(story.told().last().unwrap(), "135 Recovery 1 ready");
    assert_eq!(story.detector.unsteady("app"), None);
}

#[test]
fn only_rollouts_that_age_proves_are_told_of_the_past() {
    let mut story = Story::default();
    let day = 86_400;
    let revisions = vec![Story::revision(4, day - 600), Story::revision(5, 100), Story::revision(6, day - 60)];
    story.take(day, &ClusterEvent::Listing(Kind::ReplicaSet.into()));
    story.take(day, &ClusterEvent::Revisions(revisions));
    story.take(day, &ClusterEvent::Listed(Kind::ReplicaSet.into()));
    assert_eq!(story.told(), [format!("{} Deploy rev 5 → 6", day - 60)], "5 was taken up again, at a time that nothing tells");
    story.take(day + 5, &ClusterEvent::Revisions(vec![Story::revision(7, day + 5), Story::revision(6, day - 60)]));
    assert_eq!(story.told().last().unwrap(), &format!("{} Deploy rev 6 → 7", day + 5));
    assert_eq!(story.told().len(), 2);
}
