//! A recording as this version understands it: records and worlds decoded, what cannot be read, and what one
//! look at the whole found.

use chrono::{DateTime, Utc};

use crate::clean::Clean;
use crate::event::{Event, Record};
use crate::journal::reader::Items;
use crate::journal::{Checkpoint, Item, RawRecord, Recording, Target};
use crate::state::World;

/// Stretches of the bar.
const DENSITY: u32 = 120;

/// What is whole in the recording, and not of a form that this version reads; with what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A record.
    #[error("record {seq} cannot be read ({why}): what it changed is missing until the next checkpoint")]
    Record {
        /// Its number.
        seq: u64,
        /// Why.
        why: String,
    },
    /// A checkpoint.
    #[error(
        "the checkpoint after record {seq} cannot be read ({why}): the world goes on from before it and may be wrong until the next checkpoint"
    )]
    Checkpoint {
        /// The number of the record before it.
        seq: u64,
        /// Why.
        why: String,
    },
}

/// Why it cannot be read, without the list of all that would have been known, and without the place in the
/// line.
fn why(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let first = |text: &str, end: &str| text.split(end).next().unwrap_or_default().to_owned();
    first(&first(&whole, ", expected one of"), " at line ")
}

/// A record.
///
/// # Errors
/// This version does not know its kind, or its form.
pub fn decoded(raw: &RawRecord) -> Result<Record, Unread> {
    let event: Event = serde_json::from_str(raw.json.get())
        .map_err(|error| Unread::Record { seq: raw.seq, why: why(&error) })?;
    Ok(Record { seq: raw.seq, at: raw.at, event })
}

/// A checkpoint's world.
///
/// # Errors
/// This version does not know its form.
pub fn world_of(checkpoint: &Checkpoint) -> Result<World, Unread> {
    serde_json::from_str(checkpoint.world.get())
        .map_err(|error| Unread::Checkpoint { seq: checkpoint.seq, why: why(&error) })
}

/// Everything in a recording that this version cannot read.
pub fn unread(recording: &Recording) -> Vec<Unread> {
    let each = recording.items().filter_map(|item| match item {
        Item::Record(raw) => decoded(&raw).err(),
        Item::Checkpoint(checkpoint) => world_of(&checkpoint).err(),
        Item::Gap(_) => None,
    });
    each.collect()
}

/// What opening a recording found.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    pub(super) times: Vec<(u64, DateTime<Utc>)>,
    pub(super) entries: Vec<(DateTime<Utc>, Clean)>,
    pub(super) gaps: Vec<Clean>,
    pub(super) density: Vec<u32>,
    /// Checkpoints that can be read, by the number of the record before them.
    checkpoints: Vec<u64>,
}

impl Survey {
    /// Everything from the last checkpoint at or before a record that can be read.
    pub(super) fn items_before(&self, recording: &Recording, seq: u64) -> Items {
        let known = self.checkpoints.iter().rfind(|checkpoint| **checkpoint <= seq);
        known.map_or_else(|| recording.items(), |checkpoint| recording.seek(Target::Seq(*checkpoint)))
    }

    fn take(&mut self, item: &Item, world: &mut World) -> Result<(), Unread> {
        match item {
            Item::Record(raw) => {
                self.times.push((raw.seq, raw.at));
                world.fold(&decoded(raw)?);
            }
            Item::Checkpoint(checkpoint) => {
                // of two at one place the later one is sought
                self.checkpoints.retain(|known| *known != checkpoint.seq);
                *world = world_of(checkpoint)?;
                self.checkpoints.push(checkpoint.seq);
            }
            Item::Gap(gap) => self.gaps.push(gap.to_string().into()),
        }
        Ok(())
    }
}

/// Reads a recording once, from its beginning to its end.
pub(super) fn survey(recording: &Recording) -> Survey {
    let mut survey = Survey::default();
    let mut world = World::default();
    for item in recording.items() {
        if let Err(unread) = survey.take(&item, &mut world) {
            survey.gaps.push(unread.to_string().into());
        }
    }
    let entries = world.timeline.entries().iter();
    survey.entries =
        entries.map(|entry| (entry.at, format!("{} {}", world.subject(entry), entry.text).into())).collect();
    if let (Some((_, from)), Some((_, to))) = (survey.times.first(), survey.times.last()) {
        survey.density = density(&survey.times, *from, *to);
    }
    survey
}

fn density(times: &[(u64, DateTime<Utc>)], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<u32> {
    let mut density = vec![0; DENSITY as usize];
    let span = (to - from).num_milliseconds().max(1);
    for (_, at) in times {
        let place = (*at - from).num_milliseconds().saturating_mul(i64::from(DENSITY)) / span;
        let place = usize::try_from(place).unwrap_or(0).min(DENSITY as usize - 1);
        density[place] += 1;
    }
    density
}
