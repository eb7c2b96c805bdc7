//! Objects of a small cluster, well unless something else is said.

use std::sync::Arc;

use warroom::clean::Clean;
use warroom::event::{
    Amount, ClusterEvent, Container, ContainerState, Event, Kind, Meta, Node, Notice, Owner, Pod, PodPhase,
    Revision, Workload,
};

use super::at;

pub const NAMESPACE: &str = "medcontract-prod";

pub fn meta(name: &str, second: i64) -> Meta {
    Meta {
        uid: format!("uid-{name}").into(),
        namespace: NAMESPACE.into(),
        name: name.into(),
        created: at(second),
        deleting: None,
        held_by: None,
    }
}

pub fn owner(kind: &str, name: &str) -> Owner {
    Owner { kind: kind.into(), name: name.into(), uid: format!("uid-{name}").into() }
}

pub fn workload(
    kind: Kind,
    name: &str,
    (ready, desired): (u32, u32),
    revision: Option<u64>,
    release: Option<&str>,
) -> Workload {
    Workload {
        kind,
        meta: meta(name, -900_000),
        desired,
        replicas: desired,
        updated: desired,
        ready,
        generation: 3,
        observed: 3,
        revision,
        paused: false,
        stuck: None,
        release: release.map(Clean::from),
        service: name.into(),
        changed: None,
    }
}

pub fn revision(deployment: &str, number: u64, release: &str, second: i64) -> Revision {
    Revision {
        meta: meta(&format!("{deployment}-{number}"), second),
        owner: Some(owner("Deployment", deployment)),
        number,
        release: Some(release.into()),
        images: vec![format!("registry.example/{deployment}:{release}").into()],
        cause: Some(format!("release {release}").into()),
        desired: 1,
        ready: 1,
    }
}

/// A ready pod of a workload, through its ReplicaSet where it has a revision.
pub fn pod(workload: &Workload, n: u32) -> Pod {
    let name = workload.meta.name.as_str();
    let (kind, controller) =
        workload.revision.map_or(("StatefulSet", name.to_owned()), |n| ("ReplicaSet", format!("{name}-{n}")));
    Pod {
        meta: meta(&format!("{controller}-{n}"), -3_700),
        owner: Some(owner(kind, &controller).into()),
        node: Some(format!("node-{}", n % 3 + 1).into()),
        phase: PodPhase::Running,
        ready: true,
        reason: None,
        message: None,
        containers: vec![Container {
            name: "app".into(),
            image: format!("registry.example/{name}:{}", workload.release.as_deref().unwrap_or("latest"))
                .into(),
            init: false,
            ready: true,
            restarts: 0,
            state: ContainerState::Running { since: Some(at(-3_690)) },
            last: None,
            requests: Amount::default(),
            limits: Amount::default(),
        }],
    }
}

/// The pod as a crash loop leaves it.
pub fn crashing(mut pod: Pod) -> Pod {
    pod.ready = false;
    let container = &mut pod.containers[0];
    container.ready = false;
    container.restarts = 6;
    container.state = ContainerState::Waiting {
        reason: Some("CrashLoopBackOff".into()),
        message: Some("back-off 2m40s restarting failed container=app".into()),
    };
    let ended = ContainerState::Terminated {
        reason: Some("Error".into()),
        exit: 1,
        at: Some(at(-41)),
        message: None,
    };
    container.last = Some(Box::new(ended));
    pod
}

/// The pod with a readiness probe that fails.
pub fn unready(mut pod: Pod) -> Pod {
    pod.ready = false;
    pod.containers[0].ready = false;
    pod.message = Some("readiness probe failed: GET /health 503".into());
    pod
}

pub fn node(n: u32, ready: bool) -> Node {
    let message = (!ready).then(|| "kubelet stopped posting node status".into());
    Node {
        meta: meta(&format!("node-{n}"), -9_000_000),
        ready: Some(ready),
        cordoned: false,
        message,
        allocatable: Amount::default(),
        pressures: Vec::new(),
        changed: None,
    }
}

pub fn notice(about: &Meta, reason: &str, message: &str, count: u32, second: i64) -> Notice {
    Notice {
        meta: meta(&format!("{}-{reason}", about.name), second),
        about_kind: "Pod".into(),
        about: about.name.clone(),
        about_uid: about.uid.clone(),
        warning: true,
        reason: reason.into(),
        message: message.into(),
        count,
        last: at(second),
    }
}

/// A listing of everything, as at the start of a session.
pub fn listing(
    second: i64,
    workloads: Vec<Workload>,
    revisions: Vec<Revision>,
    pods: Vec<Pod>,
) -> Vec<(i64, Event)> {
    let (deployments, sets) = workloads.into_iter().partition(|w| w.kind == Kind::Deployment);
    let parts = [
        (Kind::Deployment, ClusterEvent::Workloads(deployments)),
        (Kind::StatefulSet, ClusterEvent::Workloads(sets)),
        (Kind::ReplicaSet, ClusterEvent::Revisions(revisions)),
        (Kind::Pod, ClusterEvent::Pods(pods.into_iter().map(Arc::new).collect())),
        (Kind::Node, ClusterEvent::Nodes((1..=3).map(|n| node(n, true)).collect())),
        (Kind::Event, ClusterEvent::Notices(Vec::new())),
    ];
    let told = parts.into_iter().flat_map(|(kind, objects)| {
        [ClusterEvent::Listing(kind.into()), objects, ClusterEvent::Listed(kind.into())]
    });
    told.map(|event| (second, Event::Cluster(event))).collect()
}
