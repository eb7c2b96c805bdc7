//! Preparing, sending and resolving: which server is asked for what, and whether it is still the cluster that
//! was meant.

use tokio::sync::mpsc;
use ulid::Ulid;

use super::caller::{Caller, NoCaller};
use super::clusters::Cluster;
use super::identity::{Identities, Meant, doubt};
use super::output::Listener;
use super::prepare::Preflight;
use super::resolve::{NotMade, resolve};
use super::send::{Sent, elsewhere, send};
use super::settings::Settings;
use super::{Unresolved, command, copy, exec, keep};
use crate::clean::Clean;
use crate::event::{
    Event, Intent, Op, Outcome, Output, Plan, Program, Refusal, Save, Sealed, Server, StepCall, Target, View,
    Write,
};
use crate::net::resolver::{Clients, Resolver};
use crate::step::guard::Authorised;
use crate::step::parameters::Parameters;
use crate::step::{ClusterRef, Ctx, Whom};

/// What acts. Cheap to clone; clones share what was told of the clusters' identities.
#[derive(Clone)]
pub(super) struct Acting {
    pub(super) settings: Settings,
    pub(super) events: mpsc::Sender<Event>,
    identities: Identities,
}

impl Settings {
    fn namespace(&self) -> Clean {
        self.namespaces.borrow().first().cloned().unwrap_or_else(|| "default".into())
    }

    pub(super) fn caller(&self, client: &kube::Client) -> Caller {
        Caller::of_cluster(client, self.deadline)
    }

    /// Alertmanager's reader and writer.
    async fn alertmanager(&self) -> Result<(Caller, Caller), NoCaller> {
        self.beside(&self.alertmanager, Server::Alertmanager).await
    }

    /// Reader and writer of a server beside the cluster.
    async fn beside(
        &self,
        resolver: &Resolver,
        server: fn(Clean) -> Server,
    ) -> Result<(Caller, Caller), NoCaller> {
        let main = self.clusters.main();
        let Clients { reader, writer, prefix, place } = resolver.clients(&main.reader, &main.writer).await?;
        let caller = |client| Caller {
            client,
            server: server(place.clone()),
            prefix: prefix.clone(),
            deadline: self.deadline,
        };
        Ok((caller(reader), caller(writer)))
    }
}

impl Acting {
    pub(super) fn new(settings: Settings, events: mpsc::Sender<Event>) -> Self {
        Self { settings, events: events.clone(), identities: Identities::new(events) }
    }

    /// Finds out all that a confirmation says.
    pub(super) async fn prepare(&self, call: &StepCall) -> Result<Plan, Refusal> {
        self.preflight(call).await?.prepare(&self.settings.runbook, call).await
    }

    /// Reads what a step that only looks is done for, itself or through its members.
    pub(super) async fn look(&self, intent: &Intent, may: &Authorised) -> Result<Output, Refusal> {
        let call = &intent.call;
        let runbook = &self.settings.runbook;
        match runbook.step(&call.step).map(|step| (step.kind, step.kind.members(&step.with))) {
            None | Some((_, [])) => self.preflight(call).await?.look(runbook, call).await,
            Some((kind, ids)) => Ok(kind.sum_up(Box::pin(self.findings(intent.id, call, ids, may)).await)),
        }
    }

    /// What preparing a call needs to know.
    async fn preflight(&self, call: &StepCall) -> Result<Preflight, Refusal> {
        let settings = &self.settings;
        let at = settings.clusters.asked(call)?;
        let asks = settings.runbook.step(&call.step).map_or(&[][..], |step| step.kind.asks());
        let reader = async |whom, resolver, server: fn(Clean) -> Server| match asks.contains(&whom) {
            false => Err(NoCaller::Unasked(server(Clean::default()).name())),
            true if !at.id.is_main() => {
                let server = server(Clean::default()).name();
                Err(NoCaller::OfMain { server, context: at.context.clone() })
            }
            true => settings.beside(resolver, server).await.map(|(reader, _)| reader),
        };
        let (alertmanager, prometheus) = tokio::join!(
            reader(Whom::Alertmanager, &settings.alertmanager, Server::Alertmanager),
            reader(Whom::Prometheus, &settings.prometheus, Server::Prometheus),
        );
        let rates = if asks.contains(&Whom::Rates) && at.id.is_main() {
            Ok(settings.prometheus.clone())
        } else {
            Err(NoCaller::OfMain { server: "Prometheus", context: at.context.clone() })
        };
        let cluster = settings.caller(&at.reader);
        let known = self.identities.of(at, &cluster).await;
        let doubt = doubt(&known);
        let ctx = Ctx {
            alertmanager: address(&alertmanager).unwrap_or_default(),
            prometheus: address(&prometheus),
            ..self.ctx(at, known.unwrap_or_default())
        };
        let data = settings.data.clone();
        Ok(Preflight { cluster, alertmanager, prometheus, rates, ctx, data, doubt, read_only: at.read_only })
    }

    fn ctx(&self, at: &Cluster, identity: Clean) -> Ctx {
        let settings = &self.settings;
        let now = settings.clock.now();
        let several = settings.clusters.several();
        let cluster = at.address.clone();
        let named = at.named();
        let context = at.context.clone();
        let id = at.id;
        Ctx {
            now,
            id: Ulid::from_datetime(now.into()),
            actor: settings.actor.clone(),
            place: ClusterRef { cluster, identity, named, context, id, several },
            namespace: settings.namespace().to_string(),
            alertmanager: Clean::default(),
            prometheus: Err(Clean::default()),
            with: Parameters::default(),
            rates: settings.rates.clone(),
        }
    }

    fn meant<'a>(&'a self, cluster: &'a Cluster, target: &'a Target) -> Meant<'a> {
        Meant { identities: &self.identities, cluster, caller: self.settings.caller(&cluster.reader), target }
    }

    /// Sends the op that was authorised, once; what follows is its outcome, or that it is done and another is
    /// left.
    pub(super) async fn send(&self, authorised: &Authorised) -> Event {
        let intent = authorised.intent();
        let at = authorised.at();
        let sent = match authorised.op() {
            Op::Write(write) => self.write(write).await,
            Op::Save(save) => self.save(save).await,
            Op::Exec(exec) => {
                let outcome = match self.settings.clusters.of(&exec.target) {
                    Ok(cluster) => {
                        let listener = self.listener(intent, Vec::new());
                        let caller = self.settings.caller(&cluster.reader);
                        self.told(intent, exec::run(&caller, exec, &listener).await)
                    }
                    Err(why) => Outcome::NotSent { reason: why.to_string().into() },
                };
                return ended(intent, outcome);
            }
            Op::Command(program) => return self.run(intent, program, std::future::pending()).await,
            Op::Copy(copy) => {
                let outcome = match self.settings.clusters.of(&copy.target) {
                    Ok(cluster) => {
                        let caller = self.settings.caller(&cluster.reader);
                        // What is told while the queue is full is old when it is not.
                        let told = |words| drop(self.events.try_send(Event::View(View::Told(words))));
                        copy::run(&caller, copy, &self.settings.data, told).await
                    }
                    Err(why) => Outcome::NotSent { reason: why.to_string().into() },
                };
                return ended(intent, outcome);
            }
            // A browser is the screen's: what is told of it is its address.
            Op::Look(_) | Op::Browse(_) => {
                let outcome = match self.look(intent, authorised).await {
                    Ok(output) => Outcome::Read(output),
                    Err(Refusal::Denied(reason)) => Outcome::NotSent { reason },
                    Err(refusal) => Outcome::Rejected { reason: refusal.reason().clone(), by_reading: false },
                };
                return ended(intent, outcome);
            }
        };
        follows(intent, at, sent)
    }

    /// Runs a program, once, until it ends or `stops` comes.
    pub(super) async fn run(
        &self,
        intent: &Intent,
        program: &Program,
        stops: impl Future<Output = ()>,
    ) -> Event {
        let cluster = match self.settings.clusters.of(&program.target) {
            Ok(cluster) => cluster,
            Err(why) => return ended(intent, Outcome::NotSent { reason: why.to_string().into() }),
        };
        if self.meant(cluster, &program.target).same().await == Some(false) {
            return ended(intent, Outcome::NotSent { reason: elsewhere(&program.target) });
        }
        let listener = self.listener(intent, command::secrets(program));
        let outcome = match command::run(program, &listener, stops).await {
            Ok(output) if intent.only_reads() => Outcome::Read(output),
            Ok(output) => Outcome::Ran(output),
            Err(error) => {
                let reason = format!("{} cannot be started: {error}", program.file).into();
                Outcome::NotSent { reason }
            }
        };
        ended(intent, outcome)
    }

    /// What a command in a container has come to: what only reads is judged by the runbook; what may change
    /// something has run.
    fn told(&self, intent: &Intent, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Read(output) if !intent.only_reads() => Outcome::Ran(output),
            Outcome::Read(output) => Outcome::Read(self.judged(&intent.call, output)),
            other => other,
        }
    }

    /// What a command printed, as the runbook judges it.
    pub(super) fn judged(&self, call: &StepCall, output: Output) -> Output {
        match self.settings.runbook.step(&call.step) {
            Some(step) => step.kind.judge(&step.with, output),
            None => output,
        }
    }

    fn listener(&self, intent: &Intent, secrets: Vec<String>) -> Listener {
        Listener { told: Some((intent.id, self.events.clone())), secrets }
    }

    async fn save(&self, save: &Save) -> Sent {
        let Sealed::Open(body) = &save.body else { return Sent::Held("it is not known any more".into()) };
        match keep::keep(&self.settings.data, &save.file, body).await {
            Ok(()) => Sent::Done(0),
            Err(why) => Sent::Held(format!("{} cannot be written: {why}", save.file).into()),
        }
    }

    async fn write(&self, write: &Write) -> Sent {
        let cluster = match self.settings.clusters.of(&write.target) {
            Ok(cluster) => cluster,
            Err(why) => return Sent::Held(why.to_string().into()),
        };
        let callers = match self.callers(cluster, write).await {
            Ok(callers) => callers,
            Err(why) => return Sent::Held(why.to_string().into()),
        };
        if write.server != Server::Cluster {
            return send(&callers.1, &callers.0, write, None).await;
        }
        let meant = self.meant(cluster, &write.target);
        if meant.same().await == Some(false) {
            return Sent::Held(elsewhere(&write.target));
        }
        send(&callers.1, &callers.0, write, Some(&meant)).await
    }

    /// Reader and writer of the server that a write is for.
    async fn callers(&self, cluster: &Cluster, write: &Write) -> Result<(Caller, Caller), NoCaller> {
        let callers = match write.server {
            Server::Cluster => (self.settings.caller(&cluster.reader), self.settings.caller(&cluster.writer)),
            Server::Alertmanager(_) => self.settings.alertmanager().await?,
            Server::Prometheus(_) => {
                self.settings.beside(&self.settings.prometheus, Server::Prometheus).await?
            }
        };
        if callers.0.server == write.server { Ok(callers) } else { Err(NoCaller::OtherAlertmanager) }
    }

    /// Reads what became of ops whose answers were lost, one after the other, until one was not made.
    pub(super) async fn resolve(&self, unresolved: &Unresolved) -> Event {
        let Unresolved { intent, from, to } = unresolved;
        let all = intent.writes_before(intent.count());
        let mut generation = 0;
        for at in *from..*to {
            let write = match intent.ops.get(at as usize) {
                Some(Op::Write(write)) => write,
                Some(Op::Command(_) | Op::Copy(_)) => {
                    return Event::View(View::Told(
                        "what a program did cannot be read: it stays unknown".into(),
                    ));
                }
                Some(Op::Save(_) | Op::Exec(_) | Op::Look(_) | Op::Browse(_)) | None => continue,
            };
            match self.read(write).await {
                Ok(Ok(made)) => generation = made,
                Ok(Err(not_made)) => {
                    let why = not_made.to_string().into();
                    let outcome = match intent.writes_before(at) {
                        0 => Outcome::Rejected { reason: why, by_reading: true },
                        done => Outcome::Partial { done, rest: all - done, why },
                    };
                    return ended(intent, outcome);
                }
                Err(why) => return Event::View(View::Told(format!("{why}: it stays unknown").into())),
            }
        }
        let done = intent.writes_before(*to);
        if done < all {
            let why: Clean = "the answer before was lost, and the rest was not sent".into();
            if done == 0 {
                return ended(intent, Outcome::Rejected { reason: why, by_reading: true });
            }
            return ended(intent, Outcome::Partial { done, rest: all - done, why });
        }
        ended(intent, Outcome::Applied { generation, writes: all, by_reading: true })
    }

    /// What reading says of one write: its generation, or why it was not made; an error is that it cannot be
    /// read from here.
    async fn read(&self, write: &Write) -> Result<Result<i64, NotMade>, NoCaller> {
        let clock = &self.settings.clock;
        let patience = self.settings.patience;
        if let Server::Alertmanager(_) = write.server {
            let (reader, _) = self.callers(self.settings.clusters.main(), write).await?;
            return Ok(resolve(&reader, write, clock, patience, None).await);
        }
        let cluster = self.telling(&write.target).await?;
        let reader = self.settings.caller(&cluster.reader);
        Ok(resolve(&reader, write, clock, patience, Some(&self.meant(cluster, &write.target))).await)
    }

    /// The cluster of a target, however it is reached now.
    async fn telling(&self, target: &Target) -> Result<&Cluster, NoCaller> {
        let all = self.settings.clusters.telling(target);
        if let Some(first) = all.first().filter(|one| one.address == target.cluster) {
            return Ok(first);
        }
        for cluster in all {
            if self.meant(cluster, target).same().await == Some(true) {
                return Ok(cluster);
            }
        }
        let Target { cluster, name, .. } = target.clone();
        Err(NoCaller::NoConnection { cluster, name })
    }
}

/// Address of the server that a caller asks, or why it asks none.
fn address(caller: &Result<Caller, NoCaller>) -> Result<Clean, Clean> {
    match caller.as_ref().map(|caller| &caller.server) {
        Ok(Server::Alertmanager(address) | Server::Prometheus(address)) => Ok(address.clone()),
        Ok(Server::Cluster) => Ok(Clean::default()),
        Err(why) => Err(why.to_string().into()),
    }
}

fn ended(intent: &Intent, outcome: Outcome) -> Event {
    Event::Outcome { intent: intent.id, outcome }
}

/// What follows from what came of one op of several.
fn follows(intent: &Intent, at: usize, sent: Sent) -> Event {
    let op = u32::try_from(at).unwrap_or(u32::MAX);
    let all = intent.writes_before(intent.count());
    let done = intent.writes_before(op);
    let outcome = match sent {
        Sent::Done(generation) if op + 1 < intent.count() => {
            return Event::Answered { intent: intent.id, op, generation };
        }
        Sent::Done(generation) => Outcome::Applied { generation, writes: all, by_reading: false },
        Sent::Rejected(why) | Sent::Held(why) if done > 0 => Outcome::Partial { done, rest: all - done, why },
        Sent::Rejected(reason) => Outcome::Rejected { reason, by_reading: false },
        Sent::Held(reason) => Outcome::NotSent { reason },
        Sent::Unknown(reason) => Outcome::Unknown { reason, at: op },
    };
    ended(intent, outcome)
}
