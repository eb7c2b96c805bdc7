//! Where a viewer looks: another pane, another row, other namespaces, a node.

use crate::effect::Effect;
use crate::event::{Meta, Purpose};
use crate::keymap::Action;
use crate::state::{Detail, Focus, State, logs, manifest, row_ids};

/// What the focused pane does with an action, or the one that is gone to. The wall has no panes: the desk
/// comes back first.
pub(super) fn on_pane(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    let covered = !state.screen.pages.is_empty();
    let effects = of_pane(state, action)?;
    state.screen.seat.wall &= covered;
    Some(effects)
}

fn of_pane(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    if let Some(focus) = focused(state.screen.focus, action) {
        return Some(go_to(state, focus));
    }
    let screen = &mut state.screen;
    match action {
        Action::Zoom => screen.zoomed = !screen.zoomed,
        Action::ToggleFaults => screen.faults_only = !screen.faults_only,
        Action::Follow => screen.list_mut().let_go(),
        Action::Filter => {
            let filter = screen.list().filter.to_string();
            screen.ask(Purpose::Filter, "/", &filter);
        }
        Action::Open | Action::Describe => return Some(open_selected(state, *action == Action::Describe)),
        Action::Logs | Action::PreviousLogs => {
            return Some(logs::open(state, *action == Action::PreviousLogs));
        }
        Action::Manifest => return Some(manifest::open(state)),
        action => return screen.focus.act(state, action).or_else(|| travel(state, action)),
    }
    Some(Vec::new())
}

fn focused(now: Focus, action: &Action) -> Option<Focus> {
    let at = Focus::ALL.iter().position(|focus| *focus == now).unwrap_or(0);
    let turn = |by: usize| Focus::ALL[(at + by) % Focus::ALL.len()];
    match action {
        Action::FocusNext => Some(turn(1)),
        Action::FocusPrevious => Some(turn(Focus::ALL.len() - 1)),
        action => Focus::ALL.iter().copied().find(|focus| focus.action() == *action),
    }
}

/// Another pane; the focused one again, where it has the whole screen, gives that back.
fn go_to(state: &mut State, focus: Focus) -> Vec<Effect> {
    let screen = &mut state.screen;
    screen.zoomed &= screen.focus != focus;
    screen.focus = focus;
    screen.pages.clear();
    vec![Effect::Unfollow]
}

fn open_selected(state: &mut State, describe: bool) -> Vec<Effect> {
    let first = |state: &State| row_ids(&state.frame()).into_iter().next();
    let Some(selected) = state.screen.list().selected.or_else(|| first(state)) else { return Vec::new() };
    state.screen.focus.open(state, selected, describe)
}

/// Moves the selection of the focused list.
fn travel(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    if !action.moves() {
        return None;
    }
    let ids = row_ids(&state.frame());
    let page = state.screen.page();
    state.screen.list_mut().travel(&ids, action, page);
    Some(Vec::new())
}

/// The world looks at other namespaces; the sources follow. What was selected or opened is not there any
/// more.
pub(super) fn to_namespaces(state: &mut State, line: &str) -> Vec<Effect> {
    match state.world.namespaces_of(line) {
        Ok(chosen) => {
            state.screen.opened.clear();
            state.screen.pages.clear();
            state.screen.lists.entry(Focus::Pods).or_default().let_go();
            vec![Effect::Unfollow, Effect::Watch(chosen)]
        }
        Err(why) => {
            state.screen.tell(state.now, why.to_string());
            Vec::new()
        }
    }
}

/// Opens a node in full.
pub(super) fn to_node(state: &mut State, name: &str) {
    let world = &state.world;
    let called = |meta: &&Meta| meta.name == name || world.place(meta.context(), &meta.name) == name;
    let found: Vec<&Meta> = world.cluster.nodes.values().map(|node| &node.meta).filter(called).collect();
    match found.as_slice() {
        [one] => {
            let detail = Detail::of(one.uid.clone());
            state.screen.open(detail);
        }
        [_, ..] => {
            let names = found.iter().map(|meta| format!("\"{}\"", world.place(meta.context(), &meta.name)));
            let names = names.collect::<Vec<_>>().join(" or ");
            state.screen.tell(state.now, format!("several nodes are called so: say {names}"));
        }
        [] => state.screen.tell(state.now, format!("no node \"{name}\" is known")),
    }
}
