//! `[rates]`: what Prometheus is asked about the services, in which units, and above which share of failures
//! a service is in trouble.

use std::collections::BTreeMap;

use crate::clean::Clean;
use crate::data::{Problem, Reader};
use crate::event::{Signal, Unit};

/// What stands for the window in a query.
pub const WINDOW: &str = "$window";

/// What stands for the service label in a query.
pub const SERVICE: &str = "$service";

/// How rates are read and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// The share of 5xx answers, from 0 to 1, above which a service is in trouble.
    pub threshold: f64,
    /// The same of single services.
    pub thresholds: BTreeMap<Clean, f64>,
    /// Seconds that a rate is averaged over; without them max(30, 4 × the scrape interval).
    pub window: Option<u32>,
    /// The label that names a service; without it the first usual one that the metric has.
    pub label: Option<String>,
    /// Queries that replace what would be found.
    pub queries: BTreeMap<Signal, Query>,
}

/// A query that somebody wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `PromQL` with [`WINDOW`] and [`SERVICE`] in it: one series a service.
    pub query: String,
    /// The unit of its numbers.
    pub unit: Unit,
    /// What they should stay below, in that unit.
    pub threshold: Option<f64>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            threshold: 0.05,
            thresholds: BTreeMap::new(),
            window: None,
            label: None,
            queries: BTreeMap::new(),
        }
    }
}

impl Rates {
    /// The share of a service's requests above which it is in trouble.
    pub fn threshold_of(&self, service: &str) -> f64 {
        self.thresholds.get(service).copied().unwrap_or(self.threshold)
    }

    pub(super) fn read(mut table: Reader<'_>) -> Self {
        let usual = Self::default();
        let thresholds = table
            .table("thresholds", "service")
            .map(|mut services| shares(&mut services))
            .unwrap_or_default();
        let queries = Signal::ALL.iter().filter_map(|signal| {
            Some((*signal, Query::read(&mut table.table(signal.name(), "field")?, *signal)?))
        });
        Self {
            queries: queries.collect(),
            threshold: table.within("threshold", &(0.0..=1.0)).unwrap_or(usual.threshold),
            thresholds,
            window: table.within("window", &(10..=86_400)),
            label: table.get("service"),
        }
    }
}

/// Services and their shares; each must lie between 0 and 1.
fn shares(services: &mut Reader<'_>) -> BTreeMap<Clean, f64> {
    let all: Vec<(String, f64)> = services.entries();
    for (name, share) in all.iter().filter(|(_, share)| !(0.0..=1.0).contains(share)) {
        services
            .fault(Problem::new(format!("the threshold of {name} is {share}, but must lie between 0 and 1")));
    }
    all.into_iter().map(|(name, share)| (Clean::from(name), share)).collect()
}

/// The units that a signal can be measured in, the usual one first.
fn units(signal: Signal) -> &'static [Unit] {
    match signal {
        Signal::Errors => &[Unit::PerSecond, Unit::PerMinute, Unit::Ratio, Unit::Percent],
        Signal::Requests => &[Unit::PerSecond, Unit::PerMinute],
        Signal::Latency => &[Unit::Seconds, Unit::Millis],
        Signal::Saturation => &[Unit::Ratio, Unit::Percent, Unit::Cores],
    }
}

impl Query {
    fn read(table: &mut Reader<'_>, signal: Signal) -> Option<Self> {
        let query = table.required::<String>("query");
        let unit = table.get("unit");
        let threshold = table.get::<f64>("threshold");
        let unit = unit.unwrap_or(units(signal)[0]);
        if !units(signal).contains(&unit) {
            let fitting =
                units(signal).iter().map(|unit| format!("\"{unit}\"")).collect::<Vec<_>>().join(", ");
            table.fault(Problem::new(format!(
                "{signal} cannot be measured in \"{unit}\": it can be {fitting}"
            )));
        }
        if signal == Signal::Errors && threshold.is_some() {
            table.fault(Problem::new(
                "errors have no threshold of their own: it is rates.threshold, a share of all requests",
            ));
        }
        Some(Self { query: query?, unit, threshold })
    }
}
