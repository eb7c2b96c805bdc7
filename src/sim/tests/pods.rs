//! Pods that are deleted, evicted, made by hand; nodes that take no more of them.

use futures::{AsyncBufReadExt, StreamExt};
use serde_json::json;

use super::*;

fn path(pod: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}")
}

/// The names of the pods with this label `app`, without those on their way out.
fn pods_of(bench: &Bench, app: &str) -> Vec<String> {
    let pods = bench.sim.list("Pod").into_iter().filter(|pod| pod["metadata"]["labels"]["app"] == app);
    let active = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    active.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn delete(bench: &Bench, pod: &str, options: Value) -> Result<Value, kube::Error> {
    bench.client.request(Request::delete(path(pod)).body(options.to_string().into_bytes()).unwrap()).await
}

/// Makes a pod that nothing owns.
async fn bare(bench: &Bench, name: &str) -> Value {
    let container =
        json!({"name": "debug", "image": "busybox:1.37", "env": [{"name": "WHO", "value": "me"}]});
    let pod = json!({"metadata": {"name": name}, "spec": {"containers": [container]}});
    bench.post(&format!("/api/v1/namespaces/{NAMESPACE}/pods"), pod).await.unwrap()
}

#[tokio::test]
async fn a_deleted_pod_is_terminating_then_gone_and_its_owner_makes_another() {
    let bench = Bench::start(Scenario::Calm).await;
    let before = pods_of(&bench, "medcontracthub-app");
    let uid = bench.sim.object(&path(&before[0])).unwrap()["metadata"]["uid"].clone();
    let refused = delete(&bench, &before[0], json!({"preconditions": {"uid": "other"}})).await.unwrap_err();
    let kube::Error::Api(status) = &refused else { panic!("{refused}") };
    let expected = format!(
        "Operation cannot be fulfilled on Pod \"{}\": the UID in the precondition (other) does not match the UID in record ({}). The object might have been deleted and then recreated",
        before[0],
        uid.as_str().unwrap()
    );
    assert_eq!(
        (status.code, status.reason.as_str(), status.message.as_str()),
        (409, "Conflict", expected.as_str())
    );

    let answer = delete(&bench, &before[0], json!({"preconditions": {"uid": uid}})).await.unwrap();
    assert_eq!((&answer["kind"], &answer["metadata"]["uid"]), (&json!("Pod"), &uid));
    assert_eq!(answer["metadata"]["deletionGracePeriodSeconds"], 2);
    assert_eq!(answer["metadata"]["deletionTimestamp"], "2026-09-21T14:13:22Z");
    let again = delete(&bench, &before[0], json!({})).await.unwrap();
    assert_eq!(again["metadata"]["deletionTimestamp"], answer["metadata"]["deletionTimestamp"]);
    assert_eq!(
        bench.get(&path(&before[0])).await.unwrap()["metadata"]["uid"],
        uid,
        "it is there as long as it ends"
    );
    bench.pass(10);
    assert_eq!(code(&bench.get(&path(&before[0])).await.unwrap_err()), 404);
    let after = pods_of(&bench, "medcontracthub-app");
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[1]) && !after.contains(&before[0]));
    assert_eq!(bench.sim.object(APP).unwrap()["status"]["readyReplicas"], 2);
}

#[tokio::test]
async fn without_grace_a_pod_is_gone_at_once() {
    let bench = Bench::start(Scenario::Calm).await;
    let uid = bench.sim.object(&path("redis-cluster-0")).unwrap()["metadata"]["uid"].clone();
    let answer = delete(&bench, "redis-cluster-0", json!({"gracePeriodSeconds": 0})).await.unwrap();
    assert_eq!((&answer["kind"], &answer["metadata"]["uid"]), (&json!("Pod"), &uid));
    assert_eq!(answer["metadata"]["deletionTimestamp"], Value::Null);
    assert_eq!(code(&bench.get(&path("redis-cluster-0")).await.unwrap_err()), 404);
    bench.pass(10);
    let new = bench.get(&path("redis-cluster-0")).await.unwrap();
    assert_ne!(new["metadata"]["uid"], uid);
}

#[tokio::test]
async fn a_dry_run_and_an_eviction() {
    let bench = Bench::start(Scenario::Calm).await;
    let before = bench.sim.hash();
    delete(&bench, "kafka-0", json!({"dryRun": ["All"]})).await.unwrap();
    assert_eq!(bench.sim.hash(), before);
    delete(&bench, "redis-cluster-0?dryRun=All", json!({"apiVersion": "v1", "kind": "DeleteOptions"}))
        .await
        .unwrap();
    let deleted =
        bench.sim.object(&path("redis-cluster-0")).unwrap()["metadata"]["deletionTimestamp"].is_string();
    assert!(deleted, "the options of a body are all that there are");
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "kafka-0"}});
    let answer = bench.post(&format!("{}/eviction", path("kafka-0")), eviction).await.unwrap();
    assert_eq!(
        answer,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
    );
    assert!(bench.sim.object(&path("kafka-0")).unwrap()["metadata"]["deletionTimestamp"].is_string());
}

#[tokio::test]
async fn a_bare_pod_runs_and_once_deleted_is_gone_for_good() {
    let bench = Bench::start(Scenario::Calm).await;
    let made = bare(&bench, "debug").await;
    assert_eq!(
        (&made["status"]["phase"], &made["spec"]["terminationGracePeriodSeconds"]),
        (&json!("Pending"), &json!(30))
    );
    bench.pass(10);
    let runs = bench.get(&path("debug")).await.unwrap();
    assert_eq!(
        (&runs["status"]["phase"], &runs["metadata"]["ownerReferences"]),
        (&json!("Running"), &Value::Null)
    );
    let answer = delete(&bench, "debug", json!({})).await.unwrap();
    assert_eq!(answer["metadata"]["deletionGracePeriodSeconds"], 30);
    bench.pass(30);
    assert_eq!(code(&bench.get(&path("debug")).await.unwrap_err()), 404);
}

#[tokio::test]
async fn a_cordoned_node_takes_no_new_pods_and_a_watch_tells_it() {
    let bench = Bench::start(Scenario::Calm).await;
    let nodes = ["ip-10-0-1-11.ec2.internal", "ip-10-0-2-12.ec2.internal", "ip-10-0-3-13.ec2.internal"];
    let version =
        bench.get("/api/v1/nodes").await.unwrap()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let watch =
        Request::get(format!("/api/v1/nodes?watch=1&resourceVersion={version}")).body(Vec::new()).unwrap();
    let mut events = bench.client.request_stream(watch).await.unwrap().lines();
    for node in nodes {
        let patched = bench
            .patch(
                &format!("/api/v1/nodes/{node}"),
                json!([{"op": "add", "path": "/spec/unschedulable", "value": true}]),
            )
            .await;
        assert_eq!(patched.unwrap()["spec"]["unschedulable"], true);
    }
    let event: Value = serde_json::from_str(&events.next().await.unwrap().unwrap()).unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["spec"]["unschedulable"]),
        (&json!("MODIFIED"), &json!(true))
    );
    bare(&bench, "debug").await;
    bench.pass(10);
    let waits = bench.sim.object(&path("debug")).unwrap();
    let why = "0/3 nodes are available: 3 node(s) were unschedulable. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    assert_eq!(
        (&waits["status"]["phase"], &waits["status"]["conditions"][0]["message"]),
        (&json!("Pending"), &json!(why))
    );
    assert_eq!(bench.sim.list("Node")[1]["spec"]["taints"][0]["key"], "node.kubernetes.io/unschedulable");

    let open = json!([{"op": "test", "path": "/spec/unschedulable", "value": true}, {"op": "replace", "path": "/spec/unschedulable", "value": false}]);
    bench.patch(&format!("/api/v1/nodes/{}", nodes[1]), open).await.unwrap();
    bench.pass(10);
    let runs = bench.sim.object(&path("debug")).unwrap();
    assert_eq!((&runs["status"]["phase"], &runs["spec"]["nodeName"]), (&json!("Running"), &json!(nodes[1])));
    let node = &bench.sim.list("Node")[1]["spec"];
    assert!(node.get("unschedulable").is_none() && node.get("taints").is_none(), "{node}");
}
