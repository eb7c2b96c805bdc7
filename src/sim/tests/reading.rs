//! Reading: lists, watches, logs, exec, metrics.

use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, AttachParams, ListParams, LogParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use axum::http::Method;

use super::*;
use crate::sim::fault::{Fault, When};
use crate::sim::scenario::{Release, ServiceFault};

fn pods(bench: &Bench) -> Api<Pod> {
    Api::namespaced(bench.client.clone(), NAMESPACE)
}

#[tokio::test]
async fn pages_are_one_list_at_the_version_of_the_first() {
    let bench = Bench::with(|config| config.extra_pods = 250, Scenario::Calm).await;
    let all: Api<Pod> = Api::all(bench.client.clone());
    let mut params = ListParams::default().limit(100);
    let mut names = Vec::new();
    let mut versions = Vec::new();
    loop {
        let page = all.list(&params).await.unwrap();
        names.extend(page.iter().map(|pod| (pod.namespace().unwrap(), pod.name_any())));
        versions.push(page.metadata.resource_version.clone());
        bench.sim.delete("Pod", "scale", &names[names.len() - 1].1);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = ListParams::default().limit(100).continue_token(&token),
            None => break,
        }
    }
    let expected =
        250 + bench.sim.list("Pod").iter().filter(|pod| pod["metadata"]["namespace"] == NAMESPACE).count();
    assert_eq!(names.len(), expected);
    assert!(names.is_sorted() && versions.windows(2).all(|pair| pair[0] == pair[1]));

    let first = all.list(&ListParams::default().limit(100)).await.unwrap();
    bench.sim.compact();
    let token = first.metadata.continue_.unwrap();
    assert_eq!(
        code(&all.list(&ListParams::default().limit(100).continue_token(&token)).await.unwrap_err()),
        410
    );
}

#[tokio::test]
async fn selectors_choose_on_the_server() {
    let bench = Bench::start(Scenario::Calm).await;
    assert_eq!(
        pods(&bench).list(&ListParams::default().labels("app=medcontracthub-app")).await.unwrap().items.len(),
        2
    );
    assert_eq!(
        pods(&bench).list(&ListParams::default().fields("metadata.name=kafka-0")).await.unwrap().items.len(),
        1
    );
    assert_eq!(code(&pods(&bench).list(&ListParams::default().fields("spec.x=1")).await.unwrap_err()), 400);
}

#[tokio::test]
async fn a_watch_sends_changes_and_ends_with_gone_once_its_version_is_forgotten() {
    let bench = Bench::start(Scenario::Calm).await;
    let version = pods(&bench).list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut events =
        pods(&bench).watch(&WatchParams::default().timeout(120), &version).await.unwrap().boxed();
    assert!(bench.sim.delete("Pod", NAMESPACE, "redis-cluster-0"));
    let Some(Ok(WatchEvent::Modified(pod))) = events.next().await else {
        panic!("the deletion is announced first")
    };
    assert!(pod.metadata.deletion_timestamp.is_some() && pod.name_any() == "redis-cluster-0");
    bench.pass(2);
    let Some(Ok(WatchEvent::Deleted(pod))) = events.next().await else { panic!("then the pod is gone") };
    let again = events
        .try_filter(|event| std::future::ready(matches!(event, WatchEvent::Added(_))))
        .next()
        .await
        .unwrap()
        .unwrap();
    let WatchEvent::Added(new) = again else { unreachable!() };
    assert_eq!(new.name_any(), pod.name_any());
    assert_ne!(new.uid(), pod.uid());

    bench.sim.compact();
    let mut late = pods(&bench).watch(&WatchParams::default(), &version).await.unwrap().boxed();
    let Some(Ok(WatchEvent::Error(status))) = late.next().await else { panic!("an ERROR event") };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    assert!(late.next().await.is_none());
}

#[tokio::test]
async fn a_streaming_list_ends_with_its_bookmark_and_later_ones_come_by_the_minute() {
    let bench = Bench::start(Scenario::Calm).await;
    let path = format!(
        "/api/v1/namespaces/{NAMESPACE}/pods?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    );
    let lines =
        bench.client.request_stream(Request::get(path).body(Vec::new()).unwrap()).await.unwrap().lines();
    let mut events = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()).boxed();
    let mut added = 0;
    let bookmark = loop {
        let event = events.next().await.unwrap();
        match event["type"].as_str() {
            Some("ADDED") => added += 1,
            _ => break event,
        }
    };
    assert_eq!(added, bench.sim.list("Pod").len());
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    bench.pass(61);
    let event = events.next().await.unwrap();
    assert_eq!(event["type"], "BOOKMARK");
    assert_eq!(event["object"]["metadata"]["annotations"], Value::Null);
}

#[tokio::test]
async fn logs_are_the_lines_of_the_process_and_go_on_when_followed() {
    let bench = Bench::start(Scenario::Calm).await;
    let app = pods(&bench).list(&ListParams::default().labels("app=medcontracthub-app")).await.unwrap().items
        [0]
    .name_any();
    let tail = pods(&bench)
        .logs(&app, &LogParams { tail_lines: Some(3), timestamps: true, ..LogParams::default() })
        .await
        .unwrap();
    assert_eq!(tail.lines().count(), 3);
    let (at, line) = tail.lines().last().unwrap().split_once(' ').unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((line["service"].as_str(), line["ts"].as_str()), (Some("medcontracthub-app"), Some(at)));
    let followed = pods(&bench)
        .log_stream(&app, &LogParams { follow: true, tail_lines: Some(0), ..LogParams::default() })
        .await
        .unwrap();
    bench.pass(5);
    let next = followed.lines().next().await.unwrap().unwrap();
    assert!(next.contains("\"served\""), "{next}");
}

#[tokio::test]
async fn a_hostile_log_carries_escapes_and_a_byte_that_is_no_text() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.release(&Release::fault("realtime-service", ServiceFault::Hostile));
    bench.pass(20);
    let name = pods(&bench).list(&ListParams::default().labels("app=realtime-service")).await.unwrap().items
        [0]
    .name_any();
    let url = format!("{}/api/v1/namespaces/{NAMESPACE}/pods/{name}/log", bench.sim.kubernetes_url());
    let bytes = http_client().get(url).send().await.unwrap().bytes().await.unwrap();
    assert!(bytes.windows(5).any(|part| part == b"\x1b]52;"));
    assert!(std::str::from_utf8(&bytes).is_err());
}

async fn exec(bench: &Bench, pod: &str, command: &[&str]) -> (String, String, Option<String>) {
    let mut attached = pods(bench)
        .exec(pod, command.to_vec(), &AttachParams::default().stdout(true).stderr(true))
        .await
        .unwrap();
    let mut out = String::new();
    let mut err = String::new();
    let mut stdout = attached.stdout().unwrap();
    let mut stderr = attached.stderr().unwrap();
    let status = attached.take_status().unwrap();
    let (_, _, status) =
        tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err), status);
    let code = status.and_then(|status| status.details?.causes?.pop()?.message);
    (out, err, code)
}

#[tokio::test]
async fn exec_runs_the_commands_of_the_runbook() {
    let bench = Bench::start(Scenario::Calm).await;
    let (out, err, code) = exec(
        &bench,
        "kafka-0",
        &["kafka-consumer-groups.sh", "--bootstrap-server", "kafka:9092", "--describe", "--all-groups"],
    )
    .await;
    assert_eq!(out.lines().filter(|line| line.starts_with("worker-service")).count(), 6);
    assert!(err.contains("Consumer group 'nightly-export' has no active members."));
    assert_eq!(code, None);
    let worker = pods(&bench).list(&ListParams::default().labels("app=worker-service")).await.unwrap().items
        [0]
    .name_any();
    assert_eq!(
        exec(&bench, &worker, &["wget", "-qO-", "localhost:8080/health"]).await.0,
        r#"{"status":"ok","service":"worker-service","version":"v1.2.3"}"#
    );
    assert_eq!(exec(&bench, &worker, &["sh", "-c", "true"]).await.2.as_deref(), Some("127"));
    let app = pods(&bench).list(&ListParams::default().labels("app=medcontracthub-app")).await.unwrap().items
        [0]
    .name_any();
    let (out, _, code) = exec(&bench, &app, &["npm", "run", "db:health"]).await;
    assert_eq!((serde_json::from_str::<Value>(&out).unwrap()["status"].as_str(), code), (Some("ok"), None));
    assert_eq!(exec(&bench, &worker, &["npm", "run", "db:health"]).await.2.as_deref(), Some("127"));
    assert_eq!(exec(&bench, &app, &["printenv", "FEATURE_AI_PROPOSALS"]).await.0, "true\n");
}

#[tokio::test]
async fn commands_print_much_or_escapes_and_end_with_a_code() {
    let bench = Bench::start(Scenario::Calm).await;
    assert_eq!(
        exec(&bench, "kafka-0", &["echo", "a  b", "c"]).await,
        ("a  b c\n".to_owned(), String::new(), None)
    );
    assert_eq!(exec(&bench, "kafka-0", &["printenv", "NOTHING"]).await.2.as_deref(), Some("1"));
    assert_eq!(exec(&bench, "kafka-0", &["false"]).await.2.as_deref(), Some("1"));
    assert_eq!(
        exec(&bench, "kafka-0", &["printf", r"\033]52;c;b3duZWQ=\007"]).await.0,
        "\u{1b}]52;c;b3duZWQ=\u{7}"
    );
    let (out, _, code) = exec(&bench, "kafka-0", &["seq", "200000"]).await;
    assert_eq!((out.lines().count(), out.lines().last(), code), (200_000, Some("200000"), None));
}

#[tokio::test]
async fn a_command_may_run_for_long_and_be_cut_before_its_status() {
    let bench = Bench::start(Scenario::Calm).await;
    let params = AttachParams::default().stdout(true).stderr(true);
    let mut attached = pods(&bench).exec("kafka-0", ["top"], &params).await.unwrap();
    let mut stdout = attached.stdout().unwrap();
    let status = attached.take_status().unwrap();
    let mut line = [0; 3];
    stdout.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"Mem");
    bench.sim.faults().cut_watches();
    assert!(status.await.is_none());

    let mut attached = pods(&bench).exec("kafka-0", ["sleep", "60"], &params).await.unwrap();
    bench.pass(60);
    assert_eq!(attached.take_status().unwrap().await.unwrap().status.as_deref(), Some("Success"));

    bench.sim.faults().on(Method::GET, "/exec", When::Nth(1), Fault::Cut { applied: true });
    assert!(pods(&bench).exec("kafka-0", ["true"], &params).await.is_err());
}

#[tokio::test]
async fn of_several_containers_one_has_to_be_named() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.edit("Pod", NAMESPACE, "kafka-0", |pod| {
        let containers = pod["spec"]["containers"].as_array_mut().unwrap();
        containers
            .push(json!({"name": "sidecar", "image": "proxy:1", "env": [{"name": "WHO", "value": "me"}]}));
    });
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/kafka-0/exec?command=true&stdout=true");
    let kube::Error::Api(status) = bench.get(&path).await.unwrap_err() else {
        panic!("not an answer of the API")
    };
    assert_eq!(
        (status.code, status.message.as_str()),
        (400, "a container name must be specified for pod kafka-0, choose one of: [kafka sidecar]")
    );
    let kube::Error::Api(status) = bench.get(&format!("{path}&container=sidecar")).await.unwrap_err() else {
        panic!("not an answer of the API")
    };
    assert_eq!((status.code, status.message.as_str()), (400, "Upgrade request required"));
    let params = AttachParams::default().stdout(true).stderr(false).container("sidecar");
    let mut attached = pods(&bench).exec("kafka-0", ["printenv", "WHO"], &params).await.unwrap();
    let mut out = String::new();
    attached.stdout().unwrap().read_to_string(&mut out).await.unwrap();
    assert_eq!(out, "me\n");
}

#[tokio::test]
async fn figures_of_nodes_and_pods() {
    let bench = Bench::start(Scenario::Calm).await;
    let nodes = bench.get("/apis/metrics.k8s.io/v1beta1/nodes").await.unwrap();
    assert_eq!(nodes["items"].as_array().map(Vec::len), Some(3));
    let one = bench
        .get(&format!("/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods/kafka-0"))
        .await
        .unwrap();
    assert!(one["containers"][0]["usage"]["cpu"].as_str().unwrap().ends_with('m'));
}

#[tokio::test]
async fn prometheus_answers_in_its_own_envelope() {
    let bench = Bench::with(|config| config.measured = Duration::from_secs(30 * 60), Scenario::Calm).await;
    let total =
        bench.query(r#"sum(rate(http_requests_total{service="medcontracthub-app"}[30s]))"#).await.unwrap();
    assert!((total - 120.0).abs() < 1.0, "{total}");
    assert!(bench.query("sum(rate(http_requests_total[25m]))").await.is_some(), "there is a past");
    let wrong = bench.prometheus("/api/v1/query", &[("query", "sum(")]).await;
    assert_eq!((wrong["status"].as_str(), wrong["errorType"].as_str()), (Some("error"), Some("bad_data")));
    let range = [("query", "sum(up)"), ("start", "1789999940"), ("end", "1790000000"), ("step", "15")];
    let matrix = bench.prometheus("/api/v1/query_range", &range).await;
    assert_eq!(matrix["data"]["result"][0]["values"].as_array().map(Vec::len), Some(5));
    let fine = [("query", "up"), ("start", "0"), ("end", "1790000000"), ("step", "1")];
    assert!(
        bench.prometheus("/api/v1/query_range", &fine).await["error"]
            .as_str()
            .unwrap()
            .contains("11,000 points")
    );
    assert_eq!(
        bench.prometheus("/api/v1/targets", &[]).await["data"]["activeTargets"][0]["scrapeInterval"],
        "2s"
    );
    let form = http_client()
        .post(format!("{}/api/v1/query", bench.sim.prometheus_url()))
        .form(&[("query", "sum(up)")])
        .send()
        .await
        .unwrap();
    let form: Value = serde_json::from_slice(&form.bytes().await.unwrap()).unwrap();
    assert_eq!(form["data"]["result"][0]["value"], json!([1_790_000_000, "7"]));
}
