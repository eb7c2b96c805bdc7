//! The group's lag no longer grows: below where it was, or below its highest since.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckKind, Evidence, Since, args, unread};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::state::Group;

/// A lag has begun to fall when it is below its peak by this part of it: less is jitter.
const FALL: i64 = 20;

#[derive(Serialize, Deserialize)]
struct Args {
    group: Clean,
}

pub(super) struct LagFalling;

/// The group catches up; nothing to hold it to where there is none of that name.
pub fn lag_falling(group: &str) -> Check {
    super::check(&LagFalling, &Args { group: group.into() })
}

impl CheckKind for LagFalling {
    fn name(&self) -> &'static str {
        "lag-falling"
    }

    fn needs(&self) -> &'static [SourceId] {
        &[SourceId::Kafka]
    }

    fn of_main_context(&self) -> bool {
        true
    }

    fn measure(&self, held: &Value, evidence: &Evidence<'_>, into: &mut Measure) {
        into.lag = args(held).and_then(|Args { group }| evidence.lag.groups.get(&group)).and_then(Group::lag);
    }

    fn missing(&self, held: &Value, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        let Some(Args { group }) = args(held) else { return Some(unread()) };
        let group = evidence.lag.groups.get(&group)?;
        let now = group.lag().filter(|_| evidence.lag.at > since.applied);
        match (now, since.peak) {
            (Some(0), _) => None,
            (Some(lag), Some(peak)) if lag <= peak - peak / FALL && group.growth().is_none_or(|growth| growth < 0.0) => None,
            (Some(lag), _) => Some(format!("lag of {} is {lag} and has not begun to fall", group.now.group).into()),
            (None, _) => Some(format!("no lag of {} since the change", group.now.group).into()),
        }
    }
}
