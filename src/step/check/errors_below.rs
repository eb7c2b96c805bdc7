//! The service's share of failing requests is below the threshold.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, unread};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::state::Series;

#[derive(Serialize, Deserialize)]
struct Args {
    service: Clean,
    /// 0..1
    ratio: f64,
}

pub(super) struct ErrorsBelow;

/// Fewer than this share (0..1) of the service's requests fail; nothing to hold it to where Prometheus counts no requests of it.
pub fn errors_below(service: &str, ratio: f64) -> Check {
    super::check(&ErrorsBelow, &Args { service: service.into(), ratio })
}

impl CheckKind for ErrorsBelow {
    fn name(&self) -> &'static str {
        "errors-below"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Prometheus]
    }

    fn of_main_context(&self) -> bool {
        true
    }

    fn measure(&self, held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        into.ratio_5xx = args(held).and_then(|Args { service, .. }| evidence.rates?.ratio(&service));
    }

    /// A sample is needed whose whole window is of after the change, or half of the time that is left for it where the window is longer: what
    /// was asked before knows nothing of the change. Without a Prometheus, or for a service that it counts no requests of, there is nothing to
    /// hold the change to.
    fn missing(&self, held: &Value, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        let Some(Args { service, ratio: below }) = args(held) else { return Some(unread()) };
        let rates = evidence.rates?;
        if rates.at.is_some() && !rates.services.get(&service).is_some_and(Series::recent) {
            return None;
        }
        let window = TimeDelta::seconds(rates.window.unwrap_or(0).min(since.within / 2).into());
        match rates.ratio(&service).filter(|_| since.applied.is_some_and(|applied| rates.at > Some(applied + window))) {
            Some(ratio) if ratio < below => None,
            Some(ratio) => Some(format!("{:.1} % of requests to {service} fail", ratio * 100.0).into()),
            None => Some(format!("no error rate of {service} since the change").into()),
        }
    }
}
