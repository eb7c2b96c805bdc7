//! Consumer group lag over time: how much, which way it goes, what state that is, how far behind in seconds,
//! when it will be drained.
//!
//! | module | what it is |
//! |---|---|
//! | [`burrow`] | the state of one partition by a window of commits: Burrow's published rules |
//! | [`partition`] | what a row of readings says of one partition's commits and of the log's ends |
//!
//! All of it is worked out when a reading comes in; whoever draws a frame reads figures.

mod burrow;
mod partition;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use self::burrow::PartitionStatus;
use self::partition::PartitionTrack;
use crate::clean::Clean;
use crate::event::{GroupLag, PartitionLag};
use crate::state::Severity;

/// Readings kept for each group's trend; at one every 5 to 30 s that is 5 to 30 minutes.
const KEPT: usize = 60;

/// What growth is measured over, where readings are closer together: commits come in steps.
const PACE: TimeDelta = TimeDelta::seconds(30);

/// A lag that has grown by no more records than this is no news before the window of commits tells it.
const JITTER: i64 = 1_000;

/// A topic that nobody of its group reads is abandoned when its offsets have not moved for so long.
const ABANDONED: TimeDelta = TimeDelta::minutes(30);

/// State of a group: Burrow's states, and that nothing can be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum GroupState {
    /// It keeps up, or catches up.
    Ok,
    /// Nothing was ever committed, or the end is not known.
    #[default]
    Unknown,
    /// It commits, and its lag never drops.
    Warn,
    /// It went back, and has not come to where it was.
    Rewind,
    /// It is alive, has lag, and its offsets do not move.
    Stall,
    /// It has lag and does not commit any more.
    Stop,
}

impl GroupState {
    /// Returns the word on the screen and in `status --json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warn => "WARN",
            Self::Rewind => "REWIND",
            Self::Stall => "STALL",
            Self::Stop => "STOP",
        }
    }
}

impl From<PartitionStatus> for GroupState {
    fn from(verdict: PartitionStatus) -> Self {
        match verdict {
            PartitionStatus::Ok => Self::Ok,
            PartitionStatus::Warn => Self::Warn,
            PartitionStatus::Rewind => Self::Rewind,
            PartitionStatus::Stall => Self::Stall,
            PartitionStatus::Stop => Self::Stop,
        }
    }
}

/// Time until a lag is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drains {
    /// After so many seconds.
    In(f64),
    /// It does not fall.
    Never,
    /// It is unknown, or there is nothing to say: it is as small as ever.
    Unsaid,
}

/// One group over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Newest reading.
    pub now: GroupLag,
    /// Total lag at each reading, oldest first; `None` where no partition's lag was known.
    pub history: VecDeque<(DateTime<Utc>, Option<i64>)>,
    /// By topic and partition.
    tracks: BTreeMap<Clean, BTreeMap<u32, PartitionTrack>>,
    /// Topics that the group no longer reads: they are no part of its lag.
    pub abandoned: BTreeSet<Clean>,
    state: GroupState,
    seconds_behind: Option<f64>,
    /// Its lag began to grow, and has not dropped since.
    #[serde(default)]
    growing: bool,
    /// Number of records that retention deleted before they were consumed, all partitions together; `None`
    /// where no log's beginning is known.
    pub lost: Option<i64>,
    /// Number of records not consumed in the topics that are abandoned; `None` where there are no such
    /// topics.
    pub apart: Option<i64>,
}

/// One partition as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partition<'a> {
    /// Newest reading.
    pub now: &'a PartitionLag,
    /// State of the partition.
    pub state: GroupState,
    /// Age of the oldest record not consumed, seconds.
    pub seconds_behind: Option<f64>,
}

impl Group {
    fn new(now: &GroupLag) -> Self {
        Self {
            now: now.clone(),
            history: VecDeque::new(),
            tracks: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            state: GroupState::Unknown,
            seconds_behind: None,
            growing: false,
            lost: None,
            apart: None,
        }
    }

    fn fold(&mut self, at: DateTime<Utc>, reading: &GroupLag) {
        self.now = reading.clone();
        let mut before = std::mem::take(&mut self.tracks);
        let assigned = reading.assigned();
        let peopled = reading.members != Some(0);
        for partition in &reading.partitions {
            let topic = &partition.topic;
            let number = partition.partition;
            let mut track =
                before.get_mut(topic).and_then(|tracks| tracks.remove(&number)).unwrap_or_default();
            track.fold(at, partition, if assigned { partition.client.is_some() } else { peopled });
            self.tracks.entry(topic.clone()).or_default().insert(number, track);
        }
        self.abandoned = self.left(at);
        let (left, counted): (Vec<_>, Vec<_>) =
            self.partitions().partition(|p| self.abandoned.contains(&p.now.topic));
        let apart = left.iter().filter_map(|p| p.now.lag()).reduce(i64::saturating_add);
        let lag = counted.iter().filter_map(|p| p.now.lag()).reduce(i64::saturating_add);
        let state =
            counted.iter().filter(|p| p.now.lag().is_some()).map(|p| p.state).max().unwrap_or_default();
        let behind = counted
            .iter()
            .filter(|p| p.now.lag().is_some())
            .map(|p| p.seconds_behind)
            .collect::<Option<Vec<f64>>>();
        let lost = counted.iter().filter_map(|p| p.now.lost()).reduce(i64::saturating_add);
        self.state = state;
        self.seconds_behind = behind.and_then(|all| all.into_iter().reduce(f64::max));
        self.lost = lost;
        self.apart = apart;
        if self.history.len() == KEPT {
            self.history.pop_front();
        }
        let dropped = self.lag().zip(lag).is_none_or(|(before, now)| now < before);
        self.history.push_back((at, lag));
        self.growing = self.surges() || (self.growing && !dropped);
    }

    /// Topics without an owner in a group that owns others: it does not read them any more. One that has just
    /// been committed may only be between two owners.
    fn left(&self, at: DateTime<Utc>) -> BTreeSet<Clean> {
        let owned: BTreeSet<&Clean> =
            self.now.partitions.iter().filter(|p| p.client.is_some()).map(|p| &p.topic).collect();
        let quiet = |tracks: &BTreeMap<u32, PartitionTrack>| {
            tracks.values().all(|track| !track.moved_within(ABANDONED, at))
        };
        let left = self
            .tracks
            .iter()
            .filter(|(topic, tracks)| !owned.is_empty() && !owned.contains(topic) && quiet(tracks));
        left.map(|(topic, _)| topic.clone()).collect()
    }

    /// Iterates over its partitions, sorted by topic and number, the abandoned ones among them.
    pub fn partitions(&self) -> impl Iterator<Item = Partition<'_>> {
        self.now.partitions.iter().map(|now| {
            let track = self.tracks.get(&now.topic).and_then(|tracks| tracks.get(&now.partition));
            let state = track.and_then(|track| track.verdict).map_or(GroupState::Unknown, GroupState::from);
            Partition { now, state, seconds_behind: track.and_then(|track| track.behind(now)) }
        })
    }

    /// Returns the number of records not consumed, over the partitions whose lag is known and that are not
    /// abandoned.
    pub fn lag(&self) -> Option<i64> {
        self.history.back()?.1
    }

    /// Returns the records per second by which the lag grew of late (negative: it falls).
    pub fn growth(&self) -> Option<f64> {
        let (to, now) = self.history.back()?;
        let earlier = || self.history.iter().rev().skip(1);
        let (from, then) =
            earlier().take_while(|(from, _)| *to - *from <= PACE).last().or_else(|| earlier().next())?;
        let seconds = (*to - *from).as_seconds_f64();
        let records = i32::try_from((*now)?.saturating_sub((*then)?)).map(f64::from).ok()?;
        (seconds > 0.0).then(|| records / seconds)
    }

    /// Returns its state: the worst of its partitions.
    pub fn state(&self) -> GroupState {
        self.state
    }

    /// Returns whether the group is in trouble: by its state, or because its lag has begun to grow and the
    /// window of commits does not tell it yet.
    pub fn in_trouble(&self) -> bool {
        self.state > GroupState::Unknown || self.growing()
    }

    /// Returns whether its lag began to grow and has not dropped since.
    pub fn growing(&self) -> bool {
        self.growing
    }

    /// Whether it grew at each of the last three steps and is now twice what it was: less is jitter.
    fn surges(&self) -> bool {
        let last: Vec<i64> = self.history.iter().rev().take(4).filter_map(|(_, lag)| *lag).collect();
        let [now, .., then] = last[..] else { return false };
        last.len() == 4
            && last.windows(2).all(|pair| pair[0] > pair[1])
            && now > then.saturating_mul(2).max(then.saturating_add(JITTER))
    }

    /// Returns the age of the oldest record not consumed, seconds: when the log's end was where the worst
    /// partition's commit is now. `None` where that was before the first reading.
    pub fn seconds_behind(&self) -> Option<f64> {
        self.seconds_behind
    }

    /// Returns its severity.
    pub fn severity(&self) -> Severity {
        match self.state {
            GroupState::Stop | GroupState::Stall => Severity::Critical,
            _ if self.in_trouble() => Severity::Warn,
            _ => Severity::Ok,
        }
    }

    /// Returns the number of partitions that are no part of its lag because nobody can say theirs: nothing
    /// was committed, or the end is not known.
    pub fn unknown(&self) -> usize {
        self.partitions().filter(|p| p.now.lag().is_none() && !self.abandoned.contains(&p.now.topic)).count()
    }

    /// Returns the number of commits that were seen of the partition that fewest are known of, and how many
    /// are needed to judge it; `None` once all are.
    pub fn window(&self) -> Option<(usize, usize)> {
        let behind =
            self.now.partitions.iter().filter(|p| p.lag() > Some(0) && !self.abandoned.contains(&p.topic));
        let seen =
            behind.filter_map(|p| Some(self.tracks.get(&p.topic)?.get(&p.partition)?.commits())).min()?;
        (seen < partition::WINDOW).then_some((seen, partition::WINDOW))
    }

    /// Whether what it lags behind is no more than jitter makes.
    fn keeps_up(&self) -> bool {
        !self.in_trouble() && self.lag() <= Some(JITTER)
    }

    /// Returns the time until the lag is gone.
    pub fn drains(&self) -> Drains {
        match (self.seconds_to_drain(), self.growth()) {
            (Some(span), _) => Drains::In(span),
            (None, Some(_)) if !self.keeps_up() => Drains::Never,
            _ => Drains::Unsaid,
        }
    }

    /// Returns the seconds until the lag is gone at the present pace; 0 where what is left is less than a
    /// second's worth; `None` while it does not fall.
    pub fn seconds_to_drain(&self) -> Option<f64> {
        let lag = i32::try_from(self.lag()?).map(f64::from).ok()?;
        if lag == 0.0 || (!self.in_trouble() && self.seconds_behind.is_some_and(|behind| behind < 1.0)) {
            return Some(0.0);
        }
        let pace = -self.growth()?;
        (pace > 0.0).then(|| lag / pace)
    }
}

/// Lag of all consumer groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// Groups by id.
    pub groups: BTreeMap<Clean, Group>,
    /// Time when they were read.
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

    /// Returns the groups, the worst first, then by lag.
    pub fn rows(&self) -> Vec<&Group> {
        let mut rows: Vec<&Group> = self.groups.values().collect();
        rows.sort_by_key(|g| (std::cmp::Reverse((g.severity(), g.state(), g.lag())), g.now.group.clone()));
        rows
    }
}

#[cfg(test)]
mod tests;
