//! A silence is over.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::units;

#[derive(Serialize, Deserialize)]
pub(super) struct Unsilenced {
    id: Clean,
}

/// Creates the check that the silence of this id has ended, and that its alerts fire again or are resolved.
pub fn unsilenced(id: &str) -> Check {
    super::check(&Unsilenced { id: id.into() })
}

impl Expected for Unsilenced {
    const NAME: &'static str = "unsilenced";
    const NEEDS: &'static [SourceId] = &[SourceId::Alertmanager];
    const OF_MAIN_CONTEXT: bool = true;

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        into.firing = u32::try_from(evidence.alerts.firing()).ok();
    }

    /// That it is gone is not enough: those it kept quiet have to be heard again, or be over.
    fn missing(&self, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        if evidence.alerts.silences().iter().any(|silence| silence.id == self.id) {
            return Some("the silence is still in force".into());
        }
        let quiet =
            evidence.alerts.rows().into_iter().filter(|alert| alert.silenced_by.contains(&self.id)).count();
        (quiet > 0).then(|| format!("{} still silenced by it", units::counted(quiet, "alert")).into())
    }
}
