//! `warroom runbook test`: every step that a runbook has a test of is done on the simulated cluster, by the
//! code that does it elsewhere. It must succeed and be undone; be refused where the server refuses it; and
//! be sent once, and read, where its answer is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::Method;
use futures::StreamExt;
use ulid::Ulid;

use super::run::needed;
use super::{CommandContext, Exit, complain, say};
use crate::clean::Clean;
use crate::config::Paths;
use crate::event::{Op, Plan, Write};
use crate::net::clock::Clock;
use crate::runbook::step_test::{Given, StepTest};
use crate::runbook::{InputKind, Runbook};
use crate::runtime::headless::Headless;
use crate::session::{self, SessionConfig};
use crate::sim::fault::{Fault, Rule, When};
use crate::sim::scenario::Scenario;
use crate::sim::{Sim, SimConfig};
use crate::state::{Run, Stage};

/// Simulated time goes so much faster.
const SPEED: f64 = 20.0;
/// History that is enough for what is measured before a change.
const MEASURED: Duration = Duration::from_secs(120);
/// Tests that run side by side: they wait more than they compute.
const AT_ONCE: usize = 8;
/// Beyond this a test is stuck.
const PATIENT: Duration = Duration::from_secs(30);

/// What a step is tested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// It does what it says, and its undo brings the object back.
    Success,
    /// The server refuses: that is told, and nothing is changed.
    Refusal,
    /// The answer is lost: it is read, and nothing is sent twice.
    LostAnswer,
}

impl Case {
    const ALL: [Self; 3] = [Self::Success, Self::Refusal, Self::LostAnswer];

    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refusal => "refusal",
            Self::LostAnswer => "lost answer",
        }
    }
}

/// Why a test fails.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the simulated cluster cannot be used: {0}")]
    Sim(String),
    #[error("it cannot be prepared: {0}")]
    Unprepared(Clean),
    #[error("it came to this: {0}")]
    Came(String),
    #[error("these requests went out: {0}")]
    Requests(String),
    #[error("its undo leaves the object changed")]
    Undo,
}

/// Runs the tests of the runbook in use, or those of these steps.
pub(super) async fn test(context: &CommandContext, steps: &[String]) -> color_eyre::Result<Exit> {
    let runbook = context.runbook();
    let wanted = |test: &&StepTest| steps.is_empty() || steps.iter().any(|id| **id == *test.call.step);
    let tests: Vec<&StepTest> = runbook.tests.iter().filter(wanted).collect();
    if tests.is_empty() {
        return Ok(complain("the runbook has no such tests: write [[tests]], as docs/runbook.md has it"));
    }
    let home = std::env::temp_dir()
        .join(format!("warroom-test-{}", Ulid::from_datetime(Clock::system().now().into())));
    let all = tests.iter().flat_map(|test| Case::ALL.map(|case| (*test, case)));
    let told = all.enumerate().map(|(number, (test, case))| {
        let bench = Bench { runbook: Arc::clone(&runbook), folder: home.join(number.to_string()) };
        async move { (test, case, Instant::now(), bench.run(test, case).await) }
    });
    let mut told = futures::stream::iter(told).buffered(AT_ONCE);
    let (mut all, mut failed) = (0, 0);
    while let Some((test, case, began, result)) = told.next().await {
        all += 1;
        failed += usize::from(result.is_err());
        let StepTest { call, place, .. } = test;
        let took = began.elapsed().as_secs_f64();
        match result {
            Ok(()) => say(format_args!("✓ {}: {} ({took:.1} s)", call.step, case.name()))?,
            Err(why) => say(format_args!("✖ {}: {}: {why} ({place})", call.step, case.name()))?,
        }
    }
    let _ = std::fs::remove_dir_all(&home); // what is left there harms nobody
    if steps.is_empty() {
        untested(&runbook)?;
    }
    say(format_args!("{} of {all} passed", all - failed))?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// Says which steps have no test.
fn untested(runbook: &Runbook) -> std::io::Result<()> {
    let tested = |id: &Clean| runbook.tests.iter().any(|test| test.call.step == *id);
    let without: Vec<&str> =
        runbook.steps.iter().filter(|step| !tested(&step.id)).map(|step| step.id.as_str()).collect();
    if without.is_empty() { Ok(()) } else { say(format_args!("– no test: {}", without.join(", "))) }
}

/// What one test is run with.
struct Bench {
    runbook: Arc<Runbook>,
    /// Folder of its recording.
    folder: PathBuf,
}

impl Bench {
    async fn run(&self, test: &StepTest, case: Case) -> Result<(), Failed> {
        let clock = Clock::scaled(SPEED);
        let scenario = test.scenario.as_ref().map(|name| name.parse()).transpose();
        let scenario: Option<Scenario> = scenario.map_err(|why| Failed::Sim(format!("{why}")))?;
        let scenario = scenario.unwrap_or(Scenario::Calm);
        let config = SimConfig { clock: clock.clone(), measured: MEASURED, ..SimConfig::new(scenario) };
        let sim = Sim::start(config).await.map_err(|error| Failed::Sim(error.to_string()))?;
        let wanted = SessionConfig {
            deadline: Duration::from_secs(2),
            patience: Duration::from_secs(4),
            ..SessionConfig::simulated(&sim, "test")
        };
        let paths = Paths { config_dir: self.folder.clone(), data_dir: self.folder.clone() };
        let running = session::open(wanted, &paths, Arc::clone(&self.runbook), clock).await;
        let running = running.map_err(|error| Failed::Sim(error.to_string()))?;
        for (name, text) in &test.files {
            std::fs::write(self.folder.join(name), text).map_err(|error| Failed::Sim(error.to_string()))?;
        }
        let session = Headless::new(running);
        let mut trial = Trial { sim, session, runbook: &self.runbook, folder: &self.folder };
        let result = trial.run(test, case).await;
        trial.session.stop().seal().map_err(|error| Failed::Sim(error.to_string()))?;
        result
    }
}

/// A session on a simulated cluster of its own.
struct Trial<'a> {
    sim: Sim,
    session: Headless,
    runbook: &'a Runbook,
    folder: &'a Path,
}

impl Trial<'_> {
    async fn run(&mut self, test: &StepTest, case: Case) -> Result<(), Failed> {
        if test.scenario.is_some() {
            self.session.until(PATIENT, |session| session.state().world.alerts.firing() > 0).await;
        }
        for before in &test.after {
            let plan = self.prepare(before, &test.files).await?;
            let run = self.confirm(&plan).await;
            changed(&run)?;
        }
        let plan = self.prepare(&test.call, &test.files).await?;
        self.session.until(PATIENT, |session| session.heard(&needed(&plan))).await;
        let objects = self.objects(&plan);
        let seen = self.sim.requests().len();
        self.spoil(&plan, case);
        let run = self.confirm(&plan).await;
        self.sent_as_listed(&plan, seen)?;
        match case {
            Case::Success => {
                done(&run)?;
                self.undone(&plan, &objects).await
            }
            _ if self.asks_nothing(&plan) => refused(&run).or_else(|_| done(&run)),
            Case::Refusal => refused(&run),
            Case::LostAnswer if plan.intent.writes().next().is_none() => refused(&run),
            Case::LostAnswer => changed(&run),
        }
    }

    async fn prepare(&mut self, given: &Given, files: &[(String, String)]) -> Result<Plan, Failed> {
        let is_file = |value: &str| files.iter().any(|(name, _)| name == value);
        let whole = |kind, value: &str| {
            if is_file(value) {
                self.folder.join(value).display().to_string()
            } else {
                self.whole(kind, value)
            }
        };
        let call = given.call(self.runbook, whole);
        let call = call.ok_or_else(|| Failed::Unprepared("there is no such step".into()))?;
        let prepared = self.session.prepare(call, PATIENT).await;
        prepared.map_err(|refusal| Failed::Unprepared(refusal.reason().clone()))
    }

    /// The first pod or silence whose name or id begins so.
    fn whole(&self, kind: InputKind, value: &str) -> String {
        let Some(start) = value.strip_suffix('*') else { return value.to_owned() };
        let name = |pod: serde_json::Value| Some(pod["metadata"]["name"].as_str()?.to_owned());
        let silences = || self.session.state().world.alerts.silences().into_iter();
        let all: Vec<String> = match kind {
            InputKind::Silence => silences().map(|silence| silence.id.to_string()).collect(),
            _ => self.sim.list("Pod").into_iter().filter_map(name).collect(),
        };
        all.into_iter().find(|one| one.starts_with(start)).unwrap_or_else(|| value.to_owned())
    }

    /// Whether it may come to its end without a server: it opens a page, or shows the runbook's own words.
    fn asks_nothing(&self, plan: &Plan) -> bool {
        let step = self.runbook.step(&plan.intent.call.step);
        let several = step.is_some_and(|step| !step.kind.members(&step.with).is_empty());
        let looks = plan.intent.ops.iter().all(|op| matches!(op, Op::Look(_) | Op::Browse(_)));
        looks && plan.rights.is_empty() && !several
    }

    /// Lets go wrong what the case is about.
    fn spoil(&self, plan: &Plan, case: Case) {
        let fault = match case {
            Case::Success => return,
            Case::Refusal => Fault::Status { code: 403, applied: false },
            Case::LostAnswer => Fault::Cut { applied: plan.intent.writes().next().is_some() },
        };
        let faults = self.sim.faults();
        match plan.intent.writes().next() {
            Some(Write { method, path, .. }) => {
                let method = method.parse().unwrap_or(Method::PATCH);
                faults.on(method, path, When::Nth(1), fault);
            }
            None => faults.inject(Rule { method: None, path: String::new(), when: When::Always, fault }),
        }
    }

    async fn confirm(&mut self, plan: &Plan) -> Stage {
        let id = self.session.confirm(plan);
        self.session.until(PATIENT, |session| session.run(id).is_some_and(Run::settled)).await;
        self.session.run(id).map_or(Stage::Waiting, |run| run.stage.clone())
    }

    /// Each write that the confirmation listed went out at most once, and nothing else.
    fn sent_as_listed(&self, plan: &Plan, seen: usize) -> Result<(), Failed> {
        let mut listed: BTreeMap<String, usize> = BTreeMap::new();
        for write in plan.intent.writes() {
            *listed.entry(format!("{} {}", write.method, write.path)).or_default() += 1;
        }
        let requests = self.sim.requests();
        let real = requests[seen..].iter().filter(|one| !one.dry_run && !one.path.contains("accessreviews"));
        let sent: Vec<String> = real.map(|one| format!("{} {}", one.method, bare(&one.path))).collect();
        let fits = |one: &String| {
            let times = sent.iter().filter(|other| *other == one).count();
            listed.iter().any(|(write, count)| bare(write) == *one && times <= *count)
        };
        if sent.iter().all(fits) { Ok(()) } else { Err(Failed::Requests(sent.join(", "))) }
    }

    /// The specs of the objects that a plan writes to, without the times of a node's taints, which are the
    /// cluster's own.
    fn objects(&self, plan: &Plan) -> Vec<serde_json::Value> {
        let spec = |write: &Write| {
            let path = bare(&write.path).trim_end_matches("/scale").to_owned();
            let mut spec = self.sim.object(&path).map(|object| object["spec"].clone()).unwrap_or_default();
            let taints = spec["taints"].as_array_mut().into_iter().flatten();
            taints
                .filter_map(|taint| taint.as_object_mut())
                .for_each(|taint| drop(taint.remove("timeAdded")));
            spec
        };
        plan.intent.writes().map(spec).collect()
    }

    /// Where it has an undo, that brings its objects back.
    async fn undone(&mut self, plan: &Plan, objects: &[serde_json::Value]) -> Result<(), Failed> {
        let Some(mut undo) = plan.intent.undo.clone() else { return Ok(()) };
        undo.undoes = Some(plan.intent.id);
        let prepared = self.session.prepare(undo, PATIENT).await;
        let undo = prepared.map_err(|refusal| Failed::Unprepared(refusal.reason().clone()))?;
        let run = self.confirm(&undo).await;
        changed(&run)?;
        if self.objects(plan) == objects { Ok(()) } else { Err(Failed::Undo) }
    }
}

/// A request's path without its query.
fn bare(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_owned()
}

/// It was applied, or the first part of it, whatever came of its checks.
fn changed(stage: &Stage) -> Result<(), Failed> {
    match stage {
        Stage::Done(_) | Stage::Verifying | Stage::Reverted(_) | Stage::Partial(_) => Ok(()),
        other => Err(Failed::Came(format!("{other:?}"))),
    }
}

/// It was applied and its effect was seen, or read whole.
fn done(stage: &Stage) -> Result<(), Failed> {
    match stage {
        Stage::Done(verdict) if verdict.ok => Ok(()),
        Stage::Read(output) if output.succeeded() => Ok(()),
        other => Err(Failed::Came(format!("{other:?}"))),
    }
}

/// It was not done, and says so.
fn refused(stage: &Stage) -> Result<(), Failed> {
    match stage {
        Stage::Rejected(_) | Stage::NotSent(_) => Ok(()),
        Stage::Read(output) if !output.succeeded() => Ok(()),
        other => Err(Failed::Came(format!("{other:?}"))),
    }
}
