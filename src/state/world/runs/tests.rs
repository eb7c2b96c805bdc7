use chrono::TimeDelta;

use super::*;
use crate::event::{Check, GroupLag, PartitionLag, Rate, RateSample, ServiceRate, samples};
use crate::state::{Alerts, Cluster, Lag, Rates};
use crate::step::check;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

/// What was seen by now, and a change that is to bring this about.
#[derive(Default)]
struct Story {
    cluster: Cluster,
    rates: Rates,
    lag: Lag,
    alerts: Alerts,
    runs: Runs,
}

impl Story {
    fn evidence(&self) -> Evidence<'_> {
        Evidence { cluster: &self.cluster, rates: Some(&self.rates), lag: &self.lag, alerts: &self.alerts }
    }

    /// Confirmed and applied now.
    fn changes(&mut self, second: i64, check: Check) {
        let intent = intent(check);
        let mut runs = std::mem::take(&mut self.runs);
        runs.begin(at(second), &intent, false, &self.evidence());
        runs.answer(at(second), intent.id, &Outcome::Applied { writes: 1, generation: 2, by_reading: false });
        self.runs = runs;
    }

    /// Whether the change is seen to have worked by now.
    fn worked(&mut self, second: i64) -> bool {
        let mut runs = std::mem::take(&mut self.runs);
        let worked = !runs.look(at(second), &self.evidence()).is_empty();
        self.runs = runs;
        worked
    }

    fn fails(&mut self, second: i64, percent: f64) -> &mut Self {
        let rate = Rate { errors: Some(percent), requests: Some(100.0), ..Rate::default() };
        let services = vec![ServiceRate { service: "app".into(), rate }];
        self.rates.fold(&[RateSample { at: at(second), window: 30, services, errors_5m: None }]);
        self
    }

    fn lags(&mut self, second: i64, lag: i64) -> &mut Self {
        let partition = PartitionLag {
            topic: "t".into(),
            committed: Some(1_000),
            end: Some(1_000 + lag),
            ..PartitionLag::default()
        };
        self.lag.fold(
            at(second),
            &[GroupLag { group: "app".into(), members: Some(1), partitions: vec![partition] }],
        );
        self
    }
}

fn intent(check: Check) -> Intent {
    Intent { checks: vec![check], verify_within: 120, ..samples::intent() }
}

fn errors_below() -> Check {
    check::errors_below("app", 0.05)
}

#[test]
fn requests_of_before_the_change_say_nothing_of_it() {
    for (before, failing) in [
        (0.0, vec![(10, 1.4), (15, 4.0), (20, 6.0), (35, 18.0)]),
        (24.0, vec![(10, 12.0), (20, 4.0), (30, 3.0)]),
    ] {
        let mut story = Story::default();
        story.fails(0, before).changes(1, errors_below());
        assert!(!story.worked(2), "a sample of before the change");
        for (second, percent) in failing {
            assert!(!story.fails(second, percent).worked(second), "after {second} s");
        }
        assert!(story.fails(60, 1.0).worked(60));
    }
}

#[test]
fn a_lag_that_still_rises_is_not_falling() {
    let mut story = Story::default();
    story.lags(0, 10_000).changes(1, check::lag_falling("app"));
    for (second, lag) in [(10, 14_000), (20, 16_000), (30, 15_000)] {
        assert!(!story.lags(second, lag).worked(second), "after {second} s");
    }
    let seconds = (4..20).map(|n| (n * 10, 15_000 - n * 300));
    let worked = seconds
        .map(|(second, lag)| (story.lags(second, lag).worked(second), story.lag.groups["app"].growth()))
        .find(|(done, _)| *done);
    assert!(worked.is_some_and(|(_, growth)| growth < Some(0.0)), "{worked:?}");
}

#[test]
fn an_undo_is_taken_back_by_nothing_and_the_change_before_is_next() {
    let mut runs = Runs::default();
    let story = Story::default();
    let number = |n: u64| Ulid::from_parts(n, 0);
    let make = |runs: &mut Runs, n: u64, undoes: Option<u64>| {
        let mut intent = Intent { id: number(n), ..samples::intent() };
        intent.call.undoes = undoes.map(number);
        runs.begin(at(0), &intent, false, &story.evidence());
        runs.answer(at(0), intent.id, &Outcome::Applied { writes: 1, generation: 2, by_reading: false });
    };
    let next = |runs: &Runs| runs.undoable().map(|run| run.intent.id);
    make(&mut runs, 1, None);
    make(&mut runs, 2, None);
    assert_eq!(next(&runs), Some(number(2)));
    make(&mut runs, 3, Some(2));
    assert_eq!(next(&runs), Some(number(1)), "an undo is not taken back, and what it took back neither");
    make(&mut runs, 4, Some(1));
    assert_eq!(next(&runs), None);
    make(&mut runs, 5, None);
    assert_eq!(next(&runs), Some(number(5)));
}

#[test]
fn an_undo_that_was_not_made_leaves_its_change_to_be_undone() {
    let mut runs = Runs::default();
    let story = Story::default();
    let first = samples::intent();
    runs.begin(at(0), &first, false, &story.evidence());
    runs.answer(at(0), first.id, &Outcome::Applied { writes: 1, generation: 2, by_reading: false });
    let mut undo = Intent { id: Ulid::from_parts(9, 9), ..samples::intent() };
    undo.call.undoes = Some(first.id);
    runs.begin(at(1), &undo, false, &story.evidence());
    assert!(runs.undoable().is_none(), "it is under way");
    runs.answer(at(2), undo.id, &Outcome::NotSent { reason: "stopped".into() });
    assert_eq!(runs.undoable().map(|run| run.intent.id), Some(first.id));
}

#[test]
fn the_effect_of_what_was_undone_is_not_awaited() {
    let mut story = Story::default();
    story.changes(0, errors_below());
    let first = story.runs.all().next().unwrap().intent.id;
    let mut undo = Intent { id: Ulid::from_parts(9, 9), ..samples::intent() };
    undo.call.undoes = Some(first);
    let mut runs = std::mem::take(&mut story.runs);
    runs.begin(at(1), &undo, false, &story.evidence());
    assert_eq!(runs.get(first).unwrap().stage, Stage::Verifying, "the undo may come to nothing");
    runs.answer(at(2), undo.id, &Outcome::Applied { writes: 1, generation: 3, by_reading: false });
    assert_eq!(runs.get(first).unwrap().stage, Stage::Reverted(2));
    story.runs = runs;
    story.fails(60, 1.0);
    let told = story.runs.due(
        at(120),
        first,
        &Evidence {
            cluster: &story.cluster,
            rates: Some(&story.rates),
            lag: &story.lag,
            alerts: &story.alerts,
        },
    );
    assert!(told.is_none(), "neither that it was seen nor that it was not");
}

#[test]
fn a_check_of_another_version_never_comes_true_and_the_first_release_is_read() {
    let mut story = Story::default();
    story.changes(1, Check { kind: "moon-phase".into(), args: serde_json::json!({}) });
    assert!(!story.worked(2));
    let old: Check = serde_json::from_str(r#"{"errors-below":{"service":"app","ratio":0.05}}"#).unwrap();
    assert_eq!(old, errors_below());
    let new: Check = serde_json::from_str(&serde_json::to_string(&old).unwrap()).unwrap();
    assert_eq!(new, old);
}
