//! What is so ([`World`]) and what this viewer looks at ([`Screen`]). Only [`reduce`](crate::reduce) writes
//! either.
//!
//! | folder | what is in it |
//! |---|---|
//! | [`world`] | what is so: each part of it, and how it folds its events |
//! | [`detect`] | what is concluded from it: troubles and their causes, rollouts, changes |
//! | [`select`] | what of it is shown: rows, filters, completion, suggestions, the object in hand |
//! | [`screen`] | what this viewer looks at: panes, pages, the typed line |
//!
//! Nothing in here does I/O or reads a clock: time is [`State::now`], which is the `at` of the last record or
//! tick. The world is a fold of recorded events alone, so a journal replays to the same world whatever
//! terminal it was watched on; each part folds its own events.

mod detect;
mod screen;
mod select;
mod world;

mod frame;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use detect::runs::changes;

pub use detect::pod_diagnosis::{Diagnosis, Severity, diagnose, restarts};
pub use detect::rollouts::Rollout;
pub use detect::row_diagnosis::{explain, told};

pub use frame::{Cursor, Frame};
pub use screen::choices::{Calls, Choices, Picks};
pub use screen::list::{ListView, destination};
pub(crate) use screen::pages::each_page;
pub use screen::pages::*;
pub use screen::panes::Focus;
pub use screen::panes::timeline::TimelineView;
pub(crate) use screen::panes::timeline::find;
pub use screen::span::Span;
pub use screen::{Input, Playback, Screen, Survey};
pub use select::changes::{Changed, changed};
pub use select::completion::{Candidate, candidates, meant, unknown};
pub use select::rows::{
    PodLine, StepLine, lag_lines, pod_lines, pod_lines_of, rate_lines, row_ids, step_lines, workload_rows,
};
pub use select::selection::{Link, context_in_hand, in_hand, link, name_of, offers, row_of, subject};
pub use select::suggest::{flags, lagging, rollbacks};
pub use select::timeline::{
    TimelineFilter, TimelineLine, object_of, object_of_alert, place_of, search, selected_entry,
    timeline_lines,
};
pub use select::trouble::{answer, troubled_since};
pub use world::World;
pub use world::alerts::Alerts;
pub use world::cluster::{Cluster, Objects, WorkloadRow, last_end};
pub use world::force_deleted::Forced;
pub use world::lag::{Drains, Group, GroupState, Lag, Partition};
pub use world::latest::Latest;
pub use world::rates::{Rates, Series};
pub use world::runs::{DISARMED, Run, Runs, STOPPED, Stage};
pub use world::timeline::{ChangeSort, EntryKind, Subject, Timeline, TimelineEntry};
pub use world::usage::Usage;

use crate::runbook::Runbook;

/// Everything a frame is drawn from.
#[derive(Clone, Debug)]
pub struct State {
    /// Time of the last record or tick.
    pub now: DateTime<Utc>,
    /// State of the cluster, the timeline and the runs.
    pub world: World,
    /// State of this viewer's screen.
    pub screen: Screen,
    /// Steps that can be taken.
    pub runbook: Arc<Runbook>,
}

impl State {
    /// Creates a state that knows nothing and shows no page.
    pub fn new(now: DateTime<Utc>, runbook: Arc<Runbook>) -> Self {
        Self { now, world: World::default(), screen: Screen::default(), runbook }
    }

    /// Returns the time that the screen shows.
    pub fn cursor(&self) -> Cursor {
        if self.screen.playback.is_some() { Cursor::At(self.now) } else { Cursor::Live }
    }

    /// Returns the frame to draw now.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            now: self.now,
            cursor: self.cursor(),
            world: &self.world,
            screen: &self.screen,
            runbook: &self.runbook,
        }
    }
}
