use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::*;
use crate::event::{
    Container, ContainerState, Kind, Meta, ObjectKey, Owner, PodPhase, Revision, Workload, samples,
};
use crate::state::detect::pod_diagnosis::{Severity, diagnose};

fn meta(uid: &str, name: &str) -> Meta {
    Meta { uid: uid.into(), ..samples::meta(name) }
}

fn pod(uid: &str, owner: &str, state: ContainerState, ready: bool) -> Pod {
    let last =
        Some(ContainerState::Terminated { reason: Some("Error".into()), exit: 1, at: None, message: None });
    let container =
        Container { ready, restarts: 2, state, last: last.map(Box::new), ..samples::container("c") };
    let owner = Owner { kind: "ReplicaSet".into(), name: owner.into(), uid: owner.into() };
    Pod {
        owner: Some(owner.into()),
        node: Some("n1".into()),
        ready,
        ..samples::pod(meta(uid, uid), vec![container])
    }
}

fn waiting(reason: &str) -> ContainerState {
    ContainerState::Waiting { reason: Some(reason.into()), message: None }
}

fn workload(uid: &str, desired: u32, ready: u32) -> Workload {
    Workload { ready, ..samples::deployment(meta(uid, uid), desired) }
}

fn revision(uid: &str, owner: &str) -> Revision {
    let owner = Owner { kind: "Deployment".into(), name: owner.into(), uid: owner.into() };
    Revision { owner: Some(owner), ..samples::revision(meta(uid, uid)) }
}

fn cluster(events: &[ClusterEvent]) -> Cluster {
    let mut cluster = Cluster::default();
    for event in events {
        cluster.fold(event);
    }
    cluster
}

#[test]
fn a_listing_leaves_exactly_what_it_names() {
    let running = ContainerState::Running { since: None };
    let pods = |uids: &[&str]| {
        ClusterEvent::Pods(uids.iter().map(|uid| Arc::new(pod(uid, "rs", running.clone(), true))).collect())
    };
    let cluster = cluster(&[
        ClusterEvent::Listing(Kind::Pod.into()),
        pods(&["a", "b"]),
        ClusterEvent::Listed(Kind::Pod.into()),
        pods(&["c"]),
        ClusterEvent::Listing(Kind::Pod.into()),
        pods(&["b"]),
        pods(&["d"]),
        ClusterEvent::Listed(Kind::Pod.into()),
    ]);
    assert_eq!(cluster.pods.keys().map(ObjectKey::id).collect::<Vec<_>>(), ["b", "d"]);
}

#[test]
fn a_listing_of_one_kind_leaves_the_other_workloads_alone() {
    let stateful = Workload { kind: Kind::StatefulSet, ..workload("kafka", 1, 1) };
    let cluster = cluster(&[
        ClusterEvent::Workloads(vec![workload("app", 1, 1), stateful]),
        ClusterEvent::Listing(Kind::Deployment.into()),
        ClusterEvent::Listed(Kind::Deployment.into()),
    ]);
    assert_eq!(cluster.workloads.keys().map(ObjectKey::id).collect::<Vec<_>>(), ["kafka"]);
}

#[test]
fn the_worst_workload_stands_first_with_its_reason() {
    let cluster = cluster(&[
        ClusterEvent::Workloads(vec![workload("a", 1, 1), workload("ocr", 1, 0)]),
        ClusterEvent::Revisions(vec![revision("a-1", "a"), revision("ocr-1", "ocr")]),
        ClusterEvent::Pods(vec![
            Arc::new(pod("a-1-x", "a-1", ContainerState::Running { since: None }, true)),
            Arc::new(pod("ocr-1-y", "ocr-1", waiting("CrashLoopBackOff"), false)),
        ]),
    ]);
    let rows: Vec<_> = cluster.rows().collect();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (row.name().as_str(), row.severity, row.reason.as_deref(), row.why.as_deref(), row.restarts)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ocr", Severity::Critical, Some("CrashLoopBackOff"), Some("exit 1"), 2),
            ("a", Severity::Ok, None, None, 2)
        ]
    );
}

#[test]
fn a_pod_that_runs_but_is_not_ready_is_not_called_running() {
    let unready = pod("x", "rs", ContainerState::Running { since: None }, false);
    let cluster = cluster(&[
        ClusterEvent::Workloads(vec![workload("ai", 1, 0)]),
        ClusterEvent::Revisions(vec![revision("rs", "ai")]),
        ClusterEvent::Pods(vec![Arc::new(unready)]),
    ]);
    let rows: Vec<_> = cluster.rows().collect();
    assert_eq!((rows[0].reason.as_deref(), rows[0].severity), (Some("not ready"), Severity::Critical));
}

#[test]
fn statuses_are_kubectls() {
    let of = |pod: &Pod| {
        let diagnosis = diagnose(pod);
        (diagnosis.status.to_string(), diagnosis.severity)
    };
    let running = pod("x", "rs", ContainerState::Running { since: None }, true);
    assert_eq!(of(&running), ("Running".into(), Severity::Ok));
    let mut leaving = running.clone();
    leaving.meta.deleting = Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(1));
    assert_eq!(of(&leaving), ("Terminating".into(), Severity::Warn));
    assert_eq!(
        of(&pod("x", "rs", waiting("ImagePullBackOff"), false)),
        ("ImagePullBackOff".into(), Severity::Critical)
    );
    let killed =
        ContainerState::Terminated { reason: Some("OOMKilled".into()), exit: 137, at: None, message: None };
    assert_eq!(of(&pod("x", "rs", killed, false)), ("OOMKilled".into(), Severity::Critical));
    let evicted = Pod {
        phase: PodPhase::Failed,
        reason: Some("Evicted".into()),
        containers: vec![],
        ready: false,
        ..running.clone()
    };
    assert_eq!(of(&evicted), ("Evicted".into(), Severity::Critical));
    let words = Some("0/3 nodes are available: 3 Insufficient cpu.".into());
    let homeless = Pod {
        phase: PodPhase::Pending,
        node: None,
        ready: false,
        message: words,
        ..pod("x", "rs", waiting("x"), false)
    };
    assert_eq!(of(&homeless), ("Pending".into(), Severity::Critical));
    assert_eq!(diagnose(&homeless).why.as_deref(), Some("0/3 nodes are available: 3 Insufficient cpu."));
    let mut starting = pod("x", "rs", running.containers[0].state.clone(), false);
    starting.phase = PodPhase::Pending;
    starting.containers[0].init = true;
    assert_eq!(of(&starting).0, "Init:0/1");
}

/// What may happen to a small cluster, in any order: pods, ReplicaSets and Deployments come, change hands and
/// go, listings begin and end.
fn anything() -> impl Strategy<Value = ClusterEvent> {
    let name = |prefix: &'static str, most: u8| (0..most).prop_map(move |n| format!("{prefix}{n}"));
    let state = prop_oneof![
        Just(ContainerState::Running { since: None }),
        Just(waiting("CrashLoopBackOff")),
        Just(ContainerState::Terminated {
            reason: None,
            exit: 1,
            at: Some(DateTime::UNIX_EPOCH),
            message: None
        })
    ];
    let owner = prop_oneof![name("rs", 3), name("app", 3)];
    let pods = (name("pod", 6), owner, state, any::<bool>(), any::<bool>()).prop_map(
        |(uid, owner, state, ready, deleting)| {
            let mut pod = pod(&uid, &owner, state, ready);
            pod.meta.deleting = deleting.then_some(DateTime::UNIX_EPOCH);
            ClusterEvent::Pods(vec![Arc::new(pod)])
        },
    );
    let workloads = (name("app", 3), 0..3_u32, 0..3_u32, 0..3_u32).prop_map(|(uid, d, r, updated)| {
        ClusterEvent::Workloads(vec![Workload { updated, ..workload(&uid, d, r) }])
    });
    let revisions = (name("rs", 3), name("app", 3), 1..4_u64).prop_map(|(uid, owner, number)| {
        ClusterEvent::Revisions(vec![Revision { number, ..revision(&uid, &owner) }])
    });
    let kind = || prop_oneof![Just(Kind::Pod), Just(Kind::Deployment), Just(Kind::ReplicaSet)];
    let gone = (kind(), prop_oneof![name("pod", 6), name("rs", 3), name("app", 3)])
        .prop_map(|(kind, uid)| ClusterEvent::Gone(kind, vec![uid.as_str().into()]));
    let listing = (kind(), any::<bool>()).prop_map(|(kind, begins)| {
        if begins { ClusterEvent::Listing(kind.into()) } else { ClusterEvent::Listed(kind.into()) }
    });
    prop_oneof![4 => pods, 2 => workloads, 2 => revisions, 2 => gone, 1 => listing]
}

proptest! {
    #[test]
    fn rows_kept_up_are_rows_worked_out_anew(events in prop::collection::vec(anything(), 0..60)) {
        let mut kept = Cluster::default();
        for event in &events {
            let before: Vec<_> = kept.rows().map(|row| (row.uid().clone(), row.severity, row.reason.clone(), row.restarts)).collect();
            let touched = kept.fold(event);
            let anew = Cluster::from(kept.objects.clone());
            prop_assert_eq!(&kept, &anew);
            let after: Vec<_> = kept.rows().map(|row| (row.uid().clone(), row.severity, row.reason.clone(), row.restarts)).collect();
            let changed = before.iter().filter(|row| !after.contains(row)).chain(after.iter().filter(|row| !before.contains(row)));
            for (uid, ..) in changed {
                prop_assert!(touched.contains(uid), "{} changed and was not told", uid);
            }
        }
    }

    #[test]
    fn every_pod_is_in_exactly_one_row(events in prop::collection::vec(anything(), 0..60)) {
        let cluster = cluster(&events);
        let mut seen: Vec<&Uid> = cluster.rows().flat_map(|row| row.pod.map_or_else(|| cluster.pods_of(&row), |pod| vec![pod])).map(|pod| &pod.meta.uid).collect();
        seen.sort();
        prop_assert_eq!(seen, cluster.pods.keys().collect::<Vec<_>>());
        let ready = cluster.pods.values().filter(|pod| pod.ready).count();
        prop_assert_eq!(cluster.readiness(), (ready, cluster.pods.len()));
    }
}
