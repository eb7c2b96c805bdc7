//! Allocations of the paths that run all day, counted: per changed pod, per frame, per key. Each limit is a
//! little above what it is today; when one of them is broken, memory is taken where none was before.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use allocation_counter::{AllocationInfo, measure};
use common::{Easel, at, load, story, told};
use warroom::event::{Event, Operator, Record};
use warroom::keymap::Action;
use warroom::reduce::reduce;
use warroom::source::kube::{Names, Object, Pod, Told, frame};
use warroom::state::State;
use warroom::theme::ColorDepth;

const SIZE: (u16, u16) = (200, 60);

/// Counts what one call allocates, once everything that stays is there.
fn counted(what: &str, mut call: impl FnMut()) -> AllocationInfo {
    (0..3).for_each(|_| call());
    let info = measure(call);
    println!(
        "{what}: {} allocations, {} bytes, {} bytes at once",
        info.count_total, info.bytes_total, info.bytes_max
    );
    info
}

fn record(event: Event) -> Record {
    Record { seq: 1, at: at(0), event }
}

/// Restarts of pods that are known, in batches as a watch tells them.
fn restarts(of: usize) -> f64 {
    const BATCH: u16 = 100;
    let mut state = load::state(of);
    let mut names = Names::default();
    let batches: Vec<_> = (1..9).map(|n| load::changed(BATCH.into(), of, n)).collect();
    let mut batches = batches.iter();
    let info = counted(&format!("{BATCH} restarts among {of} pods"), || {
        let event = load::event::<Pod>(batches.next().unwrap(), &mut names);
        reduce(&mut state, &record(event));
    });
    f64::from(u32::try_from(info.count_total).unwrap()) / f64::from(BATCH)
}

#[test]
fn a_changed_pod() {
    let few = restarts(1_000);
    let many = restarts(5_000);
    // Two containers with their states, names, reasons and messages; the line itself is not copied.
    assert!(few <= 75.0, "{few} for each changed pod");
    assert!(many <= few + 2.0, "{few} for each changed pod, {many} of five times as many");
}

#[test]
fn a_pod_in_protobuf() {
    let bytes = load::frame();
    let mut names = Names::default();
    let info = counted("a pod in protobuf", || match frame::<Pod>(&bytes).unwrap() {
        Told::Put(pod) => drop(pod.fact(&mut names)),
        other => panic!("{other:?}"),
    });
    // Three containers and all that went wrong with them, kept twice for a moment: as the wire has it, and as
    // a fact.
    assert!(info.count_total <= 170, "{}", info.count_total);
}

#[test]
fn a_frame_in_which_nothing_is_new() {
    // Two or three for each row, one for each number that is made into words, and some hundred for the hints
    // of the footer.
    for (what, state, most) in
        [("calm", told(story::calm()), 1_450), ("incident", told(story::release()), 1_900)]
    {
        let mut easel = Easel::new(SIZE, ColorDepth::TrueColor);
        let info = counted(what, || {
            easel.draw(&state, false);
        });
        assert!(info.count_total <= most, "{what}: {}", info.count_total);
    }
}

#[test]
fn a_frame_of_a_large_cluster() {
    // Fewer rows than the fewer pods have workloads.
    let frame = |pods| {
        let state = load::state(pods);
        let mut easel = Easel::new((120, 40), ColorDepth::TrueColor);
        counted(&format!("a frame of {pods} pods"), || {
            easel.draw(&state, false);
        })
    };
    let few = frame(3_000);
    let many = frame(6_000);
    // Two for each of thirty workloads more, whose numbers are measured as text: columns are as wide as the
    // widest of all.
    assert!(
        many.count_total <= few.count_total + 80,
        "{} allocations, {} for twice the pods",
        few.count_total,
        many.count_total
    );
    assert!(
        many.bytes_total <= few.bytes_total + 20_000,
        "{} bytes, {} for twice the pods",
        few.bytes_total,
        many.bytes_total
    );
}

#[test]
fn a_key() {
    let press = |state: &mut State, action| reduce(state, &record(Event::Operator(Operator::Did(action))));
    let key = |pods| {
        let mut state = load::state(pods);
        press(&mut state, Action::ToggleFaults);
        let info = counted(&format!("down and up among {pods} pods"), || {
            press(&mut state, Action::Down);
            press(&mut state, Action::Up);
        });
        info.count_total
    };
    let few = key(3_000);
    let many = key(6_000);
    assert!(few <= 40, "{few}");
    assert!(many <= few + 4, "{few}, {many} on twice the pods");
}
