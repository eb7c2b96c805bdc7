//! What is suggested while people are already at work: never what would undo their answer, and the flag that
//! helps at once.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use ulid::Ulid;
use warroom::clean::Clean;
use warroom::event::{
    ClusterEvent, ContainerState, Event, Intent, Kind, LastChange, Outcome, Pod, Rate, RateHistory,
    RateSample, Revision, ServiceHistory, ServiceRate, StepCall, Target, Tier, Typed, Workload,
};
use warroom::runbook::suggestions;
use warroom::state::{State, workload_rows};

use common::cluster::{crashing, listing, pod, revision, unready, workload};
use common::{at, story, told};

const APP: &str = "medcontracthub-app";
type Events = Vec<(i64, Event)>;

fn cluster(second: i64, event: ClusterEvent) -> (i64, Event) {
    (second, Event::Cluster(event))
}

fn changed(manager: &str, second: i64) -> LastChange {
    LastChange { manager: manager.into(), operation: "Update".into(), subresource: None, at: at(second) }
}

/// The app with so many ready and updated pods of 2, and so many in all.
fn app((ready, updated, replicas): (u32, u32, u32), number: u64, release: &str) -> Workload {
    Workload { updated, replicas, ..workload(Kind::Deployment, APP, (ready, 2), Some(number), Some(release)) }
}

/// The `ReplicaSet` of that name as the revision of that number.
fn set(set: u64, number: u64, release: &str, created: i64) -> Revision {
    Revision { number, ..revision(APP, set, release, created) }
}

/// A pod of that `ReplicaSet`.
fn of_set(set: u64, n: u32) -> Pod {
    pod(&app((2, 2, 2), set, "v1"), n)
}

fn unpulled(set: u64, n: u32) -> Pod {
    let mut pod = crashing(of_set(set, n));
    pod.containers[0].last = None;
    pod.containers[0].restarts = 0;
    pod.containers[0].state =
        ContainerState::Waiting { reason: Some("ImagePullBackOff".into()), message: None };
    pod
}

fn starting(set: u64, n: u32) -> Pod {
    let mut pod = of_set(set, n);
    pod.ready = false;
    pod.containers[0].ready = false;
    pod.containers[0].state =
        ContainerState::Waiting { reason: Some("ContainerCreating".into()), message: None };
    pod
}

fn pods(second: i64, all: Vec<Pod>) -> (i64, Event) {
    cluster(second, ClusterEvent::Pods(all.into_iter().map(Arc::new).collect()))
}

/// Revisions 5 and 6 are of long ago; 6 runs, and all is well.
fn calm() -> Events {
    let mut events = vec![(-9_000, Event::Started(story::session()))];
    let revisions = vec![set(5, 5, "v1.2.2", -90_000), set(6, 6, "v1.2.3", -80_000)];
    events.extend(listing(
        -9_000,
        vec![app((2, 2, 2), 6, "v1.2.3")],
        revisions,
        vec![of_set(6, 0), of_set(6, 1)],
    ));
    events.extend((-600..-500).step_by(5).map(|second| fails(second, 0.01)));
    events
}

fn fails(second: i64, share: f64) -> (i64, Event) {
    let rate = Rate { errors: Some(share * 100.0), requests: Some(100.0), ..Rate::default() };
    let services = vec![ServiceRate { service: APP.into(), rate }];
    (second, Event::Rates(vec![RateSample { at: at(second), window: 30, services, errors_5m: None }]))
}

fn failing(from: i64, to: i64) -> impl Iterator<Item = (i64, Event)> {
    (from..=to).step_by(5).map(|second| fails(second, 0.25))
}

/// Somebody rolls a revision out; `created` says when its `ReplicaSet` was made.
fn rolls_out(second: i64, (rs, number, release, created): (u64, u64, &str, i64), by: &str) -> Events {
    let deployment = Workload { changed: Some(changed(by, second)), ..app((1, 1, 2), number, release) };
    let deployment = Workload {
        generation: 3 + i64::try_from(number).unwrap(),
        observed: 3 + i64::try_from(number).unwrap(),
        ..deployment
    };
    vec![
        cluster(second, ClusterEvent::Revisions(vec![set(rs, number, release, created)])),
        cluster(second, ClusterEvent::Workloads(vec![deployment])),
    ]
}

/// All of its pods are of it.
fn rolled_out(second: i64, number: u64, release: &str) -> (i64, Event) {
    cluster(second, ClusterEvent::Workloads(vec![app((2, 2, 2), number, release)]))
}

fn suggested(state: &State) -> Vec<(String, Option<String>)> {
    let all = suggestions(&state.world, &state.runbook).into_iter();
    all.map(|one| {
        (one.title.to_string(), one.call.inputs.get("revision").map(|revision| revision.raw().to_owned()))
    })
    .collect()
}

fn titles(events: &Events) -> Vec<String> {
    suggested(&told(events.clone())).into_iter().map(|(title, _)| title).collect()
}

/// Status and why of the app's row.
fn row(events: &Events) -> (Option<Clean>, Option<Clean>) {
    let state = told(events.clone());
    let rows = workload_rows(&state.world);
    let row = rows.iter().find(|row| *row.name() == *APP).unwrap();
    (row.reason.clone(), row.why.clone())
}

/// Revision 7 fails a quarter of its requests.
fn bad_release() -> Events {
    let mut events = calm();
    events.extend(rolls_out(-400, (7, 7, "v1.3.0", -400), "helm"));
    events.extend([rolled_out(-390, 7, "v1.3.0")]);
    events.extend(failing(-380, -300));
    events
}

/// Revision 7 has an image that nobody can pull: it hangs, and a pod of 6 still serves.
fn bad_image() -> Events {
    let mut events = calm();
    events.extend(rolls_out(-400, (7, 7, "v1.3.0", -400), "helm"));
    events.push(pods(-398, vec![unpulled(7, 0)]));
    events
}

#[test]
fn the_rollout_that_trouble_followed_is_what_undo_offers() {
    assert_eq!(suggested(&told(bad_release())), [(format!("roll back {APP}"), None)]);
    assert_eq!(
        suggested(&told(bad_image())),
        [(format!("roll back {APP}"), None)],
        "although it is under way"
    );
    let why = row(&bad_image()).1.unwrap();
    assert!(!why.contains("rolled out"), "it is nobody's answer: {why}");
}

#[test]
fn a_colleague_who_puts_the_image_right_is_left_alone() {
    let mut events = bad_image();
    events.extend(rolls_out(-350, (8, 8, "v1.2.4", -350), "kubectl-edit"));
    events.push(pods(-349, vec![starting(8, 0)]));
    events.push((-338, Event::Silences(vec![])));
    assert_eq!(titles(&events), Vec::<String>::new());
    let (reason, why) = row(&events);
    assert!(why.clone().unwrap().starts_with("12 s ago: kubectl-edit rolled out rev 8 (v1.2.4)"), "{why:?}");
    assert_ne!(reason.as_deref(), Some("ImagePullBackOff"), "that is the old revision's");
    assert!(!titles(&bad_image()).is_empty(), "before it was put right");
}

#[test]
fn after_three_minutes_nothing_goes_back_to_what_ran_in_the_trouble() {
    let mut events = bad_release();
    events.extend(rolls_out(-300, (8, 8, "v1.3.1", -300), "kubectl-edit"));
    events.push(rolled_out(-290, 8, "v1.3.1"));
    events.extend(failing(-295, -125));
    assert_eq!(titles(&events), Vec::<String>::new());
    events.extend(failing(-120, -100));
    assert_eq!(
        suggested(&told(events.clone())),
        [(format!("roll back {APP} to rev 6"), Some("6".to_owned()))]
    );
    events.push(cluster(-99, ClusterEvent::Workloads(vec![app((1, 1, 2), 8, "v1.3.1")])));
    assert_eq!(titles(&events), Vec::<String>::new(), "while it is under way");
}

#[test]
fn a_rollback_takes_up_an_old_replica_set_and_is_still_of_now() {
    let mut events = bad_release();
    events.extend(rolls_out(-300, (6, 8, "v1.2.3", -80_000), "kubectl-rollout"));
    events.push(rolled_out(-290, 8, "v1.2.3"));
    events.extend(failing(-295, -125));
    assert_eq!(titles(&events), Vec::<String>::new());
    assert!(row(&events).1.unwrap().starts_with("2 m 55 s ago: kubectl-rollout rolled out rev 8 (v1.2.3)"));
    events.extend(failing(-120, -100));
    let offered = suggested(&told(events.clone()));
    assert_eq!(
        offered,
        [(format!("roll back {APP} to rev 5"), Some("5".to_owned()))],
        "6 runs as 8 and does not help"
    );
    events.extend((-95..-20).step_by(5).map(|second| fails(second, 0.01)));
    events.extend(failing(-19, 0));
    let offered = suggested(&told(events));
    assert_eq!(
        offered,
        [(format!("roll back {APP} to rev 5"), Some("5".to_owned()))],
        "another trouble is no reason to bring 7 back"
    );
}

#[test]
fn a_rollback_of_just_before_the_session_is_an_answer_too() {
    let deployment =
        Workload { changed: Some(changed("kubectl-rollout", -100)), ..app((2, 2, 2), 8, "v1.2.3") };
    let revisions =
        vec![set(5, 5, "v1.2.2", -90_000), set(7, 7, "v1.3.0", -400), set(6, 8, "v1.2.3", -80_000)];
    let first = Tier::Fine.place(at(-600));
    let behind = Tier::Fine.place(at(-90));
    let shares = (first..behind)
        .map(|place| Some(if Tier::Fine.at(place) < at(-380) { 0.01 } else { 0.25 }))
        .collect();
    let history = RateHistory {
        tier: Tier::Fine,
        first,
        services: vec![ServiceHistory { service: APP.into(), lines: [shares, vec![], vec![], vec![]] }],
    };
    for late in [false, true] {
        let mut events = vec![(-91, Event::Started(story::session()))];
        let mut all =
            listing(-90, vec![deployment.clone()], revisions.clone(), vec![of_set(6, 0), of_set(6, 1)]);
        if late {
            all.rotate_left(3); // its ReplicaSets are heard of before it is
        }
        events.extend(all);
        events.extend([fails(-85, 0.25), (-84, Event::RateHistory(history.clone()))]);
        assert_eq!(titles(&events), Vec::<String>::new(), "{late}");
        assert!(
            row(&events).1.unwrap().starts_with("16 s ago: kubectl-rollout rolled out rev 8 (v1.2.3)"),
            "{:?}",
            row(&events)
        );
        events.extend(failing(-80, 90));
        assert_eq!(
            suggested(&told(events)),
            [(format!("roll back {APP} to rev 5"), Some("5".to_owned()))],
            "{late}"
        );
    }
}

#[test]
fn what_was_rolled_away_from_in_trouble_before_the_session_is_not_brought_back_by_another_trouble() {
    let deployment =
        Workload { changed: Some(changed("kubectl-rollout", -900)), ..app((2, 2, 2), 8, "v1.2.3") };
    let revisions =
        vec![set(5, 5, "v1.2.2", -90_000), set(7, 7, "v1.3.0", -1_200), set(6, 8, "v1.2.3", -80_000)];
    let first = Tier::Fine.place(at(-1_500));
    let behind = Tier::Fine.place(at(-90));
    let share = |place| if (at(-1_190)..at(-880)).contains(&Tier::Fine.at(place)) { 0.25 } else { 0.01 };
    let shares = (first..behind).map(|place| Some(share(place))).collect();
    let services = vec![ServiceHistory { service: APP.into(), lines: [shares, vec![], vec![], vec![]] }];
    let mut events = vec![(-91, Event::Started(story::session()))];
    events.extend(listing(-90, vec![deployment], revisions, vec![of_set(6, 0), of_set(6, 1)]));
    events.extend([
        fails(-85, 0.01),
        (-84, Event::RateHistory(RateHistory { tier: Tier::Fine, first, services })),
    ]);
    events.extend(failing(-30, 0));
    assert!(
        !titles(&events).iter().any(|title| title == &format!("roll back {APP}")),
        "{:?}",
        titles(&events)
    );
}

#[test]
fn pods_of_an_older_revision_are_no_trouble_of_the_new_one() {
    let mut events = bad_image();
    events.extend(rolls_out(-350, (8, 8, "v1.2.4", -350), "kubectl-edit"));
    let mut leaving = unpulled(7, 0);
    leaving.meta.deleting = Some(at(-340));
    events.push(pods(-345, vec![of_set(8, 0), of_set(8, 1), leaving.clone()]));
    events.push(rolled_out(-344, 8, "v1.2.4"));
    events.push((-300, Event::Silences(vec![])));
    let (reason, why) = row(&events);
    assert_eq!(reason.as_deref(), Some("Terminating"));
    assert!(why.as_deref().unwrap().contains("40s past its grace period"), "{why:?}");
    let severity = |events: &Events| {
        let state = told(events.clone());
        workload_rows(&state.world).iter().find(|row| *row.name() == *APP).unwrap().severity
    };
    assert_eq!(severity(&events), warroom::state::Severity::Warn, "worth an eye, and not broken");
    events.push((0, Event::Silences(vec![])));
    assert_eq!(titles(&events), Vec::<String>::new(), "it is well, however long the old one takes to end");
    let of_newest = Pod { owner: of_set(8, 0).owner, ..leaving };
    events.push(pods(0, vec![of_newest]));
    assert_eq!(severity(&events), warroom::state::Severity::Critical, "that is the newest revision's own");
}

#[test]
fn a_rollout_without_a_fault_is_not_undone_because_its_pods_are_few() {
    let mut events = calm();
    events.extend(rolls_out(-400, (7, 7, "v1.2.4", -400), "helm"));
    events.push(cluster(-399, ClusterEvent::Workloads(vec![app((0, 0, 0), 7, "v1.2.4")])));
    events.push(pods(-398, vec![starting(7, 0)]));
    events.push(cluster(
        -397,
        ClusterEvent::Gone(
            Kind::Pod,
            vec![
                "uid-medcontracthub-app-6-0".into(),
                "uid-medcontracthub-app-6-1".into(),
                "uid-medcontracthub-app-7-0".into(),
            ],
        ),
    ));
    assert_eq!(row(&events).0.as_deref(), Some("rolling out"));
    assert_eq!(titles(&events), Vec::<String>::new());
}

/// What the story of the bad release has beside it: `ai-service` fails its probe.
fn dependency(second: i64) -> Events {
    let ai = |ready| workload(Kind::Deployment, "ai-service", (ready, 1), Some(4), Some("v0.9.4"));
    let sick = ai(0);
    vec![
        cluster(second, ClusterEvent::Revisions(vec![revision("ai-service", 4, "v0.9.4", -500_000)])),
        cluster(second, ClusterEvent::Workloads(vec![sick.clone()])),
        pods(second, vec![unready(pod(&sick, 0))]),
    ]
}

fn step(id: u128, inputs: &[(&str, &str)], undo: bool) -> Intent {
    let typed = |name: &str, value: &str| if name == "env" { Typed::env(value) } else { Typed::new(value) };
    let inputs = inputs.iter().map(|(name, value)| ((*name).into(), typed(name, value))).collect();
    let plan = story::plan().intent;
    let target = Target { uid: format!("uid-{APP}").into(), ..plan.target.clone() };
    let call = StepCall {
        undoes: undo.then(|| Ulid::from(1)),
        ..StepCall::new(if undo { "rollout-undo" } else { "set-env" }, inputs)
    };
    Intent { id: Ulid::from(id), call, target, ..plan }
}

fn run(second: i64, intent: &Intent, applied: bool) -> Events {
    let outcome = Outcome::Applied { generation: 4, writes: 1, by_reading: false };
    let refused = Outcome::Rejected { reason: "no".into(), by_reading: false };
    let outcome = if applied { outcome } else { refused };
    vec![
        (second, Event::Intent(Box::new(intent.clone()))),
        (second, Event::Outcome { intent: intent.id, outcome }),
    ]
}

const FLAG: &str = "set FEATURE_AI_PROPOSALS=false";

#[test]
fn the_flag_of_a_dependency_stands_first_and_waits_for_nothing() {
    let mut events = bad_release();
    events.extend(dependency(-300));
    let state = told(events.clone());
    let first = &suggestions(&state.world, &state.runbook)[0];
    assert_eq!((first.title.as_str(), first.because.as_str()), (FLAG, "ai-service 0/1 ready"));
    assert_eq!(
        (first.call.step.as_str(), first.call.inputs["env"].raw(), first.call.inputs["deployment"].raw()),
        ("set-env", "FEATURE_AI_PROPOSALS=false", APP)
    );
    assert_eq!(titles(&events)[1], format!("roll back {APP}"));
    events.extend(rolls_out(-299, (8, 8, "v1.3.1", -299), "kubectl-edit"));
    assert_eq!(titles(&events), [FLAG], "while something is rolled out");
    events.extend(run(-298, &step(9, &[("deployment", APP), ("env", "LOG_LEVEL=debug")], false), true));
    assert_eq!(titles(&events), [FLAG], "after another change from here");
    let well = workload(Kind::Deployment, "ai-service", (1, 1), Some(4), Some("v0.9.4"));
    events.push(pods(-290, vec![pod(&well, 0)]));
    events.push(cluster(-290, ClusterEvent::Workloads(vec![well])));
    events.push((-269, Event::Silences(vec![])));
    assert_eq!(titles(&events), Vec::<String>::new(), "it is well again");
}

#[test]
fn a_flag_that_was_set_from_here_is_not_suggested_until_it_is_taken_back() {
    let mut events = calm();
    events.extend(dependency(-300));
    let set = |id, env: &str| step(id, &[("deployment", APP), ("env", env)], false);
    events.extend(run(-299, &set(1, "FEATURE_AI_PROPOSALS=false"), false));
    assert_eq!(titles(&events), [FLAG], "it was refused");
    events.extend(run(-290, &set(2, "FEATURE_AI_PROPOSALS=false,LOG_LEVEL=debug"), true));
    assert_eq!(titles(&events), Vec::<String>::new());
    let mut again = events.clone();
    again.extend(run(-280, &set(3, "FEATURE_AI_PROPOSALS=true"), true));
    assert_eq!(titles(&again), [FLAG], "it was set otherwise");
    events.extend(run(-280, &step(4, &[("deployment", APP), ("revision", "6")], true), true));
    assert_eq!(titles(&events), [FLAG], "it was taken back");
}

#[test]
fn a_change_from_here_is_left_alone_for_three_minutes() {
    let mut events = bad_release();
    events.extend(run(-295, &step(1, &[("deployment", APP), ("env", "A=1")], false), false));
    assert_eq!(titles(&events), [format!("roll back {APP}")], "nothing was changed");
    let mut scaled = step(2, &[("deployment", APP), ("replicas", "3")], false);
    scaled.checks.clear();
    events.extend(run(-294, &scaled, true));
    events.extend(failing(-290, -118));
    assert_eq!(titles(&events), Vec::<String>::new());
    events.extend(failing(-114, -110));
    assert_eq!(titles(&events), [format!("roll back {APP}")]);
}
