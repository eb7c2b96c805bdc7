//! What each stage of the flow costs: decode, reduce, the rows of the pods' pane, drawing, the journal.
//! `cargo bench`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make functions without docs; a bench that cannot go on has failed"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::{Easel, at, load, story, told};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use warroom::event::{Event, Operator, Record};
use warroom::journal::{Pending, Redacted};
use warroom::keymap::Action;
use warroom::reduce::reduce;
use warroom::source::kube::{Names, Object, Pod, Told, frame, line};
use warroom::state::pod_lines;
use warroom::theme::ColorDepth;

const CLUSTERS: [usize; 2] = [10_000, 50_000];
/// Changes that are told together, at most.
const BATCH: usize = 500;

/// A line of a watch, 8 kB, and a frame, 6 kB, to what is kept of it.
fn decode(c: &mut Criterion) {
    let mut names = Names::default();
    let mut fact = |told| match told {
        Told::Put(object) => Pod::fact(object, &mut names),
        _ => unreachable!("it is an object"),
    };
    let mut group = c.benchmark_group("decode");
    let text = warroom::sim::load::pod_line(1, 1);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group
        .bench_function("pod in JSON", |b| b.iter(|| fact(line::<Pod>(black_box(text.as_bytes())).unwrap())));
    let bytes = load::frame();
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("pod in protobuf", |b| b.iter(|| fact(frame::<Pod>(black_box(&bytes)).unwrap())));
}

/// A batch of changed pods into the state.
fn fold(c: &mut Criterion) {
    let mut group = c.benchmark_group("reduce");
    group.throughput(Throughput::Elements(BATCH as u64));
    for pods in CLUSTERS {
        let mut state = load::state(pods);
        let mut names = Names::default();
        let mut restarts = 0;
        let mut record = || {
            restarts += 1;
            Record {
                seq: 0,
                at: at(1),
                event: load::event::<Pod>(&load::changed(BATCH, pods, restarts), &mut names),
            }
        };
        group.bench_function(BenchmarkId::from_parameter(pods), |b| {
            b.iter_batched(&mut record, |record| reduce(&mut state, &record), BatchSize::LargeInput);
        });
    }
}

/// The rows of the pods' pane, all and filtered.
fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("rows");
    for pods in CLUSTERS {
        let state = load::state(pods);
        group.bench_function(BenchmarkId::new("all", pods), |b| {
            b.iter(|| pod_lines(black_box(&state.frame())).len());
        });
        let state = load::filtered(state, "sim-00");
        group.bench_function(BenchmarkId::new("filtered", pods), |b| {
            b.iter(|| pod_lines(black_box(&state.frame())).len());
        });
    }
}

/// A whole frame: what is new is compared with what is shown.
fn draw(c: &mut Criterion) {
    let mut group = c.benchmark_group("draw");
    for (name, state) in [
        ("calm", told(story::calm())),
        ("incident", told(story::release())),
        ("load", load::state(CLUSTERS[1])),
    ] {
        for size in [(200, 60), (400, 100)] {
            let mut easel = Easel::new(size, ColorDepth::TrueColor);
            let id = BenchmarkId::new(name, format!("{}x{}", size.0, size.1));
            group.bench_function(id, |b| b.iter(|| easel.draw(black_box(&state), false).area));
        }
    }
}

/// A key that moves the selection, and the frame that shows it.
fn key(c: &mut Criterion) {
    let mut group = c.benchmark_group("key");
    for pods in CLUSTERS {
        let mut state = load::state(pods);
        let mut easel = Easel::new((200, 60), ColorDepth::TrueColor);
        let mut seq = 0;
        group.bench_function(BenchmarkId::from_parameter(pods), |b| {
            b.iter(|| {
                seq += 1;
                let action = if seq / 8 % 2 == 0 { Action::Down } else { Action::Up };
                let event = Event::Operator(Operator::Did(action));
                reduce(&mut state, &Record { seq, at: at(1), event });
                easel.draw(black_box(&state), false).area
            });
        });
    }
}

/// A batch of changed pods on its way to the disk: secrets out, JSON, checksum.
fn journal(c: &mut Criterion) {
    let event = load::event::<Pod>(&load::changed(BATCH, CLUSTERS[0], 1), &mut Names::default());
    let mut group = c.benchmark_group("journal");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("redact", |b| {
        b.iter_batched(|| event.clone(), |event| Redacted::new(event).unwrap(), BatchSize::LargeInput);
    });
    let redacted = Redacted::new(event.clone()).unwrap();
    group.bench_function("line", |b| b.iter(|| Pending::new(1, at(0), black_box(&redacted), None)));
}

criterion_group!(benches, decode, fold, rows, draw, key, journal);
criterion_main!(benches);
