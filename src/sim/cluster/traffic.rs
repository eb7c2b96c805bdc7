//! The requests that every service makes of itself, counts and logs, as the bed's services do.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Cluster;
use super::process::Process;
use crate::sim::rng::Rng;
use crate::sim::scenario::ServiceFault;

/// How much more of the requests fails for each needed service that is down.
const SHARE_OF_A_FEATURE: f64 = 0.2;

/// What a hostile log holds: a title, a cleared screen, a clipboard write, a terminfo query, a C1 byte, an
/// override of direction.
const HOSTILE: &[u8] =
    b"\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x1b]52;c;b3duZWQ=\x07\x1bP+q544e\x1b\\\x9b31mred \xe2\x80\xaeRTL\xe2\x80\xac \r overwritten";

/// Makes the requests of `seconds`.
pub(super) fn step(cluster: &mut Cluster, seconds: f64) {
    let now = cluster.now;
    let ready = ready_services(cluster);
    for process in cluster.processes.values_mut().filter(|process| process.running()) {
        let down = process.behaviour.needs.iter().filter(|need| !ready.contains(*need)).count();
        let failing = (0..down).fold(process.behaviour.failing, |share, _| share + SHARE_OF_A_FEATURE);
        process.owed += process.behaviour.rps * seconds;
        answer(process, failing, &mut cluster.rng, now);
        report(process, now);
    }
}

/// Services with at least one ready pod.
fn ready_services(cluster: &Cluster) -> BTreeSet<String> {
    cluster
        .processes
        .values()
        .filter(|process| process.ready)
        .map(|process| process.behaviour.service.clone())
        .collect()
}

/// Half of the failures are 500 (and logged), half 503.
fn answer(process: &mut Process, failing: f64, rng: &mut Rng, now: DateTime<Utc>) {
    while process.owed >= 1.0 {
        process.owed -= 1.0;
        let chance = rng.ratio();
        if chance < failing / 2.0 {
            process.answers.error += 1;
            process.write_json(now, "error", r#""status":500,"msg":"upstream request failed""#);
        } else if chance < failing {
            process.answers.unavailable += 1;
        } else {
            process.answers.ok += 1;
        }
    }
}

fn report(process: &mut Process, now: DateTime<Utc>) {
    if process.behaviour.service.is_empty() || now - process.reported < TimeDelta::seconds(5) {
        return;
    }
    process.reported = now;
    let served = format!(r#""msg":"served","ok":{}"#, process.answers.ok);
    process.write_json(now, "info", &served);
    if process.behaviour.fault == Some(ServiceFault::Hostile) {
        process.write(now, HOSTILE.to_vec());
    }
}
