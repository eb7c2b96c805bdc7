//! Whole incidents with the real program: seen, mitigated, seen to end; by scripts, by keys, and looked at
//! again in a replay.
//!
//! Scripts run on a simulated cluster under the machine's clock. Keys run on `warroom demo`, and, where it
//! is, on the bed.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use warroom::sim::scenario::{Release, ServiceFault};

use crate::bed;
use crate::pty::{Cluster, Home, Term};

const MINUTE: Duration = Duration::from_secs(60);
const NAMESPACED: &[&str] = &["--namespace", "medcontract-prod"];

/// An incident as a script sees it.
struct Incident {
    release: Release,
    seen: fn(&Value) -> bool,
    step: &'static [&'static str],
    path: &'static str,
    ended: fn(&Value) -> bool,
}

fn one<'a>(status: &'a Value, rows: &str, name: &str, key: &str) -> &'a Value {
    let found = status[rows].as_array().unwrap().iter().find(|row| row[key] == name);
    found.unwrap_or(&Value::Null)
}

fn ratio(status: &Value) -> f64 {
    one(status, "services", "medcontracthub-app", "service")["ratio_5xx"].as_f64().unwrap_or(0.0)
}

fn workload<'a>(status: &'a Value, name: &str) -> &'a Value {
    one(status, "workloads", name, "name")
}

fn failing(status: &Value) -> bool {
    ratio(status) > 0.05
}

fn calm(status: &Value) -> bool {
    ratio(status) < 0.05
}

const APP: &str = "/apis/apps/v1/namespaces/medcontract-prod/deployments/medcontracthub-app?";
const WORKER: &str = "/apis/apps/v1/namespaces/medcontract-prod/deployments/worker-service/scale?";

fn incidents() -> [Incident; 4] {
    [
        Incident {
            release: Release::version("v1.3.0"),
            seen: failing,
            step: &["rollout-undo", "--set", "deployment=medcontracthub-app"],
            path: APP,
            ended: calm,
        },
        Incident {
            release: Release::fault("ai-service", ServiceFault::Unhealthy),
            seen: |status| failing(status) && workload(status, "ai-service")["ready"] == 0,
            step: &[
                "set-env",
                "--set",
                "deployment=medcontracthub-app",
                "--set",
                "env=FEATURE_AI_PROPOSALS=false",
            ],
            path: APP,
            ended: calm,
        },
        Incident {
            release: Release::fault("ocr-service", ServiceFault::Crash),
            seen: |status| workload(status, "ocr-service")["restarts"].as_u64() > Some(0),
            step: &[
                "set-env",
                "--set",
                "deployment=medcontracthub-app",
                "--set",
                "env=FEATURE_OCR_PROCESSING=false",
            ],
            path: APP,
            ended: calm,
        },
        Incident {
            release: Release::produce_rate(400),
            seen: |status| one(status, "groups", "worker-service", "group")["lag"].as_u64() > Some(2000),
            step: &["scale", "--set", "deployment=worker-service", "--set", "replicas=10"],
            path: WORKER,
            ended: |status| workload(status, "worker-service")["ready"] == 10,
        },
    ]
}

/// Asks for the status until it is so; a status takes its time by itself.
fn status_until(cluster: &Cluster, what: &str, limit: Duration, is: fn(&Value) -> bool) {
    let end = Instant::now() + limit;
    loop {
        let status = cluster.run(&[NAMESPACED, &["status", "--json"]].concat()).json();
        if is(&status) {
            return;
        }
        assert!(Instant::now() < end, "{what}: {status}");
    }
}

fn goes_through(incident: &Incident) {
    let cluster = Cluster::calm();
    cluster.release(&incident.release);
    let name = incident.step.join(" ");
    status_until(&cluster, &format!("{name}: not seen"), MINUTE * 3 / 2, incident.seen);
    let ran = cluster.run(&[NAMESPACED, &["run"], incident.step, &["--yes", "--json"]].concat());
    let told = ran.json();
    assert_eq!(ran.code, 0, "{name}: {told}");
    assert_eq!(told["outcome"], "applied", "{told}");
    assert_eq!(told["verify"]["ok"], true, "{told}");
    assert_eq!((&told["step"], &told["writes"]), (&incident.step[0].into(), &1.into()));
    let writes = cluster.writes();
    assert_eq!(writes.len(), 1, "{name}: {writes:?}");
    assert!(writes[0].applied && writes[0].path.starts_with(incident.path), "{writes:?}");
    assert_eq!(writes[0].field_manager.as_deref(), Some("warroom"));
    assert!(writes[0].user_agent.starts_with("warroom"), "{writes:?}");
    status_until(&cluster, &format!("{name}: not ended"), MINUTE, incident.ended);
    cluster.home.sealed();
}

#[test]
fn each_is_seen_and_ended_by_scripts() {
    thread::scope(|scope| {
        for incident in incidents() {
            scope.spawn(move || goes_through(&incident));
        }
    });
}

fn demo(home: &Home, scenario: &str) -> Term {
    Term::run(home, &["demo", scenario, "--speed", "3", "--onset", "2"])
}

/// Arms, and begins a step with its inputs through its form.
fn begin(term: &mut Term, keys: &str, title: &str, inputs: &[&str]) {
    term.press("A").sees("ARMED").press(keys).sees(title);
    for (number, input) in inputs.iter().enumerate() {
        term.press("\x15").press(input).sees(input).press("\r");
        if number + 1 < inputs.len() {
            term.until("the next field", MINUTE, |screen| {
                !screen.lines().last().unwrap_or_default().contains(input)
            });
        }
    }
    term.sees("server dry run");
}

/// Confirms what is asked; the key is dead for a moment, so that it is pressed until the question is gone.
fn go_ahead(term: &mut Term, verdict: &str) {
    term.press_away("y", "server dry run").sees("✓ ①").sees_within(2 * MINUTE, verdict);
}

/// Leaves, and looks at it again: the screen says that it is a replay, keys that act do nothing, and the
/// change is found.
fn look_back(home: &Home, mut term: Term, title: &str, verdict: &str) {
    term.press("q");
    assert!(term.ends().success());
    term.assert_given_back();
    let path = home.sealed();
    let path = path.to_str().unwrap();
    let before = home.run(&["recordings", "verify", path, "--json"]).json();
    assert_eq!((&before["sealed"], &before["damaged"]), (&true.into(), &serde_json::json!([])));
    let mut replay = Term::run(home, &["replay", path, "--at", title]);
    replay.sees("REPLAY").sees(title);
    assert!(!replay.text().contains(verdict), "{}", replay.text());
    for keys in ["mu", "ms", "mf", ":rollout-undo deployment=medcontracthub-app\r"] {
        replay.press("(").loses(title).press(keys).sees("a replay cannot act");
        replay.press("A").press(&format!("g{title}\r")).sees(title).loses("a replay cannot act");
    }
    replay.press(")").sees(verdict);
    assert!(!replay.text().contains("server dry run"), "{}", replay.text());
    replay.press("q");
    assert!(replay.ends().success());
    replay.assert_given_back();
    assert_eq!(
        home.run(&["recordings", "verify", path, "--json"]).json()["chain"],
        before["chain"],
        "a replay writes nothing"
    );
}

/// The bad release, from the first sign to the replay, wherever it happens.
fn roll_back(home: &Home, mut term: Term) {
    term.sees_within(MINUTE, "% > 5 %");
    begin(&mut term, "mu", "Roll back a deployment", &["medcontracthub-app", ""]);
    assert!(term.text().contains("v1.3.0"), "{}", term.text());
    go_ahead(&mut term, " % in ");
    look_back(home, term, "roll back", " % in ");
}

#[test]
fn keys_roll_a_bad_release_back() {
    let home = Home::new();
    let term = demo(&home, "bad-release");
    roll_back(&home, term);
}

#[test]
fn keys_switch_a_feature_off() {
    let home = Home::new();
    let mut term = demo(&home, "ocr-crash");
    // The app fails because of it a while later: nobody switches anything off before.
    term.sees_within(MINUTE, "ocr-service").sees_within(MINUTE, "CrashLoop").sees_within(MINUTE, "> 5 %");
    begin(&mut term, "mf", "Disable a feature flag", &["medcontracthub-app", "FEATURE_OCR_PROCESSING=false"]);
    go_ahead(&mut term, " % in ");
    look_back(&home, term, "FEATURE_OCR", " % in ");
}

#[test]
fn keys_scale_a_lagging_consumer() {
    let home = Home::new();
    let mut term = demo(&home, "lag");
    term.sees_within(MINUTE, ", growing");
    begin(&mut term, "ms", "Scale a deployment", &["worker-service", "10"]);
    go_ahead(&mut term, "ready 1 → 10 in");
    look_back(&home, term, "scale worker-service", "ready 1 → 10 in");
}

#[test]
fn the_command_line_and_the_panes_answer() {
    let home = Home::new();
    let mut term = demo(&home, "calm");
    term.sees("worker-service").press("A").sees("ARMED");
    term.press(":scale deployment=worker-service replicas=3\r").sees("server dry run");
    go_ahead(&mut term, "ready 1 → 3 in");
    assert_eq!(term.text().matches("scaled 1 → 3").count(), 1, "{}", term.text());
    term.press("ahanded to the night shift\r").sees("handed to the night");
    term.press("?").sees("Leave").press("q").loses("Leave");
    term.press("1/ocr\r").loses("clickhouse").press("\x1b").sees("clickhouse");
    term.press("3z").loses("Pods ─").sees("nightly-export").press("z").sees("Pods ─");
    term.press("1n").press("jjd").sees("uid").press("l").sees("served").press("q").press("q").loses("uid");
    term.press(":nonsense\r").sees("nonsense");
    term.press("q");
    assert!(term.ends().success());
}

/// `bed release ARGS`
fn release(args: &[&str]) {
    let bed = std::env::var("BED").unwrap_or_else(|_| "bed".to_owned());
    assert!(
        Command::new(&bed).arg("release").args(args).status().unwrap().success(),
        "{bed} release {args:?}"
    );
}

#[test]
#[ignore = "needs the bed"]
fn bed_keys_roll_a_bad_release_back() {
    let kubeconfig = bed::kubeconfig();
    let home = Home::new();
    std::fs::copy(&kubeconfig, home.path("kubeconfig")).unwrap();
    let addresses = ["WARROOM_PROMETHEUS_URL", "WARROOM_ALERTMANAGER_URL"].map(bed::var);
    let flags = [NAMESPACED, &["--prometheus", &addresses[0], "--alertmanager", &addresses[1]]].concat();
    release(&[]);
    let mut term = Term::run(&home, &flags);
    term.sees("worker-service")
        .until("calm", 2 * MINUTE, |screen| !screen.contains("medcontracthub-app 5xx"));
    release(&["version=v1.3.0"]);
    roll_back(&home, term);
    release(&[]);
}
