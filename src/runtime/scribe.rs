//! Makes events ready for the journal beside the loop: secrets are taken out and the JSON is written where no key waits for it.

use tokio::sync::mpsc;

use super::inherit::Estate;
use crate::clean::Clean;
use crate::event::{Event, Write};
use crate::journal::Redacted;

/// Events that may be ready and not taken in; whoever sends more waits.
const READY: usize = 4;

/// An event, ready to be taken in.
pub enum Ready {
    /// It is recorded. The bodies of an intent's writes are known to this process only, and go beside it.
    Recorded(Redacted<Event>, Option<Vec<Write>>),
    /// It concerns only this screen.
    Passing(Event),
    /// It cannot be recorded, and why.
    Dropped(Clean),
    /// What earlier sessions left open.
    Left(Vec<Estate>),
}

impl From<Event> for Ready {
    fn from(event: Event) -> Self {
        if !event.recorded() {
            return Self::Passing(event);
        }
        let writes = if let Event::Intent(intent) = &event { Some(intent.writes.clone()) } else { None };
        match Redacted::new(event) {
            Ok(event) => Self::Recorded(event, writes),
            Err(error) => Self::Dropped(format!("an event was dropped, it cannot be recorded: {error}").into()),
        }
    }
}

/// Takes events as they come and gives them on in the same order, ready; what comes ready already may join them. Ends with either side.
pub fn scribe(mut events: mpsc::Receiver<Event>) -> (mpsc::Sender<Ready>, mpsc::Receiver<Ready>) {
    let (sender, ready) = mpsc::channel(READY);
    let joining = sender.clone();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if sender.send(Ready::from(event)).await.is_err() {
                return;
            }
        }
    });
    (joining, ready)
}
