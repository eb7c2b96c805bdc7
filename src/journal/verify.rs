//! Checks a whole recording: every checksum, the hash chain through all commit groups, how the segments link,
//! every world's hash. A rewritten file whose checksums and chain were made anew shows only in the chain's
//! head, which the store keeps.

use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};
use ulid::Ulid;

use super::error::JournalError;
use super::format::{Chain, Checkpoint, Commit, Corruption, Digest, Header, Line, Mark, world_hash};
use super::reader::{Gap, Item, Recording};
use super::scan::{Scan, Scanned};

/// Findings of a recording's check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Number of segments.
    pub segments: usize,
    /// Number of records that can be read.
    pub records: u64,
    /// Number and time of the first record.
    pub from: Option<(u64, DateTime<Utc>)>,
    /// Number and time of the last record.
    pub to: Option<(u64, DateTime<Utc>)>,
    /// Value of the chain at the last commit.
    pub chain: Digest,
    /// Records that are missing.
    pub gaps: Vec<Gap>,
    /// Places that are not as they were written. A torn end is a gap and no damage.
    pub damaged: Vec<Damage>,
    /// Number of lines behind the last commit, which the chain does not cover: the program was killed, or is
    /// writing.
    pub uncommitted: u64,
    /// Whether the recording was sealed at its end.
    pub sealed: bool,
}

/// A place that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Number of the segment.
    pub segment: u32,
    /// Offset in the uncompressed segment, bytes.
    pub offset: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {:06}, byte {}: {}", self.segment, self.offset, self.flaw)
    }
}

/// Kind of damage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A line is damaged.
    #[error(transparent)]
    Line(#[from] Corruption),
    /// The lines of a group are not those that were committed.
    #[error("lines were changed, added or removed: the hash chain does not hold")]
    Chain,
    /// The segment does not follow the one before it.
    #[error("the segment does not belong behind the one before it")]
    Link,
    /// The first line is no header, or another line is one.
    #[error("the segment's header is missing or not in its place")]
    Header,
    /// A checkpoint's world is not the one that was hashed.
    #[error("the checkpoint's world does not match its hash")]
    World,
    /// Lines stand behind the one that seals the segment.
    #[error("lines were added after the segment was sealed")]
    AfterSeal,
}

/// Checks the recording in this folder.
pub fn verify(path: &Path) -> Result<Report, JournalError> {
    let recording = Recording::open(path)?;
    let mut check = Check::default();
    for segment in recording.segments() {
        check.segment(path, segment.number);
    }
    let mut report = Report {
        segments: recording.segments().len(),
        records: 0,
        from: None,
        to: None,
        chain: check.chain.head(),
        gaps: Vec::new(),
        damaged: check.damaged,
        uncommitted: check.uncommitted,
        sealed: check.sealed,
    };
    recording.items().for_each(|item| report.count(item));
    Ok(report)
}

impl Report {
    fn count(&mut self, item: Item) {
        match item {
            Item::Record(record) => {
                self.records += 1;
                self.to = Some((record.seq, record.at));
                self.from = self.from.or(self.to);
            }
            Item::Gap(gap) => self.gaps.push(gap),
            Item::Checkpoint(_) => {}
        }
    }
}

/// The walk through all lines of all segments.
struct Check {
    damaged: Vec<Damage>,
    recording: Option<Ulid>,
    /// The segment being walked through, and where in it.
    segment: u32,
    offset: u64,
    chain: Chain,
    /// The values that the next header may name: the segment's last, or, where it could no longer be written,
    /// any of its commits.
    heads: Vec<Digest>,
    uncommitted: u64,
    sealed: bool,
}

impl Default for Check {
    fn default() -> Self {
        Self {
            damaged: Vec::new(),
            recording: None,
            segment: 0,
            offset: 0,
            chain: Chain::after(Digest::ZERO),
            heads: vec![Digest::ZERO],
            uncommitted: 0,
            sealed: false,
        }
    }
}

impl Check {
    fn segment(&mut self, folder: &Path, number: u32) {
        let follows = number == self.segment + 1;
        self.segment = number;
        self.offset = 0;
        self.uncommitted = 0;
        self.expect(follows, Flaw::Link);
        let was_sealed = std::mem::take(&mut self.sealed);
        if was_sealed {
            self.heads = vec![self.chain.head()];
        }
        match Scan::open(folder, number) {
            Ok(mut scan) => {
                while let Some(line) = scan.next() {
                    self.line(&line);
                }
            }
            Err(error) => self.flaw(Corruption::Unreadable(error.to_string()).into()),
        }
    }

    fn line(&mut self, line: &Scanned<'_>) {
        self.offset = line.offset;
        self.expect(!self.sealed, Flaw::AfterSeal);
        let is_header = matches!(line.content, Ok(Line::Mark(Mark::Header(_))));
        self.expect(is_header == (line.offset == 0), Flaw::Header);
        match &line.content {
            Ok(Line::Mark(Mark::Commit(commit))) => return self.commit(commit),
            Ok(Line::Mark(Mark::Sealed(commit))) => return self.seal(commit),
            Ok(Line::Mark(Mark::Header(header))) => self.header(header),
            Ok(Line::Mark(Mark::Checkpoint(checkpoint))) => self.checkpoint(checkpoint),
            Ok(Line::Record(_) | Line::Mark(Mark::Gap(_))) => {}
            Err(Corruption::Torn) => return,
            Err(fault) => self.flaw(fault.clone().into()),
        }
        self.uncommitted += 1;
        self.chain.add(line.bytes);
    }

    fn header(&mut self, header: &Header) {
        let same = *self.recording.get_or_insert(header.recording) == header.recording;
        self.expect(same && header.segment == self.segment && self.heads.contains(&header.chain), Flaw::Link);
        self.chain = Chain::after(header.chain);
        self.heads = vec![header.chain];
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let hash = world_hash(&checkpoint.world);
        self.expect(hash.is_ok_and(|hash| hash == checkpoint.hash), Flaw::World);
    }

    fn commit(&mut self, commit: &Commit) {
        let head = self.chain.commit();
        self.expect(head == commit.chain, Flaw::Chain);
        self.chain = Chain::after(commit.chain); // so that one bad group is not reported by all that follow
        self.heads.push(commit.chain);
        self.uncommitted = 0;
    }

    fn seal(&mut self, commit: &Commit) {
        self.expect(self.uncommitted == 0 && commit.chain == self.chain.head(), Flaw::Chain);
        self.sealed = true;
    }

    fn expect(&mut self, holds: bool, flaw: Flaw) {
        if !holds {
            self.flaw(flaw);
        }
    }

    fn flaw(&mut self, flaw: Flaw) {
        self.damaged.push(Damage { segment: self.segment, offset: self.offset, flaw });
    }
}
