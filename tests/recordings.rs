//! Recordings stay readable: one of each release is checked, shown and replayed; and what of a recording
//! cannot be read is a gap that is told, with what follows from it, never passed over.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod pty;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;
use ulid::Ulid;
use warroom::event::SourceId;
use warroom::journal::Limits;
use warroom::journal::disk::LocalDisk;
use warroom::journal::format::{
    Chain, Commit, FORMAT, Header, Mark, mark_line, record_line, write_checkpoint,
};
use warroom::journal::{Digest, Item, Opening, Pending, Recording, Redacted, Target, Writer, verify};
use warroom::runtime::player::{Player, decoded, unread, world_of};
use warroom::sim::scenario::Scenario;
use warroom::state::{EntryKind, World};

use pty::Home;
use support::{RUNBOOK, Room, session, until, wanted};

/// The recordings of all releases, by version.
fn releases() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings");
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut all: Vec<_> = all.map(|entry| (entry.file_name().into_string().unwrap(), entry.path())).collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

/// Every record, applied one after the other to what the first checkpoint holds.
fn folded(items: impl Iterator<Item = Item>) -> World {
    let mut world = None;
    for item in items {
        match item {
            Item::Checkpoint(checkpoint) => drop(world.get_or_insert_with(|| world_of(&checkpoint).unwrap())),
            Item::Record(raw) => world.as_mut().unwrap().fold(&decoded(&raw).unwrap()),
            Item::Gap(gap) => panic!("{gap}"),
        }
    }
    world.unwrap()
}

fn played(path: &Path) -> Player {
    let mut player = Player::open(path, RUNBOOK.clone()).unwrap();
    player.finish();
    player
}

#[test]
fn the_recordings_of_all_releases_are_whole_and_are_shown() {
    let home = Home::new();
    for (version, path) in releases() {
        let report = verify::verify(&path).unwrap();
        assert!(
            report.sealed && report.damaged.is_empty() && report.gaps.is_empty() && report.uncommitted == 0,
            "{version}: {report:?}"
        );
        assert_eq!(Recording::open(&path).unwrap().header().unwrap().warroom, version);
        assert_eq!(unread(&Recording::open(&path).unwrap()), [], "{version}");

        let path = path.to_str().unwrap();
        let verified = home.run(&["recordings", "verify", path]);
        assert!(
            verified.code == 0 && verified.out.contains(&report.chain.to_string()),
            "{version}: {verified:?}"
        );
        let shown = home.run(&["recordings", "show", path, "--json"]).json();
        let entries = shown["timeline"].as_array().unwrap();
        let words = |entry: &Value| entry["text"].as_str().unwrap_or_default().to_owned();
        assert!(
            entries.len() > 15 && entries.iter().any(|entry| words(entry).contains("v1.2.3 → v1.3.0")),
            "{version}: {entries:?}"
        );
        assert_eq!((&shown["gaps"], &shown["sealed"]), (&json!([]), &json!(true)), "{version}");
        let text = home.run(&["recordings", "show", path]).out;
        assert!(
            entries.iter().all(|entry| text.contains(&words(entry))) && !text.contains("gap"),
            "{version}: {text}"
        );
    }
}

#[test]
fn the_recordings_of_all_releases_are_replayed_to_the_end() {
    for (version, path) in releases() {
        let recording = Recording::open(&path).unwrap();
        let whole = folded(recording.items());
        let checkpoints = recording
            .items()
            .filter_map(|item| if let Item::Checkpoint(it) = item { Some(it.seq) } else { None });
        for seq in checkpoints {
            let tail = folded(recording.seek(Target::Seq(seq)));
            assert_eq!(tail.hash(), whole.hash(), "{version}, from checkpoint {seq}");
        }
        let player = played(&path);
        let world = &player.state.world;
        assert_eq!(world.hash(), whole.hash(), "{version}");
        let marks: Vec<_> = world
            .timeline
            .entries()
            .iter()
            .filter(|entry| entry.kind == EntryKind::Action)
            .map(|entry| entry.mark)
            .collect();
        assert!(world.runs.all().count() == marks.len() && marks.len() >= 4, "{version}: {marks:?}");
        assert_eq!(
            marks,
            (1..=u32::try_from(marks.len()).unwrap()).map(Some).collect::<Vec<_>>(),
            "{version}"
        );
        for run in world.runs.all() {
            assert!(run.settled() && run.outcome.is_some(), "{version}: {run:?}");
        }
        for kind in [EntryKind::Applied, EntryKind::Verified, EntryKind::Note] {
            assert!(world.timeline.entries().iter().any(|entry| entry.kind == kind), "{version}: {kind:?}");
        }
    }
}

/// A recording of three segments, written from that of a release.
struct Crafted {
    data: TempDir,
    /// The worlds at the beginning of each segment, and at the end.
    worlds: Vec<World>,
}

impl Crafted {
    /// What stands in the recording instead of each segment's world, and instead of each event, is for the
    /// test to say.
    fn new(mut checkpoint: impl FnMut(usize, &mut Value), mut event: impl FnMut(u64, &mut Value)) -> Self {
        let (_, source) = releases().remove(0);
        let records: Vec<_> = Recording::open(&source)
            .unwrap()
            .items()
            .filter_map(|item| if let Item::Record(it) = item { Some(it) } else { None })
            .collect();
        let data = tempfile::tempdir().unwrap();
        let mut worlds = Vec::new();
        let mut world = World::default();
        let mut chain = Chain::after(Digest::ZERO);
        let mut written = 0;
        for (place, part) in records.chunks(records.len().div_ceil(3)).enumerate() {
            let seq = written;
            let at = part[0].at;
            let mut shown = serde_json::to_value(&world).unwrap();
            worlds.push(world.clone());
            checkpoint(place, &mut shown);
            let mut lines = header(place, seq, at, chain.head());
            write_checkpoint(&mut lines, seq, at, &shown).unwrap();
            for raw in part {
                world.fold(&decoded(raw).unwrap());
                let mut shown = serde_json::from_str(raw.json.get()).unwrap();
                event(raw.seq, &mut shown);
                lines.extend(record_line(raw.seq, raw.at, shown.to_string().as_bytes()));
                written = raw.seq;
            }
            chain.add(&lines);
            let commit =
                Commit { seq: written, at: part[part.len() - 1].at, records: written, chain: chain.commit() };
            lines.extend(mark_line(&Mark::Commit(commit.clone())).unwrap());
            lines.extend(mark_line(&Mark::Sealed(commit)).unwrap());
            fs::write(data.path().join(format!("{:06}.ndjson", place + 1)), lines).unwrap();
        }
        worlds.push(world);
        let report = verify::verify(data.path()).unwrap();
        assert!(report.sealed && report.damaged.is_empty() && report.gaps.is_empty(), "{report:?}");
        Self { data, worlds }
    }

    fn path(&self) -> &Path {
        self.data.path()
    }
}

fn header(place: usize, seq: u64, at: DateTime<Utc>, chain: Digest) -> Vec<u8> {
    let recording = Ulid::from_parts(1, 1);
    let segment = u32::try_from(place).unwrap() + 1;
    let header = Header {
        format: FORMAT,
        recording,
        segment,
        warroom: "9.9.9".to_owned(),
        seq,
        at,
        chain,
        about: json!({}),
    };
    mark_line(&Mark::Header(header)).unwrap()
}

/// What the bar of the replay tells, once the recording is looked through.
fn told(player: &mut Player) -> Vec<String> {
    assert_eq!(player.state.screen.playback.as_ref().unwrap().survey, None, "not looked through yet");
    player.gaps();
    let survey = player.state.screen.playback.as_ref().unwrap().survey.clone().unwrap();
    survey.gaps.iter().map(ToString::to_string).collect()
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_a_gap_and_the_world_goes_on_from_before_it() {
    let crafted = Crafted::new(
        |place, world| {
            if place == 1 {
                world["seq"] = json!("many");
            }
        },
        |_, _| (),
    );
    let mut player = played(crafted.path());
    let seq = crafted.worlds[1].seq;
    let why = "invalid type: string \"many\", expected u64";
    let gap = format!(
        "the checkpoint after record {seq} cannot be read ({why}): the world goes on from before it and may be wrong until the next checkpoint"
    );
    assert_eq!(told(&mut player), [gap.as_str()]);
    assert_eq!(player.state.world.hash(), crafted.worlds[3].hash());
    player.step(-i64::try_from(crafted.worlds[3].seq - seq - 5).unwrap());
    let there = player.state.world.hash();
    let mut forward = Player::open(crafted.path(), RUNBOOK.clone()).unwrap();
    forward.step(i64::try_from(seq).unwrap() + 5);
    assert_eq!((player.state.world.seq, there), (seq + 5, forward.state.world.hash()), "back is as forward");

    let home = Home::new();
    let path = crafted.path().to_str().unwrap();
    let verified = home.run(&["recordings", "verify", path, "--json"]).json();
    assert_eq!((&verified["unread"], &verified["damaged"]), (&json!([gap]), &json!([])));
    assert!(home.run(&["recordings", "verify", path]).out.contains(&gap));
    assert_eq!(home.run(&["recordings", "show", path, "--json"]).json()["gaps"], json!([gap]));
    assert!(home.run(&["recordings", "show", path]).out.contains(&format!("gap: {gap}")));
}

#[test]
fn a_record_that_cannot_be_read_is_a_gap_until_the_next_checkpoint() {
    let crafted = Crafted::new(
        |_, _| (),
        |seq, event| {
            if seq == 9 {
                *event = json!({"telepathy": {"of": "\u{1b}[2J"}});
            }
        },
    );
    let mut player = played(crafted.path());
    let gap = "record 9 cannot be read (unknown variant `telepathy`): what it changed is missing until the next checkpoint";
    assert_eq!(told(&mut player), [gap]);
    assert_eq!(
        player.state.world.hash(),
        crafted.worlds[3].hash(),
        "the checkpoints after it make it right again"
    );
    player.rewind();
    player.step(8);
    assert_eq!(player.state.world.seq, 8);
    player.step(1);
    assert_eq!(player.state.world.seq, 8, "it changes nothing");
    player.step(1);
    assert_eq!(player.state.world.seq, 10, "and is stepped over");
    player.step(-2);
    assert_eq!(player.state.world.seq, 8, "back as well");

    let home = Home::new();
    let path = crafted.path().to_str().unwrap();
    assert!(home.run(&["recordings", "verify", path]).out.contains(gap));
    assert_eq!(home.run(&["recordings", "show", path, "--json"]).json()["gaps"], json!([gap]));
}

/// However long a recording is, opening it reads the heads of its segments, and its end the last checkpoint
/// and what follows.
#[test]
fn a_recording_is_opened_and_sought_without_what_is_in_between() {
    let crafted = Crafted::new(|_, _| (), |_, _| ());
    let recording = Recording::open(crafted.path()).unwrap();
    let whole = measure(|| assert!(recording.items().count() > 100)).count_total;
    let mut opened = None;
    let opening = measure(|| opened = Player::open(crafted.path(), RUNBOOK.clone()).ok()).count_total;
    assert!(opening * 2 < whole, "{opening} allocations to open it, {whole} to read it");

    let mut player = opened.unwrap();
    for segment in ["000001.ndjson", "000002.ndjson"] {
        fs::remove_file(crafted.path().join(segment)).unwrap();
    }
    player.finish();
    let [_, _, third, end] = &crafted.worlds[..] else { panic!("not three segments") };
    assert_eq!(player.state.world.hash(), end.hash());
    player.step(-2);
    assert_eq!(player.state.world.seq, end.seq - 2);
    player.step(-i64::try_from(end.seq - 3 - third.seq).unwrap());
    let first = folded(recording.seek(Target::Seq(third.seq)).take(2));
    assert_eq!((player.state.world.seq, player.state.world.hash()), (third.seq + 1, first.hash()));
}

/// A segment that is not there is stepped over, there and back.
#[test]
fn a_step_over_a_gap_goes_to_the_next_record_that_is_there() {
    let crafted = Crafted::new(|_, _| (), |_, _| ());
    let [_, second, third, _] = &crafted.worlds[..] else { panic!("not three segments") };
    fs::remove_file(crafted.path().join("000002.ndjson")).unwrap();
    let mut player = Player::open(crafted.path(), RUNBOOK.clone()).unwrap();
    let reached = |player: &Player| player.state.screen.playback.as_ref().unwrap().seq;
    player.step(i64::try_from(second.seq).unwrap());
    assert_eq!((reached(&player), player.state.world.hash()), (second.seq, second.hash()));
    player.step(1);
    assert_eq!(reached(&player), third.seq + 1);
    player.step(-1);
    assert_eq!((reached(&player), player.state.world.hash()), (second.seq, second.hash()));
    let gap = format!("records {} to {} are missing", second.seq + 1, third.seq);
    let told = told(&mut player);
    assert!(told.len() == 1 && told[0].starts_with(&gap), "{told:?}");
}

/// A session was killed after it had written down a change in a form that this version does not read: the
/// next session says so, once.
#[tokio::test]
async fn a_change_of_a_killed_session_that_cannot_be_read_is_told_as_unknown() {
    let Room { sim, clock, data, session: first } = Room::open(1, Scenario::Calm, |wanted| wanted).await;
    drop(first);
    let at = clock.now() - TimeDelta::minutes(5);
    let about = json!({"cluster": sim.kubernetes_url()});
    let opening = Opening {
        data: data.path(),
        context: "test",
        about,
        at,
        world: &World::default(),
        limits: Limits::default(),
    };
    let mut writer = Writer::create(Arc::new(LocalDisk), opening).unwrap();
    let event =
        Redacted::new(json!({"intent": {"id": "01M8K22ZFQESRZWS53MQAW6RT4", "does": "something new"}}))
            .unwrap();
    writer.decide(Pending::new(1, at, &event, None)).await.unwrap();
    let name = writer.path().file_name().unwrap().to_str().unwrap().to_owned();
    drop(writer);

    let unknown = |session: &warroom::runtime::headless::Headless| {
        let entries =
            session.state().world.timeline.entries().iter().filter(|entry| entry.kind == EntryKind::Unknown);
        entries.map(|entry| entry.text.to_string()).collect::<Vec<_>>()
    };
    let mut next = session(wanted(&sim), &clock, data.path()).await;
    assert!(
        until(&mut next, &clock, Duration::ZERO, |session| !unknown(session).is_empty()).await,
        "nothing is said of it"
    );
    let said = unknown(&next);
    assert!(
        said.len() == 1
            && said[0].starts_with(&format!("{name}: the change in record 1 cannot be read (missing field")),
        "{said:?}"
    );
    assert!(said[0].ends_with("; whether it was made is unknown"), "{said:?}");
    let recording = next.recording().unwrap().to_owned();
    let handed_on = recording.with_file_name(&name).join("handed-on");
    assert!(until(&mut next, &clock, Duration::ZERO, |_| handed_on.exists()).await, "it is not handed on");
    next.stop().seal().unwrap();
    assert_eq!(unread(&Recording::open(&recording).unwrap()), []);

    let mut after = session(wanted(&sim), &clock, data.path()).await;
    assert!(
        until(&mut after, &clock, Duration::ZERO, |session| session.heard(SourceId::ALL)).await,
        "it hears nothing"
    );
    assert_eq!(unknown(&after), Vec::<String>::new(), "it was told once");
}
