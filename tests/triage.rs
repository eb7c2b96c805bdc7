//! The steps that only look: what kubectl prints, and the checks of the runbook, from the command line and
//! by key. They send nothing that changes anything.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "support/bed.rs"]
mod bed;
mod pty;

use std::process::Command;

use pty::{Cluster, Home, Term};
use serde_json::{Value, json};
use warroom::net::clock::Clock;
use warroom::sim::scenario::Release;
use warroom::sim::{Identity, NAMESPACE};

/// The rows of what a step found.
fn rows(told: &Value) -> Vec<Vec<String>> {
    serde_json::from_value(told["output"]["table"]["rows"].clone()).unwrap()
}

#[test]
fn pods_and_nodes_are_told_as_kubectl_prints_them() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["run", "nodes", "--json"]);
    let told = ran.json();
    assert_eq!((ran.code, &told["outcome"], &told["writes"]), (0, &json!("read"), &json!(0)), "{told}");
    assert_eq!(told["output"]["table"]["columns"][0], json!("NAME"), "{told}");
    assert_eq!(rows(&told).len(), cluster.sim.list("Node").len(), "{told}");
    assert!(rows(&told).iter().all(|row| row[1] == "Ready"), "{told}");
    let told = cluster.run(&["run", "pods-not-running", "--json"]).json();
    let all = cluster.sim.list("Pod").len();
    assert!(told["output"]["lines"][0].as_str().unwrap().contains(&all.to_string()), "{all}: {told}");
    assert!(rows(&told).iter().all(|row| row[3] != "Running"), "{told}");
    assert_eq!(cluster.writes(), []);
}

/// What each step of a checklist is said to be, in the order told.
fn standing(told: &Value) -> Vec<(String, String)> {
    let findings = told["output"]["findings"].as_array().unwrap();
    let steps = findings.iter().map(|finding| finding["step"].as_str().unwrap().to_owned());
    steps.zip(rows(told).into_iter().map(|row| row[1].clone())).collect()
}

#[test]
fn a_checklist_tells_of_all_its_steps_with_what_is_wrong_first() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["run", "triage", "--json"]);
    let told = ran.json();
    assert_eq!((ran.code, &told["outcome"], &told["writes"]), (0, &json!("read"), &json!(0)), "{told}");
    let steps: Vec<String> = standing(&told).into_iter().map(|(step, _)| step).collect();
    for step in ["pods-not-running", "nodes", "top-nodes", "recent-events"] {
        assert!(steps.iter().any(|told| told == step), "{step}: {told}");
    }
    let finding = &told["output"]["findings"][steps.iter().position(|step| step == "nodes").unwrap()];
    let nodes = finding["found"]["Ok"]["table"]["rows"].as_array().unwrap().len();
    assert_eq!(nodes, cluster.sim.list("Node").len(), "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn commands_of_a_checklist_run_side_by_side_and_not_where_none_may_be_run() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["run", "services-health", "--json"]);
    assert_eq!((ran.code, standing(&ran.json()).len()), (0, 5), "{ran:?}");
    let said = cluster.run(&["run", "services-health"]).out;
    assert!(said.contains("== Health of ocr-service") && said.contains("exit 0"), "{said}");
    let ran = cluster.run(&["--no-exec", "run", "services-health", "--json"]);
    let told = ran.json();
    assert!(standing(&told).iter().all(|(_, standing)| standing == "unknown"), "{told}");
    assert_eq!(ran.code, 1, "{told}");
    assert!(told["output"]["table"]["rows"][0][2].as_str().unwrap().contains("--no-exec"), "{told}");
}

#[test]
fn a_validation_fails_where_something_is_wrong() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["run", "validate", "--json"]);
    assert_eq!((ran.code, &ran.json()["output"]["exit"]), (0, &json!(0)), "{ran:?}");
}

#[test]
fn what_nodes_use_is_told_with_the_busiest_first() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["run", "top-nodes", "--json"]);
    let told = ran.json();
    assert_eq!((ran.code, &told["outcome"]), (0, &json!("read")), "{told}");
    let columns = json!(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]);
    assert_eq!(told["output"]["table"]["columns"], columns, "{told}");
    let rows = rows(&told);
    assert_eq!(rows.len(), cluster.sim.list("Node").len(), "{told}");
    let share = |cell: &str| cell.strip_suffix('%').unwrap().parse::<u32>().unwrap();
    let busiest: Vec<u32> = rows.iter().map(|row| share(&row[2]).max(share(&row[4]))).collect();
    assert!(busiest.is_sorted_by(|a, b| a >= b) && busiest[0] > 0, "{told}");
    assert!(rows.iter().all(|row| row[1].ends_with('m') && row[3].ends_with("Mi")), "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn the_last_events_are_told_with_the_newest_first() {
    let cluster = Cluster::calm();
    let pod = cluster.sim.list("Pod")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    cluster.run(&["run", "delete-pod", "--set", &format!("pod={pod}"), "--yes"]);
    let events = cluster.sim.list("Event");
    let ran = cluster.run(&["run", "recent-events", "--set", "count=3", "--json"]);
    let told = ran.json();
    assert_eq!((ran.code, &told["outcome"]), (0, &json!("read")), "{told}");
    let columns = json!(["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    assert_eq!(told["output"]["table"]["columns"], columns, "{told}");
    let rows = rows(&told);
    assert!(events.len() >= 3 && rows.len() == 3, "{}: {told}", events.len());
    let newest = events.iter().map(|event| event["lastTimestamp"].as_str().unwrap()).max().unwrap();
    let time = format!("({})", newest.split('T').nth(1).unwrap());
    assert!(rows[0][1].ends_with(&time), "{time}: {told}");
    assert!(rows.iter().all(|row| row[4].contains('/')), "{told}");
}

#[test]
fn the_revisions_of_a_deployment_are_told_and_the_current_one_is_marked() {
    let cluster = Cluster::calm();
    let set = "deployment=medcontracthub-app";
    let ran = cluster.run(&["run", "rollout-history", "--set", set, "--json"]);
    let told = ran.json();
    assert_eq!((ran.code, &told["outcome"]), (0, &json!("read")), "{told}");
    let rows = rows(&told);
    let numbers: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(numbers, ["3 (current)", "2", "1"], "{told}");
    assert_eq!((rows[0][1].as_str(), rows[0][4].as_str()), ("release v1.2.3", "2/2"), "{told}");
    assert!(rows[2][2].ends_with(":v1.2.1") && rows[2][4] == "0/0", "{told}");
    let ran = cluster.run(&["run", "rollout-history", "--set", "deployment=nothing", "--json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn helms_history_is_told_without_what_else_its_secrets_hold() {
    let cluster = Cluster::calm();
    let of = |inputs: &[&str]| {
        let ran = cluster.run(&[&["run", "helm-history", "--json"], inputs].concat());
        (ran.code, ran.json())
    };
    let (code, told) = of(&["--set", "release=medcontracthub"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("read")), "{told}");
    let columns = json!(["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"]);
    assert_eq!(told["output"]["table"]["columns"], columns, "{told}");
    let told_rows: Vec<String> =
        rows(&told).iter().map(|row| [&row[..1], &row[2..]].concat().join("|")).collect();
    assert_eq!(
        told_rows,
        [
            "3|deployed|medcontracthub-1.2.3|v1.2.3|Upgrade complete",
            "2|superseded|medcontracthub-1.2.2|v1.2.2|Upgrade complete",
            "1|superseded|medcontracthub-1.2.1|v1.2.1|Install complete",
        ]
    );
    assert!(rows(&told)[0][1].starts_with("2d"), "{told}");
    assert_eq!(rows(&cluster.run(&["run", "helm-medcontracthub", "--json"]).json()), rows(&told));
    let (code, told) = of(&["--set", "release=nothing"]);
    let reason = told["reason"].as_str().unwrap();
    assert!(code == 1 && reason.contains("keeps a release nothing of Helm"), "{told}");
    let name = "sh.helm.release.v1.medcontracthub.v2";
    assert!(cluster.sim.edit("Secret", NAMESPACE, name, |one| one["data"]["release"] = json!("hunter2")));
    let (code, told) = of(&["--set", "release=medcontracthub"]);
    assert_eq!((code, &rows(&told)[1][3], &rows(&told)[2][4]), (0, &"unknown".into(), &"v1.2.1".into()));
    assert!(!told.to_string().contains("sim-helm-value") && !told.to_string().contains("hunter2"), "{told}");
    cluster.release(&Release::version("v1.3.0"));
    let (_, told) = of(&["--set", "release=medcontracthub"]);
    assert_eq!((&*rows(&told)[0][4], &*rows(&told)[1][2]), ("v1.3.0", "superseded"), "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn who_may_not_list_secrets_is_told_which_right_helms_history_needs() {
    let cluster = Cluster::start(Identity::Responder, Clock::system());
    let ran = cluster.run(&["run", "helm-history", "--set", "release=medcontracthub", "--json"]);
    let told = ran.json();
    let reason = told["reason"].as_str().unwrap();
    assert!(ran.code == 3 && reason.contains("list secrets") && reason.contains(NAMESPACE), "{told}");
}

#[test]
fn a_namespace_that_can_be_none_is_refused_before_anything_is_read() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["run", "pods-not-running", "--set", "namespace=../x", "--json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let told = ran.json();
    assert_eq!(told["reason"], json!("\"../x\" is no namespace: give its name"), "{told}");
}

#[test]
fn the_runbooks_checks_need_no_inputs() {
    let cluster = Cluster::calm();
    let steps = [
        "db-health",
        "sam-gov",
        "health-ocr",
        "kafka-lag",
        "pg-activity",
        "redis-cluster",
        "clickhouse-clusters",
    ];
    for step in steps {
        let ran = cluster.run(&["run", step, "--json"]);
        let told = ran.json();
        assert_eq!((ran.code, &told["output"]["exit"]), (0, &json!(0)), "{step}: {told}");
    }
    assert_eq!(cluster.writes(), []);
}

#[test]
fn a_key_looks_at_once_and_shows_what_it_found() {
    let cluster = Cluster::calm();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service").press("tn");
    term.sees("found").sees("VERSION").sees("nodes ready").press_away("q", "VERSION");
    term.press(":db-health\r").sees("output").sees("exit 0");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn the_demo_has_the_runbook_of_its_cluster() {
    let home = Home::new();
    let mut term = Term::run(&home, &["demo", "calm"]);
    term.sees("worker-service")
        .press("I")
        .sees("Helm's history of medcontracthub")
        .sees("Failing requests, by");
}

/// What kubectl itself prints, without its header: the first so many words of each line.
fn kubectl(args: &[&str], words: usize) -> Vec<Vec<String>> {
    let kubeconfig = bed::kubeconfig();
    let ran = Command::new("kubectl").env("KUBECONFIG", kubeconfig).args(args).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let text = String::from_utf8(ran.stdout).unwrap();
    text.lines().map(|line| line.split_whitespace().take(words).map(str::to_owned).collect()).collect()
}

#[test]
#[ignore = "needs the bed"]
fn bed_looks_agree_with_kubectl() {
    let home = Home::new();
    std::fs::copy(bed::kubeconfig(), home.path("kubeconfig")).unwrap();
    let told = |step: &str| {
        let ran = home.run(&["--namespace", "medcontract-prod", "run", step, "--json"]);
        assert_eq!(ran.code, 0, "{step}: {ran:?}");
        rows(&ran.json())
    };
    let names = |rows: Vec<Vec<String>>| {
        let mut names: Vec<_> = rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        names.sort();
        names
    };
    let printed = kubectl(&["get", "nodes", "--no-headers"], 2);
    assert_eq!(names(told("nodes")), names(printed));
    let mut printed = kubectl(&["get", "pods", "-A", "--no-headers"], 4);
    printed.retain(|row| row[3] != "Running");
    assert_eq!(names(told("pods-not-running")), names(printed));
}

#[test]
#[ignore = "needs the bed"]
fn bed_checklists_look_at_all_that_kubectl_knows() {
    let home = Home::new();
    std::fs::copy(bed::kubeconfig(), home.path("kubeconfig")).unwrap();
    let prometheus = bed::var("BED_PROMETHEUS");
    let told = |args: &[&str]| {
        let ran = home.run(
            &[&["--prometheus", &prometheus, "--namespace", "medcontract-prod", "run"], args, &["--json"]]
                .concat(),
        );
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.json()
    };
    let triage = told(&["triage"]);
    assert!(standing(&triage).iter().all(|(_, standing)| standing != "unknown"), "{triage}");
    let finding = |told: &Value, step: &str| {
        let findings = told["output"]["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["step"] == step).unwrap()["found"]["Ok"].clone()
    };
    let nodes = finding(&triage, "nodes")["table"]["rows"].as_array().unwrap().len();
    assert_eq!(nodes, kubectl(&["get", "nodes", "--no-headers"], 1).len());
    let kinds = "deployments,statefulsets,daemonsets";
    let workloads = kubectl(&["get", kinds, "-n", "medcontract-prod", "--no-headers"], 1);
    let ready = told(&["workloads-ready", "--set", "namespace=medcontract-prod"]);
    assert_eq!(rows(&ready).len(), workloads.len(), "{ready}");
    let logs = told(&["logs", "--set", "app=medcontracthub-app", "--set", "tail=5"]);
    let pods =
        kubectl(&["get", "pods", "-n", "medcontract-prod", "-l", "app=medcontracthub-app", "-o", "name"], 1);
    let text = logs["output"].to_string();
    let named = pods.iter().filter(|pod| text.contains(pod[0].trim_start_matches("pod/")));
    assert!(named.count() > 0, "{pods:?}: {logs}");
}
