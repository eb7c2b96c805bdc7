//! What an action does to the screen, and what it asks of the outside.

use super::{alerts, logs, look_at, looks, steps, timeline, typing};
use crate::clean::Clean;
use crate::effect::{Effect, Play};
use crate::event::{Operator, Purpose, Session};
use crate::keymap::Action;
use crate::state::StepLine;
use crate::state::{
    DISARMED, Focus, ListView, Overlay, STOPPED, Severity, State, pod_lines, row_ids, step_lines,
};

/// Carries an action out.
pub(super) fn did(state: &mut State, action: &Action) -> Vec<Effect> {
    state.screen.pending.clear();
    state.screen.message = None;
    if let Some(effects) = looks::did(state, action).or_else(|| logs::act(state, action)) {
        return effects;
    }
    state.screen.seat.wall &= !looks::needs_panes(action) || !state.screen.overlays.is_empty();
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Help => open(state, Overlay::Help { scroll: 0 }),
        Action::Command => state.screen.ask(Purpose::Command, ":", ""),
        Action::Filter => ask_filter(state),
        Action::Note => state.screen.ask(Purpose::Note, "note: ", ""),
        Action::Seek => state.screen.ask(Purpose::Seek, "go to (time or text): ", ""),
        Action::Cancel if logs::leave_search(state) => {}
        Action::Cancel | Action::Reject | Action::Close => return close(state),
        Action::Zoom => state.screen.zoomed = !state.screen.zoomed,
        Action::SpanLonger => state.screen.span = state.screen.span.longer(),
        Action::SpanShorter => state.screen.span = state.screen.span.shorter(),
        Action::ToggleClock => state.screen.elapsed = !state.screen.elapsed,
        Action::ToggleFaults => state.screen.faults_only = !state.screen.faults_only,
        Action::Arm => return arm(state),
        Action::StopAll => return stop_all(state),
        Action::Disarm => return steps::revoke(state, DISARMED),
        Action::Logs => return logs::open(state, false),
        Action::PreviousLogs => return logs::open(state, true),
        Action::Follow => follow_newest(state),
        Action::Open | Action::Describe => return open_selected(state, *action == Action::Describe),
        Action::Changes => open(state, Overlay::Changes { scroll: 0 }),
        Action::Sources => open(state, Overlay::Sources { scroll: 0 }),
        Action::Manifest => return look_at::at_manifest(state),
        Action::Namespaces(line) => return look_at::at_namespaces(state, line),
        Action::Node(name) => look_at::at_node(state, name),
        Action::Step(id) => return steps::begin(state, id),
        Action::UndoLast => return steps::undo_last(state),
        Action::Confirm => return steps::confirm(state),
        Action::FullDiff => steps::full_diff(state),
        Action::CopyCommand => return steps::copy_command(state),
        Action::Search => state.screen.ask(Purpose::Find, "find: ", ""),
        Action::SearchNext | Action::SearchPrevious => timeline::find(state, *action == Action::SearchNext),
        Action::Expand => timeline::expand(state),
        Action::Pin => return timeline::pin(state),
        Action::Jump => timeline::jump(state),
        Action::Alerts => open(state, Overlay::Alerts { selected: None }),
        _ => return focus_or_move(state, action),
    }
    Vec::new()
}

fn focus_or_move(state: &mut State, action: &Action) -> Vec<Effect> {
    if let Some(focus) = focused(state.screen.focus, action) {
        if state.screen.zoomed && state.screen.focus == focus {
            state.screen.zoomed = false;
        }
        state.screen.focus = focus;
        state.screen.overlays.clear();
        return vec![Effect::Unfollow];
    }
    if let Some(play) = play(action) {
        return vec![Effect::Play(play)];
    }
    travel(state, action);
    Vec::new()
}

fn focused(now: Focus, action: &Action) -> Option<Focus> {
    let at = Focus::ALL.iter().position(|focus| *focus == now).unwrap_or(0);
    let turn = |by: usize| Focus::ALL[(at + by) % Focus::ALL.len()];
    match action {
        Action::FocusPods => Some(Focus::Pods),
        Action::FocusRates => Some(Focus::Rates),
        Action::FocusLag => Some(Focus::Lag),
        Action::FocusTimeline => Some(Focus::Timeline),
        Action::FocusSteps => Some(Focus::Steps),
        Action::FocusNext => Some(turn(1)),
        Action::FocusPrevious => Some(turn(Focus::ALL.len() - 1)),
        _ => None,
    }
}

fn play(action: &Action) -> Option<Play> {
    match action {
        Action::PlayPause => Some(Play::Toggle),
        Action::StepForward => Some(Play::Step(1)),
        Action::StepBack => Some(Play::Step(-1)),
        Action::Faster => Some(Play::Speed(true)),
        Action::Slower => Some(Play::Speed(false)),
        Action::NextEntry => Some(Play::Entry(true)),
        Action::PreviousEntry => Some(Play::Entry(false)),
        Action::ToStart => Some(Play::Start),
        Action::ToEnd => Some(Play::End),
        _ => None,
    }
}

/// Puts an overlay on top; the same kind is never there twice.
pub(super) fn open(state: &mut State, overlay: Overlay) {
    let same = |other: &Overlay| std::mem::discriminant(other) == std::mem::discriminant(&overlay);
    state.screen.overlays.retain(|other| !same(other));
    state.screen.overlays.push(overlay);
}

fn ask_filter(state: &mut State) {
    let filter = state.screen.list().filter.to_string();
    state.screen.ask(Purpose::Filter, "/", &filter);
}

/// Closes the topmost thing: the typed line, an overlay, the selection, the filter, the zoom.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    let input = state.screen.input.take();
    if let Some(input) = &input {
        typing::restore(state, input);
    }
    let screen = &mut state.screen;
    if input.is_some() && !matches!(screen.overlays.last(), Some(Overlay::Form(_) | Overlay::Confirm(_))) {
        return Vec::new();
    }
    if let Some(overlay) = screen.overlays.pop() {
        if let Overlay::Picker { picks, before } = overlay {
            screen.choices_mut(picks).at = before;
        }
        return match overlay {
            Overlay::Logs(_) => vec![Effect::Unfollow],
            Overlay::Form(form) if form.waiting => vec![Effect::CancelPrepare],
            _ => Vec::new(),
        };
    }
    if std::mem::take(&mut screen.seat.wall) {
        return Vec::new();
    }
    let list = screen.list_mut();
    if list.selected.is_some() {
        list.let_go();
    } else if !list.filter.is_empty() {
        list.filter = Clean::default();
    } else {
        screen.zoomed = false;
    }
    Vec::new()
}

/// The world armed itself where it may be; the viewer is told where it may not. Of several contexts the one
/// in hand is meant.
fn arm(state: &mut State) -> Vec<Effect> {
    let context = look_at::context_in_hand(state);
    let session = state.world.session.as_ref();
    let several = session.is_some_and(Session::several);
    let looked = session.and_then(|session| session.looked(context));
    if looked.is_none_or(|one| one.read_only) {
        let what = looked
            .filter(|_| several)
            .map_or_else(|| "this session".to_owned(), |one| format!("context {}", one.context));
        state.screen.tell(state.now, format!("read-only: {what} cannot be armed"));
    } else if several && state.screen.playback.is_none() {
        return vec![Effect::Decide(Operator::Armed(context))];
    }
    Vec::new()
}

fn stop_all(state: &mut State) -> Vec<Effect> {
    state.screen.input = None;
    state
        .screen
        .overlays
        .retain(|overlay| !matches!(overlay, Overlay::Form(_) | Overlay::Confirm(_) | Overlay::Logs(_)));
    let revoked = steps::revoke(state, STOPPED);
    let (checks, unknown): (Vec<_>, Vec<_>) =
        state.world.runs.all().filter(|run| run.unanswered()).partition(|run| run.intent.only_reads());
    let parts = [
        (revoked.len(), "not sent"),
        (unknown.len(), "unknown, being read"),
        (checks.len(), "not listened to any longer"),
    ];
    let parts = parts.map(|(count, what)| (count > 0).then(|| format!("{count} {what}")));
    let told = parts.into_iter().flatten().collect::<Vec<_>>();
    let told = if told.is_empty() { "no change is pending".to_owned() } else { told.join(", ") };
    state.screen.tell(state.now, format!("stopped and disarmed; {told}"));
    std::iter::once(Effect::StopAll).chain(revoked).collect()
}

/// Scrolls what is open, or moves the selection of the focused list.
pub(super) fn travel(state: &mut State, action: &Action) {
    let page = usize::from(state.screen.size.1).saturating_sub(8).max(1);
    if let Some(Overlay::Alerts { .. }) = state.screen.overlays.last() {
        return alerts::travel(state, action, page);
    }
    if let Some(Overlay::Service(service)) = state.screen.overlays.last() {
        return to_service(state, &service.clone(), action, page);
    }
    if let Some(Overlay::Picker { picks, .. }) = state.screen.overlays.last() {
        let choices = state.screen.choices_mut(*picks);
        choices.at = destination(Some(choices.at), choices.names.len(), action, page).unwrap_or(choices.at);
        return;
    }
    if let Some(overlay) = state.screen.overlays.last_mut() {
        return scroll(overlay, action, page);
    }
    let ids = row_ids(&state.frame());
    let unhealthy = |state: &State| -> Vec<Clean> {
        let lines = pod_lines(&state.frame());
        lines.iter().filter(|line| line.severity() > Severity::Ok).map(|line| line.id().clone()).collect()
    };
    match action {
        Action::NextUnhealthy if state.screen.focus == Focus::Pods => {
            let troubled = unhealthy(state);
            go_to_next(state.screen.list_mut(), &ids, &troubled);
        }
        action => move_selection(state.screen.list_mut(), &ids, action, page),
    }
}

/// From one service in full to another, as the list has them.
fn to_service(state: &mut State, from: &Clean, action: &Action, page: usize) {
    let ids = row_ids(&state.frame());
    let at = ids.iter().position(|id| id == from);
    if let Some(to) = destination(at, ids.len(), action, page) {
        select(state.screen.list_mut(), &ids, ids[to].clone());
        open(state, Overlay::Service(ids[to].clone()));
    }
}

fn go_to_next(list: &mut ListView, ids: &[Clean], troubled: &[Clean]) {
    let at = list.selected.as_ref().and_then(|selected| ids.iter().position(|id| id == selected));
    let after = ids.iter().skip(at.map_or(0, |at| at + 1)).find(|id| troubled.contains(id));
    if let Some(next) = after.or(troubled.first()).cloned() {
        select(list, ids, next);
    }
}

/// Rows keep the order that they have now, unless they are kept already; what has come since is taken in when
/// it is selected.
pub(super) fn select(list: &mut ListView, ids: &[Clean], id: Clean) {
    if list.selected.is_none() || !list.held.contains(&id) {
        list.held = ids.to_vec();
    }
    list.selected = Some(id);
}

/// Where in rows `0..len` an action leads from `at`; `None` at first selects an end.
pub(super) fn destination(at: Option<usize>, len: usize, action: &Action, page: usize) -> Option<usize> {
    let last = len.checked_sub(1)?;
    let down = |by: usize| at.map_or(0, |at| (at + by).min(last));
    let up = |by: usize| at.map_or(last, |at| at.saturating_sub(by));
    match action {
        Action::Down => Some(down(1)),
        Action::Up => Some(up(1)),
        Action::PageDown => Some(down(page)),
        Action::PageUp => Some(up(page)),
        Action::HalfPageDown => Some(down(page / 2)),
        Action::HalfPageUp => Some(up(page / 2)),
        Action::Top => Some(0),
        Action::Bottom => Some(last),
        _ => None,
    }
}

/// Moves the selection; up from the first row lets go of the list, which follows its own order again.
pub(super) fn move_selection(list: &mut ListView, ids: &[Clean], action: &Action, page: usize) {
    let at = list.selected.as_ref().and_then(|selected| ids.iter().position(|id| id == selected));
    if at == Some(0) && *action == Action::Up {
        list.let_go();
    } else if let Some(to) = destination(at, ids.len(), action, page) {
        select(list, ids, ids[to].clone());
    }
}

fn scroll(overlay: &mut Overlay, action: &Action, page: usize) {
    let place = match overlay {
        Overlay::Help { scroll }
        | Overlay::Detail { scroll, .. }
        | Overlay::Entry { scroll, .. }
        | Overlay::Group { scroll, .. }
        | Overlay::Sources { scroll }
        | Overlay::Changes { scroll } => scroll,
        Overlay::Manifest(view) => &mut view.scroll,
        Overlay::Confirm(dialog) => &mut dialog.scroll,
        Overlay::Logs(_)
        | Overlay::Form(_)
        | Overlay::Picker { .. }
        | Overlay::Alerts { .. }
        | Overlay::Service(_) => return,
    };
    // The view knows how much there is; a scroll beyond the end shows the end and comes back at once.
    if let Some(to) = destination(Some(*place), usize::from(u16::MAX), action, page) {
        *place = to;
    }
}

fn follow_newest(state: &mut State) {
    let list = state.screen.list_mut();
    list.selected = None;
    list.held.clear();
}

/// Opens what is selected: a workload shows its pods, and in detail when asked to be described; a pod its
/// detail; a step its form.
fn open_selected(state: &mut State, describe: bool) -> Vec<Effect> {
    if let Some(Overlay::Entry { .. } | Overlay::Alerts { .. }) = state.screen.overlays.last() {
        timeline::jump(state);
        return Vec::new();
    }
    let Some(selected) = state.screen.list().selected.or_else(|| row_ids(&state.frame()).into_iter().next())
    else {
        return Vec::new();
    };
    match state.screen.focus {
        Focus::Pods => open_row(state, selected, describe),
        Focus::Steps => return open_step(state, &selected),
        Focus::Timeline => timeline::open(state, describe),
        Focus::Lag => open(state, Overlay::Group { id: selected, scroll: 0 }),
        Focus::Rates => open(state, Overlay::Service(selected)),
    }
    Vec::new()
}

fn open_row(state: &mut State, uid: Clean, describe: bool) {
    if state.world.cluster.workloads.contains_key(&uid) && !describe {
        if !state.screen.opened.remove(&uid) {
            state.screen.opened.insert(uid);
        }
    } else {
        open(state, Overlay::Detail { uid, scroll: 0 });
    }
}

fn open_step(state: &mut State, id: &Clean) -> Vec<Effect> {
    let chosen =
        step_lines(&state.frame()).into_iter().find(|(row, _)| row == id).map(|(_, line)| match line {
            StepLine::Suggested(suggestion) => suggestion.call,
            StepLine::Plain(step) => {
                crate::event::StepCall::new(step.id.clone(), std::collections::BTreeMap::new())
            }
        });
    chosen.map(|call| steps::open_form(state, &call)).unwrap_or_default()
}
