//! The terminal is given back as it was, and the recording is sealed, on every way out; and any size is
//! survived.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod pty;

use std::time::Duration;

use pty::{Home, Term};
use rustix::process::Signal;

/// Within so long the program is gone once its terminal is, on a busy machine: nobody ends it then, and it
/// would stay for ever.
const AT_ONCE: Duration = Duration::from_secs(20);
const DEMO: &[&str] = &["demo", "calm"];

fn demo(home: &Home) -> Term {
    let mut term = Term::run(home, DEMO);
    term.sees("worker-service");
    term
}

fn assert_left_well(home: &Home, term: &mut Term) {
    let status = term.ends();
    assert!(status.success(), "{status:?}\n{}", term.text());
    term.assert_given_back();
    let told = format!("warroom replay {}", home.sealed().display());
    assert!(term.text().replace('\n', "").contains(&told), "{told}\n{}", term.text());
}

#[test]
fn keys_leave() {
    for keys in ["q", "\x03", ":quit\r"] {
        let home = Home::new();
        let mut term = demo(&home);
        assert_left_well(&home, term.press(keys));
    }
}

#[test]
fn signals_leave() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let home = Home::new();
        let mut term = demo(&home);
        assert_left_well(&home, term.signal(signal));
    }
}

#[test]
fn a_replay_leaves_as_well() {
    let home = Home::new();
    let mut term = demo(&home);
    assert_left_well(&home, term.press("q"));
    let path = home.sealed().display().to_string();
    for end in [None, Some(Signal::TERM)] {
        let mut replay = Term::run(&home, &["replay", &path]);
        replay.sees("REPLAY");
        match end {
            Some(signal) => replay.signal(signal),
            None => replay.press("q"),
        };
        assert!(replay.ends().success());
        replay.assert_given_back();
    }
    assert_eq!(home.recordings().len(), 1, "a replay records nothing");
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_comes_back() {
    let home = Home::new();
    let script = "set -m; \"$WARROOM\" demo calm; echo STOPPED; read line; fg; echo ENDED";
    let mut term = Term::shell(&home, script);
    term.sees("worker-service").press("\x1a").sees("STOPPED");
    term.assert_given_back();
    term.press("\r").sees("worker-service").sees("calm");
    term.press("q").sees("ENDED");
    term.ends();
    term.assert_given_back();
    home.sealed();
}

#[test]
fn a_terminal_that_is_gone_ends_the_session() {
    let launches: [fn(&Home) -> Term; 3] = [
        |home| Term::run(home, DEMO),
        |home| Term::shell(home, "trap '' HUP; exec \"$WARROOM\" demo calm"),
        |home| Term::detached(home, DEMO),
    ];
    for launch in launches {
        let home = Home::new();
        let mut term = launch(&home);
        let status = term.sees("worker-service").hang_up().ends_within(AT_ONCE);
        assert!(status.signal().is_none(), "{status:?}");
        home.sealed();
    }
}

#[test]
fn a_terminal_that_answers_no_questions_is_redrawn() {
    let home = Home::new();
    let mut term = demo(&home);
    let before = term.bytes().len();
    term.press("\x0c:note\r").sees("note:").press("\x1b").loses("note:");
    let redrawn = term.bytes().split_off(before);
    assert!(
        !redrawn.windows(4).any(|bytes| bytes == b"\x1b[6n"),
        "it asks where the cursor is, and nobody need answer"
    );
    assert!(String::from_utf8_lossy(&redrawn).contains("worker-service"), "all of it is drawn again");
    assert_left_well(&home, term.press("q"));
}

#[test]
fn any_size_is_survived() {
    let home = Home::new();
    let mut term = demo(&home);
    for keys in ["", "?", "\x1b", ":x", "\x15\r", "z", "5", "z1"] {
        for (columns, rows) in
            [(1, 1), (80, 0), (0, 40), (500, 200), (2, 60), (300, 1), (60, 15), (59, 14), (200, 60)]
        {
            term.resize(columns, rows).press(keys);
            if keys.is_empty() {
                term.draws(); // once each size for itself, then as a storm
            }
        }
    }
    term.resize(120, 40).sees("worker-service").sees("ctrl-x stop all");
    assert_left_well(&home, term.press("q"));
}
