//! A plan of two writes: the second leaves only when the first was made, and nothing more leaves after a
//! stop. What is told in the end says how much of it was made, and how much was not (invariant 5).

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use ulid::Ulid;
use warroom::event::{Outcome, Plan, StepCall, Write};
use warroom::keymap::Action;
use warroom::runtime::headless::Headless;
use warroom::sim::fault::Fault;
use warroom::sim::{NAMESPACE, Sim};
use warroom::state::{Run, Stage};

use support::both::WITH_BOTH;
use support::{Room, Setup, meets, prepare, session, until, wanted};

const FIRST: &str = "worker-service";
const SECOND: &str = "ai-service";
/// More than a request takes to arrive, in few steps.
const STEP: Duration = Duration::from_millis(500);

const FORBIDDEN: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"Forbidden","code":403}"#;

/// Ways to lose an answer, after the change was made or before.
const LOST: [(Fault, bool); 6] = [
    (Fault::Cut { applied: true }, true),
    (Fault::Cut { applied: false }, false),
    (Fault::Status { code: 504, applied: true }, true),
    (Fault::Status { code: 504, applied: false }, false),
    (Fault::Reply { status: 200, content_type: "text/html", body: "<html>", applied: true }, true),
    (Fault::Reply { status: 200, content_type: "text/html", body: "<html>", applied: false }, false),
];

/// Refusals, and the words of each.
const REFUSED: [(Fault, &str); 2] = [
    (
        Fault::Reply { status: 403, content_type: "application/json", body: FORBIDDEN, applied: false },
        "you may not: no",
    ),
    (Fault::Status { code: 429, applied: false }, "the server is overloaded and did nothing"),
];

/// A session whose step of two writes, from 1 replica each to 3 and 2, is prepared.
async fn planned() -> (Room, Plan) {
    let mut room = Room::of(Setup { runbook: WITH_BOTH.clone(), ..Setup::default() }, |wanted| wanted).await;
    let inputs = [("first", FIRST), ("second", SECOND), ("replicas", "3,2")]
        .map(|(name, value)| (name.into(), value.into()));
    let plan = prepare(&mut room.session, StepCall::new("both", inputs.into())).await.unwrap();
    (room, plan)
}

fn writes(plan: &Plan) -> [&Write; 2] {
    plan.intent.writes().collect::<Vec<_>>().try_into().unwrap()
}

/// What was sent, in order: the name of the Deployment, and whether it was changed.
fn sent(sim: &Sim) -> Vec<(&'static str, bool)> {
    let real = sim.requests().into_iter().filter(|request| !request.dry_run);
    real.map(|request| (if request.path.contains(FIRST) { FIRST } else { SECOND }, request.applied)).collect()
}

/// The replicas that both should have now.
fn replicas(sim: &Sim, plan: &Plan) -> [u64; 2] {
    writes(plan).map(|write| sim.object(&write.expect.path).unwrap()["spec"]["replicas"].as_u64().unwrap())
}

/// Waits until it is known what became of the plan.
async fn answered(room: &mut Room, id: Ulid) -> Run {
    assert!(
        until(&mut room.session, &room.clock, STEP, |session| session.answered(id)).await,
        "{:?}",
        room.session.run(id)
    );
    room.session.run(id).unwrap().clone()
}

/// Confirms a plan, one of whose writes meets this, and waits until it is known what became of it.
async fn made(room: &mut Room, plan: &Plan, at: usize, fault: Fault) -> Run {
    meets(&room.sim, writes(plan)[at], fault);
    room.session.confirm(plan);
    answered(room, plan.intent.id).await
}

/// Half of the plan was made, and why not the rest; the timeline says so too.
fn half(room: &Room, run: &Run) -> String {
    let Some(Outcome::Partial { done: 1, rest: 1, why }) = &run.outcome else { panic!("{run:?}") };
    let entries = room.session.state().world.timeline.entries();
    let told = entries.iter().rev().find(|entry| entry.mark == Some(run.mark)).unwrap();
    assert_eq!(told.text.as_str(), format!("1 of 2 changes made, 1 not: {why}"));
    assert_eq!(run.stage, Stage::Partial(why.clone()));
    why.to_string()
}

#[tokio::test]
async fn two_writes_leave_in_order_and_the_undo_takes_both_back() {
    let (mut room, plan) = planned().await;
    assert_eq!(replicas(&room.sim, &plan), [1, 1]);
    room.session.confirm(&plan);
    let run = room.settle().await;
    assert!(matches!(run.outcome, Some(Outcome::Applied { writes: 2, by_reading: false, .. })), "{run:?}");
    assert!(matches!(&run.stage, Stage::Done(verdict) if verdict.ok), "{run:?}");
    assert_eq!((sent(&room.sim), replicas(&room.sim, &plan)), (vec![(FIRST, true), (SECOND, true)], [3, 2]));
    let back = prepare(&mut room.session, plan.intent.undo.clone().unwrap()).await.unwrap();
    room.session.confirm(&back);
    assert!(matches!(room.settle().await.outcome, Some(Outcome::Applied { writes: 2, .. })));
    assert_eq!(
        (sent(&room.sim)[2..].to_vec(), replicas(&room.sim, &plan)),
        (vec![(SECOND, true), (FIRST, true)], [1, 1])
    );
}

#[tokio::test]
async fn a_refused_second_is_told_with_what_is_done() {
    for (fault, words) in REFUSED {
        let (mut room, plan) = planned().await;
        let run = made(&mut room, &plan, 1, fault).await;
        assert!(half(&room, &run).starts_with(words), "{run:?}");
        assert_eq!(
            (sent(&room.sim), replicas(&room.sim, &plan)),
            (vec![(FIRST, true), (SECOND, false)], [3, 1]),
            "{fault:?}"
        );
        assert!(
            run.intent.undo.is_some() && room.session.state().world.runs.undoable().is_none(),
            "its undo is of the whole"
        );
    }
}

#[tokio::test]
async fn a_second_object_that_is_not_any_more_what_was_confirmed_is_left_alone() {
    let recreated: fn(&Sim) -> bool = |sim| sim.recreate("Deployment", NAMESPACE, SECOND);
    let scaled: fn(&Sim) -> bool =
        |sim| sim.edit("Deployment", NAMESPACE, SECOND, |object| object["spec"]["replicas"] = 7.into());
    for (happens, count) in [(recreated, 1), (scaled, 7)] {
        let (mut room, plan) = planned().await;
        assert!(happens(&room.sim));
        room.session.confirm(&plan);
        let run = answered(&mut room, plan.intent.id).await;
        assert!(half(&room, &run).starts_with("ai-service is not any more what was confirmed"), "{run:?}");
        assert_eq!(
            (sent(&room.sim), replicas(&room.sim, &plan)),
            (vec![(FIRST, true), (SECOND, false)], [3, count])
        );
    }
}

#[tokio::test]
async fn a_lost_second_answer_is_read_to_the_truth() {
    for (fault, arrived) in LOST {
        let (mut room, plan) = planned().await;
        let run = made(&mut room, &plan, 1, fault).await;
        if arrived {
            assert!(
                matches!(run.outcome, Some(Outcome::Applied { writes: 2, by_reading: true, .. })),
                "{run:?}"
            );
        } else {
            assert_eq!(half(&room, &run), "it never arrived: ai-service is as it was");
        }
        assert_eq!(sent(&room.sim), [(FIRST, true), (SECOND, arrived)], "{fault:?}");
    }
}

#[tokio::test]
async fn after_a_first_that_was_refused_or_lost_the_second_never_leaves() {
    for (fault, words) in REFUSED {
        let (mut room, plan) = planned().await;
        let run = made(&mut room, &plan, 0, fault).await;
        assert!(
            matches!(&run.outcome, Some(Outcome::Rejected { reason, by_reading: false }) if reason.starts_with(words)),
            "{run:?}"
        );
        assert_eq!(
            (sent(&room.sim), replicas(&room.sim, &plan)),
            (vec![(FIRST, false)], [1, 1]),
            "{fault:?}"
        );
    }
    for (fault, arrived) in LOST {
        let (mut room, plan) = planned().await;
        let run = made(&mut room, &plan, 0, fault).await;
        if arrived {
            assert_eq!(half(&room, &run), "the answer before was lost, and the rest was not sent");
        } else {
            assert!(matches!(run.outcome, Some(Outcome::Rejected { by_reading: true, .. })), "{run:?}");
        }
        assert_eq!(sent(&room.sim), [(FIRST, arrived)], "{fault:?}");
    }
}

/// Confirms the plan, whose first write is made and not answered yet.
async fn amid(fault: Fault) -> (Room, Plan) {
    let (mut room, plan) = planned().await;
    meets(&room.sim, writes(&plan)[0], fault);
    room.session.confirm(&plan);
    let sim = &room.sim;
    assert!(
        until(&mut room.session, &room.clock, Duration::ZERO, |_| !sent(sim).is_empty()).await,
        "nothing was sent"
    );
    (room, plan)
}

/// Whoever arms again allows what is confirmed from then on, and not what was taken back.
#[tokio::test]
async fn what_was_stopped_or_disarmed_amid_the_two_does_not_go_on() {
    let ways = [
        (Action::StopAll, "the answer before was lost, and the rest was not sent"),
        (Action::Disarm, "disarmed before it left"),
    ];
    for (way, words) in ways {
        let (mut room, plan) = amid(Fault::Hang { applied: true }).await;
        room.press(way);
        room.press(Action::Arm);
        room.sim.faults().clear();
        let run = answered(&mut room, plan.intent.id).await;
        assert_eq!(half(&room, &run), words);
        assert_eq!((sent(&room.sim), replicas(&room.sim, &plan)), (vec![(FIRST, true)], [3, 1]), "{words}");
    }
}

#[tokio::test]
async fn what_a_killed_session_had_sent_of_the_two_is_read_by_the_next() {
    for (at, fault, told) in [
        (0, Fault::Hang { applied: false }, "rejected"),
        (0, Fault::Hang { applied: true }, "half"),
        (1, Fault::Hang { applied: false }, "half"),
        (1, Fault::Hang { applied: true }, "applied"),
    ] {
        let (Room { sim, clock, data, session: mut running }, plan) = planned().await;
        let id = plan.intent.id;
        meets(&sim, writes(&plan)[at], fault);
        running.confirm(&plan);
        assert!(
            until(&mut running, &clock, Duration::ZERO, |_| sent(&sim).len() > at).await,
            "nothing was sent"
        );
        drop(running);
        let session = session(wanted(&sim), &clock, data.path()).await;
        let mut room = Room { sim, clock, data, session };
        let adopted = |session: &Headless| session.run(id).is_some();
        assert!(
            until(&mut room.session, &room.clock, Duration::ZERO, adopted).await,
            "it was not taken over"
        );
        let run = answered(&mut room, id).await;
        match &run.outcome {
            Some(Outcome::Rejected { by_reading: true, .. }) => assert_eq!(told, "rejected", "{run:?}"),
            Some(Outcome::Applied { writes: 2, by_reading: true, .. }) => {
                assert_eq!(told, "applied", "{run:?}");
            }
            _ => assert_eq!((told, half(&room, &run).is_empty()), ("half", false), "{run:?}"),
        }
        assert_eq!(sent(&room.sim).len(), at + 1, "sent again");
    }
}
