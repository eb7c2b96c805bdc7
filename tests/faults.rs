//! A thousand changes, of one write or of two, undos among them, each with something going wrong between its
//! confirmation and its answer, or stopped: sent at most once, as listed, and not after a stop; the lost
//! answer read to the truth, also of what was made in part (invariant 5); never to another object of that
//! name (invariant 6); and the world is the server's again once the faults are over (invariant 8).

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use ulid::Ulid;
use warroom::config::Endpoint;
use warroom::event::{Event, Outcome, Plan, SourceId, SourceState, StepCall, Write};
use warroom::journal::{Item, Recording};
use warroom::keymap::Action;
use warroom::runtime::headless::Headless;
use warroom::runtime::player::decoded;
use warroom::session::SessionConfig;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::sim::{NAMESPACE, SeenRequest, Sim};
use warroom::state::Stage;

use support::both::WITH_BOTH;
use support::chance::{Rng, seeds};
use support::facts::{known, there};
use support::{PATIENCE, Room, Setup, for_each_seed, impatient, meets, prepare, until};

/// Clusters, each with a session of its own.
const ROOMS: u64 = 50;
/// Changes made in each, one after the other.
const RUNS: usize = 20;

const DEPLOYMENTS: [&str; 5] =
    ["medcontracthub-app", "ocr-service", "ai-service", "analytics-service", "worker-service"];

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
    /// The server stops in the middle, for longer than a request takes to arrive, and goes on with what it
    /// was sent.
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
    /// Which of its writes the trouble is with, from 0.
    at: usize,
    plan: Plan,
    /// How many requests the server had seen before.
    from: usize,
    /// How many of its writes had left when the stop key was pressed, if it was.
    stopped: Option<usize>,
}

impl Change {
    /// The write that the trouble is with.
    fn write(&self) -> &Write {
        self.plan.intent.writes().nth(self.at).unwrap()
    }
}

/// How often what this test is about happened.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    changes: usize,
    lost: usize,
    undone: usize,
    stopped_in_time: usize,
    stopped_too_late: usize,
    of_two: usize,
    partial: usize,
}

impl Told {
    fn add(&mut self, change: &Change, outcomes: &[Outcome]) {
        self.changes += 1;
        self.lost += usize::from(matches!(outcomes[0], Outcome::Unknown { .. }));
        self.undone += usize::from(change.plan.intent.call.undoes.is_some());
        self.stopped_in_time += usize::from(change.stopped == Some(0));
        self.stopped_too_late += usize::from(change.stopped.is_some_and(|left| left > 0));
        self.of_two += usize::from(change.plan.intent.count() == 2);
        self.partial += usize::from(matches!(outcomes.last(), Some(Outcome::Partial { .. })));
    }

    fn and(self, other: Self) -> Self {
        Self {
            changes: self.changes + other.changes,
            lost: self.lost + other.lost,
            undone: self.undone + other.undone,
            stopped_in_time: self.stopped_in_time + other.stopped_in_time,
            stopped_too_late: self.stopped_too_late + other.stopped_too_late,
            of_two: self.of_two + other.of_two,
            partial: self.partial + other.partial,
        }
    }
}

#[test]
fn a_thousand_changes_in_trouble() {
    let all = for_each_seed("faults", 0..seeds(10, ROOMS), 10, live_through);
    let told = all.iter().copied().fold(Told::default(), Told::and);
    assert_eq!(told.changes, all.len() * RUNS);
    let rare =
        [told.undone, told.stopped_in_time, told.stopped_too_late, told.partial].map(|count| count * 100);
    let often = [told.lost * 3, told.of_two * 10].into_iter().chain(rare);
    assert!(
        all.len() == 1 || often.min() > Some(told.changes),
        "something did not happen often enough: {told:?}"
    );
}

async fn live_through(seed: u64) -> Told {
    let mut rng = Rng::new(seed);
    let monitoring = ["prometheus-operated", "alertmanager-operated"];
    let setup = Setup {
        seed,
        scenario: *rng.pick(&Scenario::ALL),
        gone: &monitoring,
        runbook: WITH_BOTH.clone(),
        ..Setup::default()
    };
    let mut room = Room::of(setup, |wanted| SessionConfig {
        prometheus: Endpoint::default(),
        alertmanager: Endpoint::default(),
        ..impatient(wanted)
    })
    .await;
    room.turn(Duration::from_secs(3)).await; // the incident's release would overwrite changes
    let mut changes = Vec::new();
    for number in 1..RUNS {
        let trouble = *rng.pick(&TROUBLES);
        let mut change = plan(&mut room, &mut rng, number, trouble).await;
        make(&mut room, &mut rng, &mut change).await;
        in_step(&mut room, &change).await;
        changes.push(change);
    }
    changes.push(plan(&mut room, &mut rng, RUNS, Trouble::Ended).await);
    let requests = room.sim.requests();
    let outcomes = end(room, &changes[RUNS - 1]).await;
    let ends = changes.iter().skip(1).map(|next| next.from).chain([requests.len()]);
    let mut told = Told::default();
    for (change, to) in changes.iter().zip(ends) {
        let outcomes = &outcomes[&change.plan.intent.id];
        check(change, &requests[change.from..to], outcomes);
        told.add(change, outcomes);
    }
    told
}

/// Prepares a step that can be done as things are.
async fn plan(room: &mut Room, rng: &mut Rng, number: usize, trouble: Trouble) -> Change {
    for _ in 0..50 {
        let call = call(room, rng, number);
        // What is seen from here on are dry runs, whose answers are in, and the change.
        if let Ok(plan) = prepare(&mut room.session, call).await
            && plan.obstacle().is_none()
        {
            let at = rng.below(plan.intent.writes().count());
            let what = format!("change {number}, {:?}, {trouble:?} with write {at}", plan.intent.call);
            of_undone(room, &plan, &what);
            return Change { what, trouble, at, plan, from: room.sim.requests().len(), stopped: None };
        }
        room.turn(Duration::from_millis(500)).await;
    }
    panic!("change {number}: no step can be prepared");
}

fn call(room: &Room, rng: &mut Rng, number: usize) -> StepCall {
    let deployment = ("deployment", *rng.pick(&DEPLOYMENTS));
    let count = rng.below(5).to_string();
    let step = |step: &str, inputs: &[(&str, &str)]| {
        StepCall::new(step, inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    };
    match rng.below(6) {
        0 => step("rollout-undo", &[deployment]),
        1 => step("set-env", &[deployment, ("env", &format!("CHANGE={number}"))]),
        2 | 3 => {
            let counts = format!("{count},{}", rng.below(5));
            step(
                "both",
                &[("first", deployment.1), ("second", *rng.pick(&DEPLOYMENTS)), ("replicas", &counts)],
            )
        }
        4 => undo(room).unwrap_or_else(|| step("scale", &[deployment, ("replicas", &count)])),
        _ => step("scale", &[deployment, ("replicas", &count)]),
    }
}

/// What takes the newest change back that can be, as the undo key asks for it.
fn undo(room: &Room) -> Option<StepCall> {
    let run = room.session.state().world.runs.undoable()?;
    Some(StepCall { undoes: Some(run.intent.id), ..run.intent.undo.clone()? })
}

/// What takes a change back puts there what that change replaced, unless the object is another one by now.
fn of_undone(room: &Room, plan: &Plan, what: &str) {
    let Some(undone) = plan.intent.call.undoes.and_then(|id| room.session.run(id)) else { return };
    for write in plan.intent.writes() {
        let replaced = undone
            .intent
            .writes()
            .find(|other| other.target == write.target)
            .map(|other| &other.expect.before);
        assert!(
            replaced.is_none_or(|before| write.expect.values == *before),
            "{what}: {:?} was {:?}",
            plan.intent,
            undone.intent
        );
    }
}

/// Confirms a change in all its trouble, and waits until it is known what became of it.
async fn make(room: &mut Room, rng: &mut Rng, change: &mut Change) {
    let write = change.write();
    let trouble = change.trouble;
    match trouble {
        Trouble::Write(fault) => meets(&room.sim, write, fault),
        Trouble::Recreated => assert!(room.sim.recreate("Deployment", NAMESPACE, &write.target.name)),
        Trouble::Changed => somebody_changes(&room.sim, &write.expect.path).await,
        Trouble::Frozen => room.sim.faults().freeze(),
        Trouble::None | Trouble::Ended => {}
    }
    disturb(&room.sim, rng);
    let id = room.session.confirm(&change.plan);
    if rng.below(5) == 0 {
        change.stopped = Some(stop(room, rng, id).await);
    }
    let sent = |session: &Headless| matches!(session.run(id).unwrap().stage, Stage::Waiting | Stage::Sent);
    assert!(
        until(&mut room.session, &room.clock, Duration::from_millis(2), |session| !sent(session)).await,
        "{}: no outcome",
        change.what
    );
    if trouble == Trouble::Frozen {
        thaw(room, change).await;
    }
    // What was stopped may have been sent a moment ago, and has yet to arrive.
    let step = Duration::from_millis(if change.stopped.is_some() { 20 } else { 100 });
    let answered = |session: &Headless| session.answered(id);
    assert!(until(&mut room.session, &room.clock, step, answered).await, "{}: unknown for ever", change.what);
    room.sim.faults().clear();
}

/// Presses the stop key a little later, and arms again now and then. Gives how many writes had left by then.
async fn stop(room: &mut Room, rng: &mut Rng, id: Ulid) -> usize {
    for _ in 0..rng.below(4) * rng.below(4) {
        room.turn(Duration::from_millis(2)).await;
    }
    room.press(Action::StopAll);
    if rng.below(2) == 0 {
        room.press(Action::Arm);
    }
    room.session.run(id).unwrap().sent.map_or(0, |op| op as usize + 1)
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
            faults.on(
                Method::GET,
                "/deployments/",
                When::Nth(1),
                Fault::Status { code: 429, applied: false },
            );
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
    let request =
        reqwest::Client::new().patch(format!("{}{path}", sim.kubernetes_url())).body(operations.to_string());
    let answer = request.header("content-type", "application/json-patch+json").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// The server goes on, long after its sources were said to be stale and after a request that is not there
/// should have been given up.
async fn thaw(room: &mut Room, change: &Change) {
    let of = |session: &Headless| session.state().world.sources[&SourceId::Pods].clone();
    assert!(
        until(&mut room.session, &room.clock, Duration::ZERO, |session| of(session).state
            == SourceState::Stale)
        .await,
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
    let there = there(&room.sim);
    let mut looked = None;
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

/// The server goes away for good, and the last change is confirmed then. Gives the outcomes of all changes,
/// as recorded.
async fn end(room: Room, change: &Change) -> BTreeMap<Ulid, Vec<Outcome>> {
    let Room { sim, clock, mut session, data } = room;
    let address = sim.kubernetes_url().replace("http://", "");
    drop(sim);
    while tokio::net::TcpStream::connect(&address).await.is_ok() {}
    session.confirm(&change.plan);
    assert!(
        until(&mut session, &clock, Duration::from_millis(10), |session| session
            .answered(change.plan.intent.id))
        .await,
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
    let Change { what, plan, stopped, .. } = change;
    let ours: Vec<_> =
        seen.iter().filter(|request| !request.dry_run && request.user_agent.starts_with("warroom")).collect();
    let all: usize = plan.intent.writes().count();
    let listed: Vec<_> = plan.intent.writes().collect();
    assert!(ours.len() <= stopped.unwrap_or(all), "{what}: more was sent than may be: {ours:?}");
    for (request, write) in ours.iter().zip(&listed) {
        assert_eq!(
            (request.method.as_str(), &request.path),
            (write.method.as_str(), &format!("{}?fieldManager=warroom", write.path)),
            "{what}"
        );
        assert_eq!(request.field_manager.as_deref(), Some("warroom"), "{what}");
    }
    let made = ours.iter().filter(|request| request.applied).count();
    assert!(
        ours.iter().rev().skip(1).all(|request| request.applied),
        "{what}: one left before the one before it was made: {ours:?}"
    );
    let told = format!("{what}: {outcomes:?}, {ours:?}");
    let (lost, settled) = match outcomes {
        [settled] => (false, settled),
        [Outcome::Unknown { at, .. }, settled] => {
            assert!((ours.len()..=ours.len() + 1).contains(&(*at as usize + 1)), "{told}");
            (true, settled)
        }
        _ => panic!("{told}"),
    };
    match settled {
        Outcome::Applied { writes, by_reading, .. } => {
            assert!(made == all && *writes as usize == all && *by_reading == lost, "{told}");
        }
        Outcome::Partial { done, rest, .. } => {
            assert!(
                made > 0 && *done as usize == made && *rest > 0 && (*done + *rest) as usize == all,
                "{told}"
            );
        }
        Outcome::NotSent { .. } => assert!(ours.is_empty() && !lost, "{told}"),
        Outcome::Rejected { by_reading, .. } => assert!(made == 0 && *by_reading == lost, "{told}"),
        _ => panic!("{told}"),
    }
    check_trouble(change, &ours, lost, &told);
}

/// What the trouble of a change must have led to.
fn check_trouble(change: &Change, ours: &[&SeenRequest], lost: bool, told: &str) {
    let Change { trouble, at, stopped, .. } = change;
    let met = ours.get(*at);
    let kept_from_it = met.is_none() && (*at > 0 || stopped.is_some());
    assert!(lost || !trouble.loses_the_answer() || kept_from_it, "{told}");
    let guarded = matches!(trouble, Trouble::Recreated | Trouble::Changed);
    assert!(!guarded || met.is_none_or(|request| !request.applied), "{told}");
    assert!(ours.is_empty() || *trouble != Trouble::Ended, "{told}");
}
