//! The owner's end of the journal: hands a session's records to the writing thread (`worker`) through a
//! bounded queue. Nobody who hands in a record waits for the disk.
//!
//! - An **observation** is on disk within [`Limits::group`](super::Limits::group), together with what came
//!   with it.
//! - A **decision** is on disk, with everything before it, when its answer comes; an error means that nothing
//!   may be done.
//! - Nothing is lost unseen: [`Status`] counts it at once, the journal holds a gap, and a checkpoint makes
//!   the replay right again.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use ulid::Ulid;

use super::disk::Disk;
use super::error::{JournalError, io_error};
use super::format::{Commit, MAX_LINE, write_checkpoint};
use super::pending::{JournalHealth, Opening, Pending, Status};
use super::recordings::{folder_name, recordings_folder};
use super::worker::{Message, NewSegment, Worker};

/// Records that may wait for the writing thread; more are lost, and counted.
const QUEUE: usize = 8192;
/// How long the end of the program waits for the disk.
const PATIENCE: Duration = Duration::from_secs(3);

/// Owner's end of the journal. Dropped without [`Writer::seal`], it commits what it has, and the recording
/// counts as killed.
pub struct Writer {
    inbox: Option<SyncSender<Message>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
    status: watch::Receiver<Status>,
    path: PathBuf,
    recording: Ulid,
    seq: u64,
    /// A checkpoint that was handed in and is not written yet.
    under_way: Weak<()>,
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
        let (running, ended) = sync_channel(0);
        let work = move || {
            worker.run(&outbox);
            drop::<SyncSender<()>>(running);
        };
        thread::Builder::new().name("journal".into()).spawn(work).map_err(io_error("start", &path))?;
        Ok(Self { inbox: Some(inbox), ended, status, path, recording, seq: 0, under_way: Weak::new() })
    }

    /// Returns the folder of the recording.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the id of the recording.
    pub fn recording(&self) -> Ulid {
        self.recording
    }

    /// Returns a watch on the state of the journal: the present one, and each change.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Returns why the journal cannot be relied on, in words; `None` while it can.
    pub fn trouble(&self) -> Option<String> {
        let ended = self.status.has_changed().is_err();
        match &self.status.borrow().health {
            JournalHealth::Strained { error, .. } | JournalHealth::Failing { error, .. } => {
                Some(error.clone())
            }
            JournalHealth::Ok => ended.then(|| "the thread that writes it has ended".into()),
        }
    }

    /// Hands in an observation. It never waits; it may still be lost, which [`Status`] then says.
    pub fn observe(&mut self, entry: Pending) -> Result<(), JournalError> {
        self.admit(&entry)?;
        match self.send(Message::Observation(entry)) {
            Err(JournalError::Behind) => Ok(()), // the thread sees the hole in the numbers and counts it
            other => other,
        }
    }

    /// Hands in a decision. The answer comes once it is on disk; any error means that what was decided must
    /// not be done.
    pub fn decide(
        &mut self,
        entry: Pending,
    ) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let (ack, answer) = oneshot::channel();
        let sent = self.admit(&entry).and_then(|()| self.send(Message::Decision(entry, ack)));
        async move {
            sent?;
            answer.await.unwrap_or(Err(JournalError::Closed))
        }
    }

    /// Returns whether it wants a checkpoint, and none is on its way. It takes its time: a world given for
    /// every record meanwhile would be in memory as often. One that has ended wants nothing.
    pub fn wants_checkpoint(&self) -> bool {
        self.under_way.strong_count() == 0
            && self.status.has_changed().is_ok()
            && self.status.borrow().wants_checkpoint
    }

    /// Gives the world as it is after the last record handed in, for a new segment. Ignored unless
    /// [`Status::wants_checkpoint`]. The world is serialised on the writing thread, so an `Arc` of it costs
    /// the caller nothing.
    pub fn checkpoint(
        &mut self,
        at: DateTime<Utc>,
        world: impl Serialize + Send + 'static,
    ) -> Result<(), JournalError> {
        let seq = self.seq;
        let under_way = Arc::new(());
        self.under_way = Arc::downgrade(&under_way);
        let new =
            NewSegment { seq, at, checkpoint: Box::new(move |out| write_checkpoint(out, seq, at, &world)) };
        self.send(Message::Checkpoint(new, under_way))
    }

    /// Seals the recording. Returns where it ended, with the chain's head for the store.
    pub fn seal(self) -> Result<Commit, JournalError> {
        let (reply, answer) = sync_channel(1);
        self.send(Message::Seal(self.seq, reply))?;
        answer.recv_timeout(PATIENCE).map_err(|_| JournalError::Hung(PATIENCE))?
    }

    fn admit(&mut self, entry: &Pending) -> Result<(), JournalError> {
        let expected = self.seq + 1;
        if entry.seq != expected {
            return Err(JournalError::OutOfOrder { expected, got: entry.seq });
        }
        self.seq = entry.seq;
        if entry.line.len() > MAX_LINE {
            Err(JournalError::TooLarge { bytes: entry.line.len() })
        } else {
            Ok(())
        }
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
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::LocalDisk;
    use super::*;
    use crate::journal::Limits;

    #[test]
    fn a_record_longer_than_a_line_may_be_is_refused_and_counted() {
        let data = tempfile::tempdir().unwrap();
        let at = DateTime::UNIX_EPOCH;
        let opening = Opening {
            data: data.path(),
            context: "x",
            about: serde_json::json!({}),
            at,
            world: &0,
            limits: Limits::default(),
        };
        let mut writer = Writer::create(Arc::new(LocalDisk), opening).unwrap();
        let line = vec![b'x'; MAX_LINE + 1];
        assert!(matches!(
            writer.observe(Pending { seq: 1, at, line, _room: None }),
            Err(JournalError::TooLarge { .. })
        ));
        let status = writer.status();
        assert_eq!(writer.seal().unwrap().seq, 1);
        assert_eq!(status.borrow().lost, 1);
    }
}
