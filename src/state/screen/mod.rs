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
use ulid::Ulid;

use self::choices::{Calls, Choices, Picks};
use self::list::ListView;
use self::pages::{LogLook, Page};
use self::panes::Focus;
use self::panes::timeline::TimelineView;
use self::span::Span;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{Finding, Preferences, Purpose, Setup, Typed, Uid};
use crate::keymap::{Context, Key};

/// Lines that are kept of a program while it runs.
const PRINTED: usize = 1_000;

/// Line that is being typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Purpose of the line.
    pub purpose: Purpose,
    /// Prompt before the line.
    pub prompt: Clean,
    /// Text typed so far.
    pub text: String,
    /// Cursor, in bytes of the text, always between characters.
    pub cursor: usize,
    /// Index of the chosen candidate, where there are any.
    pub candidate: Option<usize>,
    /// Filter or search before the line, which changes it as it is typed.
    pub before: Clean,
}

/// Position of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Playback {
    /// Whether it is playing.
    pub playing: bool,
    /// Speed, a multiple of real time.
    pub speed: f64,
    /// Time of the first record.
    pub from: DateTime<Utc>,
    /// Time of the last record.
    pub to: DateTime<Utc>,
    /// Number of the last record played.
    pub seq: u64,
    /// Number of the last record.
    pub last_seq: u64,
    /// What reading the whole recording found; until that is done nobody knows whether there are gaps.
    pub survey: Option<Arc<Survey>>,
}

/// What reading a whole recording found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Number of records in each of equal stretches of time, for the bar.
    pub density: Vec<u32>,
    /// What was lost of the recording, or cannot be read, in words.
    pub gaps: Vec<Clean>,
}

/// State of one viewer's screen; never recorded.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Pane that has the keyboard.
    pub focus: Focus,
    /// Whether the focused pane has the whole screen.
    pub zoomed: bool,
    /// Position of the viewer in each list.
    pub lists: BTreeMap<Focus, ListView>,
    /// Position of the viewer in the timeline.
    pub timeline: TimelineView,
    /// Workloads whose pods are all shown.
    pub opened: BTreeSet<Uid>,
    /// Time range of the charts.
    pub span: Span,
    /// Whether only unhealthy rows are shown.
    pub faults_only: bool,
    /// Pages over the panes, the topmost last.
    pub pages: Vec<Page>,
    /// Line that is being typed, when one is open.
    pub input: Option<Input>,
    /// Keys of a sequence that is not complete.
    pub pending: Vec<Key>,
    /// Whether times are shown since the incident began, instead of in UTC.
    pub elapsed: bool,
    /// How log lines are shown.
    pub log_look: LogLook,
    /// What the steps of a checklist have found so far, while it runs.
    pub findings: BTreeMap<ulid::Ulid, Vec<Finding>>,
    /// Number of the last request for logs.
    pub followings: u64,
    /// Lines that programs have printed so far, by the intents that they run for.
    pub printed: BTreeMap<Ulid, Vec<Clean>>,
    /// Preferences of the viewer.
    pub seat: Preferences,
    /// Themes to choose from.
    pub themes: Choices,
    /// Keymaps to choose from.
    pub keymaps: Choices,
    /// Ways to call a person who does not look.
    pub calls: Calls,
    /// Message that is shown, and since when.
    pub message: Option<(DateTime<Utc>, Clean)>,
    /// Older commands, oldest first, as they were typed.
    pub history: Vec<Typed>,
    /// Position of the replay, when this is one.
    pub playback: Option<Playback>,
}

impl Screen {
    /// Begins with these themes, keymaps and preferences.
    pub fn begin(&mut self, setup: &Setup) {
        self.themes = Choices::new(&setup.themes);
        self.keymaps = Choices::new(&setup.keymaps);
        self.seat = setup.seat;
        self.calls.by = setup.call_by;
    }

    /// Keeps a line that a program has printed.
    pub fn print(&mut self, intent: Ulid, line: &Clean) {
        let lines = self.printed.entry(intent).or_default();
        if lines.len() < PRINTED {
            lines.push(line.clone());
        }
    }

    /// Returns the choices of that kind.
    pub fn choices(&self, picks: Picks) -> &Choices {
        match picks {
            Picks::Theme => &self.themes,
            Picks::Keymap => &self.keymaps,
        }
    }

    /// Returns the choices of that kind, to change.
    pub fn choices_mut(&mut self, picks: Picks) -> &mut Choices {
        match picks {
            Picks::Theme => &mut self.themes,
            Picks::Keymap => &mut self.keymaps,
        }
    }

    /// Returns the contexts whose keys work now, the innermost first.
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

    /// Returns the position in the focused pane's list.
    pub fn list(&self) -> ListView {
        self.lists.get(&self.focus).cloned().unwrap_or_default()
    }

    /// Returns the position in the focused pane's list, to change.
    pub fn list_mut(&mut self) -> &mut ListView {
        self.lists.entry(self.focus).or_default()
    }

    /// Returns the filter of a pane.
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

    /// Returns the identity of what is selected in a pane.
    pub fn selected(&self, focus: Focus) -> Option<&Clean> {
        self.lists.get(&focus)?.selected.as_ref()
    }

    /// Returns the number of rows that a page of a list has, about.
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

    /// Shows which theme or keymap was chosen, and how to keep it.
    pub fn tell_choice(&mut self, now: DateTime<Utc>, picks: Picks) {
        let word = picks.word();
        let name = self.choices(picks).name();
        let told =
            format!("{word} {name} for this session; for every one: {word} = \"{name}\" in config.toml");
        self.tell(now, told);
    }

    /// Opens an address in a browser; copies it over ssh, where a browser that opened at the other end would
    /// be seen by nobody.
    pub fn browse(&mut self, now: DateTime<Utc>, of: &str, address: Clean) -> Effect {
        if self.seat.remote {
            self.tell(now, format!("over ssh: copied the link of {of}: {address}"));
            return Effect::Copy(address);
        }
        self.tell(now, format!("opened the link of {of}"));
        Effect::Browse(address)
    }

    /// Shows a message for a few seconds.
    pub fn tell(&mut self, now: DateTime<Utc>, what: impl Into<Clean>) {
        self.message = Some((now, what.into()));
    }
}
