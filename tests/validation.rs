//! The steps that only look beside those of triage: a query, a dashboard, the logs of an application, and
//! what says that an incident is over. Each tells what is wrong while it is, and nothing of it afterwards.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod pty;

use std::time::{Duration, Instant};

use pty::{Cluster, Term};
use serde_json::{Value, json};
use warroom::sim::NAMESPACE;
use warroom::sim::scenario::{Release, ServiceFault};

/// Runs a step; gives its exit code and its JSON.
fn run(cluster: &Cluster, step: &str, inputs: &[&str]) -> (i32, Value) {
    let set = inputs.iter().flat_map(|input| ["--set", input]);
    let args: Vec<&str> = ["run", step, "--json"].into_iter().chain(set).collect();
    let ran = cluster.run(&args);
    (ran.code, ran.json())
}

fn rows(told: &Value) -> Vec<Vec<String>> {
    serde_json::from_value(told["output"]["table"]["rows"].clone()).unwrap()
}

#[test]
fn a_query_is_told_as_a_table_and_as_jq_shows_it() {
    let cluster = Cluster::calm();
    let (code, told) = run(&cluster, "query", &["query=sum(rate(http_requests_total[5m])) by (service)"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("read")), "{told}");
    assert!(rows(&told).len() > 3 && rows(&told)[0][0].starts_with("{service="), "{told}");
    let text: Vec<String> = serde_json::from_value(told["output"]["text"].clone()).unwrap();
    assert_eq!((&*text[0], &*text[text.len() - 1]), ("{", "}"), "{told}");
    let raw: Value = serde_json::from_str(&text.join("\n")).unwrap();
    assert_eq!(raw["data"]["resultType"], "vector", "{told}");
    let command = told["kubectl"].as_str().unwrap();
    let address = cluster.sim.prometheus_url();
    assert!(
        command.starts_with(&format!("curl -s --get {}/api/v1/query", address.trim_end_matches('/'))),
        "{command}"
    );
    let (code, told) = run(&cluster, "error-rates", &[]);
    assert_eq!(code, 0, "{told}");
    assert!(
        told["kubectl"].as_str().unwrap().contains(r#"sum(rate(http_requests_total{status=~"5.."}[5m]))"#),
        "{told}"
    );
    let (code, told) = run(&cluster, "query", &["query=sum("]);
    let reason = told["reason"].as_str().unwrap();
    assert!(code == 1 && reason.starts_with("Prometheus refuses the query: "), "{told}");
    let (code, told) = run(&cluster, "query", &["query="]);
    assert_eq!(code, 2, "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn prometheus_is_found_in_the_cluster_and_asked_through_the_api_server() {
    let cluster = Cluster::calm();
    let ran = cluster.home.run(&["run", "query", "--json", "--set", "query=up"]);
    let told = ran.json();
    assert_eq!(ran.code, 0, "{told}");
    let command = told["kubectl"].as_str().unwrap();
    assert!(command.starts_with("kubectl get --raw '/api/v1/namespaces/monitoring/services/"), "{command}");
    let nobody = ["--prometheus", "http://127.0.0.1:9", "run", "query", "--json", "--set", "query=up"];
    let ran = cluster.home.run(&nobody);
    let reason = ran.json()["reason"].as_str().unwrap().to_owned();
    assert!(ran.code == 1 && reason.contains("Prometheus cannot be reached"), "{reason}");
}

#[test]
fn a_dashboard_is_printed_by_its_link() {
    let cluster = Cluster::calm();
    let link = "https://grafana.medcontracthub.com/d/executive-overview";
    let ran = cluster.run(&["run", "grafana"]);
    assert!(ran.code == 0 && ran.out.lines().any(|line| line == link), "{ran:?}");
    let told = cluster.run(&["run", "grafana", "--json"]).json();
    assert_eq!(told["kubectl"].as_str().unwrap(), format!("open {link}"));
}

#[test]
fn the_last_lines_of_all_pods_are_merged() {
    let cluster = Cluster::calm();
    let (code, told) = run(&cluster, "app-logs", &["tail=5"]);
    assert_eq!(code, 0, "{told}");
    let pods = cluster.sim.list("Pod");
    let pods = pods.iter().filter(|pod| pod["metadata"]["labels"]["app"] == "medcontracthub-app");
    let names: Vec<&str> = pods.map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    let text: Vec<String> = serde_json::from_value(told["output"]["text"].clone()).unwrap();
    assert_eq!(text.len(), names.len() * 5, "{told}");
    assert!(names.iter().all(|name| text.iter().filter(|line| line.contains(name)).count() == 5), "{told}");
    assert!(text.is_sorted_by_key(|line| line[..12].to_owned()), "{told}");
    let command = told["kubectl"].as_str().unwrap();
    assert!(
        command.starts_with(&format!("kubectl logs -n {NAMESPACE} -l app=medcontracthub-app --tail=5")),
        "{command}"
    );
    let (code, told) = run(&cluster, "logs", &["app=nothing"]);
    assert_eq!((code, rows(&told).len()), (0, 0), "{told}");
    assert!(told["output"]["lines"][0].as_str().unwrap().starts_with("no pod in "), "{told}");
    let (code, told) = run(&cluster, "logs", &["app=medcontracthub-app", "container=nothing"]);
    assert!(code == 1 && told["reason"].as_str().unwrap().contains("is not valid for pod"), "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn a_calm_cluster_has_nothing_wrong() {
    let cluster = Cluster::calm();
    for step in
        ["workloads-ready", "restarts", "service-errors", "firing-alerts", "emergency-changes", "nodes"]
    {
        let (code, told) = run(&cluster, step, &[]);
        assert_eq!((code, &told["output"]["wrong"]), (0, &Value::Null), "{step}: {told}");
    }
    let (_, told) = run(&cluster, "workloads-ready", &["namespace=medcontract-prod"]);
    assert_eq!(
        rows(&told).len(),
        ["Deployment", "StatefulSet", "DaemonSet"]
            .map(|kind| cluster
                .sim
                .list(kind)
                .iter()
                .filter(|one| one["metadata"]["namespace"] == NAMESPACE)
                .count())
            .iter()
            .sum::<usize>()
    );
    let (_, told) = run(&cluster, "service-errors", &[]);
    assert!(rows(&told).len() > 3, "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn emergency_changes_are_listed_until_their_undo_is_run() {
    let cluster = Cluster::calm();
    let node = cluster.sim.list("Node")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let node = format!("node={node}");
    let app = "deployment=medcontracthub-app";
    let made = [
        vec!["cordon", &node],
        vec!["rollout-pause", app],
        vec!["set-env", "deployment=ai-service", "env=FEATURE_AI_PROPOSALS=false"],
        vec!["circuit-breaker", "service=ocr-service"],
        vec!["traffic-divert", "service=medcontracthub-app", "zone=us-east-1a"],
    ];
    for change in &made {
        let set = change[1..].iter().flat_map(|input| ["--set", input]);
        let args: Vec<&str> =
            ["run", change[0], "--json", "--yes", "--no-wait"].into_iter().chain(set).collect();
        let ran = cluster.run(&args);
        assert_eq!(ran.json()["outcome"], "applied", "{change:?}: {ran:?}");
    }
    let (code, told) = run(&cluster, "emergency-changes", &[]);
    assert_eq!((code, rows(&told).len()), (0, made.len()), "{told}");
    assert!(
        told["output"]["wrong"].as_str().unwrap().starts_with("5 emergency changes are still in place"),
        "{told}"
    );
    for row in rows(&told) {
        let words = shlex::split(&row[3]).unwrap();
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let ran = cluster.run(&[words.as_slice(), &["--json", "--yes", "--no-wait"]].concat());
        assert_eq!(ran.json()["outcome"], "applied", "{row:?}: {ran:?}");
    }
    let (_, told) = run(&cluster, "emergency-changes", &[]);
    assert_eq!((rows(&told).len(), &told["output"]["wrong"]), (0, &Value::Null), "{told}");
}

#[test]
fn what_restarts_and_what_is_not_ready_is_wrong_and_said_in_words() {
    let cluster = Cluster::calm();
    cluster.release(&Release::fault("ocr-service", ServiceFault::Crash));
    let wrong = |step: &str| {
        let (code, told) = run(&cluster, step, &[]);
        assert_eq!(code, 0, "{told}");
        told["output"]["wrong"].as_str().map(str::to_owned)
    };
    let end = Instant::now() + Duration::from_secs(60);
    // Between two crashes it is ready for a moment.
    for step in ["restarts", "workloads-ready"] {
        while !wrong(step).is_some_and(|what| what.contains("ocr-service")) {
            assert!(Instant::now() < end, "{step} tells nothing");
        }
    }
    let told = wrong("pods-not-running");
    let ran = cluster.run(&["run", "restarts"]);
    assert!(ran.out.lines().any(|line| line.starts_with("✖ ")), "{ran:?} {told:?}");
}

#[test]
fn keys_of_the_triage_menu_look() {
    let cluster = Cluster::calm();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service").press("tw").sees("UPDATED").press_away("q", "UPDATED");
    term.press("tq").sees("▸ query").press("42\r").sees("resultType");
    assert_eq!(cluster.writes(), []);
}
