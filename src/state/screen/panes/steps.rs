//! The runbook's steps.

use std::collections::BTreeMap;

use super::PaneKind;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{StepCall, Uid};
use crate::keymap::{Action, Context};
use crate::state::screen::pages::form;
use crate::state::{Frame, State, StepLine, step_lines};

pub(super) struct Steps;

impl PaneKind for Steps {
    const TITLE: &'static str = "Steps";
    const CONTEXT: Context = Context::Steps;
    const ACTION: Action = Action::FocusSteps;

    fn rows(frame: &Frame<'_>) -> Vec<Clean> {
        step_lines(frame).into_iter().map(|(id, _)| id).collect()
    }

    fn open(state: &mut State, id: Clean, _: bool) -> Vec<Effect> {
        let line = step_lines(&state.frame()).into_iter().find(|(row, _)| *row == id);
        let call = line.map(|(_, line)| match line {
            StepLine::Suggested(suggestion) => suggestion.call,
            StepLine::Plain(step) => StepCall::new(step.id.clone(), BTreeMap::new()),
        });
        call.map(|call| form::open(state, &call)).unwrap_or_default()
    }

    /// A step is aimed at what is selected among the pods.
    fn object(frame: &Frame<'_>) -> Option<Uid> {
        super::pods::Pods::object(frame)
    }
}
