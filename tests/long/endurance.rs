//! A long shift in fast time: an incident, pods that come and go, logs opened and closed, every pane looked
//! at. What the program holds on to must not grow: memory, open files. Half an hour always runs, an hour with
//! `WARROOM_SEEDS=all`, and a day when it is asked for.

use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::chance::seeds;
use crate::pty::{Home, Term};

/// How fast time goes by.
#[derive(Clone, Copy)]
struct Pace {
    /// Seconds of the program's time in one of real time.
    speed: u32,
    /// A person does something this often, in real time.
    pause: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// An hour in a minute.
const USUAL: Pace = Pace { speed: 60, pause: Duration::from_millis(250) };

/// What a person does all day: looks through the pods, reads logs, filters, reads help, goes through the
/// panes, takes a note.
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

/// Where no log is open: what is held is looked at after these.
const SAMPLED: [&str; 4] = ["2", "3", "4", "5"];

/// What it held at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Of the program's time, since the start.
    days: f64,
    mib: f64,
    handles: usize,
}

/// Lives through it, for so long in real time; samples of the time after the first third, in which everything
/// that stays is filled.
fn live(span: Duration, pace: Pace) -> Vec<Sample> {
    let home = Home::new();
    let mut term =
        Term::run(&home, &["demo", "bad-release", "--speed", &pace.speed.to_string(), "--onset", "120"]);
    term.sees("worker-service");
    let began = Instant::now();
    let mut samples = Vec::new();
    for gesture in GESTURES.iter().cycle() {
        if began.elapsed() > span {
            break;
        }
        sleep(pace.pause);
        term.press(gesture);
        if SAMPLED.contains(gesture) && began.elapsed() > span / 3 {
            let days = began.elapsed().as_secs_f64() * f64::from(pace.speed) / DAY.as_secs_f64();
            let mib = f64::from(u32::try_from(term.memory("VmRSS")).unwrap()) / 1024.0;
            samples.push(Sample { days, mib, handles: term.handles() });
        }
    }
    term.press("\x1b");
    sleep(USUAL.pause); // together they would be alt-q
    term.press("q").ends();
    samples
}

/// MiB a day of the program's time, by least squares.
fn slope(samples: &[Sample]) -> f64 {
    let mean = |of: fn(&Sample) -> f64| {
        samples.iter().map(of).sum::<f64>() / f64::from(u32::try_from(samples.len()).unwrap())
    };
    let days = mean(|s| s.days);
    let mib = mean(|s| s.mib);
    let both: f64 = samples.iter().map(|s| (s.days - days) * (s.mib - mib)).sum();
    both / samples.iter().map(|s| (s.days - days).powi(2)).sum::<f64>()
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

/// Half of it by default.
#[test]
fn an_hour() {
    let span = Duration::from_secs(seeds(30, 60));
    let samples = live(span, USUAL);
    let first = samples[0];
    let last = samples[samples.len() - 1];
    println!("{first:?} {last:?}");
    assert!(last.mib < first.mib + 8.0 * span.as_secs_f64() / 60.0, "{samples:?}");
    assert_no_more_handles(&samples);
}

/// A day takes four minutes, or as many as `WARROOM_DAY_MINUTES` says: 24 are an hour in a minute. What is on
/// its way at one moment is more where time goes by faster, and the allocator gives it room in steps.
#[test]
#[ignore = "takes four minutes; .ci/run runs it"]
fn a_day() {
    let minutes: u32 = env::var("WARROOM_DAY_MINUTES").map_or(4, |minutes| minutes.parse().unwrap());
    let pace = Pace { speed: 24 * 60 / minutes, pause: USUAL.pause * minutes / 24 };
    let samples = live(Duration::from_secs(60) * minutes, pace);
    for sample in samples.iter().step_by(20) {
        println!("{sample:?}");
    }
    let grows = slope(&samples);
    println!("{grows:.2} MiB a day");
    let most = if minutes < 24 { 2.0 } else { 0.4 };
    assert!(grows < most, "{grows:.2} MiB a day");
    assert_no_more_handles(&samples);
}
