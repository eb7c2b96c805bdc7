//! What happened: opening causes and entries, finding, pinning.

use std::collections::BTreeSet;

use super::PaneKind;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{ContextId, Operator, Purpose, Uid};
use crate::keymap::{Action, Context};
use crate::state::screen::pages::EntryDetail;
use crate::state::{Frame, State, TimelineEntry, object_of, search, selected_entry, timeline_lines};

/// Position of the viewer in the timeline, besides selection and filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineView {
    /// Entries whose cases are shown.
    pub opened: BTreeSet<u64>,
    /// Text that is searched for: highlighted, and jumped to.
    pub search: Clean,
}

pub(super) struct Timeline;

impl PaneKind for Timeline {
    const TITLE: &'static str = "Timeline";
    const CONTEXT: Context = Context::Timeline;
    const ACTION: Action = Action::FocusTimeline;
    const ENDS: bool = true;

    fn rows(frame: &Frame<'_>) -> Vec<Clean> {
        timeline_lines(frame).iter().map(|line| line.entry.id.to_string().into()).collect()
    }

    /// Opens a cause, or shows an entry in full.
    fn open(state: &mut State, _: Clean, describe: bool) -> Vec<Effect> {
        let chosen = chosen(&state.frame()).map(|entry| (entry.id, entry.cases));
        match chosen {
            Some((_, cases)) if cases > 0 && !describe => expand(state),
            Some((id, _)) => state.screen.open(EntryDetail::of(id)),
            None => {}
        }
        Vec::new()
    }

    fn object(frame: &Frame<'_>) -> Option<Uid> {
        object_of(frame.world, selected_entry(frame)?)
    }

    fn context(frame: &Frame<'_>) -> ContextId {
        selected_entry(frame).map(|entry| entry.context).unwrap_or_default()
    }

    fn name(frame: &Frame<'_>, _: &Clean) -> Option<Clean> {
        let entry = selected_entry(frame)?;
        Some(if entry.subject.is_empty() { entry.text.clone() } else { entry.subject.clone() })
    }

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        match action {
            Action::Search => state.screen.ask(Purpose::Find, "find: ", ""),
            Action::SearchNext | Action::SearchPrevious => find(state, *action == Action::SearchNext),
            Action::Expand => expand(state),
            Action::Pin => return Some(pin(&state.frame())),
            _ => return None,
        }
        Some(Vec::new())
    }
}

/// The selected entry, or the newest.
fn chosen<'a>(frame: &Frame<'a>) -> Option<&'a TimelineEntry> {
    selected_entry(frame).or_else(|| timeline_lines(frame).last().map(|line| line.entry))
}

/// Shows the cases of a cause, or hides them; on a case, hides it with its siblings.
fn expand(state: &mut State) {
    let cause = |entry: &TimelineEntry| entry.cause.or((entry.cases > 0).then_some(entry.id));
    let Some(id) = chosen(&state.frame()).and_then(cause) else {
        state.screen.tell(state.now, "nothing to expand");
        return;
    };
    let opened = &mut state.screen.timeline.opened;
    if !opened.remove(&id) {
        opened.insert(id);
    }
    state.select(id.to_string().into());
}

/// Goes to the next or previous entry that has the searched text, and opens the cause that it is a case of.
pub fn find(state: &mut State, forward: bool) {
    let text = state.screen.timeline.search.clone();
    if text.is_empty() {
        return;
    }
    match search(&state.frame(), forward).map(|entry| (entry.id, entry.cause)) {
        Some((id, cause)) => {
            state.screen.timeline.opened.extend(cause);
            state.select(id.to_string().into());
        }
        None => state.screen.tell(state.now, format!("\"{text}\" is not in the timeline")),
    }
}

/// Keeps an entry in sight, or no longer. A decision: it is recorded.
fn pin(frame: &Frame<'_>) -> Vec<Effect> {
    let pinned = |entry: &TimelineEntry| Operator::Pinned { entry: entry.id, pinned: !entry.pinned };
    chosen(frame).map(|entry| Effect::Decide(pinned(entry))).into_iter().collect()
}
