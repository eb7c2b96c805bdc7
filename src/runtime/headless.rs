//! A session without a screen: `warroom run` and `warroom status` drive the same core, sources and executor
//! as the full screen.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use ulid::Ulid;

use super::engine::{Engine, Released};
use super::{Core, Encoded};
use crate::effect::Effect;
use crate::event::{Event, Operator, Plan, Prepared, Refusal, SourceId, SourceState, StepCall, View};
use crate::keymap::Action;
use crate::session::Running;
use crate::source::Sources;
use crate::state::{Run, Stage, State};
use crate::step::guard;

/// A session that is driven by code.
pub struct Headless {
    engine: Engine,
    released: mpsc::UnboundedReceiver<Released>,
    events: mpsc::Receiver<Encoded>,
    prepared: Option<Prepared>,
    _sources: Sources,
}

impl Headless {
    /// Takes over a session that was just opened.
    pub fn new(running: Running) -> Self {
        let Running { core, executor, events, sources, first } = running;
        let (engine, released) = Engine::new(core, executor);
        let mut session = Self { engine, released, events, prepared: None, _sources: sources };
        for event in first {
            session.take(event);
        }
        session
    }

    /// What is so.
    pub fn state(&self) -> &State {
        self.engine.state()
    }

    /// Where the session is recorded.
    pub fn recording(&self) -> Option<&Path> {
        self.engine.recording()
    }

    /// Takes in one event and carries out what follows.
    pub fn take(&mut self, event: impl Into<Encoded>) {
        let event = event.into();
        if let Encoded::Passing(Event::View(View::Prepared(prepared))) = &event {
            self.prepared = Some((**prepared).clone());
        }
        self.engine.take(event);
    }

    /// Waits for the next event and takes it in.
    pub async fn turn(&mut self) {
        tokio::select! {
            Some(released) = self.released.recv() => drop(self.engine.release(released)),
            Some(event) = self.events.recv() => self.take(event),
        }
    }

    /// Ends the session: what runs is stopped, and the core can be sealed.
    pub fn stop(self) -> Core {
        self.engine.stop()
    }

    /// Takes events in until `done`, or until `limit` is over. Answers whether it was done.
    pub async fn until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = tokio::time::Instant::now() + limit;
        while !done(self) {
            if tokio::time::timeout_at(end, self.turn()).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Whether every source has spoken: it is live and its first reading is in, or it has said why not.
    pub fn heard(&self, sources: &[SourceId]) -> bool {
        let world = &self.state().world;
        sources.iter().all(|source| {
            world.sources.get(source).is_some_and(|health| health.state != SourceState::Starting)
        })
    }

    /// Prepares a step: what it would send, and what preflight found.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn prepare(&mut self, call: StepCall, limit: Duration) -> Result<Plan, Refusal> {
        self.prepared = None;
        self.engine.carry_out(vec![Effect::Prepare(call)]);
        self.until(limit, |session| session.prepared.is_some()).await;
        match self.prepared.take() {
            Some(prepared) => {
                let state = self.state();
                prepared.result.map(|plan| guard::guarded(&state.world, plan, state.now))
            }
            None => Err(Refusal::Failed(
                format!("the cluster did not answer within {} s", limit.as_secs()).into(),
            )),
        }
    }

    /// Confirms the plan; arms for this run, where it changes something.
    pub fn confirm(&mut self, plan: &Plan) -> Ulid {
        let session = self.state().world.session.as_ref().filter(|session| session.several());
        let several = session.map(|session| Operator::Armed(session.of(&plan.intent.target)));
        if !plan.intent.only_reads() {
            self.take(Event::Operator(several.unwrap_or(Operator::Did(Action::Arm))));
        }
        self.take(Event::Intent(Box::new(plan.intent.clone())));
        plan.intent.id
    }

    /// The run of an intent.
    pub fn run(&self, intent: Ulid) -> Option<&Run> {
        self.state().world.runs.get(intent)
    }

    /// Whether the answer to an intent is in; an answer that was lost counts only once reading has given up
    /// (`unknown` stays).
    pub fn answered(&self, intent: Ulid) -> bool {
        self.run(intent).is_some_and(|run| run.settled() || run.stage == Stage::Verifying)
    }
}
