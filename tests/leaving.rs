//! From the confirmation to the wire: what was stopped before it left does not leave, whenever the disk is
//! done with it, and what was meant for one cluster is neither sent to another nor told by what another one
//! says.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use warroom::event::{Event, Operator, Outcome, Purpose, View};
use warroom::keymap::Action;
use warroom::sim::NAMESPACE;
use warroom::sim::fault::{Fault, When};
use warroom::state::{EntryKind, Stage};
use warroom::theme::ColorDepth;

use support::disk::{GatedDisk, Syncs};
use support::{Room, Setup};

/// More than arming lasts.
const LATER: Duration = Duration::from_secs(16 * 60);

/// What comes between a confirmation and the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Stop,
    Disarm,
    ArmingRunsOut,
    JournalFails,
    AnotherCluster,
    /// Another cluster, which has no object of that name.
    AnotherClusterWithoutIt,
}

const WAYS: [Way; 6] = [
    Way::Stop,
    Way::Disarm,
    Way::ArmingRunsOut,
    Way::JournalFails,
    Way::AnotherCluster,
    Way::AnotherClusterWithoutIt,
];

/// Where what was confirmed is by then.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// On its way to the disk.
    BeforeTheDisk,
    /// On the disk, and the session has not heard of that.
    OnTheDisk,
}

impl Way {
    fn says(self) -> &'static str {
        match self {
            Self::Stop => "stopped before it left",
            Self::Disarm => "disarmed before it left",
            Self::ArmingRunsOut => "arming ran out",
            Self::JournalFails => "the journal c",
            Self::AnotherCluster | Self::AnotherClusterWithoutIt => "another cluster answers at ",
        }
    }

    async fn happens(self, room: &mut Room, disk: &GatedDisk) {
        match self {
            Self::Stop => room.press(Action::StopAll),
            Self::Disarm => room.command("disarm"),
            Self::ArmingRunsOut => room.clock.advance(LATER),
            Self::JournalFails => fail(room, disk).await,
            Self::AnotherCluster => room.sim.set_cluster_identity("other"),
            Self::AnotherClusterWithoutIt => {
                room.sim.set_cluster_identity("other");
                assert!(room.sim.delete("Deployment", NAMESPACE, "worker-service"));
            }
        }
    }
}

/// The disk fails with what is written next, and the session knows, but has not taken in what the disk was
/// done with before.
async fn fail(room: &mut Room, disk: &GatedDisk) {
    disk.set(Syncs::Fail);
    room.session.take(Event::Operator(Operator::Entered { purpose: Purpose::Note, text: "a note".into() }));
    let known = async {
        while room.session.state().world.journal_trouble.is_none() {
            tokio::task::yield_now().await;
            room.session.take(Event::View(View::Tick));
        }
    };
    tokio::time::timeout(support::LIMIT, known).await.unwrap();
}

/// A session that was armed, in which a change was confirmed, and whose disk holds it back.
async fn confirmed() -> (Room, GatedDisk) {
    let disk = GatedDisk::default();
    let mut room =
        Room::of(Setup { disk: Arc::new(disk.clone()), ..Setup::default() }, |wanted| wanted).await;
    room.begin("scale deployment=worker-service replicas=4").await;
    room.press(Action::Arm);
    disk.set(Syncs::Wait);
    room.press(Action::Confirm);
    (room, disk)
}

/// Lets time go by, and takes in whatever comes of it.
async fn wait(room: &mut Room) {
    for _ in 0..20 {
        room.turn(Duration::from_millis(50)).await;
    }
}

fn screen(room: &Room) -> String {
    common::text(&common::frame(room.session.state(), (160, 44), ColorDepth::TrueColor, false))
}

async fn stopped(way: Way, moment: Moment) {
    let what = format!("{way:?} {moment:?}");
    let (mut room, disk) = confirmed().await;
    wait(&mut room).await;
    assert_eq!(room.last().stage, Stage::Waiting, "{what}");
    let told = screen(&room);
    assert!(told.contains("waiting for the disk") && told.contains("nothing was sent"), "{what}: {told}");
    let id = room.last().intent.id.to_string();
    if moment == Moment::OnTheDisk {
        disk.set(Syncs::Pass);
        let durable = async {
            while !disk.has(&id) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(support::LIMIT, durable).await.unwrap();
    } else {
        assert!(!disk.has(&id), "{what}");
    }
    way.happens(&mut room, &disk).await;
    if way != Way::JournalFails {
        disk.set(Syncs::Pass);
    }
    let run = room.settle().await;
    let Some(Outcome::NotSent { reason }) = &run.outcome else { panic!("{what}: {run:?}") };
    assert!(reason.starts_with(way.says()) && !reason.contains("gone"), "{what}: {reason}");
    wait(&mut room).await;
    assert_eq!(room.writes(), [], "{what}");
    assert!(matches!(room.last().stage, Stage::NotSent(_)), "{what}");
}

#[tokio::test]
async fn what_was_stopped_before_the_disk_had_it_does_not_leave() {
    for way in WAYS {
        stopped(way, Moment::BeforeTheDisk).await;
    }
}

#[tokio::test]
async fn what_was_stopped_when_the_disk_had_it_does_not_leave_either() {
    for way in WAYS {
        stopped(way, Moment::OnTheDisk).await;
    }
}

#[tokio::test]
async fn what_nobody_stopped_leaves_once_when_the_disk_has_it() {
    let (mut room, disk) = confirmed().await;
    wait(&mut room).await;
    assert_eq!((room.last().stage.clone(), room.writes()), (Stage::Waiting, Vec::new()));
    disk.set(Syncs::Pass);
    assert!(matches!(
        room.settle().await.outcome,
        Some(Outcome::Applied { writes: 1, by_reading: false, .. })
    ));
    assert_eq!(room.writes().iter().map(|write| write.method.as_str()).collect::<Vec<_>>(), ["PATCH"]);
}

#[tokio::test]
async fn what_another_cluster_says_is_no_answer_to_a_lost_one() {
    for (applied, gone) in [(true, false), (false, false), (true, true)] {
        let mut room = Room::of(Setup::default(), |wanted| wanted).await;
        room.begin("scale deployment=worker-service replicas=4").await;
        room.press(Action::Arm);
        room.sim.faults().on(Method::PATCH, "worker-service", When::Nth(1), Fault::Hang { applied });
        room.press(Action::Confirm);
        assert!(
            room.until(|session| session
                .state()
                .world
                .runs
                .all()
                .any(|run| matches!(run.stage, Stage::Unknown(_))))
                .await
        );
        room.sim.set_cluster_identity("other");
        if gone {
            assert!(room.sim.delete("Deployment", NAMESPACE, "worker-service"));
        }
        let entry = |session: &warroom::runtime::headless::Headless| {
            let entries = session.state().world.timeline.entries();
            entries.iter().any(|entry| {
                entry.kind == EntryKind::Session
                    && entry.text.contains("another cluster answers at this address")
            })
        };
        assert!(room.until(entry).await, "it is told");
        room.clock.advance(support::PATIENCE * 10);
        wait(&mut room).await;
        let run = room.last();
        assert!(matches!(run.stage, Stage::Unknown(_)), "{applied}: {run:?}");
        assert_eq!(room.writes().len(), 1, "nothing was sent again");
    }
}
