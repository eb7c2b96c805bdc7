//! A place in a recording, and the way to another: by the last checkpoint before it that can be read, and
//! what follows that one. No more than one segment is read on the way.

use std::iter::Peekable;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::survey::{decoded, world_of};
use crate::journal::reader::Items;
use crate::journal::{Item, JournalError, Recording, Target};
use crate::state::World;

/// A record's number and its time.
pub(super) type Place = (u64, DateTime<Utc>);

/// Before everything.
const NOWHERE: Place = (0, DateTime::<Utc>::MIN_UTC);

/// A place in a recording. The world there is the caller's: it is changed with the place.
pub(super) struct Position {
    recording: Recording,
    /// What comes next.
    items: Peekable<Items>,
    /// The last record that was passed, whether or not it could be read.
    passed: Place,
    first: Place,
    last: Place,
}

impl Position {
    /// Opens a recording, before its first record. Only the heads of its segments are read, and the last
    /// segment if it was not sealed.
    ///
    /// # Errors
    /// It cannot be read, or holds no record.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let recording = Recording::open(path)?;
        let first = first(&recording)?;
        let (seq, at) = last(&recording).unwrap_or(first);
        let last = (seq.max(first.0), at.max(first.1));
        let items = recording.items().peekable();
        Ok(Self { recording, items, passed: NOWHERE, first, last })
    }

    pub(super) fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(super) fn first(&self) -> Place {
        self.first
    }

    pub(super) fn last(&self) -> Place {
        self.last
    }

    /// The last record that was passed.
    pub(super) fn passed(&self) -> Place {
        self.passed
    }

    /// To just after everything at or before `to`; `world` becomes the world there.
    pub(super) fn go(&mut self, world: &mut World, to: Target) {
        let is_past = match to {
            Target::Seq(seq) => self.passed.0 > seq,
            Target::At(at) => self.passed.1 > at,
        };
        let base = self.base(to, (!is_past).then_some(self.passed.0));
        if let Some((passed, there, items)) = base {
            (self.passed, *world, self.items) = (passed, there, items.peekable());
        } else if is_past {
            (self.passed, *world, self.items) =
                (NOWHERE, World::default(), self.recording.items().peekable());
        }
        while self.items.peek().is_some_and(|item| is_due(item, to)) {
            self.pass(world);
        }
    }

    /// So many records on, at most to the last.
    pub(super) fn forward(&mut self, world: &mut World, by: u64) {
        let _ = (0..by).all(|_| self.pass_record(world));
    }

    /// The place of the record that is so many before the one passed last; none is before the first.
    pub(super) fn back(&self, by: u64) -> Option<Place> {
        let mut left = usize::try_from(by).unwrap_or(usize::MAX);
        let mut to = self.passed.0.saturating_sub(1);
        while to > 0 {
            let mut items = self.recording.seek(Target::Seq(to - 1)).peekable();
            let from = match items.peek() {
                Some(Item::Checkpoint(checkpoint)) if checkpoint.seq < to => checkpoint.seq,
                _ => 0,
            };
            let due = items.take_while(|item| is_due(item, Target::Seq(to)));
            let places: Vec<Place> = due
                .filter_map(|item| if let Item::Record(raw) = item { Some((raw.seq, raw.at)) } else { None })
                .collect();
            match places.len().checked_sub(left) {
                Some(index) => return places.get(index).copied(),
                None => left -= places.len(),
            }
            to = from;
        }
        None
    }

    /// The world at the end.
    pub(super) fn last_world(&self) -> World {
        let recording = self.recording.clone();
        let items = recording.items().peekable();
        let mut there = Self { recording, items, passed: NOWHERE, ..*self };
        let mut world = World::default();
        there.go(&mut world, Target::Seq(self.last.0));
        world
    }

    /// The last checkpoint at or before `to`, and behind record `after`, that can be read: its place, its
    /// world, and what follows it.
    fn base(&self, to: Target, after: Option<u64>) -> Option<(Place, World, Items)> {
        self.recording.before(to, after).find_map(|(head, mut items)| match items.next()? {
            Item::Checkpoint(found) if found.seq == head.seq => {
                Some(((found.seq, found.at), world_of(&found).ok()?, items))
            }
            _ => None,
        })
    }

    /// Whether there was one.
    fn pass_record(&mut self, world: &mut World) -> bool {
        let end = Target::Seq(self.last.0);
        while let Some(item) = self.items.peek().filter(|item| is_due(item, end)) {
            let is_record = matches!(item, Item::Record(_));
            self.pass(world);
            if is_record {
                return true;
            }
        }
        false
    }

    /// What cannot be read changes nothing here: the survey tells it among the gaps.
    fn pass(&mut self, world: &mut World) {
        match self.items.next() {
            Some(Item::Record(raw)) => {
                self.passed = (raw.seq, raw.at);
                if let Ok(record) = decoded(&raw) {
                    world.fold(&record);
                }
            }
            Some(Item::Checkpoint(checkpoint)) => {
                self.passed = (checkpoint.seq, checkpoint.at);
                if let Ok(there) = world_of(&checkpoint) {
                    *world = there;
                }
            }
            Some(Item::Gap(_)) | None => {}
        }
    }
}

/// Whether it is at or before `to`. A gap is passed at once.
fn is_due(item: &Item, to: Target) -> bool {
    let (seq, at) = match item {
        Item::Record(raw) => (raw.seq, raw.at),
        Item::Checkpoint(checkpoint) => (checkpoint.seq, checkpoint.at),
        Item::Gap(_) => return true,
    };
    match to {
        Target::Seq(to) => seq <= to,
        Target::At(to) => at <= to,
    }
}

/// The first record.
fn first(recording: &Recording) -> Result<Place, JournalError> {
    let mut damage = None;
    for item in recording.items() {
        match item {
            Item::Record(raw) => return Ok((raw.seq, raw.at)),
            Item::Gap(gap) => damage = damage.or(Some(gap)),
            Item::Checkpoint(_) => {}
        }
    }
    let path = recording.path().to_owned();
    Err(match damage {
        Some(gap) => JournalError::Unreadable { path, why: gap.to_string() },
        None => JournalError::Empty(path),
    })
}

/// The last record. Where the recording was not sealed, there may be records behind its last commit.
fn last(recording: &Recording) -> Option<Place> {
    if let Some(end) = recording.end().filter(|_| recording.is_sealed()) {
        return Some((end.seq, end.at));
    }
    let tail = recording.seek(Target::Seq(u64::MAX)).filter_map(|item| match item {
        Item::Record(raw) => Some((raw.seq, raw.at)),
        Item::Checkpoint(checkpoint) => Some((checkpoint.seq, checkpoint.at)),
        Item::Gap(_) => None,
    });
    tail.last()
}
