//! How this viewer reads the timeline: what passes the filter, which causes are opened, what was searched
//! for.

use std::borrow::Cow;

use crate::data::Problem;
use crate::event::{Alert, ContextId, Meta, Uid};
use crate::state::{EntryKind, Focus, Frame, Timeline, TimelineEntry, World};

/// A row of the timeline pane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelineLine<'a> {
    /// Entry of the row.
    pub entry: &'a TimelineEntry,
    /// Whether it is expanded. `Some(true)`: its cases stand below it; `Some(false)`: they could.
    pub open: Option<bool>,
}

/// Filter of words that an entry must have: `kind:deploy,alert`, `@who`, `subject:name`, and any text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineFilter {
    kinds: Vec<EntryKind>,
    subjects: Vec<String>,
    words: Vec<String>,
    /// First word that cannot be understood; it filters nothing.
    pub wrong: Option<Problem>,
}

impl TimelineFilter {
    /// Parses what was typed.
    pub fn new(text: &str) -> Self {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            match word.split_once(':') {
                Some(("kind", kinds)) => {
                    kinds.split(',').filter(|kind| !kind.is_empty()).for_each(|kind| match kind.parse() {
                        Ok(kind) => filter.kinds.push(kind),
                        Err(fault) => filter.wrong = filter.wrong.take().or(Some(fault)),
                    });
                }
                Some(("subject", subject)) => filter.subjects.push(subject.to_lowercase()),
                _ => filter.words.push(word.to_lowercase()),
            }
        }
        filter
    }

    /// Returns whether the entry has all of them, some kind of those that are named. The subject is as the
    /// viewer reads it.
    pub fn takes<'a>(
        &self,
        entry: &'a TimelineEntry,
        subject: impl FnOnce(&'a TimelineEntry) -> Cow<'a, str>,
    ) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&entry.kind);
        if !kind || (self.subjects.is_empty() && self.words.is_empty()) {
            return kind;
        }
        let subject = subject(entry).to_lowercase();
        let text = entry.text.to_lowercase();
        let has = |word: &String| subject.contains(word.as_str()) || text.contains(word.as_str());
        self.subjects.iter().all(|word| subject.contains(word.as_str())) && self.words.iter().all(has)
    }
}

/// Returns the timeline's lines that match the filter, oldest first; below an opened cause its cases.
pub fn timeline_lines<'a>(frame: &Frame<'a>) -> Vec<TimelineLine<'a>> {
    lines(frame, |id| frame.screen.timeline.opened.contains(&id))
}

/// A line passes for its cases' sake as well.
fn lines<'a>(frame: &Frame<'a>, opened: impl Fn(u64) -> bool) -> Vec<TimelineLine<'a>> {
    let filter = TimelineFilter::new(frame.screen.filter(Focus::Timeline));
    let world = frame.world;
    let timeline = &frame.world.timeline;
    let takes = |entry| filter.takes(entry, |entry| world.subject(entry));
    let mut lines = Vec::new();
    for entry in timeline.lines() {
        let open = (entry.cases > 0).then(|| opened(entry.id));
        if takes(entry) || (entry.cases > 0 && timeline.cases(entry.id).any(takes)) {
            lines.push(TimelineLine { entry, open });
        }
        if open == Some(true) {
            lines.extend(
                timeline
                    .cases(entry.id)
                    .filter(|case| takes(case))
                    .map(|entry| TimelineLine { entry, open: None }),
            );
        }
    }
    lines
}

/// Returns the index of an entry among lines; its cause's where it is a case that is not shown.
pub fn place_of(lines: &[TimelineLine<'_>], timeline: &Timeline, id: &str) -> Option<usize> {
    let id: u64 = id.parse().ok()?;
    let place = |id: u64| lines.iter().position(|line| line.entry.id == id);
    place(id).or_else(|| place(timeline.get(id)?.cause?))
}

/// Returns the timeline's selected entry.
pub fn selected_entry<'a>(frame: &Frame<'a>) -> Option<&'a TimelineEntry> {
    let id = frame.screen.lists.get(&Focus::Timeline)?.selected.as_ref()?;
    frame.world.timeline.get(id.parse().ok()?)
}

/// Returns the next (or previous) entry that has the searched text, round the ends, from the one that is
/// selected or from the newest on.
pub fn search<'a>(frame: &Frame<'a>, forward: bool) -> Option<&'a TimelineEntry> {
    let filter = TimelineFilter {
        words: vec![frame.screen.timeline.search.to_lowercase()],
        ..TimelineFilter::default()
    };
    let all = lines(frame, |_| true);
    let selected = frame.screen.lists.get(&Focus::Timeline).and_then(|list| list.selected.as_ref());
    let at = selected.and_then(|id| all.iter().position(|line| line.entry.id.to_string() == id.as_str()));
    let mut order: Vec<usize> = match at {
        Some(at) => (at + 1..all.len()).chain(0..=at).collect(),
        None => (0..all.len()).collect(),
    };
    if !forward {
        order.reverse();
        order.rotate_left(usize::from(at.is_some())); // what is selected comes last
    }
    order
        .into_iter()
        .filter_map(|at| all.get(at))
        .map(|line| line.entry)
        .find(|entry| filter.takes(entry, |entry| frame.world.subject(entry)))
}

/// Returns the object of the cluster that an entry is about, as far as it is there: by identity, else by the
/// subject's name.
pub fn object_of(world: &World, entry: &TimelineEntry) -> Option<Uid> {
    let cluster = &world.cluster;
    let there = |uid: &&Uid| cluster.workloads.contains_key(*uid) || cluster.pods.contains_key(*uid);
    entry.about.as_ref().filter(there).cloned().or_else(|| named(world, entry.context, &entry.subject))
}

/// Returns the object of the cluster that an alert's labels name.
pub fn object_of_alert(world: &World, alert: &Alert) -> Option<Uid> {
    let labels = ["pod", "deployment", "statefulset", "service"];
    labels
        .iter()
        .filter_map(|label| alert.labels.get(*label))
        .find_map(|name| named(world, ContextId::MAIN, name))
}

/// Returns a workload of that name or service in a context, or a pod of that name.
pub(in crate::state) fn named(world: &World, context: ContextId, name: &str) -> Option<Uid> {
    let cluster = &world.cluster;
    let here = |meta: &Meta| meta.context() == context;
    let workload = cluster
        .workloads
        .values()
        .find(|w| here(&w.meta) && (w.meta.name == *name || w.service == *name))
        .map(|w| &w.meta.uid);
    workload
        .or_else(|| {
            cluster
                .pods
                .values()
                .find(|pod| here(&pod.meta) && pod.meta.name == *name)
                .map(|pod| &pod.meta.uid)
        })
        .cloned()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn entry(kind: EntryKind, subject: &str, text: &str) -> TimelineEntry {
        let mut timeline = Timeline::default();
        let id = timeline.add(DateTime::UNIX_EPOCH, kind, subject, text, None);
        timeline.get(id).unwrap().clone()
    }

    #[test]
    fn a_filter_takes_kinds_people_subjects_and_words() {
        let deploy = entry(EntryKind::Deploy, "medcontracthub-app", "rev 6 → 7  v1.2.3 → v1.3.0");
        let action = entry(EntryKind::Action, "worker-service", "scale worker-service 1 → 10 @dana");
        let note = entry(EntryKind::Note, "@kim", "Customers report recovery");
        for (filter, taken) in [
            ("", [true, true, true]),
            ("kind:deploy,note", [true, false, true]),
            ("@dana", [false, true, false]),
            ("@kim kind:note", [false, false, true]),
            ("subject:worker", [false, true, false]),
            ("CUSTOMERS recovery", [false, false, true]),
            ("recovery v1.3.0", [false, false, false]),
            ("kind:", [true, true, true]),
        ] {
            let read = TimelineFilter::new(filter);
            assert_eq!(
                [&deploy, &action, &note]
                    .map(|entry| read.takes(entry, |entry| entry.subject.as_str().into())),
                taken,
                "{filter}"
            );
            assert_eq!(read.wrong, None);
        }
        let wrong = TimelineFilter::new("kind:deplyo").wrong.unwrap().to_string();
        assert_eq!(wrong, "no such kind \"deplyo\"; did you mean \"deploy\"?");
    }
}
