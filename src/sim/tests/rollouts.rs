//! Restarts of what keeps its pods itself: a changed template replaces them one by one, and the status says
//! how far it is.

use serde_json::json;

use super::*;

const KAFKA: &str = "/apis/apps/v1/namespaces/medcontract-prod/statefulsets/kafka";
const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/medcontract-prod/daemonsets";

async fn restart(bench: &Bench, path: &str) -> Value {
    let operations = json!([{"op": "add", "path": "/spec/template/metadata/annotations", "value": {"kubectl.kubernetes.io/restartedAt": "2026-09-21T14:13:20Z"}}]);
    bench.patch(path, operations).await.unwrap()
}

/// The pods of an owner: name and uid.
fn pods_of(bench: &Bench, owner: &str) -> Vec<(String, String)> {
    let of = |pod: &Value, field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
    let pods = bench
        .sim
        .list("Pod")
        .into_iter()
        .filter(|pod| pod["metadata"]["ownerReferences"][0]["name"] == owner);
    pods.map(|pod| (of(&pod, "name"), of(&pod, "uid"))).collect()
}

/// Lives on, a quarter of a second at a time, until `done` holds of the object; gives the states it was in on
/// the way.
fn watch_until(bench: &Bench, path: &str, done: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut states = Vec::new();
    for _ in 0..400 {
        let status = bench.sim.object(path).unwrap()["status"].clone();
        let over = done(&status);
        states.push(status);
        if over {
            return states;
        }
        bench.clock.advance(Duration::from_millis(250));
    }
    panic!("it never came: {:?}", states.last());
}

#[tokio::test]
async fn a_stateful_set_is_rolled_from_its_last_pod_down_and_only_while_all_are_ready() {
    let bench = Bench::start(Scenario::Calm).await;
    bench
        .patch(&format!("{KAFKA}/scale"), json!([{"op": "replace", "path": "/spec/replicas", "value": 3}]))
        .await
        .unwrap();
    watch_until(&bench, KAFKA, |status| status["readyReplicas"] == 3 && status["currentReplicas"] == 3);
    let before = pods_of(&bench, "kafka");
    let then = bench.sim.object(KAFKA).unwrap();
    assert_eq!(then["status"]["currentRevision"], then["status"]["updateRevision"]);

    let patched = restart(&bench, KAFKA).await;
    let generation = patched["metadata"]["generation"].clone();
    let states = watch_until(&bench, KAFKA, |status| {
        status["observedGeneration"] == generation
            && status["currentRevision"] == status["updateRevision"]
            && status["readyReplicas"] == 3
    });
    assert!(states.iter().all(|status| status["readyReplicas"].as_i64() >= Some(2)), "one at a time");
    let under_way = states.iter().find(|status| status["updatedReplicas"] == 1).unwrap();
    assert_eq!(under_way["currentRevision"], then["status"]["currentRevision"]);
    assert_ne!(under_way["updateRevision"], then["status"]["updateRevision"]);
    assert_eq!(states.last().unwrap()["updatedReplicas"], 3);
    let after = pods_of(&bench, "kafka");
    assert!(
        before.iter().zip(&after).all(|(old, new)| old.0 == new.0 && old.1 != new.1),
        "{before:?} {after:?}"
    );
    let ended: Vec<_> =
        bench.sim.list("Event").into_iter().filter(|event| event["reason"] == "SuccessfulDelete").collect();
    let mut ended: Vec<_> =
        ended.iter().map(|event| (event["lastTimestamp"].as_str(), event["message"].as_str())).collect();
    ended.sort_unstable();
    assert_eq!(
        ended.iter().map(|(_, message)| &message.unwrap()[..18]).collect::<Vec<_>>(),
        ["delete Pod kafka-2", "delete Pod kafka-1", "delete Pod kafka-0"]
    );
}

#[tokio::test]
async fn a_daemon_set_has_a_pod_on_each_node_and_is_rolled_one_by_one() {
    let bench = Bench::start(Scenario::Calm).await;
    let labels = json!({"app": "node-exporter"});
    let path = format!("{DAEMON_SETS}/node-exporter");
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "exporter", "image": "prom/node-exporter:v1.9.0"}]}});
    let spec = json!({"selector": {"matchLabels": labels}, "template": template});
    bench.post(DAEMON_SETS, json!({"metadata": {"name": "node-exporter"}, "spec": spec})).await.unwrap();
    watch_until(&bench, &path, |status| status["numberAvailable"] == 3);
    let before = pods_of(&bench, "node-exporter");

    let generation = restart(&bench, &path).await["metadata"]["generation"].clone();
    let states = watch_until(&bench, &path, |status| {
        status["observedGeneration"] == generation
            && status["updatedNumberScheduled"] == 3
            && status["numberAvailable"] == 3
    });
    assert!(
        states
            .iter()
            .all(|status| status["numberReady"].as_i64() >= Some(2) && status["desiredNumberScheduled"] == 3),
        "one at a time"
    );
    let after = pods_of(&bench, "node-exporter");
    assert_eq!(after.len(), 3);
    assert!(before.iter().all(|(name, _)| after.iter().all(|(new, _)| new != name)));
    let nodes: std::collections::BTreeSet<_> = bench
        .sim
        .list("Pod")
        .iter()
        .filter(|pod| pod["metadata"]["labels"]["app"] == "node-exporter")
        .map(|pod| pod["spec"]["nodeName"].to_string())
        .collect();
    assert_eq!(nodes.len(), 3);

    bench.client.request::<Value>(Request::delete(&path).body(Vec::new()).unwrap()).await.unwrap();
    bench.pass(40);
    assert_eq!(pods_of(&bench, "node-exporter"), []);
}
