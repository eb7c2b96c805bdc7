//! `warroom status`: one look at everything, for a pipe or a chat.

use std::time::Duration;

use serde_json::{Value, json};

use super::session::wanted;
use super::{CommandContext, Exit, complain, say};

use crate::event::{SourceHealth, SourceId, SourceState};
use crate::net::clock::Clock;
use crate::runtime::headless::Headless;
use crate::session;
use crate::state::{WorkloadRow, World, workload_rows};
use crate::units;

/// Longer than any source's first answer takes.
const PATIENT: Duration = Duration::from_secs(25);

pub(super) async fn status(context: &CommandContext, as_json: bool) -> color_eyre::Result<Exit> {
    let running =
        match session::open(wanted(context, false), &context.paths, context.runbook(), Clock::system()).await
        {
            Ok(running) => running,
            Err(error) => return Ok(complain(&error.to_string())),
        };
    let mut session = Headless::new(running);
    session.until(PATIENT, |session| session.heard(SourceId::ALL)).await;
    let state = session.state();
    if as_json {
        say(as_value(&state.world, state.now))?;
    } else {
        say(in_words(&state.world).trim_end())?;
    }
    Ok(if blind(&state.world) { Exit::Failed } else { Exit::Done })
}

/// That nothing is wrong; it is all clear only while every source is read.
fn all_clear(world: &World) -> &'static str {
    let read = |health: &SourceHealth| matches!(health.state, SourceState::Live | SourceState::Off);
    if world.sources.values().all(read) { "all clear\n" } else { "no trouble in what could be read\n" }
}

/// Whether no source at all is heard.
fn blind(world: &World) -> bool {
    world.sources.values().all(|health| health.state != SourceState::Live)
}

/// The status as other tools read it. Unknown is `null`, never 0; what is unhealthy comes first.
pub(super) fn as_value(world: &World, now: chrono::DateTime<chrono::Utc>) -> Value {
    let sources = world
        .sources
        .values()
        .map(|h| json!({"name": h.source.name(), "state": h.state.word(), "since": h.since, "error": h.error, "parts": h.parts}));
    let workloads = workload_rows(world).into_iter().filter_map(|row| workload(world, &row));
    let mut services: Vec<_> = world
        .rates
        .services
        .keys()
        .map(|service| (service, world.rates.now(service), world.rates.ratio(service)))
        .collect();
    services.sort_by(|a, b| b.2.unwrap_or(-1.0).total_cmp(&a.2.unwrap_or(-1.0)).then_with(|| a.0.cmp(b.0)));
    let services = services
        .into_iter()
        .map(|(service, rate, ratio)| json!({"service": service, "rate_5xx": rate.and_then(|r| r.errors), "ratio_5xx": ratio}));
    let groups = world.lag.rows().into_iter().map(|g| {
        json!({"group": g.now.group, "state": g.state().word(), "lag": g.lag(), "seconds_behind": g.seconds_behind(), "seconds_to_drain": g.seconds_to_drain(),
            "members": g.now.members, "lost": g.lost, "abandoned": g.abandoned})
    });
    let alerts = world
        .alerts
        .rows()
        .into_iter()
        .map(|a| json!({"name": a.name, "state": a.state, "since": a.since, "labels": a.labels, "summary": a.summary}));
    let session = world.session.as_ref();
    let mut told = json!({
        "at": now,
        "context": session.map(|session| &session.main().context),
        "sources": sources.collect::<Vec<_>>(),
        "workloads": workloads.collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
        "alerts": alerts.collect::<Vec<_>>(),
        "incident": null,
    });
    if let Some(session) = session.filter(|session| session.several()) {
        told["contexts"] = session.contexts.iter().map(|one| one.context.as_str()).collect();
    }
    told
}

/// A row; where several contexts are looked at, with its own.
fn workload(world: &World, row: &WorkloadRow<'_>) -> Option<Value> {
    let w = row.workload?;
    let mut told = json!({
        "kind": w.kind.name(), "namespace": w.meta.namespace, "name": w.meta.name, "desired": w.desired, "ready": w.ready,
        "reason": row.reason, "why": row.why, "restarts": row.restarts, "revision": w.revision, "release": world.release(w),
    });
    if let Some(session) = world.session.as_ref().filter(|session| session.several()) {
        told["context"] = session.context(w.meta.context()).map(|one| one.context.as_str()).into();
    }
    Some(told)
}

/// The status for people: what is wrong, and who cannot be heard.
fn in_words(world: &World) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for row in workload_rows(world).iter().filter(|row| row.reason.is_some()) {
        let ready = row.workload.map(|w| format!("{}/{} ready  ", w.ready, w.desired)).unwrap_or_default();
        let why = row.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "{}/{}  {ready}{}{why}",
            world.place(row.meta().context(), row.namespace()),
            row.name(),
            row.reason.clone().unwrap_or_default()
        );
    }
    for service in world.rates.services.keys() {
        let ratio = world.rates.ratio(service);
        if ratio.is_some_and(|ratio| ratio > world.threshold(service)) {
            let _ = writeln!(out, "{service}  5xx {}", units::percent(ratio));
        }
    }
    for group in world.lag.rows().into_iter().filter(|group| group.in_trouble()) {
        let _ = writeln!(
            out,
            "group {}  {}  lag {}",
            group.now.group,
            group.state().word(),
            units::count(group.lag())
        );
    }
    for alert in world.alerts.rows() {
        let _ = writeln!(out, "alert {}  {}", alert.name, alert.summary.clone().unwrap_or_default());
    }
    if out.is_empty() {
        out.push_str(if blind(world) { "nothing of this cluster can be read\n" } else { all_clear(world) });
    }
    let remarkable = |health: &&SourceHealth| health.state != SourceState::Live || health.error.is_some();
    for health in world.sources.values().filter(remarkable) {
        let _ = writeln!(
            out,
            "{} {}: {}",
            health.source.name(),
            health.state.word(),
            health.error.clone().unwrap_or_default()
        );
    }
    out
}
