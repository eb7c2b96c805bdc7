//! The recordings of a data folder: what they are called, and what can be said of each from its head and its
//! end alone.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;
use ulid::Ulid;

use super::disk::Locked;
use super::error::{JournalError, io_error};
use super::format::{Commit, Header};
use super::scan::{end, header, segment_numbers};
use super::segment::plain_path;

/// The longest context in a folder's name, in characters.
const CONTEXT_LENGTH: usize = 60;

/// Returns the folder of the recordings of a data folder.
pub fn recordings_folder(data: &Path) -> PathBuf {
    data.join("recordings")
}

/// Returns the name of a recording's folder: time, context and the end of its id,
/// `20261123T144632Z-prod-eu-8Q2V7K`.
pub fn folder_name(at: DateTime<Utc>, context: &str, recording: Ulid) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let context: String =
        context.chars().take(CONTEXT_LENGTH).map(|c| if is_plain(c) { c } else { '-' }).collect();
    let id = recording.to_string();
    format!("{}-{context}-{}", at.format("%Y%m%dT%H%M%SZ"), &id[id.len() - 6..])
}

/// What is known of a recording without reading it all.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Folder of the recording.
    pub path: PathBuf,
    /// First header, unless that is damaged: the id, the program's version, what the session was about, when
    /// it began.
    pub header: Option<Header>,
    /// Last commit: the last record, how many there are, the chain's head.
    pub end: Option<Commit>,
    /// Size on disk, bytes.
    pub bytes: u64,
    /// Whether it was sealed at its end.
    pub sealed: bool,
    /// Whether a warroom is writing it now. Neither sealed nor live: its program was killed.
    pub live: bool,
}

/// The recordings of a data folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Recordings, the newest first.
    pub recordings: Vec<Summary>,
    /// Folders that cannot be read as recordings, and why.
    pub unreadable: Vec<(PathBuf, JournalError)>,
}

/// Lists the recordings of a data folder; without one there are none.
pub fn list(data: &Path) -> Result<Listing, JournalError> {
    let folder = recordings_folder(data);
    let mut listing = Listing::default();
    if !folder.exists() {
        return Ok(listing);
    }
    for entry in std::fs::read_dir(&folder).map_err(io_error("read", &folder))? {
        let path = entry.map_err(io_error("read", &folder))?.path();
        match summarise(&path) {
            Ok(summary) => listing.recordings.push(summary),
            Err(error) => listing.unreadable.push((path, error)),
        }
    }
    let age = |summary: &Summary| summary.header.as_ref().map(|header| (header.at, header.recording));
    listing.recordings.sort_by(|a, b| age(b).cmp(&age(a)).then_with(|| b.path.cmp(&a.path)));
    listing.unreadable.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(listing)
}

/// Reads the head and the end of one recording.
pub fn summarise(path: &Path) -> Result<Summary, JournalError> {
    let numbers = segment_numbers(path)?;
    let first = numbers.first().map(|first| header(path, *first)).transpose()?.flatten();
    let (end, sealed) = numbers.last().and_then(|last| end(path, *last)).unzip();
    let live = numbers.last().is_some_and(|last| is_locked(&plain_path(path, *last)));
    Ok(Summary {
        path: path.to_path_buf(),
        header: first,
        end,
        bytes: folder_size(path)?,
        sealed: sealed.unwrap_or(false),
        live,
    })
}

fn is_locked(segment: &Path) -> bool {
    File::open(segment).is_ok_and(|file| matches!(Locked::new(file, true), Err(TryLockError::WouldBlock)))
}

fn folder_size(path: &Path) -> Result<u64, JournalError> {
    let files = std::fs::read_dir(path).map_err(io_error("read", path))?;
    Ok(files.filter_map(|file| file.ok()?.metadata().ok()).map(|found| found.len()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_after_time_context_and_id() {
        let at = DateTime::from_timestamp(1_795_445_192, 0).unwrap();
        let id = Ulid::from_string("01KAVV3ZK0000000000080QV7K").unwrap();
        assert_eq!(folder_name(at, "gke_eu/prod:1", id), "20261123T144632Z-gke_eu-prod-1-80QV7K");
        assert_eq!(folder_name(at, "../../x\u{1b}[31mé", id), "20261123T144632Z-..-..-x--31m--80QV7K");
        assert!(folder_name(at, &"x".repeat(1000), id).len() < 100);
    }

    #[test]
    fn without_a_data_folder_there_are_no_recordings() {
        let listing = list(Path::new("/nonexistent/warroom")).unwrap();
        assert!(listing.recordings.is_empty() && listing.unreadable.is_empty());
    }
}
