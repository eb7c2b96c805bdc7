//! Carries effects out, each in a task of its own; what comes of it goes back as events. Only a live or demo
//! session has one.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use ulid::Ulid;

use super::acting::Acting;
use super::logs::Logs;
use super::settings::{BROKEN, Settings};
use super::{Effect, Following, LogCopy, Unresolved, manifest, save};
use crate::event::{Event, Op, Outcome, Output, Prepared, Refusal, StepCall, Target, View};
use crate::step::guard::Authorised;

/// A command that was stopped: closing its stream ends nothing there.
const UNHEARD: &str = "stopped: it may still run in the container";

/// Executor of effects: the only part that acts on the outside.
pub struct Executor {
    acting: Acting,
    events: mpsc::Sender<Event>,
    preparing: Option<AbortHandle>,
    following: Option<Logs>,
    /// What left, and whose answer is awaited: each can be stopped.
    sending: BTreeMap<Ulid, oneshot::Sender<()>>,
    all: Vec<AbortHandle>,
}

impl Executor {
    /// Creates an executor whose answers go into `events`.
    pub fn new(settings: Settings, events: mpsc::Sender<Event>) -> Self {
        let acting = Acting::new(settings, events.clone());
        Self { acting, events, preparing: None, following: None, sending: BTreeMap::new(), all: Vec::new() }
    }

    /// Carries one effect out. What is not for the outside (drawing, leaving) is the runtime's.
    pub fn execute(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare(call) => self.prepare(call),
            Effect::CancelPrepare => stop(&mut self.preparing),
            Effect::Send(authorised) => self.send(*authorised),
            Effect::Resolve(unresolved) => self.resolve(unresolved),
            Effect::Wake { intent, after } => self.wake(intent, after),
            Effect::Fetch(target) => self.fetch(target),
            Effect::Follow(following) => self.follow(following),
            Effect::Unfollow => self.following = None,
            Effect::SaveLog(copy) => self.save_log(*copy),
            Effect::StopAll => self.stop_all(),
            Effect::Watch(namespaces) => drop(self.acting.settings.namespaces.send_replace(namespaces)),
            Effect::Decide(_)
            | Effect::Intend(_)
            | Effect::Leave(_)
            | Effect::Settle { .. }
            | Effect::Copy(_)
            | Effect::Mouse(_)
            | Effect::Notify { .. }
            | Effect::Browse(_)
            | Effect::Play(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    fn prepare(&mut self, call: StepCall) {
        stop(&mut self.preparing);
        let acting = self.acting.clone();
        let asked = call.clone();
        let answer = async move {
            let result = acting.prepare(&call).await;
            Event::View(View::Prepared(Box::new(Prepared { call, result })))
        };
        let failed = Prepared { call: asked, result: Err(Refusal::Failed(BROKEN.into())) };
        self.preparing = Some(self.spawn(answer, Event::View(View::Prepared(Box::new(failed)))));
    }

    fn send(&mut self, authorised: Authorised) {
        let intent = authorised.intent().id;
        let at = u32::try_from(authorised.at()).unwrap_or(u32::MAX);
        let lost = |why: &str| {
            if authorised.intent().only_reads() {
                return Outcome::Read(Output { cut: Some(why.into()), ..Output::default() });
            }
            Outcome::Unknown { reason: why.into(), at }
        };
        let end = if authorised.intent().only_reads() { UNHEARD } else { "stopped before the answer came" };
        let [failed, stopped] = [BROKEN, end].map(|why| Event::Outcome { intent, outcome: lost(why) });
        let acting = self.acting.clone();
        if let Op::Command(program) = authorised.op().clone() {
            let (stop, stops) = oneshot::channel();
            let answer = async move { acting.run(authorised.intent(), &program, stopped_by(stops)).await };
            self.spawn(answer, failed);
            return self.keep(intent, stop);
        }
        self.stoppable(intent, async move { acting.send(&authorised).await }, stopped, failed);
    }

    /// Runs a task that ends in its answer or, if it is stopped before, in `stopped`: in one of them, once.
    fn stoppable(
        &mut self,
        intent: Ulid,
        answer: impl Future<Output = Event> + Send + 'static,
        stopped: Event,
        failed: Event,
    ) {
        let (stop, stops) = oneshot::channel();
        let either = async move {
            tokio::select! {
                biased; // what is stopped goes no step further
                Ok(()) = stops => stopped,
                event = answer => event,
            }
        };
        self.spawn(either, failed);
        self.keep(intent, stop);
    }

    /// Keeps what stops that which was sent.
    fn keep(&mut self, intent: Ulid, stop: oneshot::Sender<()>) {
        self.sending.retain(|_, stop| !stop.is_closed());
        self.sending.insert(intent, stop);
    }

    fn resolve(&mut self, unresolved: Unresolved) {
        let acting = self.acting.clone();
        self.spawn(async move { acting.resolve(&unresolved).await }, Event::View(View::Told(BROKEN.into())));
    }

    fn wake(&mut self, intent: Ulid, after: Duration) {
        let clock = self.acting.settings.clock.clone();
        let due = move || Event::VerifyDue { intent };
        let answer = async move {
            clock.sleep(after).await;
            due()
        };
        self.spawn(answer, due());
    }

    fn fetch(&mut self, target: Target) {
        let settings = &self.acting.settings;
        let caller = settings.clusters.of(&target).map(|one| settings.caller(&one.reader));
        let failed = Event::View(View::Manifest { target: target.clone(), answer: Err(BROKEN.into()) });
        let answer = async move {
            let answer = match caller {
                Ok(caller) => manifest::fetch(&caller, &target).await.map_err(|why| why.to_string().into()),
                Err(why) => Err(why.to_string().into()),
            };
            Event::View(View::Manifest { target, answer })
        };
        self.spawn(answer, failed);
    }

    fn follow(&mut self, following: Following) {
        let settings = &self.acting.settings;
        let clusters = settings.clusters.clone();
        let clock = settings.clock.clone();
        let events = self.events.clone();
        let same = self.following.take().filter(|logs| logs.number() == following.number);
        let logs = self
            .following
            .insert(same.unwrap_or_else(|| Logs::new(following.number, clusters, clock, events)));
        logs.follow(following);
    }

    fn save_log(&mut self, copy: LogCopy) {
        let data = self.acting.settings.data.clone();
        let now = self.acting.settings.clock.now();
        let answer = async move { Event::View(View::Told(save::save(data, copy, now).await)) };
        self.spawn(answer, Event::View(View::Told(BROKEN.into())));
    }

    /// Cancels what runs. An answer that is no longer awaited is unknown, and is read like every other; one
    /// that has come counts.
    fn stop_all(&mut self) {
        stop(&mut self.preparing);
        self.following = None;
        for stop in std::mem::take(&mut self.sending).into_values() {
            let _ = stop.send(()); // or it has ended by itself
        }
    }

    /// Runs a task and sends its event on; a panic in it becomes `failed`, never silence.
    fn spawn(&mut self, answer: impl Future<Output = Event> + Send + 'static, failed: Event) -> AbortHandle {
        let events = self.events.clone();
        let task = tokio::spawn(async move {
            let event = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or(failed);
            let _ = events.send(event).await; // nobody listens any more: the session is over
        });
        self.all.retain(|task| !task.is_finished());
        self.all.push(task.abort_handle());
        task.abort_handle()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.all.iter().for_each(AbortHandle::abort);
    }
}

/// Comes when a program is to stop: it ends in an answer that holds what it printed until then.
async fn stopped_by(stops: oneshot::Receiver<()>) {
    if stops.await.is_err() {
        std::future::pending::<()>().await; // nobody can stop it any more
    }
}

fn stop(task: &mut Option<AbortHandle>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;
    use crate::config::{Endpoint, Rates};
    use crate::effect::Clusters;
    use crate::net::clock::Clock;
    use crate::net::discovery::{Discovery, ServiceKind};
    use crate::net::resolver::Resolver;
    use crate::net::timing::Timing;

    fn executor(events: mpsc::Sender<Event>) -> Executor {
        crate::net::stack::install_crypto();
        let client =
            kube::Client::try_from(kube::Config::new("http://127.0.0.1:9".parse().unwrap())).unwrap();
        let times = Timing::default();
        let resolver =
            |kind| Resolver::new(kind, Endpoint::default(), Discovery::new(client.clone(), None, &times));
        let alertmanager = resolver(ServiceKind::Alertmanager);
        let prometheus = resolver(ServiceKind::Prometheus);
        let settings = Settings {
            clusters: Clusters::alone(client.clone()),
            alertmanager,
            prometheus,
            namespaces: Arc::new(watch::Sender::new(vec!["n".into()])),
            actor: "a".into(),
            rates: Rates::default(),
            runbook: Arc::new(crate::runbook::embedded().unwrap()),
            data: PathBuf::new(),
            clock: Clock::system(),
            deadline: Duration::from_secs(1),
            patience: Duration::from_secs(1),
        };
        Executor::new(settings, events)
    }

    #[tokio::test]
    async fn a_fault_in_a_task_is_told_and_not_silent() {
        let (events, mut heard) = mpsc::channel(1);
        let told = Event::View(View::Told(BROKEN.into()));
        let mut executor = executor(events);
        executor.spawn(async { panic!("a fault") }, told.clone());
        assert_eq!(heard.recv().await, Some(told));
    }

    /// That of a change, and what a stop makes of it.
    fn outcomes(intent: Ulid) -> [Event; 2] {
        let reason = "stopped before the answer came".into();
        let all = [
            Outcome::Applied { generation: 2, writes: 1, by_reading: false },
            Outcome::Unknown { reason, at: 0 },
        ];
        all.map(|outcome| Event::Outcome { intent, outcome })
    }

    #[tokio::test]
    async fn stopping_makes_an_answer_on_its_way_unknown() {
        let (events, mut heard) = mpsc::channel(1);
        let mut executor = executor(events);
        let id = Ulid::from_parts(1, 1);
        let [_, unknown] = outcomes(id);
        executor.stoppable(
            id,
            std::future::pending(),
            unknown.clone(),
            Event::View(View::Told(BROKEN.into())),
        );
        executor.execute(Effect::StopAll);
        assert_eq!(heard.recv().await, Some(unknown));
    }

    #[tokio::test]
    async fn an_answer_that_has_come_before_the_stop_counts_and_is_the_only_one() {
        let (events, mut heard) = mpsc::channel(1);
        let busy = Event::View(View::Tick);
        events.send(busy.clone()).await.unwrap();
        let mut executor = executor(events);
        let id = Ulid::from_parts(1, 1);
        let [applied, unknown] = outcomes(id);
        executor.stoppable(
            id,
            std::future::ready(applied.clone()),
            unknown,
            Event::View(View::Told(BROKEN.into())),
        );
        tokio::task::yield_now().await; // the answer is in, and waits until somebody listens
        executor.execute(Effect::StopAll);
        assert_eq!((heard.recv().await, heard.recv().await), (Some(busy), Some(applied)));
        drop(executor);
        assert_eq!(heard.recv().await, None, "nothing more is said of it");
    }
}
