//! The writing thread: groups, decisions, failures, new segments.
//!
//! What fails once is not written to again: the disk may have dropped the data and call the next sync good
//! (*Can Applications Recover from fsync Failures?*, ATC 2020). The thread asks for a checkpoint instead and
//! goes on in a new segment, which says what was lost.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use ulid::Ulid;

use super::disk::Disk;
use super::error::JournalError;
use super::format::{Commit, Digest, FORMAT, Header, Lost, write_checkpoint};
use super::limits::Limits;
use super::pending::{JournalHealth, Opening, Pending, Status};
use super::segment::{Checkpointer, Segment, compress};
use crate::clean::redact::redact;

/// A group is committed early when it has this many bytes.
const GROUP_BYTES: usize = 1 << 20;
/// How long until a checkpoint is asked for again: when nothing can be written, and when only the new segment
/// failed.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
const BEHIND: &str = "they came faster than the disk took them, or were larger than a line may be";

/// A checkpoint for a new segment; it is made into a line on the writing thread.
pub(super) struct NewSegment {
    pub(super) seq: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) checkpoint: Checkpointer,
}

/// What the owner's end sends.
pub(super) enum Message {
    Observation(Pending),
    Decision(Pending, oneshot::Sender<Result<(), JournalError>>),
    /// With what tells, as long as it is there, that it is under way.
    Checkpoint(NewSegment, Arc<()>),
    /// With the number of the last record handed in.
    Seal(u64, SyncSender<Result<Commit, JournalError>>),
}

/// The writing thread.
pub(super) struct Worker {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    limits: Limits,
    /// Of the segment that is written, or was last.
    header: Header,
    /// None while nothing can be written.
    segment: Option<Segment>,
    /// Where the recording stands on disk.
    end: Commit,
    /// The last record that came, written or not.
    seen: (u64, DateTime<Utc>),
    health: JournalHealth,
    wants_checkpoint: bool,
    commit_due: Option<Instant>,
    ask_due: Option<Instant>,
    status: watch::Sender<Status>,
    /// Compresses what was closed; one at a time.
    packing: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start<W: Serialize>(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        recording: Ulid,
        opening: Opening<'_, W>,
    ) -> Result<(Self, watch::Receiver<Status>), JournalError> {
        let Opening { mut about, at, world, limits, .. } = opening;
        redact(&mut about);
        let warroom = env!("CARGO_PKG_VERSION").to_owned();
        let header =
            Header { format: FORMAT, recording, segment: 1, warroom, seq: 0, at, chain: Digest::ZERO, about };
        let checkpoint = |out: &mut dyn Write| write_checkpoint(out, 0, at, world);
        let segment = Segment::create(&*disk, &folder, header.clone(), None, checkpoint, 0)?;
        let (status, seen_by) = watch::channel(Status::default());
        let worker = Self {
            disk,
            folder,
            limits,
            header,
            end: segment.end().clone(),
            segment: Some(segment),
            seen: (0, at),
            health: JournalHealth::Ok,
            wants_checkpoint: false,
            commit_due: None,
            ask_due: None,
            status,
            packing: None,
        };
        Ok((worker, seen_by))
    }

    pub(super) fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.do_what_is_due(Instant::now());
            // Failures are in the status; only a decision is told as well.
            match self.wait(inbox) {
                Ok(Message::Observation(entry)) => drop(self.record(&entry)),
                Ok(Message::Decision(entry, ack)) => {
                    drop(ack.send(self.record(&entry).and_then(|()| self.commit())));
                }
                Ok(Message::Checkpoint(new, under_way)) => {
                    self.rotate(new);
                    drop(under_way);
                }
                Ok(Message::Seal(seq, reply)) => return drop(reply.send(self.seal(seq))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return drop(self.commit()),
            }
        }
    }

    fn wait(&self, inbox: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.commit_due.into_iter().chain(self.ask_due).min() {
            Some(due) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn do_what_is_due(&mut self, now: Instant) {
        if self.commit_due.is_some_and(|due| due <= now) {
            let _ = self.commit();
        }
        if self.ask_due.is_some_and(|due| due <= now) {
            self.ask_due = None;
            self.wants_checkpoint = true;
            self.publish();
        }
    }

    fn record(&mut self, entry: &Pending) -> Result<(), JournalError> {
        self.note_hole(entry.seq)?;
        self.seen = (entry.seq, entry.at);
        let Some(segment) = &mut self.segment else {
            self.publish();
            return Err(self.refusal());
        };
        let added = segment.add_record(entry.seq, entry.at, &entry.line);
        if added.is_err() || segment.waiting() >= GROUP_BYTES {
            let written = added.and_then(|()| segment.commit());
            return self.committed(written);
        }
        let group = self.limits.group;
        self.commit_due.get_or_insert_with(|| Instant::now() + group);
        Ok(())
    }

    /// Writes down that records between the last one and `next` never came.
    fn note_hole(&mut self, next: u64) -> Result<(), JournalError> {
        let from_seq = self.seen.0 + 1;
        let Some(segment) = self.segment.as_mut().filter(|_| next > from_seq) else { return Ok(()) };
        segment.add_gap(Lost { from_seq, to_seq: next - 1, why: BEHIND.into() })?;
        self.wants_checkpoint = true; // without these records a replay is wrong until the next checkpoint
        Ok(())
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        self.commit_due = None;
        let Some(segment) = &mut self.segment else { return Err(self.refusal()) };
        let written = segment.commit();
        self.committed(written)
    }

    fn committed(&mut self, written: Result<(), JournalError>) -> Result<(), JournalError> {
        self.commit_due = None;
        match written {
            Ok(()) => {
                if let Some(segment) = &self.segment {
                    self.end = segment.end().clone();
                    self.wants_checkpoint |= self.ask_due.is_none() && segment.is_full(self.limits.segment);
                }
            }
            Err(error) => {
                self.segment = None;
                self.health = JournalHealth::Failing { since: self.seen.1, error: error.to_string() };
                self.wants_checkpoint = true;
            }
        }
        self.publish();
        if self.segment.is_some() { Ok(()) } else { Err(self.refusal()) }
    }

    /// Goes on in a new segment. If there can be none, the old one goes on, or the failure does.
    fn rotate(&mut self, new: NewSegment) {
        if !self.wants_checkpoint {
            return;
        }
        let _ = self.note_hole(new.seq + 1).and_then(|()| self.commit());
        self.wants_checkpoint = false;
        self.ask_due = None;
        self.seen = (new.seq, new.at);
        match self.next_segment(new) {
            Ok(next) => {
                self.end = next.end().clone();
                self.health = JournalHealth::Ok;
                let closed = self.segment.replace(next);
                self.close(closed);
            }
            Err(error) => self.postpone(&error),
        }
        self.publish();
    }

    fn next_segment(&mut self, new: NewSegment) -> Result<Segment, JournalError> {
        let lost = match &self.health {
            JournalHealth::Failing { error, .. } => {
                Some(Lost { from_seq: self.end.seq + 1, to_seq: new.seq, why: error.clone() })
            }
            JournalHealth::Ok | JournalHealth::Strained { .. } => None,
        };
        let lost = lost.filter(|lost| lost.from_seq <= lost.to_seq);
        let header = Header {
            segment: self.header.segment + 1,
            seq: new.seq,
            at: new.at,
            chain: self.end.chain,
            ..self.header.clone()
        };
        let segment = Segment::create(
            &*self.disk,
            &self.folder,
            header.clone(),
            lost,
            new.checkpoint,
            self.end.records,
        )?;
        self.header = header;
        Ok(segment)
    }

    fn postpone(&mut self, error: &JournalError) {
        let (failing, strained) = ASK_AGAIN;
        let since = self.seen.1;
        let error = error.to_string();
        if self.segment.is_some() {
            self.health = JournalHealth::Strained { since, error };
        }
        self.ask_due = Some(Instant::now() + if self.segment.is_some() { strained } else { failing });
    }

    /// Seals and compresses the segment before this one. Neither is needed to read it: the next header
    /// vouches for its end.
    fn close(&mut self, segment: Option<Segment>) {
        if segment.is_none_or(|segment| segment.seal().is_err()) {
            return;
        }
        let disk = Arc::clone(&self.disk);
        let folder = self.folder.clone();
        let number = self.header.segment - 1;
        let before = self.packing.take();
        let work = move || {
            before.map(JoinHandle::join);
            // what stays plain can be read as well
            let _ = compress(&*disk, &folder, number, &format!("{number:06}.zst.tmp"));
        };
        self.packing = thread::Builder::new().name("journal-zstd".into()).spawn(work).ok();
    }

    fn seal(&mut self, seq: u64) -> Result<Commit, JournalError> {
        self.note_hole(seq + 1)?;
        self.commit()?;
        let sealed = self.segment.take().ok_or(JournalError::Closed)?.seal();
        self.packing.take().map(JoinHandle::join);
        sealed
    }

    fn refusal(&self) -> JournalError {
        match &self.health {
            JournalHealth::Failing { since, error } => {
                JournalError::Failing { since: *since, error: error.clone() }
            }
            JournalHealth::Ok | JournalHealth::Strained { .. } => JournalError::Closed,
        }
    }

    fn publish(&self) {
        let durable_seq = self.end.seq;
        // Records are numbered from 1 without holes; while nothing can be written, all that came since are
        // lost.
        let numbered = if self.segment.is_some() { durable_seq } else { self.seen.0 };
        let lost = numbered.saturating_sub(self.end.records);
        let health = self.health.clone();
        let wants_checkpoint = self.wants_checkpoint;
        self.status.send_replace(Status { health, durable_seq, lost, wants_checkpoint });
    }
}
