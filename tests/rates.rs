//! The rates that warroom reads and fills in, against Prometheus's own answers to other questions. On the bed
//! alone: the arithmetic of rates, ratios and counter resets is Prometheus's, and only a real one knows it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/bed.rs"]
mod bed;

use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::mpsc;
use warroom::config::Where;
use warroom::event::{Event, RateSample, Signal, SourceId};
use warroom::net::clock::Clock;
use warroom::net::connect::{ConnectSettings, connect};
use warroom::net::discovery::{Discovery, ServiceKind};
use warroom::net::resolver::Resolver;
use warroom::net::timing::Timing;
use warroom::source::handle::SourceHandle;
use warroom::source::prometheus;
use warroom::state::Rates;

/// An answer of Prometheus's, by its own HTTP API.
fn ask(query: &str, at: DateTime<Utc>) -> Vec<Value> {
    let address = format!("{}/api/v1/query", bed::var("BED_PROMETHEUS"));
    let query = format!("query={query}");
    let time = format!("time={}", at.timestamp());
    let told = Command::new("curl")
        .args(["-sG", &address, "--data-urlencode", &query, "--data-urlencode", &time])
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&told.stdout).unwrap();
    answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{query}: {answer}")).clone()
}

fn number(query: &str, at: DateTime<Utc>) -> Option<f64> {
    let text = ask(query, at).first()?["value"][1].as_str()?.to_owned();
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-5 * a.abs().max(b.abs()).max(1e-3),
        (a, b) => a == b,
    }
}

/// The share of failures as one minus that of successes, from increases instead of rates: another way to the
/// same number.
fn share(service: &str, at: DateTime<Utc>) -> Option<f64> {
    let increase = |matchers: &str| {
        number(&format!("sum(increase(http_requests_total{{service=\"{service}\"{matchers}}}[30s]))"), at)
    };
    let all = increase("").filter(|all| *all > 0.0)?;
    Some(1.0 - increase(",status!~\"5..\"")? / all)
}

/// All that is told until the past is filled in and so many samples were read live.
async fn read(live: usize) -> (Rates, Vec<RateSample>) {
    let (sender, mut events) = mpsc::channel(64);
    let clock = Clock::system();
    let handle = SourceHandle::new(SourceId::Prometheus, clock.clone(), sender);
    let timing = Timing::default();
    let client = connect(&ConnectSettings::default(), &timing).await.unwrap().reader;
    let address = bed::var("BED_PROMETHEUS").parse::<Where>().unwrap();
    let reach = Resolver::new(ServiceKind::Prometheus, address.into(), Discovery::new(client, None, &timing));
    let source =
        tokio::spawn(prometheus::run(reach, warroom::config::Rates::default(), handle, clock, timing));
    let mut rates = Rates::default();
    let mut samples = Vec::new();
    let mut pieces = 0;
    while samples.len() < live || pieces < 30 {
        match tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("it goes on").unwrap()
        {
            Event::Rates(told) => {
                rates.fold(&told);
                samples.extend(told);
            }
            Event::RateHistory(history) => {
                assert!(!samples.is_empty(), "the present is told first");
                rates.fill(&history);
                pieces += 1;
            }
            _ => {}
        }
    }
    source.abort();
    (rates, samples)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the bed"]
async fn bed_rates_agree_with_prometheus() {
    bed::kubeconfig();
    let (rates, samples) = read(6).await;
    let alike = |sample: &&RateSample| {
        let services =
            sample.services.iter().all(|told| close(told.rate.ratio(), share(&told.service, sample.at)));
        services
            && close(
                sample.errors_5m,
                number("sum(rate(http_requests_total{status=~\"5..\"}[5m]))", sample.at),
            )
    };
    // A scrape that is under way while the present is read belongs to it and is not there yet.
    let agreed = samples.iter().filter(alike).count();
    assert!(agreed * 3 >= samples.len() * 2, "{agreed} of {} samples agree", samples.len());
    past_agrees(&rates);
    day_agrees(&rates);
}

/// Places of the last hour, and among them every one within reach of a counter's reset.
fn past_agrees(rates: &Rates) {
    let newest = rates.at.unwrap();
    let resets = ask("(max(resets(http_requests_total[30s])) > 0)[58m:5s]", newest - TimeDelta::seconds(50));
    let moments = resets.first().and_then(|series| series["values"].as_array().cloned()).unwrap_or_default();
    let reset: Vec<DateTime<Utc>> = moments
        .iter()
        .filter_map(|point| DateTime::from_timestamp(point[0].as_f64()?.round() as i64, 0))
        .take(60)
        .collect();
    let mut seen = 0;
    let spread = (10..700).step_by(11).map(|back| newest - TimeDelta::seconds(5 * back));
    for at in spread.chain(reset.iter().copied()) {
        for (service, series) in &rates.services {
            let kept = series.at(Signal::Errors, at);
            let told = share(service, at);
            assert!(close(kept, told), "{service} at {at}: {kept:?} here, {told:?} there");
            seen += usize::from(kept.is_some());
        }
    }
    println!("{seen} numbers of the last hour agree, {} moments of them over a counter's reset", reset.len());
    assert!(seen > 0);
}

/// Coarse places: no less than the greatest share that Prometheus itself finds at twice a window.
fn day_agrees(rates: &Rates) {
    let newest = rates.at.unwrap();
    let to = DateTime::from_timestamp(newest.timestamp().div_euclid(120) * 120, 0).unwrap();
    for (service, series) in &rates.services {
        let line = series.dots(Signal::Errors, to - TimeDelta::hours(24), to, 720);
        for (n, value) in line.iter().enumerate().filter(|(n, _)| n % 61 == 7) {
            let behind =
                to - TimeDelta::hours(24) + TimeDelta::seconds(120 * (i64::try_from(n).unwrap() + 1));
            let of = |matchers: &str| {
                format!("sum(rate(http_requests_total{{service=\"{service}\"{matchers}}}[30s]))")
            };
            let query = format!("max_over_time((1 - {} / {})[120s:15s])", of(",status!~\"5..\""), of(""));
            let told = number(&query, behind - TimeDelta::seconds(1)).map(|share| share.max(0.0));
            assert!(
                value.is_some() == told.is_some(),
                "{service} before {behind}: {value:?} here, {told:?} there"
            );
            assert!(
                value.unwrap_or(1.0) >= told.unwrap_or(0.0) - 1e-5,
                "{service} before {behind}: {value:?} here, {told:?} there"
            );
        }
    }
}
