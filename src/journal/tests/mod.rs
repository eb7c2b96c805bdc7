//! The journal as a whole: what was handed in comes back, and nothing that is damaged ever does.

mod damage;
mod faults;
mod session;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Limits;
use super::disk::{Disk, LocalDisk};
use super::reader::Items;
use super::*;

/// A world small enough to be compared, which any lost, doubled or changed event changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct World {
    count: u64,
    seen: BTreeMap<String, u64>,
}

impl World {
    fn apply(&mut self, event: &Value) {
        self.count += 1;
        let weight = self.count * event.to_string().len() as u64;
        *self.seen.entry(event["pod"].as_str().unwrap_or("none").to_owned()).or_default() += weight;
    }
}

/// Time is a matter of the record's number.
fn at(seq: u64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_795_445_192_000_001).unwrap()
        + TimeDelta::milliseconds(10 * seq.cast_signed())
}

/// Who records: it gives checkpoints when they are asked for.
struct Owner {
    writer: Writer,
    world: World,
    seq: u64,
    acknowledged: Vec<u64>,
    refused: Vec<u64>,
}

impl Owner {
    fn start(disk: Arc<dyn Disk>, data: &Path, limits: Limits) -> Result<Self, JournalError> {
        let world = World::default();
        let about = json!({"context": "bed"});
        let writer =
            Writer::create(disk, Opening { data, context: "bed", about, at: at(0), world: &world, limits })?;
        Ok(Self { writer, world, seq: 0, acknowledged: Vec::new(), refused: Vec::new() })
    }

    fn entry(&mut self, event: &Value) -> Pending {
        self.seq += 1;
        self.world.apply(event);
        Pending::new(self.seq, at(self.seq), &Redacted::new(event.clone()).unwrap(), None)
    }

    fn observe(&mut self, event: &Value) {
        let entry = self.entry(event);
        self.writer.observe(entry).unwrap();
        self.answer_wish();
    }

    async fn decide(&mut self, event: &Value) -> Result<(), JournalError> {
        let entry = self.entry(event);
        let answer = self.writer.decide(entry).await;
        let side = if answer.is_ok() { &mut self.acknowledged } else { &mut self.refused };
        side.push(self.seq);
        self.answer_wish();
        answer
    }

    fn answer_wish(&mut self) {
        if self.writer.wants_checkpoint() {
            self.writer.checkpoint(at(self.seq), self.world.clone()).unwrap();
        }
    }
}

/// Small segments, and no group that ends by itself during a test.
fn small() -> Limits {
    Limits { group: Duration::from_secs(3600), segment: 300 }
}

fn event(number: u64) -> Value {
    json!({"pod": format!("api-{}", number % 3), "restarts": number, "load": 0.1 + 0.2})
}

/// What a recording of these numbers would yield.
fn expected(numbers: impl Iterator<Item = u64>) -> Vec<(u64, Value)> {
    numbers.map(|number| (number, event(number))).collect()
}

fn records(items: Items) -> Vec<(u64, Value)> {
    items
        .filter_map(|item| match item {
            Item::Record(record) => {
                assert_eq!(record.at, at(record.seq));
                Some((record.seq, serde_json::from_str(record.json.get()).unwrap()))
            }
            Item::Checkpoint(_) | Item::Gap(_) => None,
        })
        .collect()
}

/// Replays, and holds every checkpoint against the world replayed so far, but for those after a gap. Gives
/// the last world.
fn replay(items: Items) -> Option<World> {
    let mut world: Option<World> = None;
    let mut is_sure = false;
    for item in items {
        match item {
            Item::Checkpoint(checkpoint) => {
                assert_eq!(world_hash(&checkpoint.world).unwrap(), checkpoint.hash);
                let there: World = serde_json::from_str(checkpoint.world.get()).unwrap();
                assert!(
                    !is_sure || world.as_ref() == Some(&there),
                    "the replay is not the live run at {}",
                    checkpoint.seq
                );
                world = Some(there);
                is_sure = true;
            }
            Item::Record(record) => {
                if let Some(world) = &mut world {
                    world.apply(&serde_json::from_str(record.json.get()).unwrap());
                }
            }
            Item::Gap(_) => is_sure = false,
        }
    }
    world
}

/// The files of a folder, to be written elsewhere with damage.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap())).collect()
}

/// Waits until the journal says so.
async fn until(owner: &Owner, holds: impl FnMut(&Status) -> bool) -> Status {
    let mut status = owner.writer.status();
    let found = tokio::time::timeout(Duration::from_secs(60), status.wait_for(holds)).await;
    found.expect("the journal never came to that").expect("the journal has ended").clone()
}

/// A recording of one plain segment with `count` records, ended well or not.
async fn one_segment(data: &Path, count: u64, sealed: bool) -> std::path::PathBuf {
    let mut owner = Owner::start(Arc::new(LocalDisk), data, Limits { segment: 1 << 20, ..small() }).unwrap();
    for number in 1..=count {
        if number % 3 == 0 {
            owner.decide(&event(number)).await.unwrap();
        } else {
            owner.observe(&event(number));
        }
    }
    let path = owner.writer.path().to_path_buf();
    if sealed {
        owner.writer.seal().unwrap();
    }
    path
}
