//! A session without a screen: `warroom run` and `warroom status` drive the same core, sources and executor as the full screen.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use ulid::Ulid;

use super::{Core, Followed, inherit};
use crate::effect::{Effect, Executor};
use crate::event::{Event, Operator, Outcome, Plan, Prepared, Refusal, SourceId, SourceState, StepCall, View};
use crate::keymap::Action;
use crate::session::Running;
use crate::source::Sources;
use crate::state::{Run, Stage};

/// A session that is driven by code.
pub struct Headless {
    /// State and journal.
    pub core: Core,
    executor: Executor,
    events: mpsc::Receiver<Event>,
    released: (mpsc::UnboundedSender<Result<Vec<Effect>, Event>>, mpsc::UnboundedReceiver<Result<Vec<Effect>, Event>>),
    prepared: Option<Prepared>,
    _sources: Sources,
}

impl Headless {
    /// Takes over a session that was just opened.
    pub fn new(running: Running) -> Self {
        let Running { core, executor, events, sources, first, estates } = running;
        let mut session = Self { core, executor, events, released: mpsc::unbounded_channel(), prepared: None, _sources: sources };
        first.into_iter().for_each(|event| session.take(event));
        inherit::hand_on(estates, session.core.durable());
        session
    }

    /// Takes in one event and carries out what follows.
    pub fn take(&mut self, event: Event) {
        if let Event::View(View::Prepared(prepared)) = &event {
            self.prepared = Some((**prepared).clone());
        }
        let Followed { effects, once_durable } = self.core.take(event);
        if let Some(held) = once_durable {
            let released = self.released.0.clone();
            tokio::spawn(async move { released.send(held.released().await) });
        }
        if let Some(trouble) = self.core.tend() {
            self.core.take(trouble);
        }
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Intend(intent) => self.take(Event::Intent(intent)),
                effect => self.executor.execute(effect),
            }
        }
    }

    /// Waits for the next event and takes it in.
    pub async fn turn(&mut self) {
        tokio::select! {
            Some(released) = self.released.1.recv() => match released {
                Ok(effects) => self.carry_out(effects),
                Err(refused) => self.take(refused),
            },
            Some(event) = self.events.recv() => self.take(event),
        }
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
        let world = &self.core.state.world;
        sources.iter().all(|source| world.sources.get(source).is_some_and(|health| health.state != SourceState::Starting))
    }

    /// Prepares a step: what it would send, and what preflight found.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn prepare(&mut self, call: StepCall, limit: Duration) -> Result<Plan, Refusal> {
        self.prepared = None;
        self.executor.execute(Effect::Prepare(call));
        self.until(limit, |session| session.prepared.is_some()).await;
        match self.prepared.take() {
            Some(prepared) => prepared.result,
            None => Err(Refusal::Failed(format!("the cluster did not answer within {} s", limit.as_secs()).into())),
        }
    }

    /// Arms for this run and confirms the plan.
    pub fn confirm(&mut self, plan: &Plan) -> Ulid {
        self.take(Event::Operator(Operator::Did(Action::Arm)));
        self.take(Event::Intent(Box::new(plan.intent.clone())));
        plan.intent.id
    }

    /// The run of an intent.
    pub fn run(&self, intent: Ulid) -> Option<&Run> {
        self.core.state.world.runs.get(intent)
    }

    /// Whether the answer to an intent is in; an answer that was lost counts only once reading has given up (`unknown` stays).
    pub fn answered(&self, intent: Ulid) -> bool {
        self.run(intent).is_some_and(|run| matches!(run.stage, Stage::Verifying | Stage::Rejected(_) | Stage::Done(_)))
    }

    /// Outcomes by intent, for those who count.
    pub fn outcomes(&self) -> BTreeMap<Ulid, Option<Outcome>> {
        self.core.state.world.runs.all().map(|run| (run.intent.id, run.outcome.clone())).collect()
    }
}
