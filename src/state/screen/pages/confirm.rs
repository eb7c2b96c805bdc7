//! The question before something changes: its keys go ahead, show more, or leave it.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Page, PageKind};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{ContextId, Plan, Purpose, Refusal};
use crate::keymap::{Action, Context};
use crate::state::{Frame, State};
use crate::step::guard;

/// A dialog's keys are dead for so long after it appeared: a key meant for what was there before must not
/// confirm it.
const DEAD: TimeDelta = TimeDelta::milliseconds(300);

/// The question before something changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    /// Plan that is asked about.
    pub plan: Plan,
    /// Time since when it is on the screen: its keys are dead for the first 300 ms.
    pub since: DateTime<Utc>,
    /// Whether the whole diff is shown.
    pub full: bool,
    /// Number of lines scrolled down.
    pub scroll: usize,
}

impl PageKind for Dialog {
    const CONTEXTS: &'static [Context] = &[Context::Confirm];
    const STOPS: bool = true;
    const ASKS: bool = true;

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        let Some(Page::Confirm(dialog)) = state.screen.pages.last_mut() else { return None };
        match action {
            Action::Confirm if state.now - dialog.since < DEAD => Some(Vec::new()),
            Action::Confirm => Some(confirm(state)),
            Action::FullDiff => {
                dialog.full = !dialog.full;
                Some(Vec::new())
            }
            _ => None,
        }
    }

    fn scroll(&mut self) -> Option<&mut usize> {
        Some(&mut self.scroll)
    }

    fn context(&self, frame: &Frame<'_>) -> ContextId {
        frame.world.context_of(&self.plan.intent.target)
    }

    fn name(&self, _: &Frame<'_>) -> Option<Clean> {
        Some(self.plan.intent.target.name.clone())
    }

    fn offers(&self, frame: &Frame<'_>, action: &Action) -> bool {
        *action != Action::Confirm || guard::confirmable(frame.world, &self.plan, frame.now).is_ok()
    }
}

/// Goes ahead, or says why not; where the target's name must be typed, asks for it.
fn confirm(state: &mut State) -> Vec<Effect> {
    let Some(Page::Confirm(dialog)) = state.screen.pages.last() else { return Vec::new() };
    if let Err(refusal) = guard::confirmable(&state.world, &dialog.plan, state.now) {
        return refused(state, &refusal);
    }
    if dialog.plan.naming.is_none() {
        return intend(state);
    }
    let target = &dialog.plan.intent.target;
    let label = state.world.label(state.world.context_of(target));
    let whom = label.map(|label| format!(" in {label}")).unwrap_or_default();
    let prompt = format!("type {}{whom} to go ahead: ", target.name);
    state.screen.ask(Purpose::Name, &prompt, "");
    Vec::new()
}

/// Takes the target's name that was typed.
pub fn name_entered(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(Page::Confirm(dialog)) = state.screen.pages.last() else { return Vec::new() };
    let name = &dialog.plan.intent.target.name;
    if text.trim() != name.as_str() {
        let told = format!("that is not {name}: nothing was done");
        state.screen.tell(state.now, told);
        return Vec::new();
    }
    match guard::confirmable(&state.world, &dialog.plan, state.now) {
        Ok(()) => intend(state),
        Err(refusal) => refused(state, &refusal),
    }
}

fn intend(state: &mut State) -> Vec<Effect> {
    match state.screen.pages.pop() {
        Some(Page::Confirm(dialog)) => vec![Effect::Intend(Box::new(dialog.plan.intent))],
        _ => Vec::new(),
    }
}

/// Shows why a step cannot be done.
pub fn refused(state: &mut State, refusal: &Refusal) -> Vec<Effect> {
    state.screen.tell(state.now, refusal.reason().clone());
    Vec::new()
}
