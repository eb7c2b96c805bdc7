//! Evaluates `PromQL` over the stored samples, with Prometheus's own rules for rates, staleness and matching.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::promql::{Expr, Selector, parse};
use super::tsdb::{Labels, Sample, Tsdb};

/// How far back an instant selector looks for the last sample, in milliseconds.
const LOOKBACK: i64 = 5 * 60 * 1000;

/// Series with one value each, or one number.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Scalar(f64),
    Vector(BTreeMap<Labels, f64>),
}

/// The value of an expression at a time in milliseconds.
pub(crate) fn eval(tsdb: &Tsdb, expr: &Expr, at: i64) -> Answer {
    match expr {
        Expr::Number(number) => Answer::Scalar(*number),
        Expr::Selector(selector) => Answer::Vector(instant(tsdb, selector, at)),
        Expr::Increase { selector, range, per_second } => {
            Answer::Vector(increases(tsdb, selector, at, *range, *per_second))
        }
        Expr::Sum { of, by } => Answer::Vector(sum(eval(tsdb, of, at), by)),
        Expr::MaxOverTime { of, range, step } => Answer::Vector(greatest(tsdb, of, at, *range, *step)),
        Expr::Quantile { share, of } => Answer::Vector(quantiles(*share, eval(tsdb, of, at))),
        Expr::Binary { left, operator, right } => {
            combine(eval(tsdb, left, at), *operator, eval(tsdb, right, at))
        }
    }
}

fn instant(tsdb: &Tsdb, selector: &Selector, at: i64) -> BTreeMap<Labels, f64> {
    let wanted = tsdb.range(at - LOOKBACK, at).filter(|(labels, _)| selector.matches(labels));
    let last = wanted.filter_map(|(labels, samples)| Some((labels.clone(), samples.last()?.value)));
    last.filter(|(_, value)| !value.is_nan()).collect()
}

fn increases(
    tsdb: &Tsdb,
    selector: &Selector,
    at: i64,
    range: i64,
    per_second: bool,
) -> BTreeMap<Labels, f64> {
    let wanted = tsdb.range(at - range, at).filter(|(labels, _)| selector.matches(labels));
    let grown = wanted.filter_map(|(labels, samples)| {
        let samples: Vec<_> = samples.filter(|sample| !sample.value.is_nan()).collect();
        let increase = increase(&samples, at - range, at)?;
        Some((without_name(labels), if per_second { increase / seconds(range) } else { increase }))
    });
    grown.collect()
}

/// The increase of a counter over a window, extrapolated to its ends as Prometheus does (promql/functions.go,
/// `extrapolatedRate`): to an end that is nearer than 1.1 sample intervals fully, else by half an interval,
/// and never to below zero.
pub(crate) fn increase(samples: &[Sample], from: i64, to: i64) -> Option<f64> {
    let [first, .., last] = samples else { return None };
    let resets: f64 =
        samples.windows(2).filter(|pair| pair[1].value < pair[0].value).map(|pair| pair[0].value).sum();
    let grown = last.value - first.value + resets;
    let span = seconds(last.at - first.at);
    let intervals = u32::try_from(samples.len() - 1).ok()?;
    let average = span / f64::from(intervals);
    let reach = |gap: f64| if gap >= average * 1.1 { average / 2.0 } else { gap };
    let mut before = reach(seconds(first.at - from));
    if grown > 0.0 && first.value >= 0.0 {
        before = before.min(span * (first.value / grown));
    }
    Some(grown * (span + before + reach(seconds(to - last.at))) / span)
}

fn seconds(millis: i64) -> f64 {
    i32::try_from(millis).map_or(f64::from(i32::MAX), f64::from) / 1000.0
}

fn without_name(labels: &Labels) -> Labels {
    labels
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| (label.clone(), value.clone()))
        .collect()
}

fn sum(answer: Answer, by: &[String]) -> BTreeMap<Labels, f64> {
    let mut sums = BTreeMap::new();
    let Answer::Vector(vector) = answer else { return sums };
    for (labels, value) in vector {
        let group: Labels = labels.into_iter().filter(|(label, _)| by.contains(label)).collect();
        *sums.entry(group).or_insert(0.0) += value;
    }
    sums
}

/// The greatest value of each series in `at - range < moment <= at`, at the multiples of `step`; NaN counts
/// only where there is nothing else.
fn greatest(tsdb: &Tsdb, of: &Expr, at: i64, range: i64, step: i64) -> BTreeMap<Labels, f64> {
    let mut most: BTreeMap<Labels, f64> = BTreeMap::new();
    for moment in ((at - range).div_euclid(step) + 1..=at.div_euclid(step)).map(|multiple| multiple * step) {
        let Answer::Vector(vector) = eval(tsdb, of, moment) else { continue };
        for (labels, value) in vector {
            let kept = most.entry(labels).or_insert(value);
            *kept = kept.max(value);
        }
    }
    most
}

/// A quantile of every histogram, straight between the bounds of the bucket that it falls into
/// (promql/quantile.go).
fn quantiles(share: f64, buckets: Answer) -> BTreeMap<Labels, f64> {
    let Answer::Vector(buckets) = buckets else { return BTreeMap::new() };
    let mut histograms: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (mut labels, count) in buckets {
        let Some(bound) = labels.remove("le").and_then(|bound| bound.replace("+Inf", "inf").parse().ok())
        else {
            continue;
        };
        histograms.entry(labels).or_default().push((bound, count));
    }
    histograms.into_iter().map(|(labels, buckets)| (labels, quantile(share, buckets))).collect()
}

fn quantile(share: f64, mut buckets: Vec<(f64, f64)>) -> f64 {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    let rank = share * all;
    let Some(place) = buckets.iter().position(|(_, count)| *count >= rank).filter(|_| all > 0.0) else {
        return f64::NAN;
    };
    let (low, below) = place.checked_sub(1).map_or((0.0, 0.0), |before| buckets[before]);
    let (high, count) = buckets[place];
    if high.is_infinite() { low } else { low + (high - low) * (rank - below) / (count - below) }
}

/// Series are matched one to one by their labels, the name aside; those without a partner are left out.
fn combine(left: Answer, operator: char, right: Answer) -> Answer {
    let apply = |a: f64, b: f64| match operator {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        _ => a / b,
    };
    match (left, right) {
        (Answer::Scalar(a), Answer::Scalar(b)) => Answer::Scalar(apply(a, b)),
        (Answer::Vector(vector), Answer::Scalar(b)) => Answer::Vector(mapped(vector, |a| apply(a, b))),
        (Answer::Scalar(a), Answer::Vector(vector)) => Answer::Vector(mapped(vector, |b| apply(a, b))),
        (Answer::Vector(left), Answer::Vector(right)) => {
            let right: BTreeMap<_, _> =
                right.into_iter().map(|(labels, value)| (without_name(&labels), value)).collect();
            let pairs = mapped(left, |a| a)
                .into_iter()
                .filter_map(|(labels, a)| Some((labels.clone(), apply(a, *right.get(&labels)?))));
            Answer::Vector(pairs.collect())
        }
    }
}

fn mapped(vector: BTreeMap<Labels, f64>, apply: impl Fn(f64) -> f64) -> BTreeMap<Labels, f64> {
    vector.into_iter().map(|(labels, value)| (without_name(&labels), apply(value))).collect()
}

/// The value of an expression at a time, for the alert rule.
pub(in crate::sim) fn vector(tsdb: &Tsdb, expression: &str, at: DateTime<Utc>) -> BTreeMap<Labels, f64> {
    match parse(expression).map(|expr| eval(tsdb, &expr, at.timestamp_millis())) {
        Ok(Answer::Vector(vector)) => vector,
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[(i64, f64)]) -> Vec<Sample> {
        values.iter().map(|(second, value)| Sample { at: second * 1000, value: *value }).collect()
    }

    #[test]
    fn increases_are_extrapolated_as_prometheus_does() {
        type Points = [(i64, f64)];
        let cases: [(&Points, Option<f64>); 6] = [
            (&[(10, 5.0)], None),
            // 40 in 40 s, 10 s short of either end, which are within reach: 60 in 60 s.
            (&[(10, 100.0), (20, 110.0), (30, 120.0), (40, 130.0), (50, 140.0)], Some(60.0)),
            // The start is too far away: half an interval (5 s) is added before, 10 s after.
            (&[(30, 100.0), (40, 110.0), (50, 120.0)], Some(20.0 * 35.0 / 20.0)),
            // A counter that starts at 2 was at zero only 2 s before.
            (&[(10, 2.0), (20, 12.0), (30, 22.0), (40, 32.0), (50, 42.0)], Some(40.0 * 52.0 / 40.0)),
            // A reset: 10 up, then from zero 4 up, then 10 up.
            (&[(10, 100.0), (20, 110.0), (30, 4.0), (40, 14.0), (50, 24.0)], Some(34.0 * 60.0 / 40.0)),
            (&[(10, 7.0), (20, 7.0), (50, 7.0)], Some(0.0)),
        ];
        for (values, expected) in cases {
            let found = increase(&samples(values), 0, 60_000);
            assert_eq!(found.map(|x| (x * 1e6).round()), expected.map(|x| (x * 1e6).round()), "{values:?}");
        }
    }

    fn stored() -> Tsdb {
        let mut tsdb = Tsdb::default();
        for second in (0..=60).step_by(2) {
            let row = |service: &str, status: &str, rate: f64| {
                let labels = [("__name__", "http_requests_total"), ("service", service), ("status", status)];
                let count = 1000.0 + rate * f64::from(second);
                (labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), count)
            };
            let samples = vec![
                row("app", "200", 30.0),
                row("app", "500", 10.0),
                row("ocr", "200", 20.0),
                row("ocr", "503", 0.0),
            ];
            tsdb.scrape(i64::from(second) * 1000, samples);
        }
        tsdb
    }

    fn ask(query: &str) -> Vec<(String, f64)> {
        match eval(&stored(), &parse(query).unwrap(), 60_000) {
            Answer::Scalar(value) => vec![(String::new(), value)],
            Answer::Vector(vector) => {
                let shown = vector.into_iter().map(|(labels, value)| {
                    (labels.into_values().collect::<Vec<_>>().join(","), (value * 1e6).round() / 1e6)
                });
                shown.collect()
            }
        }
    }

    #[test]
    fn quantiles_lie_between_the_bounds_of_their_bucket() {
        let buckets =
            |counts: [f64; 4]| [0.1, 0.5, 1.0, f64::INFINITY].into_iter().zip(counts).collect::<Vec<_>>();
        for (share, counts, expected) in [
            (0.5, [10.0, 20.0, 20.0, 20.0], 0.1),
            (0.75, [10.0, 20.0, 20.0, 20.0], 0.3),
            (0.95, [0.0, 0.0, 0.0, 20.0], 1.0),
        ] {
            assert!((quantile(share, buckets(counts)) - expected).abs() < 1e-9, "{share} of {counts:?}");
        }
        assert!(quantile(0.95, buckets([0.0; 4])).is_nan());
    }

    #[test]
    fn the_greatest_over_a_time_is_of_every_multiple_of_the_step() {
        let mut tsdb = Tsdb::default();
        for (second, value) in [(0, 1.0), (10, 9.0), (20, 2.0), (30, 3.0), (35, 8.0)] {
            tsdb.scrape(second * 1_000, vec![([("__name__".to_owned(), "x".to_owned())].into(), value)]);
        }
        for (query, expected) in [("max_over_time((x)[30s:10s])", 9.0), ("max_over_time((x)[20s:10s])", 3.0)]
        {
            let Answer::Vector(vector) = eval(&tsdb, &parse(query).unwrap(), 34_000) else {
                panic!("{query}")
            };
            assert_eq!(vector.into_values().collect::<Vec<_>>(), [expected], "{query}");
        }
    }

    #[test]
    fn sums_ratios_and_matchers() {
        let cases: [(&str, &[(&str, f64)]); 6] = [
            (r#"sum(rate(http_requests_total{status=~"5.."}[30s]))"#, &[("", 10.0)]),
            (
                r#"sum(rate(http_requests_total{status!~"2.."}[30s])) by (service)"#,
                &[("app", 10.0), ("ocr", 0.0)],
            ),
            (
                r#"sum(rate(http_requests_total{status=~"5.."}[30s])) by (service) / sum(rate(http_requests_total[30s])) by (service)"#,
                &[("app", 0.25), ("ocr", 0.0)],
            ),
            (
                r#"http_requests_total{service="ocr",status!="200"}"#,
                &[("http_requests_total,ocr,503", 1000.0)],
            ),
            ("sum(rate(nothing[30s]))", &[]),
            ("1 + 2 * 3", &[("", 7.0)]),
        ];
        for (query, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect();
            assert_eq!(ask(query), expected, "{query}");
        }
    }
}
