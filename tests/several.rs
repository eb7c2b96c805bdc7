//! Steps of several writes: each is listed before it is sent, sent once and in order, and what is not sent
//! after one that was refused or lost is said.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "support/bed.rs"]
mod bed;
mod pty;
mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use pty::Cluster;
use serde_json::{Value, json};
use support::{Room, Setup, meets, prepare};
use warroom::event::{Outcome, StepCall};
use warroom::sim::fault::Fault;
use warroom::sim::{NAMESPACE, SeenRequest, Sim};
use warroom::state::Stage;

/// Runs a step with these inputs and flags, and gives its exit code and its JSON.
fn run(cluster: &Cluster, step: &str, inputs: &[&str], flags: &[&str]) -> (i32, Value) {
    let set = inputs.iter().flat_map(|input| ["--set", input]);
    let args: Vec<&str> =
        ["run", step, "--json"].into_iter().chain(set).chain(flags.iter().copied()).collect();
    let ran = cluster.run(&args);
    (ran.code, ran.json())
}

/// Method and path of requests.
fn told(requests: &[SeenRequest]) -> Vec<String> {
    let path = |request: &SeenRequest| request.path.split('?').next().unwrap().to_owned();
    requests.iter().map(|request| format!("{} {}", request.method, path(request))).collect()
}

/// The node that has most pods, and their names.
fn busiest(sim: &Sim) -> (String, Vec<String>) {
    let pods = sim.list("Pod");
    let on = |node: &str| {
        let here = pods.iter().filter(|pod| pod["spec"]["nodeName"] == node);
        here.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let nodes =
        sim.list("Node").into_iter().map(|node| node["metadata"]["name"].as_str().unwrap().to_owned());
    nodes.map(|node| (node.clone(), on(&node))).max_by_key(|(_, pods)| pods.len()).unwrap()
}

#[test]
fn a_node_is_drained_and_its_pods_start_elsewhere() {
    let cluster = Cluster::calm();
    let (node, pods) = busiest(&cluster.sim);
    let input = format!("node={node}");
    let (code, plan) = run(&cluster, "drain", &[&input], &["--dry-run"]);
    assert_eq!(
        (code, &plan["undo"], &plan["dry_run"]["is"]),
        (0, &Value::Null, &json!("accepted")),
        "{plan}"
    );
    assert!(plan["confirm"]["flag"] == false && cluster.writes().is_empty(), "{plan}");
    let listed: Vec<&str> =
        plan["would_send"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(listed.len(), pods.len() + 1, "{plan}");

    let (code, ran) = run(&cluster, "drain", &[&input], &["--yes"]);
    assert_eq!((code, &ran["outcome"], &ran["verify"]["ok"]), (0, &json!("applied"), &json!(true)), "{ran}");
    assert_eq!(told(&cluster.writes()), listed, "exactly what was listed, in that order");
    assert!(cluster.writes().iter().all(|request| request.field_manager.as_deref() == Some("warroom")));
    let left: Vec<Value> =
        cluster.sim.list("Pod").into_iter().filter(|pod| pod["spec"]["nodeName"] == *node).collect();
    assert_eq!(left, [] as [Value; 0]);
    let (code, again) = run(&cluster, "drain", &[&input], &["--yes"]);
    assert!(code != 0 && again["reason"].as_str().unwrap().starts_with("nothing to do: "), "{again}");
}

#[test]
fn a_budget_keeps_its_pods_and_the_rest_is_said_to_be_unsent() {
    let cluster = Cluster::calm();
    let (node, pods) = busiest(&cluster.sim);
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
        "spec": {"selector": {"matchLabels": {}}, "minAvailable": "100%"},
        "status": {"disruptionsAllowed": 1, "desiredHealthy": 12, "currentHealthy": 12},
    });
    let path = format!("/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets");
    cluster.send(reqwest::Method::POST, &path, "application/json", &budget);
    let from = cluster.writes().len();
    let (_, plan) = run(&cluster, "drain", &[&format!("node={node}")], &["--dry-run"]);
    let warned = plan["facts"].as_array().unwrap().iter().any(|fact| {
        let words = fact["words"].as_str().unwrap();
        words.starts_with(&format!("PodDisruptionBudget all allows 1 of the {} evictions", pods.len()))
    });
    assert!(warned, "{plan}");
    let (code, ran) = run(&cluster, "drain", &[&format!("node={node}")], &["--yes"]);
    assert_eq!((code, &ran["outcome"], &ran["writes"]), (1, &json!("partial"), &json!(2)), "{ran}");
    let why = ran["reason"].as_str().unwrap();
    assert!(why.contains("The disruption budget all needs 12 healthy pods and has 12 currently"), "{why}");
    assert_eq!(cluster.writes().len() - from, 3, "the cordon, one eviction, and the one that is refused");
}

#[tokio::test]
async fn an_eviction_whose_answer_is_lost_is_found_by_reading_and_sent_once() {
    for applied in [true, false] {
        let mut room = Room::of(Setup::default(), |wanted| wanted).await;
        room.sim.edit("Deployment", NAMESPACE, "ocr-service", |deployment| {
            deployment["spec"]["replicas"] = json!(9);
        });
        for _ in 0..20 {
            room.turn(Duration::from_millis(500)).await;
        }
        let (node, pods) = busiest(&room.sim);
        assert!(pods.len() >= 5, "{pods:?}");
        let from = room.writes().len();
        let plan =
            prepare(&mut room.session, StepCall::new("drain", [("node".into(), (&*node).into())].into()))
                .await
                .unwrap();
        let writes: Vec<_> = plan.intent.writes().cloned().collect();
        meets(&room.sim, &writes[3], Fault::Cut { applied });
        let id = room.session.confirm(&plan);
        assert!(room.until(|session| session.answered(id)).await);
        let run = room.last();
        let done = if applied { 4 } else { 3 };
        let all = u32::try_from(writes.len()).unwrap();
        assert!(matches!(run.stage, Stage::Partial(_)), "{:?}", run.stage);
        assert!(
            matches!(run.outcome, Some(Outcome::Partial { done: made, rest, .. }) if made == done && made + rest == all),
            "{:?}",
            run.outcome
        );
        let sent = told(&room.writes()[from..]);
        let listed: Vec<String> =
            writes.iter().take(4).map(|write| format!("{} {}", write.method, write.path)).collect();
        assert_eq!(sent, listed, "the cordon and three evictions, and nothing after the lost answer");
        assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), sent.len(), "each once");
    }
}

/// A page, and what serves it.
const PAGE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: maintenance
data:
  index.html: we are back soon
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: maintenance
spec:
  replicas: 1
  selector: {matchLabels: {app: maintenance}}
  template:
    metadata: {labels: {app: maintenance}}
    spec:
      containers: [{name: page, image: 'nginx:1.29'}]
";

fn path_of(group: &str, plural: &str) -> String {
    format!("{group}/namespaces/{NAMESPACE}/{plural}/maintenance")
}

#[test]
fn the_objects_of_a_file_are_created_in_order_and_deleted_the_last_first() {
    let cluster = Cluster::calm();
    let file = cluster.home.write("page.yaml", PAGE);
    let input = format!("file={}", file.display());
    let [page, server] = [path_of("/api/v1", "configmaps"), path_of("/apis/apps/v1", "deployments")];
    let (code, plan) = run(&cluster, "apply-manifest", &[&input], &["--dry-run"]);
    assert_eq!((code, &plan["dry_run"]["is"]), (0, &json!("accepted")), "{plan}");
    let diff = plan["diff"].to_string();
    assert!(diff.contains("ConfigMap maintenance") && diff.contains("we are back soon"), "{diff}");
    assert_eq!(plan["would_send"], json!([format!("PATCH {page}"), format!("PATCH {server}")]));
    assert!(cluster.writes().is_empty());

    let (code, ran) = run(&cluster, "apply-manifest", &[&input], &["--yes"]);
    assert_eq!((code, &ran["outcome"], &ran["writes"]), (0, &json!("applied"), &json!(2)), "{ran}");
    assert_eq!(told(&cluster.writes()), [format!("PATCH {page}"), format!("PATCH {server}")]);
    assert_eq!(cluster.sim.object(&page).unwrap()["data"]["index.html"], "we are back soon");
    let (_, again) = run(&cluster, "apply-manifest", &[&input], &["--yes"]);
    assert!(again["reason"].as_str().unwrap().starts_with("nothing to do: "), "{again}");

    let objects = format!("objects={}", ran["undo"]["inputs"]["objects"].as_str().unwrap());
    assert_eq!(
        (&ran["undo"]["step"], &objects),
        (&json!("manifest-revert"), &format!("objects={server},{page}"))
    );
    let from = cluster.writes().len();
    let (code, _) = run(&cluster, "manifest-revert", &[&objects], &["--yes"]);
    assert_eq!(code, 3, "nothing brings back what is deleted: its name is wanted");
    let (code, ran) = run(&cluster, "manifest-revert", &[&objects], &["--yes", "--confirm", "maintenance"]);
    assert_eq!((code, &ran["outcome"]), (0, &json!("applied")), "{ran}");
    assert_eq!(told(&cluster.writes()[from..]), [format!("DELETE {server}"), format!("DELETE {page}")]);
    assert_eq!((cluster.sim.object(&page), cluster.sim.object(&server)), (None, None));
}

#[test]
fn what_was_there_is_kept_before_it_is_changed_and_restored_as_it_was() {
    let cluster = Cluster::calm();
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"other": "hunter2"},
        "metadata": {"name": "maintenance", "labels": {"team": "web"}},
    });
    let maps = format!("/api/v1/namespaces/{NAMESPACE}/configmaps?fieldManager=kubectl");
    cluster.send(reqwest::Method::POST, &maps, "application/json", &map);
    let [page, server] = [path_of("/api/v1", "configmaps"), path_of("/apis/apps/v1", "deployments")];
    let was = cluster.sim.object(&page).unwrap();
    let file = cluster.home.write("page.yaml", PAGE);
    let (code, ran) = run(&cluster, "apply-manifest", &[&format!("file={}", file.display())], &["--yes"]);
    assert_eq!((code, &ran["outcome"], &ran["writes"]), (0, &json!("applied"), &json!(2)), "{ran}");
    assert_eq!(cluster.sim.object(&page).unwrap()["data"].as_object().unwrap().len(), 2);
    let saved = ran["undo"]["inputs"]["saved"].as_str().unwrap();
    let kept = std::fs::read_to_string(cluster.home.path(&format!("data/reverts/{saved}.json"))).unwrap();
    assert!(kept.contains("hunter2"), "as it was");

    let inputs = [format!("objects={server},{page}"), format!("saved={saved}")];
    let inputs = inputs.each_ref().map(String::as_str);
    let (code, ran) = run(&cluster, "manifest-revert", &inputs, &["--yes", "--confirm", "maintenance"]);
    assert_eq!((code, &ran["outcome"]), (0, &json!("applied")), "{ran}");
    let now = cluster.sim.object(&page).unwrap();
    assert_eq!((&now["data"], &now["metadata"]["labels"]), (&was["data"], &was["metadata"]["labels"]));
    assert_eq!(cluster.sim.object(&server), None);
    for recording in cluster.home.recordings() {
        let shown = cluster.run(&["recordings", "show", recording["path"].as_str().unwrap()]);
        assert!(!shown.out.is_empty() && !shown.out.contains("hunter2"), "what is kept is not recorded");
    }
}

#[test]
fn what_others_manage_is_not_taken_over() {
    let cluster = Cluster::calm();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "maintenance"}, "data": {"other": "1"}});
    let maps = format!("/api/v1/namespaces/{NAMESPACE}/configmaps?fieldManager=kubectl");
    cluster.send(reqwest::Method::POST, &maps, "application/json", &map);
    let file = cluster.home.write("page.yaml", &PAGE.replace("index.html: we are back soon", "other: '2'"));
    let (code, refused) = run(&cluster, "apply-manifest", &[&format!("file={}", file.display())], &["--yes"]);
    let why = refused["reason"].as_str().unwrap();
    assert!(
        code == 1 && why.contains("Apply failed with 1 conflict: conflict with \"kubectl\""),
        "{refused}"
    );
    assert_eq!(cluster.writes().len(), 1, "nothing but the creation of it");
    assert!(!cluster.home.path("data/reverts").exists());
}

#[test]
fn what_is_no_manifest_is_refused_with_its_place() {
    let cluster = Cluster::calm();
    let why = |name: &str, text: Option<&str>| {
        let file = text.map_or_else(|| cluster.home.path(name), |text| cluster.home.write(name, text));
        let (code, refused) =
            run(&cluster, "apply-manifest", &[&format!("file={}", file.display())], &["--yes"]);
        assert_ne!(code, 0, "{refused}");
        refused["reason"].as_str().unwrap().to_owned()
    };
    assert!(why("none.yaml", None).contains("cannot be read: No such file"));
    assert!(
        why("kubeconfig/..", None).contains("cannot be read") || why("", None).contains("no regular file")
    );
    assert!(why("bad.yaml", Some("kind: [\n")).contains("bad.yaml:"));
    let unknown = "\n\napiVersion: v1\nkind: ConfigMpa\nmetadata: {name: a}\n";
    assert!(
        why("unknown.yaml", Some(unknown))
            .contains("unknown.yaml:3: no such kind \"ConfigMpa\"; did you mean \"ConfigMap\"?")
    );
    assert!(why("empty.yaml", Some("---\n---\n")).contains("holds no object"));
    assert!(cluster.writes().is_empty());
}

#[tokio::test]
async fn an_object_whose_answer_is_lost_is_found_by_reading_and_applied_once() {
    for applied in [true, false] {
        let mut room = Room::of(Setup::default(), |wanted| wanted).await;
        let file = room.data.path().join("page.yaml");
        std::fs::write(&file, PAGE).unwrap();
        let call = StepCall::new("apply-manifest", [("file".into(), file.to_str().unwrap().into())].into());
        let plan = prepare(&mut room.session, call).await.unwrap();
        let writes: Vec<_> = plan.intent.writes().cloned().collect();
        meets(&room.sim, &writes[0], Fault::Cut { applied });
        let id = room.session.confirm(&plan);
        assert!(room.until(|session| session.answered(id)).await);
        let stage = &room.last().stage;
        let (partial, rejected) = (matches!(stage, Stage::Partial(_)), matches!(stage, Stage::Rejected(_)));
        assert_eq!((partial, rejected), (applied, !applied), "{stage:?}");
        assert_eq!(room.writes().len(), 1, "what is behind the lost one was not sent");
        assert_eq!(room.sim.object(&path_of("/api/v1", "configmaps")).is_some(), applied);
    }
}

/// What changed an object of that name on the bed, by the audit log from a place in it on: verb and path.
fn audited(from: usize, name: &str) -> Vec<String> {
    let log = std::fs::read_to_string(bed::var("BED_AUDIT_LOG")).unwrap();
    let events = log.lines().skip(from).filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let changes = events
        .filter(|event| ["create", "patch", "update", "delete"].iter().any(|verb| event["verb"] == *verb));
    let path = |event: &Value| event["requestURI"].as_str().unwrap_or_default().to_owned();
    let real = changes.filter(|event| path(event).contains(name) && !path(event).contains("dryRun"));
    real.map(|event| format!("{} {} {}", event["verb"].as_str().unwrap(), path(&event), event["userAgent"]))
        .collect()
}

#[test]
#[ignore = "needs the bed"]
fn bed_the_audit_log_has_exactly_the_writes_of_a_manifest_and_of_its_undo() {
    let home = pty::Home::new();
    std::fs::copy(bed::kubeconfig(), home.path("kubeconfig")).unwrap();
    let name = "page-of-a-test";
    let map =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}});
    let file = format!("file={}", home.write("page.yaml", &map.to_string()).display());
    let from = std::fs::read_to_string(bed::var("BED_AUDIT_LOG")).unwrap().lines().count();
    let run = |args: &[&str]| {
        let ran =
            home.run(&[&["--namespace", "medcontract-prod", "run"], args, &["--yes", "--json"]].concat());
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.json()
    };
    let applied = run(&["apply-manifest", "--set", &file]);
    let objects = format!("objects={}", applied["undo"]["inputs"]["objects"].as_str().unwrap());
    run(&["manifest-revert", "--set", &objects, "--confirm", name]);
    let told = audited(from, name);
    let path = format!("/api/v1/namespaces/medcontract-prod/configmaps/{name}?");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with(&format!("patch {path}")) && told[1].starts_with(&format!("delete {path}")),
        "{told:?}"
    );
    assert!(
        told.iter().all(|one| one.contains("fieldManager=warroom") && one.contains("warroom/")),
        "{told:?}"
    );
}
