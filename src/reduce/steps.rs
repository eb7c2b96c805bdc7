//! Steps: how one begins, how the last change is taken back, what follows from an outcome, what a stop
//! revokes. Between them lie the form and the question, which are pages.

use std::time::Duration;

use ulid::Ulid;

use crate::clean::Clean;
use crate::effect::{Effect, Unresolved};
use crate::event::{Finding, Outcome, StepCall};
use crate::runbook::Step;
use crate::state::{Cursor, EntryDetail, Page, Run, Stage, State, alerts, form};

/// Begins the step of that id, aimed at what is selected.
pub(super) fn begin(state: &mut State, id: &str) -> Vec<Effect> {
    let inputs = alerts::aimed(&state.frame(), id);
    form::open(state, &StepCall::new(id, inputs))
}

/// What an outcome makes necessary: reading where the answer was lost, waiting for the effect, a page for
/// what was read.
pub(super) fn ended(state: &mut State, id: Ulid, outcome: &Outcome) -> Vec<Effect> {
    state.screen.printed.remove(&id);
    let Some(run) = state.world.runs.get(id) else { return Vec::new() };
    match (outcome, &run.stage) {
        (Outcome::Unknown { at, .. }, Stage::Unknown(_)) if run.intent.is_resolvable() => {
            vec![Effect::Resolve(Unresolved { intent: Box::new(run.intent.clone()), from: *at, to: at + 1 })]
        }
        (Outcome::Applied { .. }, Stage::Verifying) => {
            vec![Effect::Wake { intent: id, after: Duration::from_secs(u64::from(run.intent.verify_within)) }]
        }
        (Outcome::Read(_) | Outcome::Ran(_), _) => {
            state.screen.findings.remove(&id);
            show_output(state, id);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// What a program prints is watched while it runs.
pub(super) fn began(state: &mut State, id: Ulid) -> Vec<Effect> {
    if state.world.runs.get(id).is_some_and(Run::is_running) {
        show_output(state, id);
    }
    Vec::new()
}

/// Takes what one of several steps that look at once has found, and shows what there is so far.
pub(super) fn looked(state: &mut State, id: Ulid, finding: &Finding) {
    if state.world.runs.get(id).is_some_and(|run| run.stage == Stage::Sent) {
        state.screen.findings.entry(id).or_default().push(finding.clone());
        show_output(state, id);
    }
}

/// Opens the page of what was read, unless the viewer is at something else by now.
fn show_output(state: &mut State, id: Ulid) {
    let Some(mark) = state.world.runs.get(id).map(|run| run.mark) else { return };
    let busy = state.screen.input.is_some() || !state.screen.pages.is_empty();
    let entry = state
        .world
        .timeline
        .entries()
        .iter()
        .rev()
        .find(|entry| entry.mark == Some(mark))
        .map(|entry| entry.id);
    if let Some(id) = entry.filter(|_| !busy && state.cursor() == Cursor::Live) {
        state.screen.open(EntryDetail::of(id));
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
        let name = session.context(context).map(|one| one.context.as_str());
        call.inputs.extend(name.map(|name| (StepCall::CONTEXT.into(), name.into()))); // where the change went
    }
    form::open(state, &call)
}

/// Copies the command that the asked, or the newest, change stands for, if that would be all of it.
pub(super) fn copy_command(state: &mut State) -> Vec<Effect> {
    let asked = match state.screen.pages.last() {
        Some(Page::Confirm(dialog)) => Some(&dialog.plan.intent.command),
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
