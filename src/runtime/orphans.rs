//! Intents of earlier sessions that never got their outcome because warroom was killed: the next session
//! resolves them by reading.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ulid::Ulid;

use super::player::{Unread, decoded};
use crate::clean::Clean;
use crate::event::{Event, Intent, Outcome, Target};
use crate::journal::format::Corruption;
use crate::journal::{Item, Recording, Why, recordings, recover};

/// Marks a recording whose open intents a later one has taken over: those in the clusters that it names, a
/// line each.
const HANDED_ON: &str = "handed-on";

/// A recording with intents that nobody knows the outcome of.
pub struct Orphans {
    recording: std::path::PathBuf,
    /// The intents.
    pub intents: Vec<Intent>,
    /// What of it cannot be read and may be an intent.
    pub unread: Vec<Clean>,
    /// The clusters of all that were taken over by now.
    clusters: BTreeSet<Clean>,
}

/// Remembers that a later recording holds them now, once that is `durable`: a session killed before that has
/// not taken them over.
pub fn hand_over(orphaned: Vec<Orphans>, durable: impl Future<Output = bool> + Send + 'static) {
    tokio::spawn(async move {
        if durable.await {
            for orphans in orphaned {
                // Where this fails, the next session takes them over as well: it reads, and reading twice
                // does no harm.
                let _ = std::fs::write(
                    orphans.recording.join(HANDED_ON),
                    orphans.clusters.iter().map(Clean::as_str).collect::<Vec<_>>().join("\n"),
                );
            }
        }
    });
}

/// A cluster that this session reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Its address.
    pub address: Clean,
    /// What it is known by, whatever its address; empty where nobody could tell.
    pub identity: Clean,
}

impl Reached {
    /// Whether an intent was for this cluster: what it is known by counts, wherever it is reached, and the
    /// address only where that is unknown.
    fn is_of(&self, intent: &Intent) -> bool {
        let target = &intent.target;
        if self.identity.is_empty() || target.identity.is_empty() {
            self.address == target.cluster
        } else {
            self.identity == target.identity
        }
    }
}

/// What earlier sessions left open on these clusters. Recordings that are sealed or still being written left
/// nothing.
pub fn orphaned(data: &Path, clusters: &[Reached]) -> Vec<Orphans> {
    let Ok(listing) = recordings::list(data) else { return Vec::new() };
    let keys = || {
        clusters
            .iter()
            .flat_map(|cluster| [&cluster.address, &cluster.identity])
            .filter(|key| !key.is_empty())
    };
    let killed = listing.recordings.into_iter().filter(|found| !found.sealed && !found.live);
    let open = killed.filter_map(|found| {
        let handed_on = std::fs::read_to_string(found.path.join(HANDED_ON)).ok();
        let mut taken: BTreeSet<Clean> =
            handed_on.iter().flat_map(|text| text.lines()).map(Clean::new).collect();
        if handed_on.is_some() && keys().all(|key| taken.contains(key)) {
            return None;
        }
        let _ = recover::recover(&found.path); // what cannot be mended can still be read up to there
        let done = |intent: &Intent| {
            let Target { identity, cluster, .. } = &intent.target;
            taken.contains(if identity.is_empty() { cluster } else { identity })
        };
        let ours = |intent: &Intent| clusters.iter().any(|cluster| cluster.is_of(intent)) && !done(intent);
        let (all, unread) = unanswered(&found.path);
        let intents: Vec<Intent> = all.into_iter().filter(ours).collect();
        taken.extend(keys().cloned());
        Some(Orphans { intents, unread, recording: found.path, clusters: taken })
    });
    open.filter(|orphans| !orphans.intents.is_empty() || !orphans.unread.is_empty()).collect()
}

/// How the records begin that say something of an intent.
const OF_INTENTS: [&str; 3] = [r#"{"intent":"#, r#"{"inherited":"#, r#"{"outcome":"#];

/// The intents without an outcome; and what cannot be read and may be one, in words: it is told, never passed
/// over.
fn unanswered(path: &Path) -> (Vec<Intent>, Vec<Clean>) {
    let Ok(recording) = Recording::open(path) else { return Default::default() };
    let (mut open, mut unread): (BTreeMap<Ulid, Box<Intent>>, Vec<Clean>) = Default::default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for item in recording.items() {
        let raw = match item {
            Item::Record(raw) if OF_INTENTS.iter().any(|start| raw.json.get().starts_with(start)) => raw,
            Item::Gap(gap) if may_hold_an_intent(&gap.why) => {
                unread.push(
                    format!("{name}: {gap}; a change may be among them, and whether it was made is unknown")
                        .into(),
                );
                continue;
            }
            Item::Record(_) | Item::Gap(_) | Item::Checkpoint(_) => continue,
        };
        match decoded(&raw).map(|record| record.event) {
            Ok(Event::Intent(intent) | Event::Inherited(intent)) => drop(open.insert(intent.id, intent)),
            Ok(Event::Outcome { intent, outcome }) if !matches!(outcome, Outcome::Unknown { .. }) => {
                drop(open.remove(&intent));
            }
            Err(Unread::Record { seq, why }) => {
                unread.push(format!("{name}: the change in record {seq} cannot be read ({why}); whether it was made is unknown").into());
            }
            _ => {}
        }
    }
    let (changes, rest): (Vec<_>, Vec<_>) =
        open.into_values().map(|intent| *intent).partition(Intent::is_resolvable);
    unread.extend(rest.iter().map(|intent| unheard(&name, intent)));
    (changes, unread)
}

/// What only looked has nothing to be found out about, and of what a program did nothing can be: that its
/// answer is missing is told all the same.
fn unheard(recording: &str, intent: &Intent) -> Clean {
    if !intent.only_reads() {
        return format!(
            "{recording}: warroom ended before \"{}\" had: what it changed is unknown, and it may still run",
            intent.title
        )
        .into();
    }
    format!(
        "{recording}: warroom ended before the answer to \"{}\" came: its output is not known",
        intent.title
    )
    .into()
}

/// What its writer could not keep, and what was torn when it was killed, was never sent: an intent is on disk
/// before its request leaves.
fn may_hold_an_intent(why: &Why) -> bool {
    !matches!(why, Why::Lost(_) | Why::Damaged { fault: Corruption::Torn, .. })
}
