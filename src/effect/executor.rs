//! Carries effects out, each in a task of its own; what comes of it goes back as events. Only a live or demo session has one.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use ulid::Ulid;

use super::clusters::Clusters;
use super::logs::Logs;
use super::preflight::{self, Room};
use super::send::Caller;
use super::{Effect, Following, LogCopy, manifest, save, send};
use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{Event, Intent, Outcome, Plan, Prepared, Refusal, Server, StepCall, Target, View};
use crate::runbook::{Runbook, StepKind};
use crate::source::clock::Clock;
use crate::source::reach::{Clients, Reach};

/// What the executor works with.
#[derive(Clone)]
pub struct Settings {
    /// The clusters, each with its connections.
    pub clusters: Clusters,
    /// The way to Alertmanager.
    pub alertmanager: Reach,
    /// The namespaces that are looked at; the first is that of a deployment given without one. The sources follow it.
    pub namespaces: Arc<watch::Sender<Vec<Clean>>>,
    /// The person.
    pub actor: Clean,
    /// Above which share of failing requests a service is in trouble.
    pub rates: Rates,
    /// The steps.
    pub runbook: Arc<Runbook>,
    /// The folder for what is kept: saved logs go into `logs/` in it.
    pub data: PathBuf,
    /// Time.
    pub clock: Clock,
    /// How long one answer may take.
    pub deadline: Duration,
    /// How long a request whose answer was lost may still arrive: more than the minute that an API server gives it.
    pub patience: Duration,
}

impl Settings {
    fn namespace(&self) -> Clean {
        self.namespaces.borrow().first().cloned().unwrap_or_else(|| "default".into())
    }

    fn caller(&self, client: &kube::Client) -> Caller {
        Caller { client: client.clone(), server: Server::Cluster, prefix: String::new(), deadline: self.deadline }
    }

    async fn alertmanager(&self, write: bool) -> Result<Caller, Clean> {
        let Clients { reader, writer, prefix, place } = self
            .alertmanager
            .clients(&self.clusters.main.reader, &self.clusters.main.writer)
            .await
            .map_err(|unreached| Clean::new(&unreached.to_string()))?;
        let client = if write { writer } else { reader };
        Ok(Caller { client, server: Server::Alertmanager(place), prefix, deadline: self.deadline })
    }

    /// Finds out all that a confirmation says, from the server that the step is for.
    async fn prepare(&self, call: &StepCall) -> Result<Plan, Refusal> {
        let at = self.clusters.asked(call)?;
        let caller = match self.runbook.step(&call.step).map(|step| step.kind) {
            Some(StepKind::Silence | StepKind::Unsilence) if !at.id.is_main() => {
                let why = format!("the Alertmanager of context {} is not looked at: start warroom with it as the first", at.context);
                return Err(Refusal::Usage(why.into()));
            }
            Some(StepKind::Silence | StepKind::Unsilence) => self.alertmanager(false).await.map_err(Refusal::Failed)?,
            _ => self.caller(&at.reader),
        };
        let room = Room {
            caller,
            now: self.clock.now(),
            at: at.clone(),
            several: self.clusters.several(),
            namespace: self.namespace(),
            actor: self.actor.clone(),
            rates: self.rates.clone(),
        };
        preflight::prepare(&room, &self.runbook, call, Ulid::from_datetime(room.now.into())).await
    }

    /// The reader or the writer of the server that an intent is for, or why it cannot be asked.
    async fn server(&self, intent: &Intent, write: bool) -> Result<Caller, Clean> {
        let caller = match &intent.server {
            Server::Cluster if write => self.caller(&self.clusters.of(&intent.target)?.writer),
            Server::Cluster => self.caller(&self.clusters.telling(&intent.target)?.reader),
            Server::Alertmanager(_) => self.alertmanager(write).await?,
        };
        if caller.server == intent.server {
            return Ok(caller);
        }
        Err(format!("{} was meant for another Alertmanager than this session's", intent.title).into())
    }
}

/// Carries effects out.
pub struct Executor {
    settings: Settings,
    events: mpsc::Sender<Event>,
    preparing: Option<AbortHandle>,
    following: Option<Logs>,
    sending: BTreeMap<Ulid, AbortHandle>,
    all: Vec<AbortHandle>,
}

impl Executor {
    /// An executor whose answers go into `events`.
    pub fn new(settings: Settings, events: mpsc::Sender<Event>) -> Self {
        Self { settings, events, preparing: None, following: None, sending: BTreeMap::new(), all: Vec::new() }
    }

    /// Carries one effect out. What is not for the outside (drawing, leaving) is the runtime's.
    pub fn execute(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare(call) => self.prepare(call),
            Effect::Send(intent) => self.send(*intent),
            Effect::Resolve(intent) => self.resolve(*intent),
            Effect::Wake { intent, after } => self.wake(intent, after),
            Effect::Fetch(target) => self.fetch(target),
            Effect::Follow(following) => self.follow(following),
            Effect::Unfollow => self.following = None,
            Effect::SaveLog(copy) => self.save_log(*copy),
            Effect::StopAll => self.stop_all(),
            Effect::Watch(namespaces) => drop(self.settings.namespaces.send_replace(namespaces)),
            Effect::Decide(_)
            | Effect::Intend(_)
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
        let (settings, asked) = (self.settings.clone(), call.clone());
        let answer = async move {
            let result = settings.prepare(&call).await;
            Event::View(View::Prepared(Box::new(Prepared { call, result })))
        };
        let failed = Prepared { call: asked, result: Err(Refusal::Failed(BROKEN.into())) };
        self.preparing = Some(self.spawn(answer, Event::View(View::Prepared(Box::new(failed)))));
    }

    fn send(&mut self, intent: Intent) {
        let (id, settings) = (intent.id, self.settings.clone());
        let answer = async move {
            let outcome = match settings.server(&intent, true).await {
                Ok(writer) => send::send(&writer, &intent).await,
                Err(reason) => Outcome::Rejected { reason, by_reading: false },
            };
            Event::Outcome { intent: id, outcome }
        };
        let failed = Event::Outcome { intent: id, outcome: Outcome::Unknown { reason: BROKEN.into() } };
        let task = self.spawn(answer, failed);
        self.sending.insert(id, task);
    }

    fn resolve(&mut self, intent: Intent) {
        let (id, settings) = (intent.id, self.settings.clone());
        let answer = async move {
            match settings.server(&intent, false).await {
                Ok(reader) => {
                    let outcome = send::resolve(&reader, &intent, &settings.clock, settings.patience).await;
                    Event::Outcome { intent: id, outcome }
                }
                Err(why) => Event::View(View::Told(format!("{why}: it stays unknown").into())),
            }
        };
        let failed = Event::View(View::Told(BROKEN.into()));
        self.spawn(answer, failed);
    }

    fn wake(&mut self, intent: Ulid, after: Duration) {
        let clock = self.settings.clock.clone();
        let due = move || Event::VerifyDue { intent };
        let answer = async move {
            clock.sleep(after).await;
            due()
        };
        self.spawn(answer, due());
    }

    fn fetch(&mut self, target: Target) {
        let caller = self.settings.clusters.of(&target).map(|one| self.settings.caller(&one.reader));
        let failed = Event::View(View::Manifest { target: target.clone(), answer: Err(BROKEN.into()) });
        let answer = async move {
            let answer = match caller {
                Ok(caller) => manifest::fetch(&caller, &target).await,
                Err(why) => Err(why),
            };
            Event::View(View::Manifest { target, answer })
        };
        self.spawn(answer, failed);
    }

    fn follow(&mut self, following: Following) {
        let (clusters, clock, events) = (self.settings.clusters.clone(), self.settings.clock.clone(), self.events.clone());
        let same = self.following.take().filter(|logs| logs.number() == following.number);
        let logs = self.following.insert(same.unwrap_or_else(|| Logs::new(following.number, clusters, clock, events)));
        logs.follow(following);
    }

    fn save_log(&mut self, copy: LogCopy) {
        let (data, now) = (self.settings.data.clone(), self.settings.clock.now());
        let answer = async move { Event::View(View::Told(save::save(data, copy, now).await)) };
        self.spawn(answer, Event::View(View::Told(BROKEN.into())));
    }

    /// Cancels what runs. An answer that is no longer awaited is unknown, and is read like every other.
    fn stop_all(&mut self) {
        stop(&mut self.preparing);
        self.following = None;
        for (intent, task) in std::mem::take(&mut self.sending) {
            if !task.is_finished() {
                task.abort();
                let outcome = Outcome::Unknown { reason: "stopped before the answer came".into() };
                let events = self.events.clone();
                tokio::spawn(async move { events.send(Event::Outcome { intent, outcome }).await });
            }
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

pub(super) const BROKEN: &str = "warroom itself broke down over this; please report it";

fn stop(task: &mut Option<AbortHandle>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Endpoint;
    use crate::source::discover::{Scout, What};
    use crate::source::timing::Timing;

    fn executor(events: mpsc::Sender<Event>) -> Executor {
        crate::source::client::install_crypto();
        let client = kube::Client::try_from(kube::Config::new("http://127.0.0.1:9".parse().unwrap())).unwrap();
        let times = Timing::default();
        let alertmanager = Reach::new(What::Alertmanager, Endpoint::default(), Scout::new(client.clone(), None, &times));
        let settings = Settings {
            clusters: Clusters::alone(client),
            alertmanager,
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

    #[tokio::test]
    async fn stopping_makes_an_answer_on_its_way_unknown() {
        let (events, mut heard) = mpsc::channel(1);
        let mut executor = executor(events);
        let (id, never) = (Ulid::from_parts(1, 1), std::future::pending());
        let task = executor.spawn(never, Event::View(View::Told("never".into())));
        executor.sending.insert(id, task);
        executor.execute(Effect::StopAll);
        let unknown = Outcome::Unknown { reason: "stopped before the answer came".into() };
        assert_eq!(heard.recv().await, Some(Event::Outcome { intent: id, outcome: unknown }));
    }
}
