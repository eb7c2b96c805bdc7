//! Requests to the outside, as data, and the one thing that carries them out.
//!
//! [`reduce`](crate::reduce) returns effects; [`Executor`] carries them out and its answers come back as
//! events. A replay is built without an executor: there is no value of that type in it, so it cannot act on a
//! cluster (invariant 3).

mod acting;
mod caller;
mod clusters;
mod exec;
mod executor;
pub mod identity;
mod logs;
mod manifest;
mod prepare;
mod reading;
mod resolve;
mod save;
mod send;
mod settings;

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
    /// Decided: becomes an [`Event::Operator`](crate::event::Event::Operator), which is recorded.
    Decide(Operator),
    /// Confirmed: becomes [`Event::Intent`](crate::event::Event::Intent), which is on disk before anything
    /// follows from it.
    Intend(Box<Intent>),
    /// An intent that is on disk, or whose last op was answered: its next op is authorised and leaves, or is
    /// not sent.
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
    /// Nobody waits for what is being prepared any more.
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
    /// Leave.
    Quit,
}

impl Effect {
    /// Whether the screen carries it out, and nothing outside is asked for anything.
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
    /// The intent.
    pub intent: Box<Intent>,
    /// The first of them; those before it are done.
    pub from: u32,
    /// The first that was certainly not sent.
    pub to: u32,
}

/// Logs to be followed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Following {
    /// Their news carry it; another number ends what was followed before.
    pub number: u64,
    /// How much of each is read at first.
    pub extent: LogExtent,
    /// The containers, each under the number that its lines carry.
    pub sources: Vec<(u16, LogSource)>,
}

/// Lines to be saved, clean as they are seen.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCopy {
    /// Part of the file's name.
    pub name: Clean,
    /// The containers, by number.
    pub sources: Vec<LogSource>,
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// A movement of the replay.
#[derive(Clone, Debug, PartialEq)]
pub enum Play {
    /// Play, or pause.
    Toggle,
    /// So many records on (or back).
    Step(i64),
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// To the next entry of the timeline.
    NextEntry,
    /// To the previous entry of the timeline.
    PreviousEntry,
    /// To a time or a text.
    Seek(Clean),
    /// To the start.
    Start,
    /// To the end.
    End,
}
