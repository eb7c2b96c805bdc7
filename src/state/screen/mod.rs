//! What this viewer looks at: focus, scroll, selection, what is open, the typed line. All of it, so that a
//! frame is a function of the state. Never part of the world: a replay is watched with a screen of its own.

pub(in crate::state) mod choices;
pub(in crate::state) mod form;
pub(in crate::state) mod logs;
pub(in crate::state) mod span;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Calls, Choices, Form, LogLook, LogView, Picks, Span, TimelineView};
use crate::clean::Clean;
use crate::event::{Plan, Preferences, Purpose, Setup, Target, Typed, Uid};
use crate::keymap::{Context, Key};

/// The panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Focus {
    /// Workloads and pods.
    #[default]
    Pods,
    /// 5xx by service.
    Rates,
    /// Consumer groups.
    Lag,
    /// What happened.
    Timeline,
    /// The runbook's steps.
    Steps,
}

impl Focus {
    /// All, in the order of their keys.
    pub const ALL: [Self; 5] = [Self::Pods, Self::Rates, Self::Lag, Self::Timeline, Self::Steps];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pods => "Pods",
            Self::Rates => "5xx by service",
            Self::Lag => "Kafka lag",
            Self::Timeline => "Timeline",
            Self::Steps => "Steps",
        }
    }

    /// Its keys.
    pub fn context(self) -> Context {
        match self {
            Self::Pods => Context::Pods,
            Self::Rates => Context::Rates,
            Self::Lag => Context::Lag,
            Self::Timeline => Context::Timeline,
            Self::Steps => Context::Steps,
        }
    }
}

/// Where a viewer is in a list. The selection is an identity, never a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListView {
    /// What is selected; `None`: the list follows its own order and end.
    pub selected: Option<Clean>,
    /// While something is selected the rows keep this order; what is new comes last.
    pub held: Vec<Clean>,
    /// Only rows that contain this.
    pub filter: Clean,
}

impl ListView {
    /// Nothing is selected any more; the rows stand in their own order again.
    pub fn let_go(&mut self) {
        self.selected = None;
        self.held.clear();
    }
}

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

/// The question before something changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    /// What would be sent, and what preflight found.
    pub plan: Plan,
    /// Since when it is on the screen: its keys are dead for the first 300 ms.
    pub since: DateTime<Utc>,
    /// The whole diff is shown.
    pub full: bool,
    /// Lines scrolled down.
    pub scroll: usize,
}

/// One object's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestView {
    /// The object.
    pub target: Target,
    /// Its lines, or why there are none, once the answer is there.
    pub lines: Option<Result<Vec<Clean>, Clean>>,
    /// Lines scrolled down.
    pub scroll: usize,
}

/// What lies over the panes.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The keys.
    Help {
        /// Lines scrolled down.
        scroll: usize,
    },
    /// One pod, workload or node in full.
    Detail {
        /// Which.
        uid: Uid,
        /// Lines scrolled down.
        scroll: usize,
    },
    /// One entry of the timeline in full.
    Entry {
        /// Which.
        id: u64,
        /// Lines scrolled down.
        scroll: usize,
    },
    /// The alerts, and what keeps them quiet.
    Alerts {
        /// The fingerprint of the chosen one.
        selected: Option<Clean>,
    },
    /// One consumer group in full.
    Group {
        /// Which.
        id: Clean,
        /// Lines scrolled down.
        scroll: usize,
    },
    /// All that is measured of one service.
    Service(Clean),
    /// An object's manifest.
    Manifest(ManifestView),
    /// What changed in the last hour.
    Changes {
        /// Lines scrolled down.
        scroll: usize,
    },
    /// How well each source can be heard.
    Sources {
        /// Lines scrolled down.
        scroll: usize,
    },
    /// Followed logs.
    Logs(Box<LogView>),
    /// A step's inputs.
    Form(Form),
    /// The question before a change.
    Confirm(Box<Dialog>),
    /// Themes or keymaps; the one under the cursor is in use already.
    Picker {
        /// What is chosen.
        picks: Picks,
        /// The place of the one that was in use before.
        before: usize,
    },
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
    /// The next record's place.
    pub seq: u64,
    /// The last record's place.
    pub last_seq: u64,
    /// Records in each of equal stretches of time: the bar's density.
    pub density: Vec<u32>,
    /// What was lost of the recording, in words.
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
    pub reading: TimelineView,
    /// Workloads whose pods are all shown.
    pub opened: BTreeSet<Uid>,
    /// How far back the charts look.
    pub span: Span,
    /// Only what is in trouble.
    pub faults_only: bool,
    /// What lies over the panes, the topmost last.
    pub overlays: Vec<Overlay>,
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
        self.contexts_with(self.overlays.last())
    }

    /// The same as if the topmost overlay were closed: what help is about.
    pub fn contexts_below(&self) -> Vec<Context> {
        self.contexts_with(self.overlays.iter().nth_back(1))
    }

    /// The same as if nothing were typed: where the keys that the palette names would be pressed.
    pub fn contexts_at_rest(&self) -> Vec<Context> {
        self.contexts().into_iter().filter(|context| *context != Context::Input).collect()
    }

    fn contexts_with(&self, top: Option<&Overlay>) -> Vec<Context> {
        let mut contexts = Vec::with_capacity(4);
        if self.input.is_some() {
            contexts.push(Context::Input);
        }
        match top {
            Some(Overlay::Help { .. }) => contexts.push(Context::Help),
            Some(Overlay::Detail { .. } | Overlay::Manifest(_)) => contexts.push(Context::Detail),
            Some(
                Overlay::Entry { .. }
                | Overlay::Group { .. }
                | Overlay::Changes { .. }
                | Overlay::Sources { .. },
            ) => {
                contexts.push(Context::Page);
            }
            Some(Overlay::Alerts { .. }) => contexts.push(Context::Alerts),
            Some(Overlay::Service(_)) => contexts.extend([Context::Page, Context::Rates]),
            Some(Overlay::Logs(_)) => contexts.push(Context::Logs),
            Some(Overlay::Form(_) | Overlay::Picker { .. }) => contexts.push(Context::Dialog),
            Some(Overlay::Confirm(_)) => contexts.push(Context::Confirm),
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
        let before = match (&purpose, self.overlays.last()) {
            (Purpose::Filter, _) => self.list().filter,
            (Purpose::Search, Some(Overlay::Logs(log))) => log.search.text.clone(),
            _ => Clean::default(),
        };
        self.input =
            Some(Input { purpose, prompt: prompt.into(), cursor: text.len(), text, candidate: None, before });
    }

    /// Tells the viewer something for a few seconds.
    pub fn tell(&mut self, now: DateTime<Utc>, what: impl Into<Clean>) {
        self.message = Some((now, what.into()));
    }
}
