//! A silence is in force, and its alerts call for nobody any more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, unread};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};

#[derive(Serialize, Deserialize)]
struct Args {
    /// What its comment contains.
    tag: Clean,
    /// Fingerprints.
    alerts: Vec<Clean>,
}

pub(super) struct Silenced;

/// A silence with this in its comment keeps these alerts quiet.
pub fn silenced(tag: &str, alerts: Vec<Clean>) -> Check {
    super::check(&Silenced, &Args { tag: tag.into(), alerts })
}

/// How many of these alerts call for a person.
fn calling(alerts: &[Clean], evidence: &Evidence<'_>) -> usize {
    alerts.iter().filter_map(|fingerprint| evidence.alerts.get(fingerprint)).filter(|alert| alert.active()).count()
}

impl CheckKind for Silenced {
    fn name(&self) -> &'static str {
        "silenced"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Alertmanager]
    }

    fn of_main_context(&self) -> bool {
        true
    }

    fn measure(&self, held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        into.firing = args(held).and_then(|Args { alerts, .. }| u32::try_from(calling(&alerts, evidence)).ok());
    }

    fn missing(&self, held: &Value, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Some(Args { tag, alerts }) = args(held) else { return Some(unread()) };
        if !evidence.alerts.silences().iter().any(|silence| silence.active && silence.comment.contains(tag.as_str())) {
            return Some("Alertmanager does not list the silence yet".into());
        }
        let calling = calling(&alerts, evidence);
        (calling > 0).then(|| format!("{calling} of {} alerts still call for somebody", alerts.len()).into())
    }
}
