//! A long shift in fast time: an incident, pods that come and go, logs opened and closed, every pane looked at. What the program holds on
//! to must not grow: memory, open files. A minute always runs; a day, `cargo test --test endurance -- --ignored --nocapture`, takes 24.

#![cfg(target_os = "linux")] // reads /proc
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod pty;

use std::thread::sleep;
use std::time::{Duration, Instant};

use pty::{Home, Term};

/// How fast time goes by.
const SPEED: &str = "60";
/// A person does something this often.
const PAUSE: Duration = Duration::from_millis(250);

/// What a person does all day: looks through the pods, reads logs, filters, reads help, goes through the panes, takes a note.
const GESTURES: [&str; 24] = [
    "1",
    "j",
    "l",
    "\x1b",
    "j",
    "d",
    "\x1b",
    "k",
    "/service\r",
    "/\x15\r",
    "?",
    "\x1b",
    "2",
    "j",
    "3",
    "j",
    "4",
    "j",
    "5",
    "z",
    "z",
    "1",
    "anote\r",
    "\x1b",
];

/// What it held at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    hours: f64,
    mib: f64,
    handles: usize,
}

fn sample(term: &Term, began: Instant) -> Sample {
    let mib = f64::from(u32::try_from(term.memory("VmRSS")).unwrap()) / 1024.0;
    Sample { hours: began.elapsed().as_secs_f64() / 3600.0, mib, handles: term.handles() }
}

/// Lives through it; samples of the time after the first third, in which everything that stays is filled.
fn live(span: Duration) -> Vec<Sample> {
    let home = Home::new();
    let mut term = Term::run(&home, &["demo", "bad-release", "--speed", SPEED, "--onset", "120"]);
    term.sees("worker-service");
    let (began, mut samples) = (Instant::now(), Vec::new());
    for gesture in GESTURES.iter().cycle() {
        if began.elapsed() > span {
            break;
        }
        sleep(PAUSE);
        term.press(gesture);
        if *gesture == "5" && began.elapsed() > span / 3 {
            samples.push(sample(&term, began)); // no log is open here
        }
    }
    term.press("\x1b");
    sleep(PAUSE); // together they would be alt-q
    term.press("q").ends();
    samples
}

/// MiB an hour of real time, by least squares.
fn slope(samples: &[Sample]) -> f64 {
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / f64::from(u32::try_from(samples.len()).unwrap());
    let (hours, mib) = (mean(|s| s.hours), mean(|s| s.mib));
    let both: f64 = samples.iter().map(|s| (s.hours - hours) * (s.mib - mib)).sum();
    both / samples.iter().map(|s| (s.hours - hours).powi(2)).sum::<f64>()
}

/// Files open at one moment depend on which connections are; what is usual may not become more.
fn assert_no_more_handles(samples: &[Sample]) {
    let usual = |samples: &[Sample]| {
        let mut handles: Vec<usize> = samples.iter().map(|sample| sample.handles).collect();
        handles.sort_unstable();
        handles[handles.len() / 2]
    };
    let (early, late) = samples.split_at(samples.len() / 2);
    assert!(usual(late) <= usual(early) + 2, "open files: {} usually, then {}", usual(early), usual(late));
}

#[test]
fn an_hour() {
    let samples = live(Duration::from_secs(60));
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    println!("{first:?} {last:?}");
    assert!(last.mib < first.mib + 8.0, "{samples:?}");
    assert_no_more_handles(&samples);
}

#[test]
#[ignore = "takes 24 minutes"]
fn a_day() {
    let samples = live(Duration::from_secs(24 * 60));
    for sample in samples.iter().step_by(20) {
        println!("{sample:?}");
    }
    let grows = slope(&samples);
    println!("{grows:.2} MiB an hour of real time");
    assert!(grows < 1.0, "{grows:.2} MiB an hour");
    assert_no_more_handles(&samples);
}
