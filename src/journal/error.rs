//! What can go wrong at the journal's boundary.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

/// Why the journal could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb: `create`, `read`.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds no segment.
    #[error("{} is not a recording: it holds no segment such as 000001.ndjson", .0.display())]
    NotARecording(PathBuf),
    /// The recording ended before its first record.
    #[error("{} holds no record: the session ended before anything happened", .0.display())]
    Empty(PathBuf),
    /// A recording of which nothing can be read.
    #[error("{} is damaged, no record of it can be read: {why}; warroom recordings verify says more", path.display())]
    Unreadable {
        /// The recording's folder.
        path: PathBuf,
        /// What the first gap says.
        why: String,
    },
    /// Written by a newer warroom.
    #[error("{} has recording format {found}, and this warroom reads up to {}: use a newer warroom", path.display(), super::format::FORMAT)]
    NewerFormat {
        /// The recording's folder.
        path: PathBuf,
        /// The format version it names.
        found: u32,
    },
    /// Another warroom is writing the recording.
    #[error("{} is being written by a running warroom: close that one first", .0.display())]
    InUse(PathBuf),
    /// Records are numbered without holes.
    #[error("record {got} came where {expected} was due: this is a defect in warroom")]
    OutOfOrder {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// A line above [`super::format::MAX_LINE`].
    #[error(
        "a record of {bytes} bytes is larger than a line of the journal may be (64 MiB): it was not recorded"
    )]
    TooLarge {
        /// The line's length in bytes.
        bytes: usize,
    },
    /// The writing thread is too far behind to take a decision.
    #[error("the journal is behind its disk: nothing was decided; try again in a moment")]
    Behind,
    /// Nothing can be written, so nothing may be decided.
    #[error(
        "nothing has been recorded since {since} ({error}), so no action may start: free or repair the disk"
    )]
    Failing {
        /// Since when.
        since: DateTime<Utc>,
        /// What the system said.
        error: String,
    },
    /// The disk did not answer at the end of the program.
    #[error(
        "the disk did not answer for {0:?}: the recording is left as if warroom had been killed, and the next start tidies it"
    )]
    Hung(std::time::Duration),
    /// The writing thread has ended.
    #[error("the journal is closed")]
    Closed,
    /// A value cannot be written as JSON.
    #[error("cannot write a record as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Names the place of an I/O error.
pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_path_buf();
    move |source| JournalError::Io { doing, path, source }
}
