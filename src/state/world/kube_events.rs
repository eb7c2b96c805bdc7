//! Kubernetes' warnings, bounded, and found by the object that they are about.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::event::{Notice, Uid};

/// Warnings kept: the oldest go first. A cluster that says more than this is read by its events, not by a
/// screen.
const KEPT: usize = 3_000;

/// Kubernetes warnings, by identity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notices {
    all: BTreeMap<Uid, Notice>,
    /// By the object that each is about.
    about: BTreeMap<Uid, BTreeSet<Uid>>,
    /// By when each was last seen.
    age: BTreeSet<(DateTime<Utc>, Uid)>,
}

impl Notices {
    /// Takes in a warning, new or repeated.
    pub fn put(&mut self, notice: &Notice) {
        self.remove(&notice.meta.uid);
        let uid = notice.meta.uid.clone();
        self.about.entry(notice.about_uid.clone()).or_default().insert(uid.clone());
        self.age.insert((notice.last, uid.clone()));
        self.all.insert(uid, notice.clone());
        if self.all.len() > KEPT
            && let Some((_, oldest)) = self.age.first().cloned()
        {
            self.remove(&oldest);
        }
    }

    /// Forgets a warning.
    pub fn remove(&mut self, uid: &Uid) {
        let Some(notice) = self.all.remove(uid) else { return };
        self.age.remove(&(notice.last, uid.clone()));
        if let Some(about) = self.about.get_mut(&notice.about_uid) {
            about.remove(uid);
            if about.is_empty() {
                self.about.remove(&notice.about_uid);
            }
        }
    }

    /// Iterates over all warnings.
    pub fn values(&self) -> impl Iterator<Item = &Notice> {
        self.all.values()
    }

    /// Iterates over the warnings about one object, in no order that means anything.
    pub fn about(&self, uid: &Uid) -> impl Iterator<Item = &Notice> {
        self.about.get(uid).into_iter().flatten().filter_map(|uid| self.all.get(uid))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::event::{Meta, samples};

    fn notice(uid: &str, about: &str, second: i64) -> Notice {
        let last = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let meta = Meta { created: last, ..samples::meta(uid) };
        let reason = "Unhealthy".into();
        let message = "Readiness probe failed".into();
        Notice {
            meta,
            about_kind: "Pod".into(),
            about: about.into(),
            about_uid: about.into(),
            warning: true,
            reason,
            message,
            count: 1,
            last,
        }
    }

    #[test]
    fn a_repeated_warning_is_one_and_what_is_forgotten_leaves_no_trace() {
        let mut notices = Notices::default();
        notices.put(&notice("a", "pod", 1));
        notices.put(&notice("a", "pod", 9));
        assert_eq!(notices.about(&"pod".into()).map(|n| n.last.timestamp()).collect::<Vec<_>>(), [9]);
        notices.remove(&"a".into());
        assert_eq!(notices, Notices::default());
    }

    #[test]
    fn the_oldest_warnings_go_when_there_are_too_many() {
        let mut notices = Notices::default();
        (0..i64::try_from(KEPT).unwrap() + 5).for_each(|n| notices.put(&notice(&format!("{n}"), "pod", n)));
        assert_eq!(notices.values().count(), KEPT);
        assert_eq!(notices.values().map(|n| n.last.timestamp()).min(), Some(5));
    }
}
