//! A thousand changes, each with something going wrong between its confirmation and its answer: sent at most once, as listed, the lost
//! answer read to the truth (invariant 5), never to another object of that name (invariant 6), and the world is the server's again
//! once the faults are over (invariant 8).

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use ulid::Ulid;
use warroom::config::Endpoint;
use warroom::event::{Event, Outcome, Plan, SourceId, SourceState, StepCall};
use warroom::journal::{Item, Recording};
use warroom::runtime::headless::Headless;
use warroom::runtime::player::decoded;
use warroom::session::Wanted;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::sim::{NAMESPACE, SeenRequest, Sim};
use warroom::state::{Stage, World};

use support::chance::{Rng, seeds};
use support::{PATIENCE, Room, for_each_seed, impatient, prepare, until};

/// Clusters, each with a session of its own.
const ROOMS: u64 = 50;
/// Changes made in each, one after the other.
const RUNS: usize = 20;

const DEPLOYMENTS: [&str; 5] = ["medcontracthub-app", "ocr-service", "ai-service", "analytics-service", "worker-service"];

/// What goes wrong with a change once its plan is there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    /// Only what goes wrong with the reads.
    None,
    /// With its request.
    Write(Fault),
    /// Somebody deletes the object and creates another of that name.
    Recreated,
    /// Somebody changes all that a step may change.
    Changed,
    /// The server stops in the middle, for longer than a request takes to arrive, and goes on with what it was sent.
    Frozen,
    /// The server is gone for good.
    Ended,
}

const TROUBLES: [Trouble; 16] = [
    Trouble::None,
    Trouble::Write(Fault::Cut { applied: false }),
    Trouble::Write(Fault::Cut { applied: true }),
    Trouble::Write(Fault::Hang { applied: false }),
    Trouble::Write(Fault::Hang { applied: true }),
    Trouble::Write(Fault::Status { code: 429, applied: false }),
    Trouble::Write(Fault::Status { code: 500, applied: false }),
    Trouble::Write(Fault::Status { code: 500, applied: true }),
    Trouble::Write(Fault::Status { code: 503, applied: false }),
    Trouble::Write(Fault::Status { code: 503, applied: true }),
    Trouble::Write(Fault::Status { code: 504, applied: false }),
    Trouble::Write(Fault::Status { code: 504, applied: true }),
    Trouble::Write(Fault::Delay(Duration::from_secs(1))),
    Trouble::Recreated,
    Trouble::Changed,
    Trouble::Frozen,
];

impl Trouble {
    /// Whether no answer can come.
    fn loses_the_answer(self) -> bool {
        match self {
            Self::Write(Fault::Status { code, .. }) => code >= 500,
            Self::Write(Fault::Cut { .. } | Fault::Hang { .. }) | Self::Frozen => true,
            _ => false,
        }
    }
}

/// A change that was confirmed.
struct Change {
    what: String,
    trouble: Trouble,
    plan: Plan,
    /// How many requests the server had seen before.
    from: usize,
}

#[test]
fn a_thousand_changes_in_trouble() {
    let told = for_each_seed("faults", 0..seeds(10, ROOMS), 10, live_through);
    let (changes, lost) = told.iter().fold((0, 0), |(changes, lost), told| (changes + told.0, lost + told.1));
    assert_eq!(changes, told.len() * RUNS);
    assert!(told.len() == 1 || lost > changes / 3, "only {lost} of {changes} answers were lost");
}

/// Gives how many changes were made, and how many answers were lost.
async fn live_through(seed: u64) -> (usize, usize) {
    let mut rng = Rng::new(seed);
    let monitoring = ["prometheus-operated", "alertmanager-operated"];
    let mut room = Room::without(seed, *rng.pick(&Scenario::ALL), &monitoring, |wanted| Wanted {
        prometheus: Endpoint::default(),
        alertmanager: Endpoint::default(),
        ..impatient(wanted)
    })
    .await;
    room.turn(Duration::from_secs(3)).await; // the incident's release would overwrite changes
    let mut changes = Vec::new();
    for number in 1..RUNS {
        let trouble = *rng.pick(&TROUBLES);
        let change = plan(&mut room, &mut rng, number, trouble).await;
        make(&mut room, &mut rng, &change).await;
        in_step(&mut room, &change).await;
        changes.push(change);
    }
    changes.push(plan(&mut room, &mut rng, RUNS, Trouble::Ended).await);
    let requests = room.sim.requests();
    let outcomes = end(room, &changes[RUNS - 1]).await;
    let ends = changes.iter().skip(1).map(|next| next.from).chain([requests.len()]);
    for (change, to) in changes.iter().zip(ends) {
        check(change, &requests[change.from..to], &outcomes[&change.plan.intent.id]);
    }
    (RUNS, outcomes.values().filter(|all| matches!(all[0], Outcome::Unknown { .. })).count())
}

/// Prepares a step that can be done as things are.
async fn plan(room: &mut Room, rng: &mut Rng, number: usize, trouble: Trouble) -> Change {
    for _ in 0..50 {
        let call = call(rng, number);
        let what = format!("change {number}, {call:?}, {trouble:?}");
        // What is seen from here on are dry runs, whose answers are in, and the change.
        if let Ok(plan) = prepare(&mut room.session, call).await
            && plan.obstacle().is_none()
        {
            return Change { what, trouble, plan, from: room.sim.requests().len() };
        }
        room.turn(Duration::from_millis(500)).await;
    }
    panic!("change {number}: no step can be prepared");
}

fn call(rng: &mut Rng, number: usize) -> StepCall {
    let (step, input, value) = match rng.below(3) {
        0 => ("rollout-undo", "revision", String::new()),
        1 => ("scale", "replicas", rng.below(5).to_string()),
        _ => ("set-env", "env", format!("CHANGE={number}")),
    };
    let inputs = [("deployment", *rng.pick(&DEPLOYMENTS)), (input, &value)];
    StepCall::new(step, inputs.map(|(name, value)| (name.into(), value.into())).into())
}

/// Confirms a change in all its trouble, and waits until it is known what became of it.
async fn make(room: &mut Room, rng: &mut Rng, change: &Change) {
    let (intent, trouble) = (&change.plan.intent, change.trouble);
    let write = intent.writes().next().unwrap();
    let (path, name) = (write.path.as_str(), intent.target.name.as_str());
    match trouble {
        Trouble::Write(fault) => room.sim.faults().on(Method::PATCH, path, When::Nth(1), fault),
        Trouble::Recreated => assert!(room.sim.recreate("Deployment", NAMESPACE, name)),
        Trouble::Changed => somebody_changes(&room.sim, &write.expect.path).await,
        Trouble::Frozen => room.sim.faults().freeze(),
        Trouble::None | Trouble::Ended => {}
    }
    disturb(&room.sim, rng);
    room.session.confirm(&change.plan);
    let id = intent.id;
    let sent = |session: &Headless| matches!(session.run(id).unwrap().stage, Stage::Waiting | Stage::Sent);
    assert!(until(&mut room.session, &room.clock, Duration::from_millis(2), |session| !sent(session)).await, "{}: no outcome", change.what);
    if trouble == Trouble::Frozen {
        thaw(room, change).await;
    }
    assert!(
        until(&mut room.session, &room.clock, Duration::from_millis(100), |session| session.answered(id)).await,
        "{}: unknown for ever",
        change.what
    );
    room.sim.faults().clear();
}

/// What the reads and watches meet meanwhile.
fn disturb(sim: &Sim, rng: &mut Rng) {
    let faults = sim.faults();
    match rng.below(5) {
        0 => faults.random(rng.next(), 0.2),
        1 => faults.cut_watches(),
        2 => {
            sim.compact();
            faults.cut_watches();
        }
        3 => {
            faults.on(Method::GET, "/deployments/", When::Nth(1), Fault::Status { code: 429, applied: false });
            faults.on(Method::GET, "watch=1", When::Nth(2), Fault::Gone);
            faults.on(Method::GET, "/pods", When::Nth(1), Fault::Cut { applied: false });
        }
        _ => {}
    }
}

/// What somebody else does at the same time, by kubectl.
async fn somebody_changes(sim: &Sim, path: &str) {
    let replicas = sim.object(path).unwrap()["spec"]["replicas"].as_u64().unwrap_or(0);
    let operations = json!([
        {"op": "add", "path": "/spec/replicas", "value": replicas + 6},
        {"op": "add", "path": "/spec/template/metadata/annotations/restarted", "value": replicas.to_string()},
        {"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "OTHER", "value": replicas.to_string()}},
    ]);
    let request = reqwest::Client::new().patch(format!("{}{path}", sim.kubernetes_url())).body(operations.to_string());
    let answer = request.header("content-type", "application/json-patch+json").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// The server goes on, long after its sources were said to be stale and after a request that is not there should have been given up.
async fn thaw(room: &mut Room, change: &Change) {
    let of = |session: &Headless| session.state().world.sources[&SourceId::Pods].clone();
    assert!(
        until(&mut room.session, &room.clock, Duration::ZERO, |session| of(session).state == SourceState::Stale).await,
        "{}: never stale",
        change.what
    );
    let health = of(&room.session);
    assert!(health.error.is_some() && health.since <= room.clock.now(), "{}: {health:?}", change.what);
    room.turn(PATIENCE * 2).await;
    room.sim.faults().thaw();
}

/// Waits until the session knows exactly what the server has, while time stands still.
async fn in_step(room: &mut Room, change: &Change) {
    let (there, mut looked) = (there(&room.sim), None);
    let in_step = |session: &Headless| {
        let world = &session.state().world;
        looked.replace(world.seq) != Some(world.seq) && known(world) == there
    };
    if !until(&mut room.session, &room.clock, Duration::ZERO, in_step).await {
        let known = known(&room.session.state().world);
        let wrong: Vec<_> = known.iter().filter(|(uid, facts)| there.get(*uid) != Some(*facts)).collect();
        let missing: Vec<_> = there.iter().filter(|(uid, facts)| known.get(*uid) != Some(*facts)).collect();
        panic!("{}: the world has {wrong:?} and the server {missing:?}", change.what);
    }
}

/// Ready, wanted and generation of each object, by its identity.
type Facts = BTreeMap<String, (u64, u64, i64)>;

fn there(sim: &Sim) -> Facts {
    let number = |object: &Value, at: &str| object.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let ready = |object: &Value| {
        let all = object["status"]["conditions"].as_array().into_iter().flatten();
        u64::from(all.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True"))
    };
    let fact = |kind: &str, object: &Value| match kind {
        "Pod" | "Node" => (ready(object), 0, 0),
        "ReplicaSet" => (number(object, "/status/readyReplicas"), number(object, "/spec/replicas"), 0),
        _ => {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
            (number(object, "/status/readyReplicas"), number(object, "/spec/replicas"), generation)
        }
    };
    let of = |kind: &'static str| {
        sim.list(kind).into_iter().map(move |object| (uid(kind, object["metadata"]["uid"].as_str().unwrap()), fact(kind, &object)))
    };
    ["Pod", "Node", "ReplicaSet", "Deployment", "StatefulSet"].into_iter().flat_map(of).collect()
}

fn known(world: &World) -> Facts {
    let cluster = &world.cluster;
    let pods = cluster.pods.values().map(|pod| (uid("Pod", &pod.meta.uid), (u64::from(pod.ready), 0, 0)));
    let nodes = cluster.nodes.values().map(|node| (uid("Node", &node.meta.uid), (u64::from(node.ready == Some(true)), 0, 0)));
    let sets = cluster.revisions.values().map(|set| (uid("ReplicaSet", &set.meta.uid), (set.ready.into(), set.desired.into(), 0)));
    let workloads =
        cluster.workloads.values().map(|w| (uid(&format!("{:?}", w.kind), &w.meta.uid), (w.ready.into(), w.desired.into(), w.generation)));
    pods.chain(nodes).chain(sets).chain(workloads).collect()
}

fn uid(kind: &str, uid: &str) -> String {
    format!("{kind} {uid}")
}

/// The server goes away for good, and the last change is confirmed then. Gives the outcomes of all changes, as recorded.
async fn end(room: Room, change: &Change) -> BTreeMap<Ulid, Vec<Outcome>> {
    let Room { sim, clock, mut session, data } = room;
    let address = sim.kubernetes_url().replace("http://", "");
    drop(sim);
    while tokio::net::TcpStream::connect(&address).await.is_ok() {}
    session.confirm(&change.plan);
    assert!(
        until(&mut session, &clock, Duration::from_millis(10), |session| session.answered(change.plan.intent.id)).await,
        "{}",
        change.what
    );
    let path = session.recording().unwrap().to_owned();
    session.stop().seal().unwrap();
    let mut outcomes: BTreeMap<Ulid, Vec<Outcome>> = BTreeMap::new();
    for item in Recording::open(&path).unwrap().items() {
        if let Item::Record(raw) = item
            && let Event::Outcome { intent, outcome } = decoded(&raw).unwrap().event
        {
            outcomes.entry(intent).or_default().push(outcome);
        }
    }
    drop(data);
    outcomes
}

/// Holds a change against what the server saw of it and what was said of it.
fn check(change: &Change, seen: &[SeenRequest], outcomes: &[Outcome]) {
    let Change { what, trouble, plan, .. } = change;
    let ours: Vec<_> = seen.iter().filter(|request| !request.dry_run && request.user_agent.starts_with("warroom")).collect();
    assert!(ours.len() <= 1, "{what}: sent more than once: {ours:?}");
    for request in &ours {
        let write = plan.intent.writes().next().unwrap();
        assert_eq!(
            (request.method.as_str(), &request.path),
            (write.method.as_str(), &format!("{}?fieldManager=warroom", write.path)),
            "{what}"
        );
        assert_eq!(request.field_manager.as_deref(), Some("warroom"), "{what}");
    }
    let made = ours.iter().any(|request| request.applied);
    let (lost, settled) = match outcomes {
        [settled] => (false, settled),
        [Outcome::Unknown { .. }, settled] => (true, settled),
        other => panic!("{what}: {other:?}"),
    };
    match settled {
        Outcome::Applied { writes: 1, by_reading, .. } => assert!(made && *by_reading == lost, "{what}: {outcomes:?}, {ours:?}"),
        Outcome::NotSent { .. } => assert!(ours.is_empty() && !lost, "{what}: {outcomes:?}, {ours:?}"),
        Outcome::Rejected { by_reading, .. } => assert!(!made && *by_reading == lost, "{what}: {outcomes:?}, {ours:?}"),
        other => panic!("{what}: {other:?}"),
    }
    assert!(lost || !trouble.loses_the_answer(), "{what}: {outcomes:?}");
    assert!(!made || !matches!(trouble, Trouble::Recreated | Trouble::Changed | Trouble::Ended), "{what}: {ours:?}");
    assert!(ours.is_empty() || *trouble != Trouble::Ended, "{what}: {ours:?}");
}
