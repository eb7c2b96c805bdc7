//! What only changes how this screen looks and is reached: themes, keymaps, the wall, the mouse, the bell,
//! the clipboard, links.

use super::{logs, operate};
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{CallBy, Setup};
use crate::keymap::{Action, Context};
use crate::state::{Focus, ListView, Overlay, Picks, State, link, rows_of};
use crate::state::{candidates, subject};

/// Rows that one notch of the wheel moves.
const NOTCH: usize = 3;

/// The screen begins.
pub(super) fn begin(state: &mut State, setup: &Setup) -> Vec<Effect> {
    state.screen.begin(setup);
    vec![Effect::Mouse(setup.seat.mouse)]
}

/// Carries out what is only about this screen; `None`: the action is about something else.
pub(super) fn did(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    match action {
        Action::Theme => pick(state, Picks::Theme),
        Action::Keymap => pick(state, Picks::Keymap),
        Action::Choose => return Some(choose(state)),
        Action::NextField => next_choice(state),
        Action::ThemeNext => state.screen.themes.turn(),
        Action::Wall => wall(state),
        Action::Mute => mute(state),
        Action::Mouse => return Some(mouse(state)),
        Action::CopyName => return Some(copy_name(state)),
        Action::CopyLink => return Some(copy_link(state, "")),
        Action::OpenLink => return Some(open_link(state)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Opens the list of themes or keymaps.
fn pick(state: &mut State, picks: Picks) {
    let before = state.screen.choices(picks).at;
    operate::open(state, Overlay::Picker { picks, before });
}

/// In a list of themes or keymaps the next one, and after the last the first.
fn next_choice(state: &mut State) {
    if let Some(Overlay::Picker { picks, .. }) = state.screen.overlays.last() {
        state.screen.choices_mut(*picks).turn();
    }
}

/// Keeps what the picker has shown.
fn choose(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Picker { picks, .. }) = state.screen.overlays.last() {
        let picks = *picks;
        state.screen.overlays.pop();
        tell_choice(state, picks);
    }
    Vec::new()
}

/// `theme NAME`, `keymap NAME`
pub(super) fn choose_named(state: &mut State, picks: Picks, name: &str) {
    match state.screen.choices_mut(picks).choose(picks.word(), name) {
        Ok(()) => tell_choice(state, picks),
        Err(fault) => state.screen.tell(state.now, fault.to_string()),
    }
}

fn tell_choice(state: &mut State, picks: Picks) {
    let word = picks.word();
    let name = state.screen.choices(picks).name().to_owned();
    state.screen.tell(
        state.now,
        format!("{word} {name} for this session; for every one: {word} = \"{name}\" in config.toml"),
    );
}

/// Across the room nothing is selected, and every list follows its own order.
fn wall(state: &mut State) {
    state.screen.seat.wall = !state.screen.seat.wall;
    if state.screen.seat.wall {
        state.screen.lists.values_mut().for_each(ListView::let_go);
    }
}

/// Whether the action is about a pane, which the wall has not: the desk comes back first.
pub(super) fn needs_panes(action: &Action) -> bool {
    use Action::{
        Bottom, Describe, Down, Filter, FocusLag, FocusNext, FocusPods, FocusPrevious, FocusRates,
        FocusSteps, FocusTimeline, Follow, HalfPageDown, HalfPageUp, Logs, Manifest, NextUnhealthy, Open,
        PageDown, PageUp, PreviousLogs, ToggleFaults, Top, Up, Zoom,
    };
    matches!(
        action,
        Bottom
            | Describe
            | Down
            | Filter
            | FocusLag
            | FocusNext
            | FocusPods
            | FocusPrevious
            | FocusRates
            | FocusSteps
            | FocusTimeline
            | Follow
            | HalfPageDown
            | HalfPageUp
            | Logs
            | Manifest
            | NextUnhealthy
            | Open
            | PageDown
            | PageUp
            | PreviousLogs
            | ToggleFaults
            | Top
            | Up
            | Zoom
    )
}

fn mute(state: &mut State) {
    let calls = &mut state.screen.calls;
    calls.muted = !calls.muted;
    let told = match (calls.muted, calls.by != CallBy::default()) {
        (true, _) => "muted: no bell, no notifications",
        (false, true) => "bell and notifications are on again",
        (false, false) => "bell and notifications are off in config.toml: [notify] bell, desktop",
    };
    state.screen.tell(state.now, told);
}

fn mouse(state: &mut State) -> Vec<Effect> {
    state.screen.seat.mouse = !state.screen.seat.mouse;
    let told = if state.screen.seat.mouse {
        "the mouse chooses panes and rows"
    } else {
        "the mouse selects text, as the terminal does it"
    };
    state.screen.tell(state.now, told);
    vec![Effect::Mouse(state.screen.seat.mouse)]
}

fn copy_name(state: &mut State) -> Vec<Effect> {
    let Some(name) = subject(&state.frame()) else {
        state.screen.tell(state.now, "nothing is selected: choose a row first (j, k)");
        return Vec::new();
    };
    state.screen.tell(state.now, format!("copied: {name}"));
    vec![Effect::Copy(name)]
}

fn copy_link(state: &mut State, why: &str) -> Vec<Effect> {
    let Some(link) = link(&state.frame()) else {
        state.screen.tell(state.now, "no alert here brings a link");
        return Vec::new();
    };
    state.screen.tell(state.now, format!("{why}copied the link of {}: {}", link.of, link.address));
    vec![Effect::Copy(link.address)]
}

/// A browser that opened at the other end of ssh would be seen by nobody.
fn open_link(state: &mut State) -> Vec<Effect> {
    match link(&state.frame()) {
        Some(link) if !state.screen.seat.remote => {
            state.screen.tell(state.now, format!("opened the link of {}", link.of));
            vec![Effect::Browse(link.address)]
        }
        _ => copy_link(state, "over ssh: "),
    }
}

fn pane(context: Context) -> Option<Focus> {
    Focus::ALL.into_iter().find(|focus| focus.context() == context)
}

/// The mouse chose a pane, and maybe a row. What lies over the panes keeps the keyboard.
pub(super) fn pointed(state: &mut State, context: Context, row: Option<&Clean>) {
    let Some(focus) =
        pane(context).filter(|_| state.screen.overlays.is_empty() && state.screen.input.is_none())
    else {
        return;
    };
    state.screen.focus = focus;
    let ids = rows_of(&state.frame(), focus);
    if let Some(id) = row.filter(|id| ids.contains(id)) {
        operate::select(state.screen.list_mut(), &ids, id.clone());
    }
}

/// The mouse chose one of the things offered: a theme, a keymap, a candidate of the typed line.
pub(super) fn picked(state: &mut State, at: usize) {
    if let Some(Overlay::Picker { picks, .. }) = state.screen.overlays.last() {
        let choices = state.screen.choices_mut(*picks);
        choices.at = at.min(choices.names.len().saturating_sub(1));
        return;
    }
    let taken = candidates(&state.frame()).into_iter().nth(at);
    if let (Some(input), Some(candidate)) = (&mut state.screen.input, taken) {
        candidate.text.raw().clone_into(&mut input.text);
        input.cursor = input.text.len();
        input.candidate = None;
    }
}

/// The wheel turned over a pane, which need not be the focused one, or over what lies over the panes.
pub(super) fn wheeled(state: &mut State, context: Option<Context>, down: bool) {
    let action = if down { Action::Down } else { Action::Up };
    if let Some(overlay) = state.screen.overlays.last() {
        let notch = if matches!(overlay, Overlay::Picker { .. }) { 1 } else { NOTCH };
        for _ in 0..notch {
            if logs::act(state, &action).is_none() {
                operate::travel(state, &action);
            }
        }
    } else if let Some(focus) = context.and_then(pane) {
        let ids = rows_of(&state.frame(), focus);
        let list = state.screen.lists.entry(focus).or_default();
        for _ in 0..NOTCH {
            // A list that nobody moves in shows its start, but the timeline its end: there is nothing above
            // the one and all above the other.
            if down || list.selected.is_some() || focus == Focus::Timeline {
                operate::move_selection(list, &ids, &action, 1);
            }
        }
    }
}
