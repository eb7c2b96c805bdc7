//! A step's way from a key to an intent: form → prepare → confirmation → [`Effect::Intend`].

use chrono::TimeDelta;

use super::{alerts, operate};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{Plan, Prepared, Purpose, StepCall, Typed, Workload};
use crate::runbook::{InputKind, Step};
use crate::state::{Dialog, Field, Form, Overlay, State, in_hand};

/// A dialog's keys are dead for so long after it appeared: a key meant for what was there before must not confirm it.
const DEAD: TimeDelta = TimeDelta::milliseconds(300);

/// Begins the step of that id, aimed at what is selected.
pub(super) fn begin(state: &mut State, id: &str) -> Vec<Effect> {
    let inputs = alerts::chosen(state, id);
    open_form(state, &StepCall { step: id.into(), inputs })
}

/// Why a step has no input of that name; `None` where it has.
pub(super) fn unheard_of(step: &Step, name: &str) -> Option<String> {
    let known: Vec<&str> = step.inputs.iter().map(|input| input.name.as_str()).collect();
    let takes = name == StepCall::CONTEXT || known.contains(&name);
    (!takes).then(|| format!("{} has no input \"{name}\"; it has {}", step.id, known.join(", ")))
}

/// Opens the form of a step; a call that leaves nothing to ask is prepared at once.
pub(super) fn open_form(state: &mut State, call: &StepCall) -> Vec<Effect> {
    if let Some(why) = state.screen.playback.as_ref().map(|_| "a replay cannot act") {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    let runbook = state.runbook.clone();
    let Some(step) = runbook.step(&call.step) else {
        state.screen.tell(state.now, format!("no such step \"{}\"", call.step));
        return Vec::new();
    };
    let unknown = call.inputs.keys().find_map(|name| unheard_of(step, name));
    if let Some(why) = unknown.or_else(|| nothing_to_end(state, step, call).map(str::to_owned)) {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    // Words name what they mean: a row that happens to be selected says nothing of the context of a deployment that is typed.
    let typed = call.inputs.contains_key("deployment");
    let mut form = Form::new(step, &call.inputs, &state.world, selected_workload(state).filter(|_| !typed));
    if let Some(why) = misplaced(state, &form, call) {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    let given = |field: &Field| call.inputs.contains_key(&field.name) || field.name == StepCall::CONTEXT;
    let complete = !call.inputs.is_empty() && form.fields.iter().all(|field| !field.required || given(field));
    let doubtful = if call.inputs.contains_key(StepCall::CONTEXT) { Vec::new() } else { form.contexts_of_deployment(&state.world) };
    if typed && doubtful.len() > 1 {
        let names = doubtful.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" and ");
        form.fields.iter_mut().filter(|field| field.name == StepCall::CONTEXT).for_each(|field| field.value = Typed::default());
        (form.at, form.problem) = (0, Some(format!("{} is in {names}: say which context is meant", call.inputs["deployment"]).into()));
    } else if complete {
        form.at = form.fields.len();
    }
    operate::open(state, Overlay::Form(form));
    ask_or_prepare(state)
}

/// Why a form would ask for a silence in vain.
fn nothing_to_end(state: &State, step: &Step, call: &StepCall) -> Option<&'static str> {
    let asks = step.inputs.iter().any(|input| input.kind == InputKind::Silence && !call.inputs.contains_key(&input.name));
    let known = state.world.alerts.silences().iter().any(|silence| silence.active);
    (asks && !known).then_some("no silence is known that could be ended")
}

/// Why a step cannot be done in the context that it names, where it leaves no choice: never in another one instead.
fn misplaced(state: &State, form: &Form, call: &StepCall) -> Option<String> {
    let name = call.inputs.get(StepCall::CONTEXT).filter(|_| form.fields.iter().all(|field| field.name != StepCall::CONTEXT))?;
    match state.world.session.as_ref().and_then(|session| session.named(name.raw())) {
        Some(one) if one.id.is_main() => None,
        Some(_) => Some(format!("{} is done in the main context alone, not in {name}", call.step)),
        None => Some(format!("context \"{name}\" is not looked at here")),
    }
}

/// The workload that is selected, or that owns the selected pod.
fn selected_workload(state: &State) -> Option<&Workload> {
    let uid = &in_hand(state)?;
    let cluster = &state.world.cluster;
    cluster.workloads.get(uid).or_else(|| cluster.workload_of(cluster.pods.get(uid)?))
}

/// Asks for the next input; when all are given, prepares the step.
fn ask_or_prepare(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = state.screen.overlays.last_mut() else { return Vec::new() };
    let Some(field) = form.current() else {
        (form.waiting, form.problem) = (true, None);
        return vec![Effect::Prepare(form.call())];
    };
    let (prompt, value) = (format!("{}: ", field.name), form.preset(&state.world));
    state.screen.ask(Purpose::Input, &prompt, &value);
    Vec::new()
}

/// An input was committed.
pub(super) fn field_entered(state: &mut State, text: &Typed) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = state.screen.overlays.last_mut() else { return Vec::new() };
    if let Some(field) = form.fields.get_mut(form.at) {
        field.value = text.clone();
        form.problem = (field.required && field.value.is_empty()).then(|| format!("{} is needed", field.name).into());
        form.at += usize::from(form.problem.is_none());
    }
    ask_or_prepare(state)
}

/// The plan has come, or the reason why there is none. Whoever has left the form in the meantime is not asked.
pub(super) fn prepared(state: &mut State, prepared: &Prepared) {
    let now = state.now;
    let Some(Overlay::Form(form)) = state.screen.overlays.last_mut() else { return };
    if !form.waiting || form.call() != prepared.call {
        return;
    }
    match &prepared.result {
        Err(refusal) => {
            (form.waiting, form.problem, form.at) = (false, Some(refusal.reason().clone()), form.refused(refusal.reason()));
            ask_or_prepare(state);
        }
        Ok(plan) => {
            state.screen.overlays.pop();
            let dialog = Dialog { plan: plan.clone(), since: now, full: false, scroll: 0 };
            operate::open(state, Overlay::Confirm(Box::new(dialog)));
        }
    }
}

/// `y`: goes ahead, or says why not.
pub(super) fn confirm(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Confirm(dialog)) = state.screen.overlays.last() else { return Vec::new() };
    if state.now - dialog.since < DEAD {
        return Vec::new();
    }
    if let Some(why) = forbidden(state, &dialog.plan) {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    if dialog.plan.type_name.is_some() {
        let target = &dialog.plan.intent.target;
        let whom = state.world.label(state.world.context_of(target)).map(|label| format!(" in {label}")).unwrap_or_default();
        let prompt = format!("type {}{whom} to go ahead: ", target.name);
        state.screen.ask(Purpose::Name, &prompt, "");
        return Vec::new();
    }
    intend(state)
}

/// Why the plan may not be carried out now.
fn forbidden(state: &State, plan: &Plan) -> Option<Clean> {
    if state.screen.playback.is_some() {
        return Some("a replay cannot act".into());
    }
    if let Some(obstacle) = plan.obstacle() {
        return Some(obstacle.reason().clone());
    }
    let context = state.world.context_of(&plan.intent.target);
    let looked = state.world.session.as_ref().and_then(|session| session.looked(context));
    if looked.is_none_or(|one| one.read_only) {
        let whom = state.world.label(context).map_or_else(|| "from this session".to_owned(), |label| format!("in {label}"));
        return Some(format!("read-only: nothing is changed {whom}").into());
    }
    if state.world.journal_trouble.is_some() {
        return Some("the journal cannot be written, and what is not recorded is not done; mend the disk first".into());
    }
    let whom = state.world.label(context).map(|label| format!(" in {label}")).unwrap_or_default();
    (!state.world.is_armed(context, state.now)).then(|| format!("not armed{whom}: arm first (:arm), then confirm").into())
}

/// The target's name was typed.
pub(super) fn name_entered(state: &mut State, text: &Clean) -> Vec<Effect> {
    let Some(Overlay::Confirm(dialog)) = state.screen.overlays.last() else { return Vec::new() };
    if text.trim() != dialog.plan.intent.target.name.as_str() {
        state.screen.tell(state.now, format!("that is not {}: nothing was done", dialog.plan.intent.target.name));
        return Vec::new();
    }
    if let Some(why) = forbidden(state, &dialog.plan) {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    intend(state)
}

fn intend(state: &mut State) -> Vec<Effect> {
    match state.screen.overlays.pop() {
        Some(Overlay::Confirm(dialog)) => vec![Effect::Intend(Box::new(dialog.plan.intent))],
        _ => Vec::new(),
    }
}

/// Takes back the newest change that can be, through the same form, plan and confirmation as every other.
pub(super) fn undo_last(state: &mut State) -> Vec<Effect> {
    let world = &state.world;
    let found = world.runs.undoable().and_then(|run| Some((run.intent.undo.clone()?, world.context_of(&run.intent.target))));
    match found {
        Some((mut call, context)) => {
            call.inputs.remove(StepCall::CONTEXT);
            if let Some(session) = world.session.as_ref().filter(|session| session.several() && call.inputs.contains_key("deployment")) {
                let name = session.looked(context).map(|one| one.context.clone());
                call.inputs.extend(name.map(|name| (StepCall::CONTEXT.into(), name.into()))); // where the change went
            }
            open_form(state, &call)
        }
        None => {
            state.screen.tell(state.now, "nothing was changed from here that could be taken back");
            Vec::new()
        }
    }
}

pub(super) fn full_diff(state: &mut State) {
    if let Some(Overlay::Confirm(dialog)) = state.screen.overlays.last_mut() {
        dialog.full = !dialog.full;
    }
}

/// Copies the command that the asked, or the newest, change stands for.
pub(super) fn copy_command(state: &mut State) -> Vec<Effect> {
    let asked = match state.screen.overlays.last() {
        Some(Overlay::Confirm(dialog)) => Some(dialog.plan.intent.kubectl.clone()),
        _ => state.world.runs.all().next_back().map(|run| run.intent.kubectl.clone()),
    };
    let Some(command) = asked else {
        state.screen.tell(state.now, "no step to copy yet");
        return Vec::new();
    };
    state.screen.tell(state.now, format!("copied: {command}"));
    vec![Effect::Copy(command)]
}
