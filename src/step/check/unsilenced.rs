//! A silence is over.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, unread};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::units;

#[derive(Serialize, Deserialize)]
struct Args {
    id: Clean,
}

pub(super) struct Unsilenced;

/// The silence of this id is over, and what it kept quiet is heard again.
pub fn unsilenced(id: &str) -> Check {
    super::check(&Unsilenced, &Args { id: id.into() })
}

impl CheckKind for Unsilenced {
    fn name(&self) -> &'static str {
        "unsilenced"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Alertmanager]
    }

    fn of_main_context(&self) -> bool {
        true
    }

    fn measure(&self, _held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        into.firing = u32::try_from(evidence.alerts.firing()).ok();
    }

    /// That it is gone is not enough: those it kept quiet have to be heard again, or be over.
    fn missing(&self, held: &Value, evidence: &Evidence<'_>, _since: &Since) -> Option<Clean> {
        let Some(Args { id }) = args(held) else { return Some(unread()) };
        if evidence.alerts.silences().iter().any(|silence| silence.id == id) {
            return Some("the silence is still in force".into());
        }
        let quiet = evidence.alerts.rows().into_iter().filter(|alert| alert.silenced_by.contains(&id)).count();
        (quiet > 0).then(|| format!("{} still kept quiet by it", units::counted(quiet, "alert")).into())
    }
}
