use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::event::{
    ContextId, ContextInfo, Danger, Event, Exec, Look, Mode, Operator, Outcome, Record, Session, StepCall,
    guardrail, samples,
};
use crate::keymap::Action;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

struct Room {
    world: World,
}

impl Room {
    fn new(change: impl FnOnce(Session) -> Session) -> Self {
        let session = Session {
            mode: Mode::Live,
            contexts: vec![ContextInfo {
                id: ContextId::MAIN,
                context: "prod".into(),
                label: "prod".into(),
                cluster: "https://prod".into(),
                read_only: false,
            }],
            namespaces: vec!["ns".into()],
            actor: "dana".into(),
            no_exec: false,
            arm_minutes: 15,
            guardrails: Vec::new(),
            threshold: 0.05,
            kafka: Clean::default(),
            thresholds: std::collections::BTreeMap::new(),
            version: "0".into(),
        };
        let mut room = Self { world: World::default() };
        room.take(0, Event::Started(change(session)));
        room
    }

    fn armed() -> Self {
        let mut room = Self::new(|session| session);
        room.did(0, Action::Arm);
        room
    }

    fn take(&mut self, second: i64, event: Event) {
        let seq = self.world.seq + 1;
        self.world.fold(&Record { seq, at: at(second), event });
    }

    fn did(&mut self, second: i64, action: Action) {
        self.take(second, Event::Operator(Operator::Did(action)));
    }

    fn answer(&self, second: i64) -> String {
        authorise(&self.world, &samples::intent(), at(second))
            .map_or_else(|denied| denied.to_string(), |leave| format!("op {}", leave.at()))
    }
}

#[test]
fn only_what_is_armed_recorded_and_meant_for_this_cluster_may_leave() {
    let mut room = Room::new(|session| session);
    assert_eq!(room.answer(0), "not armed: arm first (:arm), then confirm");
    room.did(0, Action::Arm);
    assert_eq!(room.answer(1), "op 0");
    assert_eq!(room.answer(15 * 60), "arming ran out: arm again (:arm), then confirm");
    room.take(2, Event::JournalTrouble(Some("full".into())));
    assert!(room.answer(2).starts_with("the journal cannot be written"));
    room.take(3, Event::JournalTrouble(None));
    room.did(3, Action::Disarm);
    assert_eq!(room.answer(3), "not armed: arm first (:arm), then confirm");
    assert_eq!(Room::new(read_only).answer(0), "read-only: nothing is changed from this session");
    let elsewhere = Room::new(|mut session| {
        session.contexts[0].cluster = "https://other".into();
        session
    });
    assert_eq!(elsewhere.answer(0), "worker is in https://prod, which is not part of this session");
}

#[test]
fn another_cluster_at_the_same_address_is_another_cluster() {
    let mut room = Room::armed();
    let identity = |identity: &str| Event::Identity { context: ContextId::MAIN, identity: identity.into() };
    room.take(1, identity("uid:prod"));
    assert_eq!(room.answer(1), "op 0");
    room.take(2, identity("uid:other"));
    assert_eq!(room.answer(2), "another cluster answers at https://prod than the one where worker is");
}

fn read_only(mut session: Session) -> Session {
    session.contexts[0].read_only = true;
    session
}

fn of_two() -> Intent {
    let intent = samples::intent();
    Intent { ops: vec![intent.ops[0].clone(), intent.ops[0].clone()], ..intent }
}

#[test]
fn who_arms_again_does_not_allow_the_rest_of_what_was_stopped() {
    for (stop, words) in
        [(Action::StopAll, "stopped before it left"), (Action::Disarm, "disarmed before it left")]
    {
        let mut room = Room::armed();
        let two = of_two();
        room.take(1, Event::Intent(Box::new(two.clone())));
        room.take(1, Event::Sent { intent: two.id, op: 0 });
        room.did(2, stop);
        room.did(2, Action::Arm);
        room.take(3, Event::Answered { intent: two.id, op: 0, generation: 2 });
        assert_eq!(authorise(&room.world, &two, at(3)), Err(Denied::Revoked(words.into())));
    }
}

#[test]
fn what_has_left_or_is_over_never_leaves_again() {
    let intent = samples::intent();
    let two = of_two();
    let mut room = Room::armed();
    room.take(1, Event::Intent(Box::new(two.clone())));
    let answer = |room: &Room| {
        authorise(&room.world, &two, at(2))
            .map_or_else(|denied| denied.to_string(), |leave| format!("op {}", leave.at()))
    };
    assert_eq!(answer(&room), "op 0");
    room.take(1, Event::Sent { intent: two.id, op: 0 });
    assert_eq!(answer(&room), "it was sent, and the answer is awaited");
    room.take(1, Event::Answered { intent: two.id, op: 0, generation: 2 });
    assert_eq!(answer(&room), "op 1");
    room.take(1, Event::Sent { intent: two.id, op: 1 });
    assert_eq!(answer(&room), "it was sent, and the answer is awaited");
    room.take(
        1,
        Event::Outcome {
            intent: two.id,
            outcome: Outcome::Applied { generation: 3, writes: 2, by_reading: false },
        },
    );
    assert_eq!(answer(&room), "it is already finished");
    let mut next = Room::armed();
    next.take(1, Event::Inherited(Box::new(intent)));
    assert_eq!(next.answer(1), "it may have been sent: it is read, and never sent again");
}

#[test]
fn reading_needs_no_arming_and_no_exec_forbids_it() {
    let exec = Exec {
        target: samples::target("worker"),
        container: "c".into(),
        command: vec!["true".into()],
        seconds: 30,
    };
    let read = Intent { danger: Danger::Read, ops: vec![Op::Exec(exec)], ..samples::intent() };
    let of = |room: &Room| authorise(&room.world, &read, at(0)).map(drop);
    assert_eq!(of(&Room::new(read_only)), Ok(()));
    assert_eq!(of(&Room::new(|session| Session { no_exec: true, ..session })), Err(Denied::NoExec));
}

#[test]
fn the_strictest_guardrail_that_holds_decides() {
    let with = |rules: &[Rule]| {
        let guardrails = rules.iter().map(|rule| guardrail(*rule)).collect();
        let mut room = Room::new(|session| Session { guardrails, ..session });
        room.did(0, Action::Arm);
        room
    };
    assert_eq!(
        with(&[Rule::ConfirmByName, Rule::Deny, Rule::TwoPeople]).answer(1),
        "a guardrail forbids it: peak hours (changes)"
    );
    assert_eq!(
        with(&[Rule::TwoPeople, Rule::ConfirmByName]).answer(1),
        "a guardrail asks for a second person, whom warroom cannot ask yet: peak hours (changes)"
    );
    let by_name = with(&[Rule::ConfirmByName]);
    assert_eq!(by_name.answer(1), "op 0");
    let plan = guarded(&by_name.world, samples::plan(), at(1));
    let naming = plan.naming.unwrap();
    assert_eq!(
        (naming.why.as_str(), naming.lasting),
        ("a guardrail asks for it: peak hours (changes)", true)
    );
    assert_eq!(guarded(&Room::armed().world, samples::plan(), at(1)).naming, samples::plan().naming);
}

#[test]
fn a_guardrail_of_another_namespace_holds_for_nothing_here() {
    let elsewhere = Guardrail { namespace: Some("shop".into()), ..guardrail(Rule::Deny) };
    let mut room = Room::new(|session| Session { guardrails: vec![elsewhere], ..session });
    room.did(0, Action::Arm);
    assert_eq!(room.answer(1), "op 0");
}

#[test]
fn a_part_of_a_checklist_is_held_to_its_own_guardrails_and_to_what_forbids_commands() {
    let named = Guardrail { step: Some("db-health".into()), ..guardrail(Rule::Deny) };
    let of = |no_exec: bool| {
        let guardrails = vec![named.clone()];
        Room::new(|session| Session { no_exec, guardrails, ..session })
    };
    let look = |step: &str, op: Op| {
        let call = StepCall::new(step, std::collections::BTreeMap::new());
        Intent { danger: Danger::Read, call, ops: vec![op], ..samples::intent() }
    };
    let target = samples::target("worker");
    let reads = || Op::Look(Look { target: target.clone(), what: "all".into() });
    let exec = Exec { target: target.clone(), container: "c".into(), command: vec![], seconds: 30 };
    let leave = |room: &Room| authorise(&room.world, &look("triage", reads()), at(0)).unwrap();
    let free = leave(&of(false));
    assert_eq!(free.allows(&look("nodes", reads()), at(0)), Ok(()));
    assert_eq!(free.allows(&look("check", Op::Exec(exec.clone())), at(0)), Ok(()));
    let denied = free.allows(&look("db-health", reads()), at(0)).unwrap_err().to_string();
    assert_eq!(denied, "a guardrail forbids it: peak hours (db-health)");
    let bound = leave(&of(true));
    assert_eq!(bound.allows(&look("check", Op::Exec(exec)), at(0)), Err(Denied::NoExec));
}
