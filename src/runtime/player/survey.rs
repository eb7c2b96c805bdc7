//! A recording as this version understands it: records and worlds decoded, what cannot be read, and what
//! reading the whole of it finds.

use chrono::{DateTime, Utc};

use crate::event::{Event, Record};
use crate::journal::{Checkpoint, Item, RawRecord, Recording};
use crate::state::{Survey, World};

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
    recording.items().filter_map(|item| fault(&item)).collect()
}

fn fault(item: &Item) -> Option<Unread> {
    match item {
        Item::Record(raw) => decoded(raw).err(),
        Item::Checkpoint(checkpoint) => world_of(checkpoint).err(),
        Item::Gap(_) => None,
    }
}

/// A recording that is yet to be read as a whole.
#[derive(Clone, Debug)]
pub struct Unsurveyed {
    pub(super) recording: Recording,
    /// The times of its first and its last record.
    pub(super) span: (DateTime<Utc>, DateTime<Utc>),
}

impl Unsurveyed {
    /// Reads it from its beginning to its end, as long as the result is `wanted`. No world is folded.
    pub fn survey(&self, wanted: impl Fn() -> bool) -> Option<Survey> {
        let mut survey = Survey { density: vec![0; DENSITY as usize], gaps: Vec::new() };
        for item in self.recording.items() {
            if !wanted() {
                return None;
            }
            match &item {
                Item::Record(raw) => survey.density[self.stretch(raw.at)] += 1,
                Item::Gap(gap) => survey.gaps.push(gap.to_string().into()),
                Item::Checkpoint(_) => {}
            }
            survey.gaps.extend(fault(&item).map(|unread| unread.to_string().into()));
        }
        Some(survey)
    }

    fn stretch(&self, at: DateTime<Utc>) -> usize {
        let (from, to) = self.span;
        let span = (to - from).num_milliseconds().max(1);
        let place = (at - from).num_milliseconds().saturating_mul(i64::from(DENSITY)) / span;
        usize::try_from(place).unwrap_or(0).min(DENSITY as usize - 1)
    }
}
