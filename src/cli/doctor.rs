//! `warroom doctor`: asks every source, and prints what each says of its connection and its rights, and how
//! to mend it. The sentences are the sources' own; which rights each needs is [`crate::event::grant`].

use std::time::Duration;

use serde_json::{Value, json};

use super::session::wanted;
use super::{CommandContext, Exit, say};
use crate::event::{ContextInfo, Session, Signal, SourceId, SourceState};
use crate::net::clock::Clock;
use crate::runtime::headless::Headless;
use crate::session;

const PATIENT: Duration = Duration::from_secs(25);

/// One thing looked at.
struct Finding {
    what: String,
    ok: bool,
    /// What was found; where it is not ok, what to do.
    told: String,
}

pub(super) async fn doctor(context: &CommandContext, as_json: bool) -> color_eyre::Result<Exit> {
    let mut findings = vec![settings(context), data(context)];
    match session::open(wanted(context, false), &context.paths, context.runbook(), Clock::system()).await {
        Err(error) => findings.push(Finding { what: "cluster".into(), ok: false, told: error.to_string() }),
        Ok(running) => {
            let lines = running.sources.lines();
            let name = |context: &str| if lines.len() > 1 { format!("{context} ") } else { String::new() };
            let ways: Vec<String> =
                lines.iter().map(|line| format!("{}{}", name(line.context()), line.about())).collect();
            findings.extend(examine(Headless::new(running)).await);
            findings.extend(ways.into_iter().map(|told| Finding {
                what: "api server".into(),
                ok: true,
                told,
            }));
        }
    }
    for finding in &findings {
        if as_json {
            continue;
        }
        say(format_args!(
            "{} {:<14} {}",
            if finding.ok { "✓" } else { "✗" },
            finding.what,
            crate::clean::cleaned(&finding.told)
        ))?;
    }
    if as_json {
        let all: Vec<Value> = findings
            .iter()
            .map(|f| json!({"what": f.what, "ok": f.ok, "told": crate::clean::cleaned(&f.told)}))
            .collect();
        say(json!({"findings": all, "ok": findings.iter().all(|f| f.ok)}))?;
    }
    Ok(if findings.iter().all(|finding| finding.ok) { Exit::Done } else { Exit::Failed })
}

fn settings(context: &CommandContext) -> Finding {
    Finding {
        what: "settings".into(),
        ok: true,
        told: format!("{} (no mistakes)", context.paths.config_dir.display()),
    }
}

/// Whether recordings can be written, tried with a file that is removed again.
fn data(context: &CommandContext) -> Finding {
    let folder = &context.paths.data_dir;
    let probe = folder.join(".doctor");
    let tried = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    let told = match &tried {
        Ok(()) => format!("{} can be written", folder.display()),
        Err(error) => format!(
            "{} cannot be written ({error}): make it writable or set WARROOM_DATA_DIR",
            folder.display()
        ),
    };
    Finding { what: "recordings".into(), ok: tried.is_ok(), told }
}

async fn examine(mut session: Headless) -> Vec<Finding> {
    session.until(PATIENT, |session| session.heard(SourceId::ALL)).await;
    let world = &session.state().world;
    let source = |id: &SourceId| match world.sources.get(id) {
        Some(health) => {
            let error = health.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            let ok = matches!(health.state, SourceState::Live | SourceState::Off);
            let way =
                world.session.as_ref().filter(|session| *id == SourceId::Kafka && !session.kafka.is_empty());
            let way = way.map(|session| format!(" by {}", session.kafka)).unwrap_or_default();
            let asked = Signal::ALL
                .iter()
                .filter_map(|signal| world.rates.query(*signal))
                .filter(|_| *id == SourceId::Prometheus);
            let asked = asked.map(|asked| format!("{} is {}", asked.signal, asked.query));
            let told = [format!("{}{way}{error}", health.state.word())]
                .into_iter()
                .chain(asked)
                .collect::<Vec<_>>()
                .join("; ");
            Finding { what: id.name().into(), ok, told }
        }
        None => Finding {
            what: id.name().into(),
            ok: false,
            told: format!("no answer within {} s", PATIENT.as_secs()),
        },
    };
    let several = world.session.as_ref().is_some_and(Session::several);
    let context = |(one, place): (&ContextInfo, String)| {
        let main =
            if one.id.is_main() && several { "; Prometheus, Alertmanager and Kafka are its" } else { "" };
        let told = match one.cluster.as_str() {
            "" => format!("{}: there is no way to it", one.context),
            cluster => format!("{} at {cluster}, {place}{main}", one.context),
        };
        Finding { what: "context".into(), ok: !one.cluster.is_empty(), told }
    };
    let contexts =
        world.session.iter().flat_map(|session| session.contexts.iter().map(|one| (one, session.place())));
    contexts.map(context).chain(SourceId::ALL.iter().map(source)).collect()
}
