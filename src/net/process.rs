//! A program that was started, with all that it has started itself: a process group of its own, which the
//! terminal's keys do not reach, and which can be ended as a whole.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::Instant;

/// Time that a group has to end by itself when it is asked to.
pub const GRACE: Duration = Duration::from_secs(5);
/// How often is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// The process group that a child leads, started with `process_group(0)`. Killed when nobody waits for it any
/// more, unless it was [let go](Self::let_go).
#[derive(Debug)]
pub struct Group(Option<Pid>);

impl Group {
    /// Returns the group that a child leads which was just started.
    pub fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Leaves alone what of it still runs.
    pub fn let_go(&mut self) {
        self.0 = None;
    }

    /// Ends it: asks it to, and kills what is left after [`GRACE`].
    pub async fn end(&self) {
        self.signal(Signal::TERM);
        let end = Instant::now() + GRACE;
        while self.lives() && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
        self.kill();
    }

    /// Kills it.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended by itself in between.
            let _gone = kill_process_group(group, signal);
        }
    }

    fn lives(&self) -> bool {
        self.0.is_some_and(|group| test_kill_process_group(group).is_ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
