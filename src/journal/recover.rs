//! Tidies a recording whose program was killed, at the next start: the torn end is kept aside and cut, the
//! gap is written down, what stands is committed, and closed segments are compressed. The recording stays
//! unsealed, for it was killed.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::disk::{Disk, LocalDisk, Locked};
use super::error::{JournalError, io_error};
use super::format::{Chain, Commit, Corruption, Line, Lost, Mark, mark_line};
use super::scan::{Scan, Scanned, end, segment_numbers};
use super::segment::{compress, plain_path};

/// How every record's line begins.
const RECORD: &[u8] = b"{\"seq\":";

/// Result of a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was amiss at the end, or there is damage that is no torn end: evidence, left as it is for
    /// [`super::verify`].
    Untouched,
    /// Lines that were written but not committed are committed now.
    Committed,
    /// The end was torn and is now in this file.
    Torn(PathBuf),
}

/// Tidies the recording in this folder. Doing it again changes nothing.
pub fn recover(folder: &Path) -> Result<Recovered, JournalError> {
    let mut numbers = segment_numbers(folder)?;
    let Some((last, plain)) =
        numbers.pop_last().map(|last| (last, plain_path(folder, last))).filter(|(_, plain)| plain.exists())
    else {
        return Ok(Recovered::Untouched); // somebody compressed the last segment as well: it was closed
    };
    // The lock keeps out a second recovery, and tells of a warroom that is still writing.
    let file = OpenOptions::new().read(true).write(true).open(&plain).map_err(io_error("open", &plain))?;
    let mut file = Locked::new(file, false).map_err(|_| JournalError::InUse(folder.to_path_buf()))?;
    let found = mend(folder, last, file.file())?;
    remove_leftovers(folder).map_err(io_error("tidy", folder))?;
    for number in numbers {
        let temporary = format!("{number:06}.recover.tmp");
        compress(&LocalDisk, folder, number, &temporary)
            .map_err(io_error("compress", &plain_path(folder, number)))?;
    }
    Ok(found)
}

/// Temporary files have no part in a recording; a compression that still runs starts no other when its file
/// is gone.
fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            LocalDisk.remove(&path)?;
        }
    }
    Ok(())
}

fn mend(folder: &Path, number: u32, file: &mut File) -> Result<Recovered, JournalError> {
    let path = plain_path(folder, number);
    let Some(good) = Good::read(folder, number).map_err(io_error("read", &path))? else {
        return Ok(Recovered::Untouched);
    };
    let aside = path.with_extension("torn");
    let found = match &good.torn {
        Some(_) => Recovered::Torn(aside.clone()),
        None if good.uncommitted => Recovered::Committed,
        None => return Ok(Recovered::Untouched),
    };
    if good.torn.is_some() {
        keep_aside(file, good.bytes, &aside).map_err(io_error("write", &aside))?;
        LocalDisk.sync_dir(folder).map_err(io_error("sync", folder))?;
    }
    replace_end(file, good.bytes, &good.ending()?).map_err(io_error("write", &path))?;
    Ok(found)
}

/// The good part of a segment.
struct Good {
    bytes: u64,
    chain: Chain,
    end: Commit,
    uncommitted: bool,
    /// The first bytes behind the good part.
    torn: Option<Vec<u8>>,
}

impl Good {
    /// Walks to the last line. None where nothing may be mended: no header, already sealed, unreadable, or
    /// bad lines before good ones.
    fn read(folder: &Path, number: u32) -> io::Result<Option<Self>> {
        if end(folder, number).is_some_and(|(_, sealed)| sealed) {
            return Ok(None);
        }
        let mut scan = Scan::open(folder, number)?;
        let Some(Scanned { content: Ok(Line::Mark(Mark::Header(header))), bytes, .. }) = scan.next() else {
            return Ok(None);
        };
        let end = Commit { seq: header.seq, at: header.at, records: 0, chain: header.chain };
        let mut good = Self {
            bytes: bytes.len() as u64,
            chain: Chain::after(header.chain),
            end,
            uncommitted: true,
            torn: None,
        };
        good.chain.add(bytes);
        while let Some(line) = scan.next() {
            match &line.content {
                Err(Corruption::Unreadable(_)) | Ok(Line::Mark(Mark::Sealed(_) | Mark::Header(_))) => {
                    return Ok(None);
                }
                Ok(_) if good.torn.is_some() => return Ok(None),
                Ok(content) => good.add(content, line.bytes),
                Err(_) => drop(
                    good.torn.get_or_insert_with(|| line.bytes.iter().copied().take(RECORD.len()).collect()),
                ),
            }
        }
        Ok(Some(good))
    }

    fn add(&mut self, content: &Line, line: &[u8]) {
        self.bytes += line.len() as u64;
        if let Line::Mark(Mark::Commit(commit)) = content {
            self.end = commit.clone();
            self.chain = Chain::after(commit.chain);
            self.uncommitted = false;
            return;
        }
        match content {
            Line::Record(record) => {
                self.end.seq = record.seq;
                self.end.at = record.at;
                self.end.records += 1;
            }
            Line::Mark(Mark::Gap(lost)) => self.end.seq = lost.to_seq,
            Line::Mark(_) => {}
        }
        self.uncommitted = true;
        self.chain.add(line);
    }

    /// The lines that end the segment instead of its torn end. What is torn in a commit line is no record.
    fn ending(mut self) -> Result<Vec<u8>, JournalError> {
        let mut lines = Vec::new();
        if self.torn.is_some_and(|torn| RECORD.starts_with(&torn)) {
            let next = self.end.seq + 1;
            let why = "warroom was killed while it wrote; what was left of the line is kept in the segment's .torn file".into();
            lines = mark_line(&Mark::Gap(Lost { from_seq: next, to_seq: next, why }))?;
            self.end.seq = next;
        }
        self.chain.add(&lines);
        self.end.chain = self.chain.commit();
        lines.extend(mark_line(&Mark::Commit(self.end))?);
        Ok(lines)
    }
}

fn keep_aside(file: &mut File, from: u64, aside: &Path) -> io::Result<()> {
    file.seek(SeekFrom::Start(from))?;
    let mut kept = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(aside)?;
    io::copy(file, &mut kept)?;
    kept.sync_all()
}

fn replace_end(file: &mut File, from: u64, ending: &[u8]) -> io::Result<()> {
    file.set_len(from)?;
    file.seek(SeekFrom::Start(from))?;
    file.write_all(ending)?;
    file.sync_all()
}
