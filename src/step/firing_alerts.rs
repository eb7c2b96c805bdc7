//! `amtool alert query`: the alerts that fire and that nobody has silenced, the most severe first.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::command::line;
use super::input::{InputSpec, Inputs};
use super::{Answer, Ctx, Draft, Read, ReadAs, StepKind, Whom, pages, printed, text, time};
use crate::clean::Clean;
use crate::clean::redact::redact_text;
use crate::event::{Danger, Output, Refusal, Table};
use crate::units;

const COLUMNS: [&str; 5] = ["ALERT", "SEVERITY", "SINCE", "LABELS", "SUMMARY"];
const PATH: &str = "/api/v2/alerts?active=true&silenced=false&inhibited=false";
const WHAT: &str = "the alerts";

/// Severities, the worst first; others stand between, and `none` is of alerts that fire always.
const WORST: [&str; 3] = ["critical", "error", "warning"];
const NONE: &str = "none";

pub(super) struct FiringAlerts;

impl StepKind for FiringAlerts {
    fn name(&self) -> &'static str {
        "firing-alerts"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn judges(&self) -> bool {
        true
    }

    fn asks(&self) -> &'static [Whom] {
        &[Whom::Alertmanager]
    }

    fn plan(&self, _: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let address = format!("--alertmanager.url={}", ctx.alertmanager);
        let command = line(&["amtool", &address, "alert", "query"].map(Into::into));
        Ok(Draft::look("the alerts that fire".to_owned(), ctx.cluster(), WHAT, Vec::new(), command))
    }

    fn looks(&self, _: &Inputs, answers: &[Answer], _: &Ctx) -> Result<Vec<Read>, Refusal> {
        let read = Read {
            whom: Whom::Alertmanager,
            path: PATH.to_owned(),
            what: WHAT.to_owned(),
            is: None,
            required: true,
            wanted: ReadAs::Objects,
        };
        Ok(if answers.is_empty() { vec![read] } else { Vec::new() })
    }

    fn tell(&self, _: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Output, Refusal> {
        let list = answers.first().and_then(Answer::found).and_then(Value::as_array);
        let list = list.ok_or_else(|| Refusal::failed("Alertmanager's answer is no list of alerts"))?;
        let mut firing: Vec<&Value> = list.iter().filter(|alert| fires(alert)).collect();
        firing.sort_by_key(|alert| (rank(alert), time(alert, "/startsAt")));
        let calling: Vec<String> =
            firing.iter().filter(|alert| severity(alert) != NONE).map(|one| told(one)).collect();
        let mut table = Table::new(&COLUMNS);
        table.rows = firing.iter().map(|alert| row(alert, ctx.now)).collect();
        let cut = pages::shorten(&mut table);
        let wrong = printed::wrong(calling.len(), (firing.len(), "alert"), "for a person", &calling);
        let sum = match firing.len() {
            0 => "no alert fires".to_owned(),
            1 => "1 alert fires".to_owned(),
            all => format!("{all} alerts fire"),
        };
        Ok(Output { wrong, cut, ..Output::read(sum, table) })
    }
}

/// Whether it fires, whatever of the filter the server has understood.
fn fires(alert: &Value) -> bool {
    let muted = ["silencedBy", "inhibitedBy", "mutedBy"]
        .iter()
        .any(|by| alert["status"][by].as_array().is_some_and(|all| !all.is_empty()));
    text(alert, "/status/state") == "active" && !muted
}

fn severity(alert: &Value) -> &str {
    text(alert, "/labels/severity")
}

fn rank(alert: &Value) -> usize {
    match severity(alert) {
        NONE => WORST.len() + 1,
        severity => WORST.iter().position(|one| *one == severity).unwrap_or(WORST.len()),
    }
}

/// `HighErrorRate (app)`
fn told(alert: &Value) -> String {
    let name = text(alert, "/labels/alertname");
    let about = ["service", "deployment", "pod", "node", "namespace"]
        .map(|key| text(&alert["labels"], &format!("/{key}")));
    let about = about.into_iter().find(|about| !about.is_empty());
    about.map_or_else(|| name.to_owned(), |about| format!("{name} ({about})"))
}

fn row(alert: &Value, now: DateTime<Utc>) -> Vec<Clean> {
    let labels = alert["labels"].as_object().into_iter().flatten();
    let labels: Vec<String> = labels
        .filter(|(key, _)| !["alertname", "severity"].contains(&key.as_str()))
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let since = time(alert, "/startsAt").map(|at| units::ago(at, now)).unwrap_or_default();
    let summary =
        ["summary", "description", "message"].map(|key| text(&alert["annotations"], &format!("/{key}")));
    let summary = summary.into_iter().find(|words| !words.is_empty()).unwrap_or_default();
    [text(alert, "/labels/alertname"), severity(alert), &since, &labels.join(","), summary]
        .map(|cell| Clean::from(redact_text(cell).into_owned()))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::ctx;

    fn alert(name: &str, severity: &str, state: &str) -> Value {
        let silenced = if state == "active" { json!([]) } else { json!(["s1"]) };
        json!({
            "labels": {"alertname": name, "severity": severity, "service": "app"}, "annotations": {"summary": "it fails"},
            "startsAt": "2026-11-23T14:40:32Z", "status": {"state": state, "silencedBy": silenced, "inhibitedBy": []},
        })
    }

    fn told(alerts: &[Value]) -> Output {
        FiringAlerts.tell(&Inputs::default(), &[Answer::Found(alerts.into())], &ctx()).unwrap()
    }

    #[test]
    fn the_most_severe_stand_first_and_what_is_silenced_or_always_fires_is_not_wrong() {
        let all = [
            alert("Watchdog", "none", "active"),
            alert("Slow", "warning", "active"),
            alert("Down", "critical", "active"),
            alert("Quiet", "critical", "suppressed"),
        ];
        let output = told(&all);
        let names: Vec<String> = output.table.unwrap().rows.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(names, ["Down", "Slow", "Watchdog"]);
        assert_eq!(output.wrong, Some(Clean::new("2 of 3 alerts are for a person: Down (app), Slow (app)")));
        assert_eq!(told(&all[..1]).wrong, None);
        assert_eq!(told(&all[3..]).lines, [Clean::new("no alert fires")]);
        let wrong = [Answer::Found(json!({"error": "x"}))];
        assert!(FiringAlerts.tell(&Inputs::default(), &wrong, &ctx()).is_err());
    }
}
