//! What a typed line means: resolved once, where enter is pressed, against what is looked at. The journal
//! gets what it came to.

use std::collections::BTreeMap;

use super::{actions, appearance, prompt};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{Does, Event, Operator, Purpose, StepCall, Typed};
use crate::keymap::Action;
use crate::runbook::{InputKind, Step};
use crate::state::{Picks, State, form, unknown};

/// Older commands kept.
const HISTORY: usize = 100;

/// What enter makes of the typed line; `None` where nothing is typed.
pub fn committed(state: &State) -> Option<Event> {
    commit(state, &prompt::taken(state)?)
}

/// The same of another text in its place.
pub fn commit(state: &State, text: &str) -> Option<Event> {
    let purpose = state.screen.input.as_ref()?.purpose.clone();
    let text = match purpose {
        Purpose::Command => return Some(command(state, text)),
        Purpose::Input => prompt::field(state).map_or(InputKind::Text, |field| field.kind).typed(text),
        _ => Typed::new(text),
    };
    Some(Event::Operator(Operator::Entered { purpose, text }))
}

/// A `:` command: an action by name, a theme or keymap, or a step with its inputs,
/// `scale deployment=worker-service replicas=10`.
pub fn command(state: &State, line: &str) -> Event {
    let words = line.trim_start();
    let words = words.strip_prefix("step ").unwrap_or(words).trim_start();
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let (line, does) = match state.runbook.step(first) {
        Some(step) => begin(step, line, rest),
        None => (Typed::new(line), act(state, line, first, rest.trim())),
    };
    Event::Operator(Operator::Command { line, does })
}

fn act(state: &State, line: &str, first: &str, rest: &str) -> Does {
    let is_name = !rest.is_empty() && !rest.contains(char::is_whitespace);
    if is_name && first == Picks::Theme.word() {
        return Does::Theme(rest.into());
    }
    if is_name && first == Picks::Keymap.word() {
        return Does::Keymap(rest.into());
    }
    match Clean::new(line).parse::<Action>() {
        Ok(action) => Does::Act(action),
        Err(_) if first.is_empty() => Does::Nothing(Clean::default()),
        Err(fault) => Does::Nothing(unknown(&state.frame(), first).unwrap_or(fault).to_string().into()),
    }
}

/// Why the words after a step are not its inputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NoInputs {
    /// The words cannot be told apart.
    #[error("{0} …: the line ends within a quote, or with a \\")]
    Unclosed(Clean),
    /// One of them is a word alone.
    #[error("\"{0}\": inputs are written name=value")]
    NotAPair(String),
    /// One of them is for another step.
    #[error(transparent)]
    Unknown(#[from] form::UnknownInput),
}

/// A step with `K=V` words, read as a shell does: a quoted word is one. Of its line only what is understood
/// is shown.
fn begin(step: &Step, line: &str, rest: &str) -> (Typed, Does) {
    let words = shlex::split(rest);
    let call = match &words {
        Some(words) => inputs(step, words),
        None => Err(NoInputs::Unclosed(step.id.clone())),
    };
    let shown =
        words.unwrap_or_else(|| vec![String::new()]).into_iter().map(|word| match word.split_once('=') {
            Some((name, value)) if form::known_input(step, name).is_ok() => {
                format!(" {name}={}", step.typed(name, value))
            }
            _ => " …".to_owned(),
        });
    let shown: String = std::iter::once(step.id.to_string()).chain(shown).collect();
    let does = call.map_or_else(
        |why| Does::Nothing(why.to_string().into()),
        |inputs| Does::Begin(StepCall::new(step.id.clone(), inputs)),
    );
    (Typed::hidden(line, &shown), does)
}

fn inputs(step: &Step, words: &[String]) -> Result<BTreeMap<Clean, Typed>, NoInputs> {
    let input = |word: &String| {
        let (name, value) = word.split_once('=').ok_or_else(|| NoInputs::NotAPair(word.clone()))?;
        form::known_input(step, name)?;
        Ok((name.into(), step.typed(name, value)))
    };
    words.iter().map(input).collect()
}

/// Does what a command came to. The line is kept on this screen as it was typed.
pub(super) fn carry_out(state: &mut State, line: &Typed, does: &Does) -> Vec<Effect> {
    state.screen.input = None;
    remember(state, line);
    match does {
        Does::Act(action) => return actions::did(state, action),
        Does::Begin(call) => return begun(state, call),
        Does::Theme(name) => appearance::choose_named(state, Picks::Theme, name),
        Does::Keymap(name) => appearance::choose_named(state, Picks::Keymap, name),
        Does::Nothing(why) if !why.is_empty() => state.screen.tell(state.now, why.clone()),
        Does::Nothing(_) => {}
    }
    Vec::new()
}

/// A step that was typed with its inputs, if the cursor lets it.
fn begun(state: &mut State, call: &StepCall) -> Vec<Effect> {
    if let Some(why) = state.cursor().withholds(&Action::Step(call.step.to_string())) {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    form::open(state, call)
}

fn remember(state: &mut State, line: &Typed) {
    if line.raw().trim().is_empty() {
        return;
    }
    let history = &mut state.screen.history;
    history.retain(|older| older != line);
    history.push(line.clone());
    let surplus = history.len().saturating_sub(HISTORY);
    history.drain(..surplus);
}
