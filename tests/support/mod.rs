//! What the long tests share: chances by seed, many seeds at once, and a session on a simulated cluster in
//! fast time.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod both;
pub mod chance;
pub mod disk;
pub mod facts;
pub mod hand;

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::DateTime;
use futures::StreamExt;
use tempfile::TempDir;
use warroom::config::Paths;
use warroom::event::{Plan, Refusal, Server, StepCall, Write};
use warroom::journal::disk::{Disk, LocalDisk};
use warroom::net::clock::Clock;
use warroom::net::timing::Timing;
use warroom::runbook::{self, Runbook};
use warroom::runtime::headless::Headless;
use warroom::session::{self, SessionConfig};
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::sim::{Identity, Sim, SimConfig};

/// Longer than anything here takes on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);
/// How long a request whose answer was lost may still arrive.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// The steps.
pub static RUNBOOK: LazyLock<Arc<Runbook>> = LazyLock::new(|| Arc::new(runbook::embedded().unwrap()));

/// Lives through `one` for every seed, a few at a time, and gives what each told. A failure names its seed;
/// `WARROOM_SEED=17` lives through that one only.
pub fn for_each_seed<T, F>(test: &str, seeds: Range<u64>, at_once: usize, one: impl Fn(u64) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let only: Option<u64> = std::env::var("WARROOM_SEED").ok().map(|seed| seed.parse().unwrap());
    let seeds = only.map_or(seeds, |seed| seed..seed + 1);
    let lives = futures::stream::iter(seeds).map(|seed| {
        let life = one(seed);
        async move { (seed, tokio::spawn(life).await) }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ends: Vec<_> = runtime.block_on(lives.buffer_unordered(at_once).collect());
    let mut told = Vec::new();
    let mut failed = String::new();
    for (seed, end) in ends {
        match end {
            Ok(it) => told.push(it),
            Err(error) => write!(failed, "\nWARROOM_SEED={seed} cargo test --test {test}: {error}").unwrap(),
        }
    }
    assert!(failed.is_empty(), "{failed}");
    told
}

/// What a [`Room`] stands in.
pub struct Setup<'a> {
    pub seed: u64,
    pub scenario: Scenario,
    /// Services of namespace monitoring that are not there.
    pub gone: &'a [&'a str],
    /// Whose rights the session has.
    pub identity: Identity,
    /// What the session is recorded on.
    pub disk: Arc<dyn Disk>,
    /// The steps that it has.
    pub runbook: Arc<Runbook>,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        let disk = Arc::new(LocalDisk);
        let runbook = RUNBOOK.clone();
        Self { seed: 1, scenario: Scenario::Calm, gone: &[], identity: Identity::Admin, disk, runbook }
    }
}

/// A session on a simulated cluster, under a clock that moves only when somebody waits: a busy machine makes
/// it slower and not different.
pub struct Room {
    pub sim: Sim,
    pub clock: Clock,
    pub data: TempDir,
    pub session: Headless,
}

impl Room {
    /// A session, `changed` from the usual one, on a cluster whose incident begins soon.
    pub async fn open(
        seed: u64,
        scenario: Scenario,
        changed: impl FnOnce(SessionConfig) -> SessionConfig,
    ) -> Self {
        Self::without(seed, scenario, &[], changed).await
    }

    /// The same on a cluster without these services of namespace monitoring: who is given no address finds
    /// none.
    pub async fn without(
        seed: u64,
        scenario: Scenario,
        gone: &[&str],
        changed: impl FnOnce(SessionConfig) -> SessionConfig,
    ) -> Self {
        Self::of(Setup { seed, scenario, gone, ..Setup::default() }, changed).await
    }

    /// A session, `changed` from the usual one, in what was set up.
    pub async fn of(setup: Setup<'_>, changed: impl FnOnce(SessionConfig) -> SessionConfig) -> Self {
        let Setup { seed, scenario, gone, identity, disk, runbook } = setup;
        let clock = Clock::manual(DateTime::from_timestamp(1_795_445_192, 0).unwrap());
        let onset = Duration::from_secs(2);
        let measured = Duration::from_secs(60);
        let config =
            SimConfig { seed, clock: clock.clone(), onset, measured, identity, ..SimConfig::new(scenario) };
        let sim = Sim::start(config).await.unwrap();
        for name in gone {
            assert!(sim.delete("Service", "monitoring", name));
        }
        let data = tempfile::tempdir().unwrap();
        let session = session_on(disk, changed(wanted(&sim)), runbook, &clock, data.path()).await;
        Self { sim, clock, data, session }
    }

    /// Takes in one event, if there is one soon, and lets so much time go by.
    pub async fn turn(&mut self, time: Duration) {
        turn(&mut self.session, &self.clock, time).await;
    }
}

/// Takes events in until `done`, while so much time goes by with each. Answers whether it was done.
pub async fn until(
    session: &mut Headless,
    clock: &Clock,
    time: Duration,
    mut done: impl FnMut(&Headless) -> bool,
) -> bool {
    let end = Instant::now() + LIMIT;
    while !done(session) {
        if Instant::now() > end {
            return false;
        }
        turn(session, clock, time).await;
    }
    true
}

async fn turn(session: &mut Headless, clock: &Clock, time: Duration) {
    let _ = tokio::time::timeout(Duration::from_millis(2), session.turn()).await;
    clock.advance(time);
}

/// Prepares a step; once more when a busy machine has let an answer come too late.
pub async fn prepare(session: &mut Headless, call: StepCall) -> Result<Plan, Refusal> {
    match session.prepare(call.clone(), LIMIT).await {
        Err(Refusal::Failed(_)) => session.prepare(call, LIMIT).await,
        result => result,
    }
}

/// A session that tries again soon, and gives nothing up that a busy machine is only late with.
pub fn wanted(sim: &Sim) -> SessionConfig {
    let usual = Timing::default();
    let timing = Timing {
        connect: usual.connect,
        // After so long a frozen server is stale.
        answer: Duration::from_secs(1),
        patience: usual.patience,
        silence: usual.silence,
        metrics_answer: usual.metrics_answer,
        lag_answer: usual.lag_answer,
        // Its end is told by the sim's clock, and an end that comes early is a failure.
        watch: Duration::from_secs(100),
        backoff_most: Duration::from_millis(200),
        // These are counted on the session's clock already.
        poll: usual.poll,
        namespaces: usual.namespaces,
        usage: usual.usage,
        metrics: usual.metrics,
        lag: usual.lag,
        lag_soon: usual.lag_soon,
        ..Timing::scaled(0.03)
    };
    SessionConfig {
        timing,
        deadline: Duration::from_secs(3),
        patience: PATIENCE,
        ..SessionConfig::simulated(sim, "test")
    }
}

/// The same with short waits for answers: for tests in which many never come, and which hold whichever are
/// given up.
pub fn impatient(wanted: SessionConfig) -> SessionConfig {
    let Timing { connect, answer, patience, silence, metrics_answer, lag_answer, .. } = Timing::scaled(0.03);
    let timing = Timing { connect, answer, patience, silence, metrics_answer, lag_answer, ..wanted.timing };
    SessionConfig { timing, deadline: Duration::from_millis(300), ..wanted }
}

/// Opens a session, recorded below `data`.
pub async fn session(wanted: SessionConfig, clock: &Clock, data: &Path) -> Headless {
    session_on(Arc::new(LocalDisk), wanted, RUNBOOK.clone(), clock, data).await
}

async fn session_on(
    disk: Arc<dyn Disk>,
    wanted: SessionConfig,
    runbook: Arc<Runbook>,
    clock: &Clock,
    data: &Path,
) -> Headless {
    let paths = Paths { config_dir: data.join("config"), data_dir: data.to_owned() };
    Headless::new(session::open_on(disk, wanted, &paths, runbook, clock.clone()).await.unwrap())
}

/// This happens to the next request that makes the change. Its dry runs are other requests, and one of them
/// may be late.
pub fn meets(sim: &Sim, write: &Write, fault: Fault) {
    let query = if write.server == Server::Cluster { "?fieldManager" } else { "" };
    sim.faults().on(write.method.parse().unwrap(), &format!("{}{query}", write.path), When::Nth(1), fault);
}
