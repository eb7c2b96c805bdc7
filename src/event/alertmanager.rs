//! Alertmanager's answers (API v2) as facts: for the source that reads them again and again, and for the
//! steps that read them once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Alert, Matcher, Silence};
use crate::clean::Clean;

/// Converts an answer of `/api/v2/alerts` into alerts, sorted by fingerprint.
pub fn alerts(answer: Vec<AlertAnswer>) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = answer.into_iter().map(Alert::from).collect();
    alerts.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    alerts
}

/// Converts an answer of `/api/v2/silences` into silences, sorted by id; those that have expired are left
/// out.
pub fn silences(answer: Vec<SilenceAnswer>) -> Vec<Silence> {
    let mut silences: Vec<Silence> = answer.into_iter().filter_map(SilenceAnswer::standing).collect();
    silences.sort_by(|a, b| a.id.cmp(&b.id));
    silences
}

/// An alert as Alertmanager answers it: `gettableAlert` of its API v2, as far as it is shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertAnswer {
    fingerprint: Clean,
    labels: BTreeMap<Clean, Clean>,
    #[serde(default)]
    annotations: BTreeMap<Clean, Clean>,
    starts_at: DateTime<Utc>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<Clean>,
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: Clean,
    #[serde(default)]
    silenced_by: Vec<Clean>,
    #[serde(default)]
    inhibited_by: Vec<Clean>,
}

impl From<AlertAnswer> for Alert {
    fn from(mut answer: AlertAnswer) -> Self {
        Self {
            fingerprint: answer.fingerprint,
            name: answer.labels.get("alertname").cloned().unwrap_or_default(),
            labels: answer.labels,
            summary: answer.annotations.remove("summary"),
            description: answer.annotations.remove("description"),
            runbook: answer.annotations.remove("runbook_url"),
            generator: answer.generator_url.filter(|url| !url.is_empty()),
            state: answer.status.state,
            silenced_by: answer.status.silenced_by,
            inhibited_by: answer.status.inhibited_by,
            since: answer.starts_at,
        }
    }
}

/// A silence as Alertmanager answers it: `gettableSilence` of its API v2.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SilenceAnswer {
    id: Clean,
    matchers: Vec<MatcherAnswer>,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    created_by: Clean,
    comment: Clean,
    status: Standing,
}

#[derive(Debug, Deserialize)]
struct Standing {
    state: Clean,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MatcherAnswer {
    name: Clean,
    value: Clean,
    is_regex: bool,
    /// Absent from Alertmanagers before 0.22, which know no other.
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

impl SilenceAnswer {
    /// The silence, unless it has expired: Alertmanager keeps those for days.
    fn standing(self) -> Option<Silence> {
        let matcher =
            |m: MatcherAnswer| Matcher { name: m.name, value: m.value, regex: m.is_regex, equal: m.is_equal };
        (self.status.state != "expired").then(|| Silence {
            id: self.id,
            matchers: self.matchers.into_iter().map(matcher).collect(),
            starts: self.starts_at,
            ends: self.ends_at,
            by: self.created_by,
            comment: self.comment,
            active: self.status.state == "active",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_of_the_bed_is_read() {
        let text = r#"[{"annotations":{"summary":"5xx on app"},"endsAt":"2026-11-23T06:04:10.000Z","fingerprint":"25e5f8","receivers":[{"name":"none"}],
            "startsAt":"2026-11-23T05:59:58.000Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},
            "updatedAt":"2026-11-23T06:00:10.000Z","generatorURL":"http://x","labels":{"alertname":"High5xx\u001b[2J","service":"app"}}]"#;
        let answer: Vec<AlertAnswer> = serde_json::from_str(text).unwrap();
        let alert = Alert::from(answer.into_iter().next().unwrap());
        assert_eq!(
            (alert.name.as_str(), alert.state.as_str(), alert.summary.as_deref()),
            ("High5xx␛[2J", "active", Some("5xx on app"))
        );
        assert_eq!(alert.generator.as_deref(), Some("http://x"));
        assert_eq!(alert.since.to_rfc3339(), "2026-11-23T05:59:58+00:00");
    }

    #[test]
    fn silences_are_read_unless_they_have_expired() {
        let text = |state: &str| {
            format!(
                r#"{{"id":"e4","status":{{"state":"{state}"}},"updatedAt":"2026-11-23T05:59:58.000Z","comment":"c\u0007","createdBy":"dana",
                "startsAt":"2026-11-23T05:59:58.000Z","endsAt":"2026-11-23T06:59:58.000Z",
                "matchers":[{{"isEqual":false,"isRegex":true,"name":"service","value":"a.*"}},{{"isRegex":false,"name":"alertname","value":"x"}}]}}"#
            )
        };
        let read = |state: &str| serde_json::from_str::<SilenceAnswer>(&text(state)).unwrap().standing();
        let silence = read("active").unwrap();
        let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        assert_eq!(
            (matchers, silence.active),
            (vec![r#"service!~"a.*""#.to_owned(), r#"alertname="x""#.to_owned()], true)
        );
        assert_eq!(
            (silence.comment.as_str(), read("pending").unwrap().active, read("expired")),
            ("c␇", false, None)
        );
    }
}
