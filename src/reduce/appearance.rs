//! What only changes how this screen looks and is reached: themes, keymaps, the wall, the mouse, the bell,
//! the clipboard, links.

use crate::effect::Effect;
use crate::event::{CallBy, Setup};
use crate::keymap::Action;
use crate::state::{ListView, Picker, Picks, State, link, subject};

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
        Action::ThemeNext => state.screen.themes.turn(),
        Action::Wall => wall(state),
        Action::Mute => mute(state),
        Action::Mouse => return Some(mouse(state)),
        Action::CopyName => return Some(copy_name(state)),
        Action::CopyLink => return Some(copy_link(state)),
        Action::OpenLink => return Some(open_link(state)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Opens the list of themes or keymaps.
fn pick(state: &mut State, picks: Picks) {
    let before = state.screen.choices(picks).at;
    state.screen.open(Picker { picks, before });
}

/// `theme NAME`, `keymap NAME`
pub(super) fn choose_named(state: &mut State, picks: Picks, name: &str) {
    match state.screen.choices_mut(picks).choose(picks.word(), name) {
        Ok(()) => state.screen.tell_choice(state.now, picks),
        Err(fault) => state.screen.tell(state.now, fault.to_string()),
    }
}

/// Across the room nothing is selected, and every list follows its own order.
fn wall(state: &mut State) {
    state.screen.seat.wall = !state.screen.seat.wall;
    if state.screen.seat.wall {
        state.screen.lists.values_mut().for_each(ListView::let_go);
    }
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

fn copy_link(state: &mut State) -> Vec<Effect> {
    let Some(link) = link(&state.frame()) else {
        state.screen.tell(state.now, "no alert here brings a link");
        return Vec::new();
    };
    state.screen.tell(state.now, format!("copied the link of {}: {}", link.of, link.address));
    vec![Effect::Copy(link.address)]
}

fn open_link(state: &mut State) -> Vec<Effect> {
    match link(&state.frame()) {
        Some(link) => vec![state.screen.browse(state.now, &link.of, link.address)],
        None => copy_link(state),
    }
}
