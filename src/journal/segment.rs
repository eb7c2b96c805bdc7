//! One segment: its file names, the segment being written, and the compression of a closed one. When to start
//! another is the [worker](super::worker)'s business, by the [limits](super::limits).

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::disk::{Disk, DiskFile};
use super::error::{JournalError, io_error};
use super::format::{Chain, Commit, Header, Lost, MAX_LINE, Mark, mark_line};

/// zstd's own default: a third of the size of level 1's time is not worth it here.
const ZSTD_LEVEL: i32 = 3;
/// Looks back over 256 KiB (log₂ of bytes), not over 2 MiB as this level would: lines resemble those just
/// before them, and packing takes a tenth of the memory.
const ZSTD_WINDOW: u32 = 18;

/// Returns the path of a segment as it is written: `000001.ndjson`.
pub fn plain_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.ndjson"))
}

/// Returns the path of a segment once it is compressed: `000001.ndjson.zst`.
pub fn packed_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.ndjson.zst"))
}

/// Returns the number of the segment that a file of this name holds; `None` for any other file.
pub fn number_of(file_name: &str) -> Option<u32> {
    let digits = file_name.strip_suffix(".zst").unwrap_or(file_name).strip_suffix(".ndjson")?;
    (digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// A segment that is being written. What fails once is not written to again: drop it and start another.
pub(super) struct Segment {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    chain: Chain,
    /// Lines since the last commit, as far as they are not in the file yet.
    group: Vec<u8>,
    /// Bytes of the group that are.
    spilled: usize,
    /// Where the recording stands with `group`.
    next: Commit,
    /// Where it stands on disk.
    end: Commit,
    /// With the header.
    checkpoint_bytes: usize,
    journal_bytes: usize,
}

impl Segment {
    /// Starts a segment with its first group: header, what was `lost` before, checkpoint. It gets its name
    /// once that is on disk, so that a segment that is there has a whole head. `records` is the count so far.
    pub(super) fn create(
        disk: &dyn Disk,
        folder: &Path,
        header: Header,
        lost: Option<Lost>,
        checkpoint: impl FnOnce(&mut dyn Write) -> io::Result<()>,
        records: u64,
    ) -> Result<Self, JournalError> {
        let path = plain_path(folder, header.segment);
        let temporary = path.with_extension("tmp");
        let end = Commit { seq: header.seq, at: header.at, records, chain: header.chain };
        let mut segment = Self {
            file: disk.create(&temporary).map_err(io_error("create", &temporary))?,
            path,
            chain: Chain::after(header.chain),
            group: mark_line(&Mark::Header(header))?,
            spilled: 0,
            next: end.clone(),
            end,
            checkpoint_bytes: 0,
            journal_bytes: 0,
        };
        segment.group.extend(lost.map(|lost| mark_line(&Mark::Gap(lost))).transpose()?.unwrap_or_default());
        checkpoint(&mut segment).map_err(io_error("write", &temporary))?;
        segment.checkpoint_bytes = segment.waiting();
        segment.commit()?;
        segment.appear(disk, &temporary, folder)?;
        segment.journal_bytes = 0;
        if segment.checkpoint_bytes > MAX_LINE {
            return Err(JournalError::TooLarge { bytes: segment.checkpoint_bytes });
        }
        Ok(segment)
    }

    fn appear(&self, disk: &dyn Disk, temporary: &Path, folder: &Path) -> Result<(), JournalError> {
        disk.rename(temporary, &self.path).map_err(io_error("rename", temporary))?;
        disk.sync_dir(folder).map_err(|error| {
            // or a segment that nobody writes to would stand behind the one in use
            let _ = disk.remove(&self.path);
            io_error("sync", folder)(error)
        })
    }

    /// Adds a record's line to the group.
    pub(super) fn add_record(
        &mut self,
        seq: u64,
        at: DateTime<Utc>,
        line: &[u8],
    ) -> Result<(), JournalError> {
        self.next = Commit { seq, at, records: self.next.records + 1, chain: self.next.chain };
        self.write_all(line).map_err(io_error("write", &self.path))
    }

    /// Says in the group that records are missing here.
    pub(super) fn add_gap(&mut self, lost: Lost) -> Result<(), JournalError> {
        self.next.seq = lost.to_seq;
        self.group.extend(mark_line(&Mark::Gap(lost))?);
        Ok(())
    }

    /// Bytes that wait for a commit.
    pub(super) fn waiting(&self) -> usize {
        self.spilled + self.group.len()
    }

    /// Where the recording stands on disk.
    pub(super) fn end(&self) -> &Commit {
        &self.end
    }

    /// Whether the records have grown to the size of the checkpoint, `least` bytes at least.
    pub(super) fn is_full(&self, least: usize) -> bool {
        self.journal_bytes >= self.checkpoint_bytes.max(least)
    }

    /// Writes out what the group has so far; it goes on.
    fn spill(&mut self) -> io::Result<()> {
        self.chain.add(&self.group);
        self.file.write_all(&self.group)?;
        self.spilled += self.group.len();
        self.group.clear();
        Ok(())
    }

    /// Ends the group and puts it on disk; does nothing without a group.
    pub(super) fn commit(&mut self) -> Result<(), JournalError> {
        if self.waiting() == 0 {
            return Ok(());
        }
        self.chain.add(&self.group);
        self.next.chain = self.chain.commit();
        self.group.extend(mark_line(&Mark::Commit(self.next.clone()))?);
        self.write_group()?;
        self.end = self.next.clone();
        Ok(())
    }

    /// Ends the segment for good.
    pub(super) fn seal(mut self) -> Result<Commit, JournalError> {
        self.commit()?;
        self.group.extend(mark_line(&Mark::Sealed(self.end.clone()))?);
        self.write_group()?;
        Ok(self.end)
    }

    fn write_group(&mut self) -> Result<(), JournalError> {
        self.file.write_all(&self.group).map_err(io_error("write", &self.path))?;
        self.file.sync_data().map_err(io_error("sync", &self.path))?;
        self.journal_bytes += self.waiting();
        self.group.clear();
        self.spilled = 0;
        Ok(())
    }
}

/// Writes a checkpoint's line.
pub(super) type Checkpointer = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// The group is written out when it has this many bytes, so that a large world or a large listing is never
/// held as text.
const PIECE: usize = 64 << 10;

impl Write for Segment {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.group.extend_from_slice(bytes);
        if self.group.len() >= PIECE {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compresses a closed segment: into `temporary`, a name that nobody else uses, which then takes the plain
/// one's place. Whatever fails, the plain one stays and counts; where it is gone, somebody else has done it.
pub(super) fn compress(disk: &dyn Disk, folder: &Path, number: u32, temporary: &str) -> io::Result<()> {
    let plain = plain_path(folder, number);
    let packed = packed_path(folder, number);
    let temporary = folder.join(temporary);
    let Some(mut input) = unless_gone(disk.open(&plain))? else { return Ok(()) };
    let mut encoder = zstd::Encoder::new(disk.create(&temporary)?, ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.window_log(ZSTD_WINDOW)?;
    io::copy(&mut input, &mut encoder)?;
    encoder.finish()?.sync_data()?;
    disk.rename(&temporary, &packed)?;
    disk.sync_dir(folder)?;
    unless_gone(disk.remove(&plain))?;
    disk.sync_dir(folder)
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
