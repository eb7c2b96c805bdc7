//! The typed line: editing it, completing it, and what a committed line does.

use super::{logs, looks, operate, steps, timeline};
use crate::clean::Clean;
use crate::effect::{Effect, Play};
use crate::event::{Edit, Purpose};
use crate::keymap::Action;
use crate::runbook::InputKind;
use crate::state::{Focus, Input, Overlay, Picks, State, candidates, meant, unknown};

/// Older commands kept.
const HISTORY: usize = 100;

/// Changes the typed line.
pub(super) fn edit(state: &mut State, edit: &Edit) {
    if let Edit::Act(Action::InputHistoryUp | Action::InputHistoryDown | Action::InputComplete | Action::NextField) = edit {
        return choose(state, edit);
    }
    let Some(input) = &mut state.screen.input else { return };
    match edit {
        Edit::Insert(text) => insert(input, text),
        Edit::Act(action) => act(input, action),
    }
    input.candidate = None;
    let (purpose, text) = (input.purpose.clone(), Clean::new(&input.text));
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

fn insert(input: &mut Input, text: &str) {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    input.text.insert_str(input.cursor, &text);
    input.cursor += text.len();
}

fn act(input: &mut Input, action: &Action) {
    let before = |input: &Input| input.text[..input.cursor].char_indices().next_back().map_or(0, |(at, _)| at);
    let after = |input: &Input| input.text[input.cursor..].chars().next().map_or(input.cursor, |c| input.cursor + c.len_utf8());
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
    let (candidates, meant) = (candidates(state), meant(state));
    let Some(input) = &mut state.screen.input else { return };
    let last = candidates.len().checked_sub(1);
    input.candidate = match edit {
        Edit::Act(Action::InputHistoryUp) => last.map(|last| meant.map_or(last, |at| at.checked_sub(1).unwrap_or(last))),
        Edit::Act(Action::InputHistoryDown) => last.map(|last| meant.map_or(0, |at| if at == last { 0 } else { at + 1 })),
        _ => {
            if let Some(text) = candidates.get(meant.unwrap_or(0)).map(|candidate| &candidate.text) {
                (input.text, input.cursor) = (text.to_string(), text.len());
            }
            None
        }
    };
}

/// Whether there is anything to complete in a form's field: where a list is chosen from, only what was chosen.
pub fn completes(state: &State) -> bool {
    let (Some(input), candidates) = (&state.screen.input, candidates(state)) else { return false };
    let field = match state.screen.overlays.last() {
        Some(Overlay::Form(form)) => form.current(),
        _ => None,
    };
    let toggles = field.is_some_and(|field| field.kind == InputKind::Labels);
    let meant = meant(state).or((!toggles).then_some(0)).and_then(|at| candidates.get(at));
    meant.is_some_and(|candidate| *candidate.text != *input.text)
}

/// What enter takes: the chosen candidate, the best one where the line says nothing as it is, or the line.
pub fn taken(state: &State) -> Option<(Purpose, Clean)> {
    let input = state.screen.input.as_ref()?;
    let chosen = meant(state).and_then(|at| candidates(state).into_iter().nth(at));
    Some((input.purpose.clone(), chosen.map_or_else(|| Clean::new(&input.text), |candidate| candidate.text)))
}

/// A line was committed.
pub(super) fn entered(state: &mut State, purpose: &Purpose, text: &Clean) -> Vec<Effect> {
    state.screen.input = None;
    match purpose {
        Purpose::Command => command(state, text),
        Purpose::Filter => {
            state.screen.list_mut().filter = text.clone();
            Vec::new()
        }
        Purpose::Find => {
            state.screen.reading.search = text.clone();
            timeline::find(state, false);
            Vec::new()
        }
        Purpose::Note => {
            // The world has put it on the timeline.
            if !state.screen.filter(Focus::Timeline).is_empty() {
                state.screen.tell(state.now, "noted; the timeline's filter may hide it");
            }
            Vec::new()
        }
        Purpose::Input => steps::field_entered(state, text),
        Purpose::Name => steps::name_entered(state, text),
        Purpose::Search => logs::searched(state, text),
        Purpose::Seek => vec![Effect::Play(Play::Seek(text.clone()))],
    }
}

/// A `:` command: an action by name, or a step with its inputs, `scale deployment=worker-service replicas=10`.
fn command(state: &mut State, line: &Clean) -> Vec<Effect> {
    let line = line.trim();
    if line.is_empty() {
        return Vec::new();
    }
    state.screen.history.retain(|older| older != line);
    state.screen.history.push(line.to_owned());
    let surplus = state.screen.history.len().saturating_sub(HISTORY);
    state.screen.history.drain(..surplus);
    let words: Vec<&str> = line.strip_prefix("step ").unwrap_or(line).split_whitespace().collect();
    if let Some((id, rest)) = words.split_first().filter(|(id, _)| state.runbook.step(id).is_some()) {
        return steps::begin_with(state, id, rest);
    }
    for picks in [Picks::Theme, Picks::Keymap] {
        if let Some([word, name]) = words.get(..2).filter(|_| words.len() == 2)
            && *word == picks.word()
        {
            looks::choose_named(state, picks, name);
            return Vec::new();
        }
    }
    match line.parse::<Action>() {
        Ok(action) => operate::did(state, &action),
        Err(fault) => {
            let unknown = words.first().and_then(|name| unknown(state, name));
            state.screen.tell(state.now, unknown.unwrap_or(fault).to_string());
            Vec::new()
        }
    }
}
