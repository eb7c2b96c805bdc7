//! Makes events ready for the journal beside the loop: secrets are taken out and the JSON is written where no
//! key waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::orphans::Orphans;
use super::screen::Moved;
use crate::clean::Clean;
use crate::event::{Event, Private, View};
use crate::journal::Permit;
use crate::journal::Redacted;

/// Events that may be ready and not taken in; whoever sends more waits.
const READY: usize = 4;

/// An event, ready to be taken in.
pub enum Encoded {
    /// It is recorded. What is known to this process only goes beside it; so does the room it takes.
    Recorded(Redacted<Event>, Private, Option<Permit>),
    /// It concerns only this screen.
    Passing(Event),
    /// It cannot be recorded, and why.
    Dropped(Clean),
    /// What earlier sessions left open.
    Left(Vec<Orphans>),
}

impl Encoded {
    /// What it moves.
    pub(super) fn moves(&self) -> Moved {
        match self {
            Self::Recorded(event, ..) if event.get().is_reading() => Moved::Reading,
            Self::Passing(Event::View(View::Tick)) => Moved::Clock,
            _ => Moved::World,
        }
    }
}

impl From<Event> for Encoded {
    fn from(event: Event) -> Self {
        if !event.recorded() {
            return Self::Passing(event);
        }
        let private = Private::of(&event);
        match Redacted::new(event) {
            Ok(event) => Self::Recorded(event, private, None),
            Err(error) => {
                Self::Dropped(format!("an event was dropped, it cannot be recorded: {error}").into())
            }
        }
    }
}

/// Bytes of what sources say that may wait for the disk; then they wait, and what they read from. Without
/// this a listing that comes faster than a slow disk takes it would be in memory as text.
const ROOM: usize = 2 << 20;
/// How long they wait at most. A disk that takes nothing for so long is not waited for again until it has
/// taken something: the journal says so, and what is so goes on to the screen.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who lets records through to the journal.
struct Backpressure {
    room: Arc<Semaphore>,
    patience: Duration,
    /// Whether the disk has taken something since it was waited for in vain.
    trusts: bool,
}

impl Backpressure {
    fn new(patience: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM)), patience, trusts: true }
    }

    async fn admit(&mut self, ready: Encoded) -> Encoded {
        let Encoded::Recorded(event, private, _) = ready else { return ready };
        let bytes = u32::try_from(event.json().len().min(ROOM)).unwrap_or(u32::MAX);
        let patience = if self.trusts { self.patience } else { Duration::ZERO };
        let room = timeout(patience, Arc::clone(&self.room).acquire_many_owned(bytes))
            .await
            .ok()
            .and_then(Result::ok);
        self.trusts = room.is_some();
        Encoded::Recorded(event, private, room)
    }
}

/// Takes events as they come and gives them on in the same order, ready; what comes ready already may join
/// them. Ends with either side.
pub fn encoder(mut events: mpsc::Receiver<Event>) -> (mpsc::Sender<Encoded>, mpsc::Receiver<Encoded>) {
    let (sender, ready) = mpsc::channel(READY);
    let joining = sender.clone();
    tokio::spawn(async move {
        let mut gate = Backpressure::new(PATIENCE);
        while let Some(event) = events.recv().await {
            let ready = gate.admit(Encoded::from(event)).await;
            if sender.send(ready).await.is_err() {
                return;
            }
        }
    });
    (joining, ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Encoded {
        Encoded::from(Event::JournalTrouble(Some(Clean::new(&"x".repeat(ROOM)))))
    }

    fn room(ready: Encoded) -> Option<Permit> {
        let Encoded::Recorded(.., room) = ready else { panic!("it is recorded") };
        room
    }

    #[test]
    fn an_alert_is_news_and_a_reading_is_not() {
        let moves = |event| Encoded::from(event).moves();
        assert_eq!(
            [moves(Event::Rates(Vec::new())), moves(Event::View(View::Tick))],
            [Moved::Reading, Moved::Clock]
        );
        assert_eq!(
            [moves(Event::Alerts(Vec::new())), moves(Event::Silences(Vec::new())), record().moves()],
            [Moved::World; 3]
        );
    }

    #[tokio::test]
    async fn what_waits_for_the_disk_is_bounded_and_a_dead_disk_is_waited_for_once() {
        let mut gate = Backpressure::new(Duration::from_millis(20));
        let first = room(gate.admit(record()).await);
        assert!(first.is_some());
        assert!(room(gate.admit(record()).await).is_none());
        gate.patience = Duration::MAX;
        assert!(room(gate.admit(record()).await).is_none(), "it is not waited for again");
        drop(first); // it is written
        let held = room(gate.admit(record()).await);
        assert!(held.is_some());
        let next = tokio::spawn(async move { room(gate.admit(record()).await).is_some() });
        tokio::task::yield_now().await;
        drop(held);
        assert!(next.await.unwrap(), "a slow one is");
    }
}
