//! Requests to the outside, as data, and the one thing that carries them out.
//!
//! [`reduce`](crate::reduce) returns effects; [`Executor`] carries them out and its answers come back as
//! events. A replay is built without an executor: there is no value of that type in it, so it cannot act on a
//! cluster (invariant 3).

mod acting;
mod caller;
mod checklist;
mod clusters;
mod command;
mod copy;
mod exec;
mod executor;
mod file;
pub mod identity;
mod keep;
mod logs;
mod manifest;
mod output;
mod prepare;
mod reading;
mod resolve;
mod save;
mod send;
mod settings;
mod tar;

use std::time::Duration;

use ulid::Ulid;

use crate::clean::Clean;
use crate::event::{CallBy, Intent, LogExtent, LogLine, LogSource, Operator, Outcome, StepCall, Target};
use crate::step::guard::Authorised;

pub use clusters::{Cluster, Clusters};
pub use executor::Executor;
pub use settings::Settings;

/// A request to the outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read what the step needs, ask for rights, let the server try it; answered by
    /// [`View::Prepared`](crate::event::View::Prepared).
    Prepare(StepCall),
    /// Make a decision: it becomes an [`Event::Operator`](crate::event::Event::Operator), which is recorded.
    Decide(Operator),
    /// Confirm a change: it becomes [`Event::Intent`](crate::event::Event::Intent), which is on disk before
    /// anything follows from it.
    Intend(Box<Intent>),
    /// Authorise the next op of an intent that is on disk, or whose last op was answered: the op leaves, or
    /// is not sent.
    Leave(Ulid),
    /// Send what was authorised, once. Nothing else can be sent.
    Send(Box<Authorised>),
    /// Settled here: becomes [`Event::Outcome`](crate::event::Event::Outcome).
    Settle {
        /// The intent.
        intent: Ulid,
        /// What became of it.
        outcome: Outcome,
    },
    /// Find out by reading what became of ops of an intent whose answers were lost.
    Resolve(Unresolved),
    /// Cancel what is being prepared.
    CancelPrepare,
    /// Say when the time for an intent's effect is over.
    Wake {
        /// The intent.
        intent: Ulid,
        /// From now.
        after: Duration,
    },
    /// Read an object in full; answered by [`View::Manifest`](crate::event::View::Manifest).
    Fetch(Target),
    /// Follow logs, or more of those that are followed under the same number.
    Follow(Following),
    /// Stop following.
    Unfollow,
    /// Write what is kept of the followed logs into a file.
    SaveLog(Box<LogCopy>),
    /// Watch these namespaces from now on; none is all of them.
    Watch(Vec<Clean>),
    /// Put text on the clipboard.
    Copy(Clean),
    /// Cancel everything that runs: preparing, following, and waiting for answers (which become unknown).
    StopAll,
    /// Move the replay.
    Play(Play),
    /// Draw everything again.
    Redraw,
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Call a person who does not look.
    Notify {
        /// What for.
        text: Clean,
        /// How.
        by: CallBy,
    },
    /// Open an address in a browser.
    Browse(Clean),
    /// Put the program in the background.
    Suspend,
    /// Quit the program.
    Quit,
}

impl Effect {
    /// Returns whether the screen carries it out, and nothing outside is asked for anything.
    pub fn of_the_screen(&self) -> bool {
        matches!(
            self,
            Self::Quit
                | Self::Copy(_)
                | Self::Redraw
                | Self::Suspend
                | Self::Mouse(_)
                | Self::Notify { .. }
                | Self::Browse(_)
                | Self::Play(_)
        )
    }
}

/// Ops of an intent of which it is not known whether they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct Unresolved {
    /// Intent that the ops are of.
    pub intent: Box<Intent>,
    /// Index of the first of them; those before it are done.
    pub from: u32,
    /// Index of the first op that was certainly not sent.
    pub to: u32,
}

/// Request to follow logs together.
#[derive(Clone, Debug, PartialEq)]
pub struct Following {
    /// Number that their lines carry; another number ends what was followed before.
    pub number: u64,
    /// Extent of each log that is read at first.
    pub extent: LogExtent,
    /// Containers, each under the number that its lines carry.
    pub sources: Vec<(u16, LogSource)>,
}

/// Lines to be saved, clean as they are seen.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCopy {
    /// Name of the workload, for the file's name.
    pub name: Clean,
    /// Containers, by number.
    pub sources: Vec<LogSource>,
    /// Lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// A movement of the replay.
#[derive(Clone, Debug, PartialEq)]
pub enum Play {
    /// Play, or pause.
    Toggle,
    /// Step so many records forward, or back where negative.
    Step(i64),
    /// Play twice as fast.
    Faster,
    /// Play half as fast.
    Slower,
    /// Go to the next entry of the timeline.
    NextEntry,
    /// Go to the previous entry of the timeline.
    PreviousEntry,
    /// Go to a time or a text.
    Seek(Clean),
    /// Go to the start.
    Start,
    /// Go to the end.
    End,
}
