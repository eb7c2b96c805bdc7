//! Request and error rates by service, over time.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::event::{RateSample, ServiceRate};

/// How much is kept: an hour at the shortest step (2 s) would be 1,800 points; samples come every 5 s.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// One service over time, oldest first. A gap in the times is a gap in what is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series(VecDeque<(DateTime<Utc>, ServiceRate)>);

impl Series {
    /// Points from `since` on, oldest first.
    pub fn since(&self, since: DateTime<Utc>) -> impl DoubleEndedIterator<Item = (DateTime<Utc>, &ServiceRate)> {
        self.0.iter().filter(move |(at, _)| *at >= since).map(|(at, rate)| (*at, rate))
    }

    /// The newest point.
    pub fn last(&self) -> Option<&ServiceRate> {
        self.0.back().map(|(_, rate)| rate)
    }
}

/// The rates of all services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// By service.
    pub services: BTreeMap<Clean, Series>,
    /// The window of the newest sample, seconds.
    pub window: Option<u32>,
    /// All 5xx a second over 5 minutes: the runbook's figure.
    pub errors_5m: Option<f64>,
    /// When the newest sample is of.
    pub at: Option<DateTime<Utc>>,
}

impl Rates {
    /// Takes in samples; one that is not newer than what is known is history filled in late, and is dropped.
    pub fn fold(&mut self, samples: &[RateSample]) {
        for sample in samples.iter().filter(|sample| self.at.is_none_or(|at| sample.at > at)).collect::<Vec<_>>() {
            for rate in &sample.services {
                self.services.entry(rate.service.clone()).or_default().0.push_back((sample.at, rate.clone()));
            }
            self.at = Some(sample.at);
            self.window = Some(sample.window);
            self.errors_5m = sample.errors_5m;
        }
        self.expire();
    }

    fn expire(&mut self) {
        let Some(oldest) = self.at.and_then(|at| at.checked_sub_signed(KEPT)) else { return };
        for series in self.services.values_mut() {
            while series.0.front().is_some_and(|(at, _)| *at < oldest) {
                series.0.pop_front();
            }
        }
        self.services.retain(|_, series| !series.0.is_empty());
    }

    /// What the service does now; `None` where the newest sample does not know it.
    pub fn now(&self, service: &str) -> Option<&ServiceRate> {
        let (at, rate) = self.services.get(service)?.0.back()?;
        (Some(*at) == self.at).then_some(rate)
    }

    /// The services that fail more than they may, with the share of their requests that fails.
    pub fn failing(&self, threshold: f64) -> BTreeMap<&Clean, f64> {
        let failing = self.services.keys().filter_map(|service| Some((service, self.ratio(service)?)));
        failing.filter(|(_, ratio)| *ratio > threshold).collect()
    }

    /// The share of failing requests now, 0..1.
    pub fn ratio(&self, service: &str) -> Option<f64> {
        self.now(service)?.ratio()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: i64, errors: f64) -> RateSample {
        let service = ServiceRate { service: "app".into(), errors: Some(errors), requests: Some(10.0) };
        RateSample { at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second), window: 30, services: vec![service], errors_5m: Some(errors) }
    }

    #[test]
    fn history_that_comes_late_is_not_mixed_into_the_present() {
        let mut rates = Rates::default();
        rates.fold(&[sample(0, 0.0), sample(5, 1.0)]);
        rates.fold(&[sample(3, 9.0)]);
        assert_eq!(rates.ratio("app"), Some(0.1));
        assert_eq!(rates.services["app"].since(DateTime::UNIX_EPOCH).count(), 2);
    }

    #[test]
    fn an_hour_is_kept() {
        let mut rates = Rates::default();
        (0..2_000).for_each(|n| rates.fold(&[sample(n * 5, 0.0)]));
        assert_eq!(rates.services["app"].since(DateTime::UNIX_EPOCH).count(), 721);
    }

    #[test]
    fn a_service_that_the_newest_sample_does_not_know_is_unknown() {
        let mut rates = Rates::default();
        rates.fold(&[sample(0, 1.0)]);
        rates.fold(&[RateSample { services: vec![], ..sample(5, 0.0) }]);
        assert_eq!(rates.ratio("app"), None);
    }
}
