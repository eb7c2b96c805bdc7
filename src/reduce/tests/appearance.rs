//! Themes, keymaps, the wall, the mouse, calls, the clipboard and links.

use super::*;
use crate::event::{Alert, CallBy, Preferences, Rate, RateSample, ServiceRate, Setup};
use crate::keymap::Context;
use crate::state::{EntryKind, Focus, Help, Picker, Picks, meant, rate_lines};

fn seated(seat: Preferences) -> Room {
    let mut room = Room::new(false);
    let setup = Setup {
        themes: ["dark", "nord", "light"].map(Clean::from).to_vec(),
        keymaps: ["default", "vim"].map(Clean::from).to_vec(),
        seat,
        call_by: CallBy { bell: true, desktop: true },
    };
    assert_eq!(room.take(Event::View(View::Began(setup))), [Effect::Mouse(seat.mouse)]);
    room
}

fn room() -> Room {
    seated(Preferences { mouse: true, ..Preferences::default() })
}

fn alert(name: &str, state: &str) -> Alert {
    Alert {
        fingerprint: name.into(),
        name: name.into(),
        labels: BTreeMap::from([("service".into(), "app".into())]),
        summary: None,
        description: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        runbook: None,
        generator: Some("http://prometheus/graph?g0.expr=x".into()),
        state: state.into(),
        since: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn the_service_that_failed_most_keeps_the_chart_after_it_has_recovered() {
    let mut room = room();
    let mut fails = |second: i64, worker: f64| {
        let rate = |errors| Rate { errors: Some(errors), requests: Some(100.0), ..Rate::default() };
        let all = [("app", 0.0), ("proxy", 1.0), ("worker", worker)];
        let services =
            all.map(|(service, errors)| ServiceRate { service: service.into(), rate: rate(errors) }).to_vec();
        room.at = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        room.take(Event::Rates(vec![RateSample { at: room.at, window: 30, services, errors_5m: None }]));
        rate_lines(&room.state.frame())
            .into_iter()
            .map(|(service, _)| service.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(fails(0, 0.0), ["proxy", "app", "worker"]);
    assert_eq!(fails(60, 24.0), ["worker", "proxy", "app"]);
    assert_eq!(fails(120, 0.0), ["proxy", "worker", "app"], "what fails now comes first");
    assert_eq!(fails(1_200, 0.0), ["proxy", "app", "worker"], "it was longer ago than is shown");
}

fn calls(effects: &[Effect]) -> Vec<&str> {
    let calls = effects.iter().filter_map(|effect| {
        if let Effect::Notify { text, .. } = effect { Some(text.as_str()) } else { None }
    });
    calls.collect()
}

#[test]
fn a_picker_previews_at_once_and_esc_goes_back() {
    let mut room = room();
    room.act(Action::Theme);
    room.act(Action::Down);
    room.act(Action::Down);
    room.act(Action::Down);
    assert_eq!(room.state.screen.themes.name(), "light", "the last one, and no further");
    room.act(Action::NextField);
    assert_eq!(room.state.screen.themes.name(), "dark", "tab goes round");
    room.act(Action::NextField);
    room.act(Action::Cancel);
    assert_eq!((room.state.screen.themes.name(), room.state.screen.pages.len()), ("dark", 0));
    room.act(Action::Theme);
    room.act(Action::Down);
    room.act(Action::Choose);
    assert_eq!((room.state.screen.themes.name(), room.state.screen.pages.len()), ("nord", 0));
    assert!(room.told().contains("theme = \"nord\" in config.toml"), "{}", room.told());
    room.act(Action::ThemeNext);
    room.act(Action::ThemeNext);
    assert_eq!(room.state.screen.themes.name(), "dark");
}

#[test]
fn names_are_chosen_by_a_command_as_well() {
    let mut room = room();
    room.command("keymap vim");
    assert_eq!(room.state.screen.keymaps.name(), "vim");
    room.command("theme nrod");
    assert_eq!(
        (room.told(), room.state.screen.themes.name()),
        ("no such theme \"nrod\"; did you mean \"nord\"?", "dark")
    );
    room.command("theme");
    assert!(matches!(
        room.state.screen.pages.last(),
        Some(Page::Picker(Picker { picks: Picks::Theme, before: 0 }))
    ));
}

#[test]
fn enter_takes_the_candidate_that_begins_so_where_the_line_is_no_command() {
    let mut room = room();
    for (typed, taken) in [
        ("theme-n", "theme-next"),
        ("thn", "thn"),
        ("xit", "xit"),
        ("qui", "qui"),
        ("exi", "exi"),
        ("foo", "foo"),
        ("foll", "follow"),
        ("pods", "pods"),
        ("q", "q"),
        ("theme nord", "theme nord"),
        ("tnor", "tnor"),
        ("theme no", "theme nord"),
        ("scale deployment=a", "scale deployment=a"),
        ("ns shop", "ns shop"),
        ("ns ", "ns ns"),
        ("ns a", "ns a"),
        ("nod", "node "),
    ] {
        room.act(Action::Command);
        room.take(Event::View(View::Edited(Edit::Insert(typed.into()))));
        assert_eq!(super::super::prompt::taken(&room.state).unwrap(), taken, "{typed}");
        assert_eq!(
            meant(&room.state.frame()).is_some(),
            typed != taken,
            "what will be taken is marked: {typed}"
        );
        room.act(Action::Cancel);
    }
}

#[test]
fn what_needs_a_pane_leaves_the_wall_and_nothing_else_does() {
    for (action, stays) in [
        (Action::Down, false),
        (Action::FocusLag, false),
        (Action::Cancel, false),
        (Action::Wall, false),
        (Action::Arm, true),
        (Action::Help, true),
        (Action::Theme, true),
        (Action::StopAll, true),
    ] {
        let mut room = room();
        room.act(Action::Down);
        room.act(Action::Wall);
        assert!(room.state.screen.lists.values().all(|list| list.selected.is_none() && list.held.is_empty()));
        room.act(action.clone());
        assert_eq!(room.state.screen.seat.wall, stays, "{action}");
    }
    let mut room = room();
    room.act(Action::Wall);
    room.act(Action::Help);
    room.act(Action::Down);
    assert!(room.state.screen.seat.wall, "the keys of what lies over the wall are its own");
}

#[test]
fn the_mouse_chooses_rows_but_not_behind_what_is_open() {
    let mut room = room();
    let point = |pane, row: Option<&str>| Event::View(View::Pointed { pane, row: row.map(Clean::from) });
    room.take(point(Context::Steps, Some("scale")));
    assert_eq!(
        (room.state.screen.focus, room.state.screen.list().selected),
        (Focus::Steps, Some("scale".into()))
    );
    room.take(point(Context::Steps, Some("gone")));
    assert_eq!(
        room.state.screen.list().selected,
        Some("scale".into()),
        "a row that has gone is not selected"
    );
    for _ in 0..3 {
        room.take(Event::View(View::Wheeled { pane: Some(Context::Steps), down: false }));
    }
    assert_eq!(room.state.screen.list().selected, None, "above the first row is no row");
    room.take(Event::View(View::Wheeled { pane: Some(Context::Steps), down: true }));
    assert_eq!(room.state.screen.list().selected, Some("set-env".into()));
    room.act(Action::Help);
    room.take(point(Context::Pods, None));
    assert_eq!(room.state.screen.focus, Focus::Steps);
    room.take(Event::View(View::Wheeled { pane: None, down: true }));
    assert!(matches!(room.state.screen.pages.last(), Some(Page::Help(Help { scroll: 3 }))));
    assert_eq!(room.act(Action::Mouse), [Effect::Mouse(false)]);
}

#[test]
fn what_needs_a_person_calls_once() {
    let mut room = room();
    let fires = |alerts: &[Alert]| Event::Alerts(alerts.to_vec());
    assert_eq!(
        calls(&room.take(fires(&[alert("High5xx", "active"), alert("Silenced", "suppressed")]))),
        ["app: alert High5xx"]
    );
    assert_eq!(calls(&room.take(fires(&[]))), Vec::<&str>::new());
    room.wait(60_000);
    assert_eq!(
        calls(&room.take(fires(&[alert("High5xx", "active")]))),
        Vec::<&str>::new(),
        "it flaps: one call is enough"
    );
    room.take(fires(&[]));
    room.wait(600_000);
    assert_eq!(calls(&room.take(fires(&[alert("High5xx", "active")]))), ["app: alert High5xx"]);
    let two = room.take(fires(&[alert("A", "active"), alert("B", "active"), alert("High5xx", "active")]));
    assert_eq!(calls(&two), ["app: alert A (+1 more)"]);
    room.act(Action::Mute);
    assert_eq!(calls(&room.take(fires(&[alert("C", "active")]))), Vec::<&str>::new());
}

#[test]
fn an_unknown_outcome_and_an_effect_that_was_not_seen_call() {
    let mut room = room();
    room.take(Event::Intent(Box::new(intent())));
    let lost = room.take(Event::Outcome {
        intent: intent().id,
        outcome: Outcome::Unknown { reason: "no answer".into(), at: 0 },
    });
    assert!(calls(&lost)[0].starts_with("worker: unknown: no answer"), "{lost:?}");
    assert_eq!(room.state.world.timeline.entries().last().map(|entry| entry.kind), Some(EntryKind::Unknown));
}

#[test]
fn a_replay_calls_nobody() {
    let mut room = room();
    let before = room.state.world.timeline.newest();
    room.state.world.fold(&Record {
        seq: 9,
        at: room.at,
        event: Event::Alerts(vec![alert("High5xx", "active")]),
    });
    assert!(room.state.world.timeline.newest() > before);
    assert_eq!(look(&mut room.state, &Event::View(View::Tick)), []);
    assert_eq!(room.take(Event::View(View::Tick)), [], "only what a record brings calls");
}

#[test]
fn links_are_opened_here_and_copied_over_ssh() {
    let address = "http://prometheus/graph?g0.expr=x";
    for (remote, effect) in [(false, Effect::Browse(address.into())), (true, Effect::Copy(address.into()))] {
        let mut room = seated(Preferences { remote, ..Preferences::default() });
        assert_eq!(room.act(Action::OpenLink), []);
        assert_eq!(room.told(), "no alert here brings a link");
        room.take(Event::Alerts(vec![alert("High5xx", "active")]));
        assert_eq!(room.act(Action::OpenLink), [effect]);
        assert_eq!(room.act(Action::CopyLink), [Effect::Copy(address.into())]);
    }
}

#[test]
fn an_address_that_is_none_is_not_opened() {
    for generator in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://x\u{1b}]52;c;\u{7}",
        "http://x y",
        "https://x\"; rm",
    ] {
        let mut room = room();
        room.take(Event::Alerts(vec![Alert { generator: Some(generator.into()), ..alert("A", "active") }]));
        assert_eq!(room.act(Action::OpenLink), [], "{generator}");
    }
}

#[test]
fn the_name_in_hand_is_copied() {
    let mut room = room();
    assert_eq!(room.act(Action::CopyName), []);
    room.act(Action::FocusSteps);
    room.act(Action::Down);
    assert_eq!(room.act(Action::CopyName), [Effect::Copy("rollout-undo".into())]);
}
