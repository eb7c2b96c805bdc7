//! The steps beside rolling back, scaling and setting variables, from the command line to the cluster and
//! back: what each sends, what it is held to, what takes it back, and what has to be said before it is done.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod pty;
mod support;

use pty::{Cluster, Ran, Term};
use serde_json::{Value, json};
use support::{LIMIT, Room, meets, prepare};
use warroom::event::StepCall;
use warroom::sim::fault::Fault;
use warroom::sim::scenario::Scenario;
use warroom::sim::{NAMESPACE, Sim};
use warroom::state::Stage;

/// Runs a step with these inputs and flags, and gives its exit code and its JSON.
fn run(cluster: &Cluster, step: &str, inputs: &[&str], flags: &[&str]) -> (i32, Value) {
    let set = inputs.iter().flat_map(|input| ["--set", input]);
    let args: Vec<&str> =
        ["run", step, "--json"].into_iter().chain(set).chain(flags.iter().copied()).collect();
    let ran: Ran = cluster.run(&args);
    (ran.code, ran.json())
}

/// What left to change something since the last look: method and path.
fn sent(cluster: &Cluster, seen: &mut usize) -> Vec<String> {
    let all = cluster.writes();
    let new = all[*seen..]
        .iter()
        .map(|request| format!("{} {}", request.method, request.path.split('?').next().unwrap()));
    let new = new.collect();
    *seen = all.len();
    new
}

/// The pods of a workload that are not being deleted.
fn pods(cluster: &Cluster, workload: &str) -> Vec<String> {
    let all =
        cluster.sim.list("Pod").into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    all.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .filter(|name| name.starts_with(workload))
        .collect()
}

#[tokio::test]
async fn a_restart_replaces_the_pods_of_any_workload() {
    let mut room = Room::open(1, Scenario::Calm, |wanted| wanted).await;
    let kinds = [
        ("medcontracthub-app", "medcontracthub-app", "deployments"),
        ("statefulset/redis-cluster", "redis-cluster", "statefulsets"),
    ];
    for (workload, name, plural) in kinds {
        let of = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().starts_with(name);
        let uids = |sim: &Sim| {
            sim.list("Pod")
                .iter()
                .filter(|pod| of(pod))
                .map(|pod| pod["metadata"]["uid"].clone())
                .collect::<Vec<_>>()
        };
        let old = uids(&room.sim);
        let from = room.writes().len();
        let call = StepCall::new("restart", [("workload".into(), workload.into())].into());
        let plan = prepare(&mut room.session, call).await.unwrap();
        assert!(plan.intent.undo.is_none(), "{plan:?}");
        let id = room.session.confirm(&plan);
        assert!(room.until(|session| session.run(id).unwrap().settled()).await);
        assert!(matches!(&room.last().stage, Stage::Done(verdict) if verdict.ok), "{:?}", room.last());
        let writes = room.writes();
        let [write] = &writes[from..] else { panic!("{writes:?}") };
        assert!(
            write.path.starts_with(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/{plural}/{name}?")),
            "{write:?}"
        );
        let new = uids(&room.sim);
        assert!(new.len() == old.len() && new.iter().all(|uid| !old.contains(uid)), "{old:?} {new:?}");
    }
    let refused = room
        .session
        .prepare(StepCall::new("restart", [("workload".into(), "nothing".into())].into()), LIMIT)
        .await
        .unwrap_err();
    assert!(refused.reason().starts_with("there is no workload nothing"), "{refused:?}");
}

#[test]
fn a_node_is_cordoned_and_uncordoned_and_each_takes_the_other_back() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let node = cluster.sim.list("Node")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let input = format!("node={node}");
    for (step, back, closed) in [("cordon", "uncordon", true), ("uncordon", "cordon", false)] {
        let (code, told) = run(&cluster, step, &[&input], &["--yes"]);
        assert_eq!(
            (code, &told["verify"]["ok"], &told["undo"]["step"]),
            (0, &json!(true), &json!(back)),
            "{told}"
        );
        assert_eq!(sent(&cluster, &mut seen), [format!("PATCH /api/v1/nodes/{node}")]);
        let now =
            cluster.sim.object(&format!("/api/v1/nodes/{node}")).unwrap()["spec"]["unschedulable"] == true;
        assert_eq!(now, closed);
        let (code, told) = run(&cluster, step, &[&input], &["--yes"]);
        assert!(code != 0 && told["reason"].as_str().unwrap().starts_with("nothing to do: "), "{told}");
    }
    assert_eq!(sent(&cluster, &mut seen), [] as [String; 0]);
}

#[test]
fn a_rollout_is_paused_and_resumed_and_each_takes_the_other_back() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/medcontracthub-app");
    let input = "deployment=medcontracthub-app";
    for (step, back, paused) in
        [("rollout-pause", "rollout-resume", true), ("rollout-resume", "rollout-pause", false)]
    {
        let (code, told) = run(&cluster, step, &[input], &["--yes"]);
        assert_eq!(
            (code, &told["verify"]["ok"], &told["undo"]["step"]),
            (0, &json!(true), &json!(back)),
            "{told}"
        );
        assert_eq!(told["verify"]["before"]["states"]["rollout"] == "paused", !paused, "{told}");
        assert_eq!(told["verify"]["after"]["states"]["rollout"] == "paused", paused, "{told}");
        assert_eq!(sent(&cluster, &mut seen), [format!("PATCH {path}")]);
        assert_eq!(cluster.sim.object(&path).unwrap()["spec"]["paused"] == true, paused);
        let (code, told) = run(&cluster, step, &[input], &["--yes"]);
        assert!(code != 0 && told["reason"].as_str().unwrap().starts_with("nothing to do: "), "{told}");
    }
    assert_eq!(sent(&cluster, &mut seen), [] as [String; 0]);
}

#[test]
fn a_service_is_diverted_to_a_zone_and_gets_its_selector_back_as_it_was() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/medcontracthub-app");
    let selector = || cluster.sim.object(&path).unwrap()["spec"]["selector"].clone();
    let before = selector();
    let divert = |zone: &str, flags: &[&str]| {
        run(&cluster, "traffic-divert", &["service=medcontracthub-app", &format!("zone={zone}")], flags)
    };
    let (code, told) = divert("us-east-1z", &["--dry-run"]);
    let words = "no ready pod matches: medcontracthub-app stops answering";
    let warned = told["facts"].as_array().unwrap().iter().any(|fact| fact["words"] == words);
    assert!(code == 0 && warned && !told["confirm"].is_null(), "{told}");
    let (code, told) = divert("us-east-1a", &["--yes", "--no-wait"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    assert_eq!(sent(&cluster, &mut seen), [format!("PATCH {path}")]);
    assert_eq!(selector(), json!({"app": "medcontracthub-app", "zone": "us-east-1a"}));
    assert_eq!(divert("us-east-1a", &["--yes"]).0, 1, "nothing to do");
    let inputs: Vec<String> = told["undo"]["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
        .collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let (code, told) =
        run(&cluster, told["undo"]["step"].as_str().unwrap(), &inputs, &["--yes", "--no-wait"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    assert_eq!(sent(&cluster, &mut seen), [format!("PATCH {path}")]);
    assert_eq!(selector(), before);
}

#[test]
fn a_circuit_breaker_is_applied_changed_and_taken_back() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let path = format!(
        "/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/destinationrules/circuit-breaker-emergency"
    );
    let breaker = |more: &[&str], flags: &[&str]| {
        let inputs: Vec<&str> = ["service=ocr-service"].into_iter().chain(more.iter().copied()).collect();
        run(&cluster, "circuit-breaker", &inputs, flags)
    };
    let remove = |more: &str| {
        let inputs: Vec<&str> =
            ["service=ocr-service", more].into_iter().filter(|one| !one.is_empty()).collect();
        run(&cluster, "circuit-breaker-remove", &inputs, &["--yes", "--no-wait"])
    };
    let (code, told) = breaker(&[], &["--dry-run"]);
    assert!(code == 0 && told["diff"].to_string().contains("maxEjectionPercent"), "{told}");
    assert_eq!((sent(&cluster, &mut seen), cluster.sim.object(&path)), (Vec::new(), None));

    let (code, told) = breaker(&[], &["--yes", "--no-wait"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    assert_eq!(told["undo"]["inputs"], json!({"service": "ocr-service"}));
    assert_eq!(sent(&cluster, &mut seen), [format!("PATCH {path}")]);
    let first = cluster.sim.object(&path).unwrap()["spec"].clone();
    let detection = json!({
        "consecutive5xxErrors": 1, "interval": "5s", "baseEjectionTime": "30s", "maxEjectionPercent": 100,
    });
    assert_eq!(first, json!({"host": "ocr-service", "trafficPolicy": {"outlierDetection": detection}}));
    assert_eq!(breaker(&[], &["--yes"]).0, 1, "nothing to do");

    let (code, told) = breaker(&["maxEjectionPercent=50"], &["--yes", "--no-wait"]);
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    let policy = format!("policy={}", told["undo"]["inputs"]["policy"].as_str().unwrap());
    assert_eq!(remove(&policy).1["outcome"], "applied");
    assert_eq!(cluster.sim.object(&path).unwrap()["spec"], first, "as it was");
    assert_eq!(sent(&cluster, &mut seen).len(), 2);

    let (code, told) = remove("");
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    assert_eq!(sent(&cluster, &mut seen), [format!("DELETE {path}")]);
    assert_eq!(cluster.sim.object(&path), None);
}

#[tokio::test]
async fn a_circuit_breaker_whose_answer_is_lost_is_found_by_reading_and_sent_once() {
    for applied in [true, false] {
        let mut room = Room::open(1, Scenario::Calm, |wanted| wanted).await;
        let call = StepCall::new("circuit-breaker", [("service".into(), "ocr-service".into())].into());
        let plan = prepare(&mut room.session, call).await.unwrap();
        meets(&room.sim, plan.intent.writes().next().unwrap(), Fault::Cut { applied });
        let id = room.session.confirm(&plan);
        assert!(room.until(|session| session.answered(id)).await);
        let stage = &room.last().stage;
        let made = matches!(stage, Stage::Verifying | Stage::Done(_));
        assert_eq!((made, matches!(stage, Stage::Rejected(_))), (applied, !applied), "{stage:?}");
        assert_eq!(room.sim.list("DestinationRule").len(), usize::from(applied));
        assert_eq!(room.writes().len(), 1);
    }
}

#[test]
fn a_circuit_breaker_does_not_take_over_what_somebody_else_manages() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let apply = |more: &str| {
        let inputs = ["service=ocr-service", more];
        run(&cluster, "circuit-breaker", &inputs, &["--yes", "--no-wait"])
    };
    assert_eq!(apply("interval=5s").1["outcome"], "applied");
    sent(&cluster, &mut seen);
    assert!(cluster.sim.edit("DestinationRule", NAMESPACE, "circuit-breaker-emergency", |rule| {
        rule["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
    }));
    let (code, told) = apply("interval=9s");
    let why = told["reason"].as_str().unwrap();
    assert!(code == 1 && why.contains("Apply failed with 1 conflict: conflict with \"kubectl\""), "{told}");
    assert_eq!(sent(&cluster, &mut seen), [] as [String; 0]);
}

#[test]
fn a_pod_that_something_makes_again_is_deleted_and_its_workload_is_whole_again() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let pod = pods(&cluster, "medcontracthub-app").remove(0);
    let input = format!("pod={pod}");
    let (code, told) = run(&cluster, "delete-pod", &[&input], &["--dry-run"]);
    let facts: Vec<&str> =
        told["facts"].as_array().unwrap().iter().map(|fact| fact["words"].as_str().unwrap()).collect();
    assert!(
        code == 0
            && facts.iter().any(|words| words.ends_with("of Deployment medcontracthub-app makes another")),
        "{told}"
    );
    assert_eq!(
        (sent(&cluster, &mut seen), &told["diff"]),
        (Vec::new(), &json!([format!("- Pod {pod}, as a whole")])),
        "nothing but a dry run"
    );
    assert!(pods(&cluster, "medcontracthub-app").contains(&pod));
    let (code, told) = run(&cluster, "delete-pod", &[&input], &["--yes"]);
    assert_eq!((code, &told["verify"]["ok"], &told["undo"]), (0, &json!(true), &Value::Null), "{told}");
    assert_eq!(sent(&cluster, &mut seen), [format!("DELETE /api/v1/namespaces/{NAMESPACE}/pods/{pod}")]);
    assert!(!pods(&cluster, "medcontracthub-app").contains(&pod));
}

#[test]
fn a_pod_that_nothing_makes_again_is_deleted_when_its_name_is_given() {
    let cluster = Cluster::calm();
    let mut seen = 0;
    let pod = pods(&cluster, "medcontracthub-app").remove(0);
    assert!(cluster.sim.edit("Pod", NAMESPACE, &pod, |pod| pod["metadata"]["ownerReferences"] = Value::Null));
    let input = format!("pod={pod}");
    for flags in [&["--yes"][..], &["--yes", "--confirm", "medcontracthub-app"], &["--confirm", &pod]] {
        let (code, told) = run(&cluster, "delete-pod", &[&input], flags);
        assert_eq!(
            (code, &told["outcome"], &told["confirm"]["flag"]),
            (3, &json!("not_sent"), &json!(true)),
            "{flags:?}: {told}"
        );
    }
    assert_eq!(sent(&cluster, &mut seen), [] as [String; 0]);
    let (code, told) = run(&cluster, "delete-pod", &[&input], &["--yes", "--confirm", &pod]);
    assert_eq!((code, &told["outcome"]), (0, &json!("applied")), "{told}");
    assert_eq!(sent(&cluster, &mut seen), [format!("DELETE /api/v1/namespaces/{NAMESPACE}/pods/{pod}")]);
}

#[test]
fn a_check_needs_no_arming_and_tells_what_was_printed_with_its_exit_code() {
    let cluster = Cluster::calm();
    let check = |command: &str| {
        run(&cluster, "exec-check", &["workload=medcontracthub-app", &format!("command={command}")], &[])
    };
    let (code, told) = check("npm run db:health");
    assert_eq!((code, &told["outcome"], &told["output"]["exit"]), (0, &json!("read"), &json!(0)), "{told}");
    assert!(told["output"]["lines"][0].as_str().unwrap().contains("postgres-primary"), "{told}");
    let (code, told) = check("echo 'a b' $HOME `id`");
    assert_eq!(
        (code, &told["output"]["lines"]),
        (0, &json!(["a b $HOME `id`"])),
        "no shell reads it: {told}"
    );
    let (code, told) = check("false");
    assert_eq!((code, &told["outcome"], &told["output"]["exit"]), (1, &json!("read"), &json!(1)), "{told}");
    let (code, told) = check("no-such-tool");
    assert_eq!((code, &told["output"]["exit"]), (1, &json!(127)), "{told}");
    let (_, told) = check(r"printf '\x1b]0;hooked\x07'");
    assert!(!told.to_string().contains('\u{1b}') && !told.to_string().contains("\\u001b"), "{told}");
    let (code, told) = check("seq 1000000");
    let lines = told["output"]["lines"].as_array().unwrap().len();
    assert!(
        code == 0 && lines < 100_000 && !told["output"]["cut"].is_null(),
        "{code}: {lines} lines, {}",
        told["output"]["cut"]
    );
    let (code, told) = check("echo 'a");
    assert_eq!((code, &told["reason"]), (2, &json!("a quote of the command does not close")), "{told}");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn a_check_is_shown_on_a_page_and_on_the_timeline() {
    let cluster = Cluster::calm();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service")
        .press(":exec-check workload=medcontracthub-app command='npm run db:health'\r");
    term.sees("output").sees("exit 0").sees("postgres-primary").press_away("q", "ended");
    term.sees("exit 0 · 1 line");
    assert_eq!(cluster.writes(), []);
}
