//! The typed line: editing it, completing it, and what a committed line does. What a `:` command means:
//! [`command`](super::command).

use crate::clean::Clean;
use crate::effect::{Effect, Play};
use crate::event::{Edit, Purpose, Typed};
use crate::keymap::Action;
use crate::runbook::InputKind;
use crate::state::candidates;
use crate::state::{Field, Focus, Input, Page, State, confirm, find, form, logs, meant};

/// Changes the typed line.
pub(super) fn edit(state: &mut State, edit: &Edit) {
    if let Edit::Act(
        Action::InputHistoryUp | Action::InputHistoryDown | Action::InputComplete | Action::NextField,
    ) = edit
    {
        return choose(state, edit);
    }
    let whole = takes_controls(state);
    let Some(input) = &mut state.screen.input else { return };
    match edit {
        Edit::Insert(text) => insert(input, text, whole),
        Edit::Act(action) => act(input, action),
    }
    input.candidate = None;
    let purpose = input.purpose.clone();
    let text = Clean::new(&input.text);
    match purpose {
        Purpose::Filter => state.screen.list_mut().filter = text,
        Purpose::Search => logs::look_for(state, &text),
        _ => {}
    }
}

/// The line was left: filter and search are what they were before it.
pub(super) fn restore(state: &mut State, input: &Input) {
    match input.purpose {
        Purpose::Filter => state.screen.list_mut().filter = input.before.clone(),
        Purpose::Search => logs::search_again(state, &input.before),
        _ => {}
    }
}

/// Whether a tab or the end of a line is part of what is typed: a variable may hold any, and a command
/// variables.
fn takes_controls(state: &State) -> bool {
    match state.screen.input.as_ref().map(|input| &input.purpose) {
        Some(Purpose::Command) => true,
        Some(Purpose::Input) => field(state).is_some_and(|field| field.kind == InputKind::Env),
        _ => false,
    }
}

fn insert(input: &mut Input, text: &str, whole: bool) {
    let text: String = text.chars().filter(|c| whole || !c.is_control()).collect();
    input.text.insert_str(input.cursor, &text);
    input.cursor += text.len();
}

fn act(input: &mut Input, action: &Action) {
    let before =
        |input: &Input| input.text[..input.cursor].char_indices().next_back().map_or(0, |(at, _)| at);
    let after = |input: &Input| {
        input.text[input.cursor..].chars().next().map_or(input.cursor, |c| input.cursor + c.len_utf8())
    };
    match action {
        Action::InputBackspace => remove(input, before(input)),
        Action::InputDelete => drop(input.text.drain(input.cursor..after(input))),
        Action::InputDeleteWord => {
            let kept = input.text[..input.cursor].trim_end();
            remove(input, kept.rfind(' ').map_or(0, |at| at + 1));
        }
        Action::InputClear => (input.text, input.cursor) = (String::new(), 0),
        Action::InputLeft => input.cursor = before(input),
        Action::InputRight => input.cursor = after(input),
        Action::InputHome => input.cursor = 0,
        Action::InputEnd => input.cursor = input.text.len(),
        _ => {}
    }
}

fn remove(input: &mut Input, from: usize) {
    input.text.drain(from..input.cursor);
    input.cursor = from;
}

/// Moves among the candidates (or older commands), or completes the line with the chosen one.
fn choose(state: &mut State, edit: &Edit) {
    let candidates = candidates(&state.frame());
    let meant = meant(&state.frame());
    let Some(input) = &mut state.screen.input else { return };
    let last = candidates.len().checked_sub(1);
    input.candidate = match edit {
        Edit::Act(Action::InputHistoryUp) => {
            last.map(|last| meant.map_or(last, |at| at.checked_sub(1).unwrap_or(last)))
        }
        Edit::Act(Action::InputHistoryDown) => {
            last.map(|last| meant.map_or(0, |at| if at == last { 0 } else { at + 1 }))
        }
        _ => {
            if let Some(text) = candidates.get(meant.unwrap_or(0)).map(|candidate| &candidate.text) {
                text.raw().clone_into(&mut input.text);
                input.cursor = input.text.len();
            }
            None
        }
    };
}

/// Whether there is anything to complete in a form's field: where a list is chosen from, only what was
/// chosen.
pub fn completes(state: &State) -> bool {
    let (Some(input), candidates) = (&state.screen.input, candidates(&state.frame())) else { return false };
    let toggles = field(state).is_some_and(|field| field.kind == InputKind::Labels);
    let meant = meant(&state.frame()).or((!toggles).then_some(0)).and_then(|at| candidates.get(at));
    meant.is_some_and(|candidate| *candidate.text.raw() != *input.text)
}

/// The form's field that is typed in.
pub(super) fn field(state: &State) -> Option<&Field> {
    match state.screen.pages.last() {
        Some(Page::Form(form)) => form.current(),
        _ => None,
    }
}

/// What enter accepts: the chosen candidate, the best one where the line says nothing as it is, or the line.
pub(super) fn taken(state: &State) -> Option<String> {
    let input = state.screen.input.as_ref()?;
    let chosen = meant(&state.frame()).and_then(|at| candidates(&state.frame()).into_iter().nth(at));
    Some(chosen.map_or_else(|| input.text.clone(), |candidate| candidate.text.raw().to_owned()))
}

/// A line was committed.
pub(super) fn entered(state: &mut State, purpose: &Purpose, text: &Typed) -> Vec<Effect> {
    state.screen.input = None;
    let line = Clean::new(text.raw());
    match purpose {
        Purpose::Input => return form::field_entered(state, text),
        Purpose::Name => return confirm::name_entered(state, &line),
        Purpose::Search => return logs::searched(state, &line),
        Purpose::Seek => return vec![Effect::Play(Play::Seek(line))],
        Purpose::Filter => state.screen.list_mut().filter = line,
        Purpose::Find => {
            state.screen.timeline.search = line;
            find(state, false);
        }
        // The world has put it on the timeline.
        Purpose::Note if !state.screen.filter(Focus::Timeline).is_empty() => {
            state.screen.tell(state.now, "noted; the timeline's filter may hide it");
        }
        Purpose::Note | Purpose::Command => {}
    }
    Vec::new()
}
