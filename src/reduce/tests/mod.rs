use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ulid::Ulid;

use super::*;
use crate::clean::Clean;
use crate::event::{
    Allowed, Browse, ContextId, ContextInfo, Danger, DryRun, Edit, Exec, GroupLag, Intent, Kind, Mode,
    Naming, Op, Outcome, Output, Plan, Prepared, Purpose, Refusal, Right, Session, StepCall,
    samples::{intent, plan},
};
use crate::keymap::Action;
use crate::state::{GroupDetail, Page, Playback, Stage};
use crate::step::check;
use crate::step::target::DEPLOYMENT;

mod aims;
mod appearance;

/// A state, and the records that brought it there.
struct Room {
    state: State,
    at: DateTime<Utc>,
    seq: u64,
}

impl Room {
    fn new(read_only: bool) -> Self {
        let runbook = Arc::new(crate::runbook::embedded().unwrap());
        let mut room =
            Self { state: State::new(DateTime::UNIX_EPOCH, runbook), at: DateTime::UNIX_EPOCH, seq: 0 };
        room.take(Event::Started(Session {
            mode: Mode::Live,
            contexts: vec![ContextInfo {
                id: ContextId::MAIN,
                context: "prod".into(),
                label: "prod".into(),
                cluster: "https://prod".into(),
                read_only,
            }],
            namespaces: vec!["ns".into()],
            actor: "dana".into(),
            no_exec: false,
            arm_minutes: 15,
            guardrails: Vec::new(),
            threshold: 0.05,
            kafka: "exec".into(),
            thresholds: std::collections::BTreeMap::new(),
            version: "0".into(),
        }));
        room
    }

    fn take(&mut self, event: Event) -> Vec<Effect> {
        self.seq += u64::from(event.recorded());
        reduce(&mut self.state, &Record { seq: self.seq, at: self.at, event })
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        self.take(Event::Operator(Operator::Did(action)))
    }

    fn enter(&mut self, text: &str) -> Vec<Effect> {
        self.take(commit(&self.state, text).unwrap())
    }

    fn command(&mut self, line: &str) -> Vec<Effect> {
        self.act(Action::Command);
        self.enter(line)
    }

    fn wait(&mut self, milliseconds: i64) {
        self.at += TimeDelta::milliseconds(milliseconds);
        self.take(Event::View(View::Tick));
    }

    /// Prepares a scaling with this plan and brings its question to the screen, past its dead time.
    fn asked(&mut self, plan: Plan) {
        let effects = self.command("scale deployment=worker replicas=3");
        let [Effect::Prepare(call)] = &effects[..] else { panic!("{effects:?}") };
        let prepared = Prepared { call: call.clone(), result: Ok(plan) };
        self.take(Event::View(View::Prepared(Box::new(prepared))));
        assert!(matches!(self.state.screen.pages.last(), Some(Page::Confirm(_))));
        self.wait(301);
    }

    fn told(&self) -> &str {
        self.state.screen.message.as_ref().map_or("", |(_, told)| told)
    }
}

fn intends(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Intend(asked)] if **asked == intent())
}

#[test]
fn a_confirmed_plan_becomes_exactly_its_intent() {
    let mut room = Room::new(false);
    room.act(Action::Arm);
    room.asked(plan());
    assert!(intends(&room.act(Action::Confirm)));
    assert!(room.state.screen.pages.is_empty());
}

#[test]
fn confirm_keys_are_dead_at_first() {
    let mut room = Room::new(false);
    room.act(Action::Arm);
    room.asked(plan());
    if let Some(Page::Confirm(dialog)) = room.state.screen.pages.last_mut() {
        dialog.since = room.at - TimeDelta::milliseconds(299);
    }
    assert_eq!(room.act(Action::Confirm), []);
    room.wait(1);
    assert!(intends(&room.act(Action::Confirm)));
}

#[test]
fn what_is_not_allowed_is_told_and_not_done() {
    let denied = Plan {
        rights: vec![Right {
            allowed: Allowed::No(Clean::default()),
            ..DEPLOYMENT.right("patch", "scale", "ns", "worker")
        }],
        ..plan()
    };
    let refused = Plan { dry_run: DryRun::Refused("quota".into()), ..plan() };
    for (read_only, arm, plan, why) in [
        (false, false, plan(), "not armed"),
        (true, true, plan(), "read-only"),
        (false, true, denied, "you may not patch deployments/scale worker (apps) in ns"),
        (false, true, refused, "the server refuses it (dry run): quota"),
    ] {
        let mut room = Room::new(read_only);
        if arm {
            room.act(Action::Arm);
        }
        room.asked(plan);
        assert_eq!(room.act(Action::Confirm), [], "{why}");
        assert!(room.told().starts_with(why), "{} is not {why}", room.told());
    }
}

#[test]
fn arming_ends_by_itself_and_by_the_stop_key() {
    let mut room = Room::new(false);
    room.act(Action::Arm);
    assert!(room.state.world.is_armed(ContextId::MAIN, room.at));
    room.wait(15 * 60 * 1000);
    assert!(!room.state.world.is_armed(ContextId::MAIN, room.at));
    room.act(Action::Arm);
    assert_eq!(room.act(Action::StopAll), [Effect::StopAll]);
    assert!(!room.state.world.is_armed(ContextId::MAIN, room.at));
}

#[test]
fn a_journal_in_trouble_lets_nothing_through() {
    let mut room = Room::new(false);
    room.act(Action::Arm);
    room.asked(plan());
    room.take(Event::JournalTrouble(Some("disk full".into())));
    assert_eq!(room.act(Action::Confirm), []);
    assert!(room.told().contains("journal"));
}

#[test]
fn a_name_that_must_be_typed_must_be_right() {
    let mut room = Room::new(false);
    room.act(Action::Arm);
    room.asked(Plan {
        naming: Some(Naming { why: "it takes the service away".into(), lasting: false }),
        ..plan()
    });
    assert_eq!(room.act(Action::Confirm), []);
    assert_eq!(room.state.screen.input.as_ref().unwrap().purpose, Purpose::Name);
    assert_eq!(room.enter("workr"), []);
    assert!(room.told().contains("nothing was done"));
    room.act(Action::Confirm);
    assert!(intends(&room.enter("worker")));
}

/// A change whose effect is awaited: nobody knows its service yet.
fn awaited() -> Intent {
    Intent { checks: vec![check::rollout(Kind::Deployment, "u".into())], ..intent() }
}

fn unresolved(intent: Intent) -> [Effect; 1] {
    [Effect::Resolve(Unresolved { intent: Box::new(intent), from: 0, to: 1 })]
}

#[test]
fn an_intent_is_left_once_and_each_outcome_leads_on() {
    let mut room = Room::new(false);
    let id = intent().id;
    let outcome = |outcome| Event::Outcome { intent: intent().id, outcome };
    assert_eq!(room.take(Event::Intent(Box::new(awaited()))), [Effect::Leave(id)]);
    assert_eq!(room.state.world.runs.get(id).unwrap().stage, Stage::Waiting, "it waits for the disk");
    assert_eq!(room.take(Event::Sent { intent: id, op: 0 }), []);
    assert_eq!(room.state.world.runs.get(id).unwrap().stage, Stage::Sent);
    let lost = Outcome::Unknown { reason: "no answer".into(), at: 0 };
    assert_eq!(room.take(outcome(lost.clone())), unresolved(awaited()));
    assert!(matches!(room.state.world.runs.get(id).unwrap().stage, Stage::Unknown(_)));
    let applied = Outcome::Applied { generation: 2, writes: 1, by_reading: true };
    assert_eq!(room.take(outcome(applied)), [Effect::Wake { intent: id, after: Duration::from_secs(60) }]);
    assert_eq!(room.take(outcome(lost)), [], "a late answer changes nothing");
}

#[test]
fn a_stop_and_a_disarming_take_back_what_has_not_left() {
    for action in [Action::StopAll, Action::Disarm] {
        let mut room = Room::new(false);
        room.act(Action::Arm);
        room.take(Event::Intent(Box::new(intent())));
        let effects = room.act(action.clone());
        let settled = effects.iter().find(|effect| matches!(effect, Effect::Settle { .. }));
        let Some(Effect::Settle { intent: id, outcome }) = settled.cloned() else {
            panic!("{action}: {effects:?}")
        };
        room.take(Event::Outcome { intent: id, outcome });
        assert!(
            matches!(&room.state.world.runs.get(id).unwrap().stage, Stage::NotSent(why) if why.contains("before it left")),
            "{action}"
        );
        room.act(Action::Arm);
        assert!(
            crate::step::guard::authorise(&room.state.world, &intent(), room.at).is_err(),
            "arming again does not send it"
        );
    }
}

#[test]
fn an_adopted_intent_is_read_and_never_sent() {
    let mut room = Room::new(false);
    assert_eq!(room.take(Event::Inherited(Box::new(intent()))), unresolved(intent()));
    assert!(matches!(room.state.world.runs.get(intent().id).unwrap().stage, Stage::Unknown(_)));
}

#[test]
fn undo_goes_the_way_of_every_step_and_never_redoes() {
    let mut room = Room::new(false);
    assert_eq!(room.act(Action::UndoLast), []);
    assert_eq!(room.told(), "nothing to undo");
    room.take(Event::Intent(Box::new(intent())));
    room.take(Event::Outcome {
        intent: intent().id,
        outcome: Outcome::Applied { generation: 2, writes: 1, by_reading: false },
    });
    let call = StepCall { undoes: Some(intent().id), ..intent().undo.unwrap() };
    assert_eq!(room.act(Action::UndoLast), [Effect::Prepare(call.clone())]);
    let undo = Intent { id: Ulid::from_parts(2, 2), call: call.clone(), ..intent() };
    let prepared = Prepared { call, result: Ok(Plan { intent: undo.clone(), ..plan() }) };
    room.take(Event::View(View::Prepared(Box::new(prepared))));
    room.take(Event::Intent(Box::new(undo.clone())));
    room.act(Action::Reject);
    room.take(Event::Outcome {
        intent: undo.id,
        outcome: Outcome::Applied { generation: 3, writes: 1, by_reading: false },
    });
    assert_eq!(room.act(Action::UndoLast), []);
    assert_eq!(room.told(), "nothing to undo");
}

#[test]
fn what_only_reads_goes_ahead_unarmed_and_its_output_is_shown() {
    let mut room = Room::new(true);
    let effects = room.command("scale deployment=worker replicas=3");
    let [Effect::Prepare(call)] = &effects[..] else { panic!("{effects:?}") };
    let exec =
        Exec { target: intent().target, container: "c".into(), command: vec!["true".into()], seconds: 30 };
    let read = Intent { danger: Danger::Read, ops: vec![Op::Exec(exec)], undo: None, ..intent() };
    let prepared = Prepared { call: call.clone(), result: Ok(Plan { intent: read.clone(), ..plan() }) };
    let effects = room.take(Event::View(View::Prepared(Box::new(prepared))));
    assert!(matches!(&effects[..], [Effect::Intend(intent)] if **intent == read), "{effects:?}");
    room.take(Event::Intent(Box::new(read.clone())));
    let output = Output { exit: Some(1), lines: vec!["connection refused".into()], ..Output::default() };
    room.take(Event::Outcome { intent: read.id, outcome: Outcome::Read(output) });
    assert!(matches!(room.state.screen.pages.last(), Some(Page::Entry(_))));
    let told = room.state.world.timeline.entries().iter().last().unwrap();
    assert_eq!(told.text, "exit 1 · 1 line · connection refused");
}

#[test]
fn a_step_that_opens_a_page_opens_it_here_and_is_told() {
    let address = Clean::new("https://grafana/d/x");
    for (remote, opens) in [(false, Effect::Browse(address.clone())), (true, Effect::Copy(address.clone()))] {
        let mut room = Room::new(false);
        room.state.screen.seat.remote = remote;
        let effects = room.command("scale deployment=worker replicas=3");
        let [Effect::Prepare(call)] = &effects[..] else { panic!("{effects:?}") };
        let page = Browse { target: intent().target, address: address.clone() };
        let read = Intent { danger: Danger::Read, ops: vec![Op::Browse(page)], undo: None, ..intent() };
        let prepared = Prepared { call: call.clone(), result: Ok(Plan { intent: read.clone(), ..plan() }) };
        let effects = room.take(Event::View(View::Prepared(Box::new(prepared))));
        assert_eq!(effects, [opens, Effect::Intend(Box::new(read.clone()))]);
        let replayed = room.take(Event::Intent(Box::new(read)));
        let opens = |effect: &Effect| matches!(effect, Effect::Browse(_) | Effect::Copy(_));
        assert!(!replayed.iter().any(opens), "a replay opens nothing: {replayed:?}");
    }
}

#[test]
fn a_form_that_is_left_stops_what_it_asked_for() {
    let mut room = Room::new(false);
    room.command("scale deployment=worker replicas=3");
    assert_eq!(room.act(Action::Cancel), [Effect::CancelPrepare]);
}

#[test]
fn a_plan_that_nobody_waits_for_any_more_is_not_asked_about() {
    let mut room = Room::new(false);
    let call = StepCall::new("scale", BTreeMap::from([("deployment".into(), "other".into())]));
    room.command("scale deployment=worker replicas=3");
    room.take(Event::View(View::Prepared(Box::new(Prepared { call, result: Ok(plan()) }))));
    assert!(matches!(room.state.screen.pages.last(), Some(Page::Form(_))));
    room.act(Action::Cancel);
    let call = StepCall::new(
        "scale",
        BTreeMap::from([("deployment".into(), "worker".into()), ("replicas".into(), "3".into())]),
    );
    room.take(Event::View(View::Prepared(Box::new(Prepared { call, result: Ok(plan()) }))));
    assert!(room.state.screen.pages.is_empty());
}

#[test]
fn a_refused_preparation_comes_back_to_the_form() {
    let mut room = Room::new(false);
    let effects = room.command("scale deployment=worker replicas=3");
    let [Effect::Prepare(call)] = &effects[..] else { panic!("{effects:?}") };
    let prepared = Prepared {
        call: call.clone(),
        result: Err(Refusal::Usage("there is no deployment worker in ns".into())),
    };
    room.take(Event::View(View::Prepared(Box::new(prepared))));
    let Some(Page::Form(form)) = room.state.screen.pages.last() else { panic!() };
    assert_eq!((form.at, form.problem.as_deref()), (0, Some("there is no deployment worker in ns")));
    assert_eq!(room.state.screen.input.as_ref().unwrap().text, "worker");
}

#[test]
fn a_replay_begins_no_step_and_its_world_is_left_alone() {
    let mut room = Room::new(false);
    room.state.screen.playback = Some(Playback {
        playing: false,
        speed: 1.0,
        from: room.at,
        to: room.at,
        seq: 1,
        last_seq: 1,
        survey: None,
    });
    let before = room.state.world.hash();
    for action in Action::PLAIN.iter().cloned().chain([Action::Step("scale".into())]) {
        let effects = look(&mut room.state, &Event::Operator(Operator::Did(action)));
        let acts = |effect: &Effect| {
            matches!(effect, Effect::Prepare(_) | Effect::Intend(_) | Effect::Send(_) | Effect::Resolve(_))
        };
        assert!(!effects.iter().any(acts), "{effects:?}");
    }
    assert_eq!(room.state.world.hash(), before);
}

#[test]
fn typed_text_is_edited_where_the_cursor_is() {
    let mut room = Room::new(false);
    room.act(Action::Note);
    let mut edit = |edit: Edit| drop(room.take(Event::View(View::Edited(edit))));
    edit(Edit::Insert("größe 12\u{1b}".into()));
    edit(Edit::Act(Action::InputDeleteWord));
    edit(Edit::Act(Action::InputLeft));
    edit(Edit::Act(Action::InputLeft));
    edit(Edit::Act(Action::InputBackspace));
    edit(Edit::Insert("s".into()));
    let input = room.state.screen.input.clone().unwrap();
    assert_eq!((input.text.as_str(), input.cursor), ("grösse ".replace("ss", "s").as_str(), "grös".len()));
    room.enter("customers report recovery");
    let entry = room.state.world.timeline.entries().last().unwrap();
    assert_eq!((entry.subject.as_str(), entry.text.as_str()), ("@dana", "customers report recovery"));
}

#[test]
fn a_typed_command_does_what_its_key_does() {
    let mut room = Room::new(false);
    room.command("arm");
    assert!(room.state.world.is_armed(ContextId::MAIN, room.at));
    room.command("disarm");
    assert!(!room.state.world.is_armed(ContextId::MAIN, room.at));
    assert_eq!(
        room.command("ns shop prod"),
        [Effect::Unfollow, Effect::Watch(vec!["shop".into(), "prod".into()])]
    );
    assert_eq!(room.state.world.session.as_ref().unwrap().place(), "namespaces shop, prod");
    assert_eq!(room.command("ns Shop"), []);
    assert_eq!((room.told(), room.state.world.watches("prod")), ("\"Shop\" cannot be a namespace", true));
}

#[test]
fn a_context_that_is_not_looked_at_is_no_other_one() {
    let mut room = Room::new(false);
    assert_eq!(room.command("scale deployment=worker replicas=3 context=us"), []);
    assert_eq!(
        (room.told(), room.state.screen.pages.len()),
        ("context \"us\" is not part of this session", 0)
    );
    let effects = room.command("scale deployment=worker replicas=3 context=prod");
    assert!(matches!(&effects[..], [Effect::Prepare(_)]), "{effects:?}");
}

#[test]
fn mistyped_commands_say_what_was_meant() {
    let mut room = Room::new(false);
    room.command("discribe");
    assert_eq!(room.told(), "no such command \"discribe\"; did you mean \"describe\"?");
    room.command("rolout-undo");
    assert_eq!(room.told(), "no such command \"rolout-undo\"; did you mean \"rollout-undo\"?");
    room.command("scale replcas=3");
    assert_eq!(room.told(), "scale has no input \"replcas\"; it has deployment, replicas");
    room.command("scale worker");
    assert_eq!(room.told(), "\"worker\": inputs are written name=value");
}

#[test]
fn the_message_goes_after_a_while() {
    let mut room = Room::new(false);
    room.act(Action::UndoLast);
    room.wait(TOLD_SECONDS * 1000 - 1);
    assert!(!room.told().is_empty());
    room.wait(1);
    assert_eq!(room.told(), Clean::default().as_str());
}

#[test]
fn a_group_opens_in_full_and_the_way_back_is_the_usual_one() {
    let mut room = Room::new(false);
    let group = GroupLag { group: "worker".into(), members: Some(0), partitions: vec![] };
    room.take(Event::Lag { at: room.at, groups: vec![group] });
    room.act(Action::FocusLag);
    room.act(Action::Open);
    assert_eq!(room.state.screen.pages, [Page::Group(GroupDetail { id: "worker".into(), scroll: 0 })]);
    assert!(
        room.act(Action::Logs).is_empty(),
        "no workload is named so, and no other pod's log is followed instead"
    );
    room.act(Action::Cancel);
    assert!(room.state.screen.pages.is_empty());
}
mod logs;
mod prompt;
