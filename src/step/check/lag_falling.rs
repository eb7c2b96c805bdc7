//! The group's lag no longer grows: below where it was, or below its highest since.

use serde::{Deserialize, Serialize};

use super::{Evidence, Expected, Since};
use crate::clean::Clean;
use crate::event::{Check, Measure, SourceId};
use crate::state::Group;

/// A lag has begun to fall when it is below its peak by this part of it: less is jitter.
const FALL: i64 = 20;

#[derive(Serialize, Deserialize)]
pub(super) struct LagFalling {
    group: Clean,
}

/// Creates the check that the group catches up; nothing to hold it to where there is none of that name.
pub fn lag_falling(group: &str) -> Check {
    super::check(&LagFalling { group: group.into() })
}

impl Expected for LagFalling {
    const NAME: &'static str = "lag-falling";
    const NEEDS: &'static [SourceId] = &[SourceId::Kafka];
    const OF_MAIN_CONTEXT: bool = true;

    fn measure(&self, evidence: &Evidence<'_>, into: &mut Measure) {
        into.lag = evidence.lag.groups.get(&self.group).and_then(Group::lag);
    }

    fn missing(&self, evidence: &Evidence<'_>, since: &Since) -> Option<Clean> {
        let group = evidence.lag.groups.get(&self.group)?;
        let now = group.lag().filter(|_| evidence.lag.at > since.applied);
        match (now, since.peak) {
            (Some(0), _) => None,
            (Some(lag), Some(peak))
                if lag <= peak - peak / FALL && group.growth().is_none_or(|growth| growth < 0.0) =>
            {
                None
            }
            (Some(lag), _) => {
                Some(format!("lag of {} is {lag} and has not begun to fall", group.now.group).into())
            }
            (None, _) => Some(format!("no lag of {} since the change", group.now.group).into()),
        }
    }
}
