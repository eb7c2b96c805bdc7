use proptest::prelude::*;

use super::*;
use crate::event::{ServiceHistory, ServiceRate};

const APP: &str = "app";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(100_000 + second)
}

fn sample(second: i64, errors: f64) -> RateSample {
    let rate = Rate { errors: Some(errors), requests: Some(10.0), ..Rate::default() };
    RateSample {
        at: at(second),
        window: 30,
        services: vec![ServiceRate { service: APP.into(), rate }],
        errors_5m: Some(errors),
    }
}

fn silence(second: i64) -> RateSample {
    RateSample { services: vec![], ..sample(second, 0.0) }
}

fn history(tier: Tier, first: i64, shares: Vec<Option<f64>>) -> RateHistory {
    let service = ServiceHistory { service: APP.into(), lines: [shares, vec![], vec![], vec![]] };
    RateHistory { tier, first, services: vec![service] }
}

fn line(rates: &Rates, span: TimeDelta, dots: usize) -> Vec<Option<f64>> {
    let to = rates.at.unwrap() + TimeDelta::seconds(Tier::Fine.step());
    rates.services[APP].dots(Signal::Errors, to - span, to, dots)
}

#[test]
fn history_that_comes_late_does_not_change_the_present() {
    let mut rates = Rates::default();
    rates.fold(&[sample(0, 0.0), sample(10, 1.0)]);
    rates.fold(&[sample(5, 9.0)]);
    assert_eq!((rates.ratio(APP), rates.errors_5m, rates.at), (Some(0.1), Some(1.0), Some(at(10))));
    let shown: Vec<_> = line(&rates, TimeDelta::seconds(15), 3)
        .into_iter()
        .map(|value| value.map(|v| (v * 10.0).round()))
        .collect();
    assert_eq!(shown, [Some(0.0), Some(9.0), Some(1.0)]);
}

#[test]
fn an_hour_is_kept_fine_and_a_day_coarse_in_bounded_room() {
    let mut rates = Rates::default();
    (0..20_000).for_each(|n| rates.fold(&[sample(n * 5, 1.0)]));
    let known = |span, dots| line(&rates, span, dots).iter().flatten().count();
    assert_eq!((known(TimeDelta::hours(1), 720), known(TimeDelta::hours(24), 720)), (720, 720));
    assert!(
        serde_json::to_string(&rates).unwrap().len() < 16_000,
        "{}",
        serde_json::to_string(&rates).unwrap().len()
    );
}

#[test]
fn a_service_that_the_newest_sample_does_not_know_is_unknown_and_at_last_forgotten() {
    let mut rates = Rates::default();
    rates.fold(&[sample(0, 1.0)]);
    rates.fold(&[silence(5)]);
    assert_eq!((rates.ratio(APP), rates.services[APP].recent()), (None, true));
    rates.fold(&[silence(3_700)]);
    assert!(!rates.services[APP].recent());
    rates.fold(&[silence(90_000)]);
    assert!(rates.services.is_empty());
}

#[test]
fn a_name_like_a_secrets_loses_nothing_in_a_recording() {
    let mut rates = Rates::default();
    let service = ServiceRate { service: "auth-token-service".into(), ..sample(0, 1.0).services[0].clone() };
    rates.fold(&[RateSample { services: vec![service], ..sample(0, 1.0) }]);
    assert_eq!(crate::clean::redact::Redacted::new(rates.clone()).unwrap().into_inner(), rates);
}

#[test]
fn a_trend_is_of_a_minute_and_quiet_about_little() {
    let trend = |then: f64, now: f64| {
        let mut rates = Rates::default();
        rates.fold(&[sample(0, then), sample(60, now)]);
        rates.services[APP]
            .trend(Signal::Errors)
            .map(|change| change.signum() * f64::from(u8::from(change != 0.0)))
    };
    assert_eq!(
        [trend(1.0, 2.0), trend(2.0, 1.0), trend(2.0, 2.1), trend(0.0, 0.0)],
        [Some(1.0), Some(-1.0), Some(0.0), Some(0.0)]
    );
    let mut rates = Rates::default();
    rates.fold(&[sample(60, 1.0)]);
    assert_eq!(rates.services[APP].trend(Signal::Errors), None);
}

#[test]
fn the_first_sample_of_the_present_trouble_is_known_to_the_second() {
    let since = |samples: &[(i64, f64)]| {
        let mut rates = Rates::default();
        for (second, share) in samples {
            rates.fold(&[sample(*second, share * 10.0)]);
        }
        rates.services[APP].above_since(Signal::Errors, 0.05).map(|since| (since - at(0)).num_seconds())
    };
    assert_eq!(since(&[(0, 0.01), (5, 0.04)]), None);
    assert_eq!(since(&[(0, 0.01), (5, 0.04), (10, 0.06), (20, 0.25)]), Some(10));
    assert_eq!(
        since(&[(0, 0.25), (10, 0.04), (70, 0.04), (130, 0.04), (140, 0.25)]),
        Some(0),
        "it was not well in between"
    );
    let dip = |seconds: i64| {
        (0..=seconds / 5)
            .map(|n| (5 + n * 5, 0.0))
            .chain([(0, 0.25), (seconds + 10, 0.25)])
            .collect::<Vec<_>>()
    };
    let sorted = |mut all: Vec<(i64, f64)>| {
        all.sort_by_key(|(second, _)| *second);
        all
    };
    assert_eq!(
        (since(&sorted(dip(30))), since(&sorted(dip(60)))),
        (Some(0), Some(70)),
        "a minute of calm parts two troubles"
    );
    let hours: Vec<(i64, f64)> = (0..3_000).map(|n| (n * 5, if n < 360 { 0.01 } else { 0.25 })).collect();
    let first = since(&hours).unwrap();
    assert!((1_680..=1_800).contains(&first), "older than an hour, to two minutes: {first}");
}

/// Some 4 hours of a service, with gaps: a share at every place of the fine grid, or none.
fn shares() -> impl Strategy<Value = Vec<Option<f64>>> {
    let stretch = (prop::option::weighted(0.7, 0.0..1.0_f64), 1_usize..400);
    prop::collection::vec(stretch, 1..16).prop_map(|all| {
        let whole = all.into_iter().flat_map(|(value, len)| std::iter::repeat_n(value, len));
        whole
            .enumerate()
            .map(|(n, value)| value.map(|v| (v + f64::from(u32::try_from(n % 7).unwrap()) / 100.0).min(1.0)))
            .collect()
    })
}

fn first() -> i64 {
    Tier::Fine.place(at(0))
}

/// The sample of the nth place, as Prometheus would be read live.
fn live(n: usize, share: Option<f64>) -> RateSample {
    let rate =
        |share| ServiceRate { service: APP.into(), rate: Rate { share: Some(share), ..Rate::default() } };
    let services = share.map(rate).into_iter().collect();
    RateSample {
        at: Tier::Fine.at(first() + i64::try_from(n).unwrap()),
        window: 30,
        services,
        errors_5m: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// What is filled in is what would have been read: live from the start, or live from some moment on with
    /// the rest in pieces, newest first.
    #[test]
    fn filled_in_or_read_live_is_the_same(shares in shares(), from in 0_usize..6_000, piece in 1_usize..300) {
        let mut all = Rates::default();
        shares.iter().enumerate().for_each(|(n, share)| all.fold(&[live(n, *share)]));
        let from = from.min(shares.len() - 1);
        let mut late = Rates::default();
        let mut missing: Vec<(usize, Vec<Option<f64>>)> =
            (0..from).step_by(piece).map(|n| (n, shares[n..(n + piece).min(from)].to_vec())).collect();
        for (n, share) in shares.iter().enumerate().skip(from) {
            late.fold(&[live(n, *share)]);
            if let Some((n, piece)) = missing.pop() {
                late.fill(&history(Tier::Fine, first() + i64::try_from(n).unwrap(), piece));
            }
        }
        while let Some((n, piece)) = missing.pop() {
            late.fill(&history(Tier::Fine, first() + i64::try_from(n).unwrap(), piece));
        }
        // An hour is filled in finely; what is older comes as the greatest of each stretch.
        let mut stretches: BTreeMap<i64, f64> = BTreeMap::new();
        for (n, share) in shares.iter().enumerate() {
            let place = Tier::Coarse.place(Tier::Fine.at(first() + i64::try_from(n).unwrap()));
            if let Some(share) = share {
                let most = stretches.entry(place).or_insert(*share);
                *most = most.max(*share);
            }
        }
        for (place, most) in &stretches {
            late.fill(&history(Tier::Coarse, *place, vec![Some(*most)]));
        }
        for span in [TimeDelta::minutes(5), TimeDelta::hours(1), TimeDelta::hours(6)] {
            let shown = |rates: &Rates| rates.services.get(APP).map(|_| line(rates, span, 120));
            prop_assert_eq!(shown(&late), shown(&all));
        }
    }

    /// However far one looks: the greatest value in sight is drawn, and a silence that is wider than a dot is
    /// not drawn over.
    #[test]
    fn no_peak_and_no_gap_is_lost(shares in shares(), dots in 1_usize..400, hours in 1_i64..=24) {
        let mut rates = Rates::default();
        shares.iter().enumerate().for_each(|(n, share)| rates.fold(&[live(n, *share)]));
        prop_assume!(!rates.services.is_empty());
        let span = TimeDelta::hours(hours);
        let shown = line(&rates, span, dots);
        let to = rates.at.unwrap() + TimeDelta::seconds(Tier::Fine.step());
        let from = to - span;
        let tier = if hours == 1 { Tier::Fine } else { Tier::Coarse };
        let moment = |n: usize| Tier::Fine.at(first() + i64::try_from(n).unwrap());
        // A stretch that the left edge cuts may be drawn or not.
        let peak = |after: DateTime<Utc>| {
            let seen = shares.iter().enumerate().filter(|(n, _)| tier.at(tier.place(moment(*n))) >= after);
            seen.filter_map(|(_, share)| *share).fold(f64::NEG_INFINITY, f64::max)
        };
        let drawn = shown.iter().copied().flatten().fold(f64::NEG_INFINITY, f64::max);
        let least = peak(from) - 1e-6;
        let most = peak(from - TimeDelta::seconds(tier.step())) + 1e-6;
        prop_assert!(least <= drawn && drawn <= most, "{drawn} is drawn, not {least} to {most}");
        for (n, value) in shown.iter().enumerate().filter(|(_, value)| value.is_some()) {
            let width = span.num_milliseconds() / i64::try_from(dots).unwrap() + 1;
            let n = i64::try_from(n).unwrap();
            let begin = from + TimeDelta::milliseconds(width * n) - TimeDelta::milliseconds(n) - TimeDelta::seconds(tier.step());
            let end = begin + TimeDelta::milliseconds(width) + TimeDelta::seconds(2 * tier.step());
            let near = (0..shares.len()).any(|n| shares[n].is_some() && moment(n) >= begin && moment(n) <= end);
            prop_assert!(near, "{value:?} at dot {n} is out of thin air");
        }
    }
}
