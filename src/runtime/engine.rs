//! A core with an executor: takes events in, carries out what follows, and hands back only what concerns the
//! screen.

use std::path::Path;

use tokio::sync::mpsc;
use ulid::Ulid;

use super::{Core, Encoded, Followed};
use crate::effect::{Effect, Executor};
use crate::event::{Event, Outcome};
use crate::state::State;
use crate::step::guard::{self, Denied};

/// What came of a decision on its way to the disk: its effects, or the event that it was refused.
pub type Released = Result<Vec<Effect>, Event>;

/// A live session without its screen.
pub struct Engine {
    core: Core,
    executor: Executor,
    releases: mpsc::UnboundedSender<Released>,
}

impl Engine {
    /// An engine, and where decisions come back once they are on disk: each goes into [`Engine::release`].
    pub fn new(core: Core, executor: Executor) -> (Self, mpsc::UnboundedReceiver<Released>) {
        let (releases, coming) = mpsc::unbounded_channel();
        (Self { core, executor, releases }, coming)
    }

    /// What is so, and what is looked at.
    pub fn state(&self) -> &State {
        &self.core.state
    }

    /// Where the session is recorded.
    pub fn recording(&self) -> Option<&Path> {
        self.core.recording()
    }

    /// Waits until everything taken in so far is on disk; `false` when some of it never will be.
    pub fn durable(&self) -> impl Future<Output = bool> + Send + use<> {
        self.core.durable()
    }

    /// Takes in one event. What it answers is for the screen: leaving, drawing, the clipboard.
    pub fn take(&mut self, event: impl Into<Encoded>) -> Vec<Effect> {
        let Followed { effects, once_durable } = self.core.take(event);
        if let Some(held) = once_durable {
            let releases = self.releases.clone();
            tokio::spawn(async move { releases.send(held.released().await) });
        }
        if let Some(trouble) = self.core.tend() {
            self.core.take(trouble);
        }
        self.carry_out(effects)
    }

    /// A decision is on disk, or could not be written.
    pub fn release(&mut self, released: Released) -> Vec<Effect> {
        match released {
            Ok(effects) => self.carry_out(effects),
            Err(refused) => self.take(refused),
        }
    }

    /// Carries effects out.
    pub fn carry_out(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut for_the_screen = Vec::new();
        for effect in effects {
            match effect {
                Effect::Decide(decision) => for_the_screen.extend(self.take(Event::Operator(decision))),
                Effect::Intend(intent) => for_the_screen.extend(self.take(Event::Intent(intent))),
                Effect::Leave(intent) => for_the_screen.extend(self.leave(intent)),
                Effect::Settle { intent, outcome } => {
                    for_the_screen.extend(self.take(Event::Outcome { intent, outcome }));
                }
                effect if effect.of_the_screen() => for_the_screen.push(effect),
                effect => self.executor.execute(effect),
            }
        }
        for_the_screen
    }

    /// The next op of an intent leaves, if it may: what was allowed when it was confirmed may not be any
    /// more.
    fn leave(&mut self, id: Ulid) -> Vec<Effect> {
        let Some(run) = self.core.state.world.runs.get(id).filter(|run| !run.settled()) else {
            return Vec::new();
        };
        match guard::authorise(&self.core.state.world, &run.intent, self.core.now()) {
            Ok(authorised) => {
                let op = u32::try_from(authorised.at()).unwrap_or(u32::MAX);
                let effects = self.take(Event::Sent { intent: id, op });
                self.executor.execute(Effect::Send(Box::new(authorised)));
                effects
            }
            Err(Denied::Over(_)) => Vec::new(),
            Err(denied) => {
                let done = run.intent.writes_before(run.done);
                let rest = run.intent.writes_before(run.intent.count()) - done;
                let why = denied.to_string().into();
                let outcome = if done == 0 {
                    Outcome::NotSent { reason: why }
                } else {
                    Outcome::Partial { done, rest, why }
                };
                self.take(Event::Outcome { intent: id, outcome })
            }
        }
    }

    /// Stops everything that runs, and gives the core back.
    pub fn stop(self) -> Core {
        self.core
    }
}
