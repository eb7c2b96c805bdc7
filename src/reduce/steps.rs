//! A step's way from a key to an intent, and what follows from its outcome: form → prepare → confirmation →
//! [`Effect::Intend`]. What only reads needs no confirmation.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use ulid::Ulid;

use super::{alerts, operate};
use crate::clean::Clean;
use crate::effect::{Effect, Unresolved};
use crate::event::{Fact, Outcome, Plan, Prepared, Purpose, Refusal, StepCall, Typed};
use crate::runbook::{InputKind, Step};
use crate::state::{Dialog, Field, Form, Overlay, Run, Stage, State, in_hand};
use crate::step::guard;
use crate::units;

/// A dialog's keys are dead for so long after it appeared: a key meant for what was there before must not
/// confirm it.
const DEAD: TimeDelta = TimeDelta::milliseconds(300);

/// Begins the step of that id, aimed at what is selected.
pub(super) fn begin(state: &mut State, id: &str) -> Vec<Effect> {
    let inputs = alerts::chosen(state, id);
    open_form(state, &StepCall::new(id, inputs))
}

/// Why a step has no input of that name; `None` where it has.
pub(super) fn unheard_of(step: &Step, name: &str) -> Option<String> {
    let known: Vec<&str> = step.inputs.iter().map(|input| input.name.as_str()).collect();
    (!step.takes(name)).then(|| format!("{} has no input \"{name}\"; it has {}", step.id, known.join(", ")))
}

/// Opens the form of a step; a call that leaves nothing to ask is prepared at once.
pub(super) fn open_form(state: &mut State, call: &StepCall) -> Vec<Effect> {
    match form(state, call) {
        Ok(form) => {
            operate::open(state, Overlay::Form(form));
            ask_or_prepare(state)
        }
        Err(why) => {
            state.screen.tell(state.now, why);
            Vec::new()
        }
    }
}

/// The form of a call, or why there is none.
fn form(state: &State, call: &StepCall) -> Result<Form, String> {
    if state.screen.playback.is_some() {
        return Err("a replay cannot act".to_owned());
    }
    let Some(step) = state.runbook.step(&call.step) else {
        return Err(format!("no such step \"{}\"", call.step));
    };
    let inputs = step.named(call.inputs.clone());
    if let Some(why) = inputs.keys().find_map(|name| unheard_of(step, name)) {
        return Err(why);
    }
    if let Some(why) = nothing_to_end(state, step, call) {
        return Err(why.to_owned());
    }
    // Words name what they mean: a row that happens to be selected says nothing of the context of what is
    // typed.
    let typed = step.inputs.iter().any(|input| input.kind.places() && inputs.contains_key(&input.name));
    let in_hand = in_hand(&state.frame()).filter(|_| !typed);
    let mut form = Form::new(step, &inputs, &state.world, in_hand.as_ref());
    form.undoes = call.undoes;
    if let Some(why) = misplaced(state, &form, call) {
        return Err(why);
    }
    let given = |field: &Field| inputs.contains_key(&field.name) || field.name == StepCall::CONTEXT;
    let complete = !inputs.is_empty() && form.fields.iter().all(|field| !field.required || given(field));
    let doubtful = if inputs.contains_key(StepCall::CONTEXT) {
        Vec::new()
    } else {
        form.contexts_of_target(&state.world)
    };
    if typed && doubtful.len() > 1 {
        let names = doubtful.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" and ");
        let what = form.target().map(|field| field.value.to_string()).unwrap_or_default();
        form.fields
            .iter_mut()
            .filter(|field| field.name == StepCall::CONTEXT)
            .for_each(|field| field.value = Typed::default());
        form.at = 0;
        form.problem = Some(format!("{what} is in {names}: say which context is meant").into());
    } else if complete {
        form.at = form.fields.len();
    }
    Ok(form)
}

/// Why a form would ask for a silence in vain.
fn nothing_to_end(state: &State, step: &Step, call: &StepCall) -> Option<&'static str> {
    let asks = step
        .inputs
        .iter()
        .any(|input| input.kind == InputKind::Silence && !call.inputs.contains_key(&input.name));
    let known = state.world.alerts.silences().iter().any(|silence| silence.active);
    (asks && !known).then_some("no silence is known that could be ended")
}

/// Why a step cannot be done in the context that it names, where it leaves no choice: never in another one
/// instead.
fn misplaced(state: &State, form: &Form, call: &StepCall) -> Option<String> {
    let name = call
        .inputs
        .get(StepCall::CONTEXT)
        .filter(|_| form.fields.iter().all(|field| field.name != StepCall::CONTEXT))?;
    match state.world.session.as_ref().and_then(|session| session.named(name.raw())) {
        Some(one) if one.id.is_main() => None,
        Some(_) => Some(format!("{} is done in the main context alone, not in {name}", call.step)),
        None => Some(format!("context \"{name}\" is not looked at here")),
    }
}

/// Asks for the next input; when all are given, prepares the step.
fn ask_or_prepare(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = state.screen.overlays.last_mut() else { return Vec::new() };
    let Some(field) = form.current() else {
        form.waiting = true;
        form.problem = None;
        return vec![Effect::Prepare(form.call())];
    };
    let prompt = format!("{}: ", field.name);
    let value = form.preset(&state.world);
    state.screen.ask(Purpose::Input, &prompt, &value);
    Vec::new()
}

/// An input was committed, exactly as it was typed.
pub(super) fn field_entered(state: &mut State, text: &Typed) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = state.screen.overlays.last_mut() else { return Vec::new() };
    if let Some(field) = form.fields.get_mut(form.at) {
        field.value = text.clone();
        form.problem =
            (field.required && field.value.is_empty()).then(|| format!("{} is needed", field.name).into());
        form.at += usize::from(form.problem.is_none());
    }
    ask_or_prepare(state)
}

/// The plan has come, or the reason why there is none. Whoever has left the form in the meantime is not
/// asked.
pub(super) fn prepared(state: &mut State, prepared: &Prepared) -> Vec<Effect> {
    let now = state.now;
    let Some(Overlay::Form(form)) = state.screen.overlays.last_mut() else { return Vec::new() };
    if !form.waiting || form.call() != prepared.call {
        return Vec::new();
    }
    let mut plan = match &prepared.result {
        Err(refusal) => {
            form.waiting = false;
            form.problem = Some(refusal.reason().clone());
            form.at = form.refused(refusal.reason());
            return ask_or_prepare(state);
        }
        Ok(plan) => plan.clone(),
    };
    state.screen.overlays.pop();
    if plan.intent.only_reads() {
        return look(state, plan);
    }
    plan.facts.splice(0..0, of_undone(state, &plan));
    operate::open(state, Overlay::Confirm(Box::new(Dialog { plan, since: now, full: false, scroll: 0 })));
    Vec::new()
}

/// What only reads goes ahead at once, if it may.
fn look(state: &mut State, plan: Plan) -> Vec<Effect> {
    match guard::confirmable(&state.world, &plan, state.now) {
        Ok(()) => vec![Effect::Intend(Box::new(plan.intent))],
        Err(refusal) => told(state, &refusal),
    }
}

fn told(state: &mut State, refusal: &Refusal) -> Vec<Effect> {
    state.screen.tell(state.now, refusal.reason().clone());
    Vec::new()
}

/// What is to be known of a change that is taken back: what was measured under the state that would come
/// back, and whether somebody else has changed it since.
fn of_undone(state: &State, plan: &Plan) -> Vec<Fact> {
    let Some(run) = plan.intent.call.undoes.and_then(|id| state.world.runs.get(id)) else {
        return Vec::new();
    };
    let mark = units::circled(run.mark);
    let release = run.before.release.as_ref().map(|release| format!("{release}: "));
    let ratio = run.before.ratio_5xx;
    let then = ratio.map(|ratio| {
        let words = format!("{}{:.1} % failed", release.unwrap_or_default(), ratio * 100.0);
        if ratio > state.world.threshold(&run.intent.target.name) {
            Fact::warn("brings back", words)
        } else {
            Fact::plain("brings back", words)
        }
    });
    let since = changed_since(run, plan).then(|| {
        Fact::warn("changed since", format!("it is not any more as {mark} left it: what came since goes too"))
    });
    then.into_iter().chain(since).collect()
}

/// Whether what a plan replaces is not what a run has written there.
fn changed_since(run: &Run, plan: &Plan) -> bool {
    let wrote = run.intent.writes().flat_map(|write| &write.expect.values);
    let replaces: BTreeMap<&Clean, &Clean> =
        plan.intent.writes().flat_map(|write| &write.expect.before).collect();
    wrote.into_iter().any(|(at, value)| replaces.get(at).is_some_and(|now| *now != value))
}

/// `y`: goes ahead, or says why not.
pub(super) fn confirm(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Confirm(dialog)) = state.screen.overlays.last() else { return Vec::new() };
    if state.now - dialog.since < DEAD {
        return Vec::new();
    }
    if let Err(refusal) = guard::confirmable(&state.world, &dialog.plan, state.now) {
        return told(state, &refusal);
    }
    if dialog.plan.naming.is_some() {
        let target = &dialog.plan.intent.target;
        let whom = state
            .world
            .label(state.world.context_of(target))
            .map(|label| format!(" in {label}"))
            .unwrap_or_default();
        let prompt = format!("type {}{whom} to go ahead: ", target.name);
        state.screen.ask(Purpose::Name, &prompt, "");
        return Vec::new();
    }
    intend(state)
}

/// The target's name was typed.
pub(super) fn name_entered(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(Overlay::Confirm(dialog)) = state.screen.overlays.last() else { return Vec::new() };
    if text.trim() != dialog.plan.intent.target.name.as_str() {
        state
            .screen
            .tell(state.now, format!("that is not {}: nothing was done", dialog.plan.intent.target.name));
        return Vec::new();
    }
    match guard::confirmable(&state.world, &dialog.plan, state.now) {
        Ok(()) => intend(state),
        Err(refusal) => told(state, &refusal),
    }
}

fn intend(state: &mut State) -> Vec<Effect> {
    match state.screen.overlays.pop() {
        Some(Overlay::Confirm(dialog)) => vec![Effect::Intend(Box::new(dialog.plan.intent))],
        _ => Vec::new(),
    }
}

/// What an outcome makes necessary: reading where the answer was lost, waiting for the effect, a page for
/// what was read.
pub(super) fn ended(state: &mut State, id: Ulid, outcome: &Outcome) -> Vec<Effect> {
    let Some(run) = state.world.runs.get(id) else { return Vec::new() };
    match (outcome, &run.stage) {
        (Outcome::Unknown { at, .. }, Stage::Unknown(_)) => {
            vec![Effect::Resolve(Unresolved { intent: Box::new(run.intent.clone()), from: *at, to: at + 1 })]
        }
        (Outcome::Applied { .. }, Stage::Verifying) => {
            vec![Effect::Wake { intent: id, after: Duration::from_secs(u64::from(run.intent.verify_within)) }]
        }
        (Outcome::Read(_), Stage::Read(_)) => {
            show_output(state, id);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Opens the page of what was read, unless the viewer is at something else by now.
fn show_output(state: &mut State, id: Ulid) {
    let Some(mark) = state.world.runs.get(id).map(|run| run.mark) else { return };
    let busy = state.screen.input.is_some() || !state.screen.overlays.is_empty();
    let entry = state
        .world
        .timeline
        .entries()
        .iter()
        .rev()
        .find(|entry| entry.mark == Some(mark))
        .map(|entry| entry.id);
    if let Some(id) = entry.filter(|_| !busy && state.screen.playback.is_none()) {
        operate::open(state, Overlay::Entry { id, scroll: 0 });
    }
}

/// A stop, or a disarming: what was confirmed and has not left does not leave any more.
pub(super) fn revoke(state: &State, why: &str) -> Vec<Effect> {
    let waiting = state.world.runs.waiting().filter(|run| !run.intent.only_reads());
    let settle = |run: &Run| Effect::Settle {
        intent: run.intent.id,
        outcome: Outcome::NotSent { reason: why.into() },
    };
    waiting.map(settle).collect()
}

/// Takes back the newest change that was not taken back yet, through the same form, plan and confirmation as
/// every other.
pub(super) fn undo_last(state: &mut State) -> Vec<Effect> {
    let world = &state.world;
    let found = world
        .runs
        .undoable()
        .and_then(|run| Some((run.intent.undo.clone()?, run, world.context_of(&run.intent.target))));
    let Some((mut call, run, context)) = found else {
        state.screen.tell(state.now, "nothing to undo");
        return Vec::new();
    };
    call.undoes = Some(run.intent.id);
    call.inputs.remove(StepCall::CONTEXT);
    let places = state.runbook.step(&call.step).is_some_and(Step::places);
    if let Some(session) = world.session.as_ref().filter(|session| session.several() && places) {
        let name = session.looked(context).map(|one| one.context.as_str());
        call.inputs.extend(name.map(|name| (StepCall::CONTEXT.into(), name.into()))); // where the change went
    }
    open_form(state, &call)
}

pub(super) fn full_diff(state: &mut State) {
    if let Some(Overlay::Confirm(dialog)) = state.screen.overlays.last_mut() {
        dialog.full = !dialog.full;
    }
}

/// Copies the command that the asked, or the newest, change stands for, if that would be all of it.
pub(super) fn copy_command(state: &mut State) -> Vec<Effect> {
    let asked = match state.screen.overlays.last() {
        Some(Overlay::Confirm(dialog)) => Some(&dialog.plan.intent.command),
        _ => state.world.runs.all().next_back().map(|run| &run.intent.command),
    };
    let Some(command) = asked else {
        state.screen.tell(state.now, "no step to copy yet");
        return Vec::new();
    };
    let Some(text) = command.to_copy() else {
        let hidden = command.hides.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        let words = format!("not copied: the value of {hidden} is hidden, so this is not all of the command");
        state.screen.tell(state.now, words);
        return Vec::new();
    };
    state.screen.tell(state.now, format!("copied: {text}"));
    vec![Effect::Copy(text)]
}
