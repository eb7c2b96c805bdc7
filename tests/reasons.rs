//! Nine ways in which things break, each made, and each named with its reason on the pods pane within 5 s of
//! the API server knowing it.
//!
//! On the simulated cluster always; where it is, on the bed, in a namespace of its own that is deleted in the
//! end. The ninth is that deletion.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/bed.rs"]
mod bed;
mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};
use warroom::config::{Endpoint, Paths, ReadOnly};
use warroom::data::Location;
use warroom::event::{Event, Mode, Operator, SourceId};
use warroom::journal::Limits;
use warroom::keymap::{Action, Keymap};
use warroom::net::clock::Clock;
use warroom::net::connect::ConnectSettings;
use warroom::net::timing::Timing;
use warroom::runbook;
use warroom::runtime::headless::Headless;
use warroom::session::{self, DEADLINE, PATIENCE, SessionConfig};
use warroom::sim::scenario::{Release, Scenario, ServiceFault};
use warroom::state::{Focus, State};
use warroom::theme::{ColorDepth, Theme};
use warroom::view::{Hits, Look, view};

use support::{Room, until};

const NAMESPACE: &str = "warroom-reasons";
const PROMISE: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_secs(60);

static LOOKS: LazyLock<(Theme, Keymap)> = LazyLock::new(|| {
    let theme =
        Theme::load("dark", &Location::start_of("tests"), &[]).unwrap().at_depth(ColorDepth::TrueColor);
    (theme, Keymap::load(&[]).unwrap())
});

/// The pods pane on the whole screen, as text.
fn pane(state: &State) -> String {
    let mut state = state.clone();
    state.screen.size = (200, 60);
    state.screen.focus = Focus::Pods;
    state.screen.zoomed = true;
    let (theme, keymap) = &*LOOKS;
    let mut terminal = Terminal::new(TestBackend::new(200, 60)).unwrap();
    let buffer = terminal
        .draw(|frame| {
            view(
                &state.frame(),
                &Look { theme, keymap, before: keymap, ascii: false, hits: &Hits::default() },
                frame,
            );
        })
        .unwrap()
        .buffer
        .clone();
    buffer.content.chunks(200).fold(String::new(), |mut text, row| {
        text.extend(row.iter().map(ratatui::buffer::Cell::symbol));
        writeln!(text).unwrap();
        text
    })
}

/// Lets time go by on the simulated cluster until the pane says all of this.
async fn says(room: &mut Room, what: &str, words: &[&str]) {
    let step = Duration::from_millis(250);
    let named = |session: &Headless| words.iter().all(|word| pane(session.state()).contains(word));
    let came = until(&mut room.session, &room.clock, step, named).await;
    assert!(came, "{what}: {words:?} never came:\n{}", pane(room.session.state()));
}

const PROD: &str = warroom::sim::NAMESPACE;

#[tokio::test(flavor = "multi_thread")]
async fn every_situation_of_a_workload_is_named_with_its_reason() {
    let mut room = Room::open(1, Scenario::Calm, |wanted| wanted).await;
    says(&mut room, "calm", &["12/12 ready", "worker-service"]).await;
    let container = |deployment: &mut Value| deployment["spec"]["template"]["spec"]["containers"][0].take();
    let set = |deployment: &mut Value, container: Value| {
        deployment["spec"]["template"]["spec"]["containers"][0] = container;
    };

    room.sim.release(&Release::fault("ocr-service", ServiceFault::Crash));
    says(&mut room, "a crash loop", &["CrashLoopBackOff", "exit 1"]).await;
    room.sim.release(&Release::fault("analytics-service", ServiceFault::Leak));
    says(&mut room, "out of memory", &["OOMKilled"]).await;
    room.sim.release(&Release::fault("ai-service", ServiceFault::Unhealthy));
    says(
        &mut room,
        "a probe that fails",
        &["Readiness probe failed: HTTP probe failed with statuscode: 503"],
    )
    .await;
    room.sim.release(&Release::default());

    room.sim.edit("Deployment", PROD, "worker-service", |deployment| {
        let mut changed = container(deployment);
        changed["resources"]["requests"]["cpu"] = json!("900");
        set(deployment, changed);
    });
    says(&mut room, "no room", &["Pending", "Insufficient cpu"]).await;
    room.sim.edit("Deployment", PROD, "medcontracthub-app", |deployment| {
        let mut changed = container(deployment);
        changed["image"] = json!("medcontracthub/app:missing");
        set(deployment, changed);
    });
    says(
        &mut room,
        "a rollout that hangs",
        &["ImagePullBackOff", "hangs, 1 of 2 updated", "medcontracthub/app:missing: not found"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_named() {
    let mut room = Room::open(1, Scenario::Calm, |wanted| wanted).await;
    says(&mut room, "calm", &["12/12 ready", "nodes 3 ready"]).await;
    room.sim.delete_by_force(PROD, "kafka-0");
    says(&mut room, "a pod force-deleted", &["force-deleted", "kafka-0"]).await;
    let node = room.sim.list("Node")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    room.sim.stop_node(&node);
    says(
        &mut room,
        "a node that stops",
        &["node not ready", &format!("{node} not ready: Kubelet stopped posting node status.")],
    )
    .await;
    room.sim.delete_namespace(PROD);
    says(&mut room, "a namespace on its way out", &["is being deleted"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_namespaces_are_watched_and_changed_live() {
    let mut room = Room::open(1, Scenario::Calm, |wanted| SessionConfig {
        namespaces: Some(vec![PROD.into(), "default".into()]),
        ..wanted
    })
    .await;
    says(&mut room, "two namespaces", &["12/12 ready", "medcontract-prod worker-service"]).await;
    room.session.take(Event::Operator(Operator::Did(Action::Namespaces("default".into()))));
    says(&mut room, "an empty one", &["0/0 ready"]).await;
    room.session.take(Event::Operator(Operator::Did(Action::Namespaces(PROD.into()))));
    says(&mut room, "the first one again", &["12/12 ready", "worker-service"]).await;
}

/// `kubectl`, which must succeed.
fn kubectl(args: &[&str], input: Option<&Value>) -> String {
    let mut child =
        Command::new("kubectl").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.map(Value::to_string).unwrap_or_default().as_bytes())
        .unwrap();
    let answer = child.wait_with_output().unwrap();
    assert!(answer.status.success(), "kubectl {args:?}");
    String::from_utf8(answer.stdout).unwrap()
}

fn get(kind: &str) -> Value {
    let text = kubectl(&["get", kind, "-n", NAMESPACE, "-o", "json"], None);
    serde_json::from_str(&text).unwrap()
}

fn kubelet(signal: &str) {
    let pid =
        String::from_utf8(Command::new("pgrep").args(["-of", "kubelet --config"]).output().unwrap().stdout)
            .unwrap();
    assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
}

/// A namespace on the bed, which is given back as it was, whatever happens.
struct Bed {
    session: Headless,
    _data: tempfile::TempDir,
}

impl Drop for Bed {
    fn drop(&mut self) {
        kubelet("-CONT");
        let _ = Command::new("kubectl")
            .args(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false"])
            .status();
    }
}

impl Bed {
    async fn open() -> Self {
        kubectl(&["create", "namespace", NAMESPACE], None);
        let data = tempfile::tempdir().unwrap();
        let paths = Paths { config_dir: data.path().join("config"), data_dir: data.path().to_owned() };
        let wanted = SessionConfig {
            mode: Mode::Live,
            connect: vec![ConnectSettings::default()],
            namespaces: Some(vec![NAMESPACE.into()]),
            guardrails: Vec::new(),
            read_only: ReadOnly::Everywhere,
            no_exec: false,
            arm_minutes: 15,
            rates: warroom::config::Rates::default(),
            prometheus: Endpoint::default(),
            alertmanager: Endpoint::default(),
            kafka: None,
            find_kafka: false,
            timing: Timing::default(),
            deadline: DEADLINE,
            patience: PATIENCE,
            limits: Limits::default(),
            recorded: false,
            actor: "test".into(),
        };
        let runbook = Arc::new(runbook::embedded().unwrap());
        let session = Headless::new(session::open(wanted, &paths, runbook, Clock::system()).await.unwrap());
        let mut bed = Self { session, _data: data };
        assert!(bed.session.until(MINUTE, |session| session.heard(SourceId::ALL)).await);
        bed
    }

    /// Waits until the API server knows it, and asks that the pane names it within the promised time.
    async fn names(&mut self, what: &str, known: impl Fn() -> bool, words: &[&str]) {
        let began = Instant::now();
        let mut since = None;
        let mut named = false;
        loop {
            // A back-off is over in less than a second on some kubelets: the pane is read after each event,
            // not now and then.
            let names = |session: &Headless| words.iter().all(|word| pane(session.state()).contains(word));
            named |= self.session.until(Duration::from_millis(200), names).await;
            since = since.or_else(|| known().then(Instant::now));
            if since.is_some() && named {
                return;
            }
            let text = pane(self.session.state());
            assert!(
                since.is_none_or(|since| since.elapsed() < PROMISE),
                "{what}: not named {words:?} in time:\n{text}"
            );
            assert!(began.elapsed() < 3 * MINUTE, "{what}: it never came to that");
        }
    }
}

/// A Deployment of one container that does this, changed from what it usually is.
fn deployment(name: &str, script: &str, change: impl Fn(&mut Value)) -> Value {
    let mut container = json!({
        "name": "main", "image": "localhost/box:1", "imagePullPolicy": "IfNotPresent", "command": ["/bin/sh", "-c", script],
        "volumeMounts": [{"name": "usr", "mountPath": "/usr", "readOnly": true}],
    });
    change(&mut container);
    let labels = json!({"app": name});
    let spec = json!({
        "containers": [container], "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "usr", "hostPath": {"path": "/usr"}}],
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": 1, "progressDeadlineSeconds": 6, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec}},
    })
}

fn apply(object: &Value) {
    kubectl(&["apply", "-f", "-"], Some(object));
}

/// Whether a container of this workload's pods says so in its state, or in how its last run ended.
fn pods_say(name: &str, reason: &str) -> bool {
    let pods = get("pods");
    let its = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["labels"]["app"] == name);
    its.into_iter().any(|pod| pod["status"].to_string().contains(reason))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the bed"]
async fn bed_every_situation_is_named_with_its_reason() {
    bed::kubeconfig();
    let mut bed = Bed::open().await;

    apply(&deployment("crash", "exit 3", |_| ()));
    bed.names("a crash loop", || pods_say("crash", "CrashLoopBackOff"), &["CrashLoopBackOff", "exit 3"])
        .await;

    apply(&deployment("leak", "exec tail /dev/zero", |c| {
        c["resources"] = json!({"limits": {"memory": "24Mi"}});
    }));
    bed.names("out of memory", || pods_say("leak", "OOMKilled"), &["OOMKilled"]).await;

    apply(&deployment("image", "true", |c| c["image"] = json!("localhost/nope:1")));
    bed.names(
        "an image that does not exist",
        || pods_say("image", "ImagePull"),
        &["ImagePull", "localhost/nope:1"],
    )
    .await;

    apply(&deployment("greedy", "true", |c| c["resources"] = json!({"requests": {"cpu": "900"}})));
    bed.names("no room", || pods_say("greedy", "Insufficient cpu"), &["Pending", "Insufficient cpu"]).await;

    let probe =
        json!({"exec": {"command": ["/bin/sh", "-c", "echo disk is full; exit 1"]}, "periodSeconds": 1});
    apply(&deployment("probe", "sleep 9999", |c| c["readinessProbe"] = probe.clone()));
    let warned = || get("events").to_string().contains("disk is full");
    bed.names("a probe that fails", warned, &["Readiness probe failed: disk is full"]).await;

    half_rolled(&mut bed).await;
    deleted_by_force(&mut bed).await;
    a_node_that_stops(&mut bed).await;

    kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"], None);
    bed.names("a namespace on its way out", || true, &["is being deleted"]).await;
    let gone = || {
        Command::new("kubectl")
            .args(["get", "namespace", NAMESPACE])
            .output()
            .is_ok_and(|answer| !answer.status.success())
    };
    bed.names("a namespace that is gone", gone, &["is gone"]).await;
}

async fn half_rolled(bed: &mut Bed) {
    let mut rolled = deployment("rolled", "sleep 9999", |_| ());
    rolled["spec"]["replicas"] = json!(2);
    apply(&rolled);
    bed.names("a good revision", || get("deployments").to_string().contains("\"readyReplicas\":2"), &["2/2"])
        .await;
    rolled["spec"]["template"]["spec"]["containers"][0]["image"] = json!("localhost/nope:2");
    apply(&rolled);
    let stuck = || {
        kubectl(&["get", "deployment", "rolled", "-n", NAMESPACE, "-o", "json"], None)
            .contains("ProgressDeadlineExceeded")
    };
    bed.names("a rollout that hangs", stuck, &["rev 2 hangs", "localhost/nope:2"]).await;
}

async fn deleted_by_force(bed: &mut Bed) {
    let mut set = deployment("web", "sleep 9999", |_| ());
    set["kind"] = json!("StatefulSet");
    set["spec"]["serviceName"] = json!("web");
    set["spec"].as_object_mut().unwrap().remove("progressDeadlineSeconds");
    apply(&set);
    let uid = || {
        let pods = get("pods");
        let pod = pods["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|pod| pod["metadata"]["name"] == "web-0" && pod["status"]["phase"] == "Running");
        pod.map(|pod| pod["metadata"]["uid"].clone())
    };
    bed.names("a stateful set", || uid().is_some(), &["web"]).await;
    let before = uid();
    kubectl(&["delete", "pod", "web-0", "-n", NAMESPACE, "--force", "--grace-period=0"], None);
    bed.names("a pod force-deleted", || uid() != before, &["force-deleted", "web-0"]).await;
}

async fn a_node_that_stops(bed: &mut Bed) {
    kubelet("-STOP");
    let unknown =
        || kubectl(&["get", "nodes", "-o", "json"], None).contains("Kubelet stopped posting node status");
    bed.names(
        "a node that does not answer",
        unknown,
        &["node not ready", "Kubelet stopped posting node status"],
    )
    .await;
    kubelet("-CONT");
    bed.names("the node is back", || !unknown(), &["nodes 1 ready"]).await;
}
