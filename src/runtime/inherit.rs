//! Intents of earlier sessions that never got their outcome because warroom was killed: the next session resolves them by reading.

use std::collections::BTreeMap;
use std::path::Path;

use ulid::Ulid;

use super::player::decoded;
use crate::event::{Event, Intent, Outcome};
use crate::journal::recordings::{self, Summary};
use crate::journal::{Item, Recording, recover};

/// Marks a recording whose open intents a later one has taken over.
const HANDED_ON: &str = "handed-on";

/// A recording with intents that nobody knows the outcome of.
pub struct Estate {
    recording: std::path::PathBuf,
    /// The intents.
    pub intents: Vec<Intent>,
}

/// Remembers that a later recording holds them now, once that is `durable`: a session killed before that has not taken them over.
pub fn hand_on(estates: Vec<Estate>, durable: impl Future<Output = bool> + Send + 'static) {
    tokio::spawn(async move {
        if durable.await {
            for estate in estates {
                // Where this fails, the next session takes them over as well: it reads, and reading twice does no harm.
                let _ = std::fs::write(estate.recording.join(HANDED_ON), b"");
            }
        }
    });
}

/// What earlier sessions on this cluster left open. Recordings that are sealed or still being written left nothing.
pub fn estates(data: &Path, cluster: &str) -> Vec<Estate> {
    let Ok(listing) = recordings::list(data) else { return Vec::new() };
    let killed = listing.recordings.into_iter().filter(|found| !found.sealed && !found.live && of(found, cluster));
    let open = killed.filter(|found| !found.path.join(HANDED_ON).exists()).map(|found| {
        let _ = recover::recover(&found.path); // what cannot be mended can still be read up to there
        Estate { intents: unanswered(&found.path), recording: found.path }
    });
    open.filter(|estate| !estate.intents.is_empty()).collect()
}

fn of(found: &Summary, cluster: &str) -> bool {
    found.header.as_ref().is_some_and(|header| header.about["cluster"] == cluster)
}

fn unanswered(path: &Path) -> Vec<Intent> {
    let Ok(recording) = Recording::open(path) else { return Vec::new() };
    let mut open: BTreeMap<Ulid, Intent> = BTreeMap::new();
    for item in recording.items() {
        let Item::Record(raw) = item else { continue };
        match decoded(&raw).map(|record| record.event) {
            Some(Event::Intent(intent) | Event::Inherited(intent)) => drop(open.insert(intent.id, *intent)),
            Some(Event::Outcome { intent, outcome: Outcome::Applied { .. } | Outcome::Rejected { .. } }) => drop(open.remove(&intent)),
            _ => {}
        }
    }
    open.into_values().collect()
}
