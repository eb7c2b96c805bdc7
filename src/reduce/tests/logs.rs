//! Whose logs are followed, and what keys do among their lines.

use super::*;
use crate::clean::Styled;
use crate::effect::Following;
use crate::event::{
    ClusterEvent, Level, LogEnd, LogLine, LogNews, LogState, Meta, Owner, Pod, Revision, Workload, samples,
};
use crate::state::{Anchor, Focus, LogView};

fn meta(name: &str) -> Meta {
    Meta { uid: format!("uid-{name}").into(), namespace: "ns".into(), ..samples::meta(name) }
}

fn owner(kind: &str, name: &str) -> Owner {
    Owner { kind: kind.into(), name: name.into(), uid: format!("uid-{name}").into() }
}

fn pod(name: &str, set: &str, containers: &[&str]) -> Arc<Pod> {
    let containers = containers.iter().map(|name| samples::container(name)).collect();
    Arc::new(Pod { owner: Some(owner("ReplicaSet", set).into()), ..samples::pod(meta(name), containers) })
}

fn set(name: &str) -> Revision {
    Revision { owner: Some(owner("Deployment", "app")), ..samples::revision(meta(name)) }
}

fn deployment() -> Workload {
    samples::deployment(meta("app"), 2)
}

/// A deployment with a pod of two containers, and a pod of somebody else.
fn room() -> Room {
    let mut room = Room::new(false);
    room.take(Event::View(View::Resized { columns: 100, rows: 16 }));
    room.take(Event::Cluster(ClusterEvent::Workloads(vec![deployment()])));
    room.take(Event::Cluster(ClusterEvent::Revisions(vec![set("app-1")])));
    room.take(Event::Cluster(ClusterEvent::Pods(vec![
        pod("app-1-a", "app-1", &["app", "proxy"]),
        pod("other", "other-1", &["app"]),
    ])));
    select(&mut room, "uid-app");
    room
}

fn select(room: &mut Room, uid: &str) {
    room.state.screen.lists.entry(Focus::Pods).or_default().selected = Some(uid.into());
}

/// What is followed by these effects: `pod/container`.
fn followed(effects: &[Effect]) -> Vec<(u16, String)> {
    let following = effects
        .iter()
        .filter_map(|effect| if let Effect::Follow(following) = effect { Some(following) } else { None });
    following
        .flat_map(|f: &Following| &f.sources)
        .map(|(number, source)| (*number, format!("{}/{}", source.pod, source.container)))
        .collect()
}

fn log(room: &mut Room) -> &mut LogView {
    let Some(Page::Logs(log)) = room.state.screen.pages.last_mut() else { panic!("no logs are open") };
    log
}

fn tell(room: &mut Room, texts: &[&str], states: Vec<(u16, LogState)>) -> Vec<Effect> {
    let line = |text: &&str| LogLine {
        at: DateTime::UNIX_EPOCH,
        stream: 0,
        level: if text.starts_with("ERROR") { Level::Error } else { Level::Unsaid },
        mark: false,
        text: Styled::new(text),
    };
    let following = log(room).number;
    room.take(Event::View(View::Logs(LogNews { following, lines: texts.iter().map(line).collect(), states })))
}

#[test]
fn a_workloads_logs_are_those_of_its_pods_and_new_ones_join() {
    let mut room = room();
    let effects = room.act(Action::Logs);
    assert_eq!(effects[0], Effect::Unfollow);
    assert_eq!(followed(&effects), [(0, "app-1-a/app".to_owned()), (1, "app-1-a/proxy".to_owned())]);
    let changes = [("app-1-a", &["app", "proxy"][..]), ("app-1-b", &["app"]), ("app-1-b", &["app"])];
    let changes = changes.map(|(name, containers)| pod(name, "app-1", containers));
    let told = room.take(Event::Cluster(ClusterEvent::Pods(changes.to_vec())));
    assert_eq!(followed(&told), [(2, "app-1-b/app".to_owned())], "only what is new");
    let unknown = room.take(Event::Cluster(ClusterEvent::Pods(vec![pod("app-2-c", "app-2", &["app"])])));
    assert_eq!(followed(&unknown), [], "its ReplicaSet is not known yet");
    let known = room.take(Event::Cluster(ClusterEvent::Revisions(vec![set("app-2")])));
    assert_eq!(followed(&known), [(3, "app-2-c/app".to_owned())]);
    room.take(Event::Cluster(ClusterEvent::Gone(Kind::Pod, vec!["uid-app-1-a".into()])));
    assert_eq!(log(&mut room).streams.len(), 4, "what has ended stays");
    assert_eq!(room.act(Action::Cancel), [Effect::Unfollow]);
}

#[test]
fn a_pods_logs_are_those_of_its_containers() {
    let mut room = room();
    select(&mut room, "uid-other");
    assert_eq!(followed(&room.act(Action::Logs)), [(0, "other/app".to_owned())]);
    select(&mut room, "uid-of-nothing");
    room.act(Action::Cancel);
    assert_eq!(room.act(Action::Logs), []);
    assert!(room.told().starts_with("choose a pod"), "{}", room.told());
}

#[test]
fn more_than_can_be_followed_is_left_out_until_there_is_room() {
    let mut room = room();
    let many: Vec<Arc<Pod>> = (0..60).map(|n| pod(&format!("app-1-{n:02}"), "app-1", &["app"])).collect();
    room.take(Event::Cluster(ClusterEvent::Pods(many)));
    assert_eq!(followed(&room.act(Action::Logs)).len(), crate::state::STREAMS);
    assert_eq!(log(&mut room).left_out.len(), 12);
    let ended = tell(&mut room, &[], vec![(3, LogState::Ended(LogEnd::Gone))]);
    assert_eq!(followed(&ended), [(50, "app-1-50/app".to_owned())]);
}

#[test]
fn the_extent_begins_anew_and_late_news_of_the_old_are_not_mixed_in() {
    let mut room = room();
    room.act(Action::Logs);
    let old = log(&mut room).number;
    for (action, previous, minutes) in [
        (Action::SinceFive, false, Some(5)),
        (Action::SinceHour, false, Some(60)),
        (Action::PreviousLogs, true, Some(60)),
        (Action::PreviousLogs, false, Some(60)),
        (Action::SinceTail, false, None),
    ] {
        tell(&mut room, &["a line"], vec![]);
        assert_eq!(followed(&room.act(action)).len(), 2);
        let log = log(&mut room);
        assert_eq!((log.extent.previous, log.extent.minutes, log.rows().len()), (previous, minutes, 0));
    }
    let late = LogNews { following: old, lines: vec![], states: vec![(0, LogState::Following)] };
    room.take(Event::View(View::Logs(late)));
    assert_eq!(log(&mut room).streams[0].state, LogState::Connecting);
}

#[test]
fn keys_move_search_and_change_the_look() {
    let mut room = room();
    room.act(Action::Logs);
    let lines: Vec<String> =
        (0..40).map(|n| if n % 20 == 5 { format!("ERROR {n}") } else { format!("line {n}") }).collect();
    tell(&mut room, &lines.iter().map(String::as_str).collect::<Vec<_>>(), vec![]);
    room.act(Action::Up);
    assert_eq!(log(&mut room).place, Anchor::Bottom(38));
    room.act(Action::Bottom);
    for cursor in [25, 5, 5] {
        room.act(Action::PreviousError);
        assert_eq!(log(&mut room).cursor, Some(cursor));
    }
    assert_eq!(room.told(), "no earlier error");
    room.act(Action::Filter);
    room.take(Event::View(View::Edited(Edit::Insert("LINE 3".to_lowercase()))));
    assert_eq!(log(&mut room).search.hits, 11, "while it is typed");
    room.enter("line 3");
    assert_eq!(log(&mut room).cursor, Some(3), "the newest that is not below what is seen");
    room.act(Action::NextMatch);
    assert_eq!(log(&mut room).cursor, Some(30));
    room.act(Action::OnlyMatches);
    assert_eq!(log(&mut room).below(0).count(), 11);
    let Effect::SaveLog(copy) = &room.act(Action::SaveLog)[0] else { panic!("not saved") };
    assert_eq!((copy.lines.len(), copy.sources.len()), (11, 2));
    room.act(Action::ToggleWrap);
    room.act(Action::ScrollRight);
    assert_eq!((room.state.screen.log_look.wrap, log(&mut room).right), (true, 20));
    room.act(Action::Filter);
    room.enter("");
    assert!(!log(&mut room).search.filters() && !log(&mut room).search.is_on());
}

#[test]
fn a_replay_has_no_logs_and_says_so() {
    let mut room = room();
    room.state.screen.playback = Some(Playback {
        playing: false,
        speed: 1.0,
        from: room.at,
        to: room.at,
        seq: 1,
        last_seq: 1,
        survey: None,
    });
    assert_eq!(look(&mut room.state, &Event::Operator(Operator::Did(Action::Logs))), []);
    assert_eq!(room.told(), "logs are not recorded: a replay has none");
}
