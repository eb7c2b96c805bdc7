//! A step's inputs: asked for one after the other, then prepared; what comes of it is a question, a look, or
//! why there is neither.

mod inputs;

use std::collections::BTreeMap;

use super::confirm::{Dialog, refused};
use super::{Page, PageKind};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{ContextId, Danger, Fact, Op, Plan, Prepared, Purpose, StepCall, Typed};
use crate::keymap::Context;
use crate::runbook::{InputKind, Step};
use crate::state::{Frame, Run, Screen, State, in_hand};
use crate::step::guard;
use crate::units;

pub use inputs::{Choice, Field, Form};

impl PageKind for Form {
    const CONTEXTS: &'static [Context] = &[Context::Dialog];
    const STOPS: bool = true;
    const ASKS: bool = true;

    fn context(&self, frame: &Frame<'_>) -> ContextId {
        self.chosen_context(frame.world)
    }

    fn closed(&self, _: &mut Screen) -> Vec<Effect> {
        if self.waiting { vec![Effect::CancelPrepare] } else { Vec::new() }
    }
}

/// A step has no input of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step} has no input \"{name}\"; it has {}", known.join(", "))]
pub struct UnknownInput {
    step: Clean,
    name: Clean,
    known: Vec<Clean>,
}

/// Why a step cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NoForm {
    /// The runbook does not have it.
    #[error("no such step \"{0}\"")]
    NoSuchStep(Clean),
    /// It is given what it does not take.
    #[error(transparent)]
    UnknownInput(#[from] UnknownInput),
    /// It ends a silence, and there is none.
    #[error("no silence is known that could be ended")]
    NoSilence,
    /// It is for the main context, and another one is given.
    #[error("{step} is done in the main context alone, not in {context}")]
    MainOnly {
        /// The step.
        step: Clean,
        /// The context.
        context: Clean,
    },
    /// The session does not have that context.
    #[error("context \"{0}\" is not part of this session")]
    NotLookedAt(Clean),
}

/// Whether a step has an input of that name.
///
/// # Errors
/// It has none.
pub fn known_input(step: &Step, name: &str) -> Result<(), UnknownInput> {
    if step.takes(name) {
        return Ok(());
    }
    let known = step.inputs.iter().map(|input| input.name.clone()).collect();
    Err(UnknownInput { step: step.id.clone(), name: name.into(), known })
}

/// Opens the form of a step; a call that leaves nothing to ask is prepared at once.
pub fn open(state: &mut State, call: &StepCall) -> Vec<Effect> {
    match form(state, call) {
        Ok(form) => {
            state.screen.open(form);
            ask_or_prepare(state)
        }
        Err(why) => {
            state.screen.tell(state.now, why.to_string());
            Vec::new()
        }
    }
}

/// The form of a call, or why there is none.
fn form(state: &State, call: &StepCall) -> Result<Form, NoForm> {
    let step = state.runbook.step(&call.step).ok_or_else(|| NoForm::NoSuchStep(call.step.clone()))?;
    let inputs = step.named(call.inputs.clone());
    inputs.keys().try_for_each(|name| known_input(step, name))?;
    something_to_end(state, step, call)?;
    // Words name what they mean: a row that happens to be selected says nothing of the context of what is
    // typed.
    let typed = step.inputs.iter().any(|input| input.kind.places() && inputs.contains_key(&input.name));
    let in_hand = in_hand(&state.frame()).filter(|_| !typed);
    let mut form = Form::new(step, &inputs, &state.world, in_hand.as_ref());
    form.undoes = call.undoes;
    placed(state, &form, call)?;
    let reads = step.danger == Danger::Read;
    let given = |field: &Field| {
        let said = inputs.contains_key(&field.name) || reads && !field.value.is_empty();
        said || field.name == StepCall::CONTEXT
    };
    // What changes nothing and needs nothing is done at once.
    let asks = inputs.is_empty() && !reads;
    let complete = !asks && form.fields.iter().all(|field| !field.required || given(field));
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

/// Whether a form would not ask for a silence in vain.
fn something_to_end(state: &State, step: &Step, call: &StepCall) -> Result<(), NoForm> {
    let asks = step
        .inputs
        .iter()
        .any(|input| input.kind == InputKind::Silence && !call.inputs.contains_key(&input.name));
    let known = state.world.alerts.silences().iter().any(|silence| silence.active);
    if asks && !known { Err(NoForm::NoSilence) } else { Ok(()) }
}

/// Whether a step can be done in the context that it names, where it leaves no choice: never in another one
/// instead.
fn placed(state: &State, form: &Form, call: &StepCall) -> Result<(), NoForm> {
    let given = call.inputs.get(StepCall::CONTEXT);
    let chosen = form.fields.iter().any(|field| field.name == StepCall::CONTEXT);
    let Some(name) = given.filter(|_| !chosen) else { return Ok(()) };
    let context = name.shown().clone();
    match state.world.session.as_ref().and_then(|session| session.named(name.raw())) {
        Some(one) if one.id.is_main() => Ok(()),
        Some(_) => Err(NoForm::MainOnly { step: call.step.clone(), context }),
        None => Err(NoForm::NotLookedAt(context)),
    }
}

/// Asks for the next input; when all are given, prepares the step.
fn ask_or_prepare(state: &mut State) -> Vec<Effect> {
    let Some(Page::Form(form)) = state.screen.pages.last_mut() else { return Vec::new() };
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

/// Takes an input that was committed, exactly as it was typed.
pub fn field_entered(state: &mut State, text: &Typed) -> Vec<Effect> {
    let Some(Page::Form(form)) = state.screen.pages.last_mut() else { return Vec::new() };
    if let Some(field) = form.fields.get_mut(form.at) {
        field.value = text.clone();
        form.problem =
            (field.required && field.value.is_empty()).then(|| format!("{} is needed", field.name).into());
        form.at += usize::from(form.problem.is_none());
    }
    ask_or_prepare(state)
}

/// Takes the plan that arrived, or why there is none. Whoever has left the form in the meantime is not asked.
pub fn prepared(state: &mut State, prepared: &Prepared) -> Vec<Effect> {
    let now = state.now;
    let Some(Page::Form(form)) = state.screen.pages.last_mut() else { return Vec::new() };
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
        Ok(plan) => guard::guarded(&state.world, plan.clone(), now),
    };
    state.screen.pages.pop();
    if plan.intent.only_reads() && plan.naming.is_none() {
        return look(state, plan);
    }
    plan.facts.splice(0..0, of_undone(state, &plan));
    state.screen.open(Box::new(Dialog { plan, since: now, full: false, scroll: 0 }));
    Vec::new()
}

/// What only reads goes ahead at once, if it may; a page that it is about is opened here.
fn look(state: &mut State, plan: Plan) -> Vec<Effect> {
    if let Err(refusal) = guard::confirmable(&state.world, &plan, state.now) {
        return refused(state, &refusal);
    }
    let Plan { intent, .. } = plan;
    let pages = intent.ops.iter().filter_map(|op| if let Op::Browse(page) = op { Some(page) } else { None });
    let mut effects: Vec<Effect> =
        pages.map(|page| state.screen.browse(state.now, &intent.call.step, page.address.clone())).collect();
    effects.push(Effect::Intend(Box::new(intent)));
    effects
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
        Fact::warn("changed since", format!("changed again after {mark}: the later change is undone too"))
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
