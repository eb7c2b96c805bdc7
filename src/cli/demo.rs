//! `warroom demo`: the same screen, clients and keys, on the simulated cluster.

use std::time::Duration;

use super::args::Demo;
use super::{Exit, Room, complain, screen};
use crate::config::Kafka;
use crate::event::Mode;
use crate::journal::writer::Limits;
use crate::session::Wanted;
use crate::sim::scenario::Scenario;
use crate::sim::{Identity, Sim, SimConfig};
use crate::source::clock::Clock;
use crate::source::connect::ConnectSettings;
use crate::source::timing::Timing;

/// The namespace of the simulated company.
const NAMESPACE: &str = "medcontract-prod";

pub(super) async fn demo(room: &Room, wanted: &Demo) -> color_eyre::Result<Exit> {
    if !(0.1..=1000.0).contains(&wanted.speed) {
        return Ok(complain("--speed goes from 0.1 to 1000"));
    }
    let clock = Clock::scaled(wanted.speed);
    let onset = Duration::from_secs(wanted.onset);
    let config =
        SimConfig { seed: wanted.seed, scenario: wanted.scenario, clock: clock.clone(), identity: Identity::Admin, extra_pods: 0, onset };
    let sim = match Sim::start(config).await {
        Ok(sim) => sim,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    screen::watch(room, session(room, &sim, wanted.scenario), &room.paths, clock).await
}

fn session(room: &Room, sim: &Sim, scenario: Scenario) -> Wanted {
    let settings = &room.config.settings;
    Wanted {
        mode: Mode::Demo,
        connect: ConnectSettings {
            url: Some(sim.kubernetes_url()),
            context: Some(format!("demo-{scenario}")),
            ..ConnectSettings::default()
        },
        namespace: Some(room.args.namespace.clone().unwrap_or_else(|| NAMESPACE.to_owned())),
        read_only: room.args.read_only,
        arm_minutes: settings.arm_minutes,
        threshold: settings.threshold,
        prometheus: Some(sim.prometheus_url()),
        alertmanager: Some(sim.alertmanager_url()),
        kafka: (!room.args.no_exec).then(Kafka::default),
        timing: Timing::default(),
        deadline: super::status::DEADLINE,
        patience: super::status::PATIENCE,
        limits: Limits::default(),
        recorded: true,
        actor: super::status::actor(),
    }
}
