//! Request and error rates by service: the newest numbers, an hour of them at a fine step and a day at a
//! coarse one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::time_series::TimeSeries;
use crate::clean::Clean;
use crate::event::{Asked, Rate, RateHistory, RateSample, Signal, Tier};

/// What a trend looks back on.
const TREND: TimeDelta = TimeDelta::seconds(60);

/// A number that changed by less than this part of the greater one stays where it is.
const STEADY: f64 = 0.1;

/// How long a number has to be at half of its limit or below for what comes after it to be another trouble.
const WELL: TimeDelta = TimeDelta::seconds(60);

/// Rates of one service over time. It holds numbers only: its name may look like a secret's, and text under
/// it would be taken for one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The newest numbers.
    rate: Rate,
    /// The moment that they are of, milliseconds since 1970.
    at: Option<i64>,
    fine: [TimeSeries; Signal::COUNT],
    coarse: [TimeSeries; Signal::COUNT],
}

impl Series {
    fn tracks(&self, tier: Tier) -> &[TimeSeries; Signal::COUNT] {
        match tier {
            Tier::Fine => &self.fine,
            Tier::Coarse => &self.coarse,
        }
    }

    fn tracks_mut(&mut self) -> [(Tier, &mut [TimeSeries; Signal::COUNT]); 2] {
        [(Tier::Fine, &mut self.fine), (Tier::Coarse, &mut self.coarse)]
    }

    /// A value of a moment: into its own place, and among those of which the greatest is kept.
    fn note(&mut self, signal: Signal, at: DateTime<Utc>, value: f64, newest: DateTime<Utc>) {
        for (tier, tracks) in self.tracks_mut() {
            tracks[signal as usize].raise(tier.place(at), value, oldest(tier, newest));
        }
    }

    fn expire(&mut self, newest: DateTime<Utc>) {
        for (tier, tracks) in self.tracks_mut() {
            for track in tracks {
                track.expire(oldest(tier, newest));
            }
        }
    }

    /// Returns whether it was measured in the last hour.
    pub fn recent(&self) -> bool {
        self.fine.iter().any(|track| !track.is_empty())
    }

    /// Returns whether anything is known of it from this moment on.
    pub fn known_since(&self, since: DateTime<Utc>) -> bool {
        let reaches = |tier: Tier| {
            self.tracks(tier).iter().any(|track| !track.is_empty() && track.end() > tier.place(since))
        };
        reaches(Tier::Fine) || reaches(Tier::Coarse)
    }

    /// Returns one number at a moment of the last hour.
    pub fn at(&self, signal: Signal, at: DateTime<Utc>) -> Option<f64> {
        self.fine[signal as usize].at(Tier::Fine.place(at))
    }

    /// Returns a line between two moments as `dots` numbers: the greatest of each stretch, so that no peak is
    /// lost, however far one looks. A dot that is narrower than a step has the number of its step; what is
    /// not known is a gap.
    pub fn dots(
        &self,
        signal: Signal,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        dots: usize,
    ) -> Vec<Option<f64>> {
        let tier = if to - from <= Tier::Fine.span() { Tier::Fine } else { Tier::Coarse };
        let track = &self.tracks(tier)[signal as usize];
        let step = tier.step() * 1_000;
        let start = from.timestamp_millis();
        let span = (to - from).num_milliseconds();
        let count = i64::try_from(dots).unwrap_or(i64::MAX).max(1);
        let edge = |dot: i64| start + span * dot / count;
        let value = |dot: i64| {
            let begin = edge(dot);
            let end = edge(dot + 1);
            let [first, behind] = [begin, end].map(|edge| (edge + step - 1).div_euclid(step));
            if first < behind { track.most(first, behind) } else { track.at(begin.div_euclid(step)) }
        };
        (0..count).take(dots).map(value).collect()
    }

    /// Returns the first sample of the present trouble: the oldest above a limit since the number was last
    /// well, which is at half of it or below for a minute.
    pub fn above_since(&self, signal: Signal, limit: f64) -> Option<DateTime<Utc>> {
        let (first, whole) = self.rose(Tier::Fine, signal, limit)?;
        let first = Tier::Fine.at(first);
        let oldest = Tier::Fine.at(self.fine[signal as usize].first());
        let before = self
            .rose(Tier::Coarse, signal, limit)
            .filter(|(place, _)| !whole && Tier::Coarse.at(place + 1) <= oldest);
        Some(before.map_or(first, |(place, _)| Tier::Coarse.at(place)))
    }

    /// The place of that sample, and whether it is known that it was well before.
    fn rose(&self, tier: Tier, signal: Signal, limit: f64) -> Option<(i64, bool)> {
        let track = &self.tracks(tier)[signal as usize];
        let mut rose: Option<i64> = None;
        let mut well: Option<i64> = None;
        for place in (track.first()..track.end()).rev() {
            match track.at(place) {
                Some(value) if value > limit => (rose, well) = (Some(place), None),
                Some(value) if value > limit / 2.0 => well = None,
                Some(_) if (*well.get_or_insert(place) - place + 1) * tier.step() >= WELL.num_seconds() => {
                    return rose.map(|rose| (rose, true));
                }
                _ => {}
            }
        }
        rose.map(|rose| (rose, false))
    }

    /// Returns by how much a number changed in a minute; 0 where that is little, unknown where one of both
    /// is.
    pub fn trend(&self, signal: Signal) -> Option<f64> {
        let now = DateTime::from_timestamp_millis(self.at?)?;
        let value = self.rate.of(signal)?;
        let before = self.at(signal, now - TREND)?;
        let change = value - before;
        Some(if change.abs() <= STEADY * value.max(before) { 0.0 } else { change })
    }
}

/// The first place that is kept while this is the newest moment.
fn oldest(tier: Tier, newest: DateTime<Utc>) -> i64 {
    tier.place(newest) - tier.kept()
}

/// The rates of all services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Rates by service.
    pub services: BTreeMap<Clean, Series>,
    /// Window of the newest sample, seconds.
    pub window: Option<u32>,
    /// All failing requests (5xx) per second, over 5 minutes: the figure of the runbook.
    pub errors_5m: Option<f64>,
    /// Time of the newest sample.
    pub at: Option<DateTime<Utc>>,
    /// Queries that Prometheus is asked.
    #[serde(default)]
    pub asked: Vec<Asked>,
}

impl Rates {
    /// Takes in samples. One that is not newer than what is known is history, and does not change the
    /// present.
    pub fn fold(&mut self, samples: &[RateSample]) {
        for sample in samples {
            let newest = self.at.map_or(sample.at, |at| at.max(sample.at));
            let present = self.at.is_none_or(|at| sample.at > at);
            for told in &sample.services {
                let series = self.services.entry(told.service.clone()).or_default();
                for signal in Signal::ALL {
                    told.rate
                        .of(*signal)
                        .into_iter()
                        .for_each(|value| series.note(*signal, sample.at, value, newest));
                }
                if present {
                    series.rate = told.rate;
                    series.at = Some(sample.at.timestamp_millis());
                }
            }
            if present {
                self.at = Some(sample.at);
                self.window = Some(sample.window);
                self.errors_5m = sample.errors_5m;
            }
        }
        self.expire();
    }

    /// Takes in what was before the newest sample; without one there is no before.
    pub fn fill(&mut self, history: &RateHistory) {
        let Some(newest) = self.at else { return };
        for told in &history.services {
            let series = self.services.entry(told.service.clone()).or_default();
            for (signal, line) in Signal::ALL.iter().zip(&told.lines) {
                let places = (history.first..=history.tier.place(newest)).zip(line);
                for (place, value) in places.filter_map(|(place, value)| Some((place, (*value)?))) {
                    match history.tier {
                        Tier::Fine => series.note(*signal, Tier::Fine.at(place), value, newest),
                        Tier::Coarse => {
                            series.coarse[*signal as usize].raise(place, value, oldest(Tier::Coarse, newest));
                        }
                    }
                }
            }
        }
        self.expire();
    }

    fn expire(&mut self) {
        let Some(newest) = self.at else { return };
        self.services.retain(|_, series| {
            series.expire(newest);
            series.at == Some(newest.timestamp_millis()) || series.known_since(newest - Tier::Coarse.span())
        });
    }

    /// Returns the present rates of a service; `None` where the newest sample does not know it.
    pub fn now(&self, service: &str) -> Option<&Rate> {
        let series = self.services.get(service)?;
        (series.at == self.at.map(|at| at.timestamp_millis())).then_some(&series.rate)
    }

    /// Returns the share of failing requests now, 0 to 1.
    pub fn ratio(&self, service: &str) -> Option<f64> {
        self.now(service)?.ratio()
    }

    /// Returns the query of a signal; `None` where it is not asked.
    pub fn query(&self, signal: Signal) -> Option<&Asked> {
        self.asked.iter().find(|asked| asked.signal == signal)
    }
}

#[cfg(test)]
mod tests;
