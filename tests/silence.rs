//! Silencing an alert, from the alert to the end of the silence: asked with an end and a reason, sent once
//! whatever becomes of the answer, found by reading, seen to work, taken back; by a script on a real
//! Alertmanager as well.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "support/bed.rs"]
mod bed;
mod pty;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use chrono::{TimeDelta, Utc};
use serde_json::json;
use warroom::clean::Clean;
use warroom::config::{Endpoint, Where};
use warroom::event::{Event, Operator, Outcome, Plan, Refusal, Server, StepCall, Typed};
use warroom::keymap::Action;
use warroom::net::clock::Clock;
use warroom::reduce::commit;
use warroom::runtime::headless::Headless;
use warroom::session::SessionConfig;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::state::{EntryKind, Stage};

use pty::Home;
use support::{Room, prepare, until};

const STEP: Duration = Duration::from_millis(100);

fn call(step: &str, inputs: &[(&str, &str)]) -> StepCall {
    let inputs: BTreeMap<Clean, Typed> =
        inputs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    StepCall::new(step, inputs)
}

/// A session in which an alert fires.
async fn firing() -> Room {
    firing_with(|wanted| wanted).await
}

async fn firing_with(change: impl FnOnce(SessionConfig) -> SessionConfig) -> Room {
    let mut room = Room::open(1, Scenario::BadRelease, change).await;
    assert!(
        until(&mut room.session, &room.clock, Duration::from_millis(500), |session| session
            .state()
            .world
            .alerts
            .firing()
            > 0)
        .await
    );
    room
}

fn silence() -> StepCall {
    call(
        "silence",
        &[("alert", "HighErrorRate"), ("for", "1h"), ("comment", "the release is being rolled back")],
    )
}

/// Confirms the plan and waits until nothing more comes of it.
async fn make(room: &mut Room, plan: &Plan) {
    let id = room.session.confirm(plan);
    let settled = |session: &Headless| session.run(id).is_some_and(warroom::state::Run::settled);
    assert!(until(&mut room.session, &room.clock, STEP, settled).await, "{:?}", room.session.run(id));
}

fn writes(room: &Room) -> Vec<(String, String)> {
    room.sim.requests().iter().map(|request| (request.method.to_string(), request.path.clone())).collect()
}

#[tokio::test]
async fn an_alert_is_silenced_for_a_while_and_the_silence_is_taken_back() {
    let mut room = firing().await;
    let plan = prepare(&mut room.session, silence()).await.unwrap();
    assert_eq!(*plan.intent.server(), Server::Alertmanager(room.sim.alertmanager_url().into()));
    assert!(
        plan.touches.starts_with("silences 1 of 1 firing alerts: medcontracthub-app"),
        "{}",
        plan.touches
    );
    make(&mut room, &plan).await;
    let world = &room.session.state().world;
    let run = world.runs.get(plan.intent.id).unwrap();
    assert!(
        matches!(&run.stage, Stage::Done(verdict) if verdict.ok && verdict.after.firing == Some(0)),
        "{:?}",
        run.stage
    );
    assert_eq!((world.alerts.firing(), world.alerts.rows().len(), world.alerts.silences().len()), (0, 1, 1));
    let kept = world.alerts.silences()[0];
    assert_eq!(
        (kept.by.as_str(), kept.comment.starts_with("the release is being rolled back [warroom ")),
        ("somebody", true)
    );
    let marked: Vec<EntryKind> = world
        .timeline
        .entries()
        .iter()
        .filter(|entry| entry.mark == Some(1))
        .map(|entry| entry.kind)
        .collect();
    assert_eq!(marked, [EntryKind::Action, EntryKind::Applied, EntryKind::Verified]);

    let back = prepare(&mut room.session, plan.intent.undo.clone().unwrap()).await.unwrap();
    make(&mut room, &back).await;
    assert!(
        until(&mut room.session, &room.clock, STEP, |session| session.state().world.alerts.firing() == 1)
            .await
    );
    let id = &back.intent.target.uid;
    assert_eq!(
        writes(&room),
        [("POST".into(), "/api/v2/silences".into()), ("DELETE".into(), format!("/api/v2/silence/{id}"))]
    );
    assert!(matches!(
        prepare(&mut room.session, call("unsilence", &[("silence", id)])).await,
        Err(Refusal::Usage(_))
    ));
}

#[tokio::test]
async fn a_lost_answer_is_found_by_reading_and_never_sent_again() {
    let lost = [
        Fault::Cut { applied: true },
        Fault::Hang { applied: true },
        Fault::Status { code: 503, applied: true },
    ];
    let never = [Fault::Cut { applied: false }, Fault::Status { code: 500, applied: false }];
    for (fault, arrived) in
        lost.map(|fault| (fault, true)).into_iter().chain(never.map(|fault| (fault, false)))
    {
        let mut room = firing().await;
        let plan = prepare(&mut room.session, silence()).await.unwrap();
        room.sim.faults().on(Method::POST, "/api/v2/silences", When::Nth(1), fault);
        make(&mut room, &plan).await;
        let run = room.session.run(plan.intent.id).unwrap();
        match &run.outcome {
            Some(Outcome::Applied { by_reading: true, writes: 1, .. }) => assert!(arrived, "{fault:?}"),
            Some(Outcome::Rejected { by_reading: true, .. }) => assert!(!arrived, "{fault:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
        let unknown = room
            .session
            .state()
            .world
            .timeline
            .entries()
            .iter()
            .any(|entry| entry.kind == EntryKind::Unknown);
        assert!(unknown, "{fault:?} was told");
        assert_eq!(writes(&room).len(), 1, "{fault:?}");
        assert_eq!(room.session.state().world.alerts.silences().len(), usize::from(arrived), "{fault:?}");
    }
}

#[tokio::test]
async fn an_alertmanager_that_nobody_named_is_found_and_asked_through_the_api_server() {
    let mut room = firing_with(|wanted| SessionConfig { alertmanager: Endpoint::default(), ..wanted }).await;
    let plan = prepare(&mut room.session, silence()).await.unwrap();
    assert_eq!(*plan.intent.server(), Server::Alertmanager("monitoring/alertmanager-operated:9093".into()));
    make(&mut room, &plan).await;
    assert!(matches!(
        room.session.run(plan.intent.id).unwrap().outcome,
        Some(Outcome::Applied { by_reading: false, .. })
    ));
    let sent = writes(&room);
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[tokio::test]
async fn an_end_of_a_silence_whose_answer_is_lost_is_found_too() {
    let mut room = firing().await;
    let plan = prepare(&mut room.session, silence()).await.unwrap();
    make(&mut room, &plan).await;
    let back = prepare(&mut room.session, plan.intent.undo.clone().unwrap()).await.unwrap();
    room.sim.faults().on(Method::DELETE, "/api/v2/silence/", When::Nth(1), Fault::Cut { applied: true });
    make(&mut room, &back).await;
    let run = room.session.run(back.intent.id).unwrap();
    assert!(matches!(run.outcome, Some(Outcome::Applied { by_reading: true, .. })), "{:?}", run.outcome);
    assert_eq!(writes(&room).len(), 2);
}

#[tokio::test]
async fn what_cannot_be_silenced_is_refused_before_anything_is_sent() {
    let mut room = firing().await;
    for (inputs, why) in [
        (&[("alert", "Nope"), ("for", "1h"), ("comment", "c")][..], "Alertmanager has no alert \"Nope\" now"),
        (&[("alert", "HighErrorRate"), ("for", "forever"), ("comment", "c")], "\"forever\" is no time"),
        (&[("alert", "HighErrorRate"), ("comment", "c")], "silence needs for: give for=…"),
        (&[("alert", "HighErrorRate"), ("for", "1h")], "silence needs comment: give comment=…"),
    ] {
        let refused = prepare(&mut room.session, call("silence", inputs)).await.unwrap_err();
        assert!(refused.reason().starts_with(why), "{}", refused.reason());
    }
    assert_eq!(writes(&room), []);
    let nobody: Where = "medcontract-prod/nobody:9093".parse().unwrap();
    let mut without =
        Room::open(1, Scenario::Calm, |wanted| SessionConfig { alertmanager: nobody.into(), ..wanted }).await;
    let refused = prepare(&mut without.session, silence()).await.unwrap_err();
    assert!(refused.reason().contains("\"nobody\" not found"), "{}", refused.reason());
}

#[tokio::test]
async fn keys_lead_from_the_alert_to_its_silence_and_an_entry_is_pinned() {
    let mut room = firing().await;
    let act = |room: &mut Room, action: Action| room.session.take(Event::Operator(Operator::Did(action)));
    let enter = |room: &mut Room, text: &str| {
        let event = commit(room.session.state(), text).expect("a field is asked for");
        room.session.take(event);
    };
    act(&mut room, Action::FocusTimeline);
    act(&mut room, Action::Up);
    act(&mut room, Action::Pin);
    assert_eq!(room.session.state().world.timeline.entries().iter().filter(|entry| entry.pinned).count(), 1);
    act(&mut room, Action::Alerts);
    act(&mut room, Action::Arm);
    act(&mut room, Action::Step("silence".into()));
    let asked = room.session.state().screen.input.as_ref().unwrap();
    assert_eq!(asked.text, "alertname,service,severity", "all labels of the chosen alert");
    enter(&mut room, "alertname,service");
    enter(&mut room, "1h");
    enter(&mut room, "known");
    let open = |session: &Headless| {
        matches!(session.state().screen.pages.last(), Some(warroom::state::Page::Confirm(_)))
    };
    assert!(until(&mut room.session, &room.clock, STEP, open).await);
    room.turn(Duration::from_secs(1)).await;
    act(&mut room, Action::Confirm);
    assert!(
        until(&mut room.session, &room.clock, STEP, |session| session.state().world.alerts.firing() == 0)
            .await
    );
    assert_eq!(room.session.state().world.alerts.silences()[0].matchers.len(), 2);
}

/// Puts an alert of the test's own into the bed's Alertmanager, for ten minutes at the most.
fn put_alert(runtime: &tokio::runtime::Runtime, address: &str, name: &str, ends: chrono::DateTime<Utc>) {
    let alert =
        json!([{"labels": {"alertname": name, "service": "warroom-test"}, "endsAt": ends.to_rfc3339()}]);
    let request = reqwest::Client::new()
        .post(format!("{address}/api/v2/alerts"))
        .header("content-type", "application/json");
    let answer = runtime.block_on(request.body(alert.to_string()).send()).unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[test]
#[ignore = "needs the bed"]
fn bed_an_alert_is_silenced_and_unsilenced() {
    let kubeconfig = bed::kubeconfig();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = bed::var("WARROOM_ALERTMANAGER_URL");
    let name = format!("WarroomTest{}", std::process::id());
    let home = Home::new();
    std::fs::copy(&kubeconfig, home.path("kubeconfig")).unwrap();
    let run = |step: &str, sets: &[String]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set.as_str()]).collect();
        let args = [
            &["--namespace", "medcontract-prod", "--alertmanager", &address, "run", step, "--yes", "--json"],
            &sets[..],
        ]
        .concat();
        let ran = home.run(&args);
        assert_eq!(ran.code, 0, "{step}: {ran:?}");
        ran.json()
    };
    put_alert(&runtime, &address, &name, Clock::system().now() + TimeDelta::minutes(10));
    let sets = [format!("alert={name}"), "for=15m".to_owned(), "comment=a test of warroom".to_owned()];
    let told = run("silence", &sets);
    assert_eq!(
        (&told["outcome"], &told["verify"]["ok"], &told["verify"]["after"]["firing"]),
        (&json!("applied"), &json!(true), &json!(0))
    );
    let tag = told["undo"]["inputs"]["silence"].as_str().unwrap();
    let told = run("unsilence", &[format!("silence={tag}")]);
    assert_eq!((&told["outcome"], &told["verify"]["ok"]), (&json!("applied"), &json!(true)), "{told}");
    put_alert(&runtime, &address, &name, Clock::system().now());
}
