//! Arming: in which contexts changes may be made, and until when.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::World;
use crate::event::ContextId;
use crate::state::EntryKind;

/// Until when changes may be made to each context, where they were allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Recorded", into = "Recorded")]
pub(super) struct Armed(BTreeMap<ContextId, DateTime<Utc>>);

/// The same as checkpoints have it since the first release: the main context apart from the others.
#[derive(Serialize, Deserialize)]
struct Recorded {
    armed_until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    armed_beside: BTreeMap<ContextId, DateTime<Utc>>,
}

impl From<Recorded> for Armed {
    fn from(it: Recorded) -> Self {
        let main = it.armed_until.map(|until| (ContextId::MAIN, until));
        Self(main.into_iter().chain(it.armed_beside).collect())
    }
}

impl From<Armed> for Recorded {
    fn from(Armed(mut all): Armed) -> Self {
        Self { armed_until: all.remove(&ContextId::MAIN), armed_beside: all }
    }
}

impl World {
    /// Where changes may be made now, and until when.
    pub fn armed(&self, now: DateTime<Utc>) -> impl Iterator<Item = (ContextId, DateTime<Utc>)> {
        self.armed.0.iter().map(|(id, until)| (*id, *until)).filter(move |(_, until)| now < *until)
    }

    /// Whether changes may be made to a context now.
    pub fn is_armed(&self, context: ContextId, now: DateTime<Utc>) -> bool {
        self.armed(now).any(|(armed, _)| armed == context)
    }

    /// Whether changes were allowed to a context, and the time for it is over.
    pub fn was_armed(&self, context: ContextId) -> bool {
        self.armed.0.contains_key(&context)
    }

    pub(super) fn arm(&mut self, at: DateTime<Utc>, context: ContextId) {
        let looked =
            self.session.as_ref().and_then(|session| Some((session.context(context)?, session.arm_minutes)));
        let Some((_, minutes)) = looked.filter(|(one, _)| !one.read_only) else { return };
        let until = at.checked_add_signed(TimeDelta::minutes(i64::from(minutes)));
        self.armed.0.extend(until.map(|until| (context, until)));
        let whom = self.label(context).map(|label| format!(" {label}")).unwrap_or_default();
        self.timeline.add(at, EntryKind::Session, "warroom", format!("armed{whom} for {minutes} min"), None);
    }

    /// Nothing may be changed any more, and what is under way is revoked because of this.
    pub(super) fn disarm(&mut self, at: DateTime<Utc>, why: &str) {
        self.runs.revoke(why);
        if self.armed(at).next().is_some() {
            self.armed.0.clear();
            self.timeline.add(at, EntryKind::Session, "warroom", "disarmed", None);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_checkpoint_of_an_earlier_release_says_where_it_was_armed() {
        let mut world = serde_json::to_value(World::default()).unwrap();
        assert_eq!(world["armed_until"], json!(null));
        world["armed_until"] = json!("2026-11-23T14:46:32Z");
        world["armed_beside"] = json!({"1": "2026-11-23T14:50:00Z"});
        let read: World = serde_json::from_value(world.clone()).unwrap();
        let armed: Vec<u8> = read.armed(DateTime::UNIX_EPOCH).map(|(context, _)| context.0).collect();
        assert_eq!(armed, [0, 1]);
        assert_eq!(serde_json::to_value(&read).unwrap(), world);
    }
}
