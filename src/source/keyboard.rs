//! The terminal's input: keys, pastes, sizes; and that there is no terminal any more.
//!
//! Two threads, for both waits block: one reads with crossterm, one asks the kernel whether the terminal hung
//! up, which crossterm never notices (crossterm-rs/crossterm#793: once the terminal is gone its poll does not
//! return, deadline or not).

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

/// How soon a keyboard that is not wanted any more lets go of the terminal. A process that ends does not wait
/// for it.
const LET_GO: Duration = Duration::from_secs(1);

/// What the terminal does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key, a paste, a new size.
    Terminal(crossterm::event::Event),
    /// It is gone: the window was closed, the connection lost. Nothing can be shown or typed any more.
    Gone,
}

/// Reads the terminal until it is dropped; then, within a second, the terminal is free for another program.
#[derive(Debug)]
pub struct Keyboard {
    unwanted: Arc<AtomicBool>,
}

impl Keyboard {
    /// Begins to read.
    ///
    /// # Errors
    /// There is no terminal, or no thread for it.
    pub fn listen(inputs: mpsc::Sender<Input>) -> io::Result<Self> {
        let unwanted = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&unwanted);
        let gone = inputs.clone();
        let watched = terminal()?;
        thread::Builder::new().name("terminal".into()).spawn(move || watch(&watched, &gone, &stop))?;
        let stop = Arc::clone(&unwanted);
        thread::Builder::new().name("keyboard".into()).spawn(move || read(&inputs, &stop))?;
        Ok(Self { unwanted })
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}

/// The same terminal that crossterm reads: standard input if it is one, else the controlling one.
fn terminal() -> io::Result<File> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        Ok(File::from(stdin.as_fd().try_clone_to_owned()?))
    } else {
        File::open("/dev/tty")
    }
}

fn read(inputs: &mpsc::Sender<Input>, unwanted: &AtomicBool) {
    while !unwanted.load(Ordering::Relaxed) {
        let input = match crossterm::event::poll(LET_GO) {
            Ok(false) => continue,
            Ok(true) => crossterm::event::read(),
            Err(error) => Err(error),
        };
        let input = input.map_or(Input::Gone, Input::Terminal);
        let last = input == Input::Gone;
        if inputs.blocking_send(input).is_err() || last {
            return;
        }
    }
}

fn watch(terminal: &impl AsFd, inputs: &mpsc::Sender<Input>, unwanted: &AtomicBool) {
    let let_go = Timespec::try_from(LET_GO).ok();
    while !unwanted.load(Ordering::Relaxed) {
        // No event is asked for: a hangup and an error are told all the same.
        let mut asked = [PollFd::new(terminal, PollFlags::empty())];
        let told = poll(&mut asked, let_go.as_ref());
        let lost = asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        if lost || told.is_err_and(|error| error != rustix::io::Errno::INTR) {
            let _nobody_listens = inputs.blocking_send(Input::Gone);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_terminal_that_hangs_up_is_told_at_once() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (inputs, mut told) = mpsc::channel(1);
        let watcher = thread::spawn(move || watch(&ours, &inputs, &AtomicBool::new(false)));
        assert!(told.try_recv().is_err());
        drop(theirs);
        assert_eq!(told.blocking_recv(), Some(Input::Gone));
        watcher.join().unwrap();
    }
}
