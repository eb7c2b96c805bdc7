//! What a person does at a session: types a line, presses a key, waits for the dialog.

use std::time::Duration;

use warroom::event::{Event, Operator, View};
use warroom::keymap::Action;
use warroom::reduce::command;
use warroom::runtime::headless::Headless;
use warroom::sim::SeenRequest;
use warroom::state::{Dialog, Page, Run};

use super::{Room, until};

/// Time that goes by while something is waited for.
const STEP: Duration = Duration::from_millis(60);

impl Room {
    /// Takes events in until `done`. Answers whether it was done.
    pub async fn until(&mut self, done: impl FnMut(&Headless) -> bool) -> bool {
        until(&mut self.session, &self.clock, STEP, done).await
    }

    pub fn command(&mut self, line: &str) {
        self.session.take(command(self.session.state(), line));
    }

    pub fn press(&mut self, action: Action) {
        self.session.take(Event::Operator(Operator::Did(action)));
    }

    /// The dialog that is open.
    pub fn dialog(&self) -> &Dialog {
        let Some(Page::Confirm(dialog)) = self.session.state().screen.pages.last() else {
            panic!("no dialog: {:?}", self.session.state().screen.pages)
        };
        dialog
    }

    /// Waits for the dialog of a step that was begun, until its keys live.
    pub async fn asked(&mut self) {
        let asked =
            |session: &Headless| matches!(session.state().screen.pages.last(), Some(Page::Confirm(_)));
        assert!(self.until(asked).await, "{:?}", self.session.state().screen.pages);
        self.clock.advance(Duration::from_secs(1));
        self.session.take(Event::View(View::Tick));
    }

    /// Begins the step of that line, and waits for its dialog.
    pub async fn begin(&mut self, line: &str) {
        self.command(line);
        self.asked().await;
    }

    /// The newest change.
    pub fn last(&self) -> &Run {
        self.session.state().world.runs.all().next_back().unwrap()
    }

    /// Waits until nothing more comes of any change.
    pub async fn settle(&mut self) -> &Run {
        let settled = |session: &Headless| session.state().world.runs.all().all(Run::settled);
        assert!(self.until(settled).await, "{:?}", self.last());
        self.last()
    }

    /// What was sent to change something, dry runs apart.
    pub fn writes(&self) -> Vec<SeenRequest> {
        self.sim.requests().into_iter().filter(|request| !request.dry_run).collect()
    }

    /// What the viewer is told now.
    pub fn message(&self) -> &str {
        self.session.state().screen.message.as_ref().map_or("", |(_, text)| text)
    }
}
