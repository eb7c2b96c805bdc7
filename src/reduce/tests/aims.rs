//! What a step is aimed at and where `jump` goes: at what is looked at, never at a selection in a pane that
//! is not.

use super::*;
use crate::clean::Clean;
use crate::event::{ClusterEvent, GroupLag, Meta, PartitionLag, Workload, samples};
use crate::state::{ChangeList, Detail, Focus, ServiceDetail};

fn deployment(name: &str, service: &str) -> Workload {
    let meta = Meta { uid: format!("uid-{name}").into(), namespace: "ns".into(), ..samples::meta(name) };
    Workload { service: service.into(), ..samples::deployment(meta, 2) }
}

/// Four deployments, two of one service; the pods cursor stands on `ai`.
fn room() -> Room {
    let mut room = Room::new(false);
    let workloads = [("ai", "ai"), ("app", "app"), ("worker", "jobs"), ("web-a", "web"), ("web-b", "web")];
    room.take(Event::Cluster(ClusterEvent::Workloads(
        workloads.map(|(name, service)| deployment(name, service)).to_vec(),
    )));
    let group = |name: &str| GroupLag {
        group: name.into(),
        members: Some(1),
        partitions: vec![PartitionLag::default()],
    };
    room.take(Event::Lag { at: room.at, groups: vec![group("worker"), group("audit")] });
    choose(&mut room, Focus::Pods, "uid-ai");
    room
}

fn choose(room: &mut Room, focus: Focus, id: &str) {
    room.state.screen.lists.entry(focus).or_default().selected = Some(id.into());
    room.state.screen.focus = focus;
}

/// The deployment that `m u` is prefilled with.
fn aim(room: &mut Room) -> String {
    room.act(Action::Step("rollout-undo".into()));
    let Some(Page::Form(form)) = room.state.screen.pages.pop() else { panic!("no form") };
    room.act(Action::InputCancel);
    form.fields[0].value.to_string()
}

#[test]
fn a_step_is_aimed_at_what_the_focused_pane_has() {
    for (focus, chosen, aimed) in [
        (Focus::Pods, "uid-app", "app"),
        (Focus::Rates, "app", "app"),
        (Focus::Rates, "jobs", "worker"),
        (Focus::Rates, "web", ""),
        (Focus::Rates, "gone", ""),
        (Focus::Lag, "worker", "worker"),
        (Focus::Lag, "audit", ""),
    ] {
        let mut room = room();
        choose(&mut room, focus, chosen);
        assert_eq!(aim(&mut room), aimed, "{focus:?} {chosen}");
    }
    let mut room = room();
    room.state.screen.focus = Focus::Lag;
    assert_eq!(aim(&mut room), "", "nothing is chosen in the pane that is looked at");
    room.state.screen.focus = Focus::Steps;
    assert_eq!(aim(&mut room), "ai", "a step is chosen for what was selected among the pods");
}

#[test]
fn a_step_is_aimed_at_what_fills_the_screen() {
    for (overlay, aimed) in [
        (Page::Service(ServiceDetail { name: "app".into() }), "app"),
        (Page::Service(ServiceDetail { name: "gone".into() }), ""),
        (Page::Group(GroupDetail { id: "worker".into(), scroll: 0 }), "worker"),
        (Page::Group(GroupDetail { id: "audit".into(), scroll: 0 }), ""),
        (Page::Detail(Detail { uid: "uid-web-a".into(), scroll: 0 }), "web-a"),
        (Page::Changes(ChangeList { scroll: 0 }), ""),
    ] {
        let mut room = room();
        room.state.screen.pages.push(overlay.clone());
        assert_eq!(aim(&mut room), aimed, "{overlay:?}");
    }
}

#[test]
fn the_pods_of_a_group_are_those_of_the_workload_that_is_named_so() {
    let mut room = room();
    room.state.screen.pages.push(Page::Group(GroupDetail { id: "worker".into(), scroll: 0 }));
    room.act(Action::Jump);
    assert_eq!(
        (room.state.screen.focus, room.state.screen.list().selected),
        (Focus::Pods, Some(Clean::from("uid-worker")))
    );
    for (overlay, told) in [
        (Page::Group(GroupDetail { id: "audit".into(), scroll: 0 }), "no workload is named audit"),
        (Page::Changes(ChangeList { scroll: 0 }), "its object is not in the cluster now"),
    ] {
        room.state.screen.pages = vec![overlay];
        room.act(Action::Jump);
        assert_eq!((room.told(), room.state.screen.pages.len()), (told, 1), "it stays open");
        assert_eq!(room.state.screen.list().selected, Some(Clean::from("uid-worker")));
    }
}
