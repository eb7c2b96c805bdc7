//! Objects that tests begin with: plain and well. Each test says what is different in its own with `..`.

use std::collections::BTreeMap;

use chrono::DateTime;
use ulid::Ulid;

use super::{
    Amount, Command, Container, ContainerState, Danger, DryRun, Expectation, Intent, Kind, Made, Meta, Node,
    Op, Plan, Pod, PodPhase, Revision, Sealed, Server, StepCall, Target, Workload, Write,
};
use crate::clean::Clean;

/// Made at the beginning of time, with its name as its identity.
pub fn meta(name: &str) -> Meta {
    Meta {
        uid: name.into(),
        namespace: "prod".into(),
        name: name.into(),
        created: DateTime::UNIX_EPOCH,
        deleting: None,
        held_by: None,
    }
}

/// A Deployment with all of its replicas ready.
pub fn deployment(meta: Meta, replicas: u32) -> Workload {
    let service = meta.name.clone();
    Workload {
        kind: Kind::Deployment,
        meta,
        desired: replicas,
        replicas,
        updated: replicas,
        ready: replicas,
        generation: 1,
        observed: 1,
        revision: Some(1),
        paused: false,
        stuck: None,
        release: None,
        service,
        changed: None,
    }
}

/// The first revision of something.
pub fn revision(meta: Meta) -> Revision {
    Revision {
        meta,
        owner: None,
        number: 1,
        release: None,
        images: vec![],
        cause: None,
        desired: 1,
        ready: 1,
    }
}

/// A container that runs.
pub fn container(name: &str) -> Container {
    Container {
        name: name.into(),
        image: "i".into(),
        init: false,
        ready: true,
        restarts: 0,
        state: ContainerState::Running { since: None },
        last: None,
        requests: Amount::default(),
        limits: Amount::default(),
    }
}

/// A pod that runs, of nobody, on no node.
pub fn pod(meta: Meta, containers: Vec<Container>) -> Pod {
    Pod {
        meta,
        owner: None,
        node: None,
        phase: PodPhase::Running,
        ready: true,
        reason: None,
        message: None,
        containers,
    }
}

/// A node that is ready.
pub fn node(meta: Meta) -> Node {
    Node {
        meta,
        ready: Some(true),
        cordoned: false,
        message: None,
        allocatable: Amount::default(),
        pressures: Vec::new(),
        changed: None,
    }
}

/// An object of the main cluster.
pub fn target(name: &str) -> Target {
    Target {
        cluster: "https://prod".into(),
        identity: "uid:prod".into(),
        context: Clean::default(),
        kind: "deployment".into(),
        namespace: "ns".into(),
        name: name.into(),
        uid: "u".into(),
    }
}

/// A scaling that was confirmed.
pub fn intent() -> Intent {
    let call = |replicas: &str| {
        let inputs = [("deployment", "worker"), ("replicas", replicas)];
        StepCall::new("scale", inputs.map(|(name, value)| (name.into(), value.into())).into())
    };
    Intent {
        id: Ulid::from_parts(1, 1),
        call: call("3"),
        title: "scale worker 1 → 3".into(),
        danger: Danger::Change,
        target: target("worker"),
        ops: vec![Op::Write(write())],
        checks: vec![],
        verify_within: 60,
        undo: Some(call("1")),
        command: Command::plain("kubectl scale deployment worker --replicas=3"),
        actor: "dana".into(),
    }
}

/// Its one request.
pub fn write() -> Write {
    Write {
        server: Server::Cluster,
        target: target("worker"),
        method: "PATCH".into(),
        path: "/apis/apps/v1/namespaces/ns/deployments/worker/scale".into(),
        content_type: "application/json-patch+json".into(),
        body: Sealed::Open(serde_json::json!([])),
        expect: Expectation {
            made: Made::Values,
            path: "/apis/apps/v1/namespaces/ns/deployments/worker".into(),
            values: BTreeMap::new(),
            before: BTreeMap::new(),
            managed_before: None,
            generation_before: 1,
        },
    }
}

/// Returns the plan of that intent, as a preflight without findings has it.
pub fn plan() -> Plan {
    Plan {
        intent: intent(),
        diff: Vec::new(),
        dry_run: DryRun::Accepted,
        rights: Vec::new(),
        facts: Vec::new(),
        touches: "1 of 1".into(),
        naming: None,
    }
}
