//! What is so ([`World`]) and what this viewer looks at ([`Screen`]). Only [`reduce`](crate::reduce) writes
//! either.
//!
//! Nothing in here does I/O or reads a clock: time is [`State::now`], which is the `at` of the last record or
//! tick. The world is a fold of recorded events alone, so a journal replays to the same world whatever
//! terminal it was watched on; each part folds its own events.

mod alerts;
mod candidates;
mod causes;
mod changes;
mod choices;
mod cluster;
mod detect;
mod diagnosis;
mod forced;
mod form;
mod fuzzy;
mod lag;
mod logs;
mod notices;
mod rates;
mod reading;
mod reasons;
mod rollouts;
mod rows;
mod runs;
mod screen;
mod span;
mod subject;
mod suggest;
mod things;
mod timeline;
mod track;
mod trouble;
mod usage;
mod world;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use alerts::Alerts;
pub use candidates::{Candidate, candidates, meant, unknown};
pub use changes::{ChangeSort, Changed, changed};
pub use choices::{Calls, Choices, Picks};
pub use cluster::{Cluster, Objects, WorkloadRow, last_end};
pub use detect::changes;
pub use diagnosis::{Diagnosis, Severity, diagnose, restarts};
pub use forced::Forced;
pub use form::{Choice, Field, Form};
pub use lag::{Drains, Group, GroupState, Lag, Partition};
pub use logs::{LogLook, LogRow, LogStream, LogSubject, LogView, Place, STREAMS, Search, TAIL};
pub use rates::{Rates, Series};
pub use reading::{
    Reading, TimelineFilter, TimelineLine, object_of, object_of_alert, place_of, search, selected_entry,
    timeline_lines,
};
pub use reasons::{explain, told};
pub use rollouts::Rollout;
pub use rows::{
    PodLine, StepLine, lag_lines, pod_lines, pod_lines_of, rate_lines, row_ids, rows_of, step_lines,
    workload_rows,
};
pub use runs::{DISARMED, Run, Runs, STOPPED, Stage};
pub use screen::{Dialog, Focus, Input, ListView, ManifestView, Overlay, Playback, Screen};
pub use span::Span;
pub use subject::{Link, chosen_alert, in_hand, link, offers, row_of, subject};
pub use suggest::{flags, lagging, rollbacks};
pub use timeline::{Entry, EntryKind, Subject, Timeline};
pub use trouble::{answer, troubled_since};
pub use usage::Usage;
pub use world::World;

use crate::runbook::Runbook;

/// Everything a frame is drawn from.
#[derive(Clone, Debug)]
pub struct State {
    /// The time: of the last record or tick.
    pub now: DateTime<Utc>,
    /// What is so.
    pub world: World,
    /// What this viewer looks at.
    pub screen: Screen,
    /// The steps that can be taken.
    pub runbook: Arc<Runbook>,
}

impl State {
    /// Nothing known, nothing open.
    pub fn new(now: DateTime<Utc>, runbook: Arc<Runbook>) -> Self {
        Self { now, world: World::default(), screen: Screen::default(), runbook }
    }
}
