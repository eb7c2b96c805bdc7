//! Steps that fit what is wrong now, with their inputs and the reason: an offer, never more. When a kind fits
//! is the kind's own business.

use std::cmp::Reverse;

use super::{Runbook, Step};
use crate::clean::Clean;
use crate::event::{ContextId, StepCall};
use crate::state::World;
use crate::step::Suggested;

/// A step offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The step with its inputs.
    pub call: StepCall,
    /// In words.
    pub title: Clean,
    /// Why.
    pub because: Clean,
}

/// What fits now, the most likely first; of what is as likely in the runbook's order.
pub fn suggestions(world: &World, runbook: &Runbook) -> Vec<Suggestion> {
    let all = runbook.steps.iter().flat_map(|step| {
        step.kind.suggest(world, &runbook.flags).into_iter().map(move |suggested| (step, suggested))
    });
    let mut all: Vec<(&Step, Suggested)> = all.collect();
    all.sort_by_key(|(_, suggested)| Reverse(suggested.rank));
    all.into_iter().map(|(step, suggested)| offered(world, step, &suggested)).collect()
}

fn offered(world: &World, step: &Step, suggested: &Suggested) -> Suggestion {
    let mut call = step.call(suggested.inputs.iter().map(|(name, value)| (*name, value.as_str())));
    call.inputs.extend(
        context(world, suggested.context).map(|name| (StepCall::CONTEXT.into(), name.as_str().into())),
    );
    let label = world.label(suggested.context).map(|label| format!(" in {label}")).unwrap_or_default();
    Suggestion {
        call,
        title: format!("{}{label}", suggested.title).into(),
        because: suggested.because.as_str().into(),
    }
}

/// The context of a step, where several are looked at.
fn context(world: &World, id: ContextId) -> Option<&Clean> {
    let session = world.session.as_ref().filter(|session| session.several())?;
    session.context(id).map(|one| &one.context)
}
