//! What this viewer looks at: focus, scroll, selection, what is open, the typed line. All of it, so that a
//! frame is a function of the state. Never part of the world: a replay is watched with a screen of its own.

pub(in crate::state) mod choices;
mod jump;
pub(in crate::state) mod list;
pub(in crate::state) mod pages;
pub(in crate::state) mod panes;
pub(in crate::state) mod span;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::choices::{Calls, Choices, Picks};
use self::list::ListView;
use self::pages::{LogLook, Page};
use self::panes::Focus;
use self::panes::timeline::TimelineView;
use self::span::Span;
use crate::clean::Clean;
use crate::event::{Preferences, Purpose, Setup, Typed, Uid};
use crate::keymap::{Context, Key};

/// The typed line.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// What it is for.
    pub purpose: Purpose,
    /// What stands before it.
    pub prompt: Clean,
    /// The text.
    pub text: String,
    /// The cursor, in bytes of the text, always between characters.
    pub cursor: usize,
    /// Which candidate is chosen, where there are any.
    pub candidate: Option<usize>,
    /// The filter or search that it changes as it is typed, as that was before.
    pub before: Clean,
}

/// Where a replay is.
#[derive(Clone, Debug, PartialEq)]
pub struct Playback {
    /// Whether it moves by itself.
    pub playing: bool,
    /// How fast, as a multiple of real time.
    pub speed: f64,
    /// The first record's time.
    pub from: DateTime<Utc>,
    /// The last record's time.
    pub to: DateTime<Utc>,
    /// The number of the last record played.
    pub seq: u64,
    /// The number of the last record.
    pub last_seq: u64,
    /// What reading the whole recording found; until that is done nobody knows whether there are gaps.
    pub survey: Option<Arc<Survey>>,
}

/// What reading a whole recording found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Records in each of equal stretches of time: the bar's density.
    pub density: Vec<u32>,
    /// What was lost of the recording, or cannot be read, in words.
    pub gaps: Vec<Clean>,
}

/// What this viewer looks at.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The pane that has the keyboard.
    pub focus: Focus,
    /// The focused pane has the whole screen.
    pub zoomed: bool,
    /// Where the viewer is in each list.
    pub lists: BTreeMap<Focus, ListView>,
    /// How the timeline is read.
    pub timeline: TimelineView,
    /// Workloads whose pods are all shown.
    pub opened: BTreeSet<Uid>,
    /// How far back the charts look.
    pub span: Span,
    /// Only what is in trouble.
    pub faults_only: bool,
    /// What lies over the panes, the topmost last.
    pub pages: Vec<Page>,
    /// The typed line, when one is open.
    pub input: Option<Input>,
    /// Keys of a sequence that is not complete.
    pub pending: Vec<Key>,
    /// Times since the incident began, instead of UTC.
    pub elapsed: bool,
    /// How log lines are shown.
    pub log_look: LogLook,
    /// How often logs were asked for: the number of the last following.
    pub followings: u64,
    /// Where the person sits.
    pub seat: Preferences,
    /// The themes to choose from.
    pub themes: Choices,
    /// The keymaps to choose from.
    pub keymaps: Choices,
    /// How a person who does not look is called.
    pub calls: Calls,
    /// Something to tell, and since when.
    pub message: Option<(DateTime<Utc>, Clean)>,
    /// Older commands, oldest first, as they were typed.
    pub history: Vec<Typed>,
    /// Where the replay is, when this is one.
    pub playback: Option<Playback>,
}

impl Screen {
    /// Begins with what there is to choose from.
    pub fn begin(&mut self, setup: &Setup) {
        self.themes = Choices::new(&setup.themes);
        self.keymaps = Choices::new(&setup.keymaps);
        self.seat = setup.seat;
        self.calls.by = setup.call_by;
    }

    /// The things to choose from of that sort.
    pub fn choices(&self, picks: Picks) -> &Choices {
        match picks {
            Picks::Theme => &self.themes,
            Picks::Keymap => &self.keymaps,
        }
    }

    /// The same, to choose.
    pub fn choices_mut(&mut self, picks: Picks) -> &mut Choices {
        match picks {
            Picks::Theme => &mut self.themes,
            Picks::Keymap => &mut self.keymaps,
        }
    }

    /// What can hold the keyboard now, the innermost first.
    pub fn contexts(&self) -> Vec<Context> {
        self.contexts_with(self.pages.last())
    }

    /// The same as if the topmost overlay were closed: what help is about.
    pub fn contexts_below(&self) -> Vec<Context> {
        self.contexts_with(self.pages.iter().nth_back(1))
    }

    /// The same as if nothing were typed: where the keys that the palette names would be pressed.
    pub fn contexts_at_rest(&self) -> Vec<Context> {
        self.contexts().into_iter().filter(|context| *context != Context::Input).collect()
    }

    fn contexts_with(&self, top: Option<&Page>) -> Vec<Context> {
        let mut contexts = Vec::with_capacity(4);
        if self.input.is_some() {
            contexts.push(Context::Input);
        }
        match top {
            Some(page) => contexts.extend(page.contexts()),
            None => contexts.push(self.focus.context()),
        }
        contexts.extend(self.playback.is_some().then_some(Context::Replay));
        contexts.push(Context::Global);
        contexts
    }

    /// The focused pane's place.
    pub fn list(&self) -> ListView {
        self.lists.get(&self.focus).cloned().unwrap_or_default()
    }

    /// The focused pane's place, to change.
    pub fn list_mut(&mut self) -> &mut ListView {
        self.lists.entry(self.focus).or_default()
    }

    /// A pane's filter.
    pub fn filter(&self, focus: Focus) -> &str {
        self.lists.get(&focus).map_or("", |list| &list.filter)
    }

    /// Opens a typed line.
    pub fn ask(&mut self, purpose: Purpose, prompt: &str, text: &str) {
        let text = text.to_owned();
        let before = match (&purpose, self.pages.last()) {
            (Purpose::Filter, _) => self.list().filter,
            (Purpose::Search, Some(Page::Logs(log))) => log.search.text.clone(),
            _ => Clean::default(),
        };
        self.input =
            Some(Input { purpose, prompt: prompt.into(), cursor: text.len(), text, candidate: None, before });
    }

    /// What is selected in a pane.
    pub fn selected(&self, focus: Focus) -> Option<&Clean> {
        self.lists.get(&focus)?.selected.as_ref()
    }

    /// Rows that a page of a list has, about.
    pub fn page(&self) -> usize {
        usize::from(self.size.1).saturating_sub(8).max(1)
    }

    /// Puts a page on top; the same kind is never there twice.
    pub fn open(&mut self, page: impl Into<Page>) {
        let page = page.into();
        let same = |other: &Page| std::mem::discriminant(other) == std::mem::discriminant(&page);
        self.pages.retain(|other| !same(other));
        self.pages.push(page);
    }

    /// Tells which theme or keymap was chosen, and how to keep it.
    pub fn tell_choice(&mut self, now: DateTime<Utc>, picks: Picks) {
        let word = picks.word();
        let name = self.choices(picks).name();
        let told =
            format!("{word} {name} for this session; for every one: {word} = \"{name}\" in config.toml");
        self.tell(now, told);
    }

    /// Tells the viewer something for a few seconds.
    pub fn tell(&mut self, now: DateTime<Utc>, what: impl Into<Clean>) {
        self.message = Some((now, what.into()));
    }
}
