//! The loop: an event comes, is redacted, stamped, written down, reduced; its effects go out; a frame is
//! drawn.
//!
//! [`Core`] is that without sources and without a screen; an [`engine`] adds the executor, [`live`] the
//! screen, [`headless`] only the sources (for `run` and `status`), [`replay`] only the screen and a
//! recording, and has no executor.

mod encoder;
pub mod engine;
pub mod headless;
mod input;
pub mod live;
pub mod orphans;
pub mod player;
pub mod replay;
mod screen;

use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use ulid::Ulid;

use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::{Event, Outcome, Private, Record};
use crate::journal::Permit;
use crate::journal::{JournalError, Pending, Redacted, Writer};
use crate::net::clock::Clock;
use crate::reduce::reduce;
use crate::runbook::Runbook;
use crate::state::State;

use self::orphans::Orphans;

pub use self::encoder::{Encoded, encoder};
pub use input::Keys;
pub use screen::{Look, Looks};

/// State and journal of a session.
pub struct Core {
    /// What is so, and what is looked at.
    pub state: State,
    journal: Option<Writer>,
    clock: Clock,
    seq: u64,
    at: DateTime<Utc>,
}

/// What follows from an event.
#[derive(Default)]
pub struct Followed {
    /// To be carried out now.
    pub effects: Vec<Effect>,
    /// To be carried out only once the event is on disk (invariant 5).
    pub once_durable: Option<Held>,
}

/// Resolves once an event is on disk, or cannot be.
type Ack = std::pin::Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send>>;

/// Effects of a decision that is still on its way to the disk.
pub struct Held {
    intent: Ulid,
    effects: Vec<Effect>,
    ack: Ack,
}

impl Held {
    /// Waits for the disk. An intent that is not on it is not carried out.
    pub async fn released(self) -> Result<Vec<Effect>, Event> {
        match self.ack.await {
            Ok(()) => Ok(self.effects),
            Err(error) => {
                let reason =
                    format!("the journal could not be written ({error}), so nothing may be changed").into();
                Err(Event::Outcome { intent: self.intent, outcome: Outcome::NotSent { reason } })
            }
        }
    }
}

impl Core {
    /// A session that begins now. Without a journal nothing is recorded, and nothing can be changed.
    pub fn new(clock: Clock, runbook: Arc<Runbook>, journal: Option<Writer>) -> Self {
        let at = micros(clock.now());
        Self { state: State::new(at, runbook), journal, clock, seq: 0, at }
    }

    /// Takes in one event.
    pub fn take(&mut self, event: impl Into<Encoded>) -> Followed {
        self.at = self.at.max(micros(self.clock.now()));
        match event.into() {
            Encoded::Passing(event) => {
                let record = Record { seq: self.seq, at: self.at, event };
                Followed { effects: reduce(&mut self.state, &record), once_durable: None }
            }
            Encoded::Recorded(event, private, room) => self.record(event, private, room),
            Encoded::Left(orphans) => self.inherit(orphans),
            Encoded::Dropped(why) => {
                self.state.screen.tell(self.at, why);
                Followed::default()
            }
        }
    }

    /// Takes over what earlier sessions left open: each intent is resolved by reading.
    fn inherit(&mut self, orphans: Vec<Orphans>) -> Followed {
        let mut all = Followed::default();
        for intent in orphans.iter().flat_map(|orphans| &orphans.intents) {
            all.effects.extend(self.take(Event::Inherited(Box::new(intent.clone()))).effects);
        }
        orphans::hand_over(orphans, self.durable());
        all
    }

    /// Writes it down and reduces it. What follows from an intent to change something waits for the disk.
    fn record(&mut self, event: Redacted<Event>, private: Private, room: Option<Permit>) -> Followed {
        self.seq += 1;
        let ack = self.write(&event, room);
        let mut event = event.into_inner();
        private.restore(&mut event);
        let record = Record { seq: self.seq, at: self.at, event };
        let effects = reduce(&mut self.state, &record);
        match record.event {
            Event::Intent(intent) if !intent.only_reads() => {
                let ack = ack.unwrap_or_else(|| Box::pin(async { Err(JournalError::Closed) }));
                Followed { effects: Vec::new(), once_durable: Some(Held { intent: intent.id, effects, ack }) }
            }
            _ => Followed { effects, once_durable: None },
        }
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn write(&mut self, event: &Redacted<Event>, room: Option<Permit>) -> Option<Ack> {
        let journal = self.journal.as_mut()?;
        let entry = Pending::new(self.seq, self.at, event, room);
        if event.get().decisive() {
            return Some(Box::pin(journal.decide(entry)));
        }
        let _ = journal.observe(entry); // the journal's own health tells what is lost
        None
    }

    /// Looks after the journal: a checkpoint when it wants one; what to say when its health changed.
    pub fn tend(&mut self) -> Option<Event> {
        let journal = self.journal.as_mut()?;
        if journal.wants_checkpoint() {
            let _ = journal.checkpoint(self.at, self.state.world.copy_to_write());
        }
        let trouble =
            journal.trouble().map(|error| Clean::new(&format!("the journal cannot be written: {error}")));
        (self.state.world.journal_trouble != trouble).then_some(Event::JournalTrouble(trouble))
    }

    /// Where the session is recorded.
    pub fn recording(&self) -> Option<&std::path::Path> {
        self.journal.as_ref().map(Writer::path)
    }

    /// Waits until everything taken in so far is on disk; `false` when some of it never will be.
    pub fn durable(&self) -> impl Future<Output = bool> + Send + use<> {
        let seq = self.seq;
        let status = self.journal.as_ref().map(Writer::status);
        async move {
            let Some(mut status) = status else { return false };
            status.wait_for(|status| status.durable_seq >= seq).await.is_ok_and(|status| status.lost == 0)
        }
    }

    /// Ends the recording well.
    ///
    /// # Errors
    /// The last records could not be written.
    pub fn seal(&mut self) -> Result<(), JournalError> {
        self.journal.take().map_or(Ok(()), |journal| journal.seal().map(drop))
    }
}

/// Cut to what the journal keeps, so that a replay's times are the session's.
fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}
