//! Following logs: a task for each container ([`stream`]), and one that gathers what they hear into news at a
//! pace that a screen can take.
//!
//! A container's log is taken up again whenever it breaks off, without a gap and without repeating
//! ([`seen`]), for as long as the same pod is there. Everything between the wire and the screen is bounded:
//! who hears more than can be shown waits, and the API server with them.

mod lines;
mod pod;
mod seen;
mod stream;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::stream::Stream;
use super::{Clusters, Following};
use crate::clean::Clean;
use crate::event::{Event, LogLine, LogNews, LogState, View};
use crate::net::clock::Clock;

/// Lines and states on their way from the streams.
const WAITING: usize = 1024;
/// Lines told together, at most.
const BATCH: usize = 2000;
/// The distance between two news.
const PACE: Duration = Duration::from_millis(40);

/// What a stream hears.
enum Heard {
    Line(LogLine),
    State(u16, LogState),
}

/// Where a stream tells what it hears; it waits while there is too much.
#[derive(Clone)]
struct Outlet(mpsc::Sender<Heard>);

impl Outlet {
    async fn tell(&self, heard: Heard) {
        if self.0.send(heard).await.is_err() {
            std::future::pending::<()>().await; // nobody listens any more: wait to be stopped
        }
    }
}

/// The logs that are followed together; dropped, nobody follows them.
pub(super) struct Logs {
    number: u64,
    clusters: Clusters,
    clock: Clock,
    outlet: Outlet,
    tasks: JoinSet<()>,
}

impl Logs {
    /// Nothing followed yet, under a number of its own.
    pub(super) fn new(number: u64, clusters: Clusters, clock: Clock, events: mpsc::Sender<Event>) -> Self {
        let (heard, hearing) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        tasks.spawn(gather(number, hearing, events));
        Self { number, clusters, clock, outlet: Outlet(heard), tasks }
    }

    /// The number that these are followed under.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Follows further containers.
    pub(super) fn follow(&mut self, following: Following) {
        while self.tasks.try_join_next().is_some() {}
        for (number, source) in following.sources {
            let outlet = self.outlet.clone();
            let clock = self.clock.clone();
            let Some(cluster) = self.clusters.at(source.uid.context()) else { continue };
            let stream =
                Stream::new(number, &cluster.reader, source, following.extent, clock, outlet.clone());
            self.tasks.spawn(async move {
                if AssertUnwindSafe(stream.follow()).catch_unwind().await.is_err() {
                    outlet
                        .tell(Heard::State(number, LogState::Refused(Clean::new(super::settings::BROKEN))))
                        .await;
                }
            });
        }
    }
}

/// Tells what is heard, in batches.
async fn gather(following: u64, mut hearing: mpsc::Receiver<Heard>, events: mpsc::Sender<Event>) {
    let mut batch = Vec::with_capacity(BATCH);
    while hearing.recv_many(&mut batch, BATCH).await > 0 {
        let mut news = LogNews { following, ..LogNews::default() };
        for heard in batch.drain(..) {
            match heard {
                Heard::Line(line) => news.lines.push(line),
                Heard::State(stream, state) => news.states.push((stream, state)),
            }
        }
        if events.send(Event::View(View::Logs(news))).await.is_err() {
            return;
        }
        tokio::time::sleep(PACE).await;
    }
}

#[cfg(test)]
mod tests;
