//! The value of a secret variable, from the typed line to the end of the recording: it is seen to change,
//! sent as it was typed, and neither it nor what it replaces is shown, copied or recorded.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use warroom::effect::Effect;
use warroom::event::{Event, Operator, Outcome, Record};
use warroom::journal::Limits;
use warroom::keymap::Action;
use warroom::reduce::reduce;
use warroom::session::SessionConfig;
use warroom::sim::NAMESPACE;
use warroom::sim::scenario::Scenario;
use warroom::theme::ColorDepth;

use support::Room;

const DEPLOYMENT: &str = "worker-service";
const OLD: &str = "correct-horse-old";
const NEW: &str = "battery-staple-new";

/// A session on a cluster where the Deployment has a password, and a revision that holds it.
async fn room() -> Room {
    let limits = Limits { group: Duration::from_millis(5), segment: 1 << 12 };
    let mut room = Room::open(1, Scenario::Calm, |wanted| SessionConfig { limits, ..wanted }).await;
    let password = json!({"name": "DB_PASSWORD", "value": OLD});
    let has_password = room.sim.edit("Deployment", NAMESPACE, DEPLOYMENT, |object| {
        object
            .pointer_mut("/spec/template/spec/containers/0/env")
            .unwrap()
            .as_array_mut()
            .unwrap()
            .push(password);
    });
    assert!(has_password);
    room.turn(Duration::from_secs(30)).await;
    room
}

/// What the server has as the password.
fn password(room: &Room) -> String {
    let object =
        room.sim.object(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{DEPLOYMENT}")).unwrap();
    let env = object.pointer("/spec/template/spec/containers/0/env").unwrap().as_array().unwrap();
    env.iter().find(|variable| variable["name"] == "DB_PASSWORD").unwrap()["value"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn screen(room: &Room) -> String {
    common::text(&common::frame(room.session.state(), (160, 60), ColorDepth::TrueColor, false))
}

/// What the key that copies the command would put on the clipboard, and what it tells.
fn copied(room: &Room) -> (Vec<String>, String) {
    let mut state = room.session.state().clone();
    let at = room.clock.now();
    let record =
        Record { seq: state.world.seq + 1, at, event: Event::Operator(Operator::Did(Action::CopyCommand)) };
    let effects = reduce(&mut state, &record);
    let copies = effects
        .into_iter()
        .filter_map(|effect| if let Effect::Copy(text) = effect { Some(text.to_string()) } else { None });
    (copies.collect(), state.screen.message.unwrap().1.to_string())
}

/// The dialog tells that the password changes, and the key that copies does not copy what is no command.
fn is_asked_well(room: &Room) {
    let told = screen(room);
    assert!(
        told.contains("±  DB_PASSWORD changed (hidden)") && !told.contains("nothing would change"),
        "{told}"
    );
    assert!(!told.contains(OLD) && !told.contains(NEW), "{told}");
}

/// All that is on the disk below a folder, closed segments as they were before, and how many of those there
/// are.
fn on_the_disk(folder: &Path) -> (String, usize) {
    let mut text = String::new();
    let mut closed = 0;
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            let (inner, more) = on_the_disk(&path);
            text += &inner;
            closed += more;
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let is_closed = path.extension().is_some_and(|extension| extension == "zst");
        closed += usize::from(is_closed);
        text +=
            &String::from_utf8_lossy(&if is_closed { zstd::decode_all(&bytes[..]).unwrap() } else { bytes });
    }
    (text, closed)
}

#[tokio::test]
async fn a_password_is_changed_and_taken_back_and_never_seen() {
    let mut room = room().await;
    let not_copied =
        "not copied: the value of DB_PASSWORD is hidden, so this is not all of the command".to_owned();
    room.press(Action::Arm);
    room.begin(&format!("set-env deployment={DEPLOYMENT} env=DB_PASSWORD={NEW}")).await;
    is_asked_well(&room);
    assert_eq!(copied(&room), (Vec::new(), not_copied.clone()));
    room.press(Action::Confirm);
    assert!(
        matches!(room.settle().await.outcome, Some(Outcome::Applied { writes: 1, .. })),
        "{:?}",
        room.last()
    );
    assert_eq!((password(&room).as_str(), copied(&room)), (NEW, (Vec::new(), not_copied)));

    room.press(Action::UndoLast);
    room.asked().await;
    is_asked_well(&room);
    room.press(Action::Confirm);
    assert!(
        matches!(room.settle().await.outcome, Some(Outcome::Applied { writes: 1, .. })),
        "{:?}",
        room.last()
    );
    assert_eq!(password(&room), OLD);

    let Room { session, data, .. } = room;
    session.stop().seal().unwrap();
    let (recorded, closed) = on_the_disk(data.path());
    assert!(closed > 0 && recorded.contains("DB_PASSWORD"), "{closed} closed segments");
    for value in [OLD, NEW] {
        assert!(
            !recorded.contains(value),
            "{value} is recorded: {:?}",
            recorded.lines().find(|line| line.contains(value))
        );
    }
}

/// The value of a variable that is no secret is not recorded either, but its command can be copied: the whole
/// of it, with no mark in its place.
#[tokio::test]
async fn a_command_is_copied_whole_or_not_at_all() {
    let mut room = room().await;
    room.begin(&format!("set-env deployment={DEPLOYMENT} env=PREFETCH=2")).await;
    let (copies, told) = copied(&room);
    let command = format!("kubectl set env deployment/{DEPLOYMENT} PREFETCH=2 -n {NAMESPACE} --context test");
    assert_eq!((copies, told), (vec![command.clone()], format!("copied: {command}")));
    room.press(Action::Cancel);
    room.begin(&format!("set-env deployment={DEPLOYMENT} env=PREFETCH=2,DB_PASSWORD={NEW}")).await;
    assert_eq!(copied(&room).0, [] as [String; 0]);
}
