//! `metadata.managedFields`, of which only the newest decision is kept: who wrote anything but a status, and
//! when.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::event::LastChange;

/// Managers that keep books or report, and decide nothing.
const BOOKKEEPERS: [&str; 7] = [
    "kube-controller-manager",
    "kube-scheduler",
    "kube-apiserver",
    "kubelet",
    "cloud-controller-manager",
    "metrics-server",
    "kwok",
];

/// The newest entry that tells of a decision.
#[derive(Debug, Default)]
pub struct Managed(pub Option<LastChange>);

/// Who wrote something, and when.
#[derive(Deserialize)]
pub struct FieldsOf<'a> {
    #[serde(borrow, default)]
    pub manager: Cow<'a, str>,
    #[serde(borrow, default)]
    pub operation: Cow<'a, str>,
    #[serde(borrow, default)]
    pub subresource: Option<Cow<'a, str>>,
    pub time: Option<DateTime<Utc>>,
}

impl FieldsOf<'_> {
    /// An autoscaler writes through the controller manager too, but to `scale`, and that is a decision.
    fn decides(&self) -> bool {
        let part = self.subresource.as_deref();
        part != Some("status") && (part == Some("scale") || !BOOKKEEPERS.contains(&&*self.manager))
    }

    /// Which of two tells of the newer decision; the later one of two of the same time.
    fn newer(newest: Option<Self>, entry: Self) -> Option<Self> {
        let newer = entry.decides() && newest.as_ref().is_none_or(|newest| newest.time <= entry.time);
        if newer { Some(entry) } else { newest }
    }

    fn change(&self) -> Option<LastChange> {
        let scaled = self.subresource.as_deref() == Some("scale");
        let manager =
            if scaled && self.manager == BOOKKEEPERS[0] { "the autoscaler" } else { &*self.manager };
        let subresource = self.subresource.as_deref().map(Into::into);
        Some(LastChange {
            manager: manager.into(),
            operation: (&*self.operation).into(),
            subresource,
            at: self.time?,
        })
    }
}

impl Managed {
    /// Of all entries.
    pub fn newest<'a>(entries: impl Iterator<Item = FieldsOf<'a>>) -> Self {
        Self(entries.fold(None, FieldsOf::newer).and_then(|entry| entry.change()))
    }
}

impl<'de> Deserialize<'de> for Managed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Managed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("managedFields")
            }

            fn visit_unit<E>(self) -> Result<Managed, E> {
                Ok(Managed(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Managed, A::Error> {
                let mut newest: Option<FieldsOf<'de>> = None;
                while let Some(entry) = all.next_element::<FieldsOf<'de>>()? {
                    newest = FieldsOf::newer(newest, entry);
                }
                Ok(Managed(newest.and_then(|entry| entry.change())))
            }
        }
        deserializer.deserialize_any(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(text: &str) -> Option<String> {
        let change = serde_json::from_str::<Managed>(text).unwrap().0?;
        Some(format!(
            "{} {} {:?} {}",
            change.manager,
            change.operation,
            change.subresource.as_deref(),
            change.at.format("%H:%M")
        ))
    }

    #[test]
    fn the_newest_decision_wins_over_status_and_bookkeeping() {
        let entry = |manager: &str, part: &str, minute: u32| {
            format!(
                r#"{{"manager":"{manager}","operation":"Update","apiVersion":"apps/v1","time":"2026-11-23T08:{minute:02}:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:a":{{}}}}{part}}}"#
            )
        };
        let helm = entry("helm", "", 5);
        let status = entry("kube-controller-manager", r#","subresource":"status""#, 9);
        let books = entry("kube-controller-manager", "", 8);
        let scaled = entry("kube-controller-manager", r#","subresource":"scale""#, 7);
        let cases = [
            (format!("[{helm},{status},{books}]"), Some("helm Update None 08:05")),
            (format!("[{scaled},{helm}]"), Some("the autoscaler Update Some(\"scale\") 08:07")),
            (format!("[{status}]"), None),
            ("null".into(), None),
            ("[]".into(), None),
        ];
        for (text, expected) in cases {
            assert_eq!(newest(&text).as_deref(), expected, "{text}");
        }
    }
}
