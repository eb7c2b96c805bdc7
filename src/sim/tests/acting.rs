//! Acting: what an operator does changes what happens next.

use serde_json::json;

use super::*;
use crate::sim::scenario::{Release, ServiceFault};

/// The `ReplicaSets` of the app by revision: name and size.
fn revisions(bench: &Bench) -> Vec<(i64, String, i64)> {
    let sets = bench
        .sim
        .list("ReplicaSet")
        .into_iter()
        .filter(|set| set["metadata"]["labels"]["app"] == "medcontracthub-app");
    let mut all: Vec<_> = sets
        .map(|set| {
            let revision = set["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            (
                revision,
                set["metadata"]["name"].as_str().unwrap().to_owned(),
                set["spec"]["replicas"].as_i64().unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

fn template_of(bench: &Bench, set: &str) -> Value {
    let set = bench.sim.object(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets/{set}")).unwrap();
    let mut template = set["spec"]["template"].clone();
    template["metadata"]["labels"].as_object_mut().unwrap().remove("pod-template-hash");
    template
}

#[tokio::test]
async fn what_is_applied_is_created_and_changed_unless_somebody_else_manages_it() {
    let bench = Bench::start(Scenario::Calm).await;
    let path = format!("/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/destinationrules/r");
    let apply = async |manager: &str, uid: Value, interval: &str| {
        let policy = json!({"outlierDetection": {"interval": interval}});
        let rule = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": {"name": "r", "namespace": NAMESPACE, "uid": uid},
            "spec": {"host": "ocr-service", "trafficPolicy": policy},
        });
        let request = Request::patch(format!("{path}?fieldManager={manager}"))
            .header("content-type", "application/apply-patch+yaml")
            .body(rule.to_string().into_bytes());
        bench.client.request::<Value>(request.unwrap()).await
    };
    let recreated = apply("a", json!("0"), "5s").await.unwrap_err();
    assert_eq!(code(&recreated), 409, "there is none of that uid");
    let made = apply("a", Value::Null, "5s").await.unwrap();
    let uid = made["metadata"]["uid"].clone();
    let entry = &made["metadata"]["managedFields"][0];
    assert!(
        uid.is_string() && entry["operation"] == "Apply" && made["metadata"]["generation"] == 1,
        "{made}"
    );
    let changed = apply("a", uid.clone(), "6s").await.unwrap();
    assert_eq!((&changed["metadata"]["uid"], &changed["metadata"]["generation"]), (&uid, &json!(2)));
    apply("b", uid.clone(), "6s").await.unwrap();
    let conflict = apply("c", uid, "7s").await.unwrap_err();
    assert_eq!(code(&conflict), 409);
    let words = "using networking.istio.io/v1: .spec.trafficPolicy.outlierDetection.interval";
    assert!(conflict.to_string().contains(words), "{conflict}");
}

#[tokio::test]
async fn a_bad_release_is_ended_by_undoing_it_and_the_old_replica_set_gets_a_new_revision() {
    let bench = Bench::start(Scenario::BadRelease).await;
    let before = revisions(&bench);
    assert_eq!(before.iter().map(|row| (row.0, row.2)).collect::<Vec<_>>(), [(1, 0), (2, 0), (3, 2)]);
    assert!(bench.query(RATIO).await.unwrap() < 0.01);
    bench.pass(60);
    assert!(bench.query(RATIO).await.unwrap() > 0.2);
    let alerts = bench.alerts().await;
    assert_eq!(
        alerts[0]["labels"],
        json!({"alertname": "HighErrorRate", "service": "medcontracthub-app", "severity": "critical"})
    );
    assert_eq!(revisions(&bench).last().map(|row| (row.0, row.2)), Some((4, 2)));

    let mut good = template_of(&bench, &before[2].1);
    good["metadata"]["creationTimestamp"] = Value::Null; // as clients written in Go send it
    let patch = json!([{"op": "test", "path": "/metadata/uid", "value": bench.sim.object(APP).unwrap()["metadata"]["uid"]},
                       {"op": "replace", "path": "/spec/template", "value": good}]);
    bench.patch(APP, patch).await.unwrap();
    bench.pass(60);
    let after = revisions(&bench);
    assert_eq!(after.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 4, 5]);
    assert_eq!((after[3].1.as_str(), after[3].2), (before[2].1.as_str(), 2));
    let set = bench
        .sim
        .object(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets/{}", after[3].1))
        .unwrap();
    assert_eq!(set["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"], "3");
    let app = bench.sim.object(APP).unwrap();
    assert_eq!(app["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "5");
    assert_eq!(app["status"]["observedGeneration"], app["metadata"]["generation"]);
    assert_eq!(app["status"]["updatedReplicas"], 2);
    assert!(bench.query(RATIO).await.unwrap() < 0.01);
    assert_eq!(bench.alerts().await, json!([]));
}

#[tokio::test]
async fn more_workers_drain_the_lag() {
    let bench = Bench::start(Scenario::LagBuildUp).await;
    bench.pass(68);
    let grown = bench.lag();
    assert!((15_000..21_000).contains(&grown), "{grown}");
    let path =
        format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/worker-service/scale?fieldManager=warroom");
    let scale = bench.get(&path).await.unwrap();
    let operations = json!([{"op": "test", "path": "/metadata/uid", "value": scale["metadata"]["uid"]},
                       {"op": "replace", "path": "/spec/replicas", "value": 10}]);
    assert_eq!(bench.patch(&path, operations).await.unwrap()["spec"]["replicas"], 10);
    bench.pass(120);
    assert!(bench.lag() < 100, "{}", bench.lag());
    let worker = bench.deployments().get("worker-service").await.unwrap();
    assert_eq!(worker.status.unwrap().ready_replicas, Some(10));
    let by_us = worker
        .metadata
        .managed_fields
        .unwrap()
        .into_iter()
        .find(|entry| entry.manager.as_deref() == Some("warroom"))
        .unwrap();
    assert_eq!(by_us.subresource.as_deref(), Some("scale"));
}

#[tokio::test]
async fn a_crash_loop_backs_off_and_a_flag_ends_the_failures() {
    let bench = Bench::start(Scenario::OcrCrash).await;
    bench.pass(90);
    let pods = bench.sim.list("Pod");
    let ocr = pods.iter().find(|pod| pod["metadata"]["labels"]["app"] == "ocr-service").unwrap();
    let status = &ocr["status"]["containerStatuses"][0];
    assert!(status["restartCount"].as_i64().unwrap() >= 2, "{status}");
    assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 1);
    assert!(bench.sim.list("Event").iter().any(|event| event["reason"] == "BackOff"));
    assert!(bench.query(RATIO).await.unwrap() > 0.1);

    let env = bench.sim.object(APP).unwrap()["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let flag = env
        .as_array()
        .unwrap()
        .iter()
        .position(|variable| variable["name"] == "FEATURE_OCR_PROCESSING")
        .unwrap();
    let path = format!("/spec/template/spec/containers/0/env/{flag}/value");
    bench
        .patch(APP, json!([{"op": "test", "path": path, "value": "true"}, {"op": "replace", "path": path, "value": "false"}]))
        .await
        .unwrap();
    bench.pass(60);
    assert!(bench.query(RATIO).await.unwrap() < 0.01);
}

#[tokio::test]
async fn an_unhealthy_service_is_not_ready_and_says_why() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.release(&Release::fault("ai-service", ServiceFault::Unhealthy));
    bench.pass(30);
    let ai = bench.deployments().get("ai-service").await.unwrap().status.unwrap();
    assert_eq!((ai.ready_replicas, ai.unavailable_replicas), (None, Some(1)));
    let events = bench.sim.list("Event");
    let unhealthy = events.iter().find(|event| event["reason"] == "Unhealthy").unwrap();
    assert_eq!(unhealthy["message"], "Readiness probe failed: HTTP probe failed with statuscode: 503");
    assert!(bench.query(RATIO).await.unwrap() > 0.1);
    bench.sim.release(&Release::default());
    bench.pass(60);
    assert!(bench.query(RATIO).await.unwrap() < 0.01);
}

#[tokio::test]
async fn what_does_not_hold_is_refused_and_changes_nothing() {
    let bench = Bench::start(Scenario::Calm).await;
    let before = bench.sim.hash();
    let cases = [
        (
            json!([{"op": "test", "path": "/metadata/uid", "value": "other"}, {"op": "replace", "path": "/spec/replicas", "value": 5}]),
            422,
        ),
        (json!([{"op": "replace", "path": "/spec/replicas", "value": -1}]), 422),
        (json!([{"op": "replace", "path": "/metadata/uid", "value": "other"}]), 422),
        (json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]), 409),
        (json!([{"op": "replace", "path": "/spec/selector/matchLabels/app", "value": "x"}]), 422),
        (json!([{"op": "invent", "path": "/spec/replicas", "value": 5}]), 422),
        (json!({"spec": {"replicas": 5}}), 400),
        (json!([{"op": "replace", "path": "/spec/replicas", "value": "five"}]), 422),
    ];
    let count = cases.len();
    for (patch, expected) in cases {
        assert_eq!(code(&bench.patch(APP, patch.clone()).await.unwrap_err()), expected, "{patch}");
    }
    assert_eq!(code(&bench.patch(&APP.replace("hub-app", "hub"), json!([])).await.unwrap_err()), 404);
    let dry = json!([{"op": "replace", "path": "/spec/replicas", "value": 5}]);
    let shown = bench.patch(&format!("{APP}?dryRun=All&fieldManager=warroom"), dry).await.unwrap();
    assert_eq!((&shown["spec"]["replicas"], &shown["metadata"]["generation"]), (&json!(5), &json!(2)));
    assert_eq!(bench.sim.hash(), before);
    let seen = bench.sim.requests();
    assert_eq!(seen.len(), count + 2);
    assert!(seen.iter().all(|request| !request.applied));
    assert!(seen[count + 1].dry_run && seen[count + 1].field_manager.as_deref() == Some("warroom"));
}

#[tokio::test]
async fn objects_are_created_and_deleted_if_they_are_the_ones_that_were_meant() {
    let bench = Bench::start(Scenario::Calm).await;
    let rules = format!("/apis/networking.istio.io/v1beta1/namespaces/{NAMESPACE}/destinationrules");
    let body = json!({"apiVersion": "networking.istio.io/v1beta1", "kind": "DestinationRule", "metadata": {"name": "cb"}, "spec": {"host": "ai-service"}});
    let post = || {
        Request::post(&rules)
            .header("content-type", "application/json")
            .body(body.to_string().into_bytes())
            .unwrap()
    };
    let made: Value = bench.client.request(post()).await.unwrap();
    assert!(made["metadata"]["uid"].is_string());
    assert_eq!(code(&bench.client.request::<Value>(post()).await.unwrap_err()), 409);
    let delete = |uid: &str| {
        let options = json!({"preconditions": {"uid": uid}});
        Request::delete(format!("{rules}/cb")).body(options.to_string().into_bytes()).unwrap()
    };
    assert_eq!(code(&bench.client.request::<Value>(delete("other")).await.unwrap_err()), 409);
    bench.client.request::<Value>(delete(made["metadata"]["uid"].as_str().unwrap())).await.unwrap();
    assert_eq!(code(&bench.get(&format!("{rules}/cb")).await.unwrap_err()), 404);
}

#[tokio::test]
async fn a_recreated_object_has_another_uid_and_its_pods_are_replaced() {
    let bench = Bench::start(Scenario::Calm).await;
    let before = bench.sim.object(APP).unwrap()["metadata"]["uid"].clone();
    assert!(bench.sim.recreate("Deployment", NAMESPACE, "medcontracthub-app"));
    bench.pass(30);
    let after = bench.sim.object(APP).unwrap();
    assert_ne!(after["metadata"]["uid"], before);
    assert_eq!(after["status"]["readyReplicas"], 2);
    assert_eq!(revisions(&bench).len(), 1);
}

#[tokio::test]
async fn a_stuck_rollout_keeps_the_old_pods_and_says_so_after_its_deadline() {
    let bench = Bench::start(Scenario::Calm).await;
    let app = bench.sim.object(APP).unwrap();
    let env = app["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap().len();
    let path = format!("/spec/template/spec/containers/0/env/{env}");
    bench
        .patch(APP, json!([{"op": "add", "path": path, "value": {"name": "FAULT", "value": "unhealthy"}}]))
        .await
        .unwrap();
    bench.pass(60);
    let status = &bench.sim.object(APP).unwrap()["status"];
    assert_eq!(
        (&status["availableReplicas"], &status["updatedReplicas"], &status["replicas"]),
        (&json!(2), &json!(1), &json!(3))
    );
    let progressing = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|condition| condition["type"] == "Progressing")
        .unwrap();
    assert_eq!(
        (&progressing["status"], &progressing["reason"]),
        (&json!("False"), &json!("ProgressDeadlineExceeded"))
    );
}
