//! The keyboard, and the news that the terminal is gone.
//!
//! crossterm's `poll` never returns once its terminal is gone (crossterm#793), so it has a thread of its own that nobody waits for, and a
//! second one asks the system whether the terminal is still there.

use std::thread;
use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

/// How often the second thread looks, so that a terminal that was closed ends the program within two seconds.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// What comes from the terminal.
#[derive(Debug)]
pub enum Input {
    /// A key, pasted text, a new size.
    Key(Event),
    /// There is no terminal any more.
    Gone,
}

/// The terminal's events.
#[derive(Debug)]
pub struct Keyboard(mpsc::Receiver<Input>);

impl Keyboard {
    /// Begins to listen.
    pub fn start() -> Self {
        let (inputs, keyboard) = mpsc::channel(256);
        let gone = inputs.clone();
        spawn("keyboard", move || listen(&inputs));
        spawn("terminal", move || watch(&gone));
        Self(keyboard)
    }

    /// The next event; [`Input::Gone`] once there will be none.
    pub async fn next(&mut self) -> Input {
        self.0.recv().await.unwrap_or(Input::Gone)
    }
}

/// A thread that cannot be started is a keyboard that says nothing: its sender is dropped, and that reads as gone.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    drop(thread::Builder::new().name(name.to_owned()).spawn(work));
}

fn listen(inputs: &mpsc::Sender<Input>) {
    while let Ok(event) = crossterm::event::read() {
        let released = matches!(&event, Event::Key(key) if key.kind == KeyEventKind::Release);
        if !released && inputs.blocking_send(Input::Key(event)).is_err() {
            return;
        }
    }
    let _ = inputs.blocking_send(Input::Gone);
}

fn watch(inputs: &mpsc::Sender<Input>) {
    let stdin = rustix::stdio::stdin();
    while !inputs.is_closed() {
        // Nothing is asked for but the hang-up, which poll always tells.
        let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
        let told = poll(&mut asked, Some(&LOOK));
        let bad = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        if told.is_ok() && asked[0].revents().intersects(bad) {
            let _ = inputs.blocking_send(Input::Gone);
            return;
        }
        if told.is_err() {
            thread::sleep(Duration::from_millis(100)); // a signal came: look again
        }
    }
}
