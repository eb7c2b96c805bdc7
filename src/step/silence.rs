//! `amtool silence add`: which alerts, until when, why. A silence always ends and always says whose it is and
//! why. One whose answer was lost is found by whose it is and by the tag in its comment.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::command::{Word, line};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::{Answer, Ctx, Draft, Read, ReadAs, Request, StepKind, Undo, Whom, check, text};
use crate::clean::Clean;
use crate::clean::redact::redact_text;
use crate::event::{
    Alert, DiffLine, Expectation, Made, Matcher, Op, Refusal, Sealed, Server, Sign, Silence as Standing,
    Target, Write, alertmanager, digest,
};
use crate::state::Alerts;
use crate::units;

/// Where Alertmanager lists alerts.
const ALERTS: &str = "/api/v2/alerts";
/// Where it lists silences, and takes new ones.
const SILENCES: &str = "/api/v2/silences";

/// A shorter silence is over before anybody has read its confirmation.
const LEAST: TimeDelta = TimeDelta::minutes(1);
/// A longer one is a change of the alert's rule.
const MOST: TimeDelta = TimeDelta::days(30);

const INPUTS: &[InputSpec] = &[
    InputSpec::required("alert", InputKind::Alert),
    InputSpec::optional("labels", InputKind::Labels),
    InputSpec::required("for", InputKind::Span),
    InputSpec::required("comment", InputKind::Text),
];

pub(super) struct Silence;

/// A silence to be made.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    name: Clean,
    /// What it wants of labels, exactly as Alertmanager has them.
    labels: BTreeMap<String, String>,
    ends: DateTime<Utc>,
    /// Why, with the tag by which reading finds it.
    comment: String,
    /// The alerts that call for a person now and would not any more.
    quieted: Vec<Alert>,
    /// How many call in all.
    firing: usize,
}

impl StepKind for Silence {
    fn name(&self) -> &'static str {
        "silence"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn asks(&self) -> &'static [Whom] {
        &[Whom::Alertmanager]
    }

    fn reads(&self, _inputs: &Inputs, answers: &[Answer], _ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        Ok(if answers.is_empty() { reads() } else { Vec::new() })
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("amtool silence add <alert> --duration=<for> --comment=<comment>", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let tag = ctx.id.to_string();
        let wanted = wanted(inputs, answers, ctx.now, &tag)?;
        let body = body(&wanted, ctx.now, &ctx.actor);
        let value = |at: &str| (Clean::new(at), digest(body.pointer(at).unwrap_or(&Value::Null)));
        let values = BTreeMap::from([value("/comment"), value("/createdBy")]);
        let target = ctx.target("silence", "", &wanted.name, &tag);
        let fingerprints = wanted.quieted.iter().map(|alert| alert.fingerprint.clone()).collect();
        Ok(Draft {
            title: format!("silence {} for {}", wanted.name, units::age(wanted.ends - ctx.now)),
            requests: vec![request(ctx, &target, ("POST", SILENCES), body, values, BTreeMap::new())],
            target,
            checks: vec![check::silenced(&format!("[warroom {tag}]"), fingerprints)],
            undo: Undo::Step { kind: "unsilence", inputs: vec![("silence", tag)] },
            command: command(&wanted, ctx),
            touches: touches(&wanted),
            facts: Vec::new(),
            lines: lines(&matchers(&wanted.labels), wanted.ends, &ctx.actor, &wanted.comment, Sign::Add),
            naming: None,
        })
    }
}

/// Reads alerts and silences.
pub(super) fn reads() -> Vec<Read> {
    let read = |path: &str, what: &str| Read {
        whom: Whom::Alertmanager,
        path: path.into(),
        what: what.into(),
        is: None,
        required: true,
        wanted: ReadAs::Objects,
    };
    vec![read(ALERTS, "the alerts"), read(SILENCES, "the silences")]
}

/// What was read, as the screen has it.
pub(super) fn alerts(answers: &[Answer]) -> Result<Alerts, Refusal> {
    let unread =
        |error: serde_json::Error| Refusal::failed(format!("Alertmanager's answer cannot be read: {error}"));
    let of = |at: usize| answers.get(at).and_then(Answer::found).cloned().unwrap_or_default();
    let mut alerts = Alerts::default();
    alerts.fold(&alertmanager::alerts(serde_json::from_value(of(0)).map_err(unread)?));
    alerts.silence(&alertmanager::silences(serde_json::from_value(of(1)).map_err(unread)?));
    Ok(alerts)
}

/// The labels of an alert as Alertmanager has them: what is cleaned for a screen matches nothing.
fn exact(answers: &[Answer], alert: &Alert, chosen: &BTreeMap<Clean, Clean>) -> BTreeMap<String, String> {
    let all = answers.first().and_then(Answer::found).and_then(Value::as_array).into_iter().flatten();
    let found = all.clone().find(|raw| alert.fingerprint == *text(raw, "/fingerprint"));
    let labels = found.and_then(|raw| raw["labels"].as_object()).into_iter().flatten();
    let wanted = labels.filter(|(name, _)| chosen.contains_key(&Clean::new(name)));
    wanted.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// A request to Alertmanager, which says nothing of what it made: the silences are read afterwards.
pub(super) fn request(
    ctx: &Ctx,
    target: &Target,
    (method, path): (&str, &str),
    body: Value,
    values: BTreeMap<Clean, Clean>,
    before: BTreeMap<Clean, Clean>,
) -> Request {
    let expect = Expectation {
        made: Made::Listed,
        path: SILENCES.into(),
        values,
        before,
        managed_before: None,
        generation_before: 0,
    };
    let write = Write {
        server: Server::Alertmanager(ctx.alertmanager.clone()),
        target: target.clone(),
        method: method.into(),
        path: path.into(),
        content_type: "application/json".into(),
        body: Sealed::Open(body),
        expect,
    };
    Request { op: Op::Write(write), rights: Vec::new(), object: Value::Null, scale: false }
}

/// Works out the silence of an alert, or of all of a name.
fn wanted(inputs: &Inputs, answers: &[Answer], now: DateTime<Utc>, tag: &str) -> Result<Wanted, Refusal> {
    let alerts = alerts(answers)?;
    let alert = inputs.needed("alert")?;
    let (found, labels) = alerts.named(alert);
    let Some(first) = found.first() else {
        return Err(Refusal::usage(format!(
            "Alertmanager has no alert \"{alert}\" now: give the name or fingerprint of one that fires"
        )));
    };
    let labels = chosen(inputs.get("labels").unwrap_or_default(), labels)?;
    let ends = until(inputs.needed("for")?, now)?;
    let comment = inputs.needed("comment")?.trim();
    if comment.is_empty() {
        return Err(Refusal::usage("a comment is needed: say why, for whoever finds the silence"));
    }
    let quieted = alerts.matching(&labels).cloned().collect();
    let name = first.name.clone();
    let comment = format!("{comment} [warroom {tag}]");
    let labels = exact(answers, first, &labels);
    Ok(Wanted { name, labels, ends, comment, quieted, firing: alerts.firing() })
}

/// Of the labels of the alert those that are named; all where none is.
fn chosen(names: &str, labels: BTreeMap<Clean, Clean>) -> Result<BTreeMap<Clean, Clean>, Refusal> {
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = names.iter().find(|name| !labels.contains_key(**name)) {
        let known: Vec<&str> = labels.keys().map(Clean::as_str).collect();
        return Err(Refusal::usage(format!(
            "the alert has no label \"{unknown}\"; it has {}",
            known.join(", ")
        )));
    }
    Ok(labels.into_iter().filter(|(name, _)| names.is_empty() || names.contains(&name.as_str())).collect())
}

/// When a span from now, or a time of the day (UTC, the next one), or a moment is over.
///
/// # Errors
/// It is none of them, or not within reason.
fn until(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let text = text.trim();
    let words = text.strip_prefix("until ").unwrap_or(text).trim();
    let ends = span(words).map(|span| now + span).or_else(|| clock(words, now));
    let ends = ends.or_else(|| DateTime::parse_from_rfc3339(words).ok().map(|at| at.to_utc()));
    match ends {
        Some(ends) if (LEAST..=MOST).contains(&(ends - now)) => Ok(ends),
        Some(_) => Err(Refusal::usage(format!("\"{text}\": a silence lasts from a minute to 30 days"))),
        None => Err(Refusal::usage(format!(
            "\"{text}\" is no time: give 15m, 1h, 4h, 1h30m, or until 14:30 (UTC)"
        ))),
    }
}

/// `1h30m`: minutes, hours and days.
fn span(text: &str) -> Option<TimeDelta> {
    let whole = units::duration::parse_milliseconds(text).filter(|_| !text.contains(['s', 'w']))?;
    TimeDelta::try_milliseconds(whole).filter(|whole| *whole <= TimeDelta::days(36_500))
}

/// The next `14:30`.
fn clock(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let time = NaiveTime::parse_from_str(text.trim_end_matches('Z'), "%H:%M").ok()?;
    let today = now.date_naive().and_time(time).and_utc();
    Some(if today > now { today } else { today + TimeDelta::days(1) })
}

/// A silence's end, to the second.
fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The silence as Alertmanager wants it (`postableSilence`).
fn body(wanted: &Wanted, starts: DateTime<Utc>, by: &str) -> Value {
    let matchers: Vec<Value> = wanted
        .labels
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value, "isRegex": false, "isEqual": true}))
        .collect();
    json!({"matchers": matchers, "startsAt": starts.to_rfc3339(), "endsAt": rfc3339(wanted.ends), "createdBy": by, "comment": wanted.comment})
}

fn matchers(labels: &BTreeMap<String, String>) -> Vec<Matcher> {
    let matcher = |(name, value): (&String, &String)| Matcher {
        name: Clean::new(name),
        value: Clean::new(value),
        regex: false,
        equal: true,
    };
    labels.iter().map(matcher).collect()
}

/// What a silence says, line by line.
pub(super) fn lines(
    matchers: &[Matcher],
    ends: DateTime<Utc>,
    by: &str,
    comment: &str,
    sign: Sign,
) -> Vec<DiffLine> {
    let line = |text: String| DiffLine { sign, text: redact_text(&text).into_owned().into() };
    let matchers = matchers.iter().map(|matcher| line(matcher.to_string()));
    matchers
        .chain([
            line(format!("until  {}  by {by}", ends.format("%Y-%m-%d %H:%M:%S UTC"))),
            line(format!("because  {comment}")),
        ])
        .collect()
}

/// `silences 2 of 3 firing alerts: app, ocr-service`
fn touches(wanted: &Wanted) -> String {
    let about: Vec<&str> =
        wanted.quieted.iter().take(5).map(|alert| alert.about().unwrap_or(&alert.name).as_str()).collect();
    let names = if about.is_empty() { String::new() } else { format!(": {}", about.join(", ")) };
    let rest = wanted.quieted.len() - about.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!(
        "silences {} of {} firing alerts{names}{more}; and every later one with these labels",
        wanted.quieted.len(),
        wanted.firing
    )
}

fn command(wanted: &Wanted, ctx: &Ctx) -> crate::event::Command {
    let head =
        ["amtool", &format!("--alertmanager.url={}", ctx.alertmanager), "silence", "add"].map(Word::from);
    let flags =
        [format!("--author={}", ctx.actor), format!("--end={}", rfc3339(wanted.ends))].map(Word::from);
    let shown = redact_text(&wanted.comment);
    let comment = format!("--comment={}", wanted.comment);
    let comment = if shown == wanted.comment {
        Word::from(comment)
    } else {
        Word::hiding(&comment, &format!("--comment={shown}"), "comment", true)
    };
    let labels = wanted.labels.iter().map(|(name, value)| Word::from(format!("{name}={value}")));
    line(&head.into_iter().chain(flags).chain([comment]).chain(labels).collect::<Vec<_>>())
}

/// The silence that is meant: by its id, or by the tag in its comment.
///
/// # Errors
/// There is none, or none any more.
pub(super) fn standing<'a>(inputs: &Inputs, alerts: &'a Alerts) -> Result<&'a Standing, Refusal> {
    let wanted = inputs.needed("silence")?;
    let tag = format!("[warroom {wanted}]");
    let found =
        alerts.silences().into_iter().find(|silence| silence.id == *wanted || silence.comment.contains(&tag));
    found
        .ok_or_else(|| Refusal::usage(format!("no silence \"{wanted}\" is in force: it may be over already")))
}

#[cfg(test)]
mod tests;
