//! Puts a session together: connection, sources, executor, journal. One way for the screen, `run` and
//! `status`, live and simulated.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::clean::Clean;
use crate::config::{self, Endpoint, Paths, ReadOnly};
use crate::effect::{self, Clusters, Executor, identity};
use crate::event::{ContextInfo, Event, Guardrail, Mode, Session};
use crate::journal::Limits;
use crate::journal::disk::{Disk, LocalDisk};
use crate::journal::{Opening, Writer};
use crate::net::ConnectError;
use crate::net::clock::Clock;
use crate::net::connect::{ConnectSettings, Contexts, connect_all};
use crate::net::discovery::{Discovery, ServiceKind};
use crate::net::resolver::Resolver;
use crate::net::timing::Timing;
use crate::runbook::Runbook;
use crate::runtime::orphans;
use crate::runtime::{Core, Encoded, encoder};
#[cfg(feature = "sim")]
use crate::sim::Sim;
use crate::source::kafka::{self, Kafka};
use crate::source::{SourceSettings, Sources, Start};

/// Events that may wait: sources wait when there are more, and keys are never behind them. A dozen batches of
/// a large listing are a megabyte, and what waits at the worst moment is what the allocator keeps.
const EVENTS: usize = 8;

/// What a session is to be.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Live or demo.
    pub mode: Mode,
    /// Which clusters: the main one first.
    pub connect: Vec<ConnectSettings>,
    /// The namespaces; none: all of them; `None`: the context's, or all.
    pub namespaces: Option<Vec<Clean>>,
    /// In which contexts this session cannot be armed.
    pub read_only: ReadOnly,
    /// Whether no command may be run in a container.
    pub no_exec: bool,
    /// Minutes that arming lasts.
    pub arm_minutes: u16,
    /// What is forbidden where and when, beside what the runbook forbids.
    pub guardrails: Vec<Guardrail>,
    /// Prometheus.
    pub prometheus: Endpoint,
    /// Alertmanager.
    pub alertmanager: Endpoint,
    /// What Prometheus is asked, and when a service is in trouble.
    pub rates: config::Rates,
    /// How Kafka is read; `None`: not at all.
    pub kafka: Option<config::Kafka>,
    /// Whether nobody said where Kafka is, so that it is looked for in the cluster.
    pub find_kafka: bool,
    /// How often sources ask, and how long they wait.
    pub timing: Timing,
    /// How long the answer to one request of a step may take.
    pub deadline: Duration,
    /// How long a request whose answer was lost may still arrive.
    pub patience: Duration,
    /// How much of the recording is gathered before it is written out.
    pub limits: Limits,
    /// Whether this session is recorded. One that only reads once is not.
    pub recorded: bool,
    /// The person.
    pub actor: Clean,
}

/// The answer to one request of a step comes within so long, or counts as lost.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// A request whose answer was lost may arrive for so long: an API server gives one a minute.
pub const PATIENCE: Duration = Duration::from_secs(65);

impl SessionConfig {
    /// A session on the simulated cluster.
    #[cfg(feature = "sim")]
    pub fn simulated(sim: &Sim, name: &str) -> Self {
        let at = |url: String| Endpoint { place: url.parse().ok(), ..Endpoint::default() };
        Self {
            mode: Mode::Demo,
            connect: vec![ConnectSettings {
                url: Some(sim.kubernetes_url()),
                context: Some(name.to_owned()),
                ..ConnectSettings::default()
            }],
            namespaces: Some(vec![crate::sim::NAMESPACE.into()]),
            read_only: ReadOnly::Nowhere,
            no_exec: false,
            arm_minutes: 15,
            guardrails: Vec::new(),
            prometheus: at(sim.prometheus_url()),
            alertmanager: at(sim.alertmanager_url()),
            rates: config::Rates::default(),
            kafka: Some(config::Kafka::default()),
            find_kafka: false,
            timing: Timing::default(),
            deadline: DEADLINE,
            patience: PATIENCE,
            limits: Limits::default(),
            recorded: true,
            actor: "somebody".into(),
        }
    }

    /// What was said of the services of one cluster is not said of another's: they are looked for there.
    fn forget_services(&mut self) {
        self.prometheus = Endpoint::default();
        self.alertmanager = Endpoint::default();
        self.kafka = self.kafka.take().map(|_| config::Kafka::default());
        self.find_kafka = self.kafka.is_some();
    }
}

/// Everything that runs.
pub struct Running {
    /// State and journal.
    pub core: Core,
    /// Carries effects out.
    pub executor: Executor,
    /// What sources and executor say.
    pub events: mpsc::Receiver<Encoded>,
    /// Dropped, they stop.
    pub sources: Sources,
    /// The first events: the session, why there is no journal.
    pub first: Vec<Event>,
}

/// Opens a session: connects, begins the recording, starts the sources.
///
/// # Errors
/// There is no way to any of the clusters: no kubeconfig, no such context, no credentials. A cluster that
/// does not answer is no error: its sources say so, and go on trying.
pub async fn open(
    wanted: SessionConfig,
    paths: &Paths,
    runbook: Arc<Runbook>,
    clock: Clock,
) -> Result<Running, ConnectError> {
    open_on(Arc::new(LocalDisk), wanted, paths, runbook, clock).await
}

/// The same, recorded on that disk: a test's may be slow, or fail.
///
/// # Errors
/// As [`open()`].
pub async fn open_on(
    disk: Arc<dyn Disk>,
    mut wanted: SessionConfig,
    paths: &Paths,
    runbook: Arc<Runbook>,
    clock: Clock,
) -> Result<Running, ConnectError> {
    let contexts = Box::pin(connect_all(&wanted.connect, &wanted.timing)).await?;
    if contexts.led_by_another {
        wanted.forget_services();
    }
    let namespaces =
        wanted.namespaces.clone().unwrap_or_else(|| contexts.main().namespace.iter().cloned().collect());
    let session = described(&wanted, &contexts, namespaces.clone());
    let (sender, events) = mpsc::channel(EVENTS);
    let kafka = kafka(wanted.kafka.clone(), namespaces.first());
    let near = namespaces.first().map(ToString::to_string);
    let discovery = Discovery::new(contexts.main().reader.clone(), near, &wanted.timing);
    let alertmanager =
        Resolver::new(ServiceKind::Alertmanager, wanted.alertmanager.clone(), discovery.clone());
    let prometheus = Resolver::new(ServiceKind::Prometheus, wanted.prometheus, discovery.clone());
    let (choose, namespaces) = watch::channel(namespaces);
    let clusters = Clusters::of_session(&contexts, &wanted.read_only);
    let settings = effect::Settings {
        clusters: clusters.clone(),
        alertmanager: alertmanager.clone(),
        prometheus: prometheus.clone(),
        namespaces: Arc::new(choose),
        actor: wanted.actor.clone(),
        rates: wanted.rates.clone(),
        runbook: Arc::clone(&runbook),
        data: paths.data_dir.clone(),
        clock: clock.clone(),
        deadline: wanted.deadline,
        patience: wanted.patience,
    };
    let executor = Executor::new(settings, sender.clone());
    let settings = SourceSettings {
        namespaces,
        prometheus,
        rates: wanted.rates,
        alertmanager,
        kafka,
        find_kafka: wanted.find_kafka.then_some(discovery),
    };
    // At once: they wait for answers while the rest is done.
    let timing = wanted.timing;
    let sources = Sources::spawn(&Start { settings, contexts, clock: clock.clone(), timing, events: sender });
    let (joining, events) = encoder(events);
    let mut recording = (None, None);
    if wanted.recorded {
        recording = journal(disk, &paths.data_dir, &session, &clock, wanted.limits);
        tokio::spawn(adopt(paths.data_dir.clone(), clusters, wanted.deadline, joining));
    }
    let (journal, trouble) = recording;
    let mut first = vec![Event::Started(session)];
    first.extend(trouble.map(|trouble| Event::JournalTrouble(Some(trouble))));
    Ok(Running { core: Core::new(clock, runbook, journal), executor, events, sources, first })
}

/// Looks for what earlier sessions left open on these clusters.
async fn adopt(data: PathBuf, clusters: Clusters, deadline: Duration, joining: mpsc::Sender<Encoded>) {
    let clusters = identity::reached(&clusters, deadline).await;
    let found =
        tokio::task::spawn_blocking(move || orphans::orphaned(&data, &clusters)).await.unwrap_or_default();
    for words in found.iter().flat_map(|orphans| &orphans.unread) {
        let _ = joining.send(Event::Unread(words.clone()).into()).await;
    }
    let _ = joining.send(Encoded::Left(found)).await; // nobody listens any more: the next session finds them
}

fn described(wanted: &SessionConfig, contexts: &Contexts, namespaces: Vec<Clean>) -> Session {
    let looked = contexts.all().map(|(id, label, way)| {
        let (context, cluster) =
            way.map_or_else(|no| (&no.context, Clean::default()), |one| (&one.context, one.cluster.clone()));
        ContextInfo {
            id,
            context: context.clone(),
            label,
            cluster,
            read_only: wanted.read_only.covers(context),
        }
    });
    Session {
        contexts: looked.collect(),
        mode: wanted.mode,
        namespaces,
        actor: wanted.actor.clone(),
        no_exec: wanted.no_exec,
        arm_minutes: u32::from(wanted.arm_minutes),
        guardrails: wanted.guardrails.clone(),
        kafka: wanted.kafka.as_ref().map(|kafka| kafka.mode.name().into()).unwrap_or_default(),
        threshold: wanted.rates.threshold,
        thresholds: wanted.rates.thresholds.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// How the groups are read: where nothing else is said, in this namespace; without settings not at all.
pub(crate) fn kafka(wanted: Option<config::Kafka>, namespace: Option<&Clean>) -> Kafka {
    let Some(settings) = wanted else {
        return Kafka::Off(
            "exec is forbidden (--no-exec), and the groups are read by exec in a broker's pod: give --kafka brokers:HOST:PORT".into(),
        );
    };
    let usual = || namespace.map_or_else(|| "default".to_owned(), ToString::to_string);
    let namespace = settings.namespace.clone().unwrap_or_else(usual);
    Kafka::On(Box::new(kafka::Wanted { settings, namespace }))
}

/// Begins the recording. Where it cannot be written the session goes on without, says so, and changes
/// nothing.
fn journal(
    disk: Arc<dyn Disk>,
    data: &Path,
    session: &Session,
    clock: &Clock,
    limits: Limits,
) -> (Option<Writer>, Option<Clean>) {
    let about = serde_json::to_value(session).unwrap_or_default();
    let world = crate::state::World::default();
    let opening =
        Opening { data, context: &session.main().context, about, at: clock.now(), world: &world, limits };
    match Writer::create(disk, opening) {
        Ok(journal) => (Some(journal), None),
        Err(error) => {
            let told = format!(
                "this session is not recorded ({error}); nothing can be changed from it: make that folder writable, or set WARROOM_DATA_DIR"
            );
            (None, Some(told.into()))
        }
    }
}
