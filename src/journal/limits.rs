//! How much is gathered before it is written: how long a record waits, how large a segment gets.

use std::time::Duration;

/// Limits of what is gathered before it is written.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest time that an observation waits for its commit.
    pub group: Duration,
    /// Least size of a segment's records, bytes; a segment takes as many as its checkpoint has where that is
    /// more.
    pub segment: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { group: Duration::from_millis(200), segment: 4 << 20 }
    }
}
