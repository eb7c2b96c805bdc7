//! What people see, as snapshots, and that no size or overlay breaks it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use proptest::prelude::*;
use warroom::clean::{Clean, Styled};
use warroom::event::{Event, LogEnd, LogExtent, LogLine, LogSource, LogState, Operator, Purpose, Record};
use warroom::keymap::Key;
use warroom::state::{
    AlertList, Anchor, ChangeList, Detail, Dialog, EntryDetail, Focus, Form, GroupDetail, Help, ListView,
    LogLook, LogSubject, LogView, Page, Playback, ServiceDetail, SourceList, State, Survey,
};
use warroom::theme::ColorDepth;

use common::{at, contexts, frame, story, text, told};

const SIZES: [(u16, u16); 4] = [(200, 60), (120, 40), (80, 24), (60, 15)];

/// Compares the frame of each size with its snapshot. With `WARROOM_CELLS=folder`, also writes it there with
/// its colours, to look at.
fn check(name: &str, state: &State, sizes: &[(u16, u16)]) {
    for size in sizes {
        let buffer = frame(state, *size, ColorDepth::TrueColor, false);
        let name = format!("{name}-{}x{}", size.0, size.1);
        if let Ok(folder) = std::env::var("WARROOM_CELLS") {
            std::fs::write(format!("{folder}/{name}.json"), common::cells(&buffer)).unwrap();
        }
        insta::assert_snapshot!(name, text(&buffer));
    }
}

fn with(mut state: State, overlay: Page) -> State {
    state.screen.pages.push(overlay);
    state
}

/// Logs of a crashing workload: JSON, colours, hostile text, marks, a stream in trouble.
fn log() -> LogView {
    let subject =
        LogSubject { uid: "uid-ocr-service".into(), kind: "deployment", name: "ocr-service".into() };
    let mut log = LogView::new(subject, 1, LogExtent { previous: false, minutes: Some(5), lines: 500 });
    let source = |pod: &str| LogSource {
        namespace: "medcontract-prod".into(),
        pod: format!("ocr-service-5bf6556859-{pod}").into(),
        uid: pod.into(),
        container: "ocr-service".into(),
    };
    log.add(vec![source("htjrw"), source("xnq2x"), source("d292l")]);
    for (stream, state) in [
        (0, LogState::Ended(LogEnd::Exited(137, "OOMKilled".into()))),
        (1, LogState::Following),
        (2, LogState::Reconnecting("the stream ended".into())),
    ] {
        log.tell(stream, &state);
    }
    let line = |second: i64, stream, text: &str, mark| {
        let text = Styled::new(text);
        LogLine { at: at(second), stream, level: warroom::logtext::level(text.text()), mark, text }
    };
    log.extend(&[
        line(-90_000, 1, "I1122 13:46:32.123456       1 main.go:12] started yesterday", false),
        line(-44, 0, "INFO starting ocr-service v2.0.1", false),
        line(-43, 1, "\u{1b}[33mWARN\u{1b}[0m model cache is empty, \u{1b}[1mdownloading\u{1b}[0m", false),
        line(-42, 0, "ERROR cannot reach s3: \u{1b}]0;owned\u{7} timeout", false),
        line(-41, 0, "it ended: exit 137, OOMKilled", true),
        line(
            -40,
            2,
            r#"{"ts":"2026-11-23T14:45:52Z","level":"error","msg":"upstream request failed","status":500,"to":"ai service"}"#,
            false,
        ),
        line(-39, 2, &format!(r#"{{"level":"info","msg":"served","ok":37129,"trace":"{}"}}"#, "0123456789abcdef".repeat(12)), false),
        line(-38, 2, "▲ gap: the log was rotated meanwhile, lines may be missing", true),
    ]);
    log.dropped = 1_204;
    log
}

fn log_at(place: usize) -> LogView {
    let mut log = log();
    log.place = [Anchor::Newest, Anchor::Bottom(place), Anchor::Top(place)][place % 3];
    log.right = place % 70;
    log
}

fn searched() -> LogView {
    let mut log = log();
    log.look_for("status=500");
    log.look_for("o");
    log.jump(false, 30, |row| row.hit);
    log
}

fn form(mut state: State) -> State {
    let step = state.runbook.step("rollout-undo").unwrap().clone();
    let mut form =
        Form::new(&step, &[("deployment".into(), "medcontracthub-app".into())].into(), &state.world, None);
    form.problem = Some("no such revision: 9".into());
    state.screen.ask(Purpose::Input, "revision: ", "");
    state.screen.input.as_mut().unwrap().candidate = Some(0);
    with(state, Page::Form(form))
}

fn dialog(plan: warroom::event::Plan) -> Page {
    Page::Confirm(Box::new(Dialog { plan, since: at(-2), full: false, scroll: 0 }))
}

fn looked(mut state: State) -> State {
    state.screen.log_look = LogLook { wrap: true, timeless: true, raw: true };
    state
}

fn selected(mut state: State, focus: Focus, id: &str) -> State {
    state.screen.focus = focus;
    state.screen.lists.insert(
        focus,
        ListView { selected: Some(id.into()), held: vec![id.into()], filter: Clean::default() },
    );
    state
}

/// The line of the timeline with these words.
fn line(state: &State, words: &str) -> u64 {
    state.world.timeline.lines().find(|entry| entry.text.contains(words)).unwrap().id
}

/// The timeline with a cause opened, a line held, a text searched and something new below.
fn read(mut state: State) -> State {
    let id = line(&state, "node not ready");
    let held: Vec<Clean> = state.world.timeline.lines().map(|entry| entry.id.to_string().into()).collect();
    state.screen.focus = Focus::Timeline;
    state.screen.timeline.opened.insert(id);
    state.screen.timeline.search = "not ready".into();
    state.screen.lists.insert(
        Focus::Timeline,
        ListView { selected: Some(id.to_string().into()), held, filter: Clean::default() },
    );
    for (seq, text) in (10_000..).zip(["one more", "and another"]) {
        let event = Event::Operator(Operator::Entered { purpose: Purpose::Note, text: text.into() });
        state.world.fold(&Record { seq, at: at(0), event });
    }
    state
}

fn silence_form(mut state: State) -> State {
    let step = state.runbook.step("silence").unwrap().clone();
    let form = Form::new(&step, &[("alert".into(), "f2".into())].into(), &state.world, None);
    state.screen.ask(Purpose::Input, "labels: ", &form.preset(&state.world));
    with(state, Page::Form(form))
}

fn replayed(mut state: State) -> State {
    let density = (0..60).map(|n| if n > 30 { n % 7 } else { 1 }).collect();
    state.screen.playback = Some(Playback {
        playing: true,
        speed: 4.0,
        from: at(-1_000),
        to: at(300),
        seq: 40,
        last_seq: 90,
        survey: Some(Arc::new(Survey { density, gaps: vec!["12 records could not be read".into()] })),
    });
    state
}

/// A replay whose recording is still being read.
fn looking(state: State) -> State {
    let mut state = replayed(state);
    state.screen.playback.as_mut().unwrap().survey = None;
    state
}

fn begun(mut state: State, keys: &[&str]) -> State {
    state.screen.pending = keys.iter().map(|key| key.parse::<Key>().unwrap()).collect();
    state
}

#[test]
fn main_screen_of_a_bad_release() {
    check("release", &told(story::release()), &SIZES);
    check("release", &told(story::release()), &[(160, 44)]);
}

#[test]
fn main_screen_when_all_is_well() {
    check("calm", &told(story::calm()), &SIZES);
}

#[test]
fn main_screen_after_a_rollback() {
    check("rolled-back", &told(story::rolled_back()), &[(200, 60), (120, 40)]);
}

#[test]
fn main_screen_when_sources_are_silent() {
    check("deaf", &told(story::deaf()), &SIZES);
}

#[test]
fn main_screen_before_anything_is_known() {
    check("nothing-known", &told([]), &[(120, 40)]);
    check("too-small", &told([]), &[(40, 10)]);
}

#[test]
fn two_contexts_side_by_side() {
    check("contexts", &told(contexts::two()), &SIZES);
    let mut acting = told(contexts::armed());
    check("contexts-confirm", &with(acting.clone(), dialog(contexts::plan())), &[(120, 40), (80, 24)]);
    acting.screen.ask(Purpose::Name, "type medcontracthub-app in prod-us to go ahead: ", "medcon");
    let naming = warroom::event::Naming { why: "it takes the service away".into(), lasting: false };
    let plan = warroom::event::Plan { naming: Some(naming), ..contexts::plan() };
    check("contexts-named", &with(acting, dialog(plan)), &[(120, 40), (80, 24)]);
    check("contexts-silence", &with(told(contexts::armed()), dialog(story::silencing())), &[(80, 24)]);
    let mut state = told(contexts::two());
    let step = state.runbook.step("rollout-undo").unwrap().clone();
    let form = Form::new(&step, &std::collections::BTreeMap::new(), &state.world, None);
    state.screen.ask(Purpose::Input, "context: ", "");
    check("contexts-form", &with(state, Page::Form(form)), &[(120, 40)]);
}

#[test]
fn each_pane_alone() {
    for focus in Focus::ALL.iter().copied() {
        let mut state = told(story::rolled_back());
        state.screen.focus = focus;
        check(&format!("alone-{focus:?}").to_lowercase(), &state, &[(80, 24)]);
    }
}

#[test]
fn a_pane_with_a_selection() {
    let pods = selected(told(story::release()), Focus::Pods, "uid-worker-service");
    check("selected-pods", &pods, &[(120, 40)]);
    let mut rates = selected(told(story::release()), Focus::Rates, "realtime-service");
    rates.screen.zoomed = true;
    check("selected-rates", &rates, &[(160, 44)]);
}

#[test]
fn overlays() {
    let detail = |uid: &str| Page::Detail(Detail { uid: uid.into(), scroll: 0 });
    let mut named = with(
        told(story::release()),
        dialog(warroom::event::Plan {
            dry_run: story::plan().dry_run,
            rights: vec![],
            ..story::refused_plan()
        }),
    );
    named.screen.ask(Purpose::Name, "type medcontracthub-app to go ahead: ", "medcon");
    let mut unarmed = told(story::calm());
    unarmed.screen.pages.push(dialog(story::plan()));
    let group =
        |id: &str| with(told(story::partitions()), Page::Group(GroupDetail { id: id.into(), scroll: 0 }));
    for size in SIZES {
        check("group", &group("worker-service"), &[size]);
        check("lag-lost", &selected(told(story::partitions()), Focus::Lag, "worker-service"), &[size]);
    }
    check("group-gone", &group("nobody"), &[(80, 24)]);
    for (name, state) in vec![
        ("help", with(told(story::release()), Page::Help(Help { scroll: 0 }))),
        ("detail-pod", with(told(story::release()), detail("uid-ocr-service-12-0"))),
        ("detail-workload", with(told(story::release()), detail("uid-medcontracthub-app"))),
        ("detail-gone", with(told(story::release()), detail("uid-of-nothing"))),
        ("detail-node", with(told(story::release()), detail("uid-node-1"))),
        ("changes", with(told(story::rolled_back()), Page::Changes(ChangeList { scroll: 0 }))),
        ("sources", with(told(story::deaf()), Page::Sources(SourceList { scroll: 0 }))),
        ("logs", with(told(story::release()), Page::Logs(Box::new(log())))),
        ("logs-searched", with(told(story::release()), Page::Logs(Box::new(searched())))),
        ("logs-wrapped", looked(with(told(story::release()), Page::Logs(Box::new(log()))))),
        ("form", form(told(story::release()))),
        ("confirm", with(told(story::release()), dialog(story::plan()))),
        ("confirm-refused", with(told(story::release()), dialog(story::refused_plan()))),
        ("confirm-named", named),
        ("confirm-unarmed", unarmed),
    ] {
        check(name, &state, &[(120, 40), (80, 24)]);
    }
}

/// A day with a silence of four hours, and one of minutes in the last hour; two deploys and an action.
fn looked_back(longer: usize) -> State {
    let mut state = told(story::day());
    state.screen.span = (0..longer).fold(warroom::state::Span::default().shorter(), |span, _| span.longer());
    state
}

#[test]
fn charts_look_back_from_5_minutes_to_24_hours() {
    for (longer, name) in [(0, "5m"), (2, "1h"), (6, "24h")] {
        let mut state = looked_back(longer);
        state.screen.focus = Focus::Rates;
        state.screen.zoomed = true;
        check(&format!("span-{name}"), &state, &[(120, 40)]);
    }
    let mut elapsed = looked_back(3);
    elapsed.screen.focus = Focus::Rates;
    elapsed.screen.elapsed = true;
    check("span-elapsed", &elapsed, &[(80, 24)]);
    check("span-3h", &looked_back(3), &[(200, 60)]);
}

#[test]
fn one_service_in_full() {
    let state = with(
        selected(looked_back(2), Focus::Rates, "medcontracthub-app"),
        Page::Service(ServiceDetail { name: "medcontracthub-app".into() }),
    );
    check("service", &state, &[(200, 60), (120, 40), (80, 24), (60, 15)]);
    check(
        "service-gone",
        &with(told(story::calm()), Page::Service(ServiceDetail { name: "nobody".into() })),
        &[(80, 24)],
    );
}

#[test]
fn the_timeline_is_read() {
    check("storm", &told(story::storm()), &SIZES);
    let mut zoomed = read(told(story::storm()));
    check("timeline-read", &zoomed, &[(200, 60)]);
    zoomed.screen.zoomed = true;
    check("timeline-read", &zoomed, &[(120, 40), (80, 24), (60, 15)]);
    zoomed.screen.list_mut().filter = "kind:trouble,alrt".into();
    zoomed.screen.elapsed = true;
    zoomed.now = at(86_400);
    check("timeline-filtered", &zoomed, &[(80, 24)]);
    let state = told(story::storm());
    let id = line(&state, "node not ready");
    check("entry", &with(state, Page::Entry(EntryDetail { id, scroll: 0 })), &SIZES);
}

#[test]
fn alerts_and_their_silences() {
    check(
        "alerts",
        &with(told(story::storm()), Page::Alerts(AlertList { selected: Some("f2".into()) })),
        &SIZES,
    );
    check(
        "alerts-silenced",
        &with(told(story::storm()), Page::Alerts(AlertList { selected: Some("f9".into()) })),
        &[(120, 40)],
    );
    check("alerts-none", &with(told(story::calm()), Page::Alerts(AlertList { selected: None })), &[(80, 24)]);
    check("silence-form", &silence_form(told(story::storm())), &[(120, 40), (80, 24)]);
    check("silence-confirm", &with(told(story::storm()), dialog(story::silencing())), &[(120, 40), (80, 24)]);
}

#[test]
fn the_footer_speaks() {
    let mut command = told(story::release());
    command.screen.ask(Purpose::Command, ":", "focus");
    let mut message = told(story::release());
    message.screen.tell(at(0), "copied: kubectl rollout undo");
    for (name, state) in [
        ("menu", begun(told(story::release()), &["m"])),
        ("command", command),
        ("message", message),
        ("replay", replayed(told(story::rolled_back()))),
        ("replay-looking", looking(told(story::rolled_back()))),
    ] {
        check(name, &state, &[(120, 40), (80, 24)]);
    }
}

#[test]
fn an_ascii_terminal_gets_only_ascii() {
    let text = text(&frame(&replayed(told(story::rolled_back())), (160, 44), ColorDepth::None, true));
    assert!(text.is_ascii());
    insta::assert_snapshot!("ascii-160x44", text);
}

fn states() -> impl Strategy<Value = State> {
    let plain = prop::sample::select(vec![
        story::calm as fn() -> _,
        story::release,
        story::storm,
        story::rolled_back,
        story::deaf,
        story::partitions,
        story::day,
        contexts::armed,
        Vec::new,
    ]);
    let overlays = prop::collection::vec(0_usize..12, 0..3);
    (plain, overlays, 0_usize..5, any::<[bool; 5]>(), 0_usize..500).prop_map(
        |(events, overlays, focus, [zoomed, elapsed, replay, pending, wrap], scroll)| {
            let mut state = told(events());
            state.screen.focus = Focus::ALL[focus];
            state.screen.zoomed = zoomed;
            state.screen.elapsed = elapsed;
            state.screen.log_look.wrap = wrap;
            state = if replay { replayed(state) } else { state };
            state = if pending { begun(state, &["m"]) } else { state };
            for overlay in overlays {
                state = match overlay {
                    0 => with(state, Page::Help(Help { scroll })),
                    1 => with(state, Page::Detail(Detail { uid: "uid-ocr-service-12-0".into(), scroll })),
                    2 => with(state, Page::Detail(Detail { uid: "uid-medcontracthub-app".into(), scroll })),
                    3 => with(state, Page::Logs(Box::new(log_at(scroll)))),
                    4 => form(state),
                    5 => with(state, Page::Entry(EntryDetail { id: scroll as u64 % 40, scroll })),
                    6 => with(
                        state,
                        Page::Alerts(AlertList { selected: (scroll % 2 == 0).then(|| "f2".into()) }),
                    ),
                    7 => silence_form(state),
                    8 => with(state, dialog(story::refused_plan())),
                    9 => with(state, Page::Group(GroupDetail { id: "worker-service".into(), scroll })),
                    10 => with(state, Page::Service(ServiceDetail { name: "medcontracthub-app".into() })),
                    _ => with(state, dialog(story::plan())),
                };
            }
            state
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn no_size_breaks_it(state in states(), columns in 0_u16..=300, rows in 0_u16..=120, ascii: bool) {
        let buffer = frame(&state, (columns, rows), ColorDepth::Sixteen, ascii);
        prop_assert_eq!((buffer.area.width, buffer.area.height), (columns, rows));
        prop_assert!(!ascii || text(&buffer).is_ascii());
    }
}
