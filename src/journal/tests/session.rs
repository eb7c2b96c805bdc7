//! Sessions on a sound disk.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use proptest::prelude::*;

use super::recordings::{list, summarise};
use super::recover::{Recovered, recover};
use super::verify::verify;
use super::*;

fn any_event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no such number", |number| number.is_finite())
            .prop_map(Value::from),
        "[a-z \\PC\n\u{1b}]{0,20}".prop_map(Value::from),
    ];
    prop_oneof![
        leaf.clone(),
        proptest::collection::btree_map("pod|k[0-9]|é", leaf, 0..4).prop_map(|map| json!(map))
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_recorded_is_replayed(events in proptest::collection::vec((any_event(), any::<bool>()), 0..60), target in 0u64..60) {
        let data = tempfile::tempdir().unwrap();
        let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
        let redacted: Vec<Value> = events.iter().map(|(event, _)| Redacted::new(event.clone()).unwrap().into_inner()).collect();
        runtime().block_on(async {
            for ((_, is_decision), event) in events.iter().zip(&redacted) {
                if *is_decision { owner.decide(event).await.unwrap() } else { owner.observe(event) }
            }
        });
        let path = owner.writer.path().to_path_buf();
        let world = owner.world.clone();
        let end = owner.writer.seal().unwrap();
        let recording = Recording::open(&path).unwrap();
        let written: Vec<(u64, Value)> = (1..).zip(redacted).collect();
        prop_assert_eq!(records(recording.items()), written.clone());
        prop_assert_eq!(replay(recording.items()), Some(world.clone()));

        let report = verify(&path).unwrap();
        prop_assert!(report.damaged.is_empty() && report.gaps.is_empty() && report.sealed, "{report:?}");
        prop_assert_eq!((report.records, report.chain), (written.len() as u64, end.chain));
        prop_assert_eq!(report.to.map_or(0, |(seq, _)| seq), end.seq);

        for to in [Target::Seq(target), Target::At(at(target))] {
            let mut items = recording.seek(to);
            let Some(Item::Checkpoint(base)) = items.next() else { panic!("no checkpoint to start from") };
            prop_assert!(base.seq <= target || base.seq == 0);
            prop_assert_eq!(records(items), &written[usize::try_from(base.seq).unwrap()..]);
            prop_assert_eq!(replay(recording.seek(to)), Some(world.clone()));
        }
    }
}

#[tokio::test]
async fn an_observation_is_on_disk_within_the_group_time() {
    let data = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), limits).unwrap();
    let start = Instant::now();
    owner.observe(&event(1));
    owner.observe(&event(2));
    until(&owner, |status| status.durable_seq == 2).await;
    let took = start.elapsed();
    assert!(took >= limits.group, "two observations share a commit, yet it came after {took:?}");
    let recording = Recording::open(owner.writer.path()).unwrap();
    assert_eq!(records(recording.items()), expected(1..=2), "a recording can be read while it is written");
}

#[tokio::test]
async fn a_decision_brings_what_came_before_it_to_disk() {
    let data = tempfile::tempdir().unwrap();
    let patient = Limits { group: Duration::from_secs(60), ..Limits::default() };
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), patient).unwrap();
    owner.observe(&event(1));
    owner.decide(&event(2)).await.unwrap();
    owner.observe(&event(3));
    let report = verify(owner.writer.path()).unwrap();
    assert_eq!((report.records, report.uncommitted, report.sealed), (2, 0, false));
}

#[tokio::test]
async fn a_segment_is_closed_when_its_records_have_the_size_of_its_checkpoint() {
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
    for number in 1..=300 {
        owner.decide(&json!({"pod": format!("api-{number}")})).await.unwrap();
    }
    let path = owner.writer.path().to_path_buf();
    let last = Recording::open(&path).unwrap().segments().last().unwrap().number;
    assert!(last > 10, "{last} segments");
    for number in 1..last {
        let (checkpoint, journal) = sizes(&path, number);
        let due = checkpoint.max(small().segment);
        assert!(
            journal >= due,
            "segment {number} of {journal} bytes cost a checkpoint of {checkpoint}: more than twice the space"
        );
        assert!(
            journal < due + 1000,
            "segment {number} of {journal} bytes is long to replay from a checkpoint of {checkpoint}"
        );
    }
}

/// Bytes of a segment's checkpoint, and of what follows the group that it is in.
fn sizes(path: &Path, number: u32) -> (usize, usize) {
    let mut scan = scan::Scan::open(path, number).unwrap();
    let lines: Vec<usize> = std::iter::from_fn(|| scan.next().map(|line| line.bytes.len())).collect();
    (lines[1], lines[3..].iter().sum())
}

#[tokio::test]
async fn closed_segments_are_compressed_and_read_the_same() {
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
    for number in 1..=60 {
        owner.decide(&event(number)).await.unwrap();
    }
    let path = owner.writer.path().to_path_buf();
    let end = owner.writer.seal().unwrap();
    recover(&path).unwrap();
    let names: Vec<String> = files(&path).into_keys().collect();
    let (last, packed) = names.split_last().unwrap();
    assert!(
        last.ends_with(".ndjson")
            && packed.len() > 1
            && packed.iter().all(|name| name.ends_with(".ndjson.zst")),
        "{names:?}"
    );
    assert_eq!(records(Recording::open(&path).unwrap().items()), expected(1..=60));
    let report = verify(&path).unwrap();
    assert_eq!((report.chain, report.sealed, report.damaged), (end.chain, true, vec![]));
}

#[tokio::test]
async fn only_the_owner_may_read_a_recording() {
    let data = tempfile::tempdir().unwrap();
    let path = one_segment(data.path(), 3, true).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("000001.ndjson"))), (0o700, 0o600));
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[tokio::test]
async fn recordings_are_listed_newest_first_with_how_they_ended() {
    let data = tempfile::tempdir().unwrap();
    let killed = one_segment(data.path(), 4, false).await;
    let sealed = one_segment(data.path(), 7, true).await;
    let live = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
    std::fs::create_dir(data.path().join("recordings/other")).unwrap();

    let listing = list(data.path()).unwrap();
    assert_eq!(listing.recordings.len(), 3);
    assert_eq!(listing.unreadable.len(), 1);
    assert!(
        listing
            .recordings
            .is_sorted_by_key(|summary| std::cmp::Reverse(summary.header.as_ref().unwrap().recording))
    );
    for (path, records, is_sealed, is_live) in
        [(killed.as_path(), 4, false, false), (&sealed, 7, true, false), (live.writer.path(), 0, false, true)]
    {
        let summary = summarise(path).unwrap();
        let end = summary.end.unwrap();
        assert_eq!(
            (end.records, end.seq, summary.sealed, summary.live),
            (records, records, is_sealed, is_live),
            "{}",
            path.display()
        );
        assert_eq!(summary.header.unwrap().about, json!({"context": "bed"}));
        assert!(summary.bytes > 0);
    }
}

#[tokio::test]
async fn a_recording_that_is_being_written_is_not_recovered() {
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
    owner.decide(&event(1)).await.unwrap();
    assert!(matches!(recover(owner.writer.path()), Err(JournalError::InUse(_))));
}

#[tokio::test]
async fn dropped_without_seal_it_is_whole_but_not_sealed() {
    let data = tempfile::tempdir().unwrap();
    let path = one_segment(data.path(), 8, false).await;
    let report = verify(&path).unwrap();
    assert_eq!((report.records, report.sealed, report.gaps, report.damaged), (8, false, vec![], vec![]));
    assert_eq!(recover(&path).unwrap(), Recovered::Untouched);
}

#[tokio::test]
async fn numbers_out_of_order_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
    let first = owner.entry(&event(1));
    owner.writer.observe(first).unwrap();
    let mut again = || {
        owner.seq = 0;
        owner.entry(&event(1))
    };
    let second = again();
    let third = again();
    assert!(matches!(owner.writer.observe(second), Err(JournalError::OutOfOrder { expected: 2, got: 1 })));
    assert!(matches!(owner.writer.decide(third).await, Err(JournalError::OutOfOrder { .. })));
}

#[tokio::test]
async fn sealing_is_fast() {
    let data = tempfile::tempdir().unwrap();
    let mut owner =
        Owner::start(Arc::new(LocalDisk), data.path(), Limits { segment: 1 << 30, ..small() }).unwrap();
    (1..=2000).for_each(|number| owner.observe(&event(number)));
    let start = Instant::now();
    owner.writer.seal().unwrap();
    assert!(start.elapsed().as_secs() < 60, "sealing took {:?}", start.elapsed());
}
