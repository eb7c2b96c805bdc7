//! What a session is to be, from flags, environment and settings.

use super::CommandContext;
use super::args::{Args, Given};
use crate::clean::Clean;
use crate::config::{KafkaMode, ReadOnly};
use crate::event::Mode;
use crate::journal::Limits;
use crate::net::connect::ConnectSettings;
use crate::net::timing::Timing;
use crate::session::{DEADLINE, PATIENCE, SessionConfig};

/// A session as flags, environment and settings want it.
pub(super) fn wanted(context: &CommandContext, recorded: bool) -> SessionConfig {
    let args = &context.args;
    let settings = &context.config.settings;
    let mut connect: Vec<_> = context
        .contexts()
        .iter()
        .map(|name| ConnectSettings { context: Some(name.clone()), ..ConnectSettings::default() })
        .collect();
    if connect.is_empty() {
        connect.push(ConnectSettings::default()); // the kubeconfig's current one
    }
    let kafka = settings.kafka.clone().unwrap_or_default().by(args.kafka.as_ref());
    let forbidden = kafka.mode == KafkaMode::Exec && (args.no_exec || settings.no_exec);
    SessionConfig {
        mode: Mode::Live,
        namespaces: namespaces(args).or_else(|| settings.namespaces.clone()),
        read_only: if args.read_only { ReadOnly::Everywhere } else { settings.read_only.clone() },
        connect,
        no_exec: args.no_exec || settings.no_exec,
        arm_minutes: settings.arm_minutes,
        guardrails: context.config.guardrails(),
        prometheus: settings.prometheus.clone().at(args.prometheus.as_ref().and_then(Given::place)),
        alertmanager: settings.alertmanager.clone().at(args.alertmanager.as_ref().and_then(Given::place)),
        kafka: (!forbidden).then_some(kafka),
        find_kafka: settings.kafka.is_none(),
        rates: settings.rates.clone(),
        timing: Timing::default(),
        deadline: DEADLINE,
        patience: PATIENCE,
        limits: Limits::default(),
        recorded,
        actor: actor(),
    }
}

/// The namespaces that the flags name; none is all of them.
pub(super) fn namespaces(args: &Args) -> Option<Vec<Clean>> {
    let named: Vec<Clean> = args.namespaces.iter().map(|name| name.0.clone()).collect();
    (args.all_namespaces || !named.is_empty()).then_some(named)
}

/// The person, as this machine knows them.
pub(super) fn actor() -> Clean {
    let named = ["WARROOM_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    named.unwrap_or_else(|| "somebody".to_owned()).into()
}
