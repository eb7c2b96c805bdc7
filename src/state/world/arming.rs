//! Arming: in which contexts changes may be made, and until when.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::World;
use crate::event::ContextId;
use crate::state::EntryKind;

impl World {
    /// Where changes may be made now, and until when.
    pub fn armed(&self, now: DateTime<Utc>) -> impl Iterator<Item = (ContextId, DateTime<Utc>)> {
        let beside = self.armed_beside.iter().map(|(id, until)| (*id, *until));
        self.armed_until
            .map(|until| (ContextId::MAIN, until))
            .into_iter()
            .chain(beside)
            .filter(move |(_, until)| now < *until)
    }

    /// Whether changes may be made to a context now.
    pub fn is_armed(&self, context: ContextId, now: DateTime<Utc>) -> bool {
        self.armed(now).any(|(armed, _)| armed == context)
    }

    /// Whether changes were allowed to a context, and the time for it is over.
    pub fn was_armed(&self, context: ContextId) -> bool {
        if context.is_main() { self.armed_until.is_some() } else { self.armed_beside.contains_key(&context) }
    }

    pub(super) fn arm(&mut self, at: DateTime<Utc>, context: ContextId) {
        let looked =
            self.session.as_ref().and_then(|session| Some((session.looked(context)?, session.arm_minutes)));
        let Some((_, minutes)) = looked.filter(|(one, _)| !one.read_only) else { return };
        let until = at.checked_add_signed(TimeDelta::minutes(i64::from(minutes)));
        match context {
            ContextId::MAIN => self.armed_until = until,
            beside => self.armed_beside.extend(until.map(|until| (beside, until))),
        }
        let whom = self.label(context).map(|label| format!(" {label}")).unwrap_or_default();
        self.timeline.add(at, EntryKind::Session, "warroom", format!("armed{whom} for {minutes} min"), None);
    }

    /// Nothing may be changed any more, and what is under way is revoked because of this.
    pub(super) fn disarm(&mut self, at: DateTime<Utc>, why: &str) {
        self.runs.revoke(why);
        if self.armed(at).next().is_some() {
            self.armed_until = None;
            self.armed_beside = BTreeMap::new();
            self.timeline.add(at, EntryKind::Session, "warroom", "disarmed", None);
        }
    }
}
