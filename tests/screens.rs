//! What people see, as snapshots, and that no size or overlay breaks it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use proptest::prelude::*;
use warroom::clean::{Clean, Styled};
use warroom::event::{LogEnd, LogExtent, LogLine, LogSource, LogState, Purpose};
use warroom::keymap::Key;
use warroom::state::{Dialog, Focus, Form, ListView, LogLook, LogSubject, LogView, Overlay, Place, Playback, State};
use warroom::theme::ColorDepth;

use common::{at, frame, story, text, told};

const SIZES: [(u16, u16); 4] = [(200, 60), (120, 40), (80, 24), (60, 15)];

/// Compares the frame of each size with its snapshot. With `WARROOM_CELLS=folder`, also writes it there with its colours, to look at.
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

fn with(mut state: State, overlay: Overlay) -> State {
    state.screen.overlays.push(overlay);
    state
}

/// Logs of a crashing workload: JSON, colours, hostile text, marks, a stream in trouble.
fn log() -> LogView {
    let subject = LogSubject { uid: "uid-ocr-service".into(), kind: "deployment", name: "ocr-service".into() };
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
    log.place = [Place::Newest, Place::Bottom(place), Place::Top(place)][place % 3];
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
    let mut form = Form::new(&step, &[("deployment".into(), "medcontracthub-app".into())].into(), &state.world, None);
    form.problem = Some("no such revision: 9".into());
    state.screen.ask(Purpose::Input, "revision: ", "");
    state.screen.input.as_mut().unwrap().candidate = Some(0);
    with(state, Overlay::Form(form))
}

fn dialog(plan: warroom::event::Plan) -> Overlay {
    Overlay::Confirm(Box::new(Dialog { plan, since: at(-2), full: false, scroll: 0 }))
}

fn looked(mut state: State) -> State {
    state.screen.log_look = LogLook { wrap: true, timeless: true, raw: true };
    state
}

fn selected(mut state: State, focus: Focus, id: &str) -> State {
    state.screen.focus = focus;
    state.screen.lists.insert(focus, ListView { selected: Some(id.into()), held: vec![id.into()], filter: Clean::default() });
    state
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
        density,
        gaps: vec!["12 records could not be read".into()],
    });
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
fn each_pane_alone() {
    for focus in Focus::ALL {
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
    let detail = |uid: &str| Overlay::Detail { uid: uid.into(), scroll: 0 };
    let mut named = with(
        told(story::release()),
        dialog(warroom::event::Plan { dry_run: story::plan().dry_run, rights: vec![], ..story::refused_plan() }),
    );
    named.screen.ask(Purpose::Name, "type medcontracthub-app to go ahead: ", "medcon");
    let mut unarmed = told(story::calm());
    unarmed.screen.overlays.push(dialog(story::plan()));
    for (name, state) in vec![
        ("help", with(told(story::release()), Overlay::Help { scroll: 0 })),
        ("detail-pod", with(told(story::release()), detail("uid-ocr-service-12-0"))),
        ("detail-workload", with(told(story::release()), detail("uid-medcontracthub-app"))),
        ("detail-gone", with(told(story::release()), detail("uid-of-nothing"))),
        ("detail-node", with(told(story::release()), detail("uid-node-1"))),
        ("changes", with(told(story::rolled_back()), Overlay::Changes { scroll: 0 })),
        ("logs", with(told(story::release()), Overlay::Logs(Box::new(log())))),
        ("logs-searched", with(told(story::release()), Overlay::Logs(Box::new(searched())))),
        ("logs-wrapped", looked(with(told(story::release()), Overlay::Logs(Box::new(log()))))),
        ("form", form(told(story::release()))),
        ("confirm", with(told(story::release()), dialog(story::plan()))),
        ("confirm-refused", with(told(story::release()), dialog(story::refused_plan()))),
        ("confirm-named", named),
        ("confirm-unarmed", unarmed),
    ] {
        check(name, &state, &[(120, 40), (80, 24)]);
    }
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
    let plain = prop::sample::select(vec![story::calm as fn() -> _, story::release, story::rolled_back, story::deaf, Vec::new]);
    let overlays = prop::collection::vec(0_usize..7, 0..3);
    (plain, overlays, 0_usize..5, any::<[bool; 5]>(), 0_usize..500).prop_map(
        |(events, overlays, focus, [zoomed, elapsed, replay, pending, wrap], scroll)| {
            let mut state = told(events());
            (state.screen.focus, state.screen.zoomed, state.screen.elapsed) = (Focus::ALL[focus], zoomed, elapsed);
            state.screen.log_look.wrap = wrap;
            state = if replay { replayed(state) } else { state };
            state = if pending { begun(state, &["m"]) } else { state };
            for overlay in overlays {
                state = match overlay {
                    0 => with(state, Overlay::Help { scroll }),
                    1 => with(state, Overlay::Detail { uid: "uid-ocr-service-12-0".into(), scroll }),
                    2 => with(state, Overlay::Detail { uid: "uid-medcontracthub-app".into(), scroll }),
                    3 => with(state, Overlay::Logs(Box::new(log_at(scroll)))),
                    4 => form(state),
                    5 => with(state, dialog(story::refused_plan())),
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
