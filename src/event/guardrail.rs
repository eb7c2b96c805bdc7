//! Guardrails: where, when and for which step a change is forbidden, or asks for more than a key. They are
//! data of settings and runbooks, and part of a session's rules.

use std::str::FromStr;

use chrono::{DateTime, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clean::Clean;
use crate::data::{Problem, text_fields};

crate::data::names! {
    /// What a guardrail asks for; the strictest last.
    Rule "rule of a guardrail" {
        /// The target's name is typed.
        ConfirmByName "confirm-by-name",
        /// A second person agrees; until warroom can ask one, it is refused.
        TwoPeople "two-people",
        /// It is not done.
        Deny "deny",
    }
}

/// A rule, and what it holds for: everything that it names. What it does not name, it holds for all of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrail {
    /// What it asks for.
    pub rule: Rule,
    /// The kube-context, maybe with a `*` at its end.
    pub context: Option<Clean>,
    /// The namespace, maybe with a `*` at its end.
    pub namespace: Option<Clean>,
    /// The step's id. A step that only reads is held to those that name it alone.
    pub step: Option<Clean>,
    /// Hours of the day.
    pub hours: Option<Hours>,
    /// Severity of the incident: it matches none as long as none is declared.
    pub severity: Option<Clean>,
    /// Why, in the words of whoever made it.
    pub why: Clean,
}

/// What a guardrail is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Doing<'a> {
    /// The kube-context.
    pub context: &'a str,
    /// The namespace: empty for what is in none, `None` where it may be any.
    pub namespace: Option<&'a str>,
    /// The step's id.
    pub step: &'a str,
    /// Whether it only reads.
    pub reads: bool,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Guardrail {
    /// Returns whether it holds for this.
    pub fn holds(&self, doing: &Doing<'_>) -> bool {
        let matches = |pattern: &Option<Clean>, text| pattern.as_ref().is_none_or(|one| covers(one, text));
        matches(&self.context, doing.context)
            && doing.namespace.is_none_or(|namespace| matches(&self.namespace, namespace))
            && self.step.as_ref().map_or(!doing.reads, |step| **step == *doing.step)
            && self.hours.is_none_or(|hours| hours.contains(doing.now))
            && self.severity.is_none()
    }

    /// Returns whether another one names the same and asks for something else.
    pub fn conflicts(&self, other: &Self) -> bool {
        let named = |of: &Self| {
            (of.context.clone(), of.namespace.clone(), of.step.clone(), of.hours, of.severity.clone())
        };
        self.rule != other.rule && named(self) == named(other)
    }

    /// What it holds for, in words: `drain in payments, context prod*, 22:00-06:00 UTC`.
    pub fn scope(&self) -> String {
        let step = self.step.as_ref().map_or("changes", |step| step.as_str());
        let place = self.namespace.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        let context = self.context.as_ref().map(|name| format!(", context {name}")).unwrap_or_default();
        let hours = self.hours.map(|hours| format!(", {hours} UTC")).unwrap_or_default();
        let severity = self.severity.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
        format!("{step}{place}{context}{hours}{severity}")
    }
}

fn covers(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
}

/// Hours of the day in UTC, `22:00-06:00`: from the first minute on, and up to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Minutes from midnight.
    from: u32,
    /// Minutes from midnight; before `from` where the span goes over midnight.
    to: u32,
}

impl Hours {
    /// Returns whether a time is in them.
    pub fn contains(self, at: DateTime<Utc>) -> bool {
        let minute = at.hour() * 60 + at.minute();
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl FromStr for Hours {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let minutes = |clock: &str| {
            let (hour, minute) = clock.trim().split_once(':')?;
            let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let both = text.split_once('-').and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
        match both {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            _ => {
                Err(Problem::new(format!("{text:?} are no hours of the day in UTC, such as \"22:00-06:00\"")))
            }
        }
    }
}

text_fields!(Hours);

/// As a recording has what is written as a text in data files.
macro_rules! recorded_as_text {
    ($($type:ty),+) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Clean::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+ };
}
recorded_as_text!(Rule, Hours);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns one that holds for all changes.
    pub(crate) fn guardrail(rule: Rule) -> Guardrail {
        Guardrail {
            rule,
            context: None,
            namespace: None,
            step: None,
            hours: None,
            severity: None,
            why: "peak hours".into(),
        }
    }

    fn asked<'a>(step: &'a str, reads: bool, clock: &str) -> Doing<'a> {
        let now = format!("2026-11-23T{clock}:00Z").parse().unwrap();
        Doing { context: "prod-eu", namespace: Some("payments"), step, reads, now }
    }

    #[test]
    fn holds_for_what_it_names_and_for_reading_only_by_name() {
        let all = guardrail(Rule::Deny);
        assert!(all.holds(&asked("scale", false, "12:00")) && !all.holds(&asked("nodes", true, "12:00")));
        let named = Guardrail { step: Some("exec-check".into()), ..guardrail(Rule::Deny) };
        assert!(named.holds(&asked("exec-check", true, "12:00")));
        assert!(!named.holds(&asked("scale", false, "12:00")));
        let place = |context: &str, namespace: &str| Guardrail {
            context: Some(context.into()),
            namespace: Some(namespace.into()),
            ..guardrail(Rule::Deny)
        };
        for (context, namespace, holds) in [
            ("prod-eu", "payments", true),
            ("prod*", "pay*", true),
            ("prod", "payments", false),
            ("prod*", "shop", false),
            ("*", "*", true),
        ] {
            let told = place(context, namespace).holds(&asked("scale", false, "12:00"));
            assert_eq!(told, holds, "{context} {namespace}");
        }
        let severe = Guardrail { severity: Some("SEV1".into()), ..guardrail(Rule::Deny) };
        assert!(!severe.holds(&asked("scale", false, "12:00")), "no incident has a severity yet");
    }

    #[test]
    fn hours_go_over_midnight_and_are_read_strictly() {
        let night: Hours = "22:00-06:00".parse().unwrap();
        let rail = Guardrail { hours: Some(night), ..guardrail(Rule::Deny) };
        for (clock, holds) in [
            ("21:59", false),
            ("22:00", true),
            ("23:59", true),
            ("00:00", true),
            ("05:59", true),
            ("06:00", false),
        ] {
            assert_eq!(rail.holds(&asked("scale", false, clock)), holds, "{clock}");
        }
        let day = Guardrail { hours: "09:00-17:30".parse().ok(), ..rail.clone() };
        assert!(day.holds(&asked("scale", false, "17:29")) && !day.holds(&asked("scale", false, "08:59")));
        for wrong in ["", "22-6", "24:00-06:00", "10:60-11:00", "09:00", "09:00-09:00", "-"] {
            assert!(wrong.parse::<Hours>().is_err(), "{wrong}");
        }
        let recorded = serde_json::to_value(&rail).unwrap();
        assert_eq!((&recorded["rule"], &recorded["hours"]), (&"deny".into(), &"22:00-06:00".into()));
        assert_eq!(serde_json::from_value::<Guardrail>(recorded).unwrap(), rail);
    }
}
