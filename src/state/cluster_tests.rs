use chrono::{DateTime, TimeDelta};

use super::*;
use crate::event::{Container, ContainerState, Meta, Owner, PodPhase};

fn meta(uid: &str, name: &str) -> Meta {
    Meta { uid: uid.into(), namespace: "prod".into(), name: name.into(), created: DateTime::UNIX_EPOCH, deleting: None, held_by: None }
}

fn pod(uid: &str, owner: &str, state: ContainerState, ready: bool) -> Pod {
    let last = Some(ContainerState::Terminated { reason: Some("Error".into()), exit: 1, at: None });
    let container = Container { name: "c".into(), image: "i".into(), init: false, ready, restarts: 2, state, last };
    let owner = Owner { kind: "ReplicaSet".into(), name: owner.into(), uid: owner.into() };
    Pod {
        meta: meta(uid, uid),
        owner: Some(owner),
        node: Some("n1".into()),
        phase: PodPhase::Running,
        ready,
        reason: None,
        message: None,
        containers: vec![container],
    }
}

fn waiting(reason: &str) -> ContainerState {
    ContainerState::Waiting { reason: Some(reason.into()), message: None }
}

fn workload(uid: &str, desired: u32, ready: u32) -> Workload {
    Workload {
        kind: Kind::Deployment,
        meta: meta(uid, uid),
        desired,
        replicas: desired,
        updated: desired,
        ready,
        generation: 1,
        observed: 1,
        revision: Some(1),
        paused: false,
        stuck: None,
        release: None,
        service: uid.into(),
        changed: None,
    }
}

fn revision(uid: &str, owner: &str) -> Revision {
    let owner = Owner { kind: "Deployment".into(), name: owner.into(), uid: owner.into() };
    Revision { meta: meta(uid, uid), owner: Some(owner), number: 1, release: None, images: vec![], cause: None, desired: 1, ready: 1 }
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
    let pods = |uids: &[&str]| ClusterEvent::Pods(uids.iter().map(|uid| pod(uid, "rs", running.clone(), true)).collect());
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
    assert_eq!(cluster.pods.keys().map(Clean::as_str).collect::<Vec<_>>(), ["b", "d"]);
}

#[test]
fn a_listing_of_one_kind_leaves_the_other_workloads_alone() {
    let stateful = Workload { kind: Kind::StatefulSet, ..workload("kafka", 1, 1) };
    let cluster = cluster(&[
        ClusterEvent::Workloads(vec![workload("app", 1, 1), stateful]),
        ClusterEvent::Listing(Kind::Deployment.into()),
        ClusterEvent::Listed(Kind::Deployment.into()),
    ]);
    assert_eq!(cluster.workloads.keys().map(Clean::as_str).collect::<Vec<_>>(), ["kafka"]);
}

#[test]
fn the_worst_workload_stands_first_with_its_reason() {
    let cluster = cluster(&[
        ClusterEvent::Workloads(vec![workload("a", 1, 1), workload("ocr", 1, 0)]),
        ClusterEvent::Revisions(vec![revision("a-1", "a"), revision("ocr-1", "ocr")]),
        ClusterEvent::Pods(vec![
            pod("a-1-x", "a-1", ContainerState::Running { since: None }, true),
            pod("ocr-1-y", "ocr-1", waiting("CrashLoopBackOff"), false),
        ]),
    ]);
    let rows = cluster.rows();
    let told: Vec<_> =
        rows.iter().map(|row| (row.name().as_str(), row.severity, row.reason.as_deref(), row.why.as_deref(), row.restarts)).collect();
    assert_eq!(told, [("ocr", Severity::Critical, Some("CrashLoopBackOff"), Some("exit 1"), 2), ("a", Severity::Ok, None, None, 2)]);
}

#[test]
fn a_pod_that_runs_but_is_not_ready_is_not_called_running() {
    let unready = pod("x", "rs", ContainerState::Running { since: None }, false);
    let cluster = cluster(&[
        ClusterEvent::Workloads(vec![workload("ai", 1, 0)]),
        ClusterEvent::Revisions(vec![revision("rs", "ai")]),
        ClusterEvent::Pods(vec![unready]),
    ]);
    let rows = cluster.rows();
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
    assert_eq!(of(&pod("x", "rs", waiting("ImagePullBackOff"), false)), ("ImagePullBackOff".into(), Severity::Critical));
    let killed = ContainerState::Terminated { reason: Some("OOMKilled".into()), exit: 137, at: None };
    assert_eq!(of(&pod("x", "rs", killed, false)), ("OOMKilled".into(), Severity::Critical));
    let evicted = Pod { phase: PodPhase::Failed, reason: Some("Evicted".into()), containers: vec![], ready: false, ..running.clone() };
    assert_eq!(of(&evicted), ("Evicted".into(), Severity::Critical));
    let words = Some("0/3 nodes are available: 3 Insufficient cpu.".into());
    let homeless = Pod { phase: PodPhase::Pending, node: None, ready: false, message: words, ..pod("x", "rs", waiting("x"), false) };
    assert_eq!(of(&homeless), ("Pending".into(), Severity::Critical));
    assert_eq!(diagnose(&homeless).why.as_deref(), Some("0/3 nodes are available: 3 Insufficient cpu."));
    let mut starting = pod("x", "rs", running.containers[0].state.clone(), false);
    starting.phase = PodPhase::Pending;
    starting.containers[0].init = true;
    assert_eq!(of(&starting).0, "Init:0/1");
}
