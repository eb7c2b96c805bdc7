//! One partition of a group over time: its commits as far as readings show them, and the log's ends, by which
//! an offset has an age.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::burrow::{self, Commit, PartitionStatus};
use crate::event::PartitionLag;

/// Commits in a window, and recent ends of the log beside it: Burrow's `intervals`.
pub(in crate::state) const WINDOW: usize = 10;

/// Ends of the log that are kept. The newest half is every one that was read; the older half is thinned, so
/// that it reaches far back.
const ENDS: usize = 60;

/// Records that a partition may lag behind without being in trouble, whatever its commits say: Burrow's
/// `allowed-lag`. Without it, a topic that holds a record or two at each reading is a warning whenever ten of
/// these small figures happen not to fall.
const ALLOWED: i64 = 10;

/// What was committed was committed before it was seen, nobody knows when.
const BEFORE: TimeDelta = TimeDelta::milliseconds(1);

/// A partition over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::state) struct PartitionTrack {
    commits: VecDeque<Commit>,
    /// When the log ended where, oldest first.
    ends: VecDeque<(DateTime<Utc>, i64)>,
    /// Since when the offset is what it is, as far as was seen.
    since: Option<DateTime<Utc>>,
    /// Whether it was ever seen to move.
    moved: bool,
    /// How long the offset stays between two moves, in milliseconds: the longest of late.
    rhythm: i64,
    /// What it does; unknown without a commit or an end.
    pub(in crate::state) verdict: Option<PartitionStatus>,
}

impl PartitionTrack {
    /// Takes in one reading. `owned` is whether somebody is there who could commit.
    pub(in crate::state) fn fold(&mut self, at: DateTime<Utc>, partition: &PartitionLag, owned: bool) {
        if let Some(end) = partition.end {
            thin(&mut self.ends);
            self.ends.push_back((at, end));
        }
        self.verdict = partition.committed.zip(partition.lag()).map(|(offset, lag)| {
            self.commit(at, offset, lag, owned);
            self.judge(at, lag, owned)
        });
    }

    /// A reading tells the offset and not when it was committed. One that differs was committed since the
    /// reading before. One that is the same was committed again by a consumer that is alive, once it has been
    /// silent for longer than it usually is.
    fn commit(&mut self, at: DateTime<Utc>, offset: i64, lag: i64, owned: bool) {
        match self.commits.back() {
            None => {
                self.since = Some(at);
                self.push(Commit { at: if owned { at } else { at - BEFORE }, offset, lag });
            }
            Some(last) if last.offset != offset => {
                let stayed = self.since.replace(at).map_or(0, |since| (at - since).num_milliseconds());
                self.moved = true;
                self.rhythm = stayed.max(self.rhythm / 2);
                self.push(Commit { at, offset, lag });
            }
            Some(last) if owned && (at - last.at).num_milliseconds() >= self.rhythm => {
                self.push(Commit { at, offset, lag });
            }
            Some(_) => {}
        }
    }

    fn push(&mut self, commit: Commit) {
        if self.commits.len() == WINDOW {
            self.commits.pop_front();
        }
        self.commits.push_back(commit);
    }

    /// By Burrow's rules, once the window is full. Where nobody is left who could fill it, only whether it
    /// has stopped is asked. Who is alive and within its rhythm is not silent.
    fn judge(&mut self, at: DateTime<Utc>, lag: i64, owned: bool) -> PartitionStatus {
        let full = self.commits.len() == WINDOW;
        let ends = self.ends.iter().rev().take(WINDOW).map(|(_, end)| *end);
        let now = self.commits.back().filter(|_| owned).map_or(at, |last| last.at);
        match burrow::judge(self.commits.make_contiguous(), ends, lag, ALLOWED, now) {
            verdict if full => verdict,
            PartitionStatus::Stop if !owned => PartitionStatus::Stop,
            _ => PartitionStatus::Ok,
        }
    }

    /// Commits in the window.
    pub(in crate::state) fn commits(&self) -> usize {
        self.commits.len()
    }

    /// Whether its offset moved within `span` before `at`.
    pub(in crate::state) fn moved_within(&self, span: TimeDelta, at: DateTime<Utc>) -> bool {
        self.moved && self.since.is_some_and(|since| at - since < span)
    }

    /// Age of the oldest record not consumed, seconds: how long ago the log ended at the committed offset.
    /// `None` where that was before the first reading.
    pub(in crate::state) fn behind(&self, partition: &PartitionLag) -> Option<f64> {
        if partition.lag()? == 0 {
            return Some(0.0);
        }
        let committed = partition.committed?;
        let newest = self.ends.back()?.0;
        let reached =
            self.ends.iter().zip(self.ends.iter().skip(1)).find_map(|(a, b)| crossing(*a, *b, committed))?;
        Some((newest - reached).as_seconds_f64().max(0.0))
    }
}

/// Makes room for one more: every second one of the older half goes.
fn thin(ends: &mut VecDeque<(DateTime<Utc>, i64)>) {
    if ends.len() == ENDS {
        let mut place = 0;
        ends.retain(|_| {
            place += 1;
            place > ENDS / 2 || place % 2 == 1
        });
    }
}

/// When the end passed `offset` between two readings.
fn crossing(a: (DateTime<Utc>, i64), b: (DateTime<Utc>, i64), offset: i64) -> Option<DateTime<Utc>> {
    if !(a.1 <= offset && offset < b.1) {
        return None;
    }
    let done = i128::from(offset - a.1);
    let whole = i128::from(b.1 - a.1);
    let span = i128::from((b.0 - a.0).num_milliseconds()) * done / whole;
    Some(a.0 + TimeDelta::milliseconds(i64::try_from(span).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn reading(committed: i64, end: i64) -> PartitionLag {
        PartitionLag { committed: Some(committed), end: Some(end), ..PartitionLag::default() }
    }

    /// What is said at each reading, one every five seconds.
    fn told(readings: impl IntoIterator<Item = (i64, i64, bool)>) -> Vec<PartitionStatus> {
        let mut track = PartitionTrack::default();
        let mut fold = |(n, (committed, end, owned)): (i64, (i64, i64, bool))| {
            track.fold(at(n * 5), &reading(committed, end), owned);
            track.verdict.unwrap()
        };
        (0..).zip(readings).map(&mut fold).collect()
    }

    #[test]
    fn a_consumer_that_falls_behind_is_warned_of_when_the_window_is_full() {
        let told = told((0..12).map(|n| (n * 100, n * 400 + 50, true)));
        assert_eq!(told[..9], [PartitionStatus::Ok; 9]);
        assert_eq!(told[9..], [PartitionStatus::Warn; 3]);
    }

    #[test]
    fn a_consumer_that_hangs_stalls_and_one_that_is_gone_has_stopped() {
        let alive = |hangs: i64, owned: bool| {
            (0..24).map(move |n| (n.min(hangs) * 100, n * 100 + 50 - n % 2 * 30, owned || n <= hangs))
        };
        let hung = told(alive(11, true));
        assert_eq!(
            (hung[15], hung[20], hung[23]),
            (PartitionStatus::Ok, PartitionStatus::Stall, PartitionStatus::Stall),
            "ten commits of the same offset"
        );
        let gone = told(alive(11, false));
        assert_eq!(
            (gone[11], gone[20], gone[21]),
            (PartitionStatus::Ok, PartitionStatus::Ok, PartitionStatus::Stop),
            "silent for longer than the window"
        );
    }

    #[test]
    fn a_group_without_members_has_stopped_at_first_sight() {
        assert_eq!(told([(5, 500, false)]), [PartitionStatus::Stop]);
        assert_eq!(
            told([(5, 500, true)]),
            [PartitionStatus::Ok],
            "somebody is there, and the window is not full"
        );
        assert_eq!(told([(495, 500, false)]), [PartitionStatus::Ok], "so little is allowed");
    }

    #[test]
    fn a_consumer_that_commits_once_a_minute_does_not_stall_between() {
        let told = told((0..120).map(|n| (n / 12 * 600, n * 50 + 100, true)));
        assert!(told[24..].iter().all(|verdict| *verdict == PartitionStatus::Ok), "{told:?}");
    }

    #[test]
    fn an_offset_has_an_age_however_long_ago_the_log_ended_there() {
        let mut track = PartitionTrack::default();
        for n in 0..2_000 {
            track.fold(at(n * 5), &reading(0, n * 500), true);
        }
        assert!(track.ends.len() <= ENDS);
        for (committed, seconds) in [(0, 9_995.0), (999_500 - 250, 2.5), (999_000, 5.0), (500_000, 4_995.0)] {
            assert_eq!(track.behind(&reading(committed, 999_500)), Some(seconds));
        }
        assert_eq!(track.behind(&reading(-7, 999_500)), None, "before the first reading");
        assert_eq!(track.behind(&reading(999_500, 999_500)), Some(0.0));
    }
}
