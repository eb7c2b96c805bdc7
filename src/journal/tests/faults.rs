//! Sessions on a disk that fails: at each single call, for a while, or by being slow.

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::disk::DiskFile;
use super::verify::verify;
use super::*;

/// Counts the calls of the writing thread and fails those it is told to.
#[derive(Default)]
struct Faults {
    calls: AtomicU64,
    /// The one call that fails.
    fails_at: Option<u64>,
    /// While set, all fail.
    is_full: AtomicBool,
    /// Whether a file that had failed was used again.
    was_reused: AtomicBool,
    /// While there, each sync waits for a word.
    gate: Mutex<Option<mpsc::Receiver<()>>>,
}

struct FaultyDisk(Arc<Faults>);

struct FaultyFile {
    faults: Arc<Faults>,
    file: Box<dyn DiskFile>,
    has_failed: bool,
}

impl Faults {
    fn call(&self) -> io::Result<()> {
        // Compression runs beside the writing thread, whose calls alone are to be counted.
        if std::thread::current().name() == Some("journal-zstd") {
            return Ok(());
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = self.fails_at == Some(call) || self.is_full.load(Ordering::SeqCst);
        if fails { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }
}

impl Disk for FaultyDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.call().and_then(|()| LocalDisk.create_dir(path))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.call()?;
        Ok(Box::new(FaultyFile {
            faults: Arc::clone(&self.0),
            file: LocalDisk.create(path)?,
            has_failed: false,
        }))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.0.call().and_then(|()| LocalDisk.open(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.call().and_then(|()| LocalDisk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.call().and_then(|()| LocalDisk.remove(path))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.call().and_then(|()| LocalDisk.sync_dir(path))
    }
}

impl FaultyFile {
    fn call(&mut self) -> io::Result<()> {
        self.faults.was_reused.fetch_or(self.has_failed, Ordering::SeqCst);
        let result = self.faults.call();
        self.has_failed |= result.is_err();
        result
    }
}

impl Write for FaultyFile {
    /// A write that fails has written a part.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.call() {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for FaultyFile {
    fn sync_data(&mut self) -> io::Result<()> {
        if let Some(gate) = &*self.faults.gate.lock().unwrap() {
            let _ = gate.recv();
        }
        self.call().and_then(|()| self.file.sync_data())
    }
}

/// A session of decisions and observations, over several segments.
async fn session(faults: &Arc<Faults>, data: &Path) -> Result<Owner, JournalError> {
    let mut owner = Owner::start(Arc::new(FaultyDisk(Arc::clone(faults))), data, small())?;
    for number in 1..=30 {
        if number % 2 == 0 { drop(owner.decide(&event(number)).await) } else { owner.observe(&event(number)) }
    }
    Ok(owner)
}

#[tokio::test]
async fn whichever_call_fails_nothing_acknowledged_is_lost() {
    let sound = Arc::new(Faults::default());
    let data = tempfile::tempdir().unwrap();
    session(&sound, data.path()).await.unwrap().writer.seal().unwrap();
    let calls = sound.calls.load(Ordering::SeqCst);
    assert!(calls > 40, "{calls} calls");
    let mut with_refusals = 0;
    for fails_at in 1..=calls {
        let faults = Arc::new(Faults { fails_at: Some(fails_at), ..Faults::default() });
        let data = tempfile::tempdir().unwrap();
        let Ok(owner) = session(&faults, data.path()).await else { continue };
        with_refusals += usize::from(!owner.refused.is_empty());
        check_after_fault(owner, fails_at);
        assert!(
            !faults.was_reused.load(Ordering::SeqCst),
            "call {fails_at}: a file that had failed was written to again"
        );
    }
    assert!(with_refusals > 10, "{with_refusals}");
}

fn check_after_fault(owner: Owner, fails_at: u64) {
    let Owner { writer, world, acknowledged, seq, .. } = owner;
    let path = writer.path().to_path_buf();
    let status = writer.status();
    let is_sealed = writer.seal().is_ok();
    let recording = Recording::open(&path).unwrap();
    let found = records(recording.items());
    let all = expected(1..=seq);
    assert!(found.iter().all(|record| all.contains(record)), "call {fails_at}: a false record");
    assert!(
        acknowledged.iter().all(|seq| found.iter().any(|record| record.0 == *seq)),
        "call {fails_at}: an acknowledged decision is lost"
    );
    let report = verify(&path).unwrap();
    assert!(report.damaged.is_empty(), "call {fails_at}: {:?}", report.damaged);
    let lost = status.borrow().lost;
    assert!(lost >= seq - found.len() as u64, "call {fails_at}: {lost} lost, {} found of {seq}", found.len());
    if is_sealed {
        assert_eq!(replay(recording.items()), Some(world), "call {fails_at}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_decisions_and_its_end_is_a_gap() {
    let faults = Arc::new(Faults::default());
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(FaultyDisk(Arc::clone(&faults))), data.path(), small()).unwrap();
    owner.decide(&event(1)).await.unwrap();
    faults.is_full.store(true, Ordering::SeqCst);
    owner.observe(&event(2));
    assert!(matches!(owner.decide(&event(3)).await, Err(JournalError::Failing { .. })));
    owner.observe(&event(4));
    assert!(matches!(owner.decide(&event(5)).await, Err(JournalError::Failing { .. })));
    let status = until(&owner, |status| status.lost == 4).await;
    assert!(matches!(status.health, JournalHealth::Failing { .. }), "{status:?}");
    assert_eq!(status.durable_seq, 1);

    faults.is_full.store(false, Ordering::SeqCst);
    until(&owner, |status| status.wants_checkpoint).await;
    owner.answer_wish();
    until(&owner, |status| status.health == JournalHealth::Ok).await;
    owner.decide(&event(6)).await.unwrap();
    let path = owner.writer.path().to_path_buf();
    let world = owner.world.clone();
    owner.writer.seal().unwrap();
    let report = verify(&path).unwrap();
    assert!(
        matches!(&report.gaps[..], [Gap { to_seq: Some(5), why: Why::Lost(_), .. }]),
        "{:?}",
        report.gaps
    );
    assert!(report.damaged.is_empty() && report.sealed, "{report:?}");
    assert_eq!(replay(Recording::open(&path).unwrap().items()), Some(world));
}

#[tokio::test]
async fn while_no_segment_can_be_started_the_old_one_goes_on() {
    let calls = Arc::new(Faults::default());
    let data = tempfile::tempdir().unwrap();
    let mut owner =
        Owner::start(Arc::new(FaultyDisk(Arc::clone(&calls))), data.path(), Limits { segment: 1, ..small() })
            .unwrap();
    // A folder in the way of the next segment's temporary file.
    std::fs::create_dir(owner.writer.path().join("000002.tmp")).unwrap();
    for number in 1..=20 {
        owner.decide(&event(number)).await.unwrap();
    }
    let status = until(&owner, |status| matches!(status.health, JournalHealth::Strained { .. })).await;
    assert_eq!(status.lost, 0);
    let path = owner.writer.path().to_path_buf();
    owner.writer.seal().unwrap();
    assert_eq!(records(Recording::open(&path).unwrap().items()), expected(1..=20));
}

#[tokio::test]
async fn what_a_slow_disk_cannot_take_is_counted_and_the_replay_is_right_again() {
    let faults = Arc::new(Faults::default());
    let data = tempfile::tempdir().unwrap();
    let limits = Limits { segment: 1 << 30, ..small() };
    let mut owner = Owner::start(Arc::new(FaultyDisk(Arc::clone(&faults))), data.path(), limits).unwrap();
    let (open, gate) = mpsc::channel();
    *faults.gate.lock().unwrap() = Some(gate);
    let entry = owner.entry(&event(1));
    let first = owner.writer.decide(entry); // the thread waits in its sync
    for number in 2..=9000 {
        owner.observe(&event(number));
    }
    let entry = owner.entry(&event(9001));
    assert!(matches!(owner.writer.decide(entry).await, Err(JournalError::Behind)));
    drop(open);
    first.await.unwrap();
    until(&owner, |status| status.durable_seq > 0).await;
    let path = owner.writer.path().to_path_buf();
    let world = owner.world.clone();
    while owner.decide(&event(9002)).await.is_err() {}
    let status = until(&owner, |status| status.lost > 0).await;
    owner.answer_wish();
    owner.writer.seal().unwrap();
    let recording = Recording::open(&path).unwrap();
    assert_eq!(records(recording.items()).len() as u64 + status.lost, owner.seq);
    assert!(verify(&path).unwrap().damaged.is_empty());
    assert_eq!(
        replay(recording.items()),
        Some({
            let mut last = world;
            (9002..=owner.seq).for_each(|_| last.apply(&event(9002)));
            last
        })
    );
}

/// Somebody who looks at the screen has to know that nothing is recorded any more, and no world is copied for
/// nobody.
#[tokio::test]
async fn a_writing_thread_that_died_is_told_and_wants_nothing() {
    struct Bad;
    impl serde::Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("a world that cannot be written, for the test's sake")
        }
    }
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(FaultyDisk(Arc::default())), data.path(), small()).unwrap();
    while !owner.writer.wants_checkpoint() {
        let entry = owner.entry(&event(1));
        owner.writer.decide(entry).await.unwrap();
    }
    assert_eq!(owner.writer.trouble(), None);
    owner.writer.checkpoint(DateTime::UNIX_EPOCH, Bad).unwrap();
    let mut status = owner.writer.status();
    let ended = async { while status.changed().await.is_ok() {} };
    tokio::time::timeout(std::time::Duration::from_secs(60), ended).await.expect("the thread ends");
    assert!(!owner.writer.wants_checkpoint());
    assert_eq!(owner.writer.trouble().as_deref(), Some("the thread that writes it has ended"));
}

/// A world is as large as the cluster: while one is written, no other may be asked for.
#[tokio::test]
async fn a_checkpoint_that_is_under_way_is_not_asked_for_again() {
    let faults = Arc::new(Faults::default());
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(FaultyDisk(Arc::clone(&faults))), data.path(), small()).unwrap();
    for round in 0..2 {
        while !owner.writer.wants_checkpoint() {
            let entry = owner.entry(&event(round));
            owner.writer.decide(entry).await.unwrap();
        }
        let (go_on, gate) = mpsc::channel();
        *faults.gate.lock().unwrap() = Some(gate);
        owner.answer_wish();
        assert!(
            owner.writer.status().borrow().wants_checkpoint && !owner.writer.wants_checkpoint(),
            "it is not written yet"
        );
        drop(go_on);
        until(&owner, |status| !status.wants_checkpoint).await;
        *faults.gate.lock().unwrap() = None;
    }
}
