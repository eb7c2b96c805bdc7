//! Who is called although nobody looks: what a recorded event put on the timeline that needs a person, once
//! for each cause.

use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::CallBy;
use crate::state::{EntryKind, State, TimelineEntry};

/// Calls for the entries that are newer than `seen`, all of one record at once.
pub(super) fn since(state: &mut State, seen: u64) -> Vec<Effect> {
    let now = state.now;
    let wanted = state.screen.calls.by != CallBy::default();
    if !wanted || state.world.timeline.newest() == seen {
        return Vec::new();
    }
    let entries =
        state.world.timeline.entries().iter().filter(|entry| entry.id > seen && needs_somebody(state, entry));
    let causes: Vec<(String, String)> = entries.map(|entry| (cause(entry), words(state, entry))).collect();
    let calls = &mut state.screen.calls;
    let fresh: Vec<String> = causes
        .into_iter()
        .filter(|(cause, _)| calls.first(cause.clone(), now))
        .map(|(_, words)| words)
        .collect();
    let Some(first) = fresh.first().filter(|_| !calls.muted) else { return Vec::new() };
    let more = if fresh.len() > 1 { format!(" (+{} more)", fresh.len() - 1) } else { String::new() };
    let text = Clean::new(&format!("{first}{more}"));
    vec![Effect::Notify { text, by: calls.by }]
}

/// A trouble, an alert that nobody silenced, a change whose outcome is unknown or whose effect was not seen.
fn needs_somebody(state: &State, entry: &TimelineEntry) -> bool {
    match entry.kind {
        EntryKind::Trouble | EntryKind::Unknown | EntryKind::Unverified => true,
        EntryKind::Alert => entry
            .about
            .as_ref()
            .and_then(|about| state.world.alerts.get(about.id()))
            .is_some_and(crate::event::Alert::active),
        _ => false,
    }
}

/// An alert is told by its name; of a trouble the words change while it lasts, and whom it is about stays.
fn cause(entry: &TimelineEntry) -> String {
    let what = if entry.kind == EntryKind::Alert { entry.text.as_str() } else { "" };
    format!("{:?} {:?} {} {what} {:?}", entry.kind, entry.context, entry.subject, entry.mark)
}

fn words(state: &State, entry: &TimelineEntry) -> String {
    let word = if entry.kind == EntryKind::Alert { "alert " } else { "" };
    let subject =
        if entry.subject.is_empty() { String::new() } else { format!("{}: ", state.world.subject(entry)) };
    format!("{subject}{word}{}", entry.text)
}
