//! What an action does to the screen, and what it asks of the outside. The page on top is asked first, then
//! what works everywhere, then the focused pane.

use super::{appearance, navigation, prompt, steps};
use crate::clean::Clean;
use crate::effect::{Effect, Play};
use crate::event::{Operator, Purpose, Session};
use crate::keymap::Action;
use crate::state::{DISARMED, Page, STOPPED, State, context_in_hand, destination};

/// Carries an action out, if the cursor lets it.
pub(super) fn did(state: &mut State, action: &Action) -> Vec<Effect> {
    state.screen.pending.clear();
    state.screen.message = None;
    if let Some(why) = state.cursor().withholds(action) {
        state.screen.tell(state.now, why);
        return Vec::new();
    }
    on_page(state, action)
        .or_else(|| appearance::did(state, action))
        .or_else(|| anywhere(state, action))
        .or_else(|| navigation::on_pane(state, action))
        .unwrap_or_default()
}

/// What the page on top does with an action; `None`: it is not one of its own.
pub(super) fn on_page(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    let act = state.screen.pages.last()?.acting();
    act(state, action).or_else(|| scroll(state, action))
}

/// Scrolls the page on top. One that does not scroll takes the movement all the same.
fn scroll(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    let rows = state.screen.page();
    let mut place = state.screen.pages.last_mut()?.scroll();
    // The view knows how much there is; a scroll beyond the end shows the end and comes back at once.
    let to = destination(Some(place.as_deref().copied().unwrap_or(0)), usize::from(u16::MAX), action, rows)?;
    if let Some(place) = &mut place {
        **place = to;
    }
    Some(Vec::new())
}

/// What works wherever the viewer is.
fn anywhere(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    let screen = &mut state.screen;
    if let Some(page) = Page::opened_by(action) {
        screen.open(page);
        return Some(Vec::new());
    }
    match action {
        Action::Quit => return Some(vec![Effect::Quit]),
        Action::Redraw => return Some(vec![Effect::Redraw]),
        Action::Suspend => return Some(vec![Effect::Suspend]),
        Action::Command => screen.ask(Purpose::Command, ":", ""),
        Action::Note => screen.ask(Purpose::Note, "note: ", ""),
        Action::Seek => screen.ask(Purpose::Seek, "go to (time or text): ", ""),
        Action::Cancel | Action::Reject | Action::Close => return Some(close(state)),
        Action::SpanLonger => screen.span = screen.span.longer(),
        Action::SpanShorter => screen.span = screen.span.shorter(),
        Action::ToggleClock => screen.elapsed = !screen.elapsed,
        Action::Arm => return Some(arm(state)),
        Action::StopAll => return Some(stop_all(state)),
        Action::Disarm => return Some(steps::revoke(state, DISARMED)),
        Action::Namespaces(line) => return Some(navigation::to_namespaces(state, line)),
        Action::Node(name) => navigation::to_node(state, name),
        Action::Step(id) => return Some(steps::begin(state, id)),
        Action::UndoLast => return Some(steps::undo_last(state)),
        Action::CopyCommand => return Some(steps::copy_command(state)),
        Action::Jump => return Some(state.jump()),
        action => return play(action).map(|play| vec![Effect::Play(play)]),
    }
    Some(Vec::new())
}

fn play(action: &Action) -> Option<Play> {
    match action {
        Action::PlayPause => Some(Play::Toggle),
        Action::StepForward => Some(Play::Step(1)),
        Action::StepBack => Some(Play::Step(-1)),
        Action::Faster => Some(Play::Faster),
        Action::Slower => Some(Play::Slower),
        Action::NextEntry => Some(Play::NextEntry),
        Action::PreviousEntry => Some(Play::PreviousEntry),
        Action::ToStart => Some(Play::Start),
        Action::ToEnd => Some(Play::End),
        _ => None,
    }
}

/// Closes the topmost thing: the typed line, a page, the selection, the filter, the zoom.
fn close(state: &mut State) -> Vec<Effect> {
    let input = state.screen.input.take();
    if let Some(input) = &input {
        prompt::restore(state, input);
    }
    let screen = &mut state.screen;
    if input.is_some() && !screen.pages.last().is_some_and(Page::asks) {
        return Vec::new();
    }
    if let Some(page) = screen.pages.pop() {
        return page.closed(screen);
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
    let context = context_in_hand(&state.frame());
    let session = state.world.session.as_ref();
    let several = session.is_some_and(Session::several);
    let looked = session.and_then(|session| session.context(context));
    if looked.is_none_or(|one| one.read_only) {
        let named = looked.filter(|_| several).map(|one| format!("context {}", one.context));
        let what = named.unwrap_or_else(|| "this session".to_owned());
        state.screen.tell(state.now, format!("read-only: {what} cannot be armed"));
    } else if several {
        return vec![Effect::Decide(Operator::Armed(context))];
    }
    Vec::new()
}

fn stop_all(state: &mut State) -> Vec<Effect> {
    state.screen.input = None;
    state.screen.pages.retain(|page| !page.stops());
    let revoked = steps::revoke(state, STOPPED);
    let open = state.world.runs.all().filter(|run| run.unanswered());
    let (programs, rest): (Vec<_>, Vec<_>) = open.partition(|run| run.is_running());
    let (checks, unknown): (Vec<_>, Vec<_>) = rest.into_iter().partition(|run| run.intent.only_reads());
    let parts = [
        (programs.len(), "being ended"),
        (revoked.len(), "not sent"),
        (unknown.len(), "unknown, being checked"),
        (checks.len(), "no longer waited for"),
    ];
    let parts = parts.map(|(count, what)| (count > 0).then(|| format!("{count} {what}")));
    let told = parts.into_iter().flatten().collect::<Vec<_>>();
    let told = if told.is_empty() { "no change is pending".to_owned() } else { told.join(", ") };
    state.screen.tell(state.now, format!("stopped and disarmed; {told}"));
    std::iter::once(Effect::StopAll).chain(revoked).collect()
}
