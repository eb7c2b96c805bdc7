use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::event::{Amount, Container, ContainerState, Event, Meta, Owner, Pod, Record, Revision, samples};
use crate::state::{World, workload_rows};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn meta(uid: &str, created: i64) -> Meta {
    Meta { created: at(created), ..samples::meta(uid) }
}

fn owner(uid: &str) -> Owner {
    Owner { kind: "ReplicaSet".into(), name: uid.into(), uid: uid.into() }
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
        super::changes::tell(at(second), &self.cluster, event, &self.detector, &mut self.timeline);
        let before = self.detector.before(at(second), &self.cluster, event);
        let touched = self.cluster.fold(event);
        self.detector.cluster(at(second), &before, &self.cluster, event, &touched, &mut self.timeline);
    }

    fn app(&mut self, second: i64, ready: u32, state: ContainerState) {
        self.take(second, &ClusterEvent::Workloads(vec![Workload { ready, ..workload("app") }]));
        self.take(
            second,
            &ClusterEvent::Pods(vec![Arc::new(Self::pod(Some(owner("app")), ready > 0, state))]),
        );
    }

    fn pod(owner: Option<Owner>, ready: bool, state: ContainerState) -> Pod {
        let container = Container { ready, restarts: 1, state, ..samples::container("c") };
        Pod { owner: owner.map(Arc::new), ready, ..samples::pod(meta("app-1-x", 0), vec![container]) }
    }

    fn revision(number: u64, created: i64) -> Revision {
        Revision {
            owner: Some(owner("app")),
            number,
            ..samples::revision(meta(&format!("app-{number}"), created))
        }
    }

    fn told(&self) -> Vec<String> {
        let entries = self.timeline.entries().iter();
        entries
            .map(|e| format!("{} {:?} {}", (e.at - DateTime::UNIX_EPOCH).num_seconds(), e.kind, e.text))
            .collect()
    }
}

/// Of long ago, and well.
fn workload(name: &str) -> Workload {
    samples::deployment(meta(name, -90_000), 1)
}

fn waiting(reason: &str) -> ContainerState {
    ContainerState::Waiting { reason: Some(reason.into()), message: None }
}

#[test]
fn a_crash_loop_is_one_trouble_until_it_has_been_well_for_a_while() {
    let mut story = Story::default();
    for cycle in 0..5 {
        story.app(
            cycle * 30,
            0,
            ContainerState::Terminated { reason: Some("Error".into()), exit: 1, at: None, message: None },
        );
        story.app(cycle * 30 + 1, 0, waiting("CrashLoopBackOff"));
        story.app(cycle * 30 + 15, 1, ContainerState::Running { since: None });
    }
    assert_eq!(story.told(), ["0 Trouble CrashLoopBackOff"], "the newest word of one trouble");
    assert_eq!(
        story.detector.unsteady(&"app".into()).map(Clean::as_str),
        Some("CrashLoopBackOff"),
        "ready again, but only just"
    );
    story.detector.settle(at(155), &story.cluster, &mut story.timeline);
    assert_eq!(story.told().last().unwrap(), "135 Recovery 1 ready");
    assert_eq!(story.detector.unsteady(&"app".into()), None);
}

#[test]
fn only_rollouts_that_age_proves_are_told_of_the_past() {
    let mut story = Story::default();
    let day = 86_400;
    let revisions =
        vec![Story::revision(4, day - 600), Story::revision(5, 100), Story::revision(6, day - 60)];
    story.take(day, &ClusterEvent::Listing(Kind::ReplicaSet.into()));
    story.take(day, &ClusterEvent::Revisions(revisions));
    story.take(day, &ClusterEvent::Listed(Kind::ReplicaSet.into()));
    assert_eq!(
        story.told(),
        [format!("{} Deploy rev 5 → 6", day - 60)],
        "5 was taken up again, at a time that nothing tells"
    );
    story.take(
        day + 5,
        &ClusterEvent::Revisions(vec![Story::revision(7, day + 5), Story::revision(6, day - 60)]),
    );
    assert_eq!(story.told().last().unwrap(), &format!("{} Deploy rev 6 → 7", day + 5));
    assert_eq!(story.told().len(), 2);
}

fn crashes() -> ContainerState {
    waiting("CrashLoopBackOff")
}

#[test]
fn a_pod_that_no_known_workload_owns_is_told_and_its_owner_may_be_named_a_little_later() {
    let mut story = Story::default();
    let pods = |owner| ClusterEvent::Pods(vec![Arc::new(Story::pod(owner, false, crashes()))]);
    story.take(0, &pods(None));
    assert_eq!(story.told(), ["0 Trouble CrashLoopBackOff"]);
    story.take(30, &ClusterEvent::Gone(Kind::Pod, vec!["app-1-x".into()]));
    assert_eq!(story.told(), ["0 Trouble CrashLoopBackOff · deleted", "30 Change pod deleted"]);

    let set = Owner { kind: "StatefulSet".into(), ..owner("kafka") };
    let mut unseen = Story::default();
    unseen.take(0, &pods(Some(set)));
    assert_eq!(unseen.told(), Vec::<String>::new());
    unseen.detector.settle(at(20), &unseen.cluster, &mut unseen.timeline);
    assert_eq!(unseen.told(), ["20 Trouble CrashLoopBackOff"], "its StatefulSet cannot be seen");
    assert_eq!(unseen.detector.causes.standing(), Some(at(20)));
}

#[test]
fn what_is_new_has_time_to_start() {
    let mut story = Story::default();
    for kind in [Kind::Deployment, Kind::Node] {
        story.take(0, &ClusterEvent::Listing(kind.into()));
        story.take(0, &ClusterEvent::Listed(kind.into()));
    }
    story.app(100, 0, waiting("ContainerCreating"));
    let node = |ready| {
        let allocatable = Amount::default();
        let pressures = Vec::new();
        let changed = None;
        let node = crate::event::Node {
            meta: meta("n1", -90_000),
            ready,
            cordoned: false,
            message: None,
            allocatable,
            pressures,
            changed,
        };
        ClusterEvent::Nodes(vec![node])
    };
    story.take(100, &node(None));
    let settle =
        |story: &mut Story, second| story.detector.settle(at(second), &story.cluster, &mut story.timeline);
    settle(&mut story, 119);
    assert_eq!(story.told(), Vec::<String>::new());
    settle(&mut story, 120);
    assert_eq!(
        story.told(),
        ["120 Trouble ContainerCreating", "120 Trouble node not ready: its kubelet has reported no status"]
    );
    story.app(130, 0, crashes());
    assert_eq!(story.told()[0], "120 Trouble CrashLoopBackOff");
}

#[test]
fn a_deployment_that_is_deleted_is_told_once() {
    let mut story = Story::default();
    story.app(0, 0, crashes());
    story.take(9, &ClusterEvent::Gone(Kind::Deployment, vec!["app".into()]));
    assert_eq!(story.told(), ["0 Trouble CrashLoopBackOff · deleted", "9 Change deployment deleted"]);
    assert_eq!(story.detector.causes.standing(), None);
    let mut listed = Story::default();
    listed.take(0, &ClusterEvent::Workloads(["a", "b", "c"].map(workload).to_vec()));
    listed.take(5, &ClusterEvent::Listing(Kind::Deployment.into()));
    listed.take(6, &ClusterEvent::Listed(Kind::Deployment.into()));
    let lines: Vec<String> =
        listed.timeline.lines().map(|e| format!("{} {} {}", e.subject, e.text, e.cases)).collect();
    assert_eq!(lines, ["3 workloads deleted 3"]);
}

#[test]
fn who_rolled_out_does_not_depend_on_which_watch_spoke_first() {
    let helm = Some(crate::event::LastChange {
        manager: "helm".into(),
        operation: "Update".into(),
        subresource: None,
        at: at(99),
    });
    let now = Workload { generation: 2, observed: 2, revision: Some(2), changed: helm, ..workload("app") };
    let deployment = ClusterEvent::Workloads(vec![now]);
    let revision = ClusterEvent::Revisions(vec![Story::revision(2, 100)]);
    for order in [[&deployment, &revision], [&revision, &deployment]] {
        let mut story = Story::default();
        story.take(0, &ClusterEvent::Workloads(vec![workload("app")]));
        story.take(0, &ClusterEvent::Listing(Kind::ReplicaSet.into()));
        story.take(0, &ClusterEvent::Revisions(vec![Story::revision(1, -90_000)]));
        story.take(0, &ClusterEvent::Listed(Kind::ReplicaSet.into()));
        for event in order {
            story.take(100, event);
        }
        assert_eq!(story.told(), ["100 Deploy rev 1 → 2  by helm"]);
    }
}

#[test]
fn sets_are_rolled_out_and_workloads_are_installed() {
    let set = |generation, release: &str| {
        let release = Some(release.into());
        let revision = None;
        ClusterEvent::Workloads(vec![Workload {
            kind: Kind::StatefulSet,
            generation,
            observed: 1,
            release,
            revision,
            ..workload("kafka")
        }])
    };
    let mut story = Story::default();
    story.take(0, &set(1, "4.0"));
    story.take(5, &set(2, "4.1"));
    story.take(6, &set(3, "4.1"));
    story.take(
        10,
        &ClusterEvent::Workloads(vec![Workload {
            meta: meta("new", 9),
            release: Some("v1".into()),
            ..workload("new")
        }]),
    );
    assert_eq!(
        story.told(),
        ["5 Deploy 4.0 → 4.1", "6 Deploy changed, generation 2 → 3", "9 Deploy deployment created  v1"]
    );
    let kafka = &story.cluster.workloads["kafka"];
    assert_eq!(
        story.detector.rollouts.release(kafka, &story.cluster).map(Clean::as_str),
        Some("4.0"),
        "no controller has seen 4.1"
    );
    assert_eq!([14, 16].map(|second| story.detector.rollouts.is_unseen(kafka, at(second))), [false, true]);
}

#[test]
fn alerts_of_one_name_are_told_apart_and_what_only_informs_is_not_told() {
    let alert = |fingerprint: &str, severity: &str, instance: &str| {
        let labels = [
            ("alertname", "DiskFull"),
            ("service", "db"),
            ("severity", severity),
            ("instance", instance),
            ("job", "node"),
        ];
        let labels = labels.map(|(name, value)| (name.into(), value.into())).into();
        crate::event::Alert {
            fingerprint: fingerprint.into(),
            name: "DiskFull".into(),
            labels,
            state: "active".into(),
            since: at(0),
            ..Default::default()
        }
    };
    let mut alerts = Alerts::default();
    let mut story = Story::default();
    alerts.fold(&[alert("a", "page", "one"), alert("b", "page", "two"), alert("w", "none", "three")]);
    story.detector.alerts(at(10), &alerts, &mut story.timeline);
    assert_eq!(
        story.told(),
        [
            "0 Alert DiskFull  instance=one",
            "0 Alert DiskFull  instance=two",
            "0 Alert DiskFull  instance=one · DiskFull  instance=two",
        ]
    );
    let silenced = |alert: crate::event::Alert| crate::event::Alert {
        state: "suppressed".into(),
        silenced_by: vec!["s".into()],
        ..alert
    };
    alerts.fold(&[silenced(alert("a", "page", "one")), silenced(alert("b", "page", "two"))]);
    story.detector.alerts(at(20), &alerts, &mut story.timeline);
    assert_eq!(
        (story.told().last().unwrap().as_str(), story.detector.causes.standing()),
        ("20 AlertEnded both silenced after 20 s", None)
    );
    alerts.fold(&[alert("a", "page", "one")]);
    story.detector.alerts(at(900), &alerts, &mut story.timeline);
    assert_eq!(
        story.told().last().unwrap(),
        "900 Alert DiskFull  instance=one",
        "it calls again: told when it does"
    );
}

/// A Deployment and its ReplicaSets that were listed, and rolled out long ago.
fn rolled_out_long_ago() -> Story {
    let mut story = Story::default();
    story.take(0, &ClusterEvent::Workloads(vec![Workload { revision: Some(2), ..workload("app") }]));
    story.take(0, &ClusterEvent::Listing(Kind::ReplicaSet.into()));
    story.take(0, &ClusterEvent::Revisions(vec![Story::revision(1, -90_000), Story::revision(2, -80_000)]));
    story.take(0, &ClusterEvent::Listed(Kind::ReplicaSet.into()));
    story
}

/// The Deployment of that generation, revision and size, changed last at that second.
fn edited(generation: i64, revision: u64, desired: u32, second: i64) -> ClusterEvent {
    let changed = Some(crate::event::LastChange {
        manager: "kubectl-edit".into(),
        operation: "Update".into(),
        subresource: None,
        at: at(second),
    });
    let now = Workload {
        generation,
        observed: generation,
        revision: Some(revision),
        desired,
        changed,
        ..workload("app")
    };
    ClusterEvent::Workloads(vec![now])
}

fn rollouts(story: &Story) -> Vec<(u64, i64, Option<&str>)> {
    let all = story.detector.rollouts.of(&"app".into()).iter();
    all.map(|rollout| {
        (rollout.number, (rollout.at - DateTime::UNIX_EPOCH).num_seconds(), rollout.by.as_deref())
    })
    .collect()
}

#[test]
fn a_rollout_begins_when_its_deployment_is_written() {
    let mut story = rolled_out_long_ago();
    story.take(100, &edited(2, 2, 1, 100));
    story.take(130, &ClusterEvent::Revisions(vec![Story::revision(3, 130)])); // the old pods had to end first
    story.take(131, &edited(2, 3, 1, 100));
    assert_eq!(rollouts(&story), [(2, -80_000, None), (3, 100, Some("kubectl-edit"))]);
    story.take(140, &edited(3, 3, 5, 140)); // scaled
    story.take(150, &ClusterEvent::Revisions(vec![Revision { number: 4, ..Story::revision(1, -90_000) }]));
    story.take(150, &edited(4, 4, 5, 150));
    story.take(170, &ClusterEvent::Revisions(vec![Revision { number: 5, ..Story::revision(2, -80_000) }]));
    let last = &rollouts(&story)[2..];
    assert_eq!(
        last,
        [(4, 150, Some("kubectl-edit")), (5, 170, None)],
        "whichever watch speaks first, and whatever the ReplicaSet's age"
    );
    story.take(200, &ClusterEvent::Gone(Kind::Deployment, vec!["app".into()]));
    assert_eq!(rollouts(&story), []);
}

#[test]
fn rollouts_are_written_down_and_a_checkpoint_without_them_is_read() {
    let story = rolled_out_long_ago();
    let mut written = serde_json::to_value(&story.detector).unwrap();
    assert_eq!(serde_json::from_value::<Detector>(written.clone()).unwrap(), story.detector);
    written["rollouts"].as_object_mut().unwrap().remove("recent");
    assert_eq!(serde_json::from_value::<Detector>(written).unwrap().rollouts.of(&"app".into()), []);
}

#[test]
fn trouble_began_when_it_was_seen_first_were_it_only_starting() {
    let mut story = Story::default();
    story.take(90, &ClusterEvent::Listing(Kind::Deployment.into()));
    story.take(90, &ClusterEvent::Listed(Kind::Deployment.into()));
    story.app(100, 0, waiting("ContainerCreating"));
    story.app(130, 0, crashes());
    assert_eq!((story.told().len(), story.detector.broken_since(&"app".into())), (1, Some(at(100))));
    story.app(140, 1, ContainerState::Running { since: None });
    story.app(150, 0, crashes());
    assert_eq!(story.detector.broken_since(&"app".into()), Some(at(100)), "well for a moment");
    story.app(160, 1, ContainerState::Running { since: None });
    story.detector.settle(at(180), &story.cluster, &mut story.timeline);
    assert_eq!(story.detector.broken_since(&"app".into()), None);
}

#[test]
fn a_pod_that_runs_again_says_how_often_it_was_restarted_and_how_its_last_run_ended() {
    let last =
        ContainerState::Terminated { reason: Some("Error".into()), exit: 1, at: Some(at(74)), message: None };
    let container =
        Container { ready: true, restarts: 3, last: Some(Box::new(last)), ..samples::container("c") };
    let pod = Pod { ready: true, ..samples::pod(meta("app-1-x", 0), vec![container]) };
    let event = Event::Cluster(ClusterEvent::Pods(vec![Arc::new(pod)]));
    let mut world = World::default();
    world.fold(&Record { seq: 1, at: at(100), event });
    let rows = workload_rows(&world);
    assert_eq!(
        (rows[0].reason.as_deref(), rows[0].why.as_deref()),
        (Some("restarted"), Some("running again · 3 restarts · last exit 1, 26 s ago"))
    );
    assert!(rows[0].restarts_told, "no column counts them once more");
}
