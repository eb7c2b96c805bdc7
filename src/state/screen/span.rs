//! How far back the charts look: a few lengths, one for all of them, so that one look compares them.

use chrono::TimeDelta;

/// Minutes, the shortest first.
const MINUTES: [i64; 7] = [5, 15, 60, 180, 360, 720, 1_440];

/// Time range of the charts: one of a few lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(usize);

impl Default for Span {
    /// 15 minutes.
    fn default() -> Self {
        Self(1)
    }
}

impl Span {
    /// Iterates over all lengths, the shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..MINUTES.len()).map(Self)
    }

    /// Returns its length.
    pub fn length(self) -> TimeDelta {
        TimeDelta::minutes(MINUTES[self.0])
    }

    /// Returns the next longer one; the longest stays.
    #[must_use]
    pub fn longer(self) -> Self {
        Self((self.0 + 1).min(MINUTES.len() - 1))
    }

    /// Returns the next shorter one; the shortest stays.
    #[must_use]
    pub fn shorter(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Returns its length in words: `15 min`, `24 h`.
    pub fn words(self) -> String {
        match MINUTES[self.0] {
            minutes if minutes < 60 => format!("{minutes} min"),
            minutes => format!("{} h", minutes / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_5_minutes_to_24_hours_and_no_further() {
        let words: Vec<String> = Span::all().map(Span::words).collect();
        assert_eq!(words, ["5 min", "15 min", "1 h", "3 h", "6 h", "12 h", "24 h"]);
        let ends = (0..9).fold((Span::default(), Span::default()), |(a, b), _| (a.shorter(), b.longer()));
        assert_eq!((ends.0.words(), ends.1.words()), ("5 min".into(), "24 h".into()));
    }
}
