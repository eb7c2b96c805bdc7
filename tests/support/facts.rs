//! What the server has, and what a session knows of it, in a form in which both can be compared.

use std::collections::BTreeMap;

use serde_json::Value;
use warroom::sim::Sim;
use warroom::state::World;

/// Ready, wanted and generation of each object, by its identity.
pub type Facts = BTreeMap<String, (u64, u64, i64)>;

/// What the server has.
pub fn there(sim: &Sim) -> Facts {
    let number = |object: &Value, at: &str| object.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let ready = |object: &Value| {
        let all = object["status"]["conditions"].as_array().into_iter().flatten();
        u64::from(
            all.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True"),
        )
    };
    let fact = |kind: &str, object: &Value| match kind {
        "Pod" | "Node" => (ready(object), 0, 0),
        "ReplicaSet" => (number(object, "/status/readyReplicas"), number(object, "/spec/replicas"), 0),
        _ => {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
            (number(object, "/status/readyReplicas"), number(object, "/spec/replicas"), generation)
        }
    };
    let of = |kind: &'static str| {
        sim.list(kind)
            .into_iter()
            .map(move |object| (uid(kind, object["metadata"]["uid"].as_str().unwrap()), fact(kind, &object)))
    };
    ["Pod", "Node", "ReplicaSet", "Deployment", "StatefulSet"].into_iter().flat_map(of).collect()
}

/// What the session knows of it.
pub fn known(world: &World) -> Facts {
    let cluster = &world.cluster;
    let pods = cluster.pods.values().map(|pod| (uid("Pod", pod.meta.uid.id()), (u64::from(pod.ready), 0, 0)));
    let nodes = cluster
        .nodes
        .values()
        .map(|node| (uid("Node", node.meta.uid.id()), (u64::from(node.ready == Some(true)), 0, 0)));
    let sets = cluster
        .revisions
        .values()
        .map(|set| (uid("ReplicaSet", set.meta.uid.id()), (set.ready.into(), set.desired.into(), 0)));
    let workloads = cluster.workloads.values().map(|w| {
        (uid(&format!("{:?}", w.kind), w.meta.uid.id()), (w.ready.into(), w.desired.into(), w.generation))
    });
    pods.chain(nodes).chain(sets).chain(workloads).collect()
}

fn uid(kind: &str, uid: &str) -> String {
    format!("{kind} {uid}")
}
