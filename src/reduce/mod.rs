//! The one writer of the state: `(state, record) → effects`. Pure: no I/O, no clock; the same records give
//! the same world.
//!
//! Only routes. The world folds what is recorded ([`World::fold`](crate::state::World::fold)); actions go to
//! the page on top, to what works everywhere, or to the focused pane ([`actions`], [`navigation`]); the typed
//! line is edited and understood ([`prompt`], [`command`]); what needs a person calls one ([`call`]).

mod actions;
mod appearance;
mod call;
mod command;
mod mouse;
mod navigation;
mod prompt;
mod steps;

use crate::effect::{Effect, Unresolved};
use crate::event::{Event, Operator, Record, View};
use crate::state::{State, form, logs, manifest};

pub use command::{command, commit, committed};
pub use prompt::completes;

/// Seconds that a message stays.
const TOLD_SECONDS: i64 = 8;

/// Takes in one record and says what must be asked of the outside because of it.
pub fn reduce(state: &mut State, record: &Record) -> Vec<Effect> {
    state.now = state.now.max(record.at);
    let seen = state.world.timeline.newest();
    if record.event.recorded() {
        state.world.fold(record);
    }
    forget_message(state);
    let mut effects = match &record.event {
        Event::Operator(Operator::Did(action)) => actions::did(state, action),
        Event::Operator(Operator::Command { line, does }) => command::carry_out(state, line, does),
        Event::Operator(Operator::Entered { purpose, text }) => prompt::entered(state, purpose, text),
        Event::View(view) => see(state, view),
        event => follow_up(state, event),
    };
    effects.extend(call::since(state, seen));
    effects
}

/// What a viewer of a replay does: moves the screen, and never the world.
pub fn look(state: &mut State, event: &Event) -> Vec<Effect> {
    forget_message(state);
    match event {
        Event::Operator(Operator::Did(action)) => actions::did(state, action),
        Event::Operator(Operator::Command { line, does }) => command::carry_out(state, line, does),
        Event::Operator(Operator::Entered { purpose, text }) => prompt::entered(state, purpose, text),
        Event::View(view) => see(state, view),
        _ => Vec::new(),
    }
}

/// What a recorded event makes necessary. A settled or unheard-of intent makes nothing necessary.
fn follow_up(state: &mut State, event: &Event) -> Vec<Effect> {
    match event {
        Event::Cluster(event) => logs::join(state, event),
        Event::Intent(intent) => vec![Effect::Leave(intent.id)],
        Event::Answered { intent, .. } => vec![Effect::Leave(*intent)],
        Event::Inherited(intent) => {
            vec![Effect::Resolve(Unresolved { intent: intent.clone(), from: 0, to: intent.count() })]
        }
        Event::Outcome { intent, outcome } => steps::ended(state, *intent, outcome),
        _ => Vec::new(),
    }
}

fn see(state: &mut State, view: &View) -> Vec<Effect> {
    match view {
        View::Tick => {}
        View::Began(setup) => return appearance::begin(state, setup),
        View::Resized { columns, rows } => state.screen.size = (*columns, *rows),
        View::Edited(edit) => prompt::edit(state, edit),
        View::Pending(keys) => state.screen.pending.clone_from(keys),
        View::Pointed { pane, row } => mouse::pointed(state, *pane, row.as_ref()),
        View::Picked(at) => mouse::picked(state, *at),
        View::Wheeled { pane, down } => mouse::wheeled(state, *pane, *down),
        View::Told(what) => state.screen.tell(state.now, what.clone()),
        View::Prepared(prepared) => return form::prepared(state, prepared),
        View::Manifest { target, answer } => manifest::fetched(state, target, answer),
        View::Finding { intent, finding } => steps::looked(state, *intent, finding),
        View::Logs(news) => return logs::hear(state, news),
    }
    Vec::new()
}

fn forget_message(state: &mut State) {
    if state
        .screen
        .message
        .as_ref()
        .is_some_and(|(since, _)| (state.now - *since).num_seconds() >= TOLD_SECONDS)
    {
        state.screen.message = None;
    }
}

#[cfg(test)]
mod tests;
