//! A recording as it is replayed: checkpoints, records and gaps, in order. What is damaged is stepped over
//! and named, never shown and never an error. Nothing is written here: a recording may be read while it is
//! being written, and from a folder that is read-only.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::error::JournalError;
use super::format::{Checkpoint, Commit, Corruption, Header, Line, Lost, Mark, RawRecord};
use super::scan::{Scan, end, header, segment_numbers};
use super::segment::{packed_path, plain_path};

/// A recording, open for reading.
#[derive(Clone, Debug)]
pub struct Recording {
    path: PathBuf,
    segments: Vec<SegmentInfo>,
    end: Option<Commit>,
    sealed: bool,
}

/// Header and size of a segment.
#[derive(Clone, Debug)]
pub struct SegmentInfo {
    /// Number of the segment, from 1.
    pub number: u32,
    /// Header, unless that is damaged. The segment ends where the next one begins.
    pub header: Option<Header>,
    /// Size on disk, bytes.
    pub bytes: u64,
}

/// A place in a recording.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Record of that number.
    Seq(u64),
    /// That point in time.
    At(DateTime<Utc>),
}

/// Item of a recording, in order.
#[derive(Clone, Debug)]
pub enum Item {
    /// The world as it was here. The first one is where a replay begins; after a gap the next one makes it
    /// right again.
    Checkpoint(Checkpoint),
    /// An event. Before any checkpoint it can be listed, but there is no world to apply it to.
    Record(RawRecord),
    /// Records are missing here.
    Gap(Gap),
}

/// Range of records that are missing, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Number of the first one missing.
    pub from_seq: u64,
    /// Number of the last one missing; unknown at the end of the recording.
    pub to_seq: Option<u64>,
    /// Why they are missing.
    pub why: Why,
}

/// Why records are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The writer could not keep them, and says so.
    Lost(String),
    /// The file is damaged here.
    Damaged {
        /// In which segment.
        segment: u32,
        /// Where, in bytes of the plain segment.
        offset: u64,
        /// How.
        fault: Corruption,
    },
    /// The numbers jump, or a whole segment is not there.
    Missing,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(why) => f.write_str(why),
            Self::Damaged { segment, offset, fault } => {
                write!(f, "segment {segment:06} is damaged at byte {offset}: {fault}")
            }
            Self::Missing => f.write_str("they are not in the recording"),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_seq {
            Some(to) => write!(f, "records {} to {to} are missing: {}", self.from_seq, self.why),
            None => write!(f, "records from {} on are missing: {}", self.from_seq, self.why),
        }
    }
}

impl Recording {
    /// Opens a recording's folder and reads the heads of its segments.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let numbers = segment_numbers(path)?;
        let size = |file: PathBuf| file.metadata().map(|found| found.len()).ok();
        let info = |number| {
            let bytes =
                size(plain_path(path, number)).or_else(|| size(packed_path(path, number))).unwrap_or(0);
            header(path, number).map(|header| SegmentInfo { number, header, bytes })
        };
        let mut end_of_last = numbers.last().and_then(|last| end(path, *last));
        let mut segments: Vec<SegmentInfo> =
            numbers.iter().map(|number| info(*number)).collect::<Result<_, _>>()?;
        if let Some(before) = given_up(path, &segments, end_of_last.as_ref()) {
            segments.pop();
            end_of_last = Some(before);
        }
        let (end, sealed) = end_of_last.unzip();
        Ok(Self { path: path.to_path_buf(), segments, end, sealed: sealed.unwrap_or(false) })
    }

    /// Returns the folder of the recording.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the segments, in order.
    pub fn segments(&self) -> &[SegmentInfo] {
        &self.segments
    }

    /// Returns the first header that can be read.
    pub fn header(&self) -> Option<&Header> {
        self.segments.iter().find_map(|segment| segment.header.as_ref())
    }

    /// Returns the last commit.
    pub fn end(&self) -> Option<&Commit> {
        self.end.as_ref()
    }

    /// Returns whether the recording was sealed; otherwise its program was killed, or still runs.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Iterates over all items from the beginning.
    pub fn items(&self) -> Items {
        self.items_from(0)
    }

    /// Iterates over the items from the last whole checkpoint at or before `to`. The caller steps over what
    /// comes before `to` itself.
    pub fn seek(&self, to: Target) -> Items {
        let mut before = self.before(to, None);
        before.find_map(|(head, items)| items.at_checkpoint(head.seq)).unwrap_or_else(|| self.items())
    }

    /// The segments whose headers are at or before `to`, and behind record `after`, the last one first; each
    /// with everything from there on. Nothing of them is read yet: the first item is the checkpoint with the
    /// header's `seq`, if that is whole.
    pub fn before(&self, to: Target, after: Option<u64>) -> impl Iterator<Item = (&Header, Items)> {
        let is_between = move |header: &&Header| {
            let is_before = match to {
                Target::Seq(seq) => header.seq <= seq,
                Target::At(at) => header.at <= at,
            };
            is_before && after.is_none_or(|after| header.seq > after)
        };
        self.segments.iter().enumerate().rev().filter_map(move |(index, segment)| {
            let header = segment.header.as_ref().filter(is_between)?;
            Some((header, self.items_from(index)))
        })
    }

    fn items_from(&self, index: usize) -> Items {
        let ahead: VecDeque<u32> = self.segments[index..].iter().map(|segment| segment.number).collect();
        let seq = (index == 0).then_some(0);
        Items {
            folder: self.path.clone(),
            ahead,
            segment: 0,
            scan: None,
            seq,
            why: None,
            ready: VecDeque::new(),
        }
    }
}

/// Where the last segment but one ends, if its writer gave the last one up at birth and went on in that: a
/// checkpoint without records stands behind what was written since.
fn given_up(
    path: &Path,
    segments: &[SegmentInfo],
    end_of_last: Option<&(Commit, bool)>,
) -> Option<(Commit, bool)> {
    let [.., before, last] = segments else { return None };
    let head = last.header.as_ref()?.seq;
    if end_of_last.is_some_and(|(commit, sealed)| *sealed || commit.seq > head) {
        return None;
    }
    end(path, before.number).filter(|(commit, _)| commit.seq > head)
}

/// Iterator over the items of a recording from some segment on.
pub struct Items {
    folder: PathBuf,
    ahead: VecDeque<u32>,
    segment: u32,
    scan: Option<Scan>,
    /// The last record that is accounted for; none before the first item of a later segment.
    seq: Option<u64>,
    /// Damage since then, in case records turn out to be missing.
    why: Option<Why>,
    ready: VecDeque<Item>,
}

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while self.ready.is_empty() && self.step() {}
        self.ready.pop_front()
    }
}

impl Items {
    /// Itself, if it begins with this checkpoint; behind a segment that cannot be read comes the next one's.
    fn at_checkpoint(mut self, seq: u64) -> Option<Self> {
        let first = self.next().filter(|item| matches!(item, Item::Checkpoint(it) if it.seq == seq))?;
        self.ready.push_front(first);
        Some(self)
    }

    /// Reads one line or opens one segment; false at the end.
    fn step(&mut self) -> bool {
        let Some(scan) = &mut self.scan else { return self.open_next() };
        match scan.next().map(|line| (line.offset, line.content)) {
            None => self.scan = None,
            Some((_, Ok(line))) => self.take(line),
            Some((offset, Err(fault))) => {
                self.why = Some(Why::Damaged { segment: self.segment, offset, fault });
            }
        }
        true
    }

    fn open_next(&mut self) -> bool {
        let Some(number) = self.ahead.pop_front() else {
            if let (Some(last), Some(why)) = (self.seq, self.why.take()) {
                self.ready.push_back(Item::Gap(Gap { from_seq: last.saturating_add(1), to_seq: None, why }));
            }
            return false;
        };
        self.segment = number;
        match Scan::open(&self.folder, number) {
            Ok(scan) => self.scan = Some(scan),
            Err(error) => {
                self.why = Some(Why::Damaged {
                    segment: number,
                    offset: 0,
                    fault: Corruption::Unreadable(error.to_string()),
                });
            }
        }
        true
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Record(record) => {
                if self.account_for(record.seq) {
                    self.seq = Some(record.seq);
                    self.ready.push_back(Item::Record(record));
                }
            }
            Line::Mark(Mark::Checkpoint(checkpoint)) => {
                // A segment that its writer gave up at birth stands behind what was written since; its
                // checkpoint is of no use.
                if self.seq.is_none_or(|last| last <= checkpoint.seq) {
                    self.account_for(checkpoint.seq.saturating_add(1));
                    self.seq = Some(checkpoint.seq);
                    self.ready.push_back(Item::Checkpoint(checkpoint));
                }
            }
            Line::Mark(Mark::Gap(lost)) => self.take_gap(lost),
            Line::Mark(Mark::Header(_) | Mark::Commit(_) | Mark::Sealed(_)) => {}
        }
    }

    /// Says what is missing between the last record and `next`, and whether `next` is new at all.
    fn account_for(&mut self, next: u64) -> bool {
        let Some(last) = self.seq else { return true };
        if next <= last {
            return false;
        }
        let why = self.why.take();
        if next - last > 1 {
            let why = why.unwrap_or(Why::Missing);
            self.ready.push_back(Item::Gap(Gap { from_seq: last + 1, to_seq: Some(next - 1), why }));
        }
        true
    }

    /// Some records may be there that their writer gave up, for instance when only the sync failed: the gap
    /// is what remains.
    fn take_gap(&mut self, gap: Lost) {
        let Some(last) = self.seq.filter(|last| *last < gap.to_seq) else { return };
        self.account_for(gap.from_seq);
        let from_seq = gap.from_seq.max(last + 1);
        self.seq = Some(gap.to_seq);
        self.ready.push_back(Item::Gap(Gap { from_seq, to_seq: Some(gap.to_seq), why: Why::Lost(gap.why) }));
    }
}
