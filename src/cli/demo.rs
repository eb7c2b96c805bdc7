//! `warroom demo`: the same screen, clients and keys, on the simulated cluster.

use std::time::Duration;

use super::args::Demo;
use super::{CommandContext, Exit, complain, screen};
use crate::config::ReadOnly;
use crate::net::clock::Clock;
use crate::session::SessionConfig;
use crate::sim::scenario::Scenario;
use crate::sim::{Sim, SimConfig};

pub(super) async fn demo(context: &CommandContext, wanted: &Demo) -> color_eyre::Result<Exit> {
    if !(0.1..=1000.0).contains(&wanted.speed) {
        return Ok(complain("--speed goes from 0.1 to 1000"));
    }
    if !context.args.contexts.is_empty() || context.args.kafka.is_some() {
        return Ok(complain(
            "demo shows a simulated cluster of its own: it takes no --context and no --kafka",
        ));
    }
    let clock = Clock::scaled(wanted.speed);
    let onset = Duration::from_secs(wanted.onset);
    let config =
        SimConfig { seed: wanted.seed, clock: clock.clone(), onset, ..SimConfig::new(wanted.scenario) };
    let sim = match Sim::start(config).await {
        Ok(sim) => sim,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    Box::pin(screen::watch(context, session(context, &sim, wanted.scenario), &context.paths, clock)).await
}

fn session(context: &CommandContext, sim: &Sim, scenario: Scenario) -> SessionConfig {
    let args = &context.args;
    let settings = &context.config.settings;
    let usual = SessionConfig::simulated(sim, &format!("demo-{scenario}"));
    SessionConfig {
        namespaces: super::session::namespaces(args).or(usual.namespaces),
        read_only: if args.read_only { ReadOnly::Everywhere } else { ReadOnly::Nowhere },
        no_exec: args.no_exec || settings.no_exec,
        arm_minutes: settings.arm_minutes,
        guardrails: context.config.guardrails(),
        rates: settings.rates.clone(),
        kafka: usual.kafka.filter(|_| !args.no_exec),
        actor: super::session::actor(),
        ..usual
    }
}
