//! Every source at its worst at once: keys are answered, memory is bounded, each source says that it is not
//! what it was, and all are live again when it is over.

use std::thread::{self, sleep};
use std::time::Duration;

use crate::pty::{Cluster, Term, percentile};
use warroom::sim::fault::Malformed;
use warroom::sim::fault::{Fault, Rule, When};

/// Where each source asks; the last is a part of others, and what they have is theirs.
const SOURCES: [&str; 14] = [
    "/pods?",
    "/deployments?",
    "/statefulsets?",
    "/replicasets?",
    "/nodes?",
    "/events?",
    "/exec?",
    "/api/v1/query",
    "/api/v2/alerts",
    "/daemonsets?",
    "/jobs?",
    "/configmaps?",
    "/metrics.k8s.io/",
    "/api/v1/namespaces",
];

const FAULTS: [Fault; 9] = [
    Fault::Malformed(Malformed::Huge),
    Fault::Status { code: 429, applied: false },
    Fault::Malformed(Malformed::Trickle),
    Fault::Malformed(Malformed::HalfOpen),
    Fault::Malformed(Malformed::Garbage),
    Fault::Malformed(Malformed::LoginPage),
    Fault::Hang { applied: false },
    Fault::Status { code: 503, applied: false },
    Fault::Cut { applied: false },
];

/// A reading of Kafka comes each 30 s and may take 20, and the longest wait between two tries is 30 s.
const NOTICED: Duration = Duration::from_secs(90);
/// More than before, in kB: a line of 8 MiB is read before it is known to be too long, and an answer of 16.
const MEMORY: u64 = 96 * 1024;

fn live(screen: &str, source: &str) -> bool {
    screen.contains(&format!("{source} ●"))
}

const HEADER: [&str; 4] = ["k8s", "prom", "kafka", "alerts"];

/// Each source has the fault that is so many places further down than its own.
fn storm(cluster: &Cluster, term: &mut Term, shift: usize) {
    term.until("everything live", NOTICED, |screen| HEADER.iter().all(|source| live(screen, source)));
    let before = term.memory("VmHWM");
    for (place, path) in SOURCES.iter().enumerate() {
        let fault = FAULTS[(place + shift) % FAULTS.len()];
        cluster.sim.faults().inject(Rule {
            method: None,
            path: (*path).to_owned(),
            when: When::Always,
            fault,
        });
    }
    cluster.sim.faults().cut_watches();
    let mut keys: Vec<_> = (0..100)
        .map(|n| {
            sleep(Duration::from_millis(50));
            term.moves(if n % 2 == 0 { "j" } else { "k" })
        })
        .collect();
    term.until("nothing live", NOTICED, |screen| !HEADER.iter().any(|source| live(screen, source)));
    told(cluster, shift);
    let slow = percentile(&mut keys, 90);
    let more = term.memory("VmHWM") - before;
    println!("storm {shift}: nine of ten keys within {slow:?}, {more} kB more");
    assert!(slow < Duration::from_millis(500), "nine of ten keys within {slow:?}");
    assert!(more < MEMORY, "{more} kB more");
    cluster.sim.faults().clear();
}

/// Asked in the middle of it, every source says what is wrong.
fn told(cluster: &Cluster, shift: usize) {
    let status = cluster.run(&["status", "--json"]).json();
    for source in status["sources"].as_array().unwrap() {
        assert_ne!(source["state"], "live", "storm {shift}: {source}");
        assert!(source["error"].as_str().is_some_and(|error| error.len() > 10), "storm {shift}: {source}");
    }
}

fn storms(shifts: &[usize]) {
    let cluster = Cluster::calm();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service").press("j");
    for shift in shifts {
        storm(&cluster, &mut term, *shift);
    }
    term.until("everything live", NOTICED, |screen| HEADER.iter().all(|source| live(screen, source)));
}

#[test]
fn every_source_at_its_worst() {
    storms(&[0]);
}

/// Nine storms, three after each other in each of three terminals.
#[test]
#[ignore = "takes four minutes; .ci/run runs it"]
fn every_source_has_every_fault() {
    thread::scope(|scope| {
        for shifts in [[0, 1, 2], [3, 4, 5], [6, 7, 8]] {
            scope.spawn(move || storms(&shifts));
        }
    });
}
