//! Recordings that were cut, flipped, rewritten or lost in part: never a panic, never a false record.

use super::format::{Commit, Header, Line, Mark, decode, mark_line, write_checkpoint};
use super::reader::Target;
use super::recover::{Recovered, recover};
use super::verify::{Flaw, verify};
use super::*;
use crate::chance::seeds;

const SEGMENT: &str = "000001.ndjson";

/// Writes the files of a recording elsewhere.
fn plant(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// One place of so many is tried by default; 9 of bits are one in each byte, each time another.
fn step(few: u64) -> usize {
    usize::try_from(seeds(few, 1)).unwrap()
}

async fn small_recording(count: u64, sealed: bool) -> Vec<u8> {
    let data = tempfile::tempdir().unwrap();
    files(&one_segment(data.path(), count, sealed).await).remove(SEGMENT).unwrap()
}

/// A recording of several segments, all but the last compressed.
async fn packed_recording(count: u64) -> BTreeMap<String, Vec<u8>> {
    let data = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(Arc::new(LocalDisk), data.path(), small()).unwrap();
    for number in 1..=count {
        owner.decide(&event(number)).await.unwrap();
    }
    let path = owner.writer.path().to_path_buf();
    owner.writer.seal().unwrap();
    recover(&path).unwrap();
    let files = files(&path);
    assert!(files.len() > 2, "{:?}", files.keys());
    files
}

#[tokio::test]
async fn a_last_segment_that_was_given_up_at_birth_hides_nothing_of_the_one_before() {
    let first = small_recording(7, false).await;
    let world = |count: u64| {
        let mut world = World::default();
        (1..=count).for_each(|number| world.apply(&event(number)));
        world
    };
    let head = first.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let Ok(Line::Mark(Mark::Header(head))) = decode(head) else { panic!("no header") };
    let chain = head.chain;
    let mut second = mark_line(&Mark::Header(Header { segment: 2, seq: 3, at: at(3), ..head })).unwrap();
    write_checkpoint(&mut second, 3, at(3), &world(3)).unwrap();
    second.extend(mark_line(&Mark::Commit(Commit { seq: 3, at: at(3), records: 3, chain })).unwrap());
    let files = BTreeMap::from([(SEGMENT.to_owned(), first), ("000002.ndjson".to_owned(), second)]);
    let folder = plant(&files);
    let recording = Recording::open(folder.path()).unwrap();
    assert_eq!(recording.end().map(|end| end.seq), Some(7));
    assert_eq!(records(recording.items()), expected(1..=7));
    for to in [Target::Seq(5), Target::Seq(u64::MAX), Target::At(at(7))] {
        assert_eq!(records(recording.seek(to)), expected(1..=7), "{to:?}");
    }
    assert_eq!(replay(recording.seek(Target::Seq(7))), Some(world(7)));
}

#[tokio::test]
async fn cut_anywhere_it_yields_a_prefix_and_can_be_recovered() {
    let whole = small_recording(7, true).await;
    let all = expected(1..=7);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(SEGMENT);
    let mut longest = 0;
    // Around the end of a line each place counts; of those amid a line, some do by default.
    let is_at_end =
        |length: usize| whole[length.saturating_sub(2)..(length + 2).min(whole.len())].contains(&b'\n');
    let step = step(7);
    for length in (0..whole.len()).filter(|length| length.is_multiple_of(step) || is_at_end(*length)) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let found = records(Recording::open(folder.path()).unwrap().items());
        assert_eq!(found, all[..found.len()], "cut at {length}");
        assert!(found.len() >= longest, "a longer file holds no less");
        longest = found.len();
        let report = verify(folder.path()).unwrap();
        assert!(!report.sealed && report.records == found.len() as u64);

        let is_cut_in_line = length > 0 && whole[length - 1] != b'\n';
        assert_eq!(report.gaps.len(), usize::from(is_cut_in_line), "cut at {length}");
        recover_again(folder.path(), &all, found.len());
    }
    assert_eq!(longest, 7);
}

/// Recovering keeps what was there, leaves nothing damaged, and is done after one time.
fn recover_again(folder: &Path, all: &[(u64, Value)], count: usize) {
    let has_head = Recording::open(folder).unwrap().header().is_some();
    let before = std::fs::read(folder.join(SEGMENT)).unwrap();
    let recovered = recover(folder).unwrap();
    if let Recovered::Torn(aside) = &recovered {
        assert!(before.ends_with(&std::fs::read(aside).unwrap()));
    }
    assert_eq!(records(Recording::open(folder).unwrap().items()), all[..count]);
    let report = verify(folder).unwrap();
    assert!(!has_head || (report.damaged.is_empty() && report.uncommitted == 0), "{report:?}");
    assert_eq!(recover(folder).unwrap(), Recovered::Untouched);
}

#[tokio::test]
async fn every_flipped_bit_is_found_and_no_false_record_is_shown() {
    // What differs without a seal is the end.
    for (sealed, from_end) in [(true, usize::MAX), (false, 200)] {
        let whole = small_recording(3, sealed).await;
        let all = expected(1..=3);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SEGMENT);
        std::fs::write(&path, &whole).unwrap();
        let sound = verify(folder.path()).unwrap();
        for bit in (whole.len().saturating_sub(from_end) * 8..whole.len() * 8).step_by(step(9)) {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &flipped).unwrap();
            let report = verify(folder.path()).unwrap();
            assert_ne!(report, sound, "bit {bit} was flipped unseen");
            assert!(!report.damaged.is_empty() || !report.gaps.is_empty(), "bit {bit}: {report:?}");
            let found = records(Recording::open(folder.path()).unwrap().items());
            assert!(found.iter().all(|record| all.contains(record)), "bit {bit} made {found:?}");
            assert!(found.len() + 2 >= all.len(), "bit {bit} took more than its lines: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_a_compressed_segment_is_found_or_changes_nothing() {
    let files = packed_recording(5).await;
    let all = expected(1..=5);
    let folder = plant(&files);
    let sound = verify(folder.path()).unwrap();
    assert_eq!(records(Recording::open(folder.path()).unwrap().items()), all);
    let (name, whole) = files.first_key_value().unwrap();
    assert_eq!(name, "000001.ndjson.zst");
    for bit in (0..whole.len() * 8).step_by(step(9)) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(folder.path().join(name), flipped).unwrap();
        let report = verify(folder.path()).unwrap();
        let found = records(Recording::open(folder.path()).unwrap().items());
        assert!(found.iter().all(|record| all.contains(record)), "bit {bit} made {found:?}");
        assert!(!report.damaged.is_empty() || (report == sound && found == all), "bit {bit}: {report:?}");
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_a_gap_and_the_rest_is_read() {
    let mut whole = small_recording(9, true).await;
    let text = String::from_utf8(whole.clone()).unwrap();
    let inside = text.find("{\"seq\":5,").unwrap() + 20;
    whole[inside] ^= 0x40;
    let folder = plant(&BTreeMap::from([(SEGMENT.to_owned(), whole)]));
    let recording = Recording::open(folder.path()).unwrap();
    assert_eq!(records(recording.items()), expected((1..=9).filter(|number| *number != 5)));
    let gaps: Vec<Gap> = verify(folder.path()).unwrap().gaps;
    assert!(
        matches!(
            gaps.as_slice(),
            [Gap { from_seq: 5, to_seq: Some(5), why: Why::Damaged { segment: 1, .. } }]
        ),
        "{gaps:?}"
    );
    assert_eq!(recover(folder.path()).unwrap(), Recovered::Untouched, "evidence is left as it is");
}

#[tokio::test]
async fn a_rewritten_record_breaks_the_chain() {
    let text = String::from_utf8(small_recording(6, true).await).unwrap();
    let forged: String = text
        .lines()
        .map(|line| if line.starts_with("{\"seq\":4,") { forge(line) } else { format!("{line}\n") })
        .collect();
    let folder = plant(&BTreeMap::from([(SEGMENT.to_owned(), forged.into_bytes())]));
    let report = verify(folder.path()).unwrap();
    assert_eq!(report.damaged.iter().map(|damage| &damage.flaw).collect::<Vec<_>>(), [&Flaw::Chain]);
}

/// Changes a record and makes its checksum anew.
fn forge(line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap();
    let mut event = value["event"].clone();
    event["restarts"] = json!(0);
    String::from_utf8(format::record_line(
        value["seq"].as_u64().unwrap(),
        at(4),
        event.to_string().as_bytes(),
    ))
    .unwrap()
}

#[tokio::test]
async fn lines_added_after_the_seal_are_found() {
    let mut whole = small_recording(2, true).await;
    whole.extend(format::record_line(3, at(3), event(3).to_string().as_bytes()));
    let folder = plant(&BTreeMap::from([(SEGMENT.to_owned(), whole)]));
    assert!(verify(folder.path()).unwrap().damaged.iter().any(|damage| damage.flaw == Flaw::AfterSeal));
}

#[tokio::test]
async fn a_missing_segment_is_a_gap_and_a_broken_link() {
    let mut files = packed_recording(24).await;
    files.remove("000002.ndjson.zst").unwrap();
    let folder = plant(&files);
    let report = verify(folder.path()).unwrap();
    assert!(
        matches!(report.gaps.as_slice(), [Gap { to_seq: Some(_), why: Why::Missing, .. }]),
        "{:?}",
        report.gaps
    );
    assert!(report.damaged.iter().all(|damage| damage.flaw == Flaw::Link) && !report.damaged.is_empty());
    assert!(replay(Recording::open(folder.path()).unwrap().items()).is_some());
}

#[tokio::test]
async fn segments_of_another_recording_do_not_link() {
    let mut mine = packed_recording(24).await;
    let mut other = packed_recording(24).await;
    mine.insert("000002.ndjson.zst".into(), other.remove("000002.ndjson.zst").unwrap());
    let folder = plant(&mine);
    assert!(
        verify(folder.path())
            .unwrap()
            .damaged
            .iter()
            .any(|damage| damage.segment == 2 && damage.flaw == Flaw::Link)
    );
}

#[tokio::test]
async fn a_seek_steps_back_over_a_damaged_checkpoint() {
    let mut files = packed_recording(24).await;
    let recording = plant(&files);
    let last = Recording::open(recording.path()).unwrap().segments().last().unwrap().number;
    let plain = files.get_mut(&format!("{last:06}.ndjson")).unwrap();
    let inside = String::from_utf8(plain.clone()).unwrap().find("\"world\":").unwrap() + 12;
    plain[inside] ^= 1;
    let folder = plant(&files);
    let recording = Recording::open(folder.path()).unwrap();
    let Some(Item::Checkpoint(base)) = recording.seek(Target::Seq(24)).next() else {
        panic!("no checkpoint")
    };
    assert_eq!(
        Some(base.seq),
        recording.segments()[recording.segments().len() - 2].header.as_ref().map(|header| header.seq)
    );
    assert_eq!(records(recording.seek(Target::Seq(24))).last(), expected(24..=24).last());
}

#[test]
fn a_line_beyond_the_limit_is_stepped_over() {
    let mut bytes = vec![b'x'; format::MAX_LINE + 10];
    bytes.push(b'\n');
    bytes.extend(format::record_line(2, at(2), event(2).to_string().as_bytes()));
    let folder = plant(&BTreeMap::from([(SEGMENT.to_owned(), bytes)]));
    let items: Vec<Item> = Recording::open(folder.path()).unwrap().items().collect();
    assert!(
        matches!(
            &items[..],
            [
                Item::Gap(Gap { why: Why::Damaged { fault: format::Corruption::TooLong, .. }, .. }),
                Item::Record(_)
            ]
        ),
        "{items:?}"
    );
}

#[test]
fn a_newer_format_is_refused_and_any_bytes_are_not() {
    let newer = br#"{"header":{"format":2,"recording":"01KAVV3ZK0000000000080QV7K","segment":1,"warroom":"9","seq":0,"at":"2026-11-23T14:46:32Z","chain":"0000000000000000000000000000000000000000000000000000000000000000","about":null}"#;
    let line =
        format!("{},\"crc\":\"{:08x}\"}}\n", std::str::from_utf8(newer).unwrap(), crc32c::crc32c(newer));
    let folder = plant(&BTreeMap::from([(SEGMENT.to_owned(), line.into_bytes())]));
    assert!(matches!(Recording::open(folder.path()), Err(JournalError::NewerFormat { found: 2, .. })));
    for bytes in [&b""[..], b"\n\n\n", b"{}\n", b"\xff\xfe\n\x00", &[0; 5000]] {
        let folder = plant(&BTreeMap::from([
            (SEGMENT.to_owned(), bytes.to_vec()),
            ("000002.ndjson.zst".to_owned(), bytes.to_vec()),
        ]));
        assert_eq!(records(Recording::open(folder.path()).unwrap().items()), vec![]);
        verify(folder.path()).unwrap();
        recover(folder.path()).unwrap();
    }
}
