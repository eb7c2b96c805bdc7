//! Consumer group lag over time: how much, which way it goes, how far behind in seconds, when it will be drained.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{GroupLag, PartitionLag};

/// Readings kept for each group and partition; at one every 10 to 30 s that is 10 to 30 minutes.
const KEPT: usize = 60;

/// What a group's lag does. The words are Burrow's, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum GroupState {
    /// It keeps up, or catches up.
    Ok,
    /// Nothing was ever committed, or the end is not known.
    Unknown,
    /// Its lag grows although it has members.
    Warn,
    /// It has lag and no members.
    Stop,
}

impl GroupState {
    /// The word on the screen and in `status --json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warn => "WARN",
            Self::Stop => "STOP",
        }
    }
}

/// A log's end at each reading, oldest first.
type Ends = VecDeque<(DateTime<Utc>, i64)>;

/// One group over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The newest reading.
    pub now: GroupLag,
    /// Total lag at each reading, oldest first; `None` where no partition's lag was known.
    pub history: VecDeque<(DateTime<Utc>, Option<i64>)>,
    /// Log ends by topic and partition, oldest first: what an offset's age is read from.
    ends: BTreeMap<Clean, BTreeMap<u32, Ends>>,
}

impl Group {
    fn new(now: &GroupLag) -> Self {
        Self { now: now.clone(), history: VecDeque::new(), ends: BTreeMap::new() }
    }

    fn fold(&mut self, at: DateTime<Utc>, reading: &GroupLag) {
        self.now = reading.clone();
        push(&mut self.history, (at, total(reading)));
        for partition in &reading.partitions {
            let ring = self.ends.entry(partition.topic.clone()).or_default().entry(partition.partition).or_default();
            partition.end.into_iter().for_each(|end| push(ring, (at, end)));
        }
    }

    /// Records not consumed, over the partitions whose lag is known.
    pub fn lag(&self) -> Option<i64> {
        total(&self.now)
    }

    /// Records a second by which the lag grew since the reading before (negative: it falls).
    pub fn growth(&self) -> Option<f64> {
        let mut newest = self.history.iter().rev();
        let ((to, now), (from, then)) = (newest.next()?, newest.next()?);
        let seconds = (*to - *from).as_seconds_f64();
        let records = i32::try_from((*now)? - (*then)?).map(f64::from).ok()?;
        (seconds > 0.0).then(|| records / seconds)
    }

    /// What it does.
    pub fn state(&self) -> GroupState {
        match (self.lag(), self.now.members) {
            (None, _) => GroupState::Unknown,
            (Some(0), _) => GroupState::Ok,
            (Some(_), Some(0)) => GroupState::Stop,
            _ if self.growing() => GroupState::Warn,
            _ => GroupState::Ok,
        }
    }

    /// Whether it grew at each of the last two steps: one step alone is jitter.
    fn growing(&self) -> bool {
        let last: Vec<i64> = self.history.iter().rev().take(3).filter_map(|(_, lag)| *lag).collect();
        last.len() == 3 && last.windows(2).all(|pair| pair[0] > pair[1])
    }

    /// Age of the oldest record not consumed, seconds: when the log's end was where the worst partition's commit is now.
    /// `None` where that was before the first reading.
    pub fn seconds_behind(&self) -> Option<f64> {
        let behind = self.now.partitions.iter().map(|p| self.partition_behind(p)).collect::<Option<Vec<f64>>>()?;
        behind.into_iter().reduce(f64::max)
    }

    fn partition_behind(&self, partition: &PartitionLag) -> Option<f64> {
        if partition.lag()? == 0 {
            return Some(0.0);
        }
        let (committed, ends) = (partition.committed?, self.ends.get(&partition.topic)?.get(&partition.partition)?);
        let newest = ends.back()?.0;
        let reached = ends.iter().zip(ends.iter().skip(1)).find_map(|(a, b)| crossing(a, b, committed))?;
        Some((newest - reached).as_seconds_f64().max(0.0))
    }

    /// Seconds until the lag is gone at the present pace; `None` while it does not fall.
    pub fn seconds_to_drain(&self) -> Option<f64> {
        let lag = i32::try_from(self.lag()?).map(f64::from).ok()?;
        if lag == 0.0 {
            return Some(0.0);
        }
        let pace = -self.growth()?;
        (pace > 0.0).then(|| lag / pace)
    }
}

/// When the end passed `offset` between two readings.
fn crossing(a: &(DateTime<Utc>, i64), b: &(DateTime<Utc>, i64), offset: i64) -> Option<DateTime<Utc>> {
    if !(a.1 <= offset && offset < b.1) {
        return None;
    }
    let (done, whole) = (i32::try_from(offset - a.1).ok()?, i32::try_from(b.1 - a.1).ok()?);
    let share = f64::from(done) / f64::from(whole);
    let span = (b.0 - a.0).as_seconds_f64() * share;
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds between two readings")]
    Some(a.0 + TimeDelta::milliseconds((span * 1000.0) as i64))
}

fn total(reading: &GroupLag) -> Option<i64> {
    reading.partitions.iter().filter_map(PartitionLag::lag).reduce(i64::saturating_add)
}

fn push<T>(ring: &mut VecDeque<T>, item: T) {
    if ring.len() == KEPT {
        ring.pop_front();
    }
    ring.push_back(item);
}

/// All groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// By id.
    pub groups: BTreeMap<Clean, Group>,
    /// When they were read.
    pub at: Option<DateTime<Utc>>,
}

impl Lag {
    /// Takes in one reading of all groups; a group that is not in it is gone.
    pub fn fold(&mut self, at: DateTime<Utc>, groups: &[GroupLag]) {
        self.groups.retain(|id, _| groups.iter().any(|g| g.group == *id));
        for reading in groups {
            self.groups.entry(reading.group.clone()).or_insert_with(|| Group::new(reading)).fold(at, reading);
        }
        self.at = Some(at);
    }

    /// Groups, the worst state first, then by lag.
    pub fn rows(&self) -> Vec<&Group> {
        let mut rows: Vec<&Group> = self.groups.values().collect();
        rows.sort_by_key(|g| (std::cmp::Reverse((g.state(), g.lag())), g.now.group.clone()));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn reading(committed: Option<i64>, end: i64, members: u32) -> Vec<GroupLag> {
        let partition = PartitionLag { topic: "documents".into(), partition: 0, committed, end: Some(end) };
        vec![GroupLag { group: "g".into(), members: Some(members), partitions: vec![partition] }]
    }

    fn after(readings: &[(i64, Option<i64>, i64)]) -> Group {
        let mut lag = Lag::default();
        for (second, committed, end) in readings {
            lag.fold(at(*second), &reading(*committed, *end, 1));
        }
        lag.groups["g"].clone()
    }

    #[test]
    fn a_group_that_never_committed_is_unknown_and_not_the_whole_log() {
        let group = after(&[(0, None, 1_000_000)]);
        assert_eq!((group.lag(), group.state(), group.seconds_behind()), (None, GroupState::Unknown, None));
    }

    #[test]
    fn growing_twice_in_a_row_is_a_warning_and_falling_drains() {
        let growing = after(&[(0, Some(0), 0), (10, Some(1_000), 4_000), (20, Some(2_000), 8_000)]);
        assert_eq!((growing.lag(), growing.state(), growing.growth()), (Some(6_000), GroupState::Warn, Some(300.0)));
        assert_eq!(growing.seconds_to_drain(), None);
        let falling = after(&[(0, Some(0), 6_000), (10, Some(4_000), 8_000)]);
        assert_eq!((falling.state(), falling.seconds_to_drain()), (GroupState::Ok, Some(20.0)));
    }

    #[test]
    fn seconds_behind_is_the_age_of_the_commit() {
        let group = after(&[(0, Some(0), 0), (10, Some(500), 4_000), (20, Some(2_000), 8_000)]);
        assert_eq!(group.seconds_behind(), Some(15.0));
    }

    #[test]
    fn lag_without_members_has_stopped() {
        let mut lag = Lag::default();
        lag.fold(at(0), &reading(Some(5), 10, 0));
        assert_eq!(lag.groups["g"].state(), GroupState::Stop);
        lag.fold(at(10), &[]);
        assert!(lag.groups.is_empty());
    }
}
