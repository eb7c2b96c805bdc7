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

/// What a stream does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Asked for, not answered yet.
    Connecting,
    /// Each new line comes.
    Following,
    /// The container does not run, and why: `CrashLoopBackOff`.
    Waiting(Clean),
    /// It broke off, and why; it is taken up again without a gap.
    Reconnecting(Clean),
    /// May not be read, and why; asked again now and then.
    Refused(Clean),
    /// No more will come.
    Ended(LogEnd),
}

/// How a stream came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// All of an earlier run was read, or there was none.
    Read,
    /// The container ended for good, with this exit code and reason.
    Exited(i32, Clean),
    /// The pod is gone, or the log.
    Gone,
}

/// How bad a line says that it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It does not say.
    #[default]
    Unsaid,
    /// For those who look for a fault.
    Debug,
    /// All is well.
    Info,
    /// Look at this soon.
    Warn,
    /// Something failed.
    Error,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When the container wrote it.
    pub at: DateTime<Utc>,
    /// Its stream, by the number that it is followed under.
    pub stream: u16,
    /// How bad it is.
    pub level: Level,
    /// Not the container's but warroom's own: a restart, a gap.
    pub mark: bool,
    /// The line.
    pub text: Styled,
}

/// What was heard since the last news.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogNews {
    /// Which following: what an earlier one still says is not wanted any more.
    pub following: u64,
    /// New lines, those of each stream in its order.
    pub lines: Vec<LogLine>,
    /// States that changed.
    pub states: Vec<(u16, LogState)>,
}

/// How much of a log is read at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogExtent {
    /// The run before the last restart, to its end, instead of this one.
    pub previous: bool,
    /// Only the last minutes, of this run: [`LogExtent::since`].
    pub minutes: Option<u32>,
    /// At most so many lines of each container, the newest ones.
    pub lines: u32,
}

impl LogExtent {
    /// How many of the last minutes are read; `None` for all there is. The run before is read to its end,
    /// whatever is kept for this one.
    pub fn since(&self) -> Option<u32> {
        self.minutes.filter(|_| !self.previous)
    }
}
