//! Two clusters in one session, alike to the last identity: what is told of one is never taken for the other,
//! and a change lands on exactly the one that was chosen.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "support/bed.rs"]
mod bed;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use chrono::DateTime;
use tempfile::TempDir;
use warroom::event::{ContextId, Event, Operator, Pod, Refusal, SourceId, SourceState, StepCall, Uid};
use warroom::journal::{Item, Recording};
use warroom::keymap::Action;
use warroom::net::clock::Clock;
use warroom::net::connect::ConnectSettings;
use warroom::net::timing::Timing;
use warroom::reduce::command;
use warroom::runtime::headless::Headless;
use warroom::runtime::player::decoded;
use warroom::session::SessionConfig;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::sim::{NAMESPACE, Sim, SimConfig};
use warroom::state::{Page, Run, World, workload_rows};

use support::{session, until, wanted};

const APP: &str = "medcontracthub-app";
const US: ContextId = ContextId(1);
const STEP: Duration = Duration::from_millis(60);

/// Two clusters, `eu` (the main one) and `us`, of the same seed: every object of one has its twin, with the
/// same identity, in the other.
struct Room {
    eu: Sim,
    us: Sim,
    clock: Clock,
    session: Headless,
    data: TempDir,
}

impl Room {
    async fn open() -> Self {
        Self::with(|wanted| wanted).await
    }

    async fn with(changed: impl FnOnce(SessionConfig) -> SessionConfig) -> Self {
        let clock = Clock::manual(DateTime::from_timestamp(1_795_445_192, 0).unwrap());
        let config = || SimConfig {
            clock: clock.clone(),
            measured: Duration::from_secs(60),
            ..SimConfig::new(Scenario::Calm)
        };
        let eu = Sim::start(config()).await.unwrap();
        let us = Sim::start(config()).await.unwrap();
        us.set_cluster_identity("us");
        let data = tempfile::tempdir().unwrap();
        let both = changed(SessionConfig { connect: vec![at(&eu, "eu"), at(&us, "us")], ..wanted(&eu) });
        let mut room = Self { session: session(both, &clock, data.path()).await, eu, us, clock, data };
        assert!(
            room.until(|session| session.heard(SourceId::ALL)).await,
            "{:?}",
            room.session.state().world.sources
        );
        room
    }

    async fn until(&mut self, done: impl FnMut(&Headless) -> bool) -> bool {
        until(&mut self.session, &self.clock, STEP, done).await
    }

    fn command(&mut self, line: &str) {
        self.session.take(command(self.session.state(), line));
    }

    /// The dialog of a command, once its plan is there.
    async fn dialog(&mut self, line: &str) {
        self.command(line);
        let asked =
            |session: &Headless| matches!(session.state().screen.pages.last(), Some(Page::Confirm(_)));
        assert!(self.until(asked).await, "{:?}", self.session.state().screen.pages);
        self.clock.advance(Duration::from_secs(1)); // its keys are dead at first
        self.session.take(Event::View(warroom::event::View::Tick));
    }

    fn press(&mut self, action: Action) {
        self.session.take(Event::Operator(Operator::Did(action)));
    }

    fn last(&self) -> Run {
        self.session.state().world.runs.all().next_back().unwrap().clone()
    }

    /// Waits until the newest change is answered and its effect seen.
    async fn settle(&mut self) -> Run {
        let settled = |session: &Headless| session.state().world.runs.all().all(Run::settled);
        assert!(self.until(settled).await);
        self.last()
    }

    fn pods(&self, context: ContextId) -> usize {
        pods(&self.session, context).count()
    }
}

fn pods(session: &Headless, context: ContextId) -> impl Iterator<Item = &Pod> {
    let all = session.state().world.cluster.pods.values();
    all.map(|pod| &**pod).filter(move |pod| pod.meta.context() == context)
}

/// The identity of a context's `kafka-0`, which is another one as soon as it was deleted and is there again.
fn kafka(session: &Headless, context: ContextId) -> Option<Uid> {
    pods(session, context).find(|pod| pod.meta.name == "kafka-0").map(|pod| pod.meta.uid.clone())
}

fn at(sim: &Sim, name: &str) -> ConnectSettings {
    ConnectSettings {
        url: Some(sim.kubernetes_url()),
        context: Some(name.to_owned()),
        ..ConnectSettings::default()
    }
}

fn writes(sim: &Sim) -> Vec<String> {
    let sent =
        sim.requests().into_iter().filter(|request| !request.dry_run && request.method == Method::PATCH);
    sent.map(|request| request.path).collect()
}

fn replicas(sim: &Sim, name: &str) -> u64 {
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}");
    sim.object(&path).unwrap()["spec"]["replicas"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_stand_side_by_side_and_go_alone() {
    let mut room = Room::open().await;
    let world = &room.session.state().world;
    let rows = workload_rows(world);
    let of = |name: &str| {
        rows.iter().filter(|row| row.name() == name).map(|row| row.meta().context()).collect::<Vec<_>>()
    };
    assert_eq!(of(APP), [ContextId::MAIN, US], "the same workload of both, the main one first");
    let eu = room.pods(ContextId::MAIN);
    let us = room.pods(US);
    assert!(eu > 0 && eu == us, "{eu} {us}");
    let pod = room
        .us
        .list("Pod")
        .into_iter()
        .find(|pod| pod["metadata"]["name"].as_str().unwrap().starts_with("kafka-0"))
        .unwrap();
    let uid = Uid::from(pod["metadata"]["uid"].as_str().unwrap());
    assert!(
        world.cluster.pods.contains_key(&uid) && world.cluster.pods.contains_key(&Uid::new(US, uid.id())),
        "twins have one identity"
    );
    room.us.delete("Pod", NAMESPACE, "kafka-0");
    assert!(
        room.until(|session| !session.state().world.cluster.pods.contains_key(&Uid::new(US, uid.id()))).await
    );
    assert!(room.session.state().world.cluster.pods.contains_key(&uid), "its twin is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relist_sweeps_its_own_cluster_only() {
    let silence = Duration::from_secs(1);
    let mut room =
        Room::with(|wanted| SessionConfig { timing: Timing { silence, ..wanted.timing.clone() }, ..wanted })
            .await;
    let before = [ContextId::MAIN, US].map(|context| (room.pods(context), kafka(&room.session, context)));
    let renewed = |session: &Headless, context: ContextId, (count, old): &(usize, Option<Uid>)| {
        let new = kafka(session, context);
        new.is_some() && new != *old && pods(session, context).count() == *count
    };
    room.us.faults().freeze();
    let stale = |session: &Headless| {
        let parts = &session.state().world.sources[&SourceId::Pods].parts;
        parts.iter().any(|part| {
            part.name.starts_with("us") && part.state == SourceState::Stale && part.error.is_some()
        })
    };
    assert!(room.until(stale).await);
    // The other goes on, and what happens meanwhile in the first one is not told.
    assert!(room.us.delete("Pod", NAMESPACE, "kafka-0") && room.eu.delete("Pod", NAMESPACE, "kafka-0"));
    assert!(room.until(|session| renewed(session, ContextId::MAIN, &before[0])).await);
    assert_eq!(kafka(&room.session, US), before[1].1, "it is not heard");
    let eu = kafka(&room.session, ContextId::MAIN);
    // What the server forgot is listed anew.
    room.us.compact();
    room.us.faults().cut_watches();
    room.us.faults().thaw();
    assert!(room.until(|session| renewed(session, US, &before[1])).await);
    assert_eq!(
        (room.pods(ContextId::MAIN), kafka(&room.session, ContextId::MAIN)),
        (before[0].0, eu),
        "the other's are left alone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_lands_on_the_cluster_that_was_chosen_and_so_does_its_undo() {
    let mut room = Room::open().await;
    let before = replicas(&room.us, "worker-service");
    room.dialog("scale deployment=worker-service replicas=4 context=us").await;
    assert!(room.session.state().world.armed(room.clock.now()).next().is_none());
    room.press(Action::Confirm);
    assert!(
        room.session.state().screen.message.as_ref().unwrap().1.contains("not armed in us"),
        "nothing is changed unarmed"
    );
    room.press(Action::Arm);
    let world = &room.session.state().world;
    assert!(
        world.is_armed(US, room.clock.now()) && !world.is_armed(ContextId::MAIN, room.clock.now()),
        "only the one in hand"
    );
    room.press(Action::Confirm);
    let run = room.settle().await;
    assert_eq!(
        (run.intent.target.cluster.as_str(), run.intent.target.context.as_str()),
        (room.us.kubernetes_url().as_str(), "us")
    );
    assert!(run.intent.command.shown.ends_with("--context us"), "{:?}", run.intent.command);
    assert!(matches!(&run.stage, warroom::state::Stage::Done(verdict) if verdict.ok), "{:?}", run.stage);
    assert_eq!((writes(&room.eu).len(), writes(&room.us).len()), (0, 1));
    assert_eq!((replicas(&room.eu, "worker-service"), replicas(&room.us, "worker-service")), (before, 4));

    room.press(Action::UndoLast);
    let asked = |session: &Headless| matches!(session.state().screen.pages.last(), Some(Page::Confirm(_)));
    assert!(room.until(asked).await, "{:?}", room.session.state().screen.pages);
    room.clock.advance(Duration::from_secs(1));
    room.session.take(Event::View(warroom::event::View::Tick));
    room.press(Action::Confirm);
    room.settle().await;
    assert_eq!((writes(&room.eu).len(), writes(&room.us).len()), (0, 2));
    assert_eq!(replicas(&room.us, "worker-service"), before);

    // The main context is what is meant where one is named so.
    room.dialog("scale deployment=worker-service replicas=3 context=eu").await;
    room.press(Action::Confirm);
    assert_eq!(writes(&room.eu).len(), 0, "eu was never armed");
    room.press(Action::Arm);
    room.press(Action::Confirm);
    room.settle().await;
    assert_eq!((writes(&room.eu).len(), writes(&room.us).len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_two_contexts_have_is_refused_with_both() {
    let mut room = Room::open().await;
    room.command("scale deployment=worker-service replicas=4");
    let Some(Page::Form(form)) = room.session.state().screen.pages.last() else { panic!("no form") };
    assert_eq!(form.problem.as_deref(), Some("worker-service is in eu and us: say which context is meant"));
    assert!(
        !form.waiting
            && form.current().is_some_and(|field| field.name == "context" && field.value.is_empty()),
        "{form:?}"
    );
    room.press(Action::Cancel);
    room.command("unsilence silence=x context=us");
    let told = room.session.state().screen.message.as_ref().map(|(_, text)| text.to_string());
    assert_eq!(told.as_deref(), Some("unsilence is done in the main context alone, not in us"));
    let call = |context: &str| {
        StepCall::new(
            "scale",
            BTreeMap::from(
                [("deployment", "worker-service"), ("replicas", "4"), ("context", context)]
                    .map(|(k, v)| (k.into(), v.into())),
            ),
        )
    };
    let refused = room.session.prepare(call("asia"), Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(refused, Refusal::Usage("context \"asia\" is not part of this session: eu, us".into()));
    assert!(room.us.delete("Deployment", NAMESPACE, "worker-service"));
    let refused = room.session.prepare(call("us"), Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(
        refused,
        Refusal::Usage(format!("there is no deployment worker-service in {NAMESPACE} of context us").into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_is_read_only_cannot_be_armed_and_the_others_can() {
    let mut room = Room::with(|wanted| SessionConfig {
        read_only: warroom::config::ReadOnly::In(vec!["us".into()]),
        ..wanted
    })
    .await;
    room.dialog("scale deployment=worker-service replicas=4 context=us").await;
    room.press(Action::Arm);
    assert_eq!(
        room.session.state().screen.message.as_ref().unwrap().1,
        "read-only: context us cannot be armed"
    );
    room.press(Action::Confirm);
    assert_eq!(
        room.session.state().screen.message.as_ref().unwrap().1,
        "read-only: nothing is changed in us"
    );
    room.press(Action::Cancel);
    room.press(Action::Arm);
    let armed: Vec<_> =
        room.session.state().world.armed(room.clock.now()).map(|(context, _)| context).collect();
    assert_eq!(armed, [ContextId::MAIN]);
    assert_eq!(writes(&room.us), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_arrives_at_the_same_world() {
    let mut room = Room::open().await;
    room.dialog("scale deployment=worker-service replicas=4 context=us").await;
    room.press(Action::Arm);
    room.press(Action::Confirm);
    room.settle().await;
    let mut core = room.session.stop();
    let path = core.recording().unwrap().to_owned();
    core.seal().unwrap();
    let mut world = World::default();
    for item in Recording::open(&path).unwrap().items() {
        if let Item::Record(raw) = item {
            world.fold(&decoded(&raw).unwrap());
        }
    }
    assert_eq!(world.hash(), core.state.world.hash());
    let read: World = serde_json::from_slice(&serde_json::to_vec(&world).unwrap()).unwrap();
    assert_eq!(
        (read.hash(), read.armed(room.clock.now()).count()),
        (world.hash(), 1),
        "as a checkpoint has it"
    );
    assert!(core.state.world.cluster.pods.keys().any(|uid| uid.context() == US));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_open_is_read_by_whoever_looks_at_its_cluster() {
    let mut room = Room::open().await;
    room.dialog("scale deployment=worker-service replicas=4 context=us").await;
    room.press(Action::Arm);
    room.us.faults().on(Method::PATCH, "worker-service", When::Nth(1), Fault::Hang { applied: true });
    room.press(Action::Confirm);
    let eu = room.eu;
    let us = room.us;
    let clock = room.clock;
    let data = room.data;
    let mut killed = room.session;
    assert!(until(&mut killed, &clock, STEP, |_| replicas(&us, "worker-service") == 4).await);
    drop(killed.stop()); // no seal: as if it was killed
    us.faults().clear();
    let others = [(&eu, "eu", 0), (&us, "us", 1), (&us, "us", 0)];
    for (sim, name, left) in others {
        let alone = SessionConfig { connect: vec![at(sim, name)], ..wanted(sim) };
        let mut next = session(alone, &clock, data.path()).await;
        let read = |session: &Headless| {
            session.state().world.runs.all().filter(|run| run.applied.is_some()).count() == left
        };
        assert!(
            until(&mut next, &clock, STEP, |session| session.heard(SourceId::ALL) && read(session)).await,
            "{name}"
        );
        assert_eq!(next.state().world.runs.all().count(), left, "{name}");
        let context = |run: &Run| next.state().world.context_of(&run.intent.target);
        assert!(
            next.state().world.runs.all().all(|run| context(run) == ContextId::MAIN),
            "it is the main context here"
        );
        next.stop().seal().unwrap();
    }
    assert_eq!(writes(&us).len(), 1, "nothing was sent again");
}

fn with_another(mut wanted: SessionConfig, another: ConnectSettings) -> SessionConfig {
    wanted.connect.truncate(1);
    wanted.connect.push(another);
    wanted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_without_credentials_leaves_the_others_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let text = r#"{"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "us", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "us", "user": {"tokenFile": "/nowhere/token"}}], "contexts": [{"name": "us", "context": {"cluster": "us", "user": "us"}}]}"#;
    std::fs::write(&kubeconfig, text).unwrap();
    let missing = ConnectSettings { kubeconfig: Some(kubeconfig), context: Some("us".into()), url: None };
    let mut room = Room::with(|wanted| with_another(wanted, missing)).await;
    let health = &room.session.state().world.sources[&SourceId::Pods];
    assert!(health.error.as_deref().is_some_and(|error| error.starts_with("us ")), "{health:?}");
    assert!(room.pods(ContextId::MAIN) > 0);
    room.dialog("scale deployment=worker-service replicas=4 context=eu").await;
    let inputs = BTreeMap::from(
        [("deployment", "worker-service"), ("replicas", "4"), ("context", "us")]
            .map(|(k, v)| (k.into(), v.into())),
    );
    let refused =
        room.session.prepare(StepCall::new("scale", inputs), Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Failed(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_cannot_be_reached_leaves_the_others_and_is_told() {
    let nobody = ConnectSettings {
        url: Some("http://127.0.0.1:9".into()),
        context: Some("us".into()),
        ..ConnectSettings::default()
    };
    let mut room = Room::with(|wanted| with_another(wanted, nobody)).await;
    let health = &room.session.state().world.sources[&SourceId::Pods];
    assert_eq!(health.state, SourceState::Down);
    assert!(health.error.as_deref().is_some_and(|error| error.starts_with("us ")), "{health:?}");
    assert!(room.pods(ContextId::MAIN) > 0);
    room.dialog("scale deployment=worker-service replicas=4").await;
    room.press(Action::Arm);
    room.press(Action::Confirm);
    let run = room.settle().await;
    assert_eq!(
        (run.intent.target.context.as_str(), writes(&room.eu).len()),
        ("", 1),
        "it is the only one that has it"
    );
}

/// The bed through two of its users, as two contexts: what each may, and nothing is changed.
#[test]
#[ignore = "needs the bed"]
fn bed_two_users_of_one_cluster_are_two_contexts() {
    bed::kubeconfig();
    let folder = tempfile::tempdir().unwrap();
    let copies = ["responder", "viewer"].map(|name| {
        let original = bed::var(&format!("BED_{}_KUBECONFIG", name.to_uppercase()));
        let text = std::fs::read_to_string(original)
            .unwrap()
            .replace("{name: bed, context:", &format!("{{name: {name}, context:"));
        let copy = folder.path().join(name);
        std::fs::write(&copy, text).unwrap();
        copy.display().to_string()
    });
    let warroom = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_warroom"));
        command
            .args(["--context", "responder", "--context", "viewer", "--namespace", NAMESPACE])
            .args(arguments);
        let folders = [
            ("WARROOM_CONFIG_DIR", folder.path().join("config")),
            ("WARROOM_DATA_DIR", folder.path().join("data")),
        ];
        let output = command.env("KUBECONFIG", copies.join(":")).envs(folders).output().unwrap();
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), told, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, status, _) = warroom(&["status", "--json"]);
    assert_eq!((exit, &status["contexts"]), (Some(0), &serde_json::json!(["responder", "viewer"])));
    let of = |row: &&serde_json::Value| row["name"] == APP;
    let contexts: Vec<&str> = status["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of)
        .filter_map(|row| row["context"].as_str())
        .collect();
    assert_eq!(contexts.len(), 2, "{contexts:?}");
    let scale =
        ["run", "scale", "--set", "deployment=worker-service", "--set", "replicas=2", "--dry-run", "--json"];
    let (exit, _, complaint) = warroom(&scale);
    assert!(exit == Some(2) && complaint.contains("responder, viewer"), "{complaint}");
    for (context, exit) in [("responder", 0), ("viewer", 3)] {
        let named = format!("context={context}");
        let (found, told, _) = warroom(&[&scale[..], &["--set", &named]].concat());
        assert_eq!(found, Some(exit), "{context}: {told}");
        assert!(
            told["kubectl"].as_str().is_some_and(|line| line.ends_with(&format!("--context {context}"))),
            "{told}"
        );
    }
}
