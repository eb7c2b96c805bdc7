//! The service's share of failing requests is below the threshold.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::state::Series;

#[derive(Serialize, Deserialize)]
pub(super) struct ErrorsBelow {
    service: Clean,
    /// 0..1
    ratio: f64,
}

/// Creates the check that fewer than this share (0 to 1) of the service's requests fail; nothing to hold it
/// to where Prometheus counts no requests of it.
pub fn errors_below(service: &str, ratio: f64) -> Check {
    super::check(&ErrorsBelow { service: service.into(), ratio })
}

impl Expected for ErrorsBelow {
    const NAME: &'static str = "errors-below";
    const NEEDS: &'static [SourceId] = &[SourceId::Prometheus];
    const OF_MAIN_CONTEXT: bool = true;

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        into.ratio_5xx = evidence.rates.and_then(|rates| rates.ratio(&self.service));
    }

    /// A sample is needed whose whole window is of after the change, or half of the time that is left for it
    /// where the window is longer: what was asked before knows nothing of the change. Without a Prometheus,
    /// or for a service that it counts no requests of, there is nothing to hold the change to.
    fn missing(&self, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        let Self { service, ratio: below } = self;
        let rates = evidence.rates?;
        if rates.at.is_some() && !rates.services.get(service).is_some_and(Series::recent) {
            return None;
        }
        let window = TimeDelta::seconds(rates.window.unwrap_or(0).min(since.within / 2).into());
        match rates
            .ratio(service)
            .filter(|_| since.applied.is_some_and(|applied| rates.at > Some(applied + window)))
        {
            Some(ratio) if ratio < *below => None,
            Some(ratio) => Some(format!("{:.1} % of requests to {service} fail", ratio * 100.0).into()),
            None => Some(format!("no error rate of {service} since the change").into()),
        }
    }
}
