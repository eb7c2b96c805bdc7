//! The exit codes that scripts rely on.

use std::process::ExitCode;

use crate::event::Refusal;

/// How a command ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Done,
    /// 1: it failed; of a run also: its effect was not seen.
    Failed,
    /// 2: the command line or the settings are wrong.
    Usage,
    /// 3: not armed, not confirmed, not allowed.
    Refused,
    /// 4: the answer was lost, and reading has not told yet.
    Unknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Unknown => 4,
        })
    }
}

impl From<&Refusal> for Exit {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Usage(_) => Self::Usage,
            Refusal::Denied(_) => Self::Refused,
            Refusal::Failed(_) => Self::Failed,
        }
    }
}
