//! Writes a session's records on a thread of its own, behind a bounded queue: nobody who hands in a record waits for the disk.
//!
//! - An **observation** is on disk within [`Limits::group`], together with what came with it.
//! - A **decision** is on disk, with everything before it, when its answer comes; an error means that nothing may be done.
//! - What fails once is not written to again: the disk may have dropped the data and call the next sync good (*Can Applications Recover
//!   from fsync Failures?*, ATC 2020). The writer asks for a checkpoint and goes on in a new segment, which says what was lost.
//! - Nothing is lost unseen: [`Status`] counts it at once, the journal holds a gap, and a checkpoint makes the replay right again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use ulid::Ulid;

use super::disk::Disk;
use super::error::{JournalError, io_error};
use super::format::{Commit, Digest, FORMAT, Header, Lost, MAX_LINE, checkpoint_line, record_line};
use super::recordings::{folder_name, recordings_folder};
use super::redact::{Redacted, redact};
use super::segment::{Segment, compress};

/// Records that may wait for the writing thread; more are lost, and counted.
const QUEUE: usize = 8192;
/// A group is committed early when it has this many bytes.
const GROUP_BYTES: usize = 1 << 20;
/// How long until a checkpoint is asked for again: when nothing can be written, and when only the new segment failed.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
const BEHIND: &str = "they came faster than the disk took them, or were larger than a line may be";

/// What a new recording starts with.
pub struct Opening<'a, W> {
    /// The data folder; the recording becomes `<data>/recordings/<name>`.
    pub data: &'a Path,
    /// The kube-context or the scenario, for the folder's name.
    pub context: &'a str,
    /// What to say about the session in every header: context, cluster, namespace, mode, start.
    pub about: serde_json::Value,
    /// Now, to the microsecond.
    pub at: DateTime<Utc>,
    /// The world before record 1.
    pub world: &'a W,
    /// Usually the default.
    pub limits: Limits,
}

/// How much is gathered before it is written out.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest that an observation waits for its commit.
    pub group: Duration,
    /// A segment takes at least this many bytes of records, or as many as its checkpoint has.
    pub segment: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { group: Duration::from_millis(200), segment: 1 << 20 }
    }
}

/// A record, ready to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    seq: u64,
    at: DateTime<Utc>,
    line: Vec<u8>,
}

impl Entry {
    /// Record number `seq`, which happened `at` (cut to the microsecond before it was reduced).
    pub fn new<E: Serialize>(seq: u64, at: DateTime<Utc>, event: &Redacted<E>) -> Result<Self, JournalError> {
        Ok(Self { seq, at, line: record_line(seq, at, event.get())? })
    }
}

/// Whether the journal can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Everything is written.
    #[default]
    Ok,
    /// Everything is written, but no new segment could be started: seeking gets slower.
    Strained {
        /// Since which record's time.
        since: DateTime<Utc>,
        /// What the system said.
        error: String,
    },
    /// Nothing is written, and decisions are refused.
    Failing {
        /// Since which record's time.
        since: DateTime<Utc>,
        /// What the system said.
        error: String,
    },
}

/// What the writer says about itself, through a watch channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it can write.
    pub health: Health,
    /// Every record up to this one is on disk, or in a gap that is on disk.
    pub durable_seq: u64,
    /// Records lost since the recording began.
    pub lost: u64,
    /// The owner should call [`Writer::checkpoint`] now.
    pub wants_checkpoint: bool,
}

struct NewSegment {
    seq: u64,
    at: DateTime<Utc>,
    line: Box<dyn FnOnce() -> serde_json::Result<Vec<u8>> + Send>,
}

enum Message {
    Observation(Entry),
    Decision(Entry, oneshot::Sender<Result<(), JournalError>>),
    Checkpoint(NewSegment),
    Seal(u64, SyncSender<Result<Commit, JournalError>>),
}

/// The owner's end of the journal. Dropped without [`Writer::seal`], it commits what it has, and the recording counts as killed.
pub struct Writer {
    inbox: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    status: watch::Receiver<Status>,
    path: PathBuf,
    recording: Ulid,
    seq: u64,
}

impl Writer {
    /// Makes the recording's folder and first segment, and starts the thread.
    pub fn create<W: Serialize>(disk: Arc<dyn Disk>, opening: Opening<'_, W>) -> Result<Self, JournalError> {
        let recording = Ulid::from_datetime(opening.at.into());
        let parent = recordings_folder(opening.data);
        let path = parent.join(folder_name(opening.at, opening.context, recording));
        disk.create_dir(&path).map_err(io_error("create", &path))?;
        disk.sync_dir(&parent).map_err(io_error("sync", &parent))?;
        let (worker, status) = Worker::start(disk, path.clone(), recording, opening)?;
        let (inbox, outbox) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("journal".into()).spawn(move || worker.run(&outbox)).map_err(io_error("start", &path))?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread), status, path, recording, seq: 0 })
    }

    /// The recording's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The recording's id.
    pub fn recording(&self) -> Ulid {
        self.recording
    }

    /// How the journal is doing, now and at each change.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Hands in an observation. It may still be lost, which [`Status`] then says.
    pub fn observe(&mut self, entry: Entry) -> Result<(), JournalError> {
        self.admit(&entry)?;
        match self.send(Message::Observation(entry)) {
            Err(JournalError::Behind) => Ok(()), // the thread sees the hole in the numbers and counts it
            other => other,
        }
    }

    /// Hands in a decision. The answer comes once it is on disk; any error means that what was decided must not be done.
    pub fn decide(&mut self, entry: Entry) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let (ack, answer) = oneshot::channel();
        let sent = self.admit(&entry).and_then(|()| self.send(Message::Decision(entry, ack)));
        async move {
            sent?;
            answer.await.unwrap_or(Err(JournalError::Closed))
        }
    }

    /// Gives the world as it is after the last record handed in, for a new segment. Ignored unless [`Status::wants_checkpoint`]. The world is
    /// serialised on the writing thread, so an `Arc` of it costs the caller nothing.
    pub fn checkpoint(&mut self, at: DateTime<Utc>, world: impl Serialize + Send + 'static) -> Result<(), JournalError> {
        let seq = self.seq;
        self.send(Message::Checkpoint(NewSegment { seq, at, line: Box::new(move || checkpoint_line(seq, at, &world)) }))
    }

    /// Ends the recording well. Gives where it ended, with the chain's head for the store.
    pub fn seal(mut self) -> Result<Commit, JournalError> {
        let (reply, answer) = sync_channel(1);
        let inbox = self.inbox.take().ok_or(JournalError::Closed)?;
        inbox.send(Message::Seal(self.seq, reply)).map_err(|_| JournalError::Closed)?;
        answer.recv().map_err(|_| JournalError::Closed)?
    }

    fn admit(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let expected = self.seq + 1;
        if entry.seq != expected {
            return Err(JournalError::OutOfOrder { expected, got: entry.seq });
        }
        self.seq = entry.seq;
        if entry.line.len() > MAX_LINE { Err(JournalError::TooLarge { bytes: entry.line.len() }) } else { Ok(()) }
    }

    fn send(&self, message: Message) -> Result<(), JournalError> {
        let inbox = self.inbox.as_ref().ok_or(JournalError::Closed)?;
        inbox.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => JournalError::Behind,
            TrySendError::Disconnected(_) => JournalError::Closed,
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The writing thread.
struct Worker {
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
    health: Health,
    wants_checkpoint: bool,
    commit_due: Option<Instant>,
    ask_due: Option<Instant>,
    status: watch::Sender<Status>,
}

impl Worker {
    fn start<W: Serialize>(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        recording: Ulid,
        opening: Opening<'_, W>,
    ) -> Result<(Self, watch::Receiver<Status>), JournalError> {
        let Opening { mut about, at, world, limits, .. } = opening;
        redact(&mut about);
        let warroom = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { format: FORMAT, recording, segment: 1, warroom, seq: 0, at, chain: Digest::ZERO, about };
        let segment = Segment::create(&*disk, &folder, header.clone(), None, &checkpoint_line(0, at, world)?, 0)?;
        let (status, seen_by) = watch::channel(Status::default());
        let worker = Self {
            disk,
            folder,
            limits,
            header,
            end: segment.end().clone(),
            segment: Some(segment),
            seen: (0, at),
            health: Health::Ok,
            wants_checkpoint: false,
            commit_due: None,
            ask_due: None,
            status,
        };
        Ok((worker, seen_by))
    }

    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            self.do_what_is_due(Instant::now());
            // Failures are in the status; only a decision is told as well.
            match self.wait(inbox) {
                Ok(Message::Observation(entry)) => drop(self.record(&entry)),
                Ok(Message::Decision(entry, ack)) => drop(ack.send(self.record(&entry).and_then(|()| self.commit()))),
                Ok(Message::Checkpoint(new)) => self.rotate(new),
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

    fn record(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.note_hole(entry.seq)?;
        self.seen = (entry.seq, entry.at);
        let Some(segment) = &mut self.segment else {
            self.publish();
            return Err(self.refusal());
        };
        segment.add_record(entry.seq, entry.at, &entry.line);
        if segment.waiting() >= GROUP_BYTES {
            return self.commit();
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
        match written {
            Ok(()) => {
                self.end = segment.end().clone();
                self.wants_checkpoint |= self.ask_due.is_none() && segment.is_full(self.limits.segment);
            }
            Err(error) => {
                self.segment = None;
                self.health = Health::Failing { since: self.seen.1, error: error.to_string() };
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
        let _ = self.commit();
        (self.wants_checkpoint, self.ask_due) = (false, None);
        self.seen = (new.seq, new.at);
        match self.next_segment(new) {
            Ok(next) => {
                self.end = next.end().clone();
                self.health = Health::Ok;
                let closed = self.segment.replace(next);
                self.close(closed);
            }
            Err(error) => self.postpone(&error),
        }
        self.publish();
    }

    fn next_segment(&mut self, new: NewSegment) -> Result<Segment, JournalError> {
        let why = match &self.health {
            Health::Failing { error, .. } => error.clone(),
            Health::Ok | Health::Strained { .. } => BEHIND.into(),
        };
        let lost = (self.end_gap() > 0).then(|| Lost { from_seq: self.end.seq + 1, to_seq: new.seq, why });
        let header = Header { segment: self.header.segment + 1, seq: new.seq, at: new.at, chain: self.end.chain, ..self.header.clone() };
        let segment = Segment::create(&*self.disk, &self.folder, header.clone(), lost, &(new.line)()?, self.end.records)?;
        self.header = header;
        Ok(segment)
    }

    /// Records that came and are not on disk.
    fn end_gap(&self) -> u64 {
        self.seen.0.saturating_sub(self.end.seq)
    }

    fn postpone(&mut self, error: &JournalError) {
        let (failing, strained) = ASK_AGAIN;
        let (since, error) = (self.seen.1, error.to_string());
        if self.segment.is_some() {
            self.health = Health::Strained { since, error };
        }
        self.ask_due = Some(Instant::now() + if self.segment.is_some() { strained } else { failing });
    }

    /// Seals and compresses the segment before this one. Neither is needed to read it: the next header vouches for its end.
    fn close(&self, segment: Option<Segment>) {
        let (disk, folder, number) = (Arc::clone(&self.disk), self.folder.clone(), self.header.segment - 1);
        if segment.is_some_and(|segment| segment.seal().is_ok()) {
            let _ = thread::Builder::new().name("journal-zstd".into()).spawn(move || compress(&*disk, &folder, number));
        }
    }

    fn seal(&mut self, seq: u64) -> Result<Commit, JournalError> {
        self.note_hole(seq + 1)?;
        self.commit()?;
        self.segment.take().ok_or(JournalError::Closed)?.seal()
    }

    fn refusal(&self) -> JournalError {
        match &self.health {
            Health::Failing { since, error } => JournalError::Failing { since: *since, error: error.clone() },
            Health::Ok | Health::Strained { .. } => JournalError::Closed,
        }
    }

    fn publish(&self) {
        let unwritten = if self.segment.is_none() { self.end_gap() } else { 0 };
        let lost = self.end.seq - self.end.records + unwritten; // records are numbered from 1 without holes
        let (health, wants_checkpoint) = (self.health.clone(), self.wants_checkpoint);
        self.status.send_replace(Status { health, durable_seq: self.end.seq, lost, wants_checkpoint });
    }
}
