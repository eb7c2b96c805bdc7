//! Alertmanager: the alerts that are there now.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::clock::Clock;
use super::failure::Failure;
use super::http::Server;
use super::timing::Timing;
use super::voice::Voice;
use crate::clean::Clean;
use crate::event::{Alert, Event};

/// Reads the alerts every few seconds and tells them when they change, until it is stopped.
pub async fn run(address: Option<String>, mut voice: Voice, clock: Clock, timing: Timing) {
    let Some(address) = address else {
        return voice.off("no address of Alertmanager: give --alertmanager, WARROOM_ALERTMANAGER_URL or the setting").await;
    };
    let server = match Server::new("Alertmanager", &address, &timing) {
        Ok(server) => server,
        Err(wrong) => return voice.fail(&wrong).await,
    };
    let mut told = None;
    loop {
        match read(&server).await {
            Ok(alerts) => {
                if told.as_ref() != Some(&alerts) {
                    voice.tell(Event::Alerts(alerts.clone())).await; // first, so that live means read
                    told = Some(alerts);
                }
                voice.live(None).await;
            }
            Err(failure) => voice.fail(&failure).await,
        }
        clock.sleep(timing.metrics).await;
    }
}

async fn read(server: &Server) -> Result<Vec<Alert>, Failure> {
    let query = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
    let answer: Vec<Answer> = server.ask(server.get("api/v2/alerts", &query)).await?;
    let mut alerts: Vec<Alert> = answer.into_iter().map(Alert::from).collect();
    alerts.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    Ok(alerts)
}

/// `gettableAlert` of Alertmanager's API v2, as far as it is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    fingerprint: Clean,
    labels: BTreeMap<Clean, Clean>,
    #[serde(default)]
    annotations: BTreeMap<Clean, Clean>,
    starts_at: DateTime<Utc>,
    status: Status,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<Clean>,
}

#[derive(Deserialize)]
struct Status {
    state: Clean,
}

impl From<Answer> for Alert {
    fn from(mut answer: Answer) -> Self {
        Self {
            fingerprint: answer.fingerprint,
            name: answer.labels.get("alertname").cloned().unwrap_or_default(),
            labels: answer.labels,
            summary: answer.annotations.remove("summary"),
            runbook: answer.annotations.remove("runbook_url"),
            generator: answer.generator_url,
            state: answer.status.state,
            since: answer.starts_at,
        }
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
        let answer: Vec<Answer> = serde_json::from_str(text).unwrap();
        let alert = Alert::from(answer.into_iter().next().unwrap());
        assert_eq!((alert.name.as_str(), alert.state.as_str(), alert.summary.as_deref()), ("High5xx␛[2J", "active", Some("5xx on app")));
        assert_eq!(alert.generator.as_deref(), Some("http://x"));
        assert_eq!(alert.since.to_rfc3339(), "2026-11-23T05:59:58+00:00");
    }
}
