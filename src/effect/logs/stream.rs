//! One container's log, for as long as its pod is there: read, broken off, looked after, taken up again.
//!
//! What ends a stream without a word: the container's end, a load balancer or proxy that has waited long
//! enough, the API server's restart, and the rotation of the file, after which some kubelets send nothing
//! more and do not say so. So a stream that is quiet for long is asked anew as well; [`Seen`] takes out what
//! comes twice.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::AsyncBufRead;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::LogParams;

use super::lines::{Lines, stamped};
use super::pod::{Exit, Here, Look, Now, look};
use super::seen::{Novelty, Seen};
use super::{Heard, Outlet};
use crate::clean::{Clean, Styled};
use crate::event::{Level, LogEnd, LogExtent, LogLine, LogSource, LogState};
use crate::logtext;
use crate::net::clock::Clock;
use crate::units;

/// Until a stream that broke off is asked for again; doubled up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The same after a refusal.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// A stream without an answer for so long has one to come with its first line: some servers send no header
/// before.
const SOON: Duration = Duration::from_secs(1);
/// How long a stream may be quiet before it is asked for anew; doubled up to the longest while nothing comes
/// of it.
const QUIET: Duration = Duration::from_secs(15);
const LONGEST_QUIET: Duration = Duration::from_secs(240);

/// A container's log.
pub(super) struct Stream {
    number: u16,
    pods: Api<Pod>,
    source: LogSource,
    extent: LogExtent,
    clock: Clock,
    outlet: Outlet,
    seen: Seen,
    /// The first line that is wanted, when not all are.
    from: Option<DateTime<Utc>>,
    /// There was an answer: from now on only what is new is asked for.
    begun: bool,
    /// The run that is read.
    run: Option<i32>,
    read: Read,
    /// The stream broke off, and did not end.
    broken: bool,
    quiet: Duration,
    /// The time of the last line, and what the kubelet itself said last.
    newest: DateTime<Utc>,
    remark: String,
}

/// How far the log of a run was read.
#[derive(Clone, Copy, PartialEq)]
enum Read {
    /// Not at all.
    Not,
    /// Up to a line.
    Partly,
    /// To its end.
    Wholly,
}

/// What follows.
enum Next {
    /// Look at once.
    Again,
    /// Look again after a while; until then this is how it stands.
    Later(LogState),
    /// That was all.
    Over(LogEnd),
}

/// Why a reading is over.
enum Stop {
    /// The server ended it.
    End,
    /// It was quiet for long.
    Quiet,
    /// It failed.
    Broken(String),
    /// The server refused it.
    Refused(u16, String),
}

impl Stream {
    pub(super) fn new(
        number: u16,
        client: &kube::Client,
        source: LogSource,
        extent: LogExtent,
        clock: Clock,
        outlet: Outlet,
    ) -> Self {
        let now = clock.now();
        Self {
            number,
            pods: Api::namespaced(client.clone(), &source.namespace),
            source,
            extent,
            outlet,
            seen: Seen::default(),
            from: extent.since().map(|minutes| now - TimeDelta::minutes(minutes.into())),
            begun: false,
            run: None,
            read: Read::Not,
            broken: false,
            quiet: QUIET,
            newest: now,
            remark: String::new(),
            clock,
        }
    }

    /// Follows until the container has ended for good or its pod is gone.
    pub(super) async fn follow(mut self) {
        let mut pause = PAUSE;
        loop {
            let next = if self.extent.previous { self.before().await } else { self.turn().await };
            pause = match next {
                Next::Over(end) => return self.state(LogState::Ended(end)).await,
                Next::Again => PAUSE,
                Next::Later(state) => {
                    let refused = matches!(state, LogState::Refused(_));
                    self.state(state).await;
                    if refused { REFUSED_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) }
                }
            };
            self.clock.sleep(pause).await;
        }
    }

    async fn turn(&mut self) -> Next {
        match look(&self.pods, &self.source).await {
            Look::Gone => self.gone().await,
            Look::Unheard(why) => Next::Later(LogState::Reconnecting(why.into())),
            Look::Blind => self.listen().await,
            Look::Here(here) => match self.catch_up(&here).await {
                Some(later) => later,
                None => self.attend(here).await,
            },
        }
    }

    /// The run before, to its end.
    async fn before(&mut self) -> Next {
        match self.stream(LogParams { previous: true, ..self.parameters() }).await {
            Stop::End if self.seen.since().is_none() && !self.remark.is_empty() => Next::Over(LogEnd::Gone),
            Stop::End => {
                if let Look::Here(Here { before: Some(exit), .. }) = look(&self.pods, &self.source).await {
                    self.mark(&format!("it ended: {exit}")).await;
                }
                Next::Over(LogEnd::Read)
            }
            Stop::Refused(400 | 404, why) => {
                self.mark(&format!("no earlier run: {why}")).await;
                Next::Over(LogEnd::Read)
            }
            stop => self.after(stop, false),
        }
    }

    async fn gone(&mut self) -> Next {
        let lost = if self.broken { "; its last lines may be missing" } else { "" };
        self.mark(&format!("the pod is gone{lost}")).await;
        Next::Over(LogEnd::Gone)
    }

    /// Reads what is left of a run that ended since the last look, and says what happened.
    async fn catch_up(&mut self, here: &Here) -> Option<Next> {
        let run = self.run.filter(|run| here.run > *run);
        if let Some(run) = run {
            let missed = here.run - run - 1;
            if missed > 0 {
                self.mark(&format!(
                    "▲ gap: restarted {} times since, the logs of {} are gone",
                    missed + 1,
                    units::counted(usize::try_from(missed).unwrap_or_default(), "run")
                ))
                .await;
            }
            if self.read != Read::Wholly || missed > 0 {
                self.seen.resume(missed == 0);
                match self.stream(LogParams { previous: true, ..self.parameters() }).await {
                    Stop::End => {}
                    Stop::Refused(400 | 404, why) => {
                        self.mark(&format!("▲ gap: the end of the run before is gone: {why}")).await;
                    }
                    stop => return Some(self.after(stop, false)),
                }
            }
            self.mark(&restarted(here.before.as_ref())).await;
            self.read = Read::Not;
            self.begun = true;
        }
        self.run = Some(here.run);
        None
    }

    /// What the container's state asks for.
    async fn attend(&mut self, here: Here) -> Next {
        match here.now {
            Now::Running => self.listen().await,
            Now::Waiting(why) => self.drain(here.before).await.unwrap_or(Next::Later(LogState::Waiting(why))),
            Now::Exited(exit, over) => {
                let code = exit.code;
                let reason = exit.reason.clone();
                let waits = LogState::Waiting(format!("{exit}, to be started again").into());
                let next = if over { Next::Over(LogEnd::Exited(code, reason)) } else { Next::Later(waits) };
                self.drain(Some(exit)).await.unwrap_or(next)
            }
        }
    }

    /// Reads a run that has ended to its end, once. A container that waits for its first start has no log,
    /// which is no failure.
    async fn drain(&mut self, exit: Option<Exit>) -> Option<Next> {
        if self.read == Read::Wholly {
            return None;
        }
        self.seen.resume(self.read != Read::Not);
        match self.stream(self.parameters()).await {
            Stop::End => {
                self.read = Read::Wholly;
                self.broken = false;
                self.mark(&exit.map_or_else(|| "it ended".to_owned(), |exit| format!("it ended: {exit}")))
                    .await;
                None
            }
            Stop::Refused(400 | 404, _) => None,
            stop => Some(self.after(stop, false)),
        }
    }

    /// Follows a container that runs, until the stream is over.
    async fn listen(&mut self) -> Next {
        self.seen.resume(self.read != Read::Not);
        let before = self.newest;
        let stop = self.stream(LogParams { follow: true, ..self.parameters() }).await;
        let heard = self.newest != before;
        if matches!(stop, Stop::Quiet) {
            self.quiet = if heard { QUIET } else { (self.quiet * 2).min(LONGEST_QUIET) };
        }
        self.after(stop, heard)
    }

    fn after(&mut self, stop: Stop, heard: bool) -> Next {
        self.broken = matches!(stop, Stop::Broken(_));
        let why = match stop {
            Stop::Quiet => return Next::Again,
            Stop::End if heard => return Next::Again,
            Stop::Refused(400, why) => return Next::Later(LogState::Waiting(why.into())),
            Stop::Refused(401 | 403, why) => return Next::Later(LogState::Refused(why.into())),
            Stop::End => "the stream ended".to_owned(),
            Stop::Refused(_, why) | Stop::Broken(why) => why,
        };
        Next::Later(LogState::Reconnecting(why.into()))
    }

    /// At first as much as is wanted; later from the last line on.
    fn parameters(&self) -> LogParams {
        let second = |at: DateTime<Utc>| Timestamp::from_second(at.timestamp()).ok();
        let since_time = self.seen.since().or(self.from.filter(|_| self.begun)).and_then(second);
        LogParams {
            container: Some(self.source.container.to_string()),
            timestamps: true,
            since_time,
            since_seconds: self
                .extent
                .since()
                .filter(|_| !self.begun && since_time.is_none())
                .map(|minutes| i64::from(minutes) * 60),
            tail_lines: (!self.begun).then_some(self.extent.lines.into()),
            ..LogParams::default()
        }
    }

    /// Reads one stream to its end.
    async fn stream(&mut self, parameters: LogParams) -> Stop {
        let pods = self.pods.clone();
        let name = self.source.pod.clone();
        let answer = pods.log_stream(&name, &parameters);
        tokio::pin!(answer);
        let early = tokio::select! {
            log = &mut answer => Some(log),
            () = self.clock.sleep(SOON) => None,
        };
        let log = match early {
            Some(log) => log,
            None => {
                self.state(LogState::Following).await;
                tokio::select! {
                    log = &mut answer => log,
                    () = self.clock.sleep(self.quiet) => return Stop::Quiet,
                }
            }
        };
        match log {
            Ok(log) => self.hear(Lines::new(log)).await,
            Err(kube::Error::Api(status)) => Stop::Refused(status.code, status.message),
            Err(error) => Stop::Broken(error.to_string()),
        }
    }

    async fn hear<R: AsyncBufRead + Unpin>(&mut self, mut lines: Lines<R>) -> Stop {
        self.begun = true;
        self.read = Read::Partly;
        self.state(LogState::Following).await;
        loop {
            let line = tokio::select! {
                biased;
                line = lines.next() => line,
                () = self.clock.sleep(self.quiet) => return Stop::Quiet,
            };
            match line {
                Ok(Some(line)) => self.line(&line).await,
                Ok(None) => return Stop::End,
                Err(error) => return Stop::Broken(error.to_string()),
            }
        }
    }

    async fn line(&mut self, line: &str) {
        let (Some(at), words) = stamped(line) else { return self.kubelet(line).await };
        match self.seen.judge(at, words) {
            Novelty::Known => return,
            Novelty::New => {}
            Novelty::NewAfterGap => {
                self.mark("▲ gap: the log was rotated meanwhile, lines may be missing").await;
            }
        }
        self.newest = at;
        let text = Styled::new(words);
        self.tell(logtext::level(text.text()), false, text).await;
    }

    /// Words of the kubelet's own have no time, and come again with each try.
    async fn kubelet(&mut self, words: &str) {
        if self.remark != words {
            words.clone_into(&mut self.remark);
            self.mark(&format!("the kubelet says: {words}")).await;
        }
    }

    async fn mark(&self, words: &str) {
        self.tell(Level::Unsaid, true, Clean::new(words).into()).await;
    }

    async fn tell(&self, level: Level, mark: bool, text: Styled) {
        self.outlet
            .tell(Heard::Line(LogLine { at: self.newest, stream: self.number, level, mark, text }))
            .await;
    }

    async fn state(&self, state: LogState) {
        self.outlet.tell(Heard::State(self.number, state)).await;
    }
}

fn restarted(before: Option<&Exit>) -> String {
    before.map_or_else(|| "started again".to_owned(), |exit| format!("started again after {exit}"))
}
