//! What is typed and left again: filters, searches, forms, names of namespaces; and the way out of what is
//! open.

use super::*;
use crate::event::{
    Alert, LogSource, Namespace, NamespacePhase, SourceHealth, SourceId, SourceState, samples,
};
use crate::state::{
    AlertList, ChangeList, Detail, EntryDetail, Focus, Help, LogSubject, LogView, ServiceDetail, SourceList,
};

fn insert(room: &mut Room, text: &str) {
    room.take(Event::View(View::Edited(Edit::Insert(text.into()))));
}

fn filter(room: &Room) -> &str {
    room.state.screen.filter(Focus::Pods)
}

#[test]
fn a_filter_that_is_left_is_what_it_was() {
    let mut room = Room::new(false);
    room.act(Action::Filter);
    insert(&mut room, "app");
    assert_eq!(filter(&room), "app", "it is seen while it is typed");
    room.act(Action::Cancel);
    assert_eq!(filter(&room), "");
    room.act(Action::Filter);
    room.enter("app");
    room.act(Action::Filter);
    insert(&mut room, "-v2");
    room.act(Action::Cancel);
    assert_eq!(filter(&room), "app");
}

#[test]
fn a_slip_of_the_fingers_is_offered_what_was_meant_and_never_runs_it() {
    let mut room = Room::new(false);
    room.act(Action::Command);
    insert(&mut room, "rolout-undo");
    let offered = crate::state::candidates(&room.state.frame());
    assert_eq!(offered.iter().map(|one| one.text.raw()).collect::<Vec<_>>(), ["step rollout-undo"]);
    assert_eq!(crate::state::meant(&room.state.frame()), None);
    insert(&mut room, "-of-nothing-known");
    assert_eq!(crate::state::candidates(&room.state.frame()), []);
}

#[test]
fn no_form_asks_for_a_silence_where_there_is_none() {
    let mut room = Room::new(false);
    room.command("unsilence");
    assert_eq!((room.told(), room.state.screen.pages.len()), ("no silence is known that could be ended", 0));
}

/// A room in which a log is open.
fn reading() -> Room {
    let mut room = Room::new(false);
    let subject = LogSubject { uid: "u".into(), kind: "pod", name: "app".into() };
    let extent = crate::event::LogExtent { previous: false, minutes: None, lines: 500 };
    let mut log = LogView::new(subject, 1, extent);
    log.add(vec![LogSource {
        namespace: "ns".into(),
        pod: "app".into(),
        uid: "u".into(),
        container: "app".into(),
    }]);
    room.state.screen.pages.push(Page::Logs(Box::new(log)));
    room
}

fn search(room: &Room) -> Option<&str> {
    room.state
        .screen
        .pages
        .iter()
        .find_map(|overlay| if let Page::Logs(log) = overlay { Some(log.search.text.as_str()) } else { None })
}

#[test]
fn a_search_is_left_before_its_log_is() {
    let mut room = reading();
    room.act(Action::Filter);
    room.enter("timeout");
    room.act(Action::Filter);
    insert(&mut room, "x");
    assert_eq!(search(&room), Some("x"));
    room.act(Action::Cancel);
    assert_eq!(search(&room), Some("timeout"), "a search that is left is what it was");
    room.act(Action::Cancel);
    assert_eq!(search(&room), Some(""));
    room.act(Action::Cancel);
    assert_eq!(search(&room), None);
    let mut room = reading();
    room.act(Action::Filter);
    room.enter("timeout");
    room.act(Action::Close);
    assert_eq!(search(&room), None, "close closes");
}

#[test]
fn whatever_is_open_is_closed_with_q_and_the_program_is_not() {
    let keymap = crate::keymap::Keymap::load(&[]).unwrap();
    let q = "q".parse().unwrap();
    let overlays = [
        Page::Help(Help { scroll: 0 }),
        Page::Detail(Detail { uid: "u".into(), scroll: 0 }),
        Page::Entry(EntryDetail { id: 1, scroll: 0 }),
        Page::Alerts(AlertList { selected: None }),
        Page::Group(GroupDetail { id: "g".into(), scroll: 0 }),
        Page::Service(ServiceDetail { name: "s".into() }),
        Page::Changes(ChangeList { scroll: 0 }),
        Page::Sources(SourceList { scroll: 0 }),
    ];
    for overlay in overlays {
        let mut room = Room::new(false);
        room.state.screen.pages.push(overlay.clone());
        let crate::keymap::Resolution::Action(action) = keymap.resolve(&room.state.screen.contexts(), &[], q)
        else {
            panic!("q is bound over {overlay:?}")
        };
        assert_eq!((room.act(action), room.state.screen.pages.len()), (vec![], 0), "{overlay:?}");
    }
}

#[test]
fn a_namespace_that_nobody_has_is_not_looked_at() {
    let mut room = Room::new(false);
    let told = ["ns", "shop", "prod"].map(|name| Namespace {
        name: name.into(),
        phase: NamespacePhase::Active,
        context: ContextId::MAIN,
    });
    room.take(Event::Namespaces(told.into()));
    let at = room.at;
    let hear = |room: &mut Room, error: Option<&str>| {
        let source = SourceId::Namespaces;
        let state = SourceState::Live;
        let error = error.map(Clean::from);
        room.take(Event::Health(SourceHealth { source, state, since: at, error, parts: vec![] }));
    };
    hear(&mut room, None);
    assert_eq!(room.command("ns shpo"), []);
    assert_eq!(
        (room.told(), room.state.world.watches("ns")),
        ("no such namespace \"shpo\"; did you mean \"shop\"?", true)
    );
    assert_eq!(room.command("ns shop"), [Effect::Unfollow, Effect::Watch(vec!["shop".into()])]);
    hear(&mut room, Some("namespaces may not be listed (403)"));
    assert_eq!(room.command("ns hidden"), [Effect::Unfollow, Effect::Watch(vec!["hidden".into()])]);
    let gone = Namespace { name: "hidden".into(), phase: NamespacePhase::Gone, context: ContextId::MAIN };
    room.take(Event::Namespaces(vec![gone]));
    let lost: Vec<_> = room.state.world.lost_namespaces().collect();
    assert_eq!(lost, [("hidden".into(), NamespacePhase::Missing)], "it was never there, so it is not gone");
}

/// A silence that is asked for: the form stands on `labels`.
fn silencing() -> Room {
    let mut room = Room::new(false);
    let labels = [("alertname", "HighErrorRate"), ("service", "app"), ("severity", "critical")];
    let alert = Alert {
        fingerprint: "f1".into(),
        name: "HighErrorRate".into(),
        labels: labels.map(|(name, value)| (name.into(), value.into())).into(),
        state: "active".into(),
        ..Alert::default()
    };
    room.take(Event::Alerts(vec![alert]));
    room.command("silence alert=f1");
    assert_eq!(room.state.screen.input.as_ref().unwrap().text, "alertname,service,severity");
    room
}

#[test]
fn tab_goes_on_from_prefilled_labels_and_takes_none_of_them_out() {
    let mut room = silencing();
    assert!(!completes(&room.state), "nothing was chosen, so tab is the way to the next field");
    room.take(Event::View(View::Edited(Edit::Act(Action::InputHistoryDown))));
    assert!(completes(&room.state), "a label that was chosen is taken out");
    room.take(Event::View(View::Edited(Edit::Act(Action::InputComplete))));
    assert_eq!(room.state.screen.input.as_ref().unwrap().text, "service,severity");
}

#[test]
fn a_label_that_the_alert_lacks_is_told_and_asked_again() {
    let mut room = silencing();
    let form = |room: &Room| match room.state.screen.pages.last() {
        Some(Page::Form(form)) => form.clone(),
        other => panic!("{other:?}"),
    };
    let told =
        |room: &Room, typed: &str| form(room).quieted(&room.state.world, Some(typed)).unwrap().to_string();
    assert_eq!(told(&room, "alertname"), "silences 1 of 1 firing alerts");
    assert_eq!(told(&room, "alertname,sevrity"), "\"sevrity\" is no label of it");
    room.enter("alertname,sevrity");
    room.enter("1h");
    let effects = room.enter("known");
    let [Effect::Prepare(call)] = &effects[..] else { panic!("{effects:?}") };
    let why = "the alert has no label \"sevrity\"; it has alertname, service, severity";
    room.take(Event::View(View::Prepared(Box::new(Prepared {
        call: call.clone(),
        result: Err(Refusal::Usage(why.into())),
    }))));
    assert_eq!(form(&room).current().map(|field| field.name.as_str()), Some("labels"));
    assert_eq!(form(&room).refused("a comment is needed: say why"), 3, "a field that is called by its name");
}

#[test]
fn a_group_leads_to_what_reads_it() {
    let mut room = Room::new(false);
    let workload = |name: &str| {
        let meta = crate::event::Meta {
            uid: format!("uid-{name}").into(),
            namespace: "ns".into(),
            ..samples::meta(name)
        };
        crate::event::Workload { revision: None, ..samples::deployment(meta, 1) }
    };
    room.take(Event::Cluster(crate::event::ClusterEvent::Workloads(vec![
        workload("intake"),
        workload("worker"),
    ])));
    room.state.screen.lists.entry(Focus::Pods).or_default().selected = Some("uid-intake".into());
    room.state.screen.pages.push(Page::Group(GroupDetail { id: "worker".into(), scroll: 0 }));
    let offers = |room: &Room, action| crate::state::offers(&room.state.frame(), &action);
    assert!(offers(&room, Action::Jump));
    room.act(Action::Jump);
    assert_eq!(room.state.screen.lists[&Focus::Pods].selected.as_deref(), Some("uid-worker"));
    room.state.screen.pages.push(Page::Group(GroupDetail { id: "nobody".into(), scroll: 0 }));
    assert!(!offers(&room, Action::Jump) && !offers(&room, Action::Logs));
}

/// What a command or a form gives to be prepared.
fn prepares(effects: &[Effect]) -> &StepCall {
    let [Effect::Prepare(call)] = effects else { panic!("{effects:?}") };
    call
}

const VALUES: &str = "TABBED=a\tb,BLANKS=two  words  ,EMOJI=\u{1f525}\u{200d}\u{1f525},LINES=1\n2 ";

#[test]
fn values_of_variables_are_the_bytes_that_were_typed_or_pasted() {
    let mut room = Room::new(false);
    let effects = room.command(&format!("set-env deployment=worker env='{VALUES}'"));
    assert_eq!(prepares(&effects).inputs["env"].raw(), VALUES);
    room.act(Action::Cancel);
    room.command("set-env");
    room.enter("worker");
    insert(&mut room, VALUES);
    assert_eq!(room.state.screen.input.as_ref().unwrap().text, VALUES);
    let accepted = committed(&room.state).unwrap();
    let effects = room.take(accepted);
    let call = prepares(&effects);
    assert_eq!((call.inputs["env"].raw(), call.inputs["deployment"].raw()), (VALUES, "worker"));
    let told = format!("{call:?} {}", serde_json::to_string(call).unwrap());
    assert!(told.contains("LINES=‹set ") && !told.contains("words") && !told.contains('\u{1f525}'), "{told}");
}

#[test]
fn control_characters_are_typed_only_where_a_value_may_hold_them() {
    let mut room = Room::new(false);
    for action in [Action::Filter, Action::Note] {
        room.act(action);
        insert(&mut room, "a\tb\n");
        assert_eq!(room.state.screen.input.as_ref().unwrap().text, "ab");
        room.act(Action::Cancel);
    }
}

#[test]
fn the_words_of_a_command_are_those_of_a_shell() {
    let mut room = Room::new(false);
    let effects = room.command(r"step set-env 'deployment=worker' env=A='b c'\''d'");
    assert_eq!(prepares(&effects).inputs["env"].raw(), "A=b c'd");
    room.act(Action::Cancel);
    assert_eq!(room.command("set-env deployment=worker env='A=b"), []);
    assert_eq!(room.told(), "set-env …: the line ends within a quote, or with a \\");
}

#[test]
fn a_recorded_command_is_what_it_came_to() {
    let room = Room::new(false);
    let recorded =
        |line: &str| serde_json::to_value(command(&room.state, line)).unwrap()["operator"]["command"].take();
    let json = |line: &str, does: serde_json::Value| serde_json::json!({"line": line, "does": does});
    assert_eq!(recorded("disarm"), json("disarm", serde_json::json!({"act": "disarm"})));
    assert_eq!(recorded("theme light"), json("theme light", serde_json::json!({"theme": "light"})));
    let call =
        serde_json::json!({"begin": {"step": "scale", "inputs": {"deployment": "worker", "replicas": "3"}}});
    assert_eq!(
        recorded("step scale deployment=worker replicas=3"),
        json("scale deployment=worker replicas=3", call)
    );
    assert_eq!(
        recorded("scale deployment=worker FOO=bar baz"),
        json("scale deployment=worker … …", "nothing".into())
    );
    assert_eq!(recorded("discribe"), json("discribe", "nothing".into()));
}

#[test]
fn older_commands_come_back_as_they_were_typed_and_are_shown_without_their_values() {
    let mut room = Room::new(false);
    room.command("set-env deployment=worker env=A=hunter2");
    room.act(Action::Cancel);
    room.act(Action::Command);
    let offered = crate::state::candidates(&room.state.frame());
    assert!(!offered[0].text.shown().contains("hunter2"), "{}", offered[0].text);
    room.take(Event::View(View::Edited(Edit::Act(Action::InputHistoryDown))));
    room.take(Event::View(View::Edited(Edit::Act(Action::InputComplete))));
    assert_eq!(room.state.screen.input.as_ref().unwrap().text, "set-env deployment=worker env=A=hunter2");
}
