//! A silence is in force, and its alerts call for nobody any more.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};

#[derive(Serialize, Deserialize)]
pub(super) struct Silenced {
    /// What its comment contains.
    tag: Clean,
    /// Fingerprints.
    alerts: Vec<Clean>,
}

/// Creates the check that a silence with this tag in its comment silences these alerts.
pub fn silenced(tag: &str, alerts: Vec<Clean>) -> Check {
    super::check(&Silenced { tag: tag.into(), alerts })
}

/// How many of these alerts call for a person.
fn calling(alerts: &[Clean], evidence: &Evidence<'_>) -> usize {
    alerts
        .iter()
        .filter_map(|fingerprint| evidence.alerts.get(fingerprint))
        .filter(|alert| alert.active())
        .count()
}

impl Expected for Silenced {
    const NAME: &'static str = "silenced";
    const NEEDS: &'static [SourceId] = &[SourceId::Alertmanager];
    const OF_MAIN_CONTEXT: bool = true;

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        into.firing = u32::try_from(calling(&self.alerts, evidence)).ok();
    }

    fn missing(&self, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Self { tag, alerts } = self;
        if !evidence
            .alerts
            .silences()
            .iter()
            .any(|silence| silence.active && silence.comment.contains(tag.as_str()))
        {
            return Some("Alertmanager does not list the silence yet".into());
        }
        let calling = calling(alerts, evidence);
        (calling > 0).then(|| format!("{calling} of {} alerts are still firing", alerts.len()).into())
    }
}
