//! The followed logs as a viewer sees them: lines of all streams in the order of time, bounded by bytes;
//! where the viewer is among them, what is searched for. What is being read stays where it is, whatever
//! comes: places are rows, and move with them.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::search::Search;
use crate::clean::Clean;
use crate::event::{Level, LogExtent, LogLine, LogSource, LogState, Uid};

/// Bytes kept, with what they need in memory.
const BYTES: usize = 4 << 20;
/// Maximum number of streams followed at once.
pub const STREAMS: usize = 50;
/// Streams of one view, those that have ended included.
const SOURCES: usize = 1000;
/// While so few rows are left above the place that is read, new lines go rather than that.
const READ: usize = 200;
/// Number of lines of each container read at first.
pub const TAIL: u32 = 500;

/// Workload or pod that the logs are of.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSubject {
    /// Uid of the workload or pod.
    pub uid: Uid,
    /// Kind in words: `deployment`, `pod`.
    pub kind: &'static str,
    /// Name of the workload or pod.
    pub name: Clean,
}

/// One container's stream.
#[derive(Clone, Debug, PartialEq)]
pub struct LogStream {
    /// Container that the stream is of.
    pub source: LogSource,
    /// State of the stream.
    pub state: LogState,
    /// The place in time of its last line: its lines keep their order even where their stamps do not.
    last: DateTime<Utc>,
}

impl LogStream {
    /// Returns whether more lines may come.
    pub fn live(&self) -> bool {
        !matches!(self.state, LogState::Ended(_))
    }
}

/// A line in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// Line itself.
    pub line: LogLine,
    /// Whether the search finds it.
    pub hit: bool,
    key: DateTime<Utc>,
}

impl LogRow {
    fn bytes(&self) -> usize {
        size_of::<Self>() + 2 * size_of::<usize>() + self.line.text.bytes() // a shared text has two counts
    }
}

/// Position of a viewer in the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At the newest line, with each that comes.
    Newest,
    /// This row is the last on the screen.
    Bottom(usize),
    /// This row is the first on the screen.
    Top(usize),
}

/// Preferences of how lines are shown: kept for the next log that is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogLook {
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Whether times are left out.
    pub timeless: bool,
    /// Whether JSON is shown as it came.
    pub raw: bool,
}

/// Followed logs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogView {
    /// Workload or pod that the logs are of.
    pub subject: LogSubject,
    /// Number of the request that they are followed under.
    pub number: u64,
    /// How much is read at first.
    pub extent: LogExtent,
    /// Streams; a line names its own by index.
    pub streams: Vec<LogStream>,
    /// Containers that are not followed because there are too many; each is as soon as there is room.
    pub left_out: Vec<LogSource>,
    rows: VecDeque<LogRow>,
    bytes: usize,
    /// Number of lines that were dropped.
    pub dropped: u64,
    /// Lines that came while older ones were read, and were not kept.
    missed: u64,
    /// Position of the viewer.
    pub place: Anchor,
    /// Row that a search or a jump has led to.
    pub cursor: Option<usize>,
    /// Number of columns scrolled to the right.
    pub right: usize,
    /// Search that is in use.
    pub search: Search,
}

impl LogView {
    /// Creates a view that follows nothing yet.
    pub fn new(subject: LogSubject, number: u64, extent: LogExtent) -> Self {
        Self {
            subject,
            number,
            extent,
            streams: Vec::new(),
            left_out: Vec::new(),
            rows: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            missed: 0,
            place: Anchor::Newest,
            cursor: None,
            right: 0,
            search: Search::default(),
        }
    }

    /// Takes on containers that are new, and those that were left out, as far as there is room; answers the
    /// streams to follow.
    pub fn add(&mut self, sources: Vec<LogSource>) -> Vec<(u16, LogSource)> {
        for source in sources {
            let known =
                self.streams.iter().any(|stream| stream.source == source) || self.left_out.contains(&source);
            // a batch of changes names a pod as often as it changed
            self.left_out.extend((!known).then_some(source));
        }
        let live = self.streams.iter().filter(|stream| stream.live()).count();
        let room = STREAMS
            .saturating_sub(live)
            .min(SOURCES.saturating_sub(self.streams.len()))
            .min(self.left_out.len());
        let added: Vec<_> = (self.streams.len()..)
            .filter_map(|number| u16::try_from(number).ok())
            .zip(self.left_out.drain(..room))
            .collect();
        let stream = |source: &LogSource| LogStream {
            source: source.clone(),
            state: LogState::Connecting,
            last: DateTime::UNIX_EPOCH,
        };
        self.streams.extend(added.iter().map(|(_, source)| stream(source)));
        added
    }

    /// Begins again with other logs or another extent: what was searched for and how it is looked at stay.
    pub fn restart(&mut self, number: u64, extent: LogExtent) {
        let search = std::mem::take(&mut self.search);
        *self = Self { search: search.emptied(), ..Self::new(self.subject.clone(), number, extent) };
    }

    /// Takes a new state of a stream.
    pub fn tell(&mut self, stream: u16, state: &LogState) {
        if let Some(stream) = self.streams.get_mut(usize::from(stream)) {
            stream.state.clone_from(state);
        }
    }

    /// Returns all rows, oldest first.
    pub fn rows(&self) -> &VecDeque<LogRow> {
        &self.rows
    }

    /// Puts lines in their places; the oldest go when there are too many.
    pub fn extend(&mut self, lines: &[LogLine]) {
        if self.must_wait(lines) {
            self.missed += lines.len() as u64;
            return;
        }
        self.tell_missed();
        let mut new: Vec<LogRow> = lines.iter().map(|line| self.row(line.clone())).collect();
        new.sort_by_key(|row| row.key);
        self.bytes += new.iter().map(LogRow::bytes).sum::<usize>();
        self.search.hits += new.iter().filter(|row| row.hit).count();
        let shift = |at: usize| {
            self.rows.get(at).map_or(at, |held| at + new.partition_point(|row| row.key < held.key))
        };
        let place = self.place.moved(shift);
        let cursor = self.cursor.map(shift);
        let Some(first) = new.first() else { return };
        let older = self.rows.partition_point(|row| row.key <= first.key);
        let newer = self.rows.split_off(older);
        merge(&mut self.rows, newer, new);
        self.place = place;
        self.cursor = cursor;
        while self.bytes > BYTES && self.rows.len() > 1 {
            self.drop_oldest();
        }
    }

    fn row(&mut self, line: LogLine) -> LogRow {
        let mut key = line.at;
        if let Some(stream) = self.streams.get_mut(usize::from(line.stream)) {
            key = key.max(stream.last);
            stream.last = key;
        }
        LogRow { hit: self.search.finds(&line), key, line }
    }

    /// Whether to make room would take away what is being read.
    fn must_wait(&self, lines: &[LogLine]) -> bool {
        let (Anchor::Bottom(at) | Anchor::Top(at)) = self.place else { return false };
        let coming: usize = lines.iter().map(|line| line.text.bytes() + size_of::<LogRow>()).sum();
        at < READ && self.bytes + coming > BYTES
    }

    fn tell_missed(&mut self) {
        let Some(newest) = self.rows.back().filter(|_| self.missed > 0) else { return };
        let text = Clean::new(&format!(
            "▲ gap: {} lines came while older ones were read, and are not kept",
            self.missed
        ));
        let line = LogLine { level: Level::Unsaid, mark: true, text: text.into(), ..newest.line.clone() };
        let row = LogRow { line, hit: false, key: newest.key };
        self.bytes += row.bytes();
        self.rows.push_back(row);
        self.missed = 0;
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.rows.pop_front() else { return };
        self.bytes -= oldest.bytes();
        self.search.hits -= usize::from(oldest.hit);
        self.dropped += 1;
        self.place = self.place.moved(|at| at.saturating_sub(1));
        self.cursor = self.cursor.and_then(|at| at.checked_sub(1));
    }

    /// Returns whether a row is shown: all are, or those that the search finds and warroom's own.
    pub fn shown(&self, at: usize) -> bool {
        self.rows.get(at).is_some_and(|row| !self.search.filters() || row.hit || row.line.mark)
    }

    /// Iterates over the rows shown from `at` upward.
    pub fn above(&self, at: usize) -> impl Iterator<Item = usize> {
        (0..self.rows.len().min(at.saturating_add(1))).rev().filter(|at| self.shown(*at))
    }

    /// Iterates over the rows shown from `at` downward.
    pub fn below(&self, at: usize) -> impl Iterator<Item = usize> {
        (at..self.rows.len()).filter(|at| self.shown(*at))
    }

    /// Moves by so many rows of which a `page` fits on the screen; past the last one it follows again.
    pub fn scroll(&mut self, by: isize, page: usize) {
        let up = by < 0;
        let steps = by.unsigned_abs();
        let from = match self.place {
            Anchor::Newest if !up => return,
            Anchor::Newest => self.rows.len().saturating_sub(1),
            Anchor::Bottom(at) | Anchor::Top(at) => at,
        };
        let to = if up {
            self.above(from).take(steps + 1).last()
        } else {
            self.below(from).take(steps + 1).last()
        };
        let to = to.unwrap_or(from);
        self.cursor = None;
        self.place = match self.place {
            Anchor::Top(_) if !up && self.below(to).nth(page).is_none() => Anchor::Newest,
            Anchor::Top(_) => Anchor::Top(to),
            _ if !up && self.below(to).nth(1).is_none() => Anchor::Newest,
            _ => self.bottom(to, page),
        };
    }

    /// That row at the bottom, unless the first row would be further down than the top.
    fn bottom(&self, to: usize, page: usize) -> Anchor {
        if self.above(to).nth(page).is_some() { Anchor::Bottom(to) } else { Anchor::Top(0) }
    }

    /// Goes to the first row.
    pub fn to_top(&mut self) {
        self.place = Anchor::Top(0);
        self.cursor = None;
    }

    /// Goes to the newest row and follows.
    pub fn to_newest(&mut self) {
        self.place = Anchor::Newest;
        self.cursor = None;
    }

    /// Follows, or stays where it is.
    pub fn toggle_follow(&mut self) {
        match self.place {
            Anchor::Newest => self.place = Anchor::Bottom(self.rows.len().saturating_sub(1)),
            _ => self.to_newest(),
        }
    }

    /// Goes to the next (or previous) row that is wanted, in the middle of a `page`; answers whether there is
    /// one.
    pub fn jump(&mut self, forward: bool, page: usize, wanted: impl Fn(&LogRow) -> bool) -> bool {
        let from = match (self.cursor, self.place) {
            (Some(at), _) | (None, Anchor::Top(at)) => at,
            (None, Anchor::Newest) => self.rows.len(),
            (None, Anchor::Bottom(at)) => at + 1,
        };
        let after = if self.cursor.is_some() { from + 1 } else { from };
        let mut wanted = (0..self.rows.len()).filter(|at| self.shown(*at) && wanted(&self.rows[*at]));
        let found =
            if forward { wanted.find(|at| *at >= after) } else { wanted.take_while(|at| *at < from).last() };
        let Some(to) = found else { return false };
        let lower = self.below(to).take(page / 2 + 1).last().unwrap_or(to);
        self.place = self.bottom(lower, page);
        self.cursor = Some(to);
        true
    }

    /// Searches for a text; an empty one ends the search.
    pub fn look_for(&mut self, text: &str) {
        let narrower = self.search.narrowed_by(text);
        let mut search = Search::new(text);
        search.only = self.search.only;
        for row in &mut self.rows {
            row.hit = (!narrower || row.hit) && search.finds(&row.line);
            search.hits += usize::from(row.hit);
        }
        self.search = search;
        self.cursor = None;
    }
}

impl Anchor {
    fn moved(self, to: impl Fn(usize) -> usize) -> Self {
        match self {
            Self::Newest => Self::Newest,
            Self::Bottom(at) => Self::Bottom(to(at)),
            Self::Top(at) => Self::Top(to(at)),
        }
    }
}

/// Adds two sorted lists; of equals the older ones come first.
fn merge(rows: &mut VecDeque<LogRow>, older: VecDeque<LogRow>, new: Vec<LogRow>) {
    let mut older = older.into_iter().peekable();
    for row in new {
        while let Some(before) = older.next_if(|before| before.key <= row.key) {
            rows.push_back(before);
        }
        rows.push_back(row);
    }
    rows.extend(older);
}

#[cfg(test)]
mod tests;
