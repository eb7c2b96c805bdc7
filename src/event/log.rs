//! Logs as they are followed: whose, what state each stream is in, and lines. Only a viewer's screen is about
//! them: never recorded.

use chrono::{DateTime, Utc};

use super::Uid;
use crate::clean::{Clean, Styled};

/// A container whose log is followed, bound to one pod: another of its name is another source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSource {
    /// The pod's namespace.
    pub namespace: Clean,
    /// The pod's name.
    pub pod: Clean,
    /// The pod's identity, which says its context.
    pub uid: Uid,
    /// The container.
    pub container: Clean,
}

/// State of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// The stream was asked for, and no answer has come yet.
    Connecting,
    /// New lines arrive as the container writes them.
    Following,
    /// The container does not run, and why: `CrashLoopBackOff`.
    Waiting(Clean),
    /// It broke off, and why; it is taken up again without a gap.
    Reconnecting(Clean),
    /// The server refuses it, and why; it is asked again from time to time.
    Refused(Clean),
    /// The stream has ended; no more lines will come.
    Ended(LogEnd),
}

/// Why a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// All of an earlier run was read, or there was none.
    Read,
    /// The container ended for good, with this exit code and reason.
    Exited(i32, Clean),
    /// The pod is gone, or the log.
    Gone,
}

/// Severity that a line states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No severity is stated.
    #[default]
    Unsaid,
    /// `TRACE` or `DEBUG`.
    Debug,
    /// `INFO` or `NOTICE`.
    Info,
    /// `WARN`.
    Warn,
    /// `ERROR` or worse.
    Error,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When the container wrote it.
    pub at: DateTime<Utc>,
    /// Index of its stream among those that are followed.
    pub stream: u16,
    /// Severity that the line states.
    pub level: Level,
    /// Whether the line is warroom's own instead of the container's: a restart, a gap.
    pub mark: bool,
    /// Text of the line.
    pub text: Styled,
}

/// Lines and states that arrived since the last batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogNews {
    /// Number of the request that this answers: what still arrives for an earlier one is dropped.
    pub following: u64,
    /// New lines, those of each stream in its order.
    pub lines: Vec<LogLine>,
    /// States that changed, with the index of their stream.
    pub states: Vec<(u16, LogState)>,
}

/// How much of a log is read at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogExtent {
    /// Whether the run before the last restart is read, to its end, instead of the current one.
    pub previous: bool,
    /// Limit to the last minutes of the current run: [`LogExtent::since`].
    pub minutes: Option<u32>,
    /// Maximum number of lines of each container; the newest are read.
    pub lines: u32,
}

impl LogExtent {
    /// How many of the last minutes are read; `None` for all there is. The run before is read to its end,
    /// whatever is kept for this one.
    pub fn since(&self) -> Option<u32> {
        self.minutes.filter(|_| !self.previous)
    }
}
