//! `amtool silence add` and `expire`: which alerts, until when, why. A silence always ends and always says whose it is and why.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::needed;
use crate::clean::Clean;
use crate::event::{Alert, Refusal, Silence};
use crate::state::Alerts;
use crate::units;

/// A shorter silence is over before anybody has read its confirmation.
const LEAST: TimeDelta = TimeDelta::minutes(1);
/// A longer one is a change of the alert's rule.
const MOST: TimeDelta = TimeDelta::days(30);

/// A silence to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// In words.
    pub title: String,
    /// What it wants of labels.
    pub labels: BTreeMap<Clean, Clean>,
    /// Until when.
    pub ends: DateTime<Utc>,
    /// Why, with the tag by which reading finds it.
    pub comment: String,
    /// The alerts that call for a person now and would not any more, and how many call in all.
    pub quieted: (Vec<Alert>, usize),
}

/// Works out the silence of an alert, or of all of a name.
///
/// # Errors
/// Why it cannot be made, in a sentence that says what to do next.
pub fn draft(inputs: &BTreeMap<Clean, Clean>, alerts: &Alerts, now: DateTime<Utc>, tag: &str) -> Result<Draft, Refusal> {
    let wanted = needed(inputs, "alert")?;
    let (found, labels) = alerts.named(wanted);
    let Some(first) = found.first() else {
        return Err(Refusal::Usage(
            format!("Alertmanager has no alert \"{wanted}\" now: give the name or fingerprint of one that fires").into(),
        ));
    };
    let labels = chosen(inputs.get("labels").map_or("", Clean::as_str), labels)?;
    let ends = until(needed(inputs, "for")?, now)?;
    let comment = needed(inputs, "comment")?.trim();
    if comment.is_empty() {
        return Err(Refusal::Usage("a comment is needed: say why, for whoever finds the silence".into()));
    }
    let quieted: Vec<Alert> = alerts.matching(&labels).cloned().collect();
    Ok(Draft {
        title: format!("silence {} for {}", first.name, units::age(ends - now)),
        labels,
        ends,
        comment: format!("{comment} [warroom {tag}]"),
        quieted: (quieted, alerts.firing()),
    })
}

/// Of the labels of the alert those that are named; all where none is.
fn chosen(names: &str, labels: BTreeMap<Clean, Clean>) -> Result<BTreeMap<Clean, Clean>, Refusal> {
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = names.iter().find(|name| !labels.contains_key(**name)) {
        let known: Vec<&str> = labels.keys().map(Clean::as_str).collect();
        return Err(Refusal::Usage(format!("the alert has no label \"{unknown}\"; it has {}", known.join(", ")).into()));
    }
    Ok(labels.into_iter().filter(|(name, _)| names.is_empty() || names.contains(&name.as_str())).collect())
}

/// When a span from now, or a time of the day (UTC, the next one), or a moment is over.
///
/// # Errors
/// It is none of them, or not within reason.
pub fn until(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let text = text.trim();
    let words = text.strip_prefix("until ").unwrap_or(text).trim();
    let ends = span(words).map(|span| now + span).or_else(|| clock(words, now));
    let ends = ends.or_else(|| DateTime::parse_from_rfc3339(words).ok().map(|at| at.to_utc()));
    match ends {
        Some(ends) if (LEAST..=MOST).contains(&(ends - now)) => Ok(ends),
        Some(_) => Err(Refusal::Usage(format!("\"{text}\": a silence lasts from a minute to 30 days").into())),
        None => Err(Refusal::Usage(format!("\"{text}\" is no time: give 15m, 1h, 4h, 1h30m, or until 14:30 (UTC)").into())),
    }
}

/// `1h30m`
fn span(text: &str) -> Option<TimeDelta> {
    let (mut rest, mut whole) = (text, TimeDelta::zero());
    while !rest.is_empty() {
        let (digits, unit) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let minutes = match unit.chars().next()? {
            'm' => 1,
            'h' => 60,
            'd' => 1_440,
            _ => return None,
        };
        whole = whole.checked_add(&TimeDelta::try_minutes(digits.parse::<i64>().ok()?.checked_mul(minutes)?)?)?;
        rest = &unit[1..];
    }
    (!text.is_empty() && whole <= TimeDelta::days(36_500)).then_some(whole)
}

/// The next `14:30`.
fn clock(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let time = NaiveTime::parse_from_str(text.trim_end_matches('Z'), "%H:%M").ok()?;
    let today = now.date_naive().and_time(time).and_utc();
    Some(if today > now { today } else { today + TimeDelta::days(1) })
}

/// A silence's end, to the second.
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The silence as Alertmanager wants it (`postableSilence`).
pub fn body(draft: &Draft, starts: DateTime<Utc>, by: &str) -> Value {
    let matchers: Vec<Value> =
        draft.labels.iter().map(|(name, value)| json!({"name": name, "value": value, "isRegex": false, "isEqual": true})).collect();
    json!({"matchers": matchers, "startsAt": starts.to_rfc3339(), "endsAt": rfc3339(draft.ends), "createdBy": by, "comment": draft.comment})
}

/// The silence that is meant: by its id, or by the tag in its comment.
///
/// # Errors
/// There is none, or none any more.
pub fn ending<'a>(inputs: &BTreeMap<Clean, Clean>, alerts: &'a Alerts) -> Result<&'a Silence, Refusal> {
    let wanted = needed(inputs, "silence")?;
    let tag = format!("[warroom {wanted}]");
    let found = alerts.silences().into_iter().find(|silence| silence.id == *wanted || silence.comment.contains(&tag));
    found.ok_or_else(|| Refusal::Usage(format!("no silence \"{wanted}\" is in force: it may be over already").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn now() -> DateTime<Utc> {
        at("2026-11-23T14:46:32Z")
    }

    fn alerts() -> Alerts {
        let alert = |fingerprint: &str, service: &str, state: &str| Alert {
            fingerprint: fingerprint.into(),
            name: "HighErrorRate".into(),
            labels: [("alertname", "HighErrorRate"), ("service", service), ("severity", "critical")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
            state: state.into(),
            ..Alert::default()
        };
        let mut alerts = Alerts::default();
        alerts.fold(&[alert("f1", "app", "active"), alert("f2", "ocr", "active"), alert("f3", "old", "suppressed")]);
        alerts
    }

    fn drafted(pairs: &[(&str, &str)]) -> Result<Draft, String> {
        let inputs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        draft(&inputs, &alerts(), now(), "01X").map_err(|refusal| refusal.reason().to_string())
    }

    #[test]
    fn one_alert_is_silenced_by_all_its_labels_and_a_name_by_what_its_alerts_share() {
        let one = drafted(&[("alert", "f1"), ("for", "1h"), ("comment", "known")]).unwrap();
        assert_eq!((one.title.as_str(), one.labels.len(), one.quieted.0.len(), one.quieted.1), ("silence HighErrorRate for 1h", 3, 1, 2));
        assert_eq!((one.comment.as_str(), one.ends), ("known [warroom 01X]", at("2026-11-23T15:46:32Z")));
        let all = drafted(&[("alert", "HighErrorRate"), ("for", "15m"), ("comment", "known")]).unwrap();
        assert_eq!((all.labels.keys().map(Clean::as_str).collect::<Vec<_>>(), all.quieted.0.len()), (vec!["alertname", "severity"], 2));
        let some = drafted(&[("alert", "f1"), ("labels", "severity"), ("for", "15m"), ("comment", "known")]).unwrap();
        assert_eq!((some.labels.len(), some.quieted.0.len()), (1, 2));
        let body = body(&one, now(), "dana");
        assert_eq!(body["matchers"][1], json!({"name": "service", "value": "app", "isRegex": false, "isEqual": true}));
        assert_eq!((&body["createdBy"], &body["endsAt"]), (&json!("dana"), &json!("2026-11-23T15:46:32Z")));
    }

    #[test]
    fn a_silence_needs_an_alert_an_end_and_a_reason() {
        for (pairs, why) in [
            (vec![("alert", "nope"), ("for", "1h"), ("comment", "c")], "Alertmanager has no alert \"nope\" now"),
            (vec![("alert", "f1"), ("comment", "c")], "for is needed"),
            (vec![("alert", "f1"), ("for", "1h")], "comment is needed"),
            (vec![("alert", "f1"), ("for", "1h"), ("comment", "  ")], "a comment is needed"),
            (vec![("alert", "f1"), ("labels", "pod"), ("for", "1h"), ("comment", "c")], "the alert has no label \"pod\"; it has alertname"),
        ] {
            let said = drafted(&pairs).unwrap_err();
            assert!(said.starts_with(why), "{said}");
        }
    }

    #[test]
    fn ends_are_spans_times_of_the_day_and_moments() {
        for (text, ends) in [
            ("15m", "2026-11-23T15:01:32Z"),
            ("1h30m", "2026-11-23T16:16:32Z"),
            ("2d", "2026-11-25T14:46:32Z"),
            ("until 15:30", "2026-11-23T15:30:00Z"),
            ("14:30", "2026-11-24T14:30:00Z"),
            ("2026-11-23T20:00:00Z", "2026-11-23T20:00:00Z"),
        ] {
            assert_eq!(until(text, now()), Ok(at(ends)), "{text}");
        }
        for text in ["", "m", "1", "1x", "forever", "31d", "0m", "25:00", "99999999999999999h", "2020-01-01T00:00:00Z"] {
            assert!(matches!(until(text, now()), Err(Refusal::Usage(_))), "{text}");
        }
    }
}
