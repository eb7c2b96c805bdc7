//! Settings: `config.toml`, and where it and the recordings live. Flags and the environment's addresses are
//! laid over by the command line.

mod documents;
pub mod edit;
mod endpoint;
mod kafka;
mod load;
mod rates;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use directories::ProjectDirs;

pub use documents::Checked;
pub use endpoint::{Address, Auth, Endpoint, InCluster, Secret, Tls, Where};
pub use kafka::{
    Bootstrap, HostPort, Kafka, KafkaMetrics, KafkaMode, KafkaSasl, KafkaTls, KafkaWay, Mechanism,
};
pub use load::{Config, check, load, load_on};
pub use rates::{Query, Rates, SERVICE, WINDOW};

use crate::clean::Clean;
use crate::data::{Field, Location, Log, Problem, Reader, Value, text_fields};
use crate::event::{CallBy, ContextId};
use crate::runbook::guardrails::{Placed, guardrails};

/// The folders that warroom reads and writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `config.toml`, `keymaps/`, `themes/` and `runbooks/`.
    pub config_dir: PathBuf,
    /// Recordings and the store.
    pub data_dir: PathBuf,
}

/// No folder for settings or recordings can be found.
#[derive(Debug, thiserror::Error)]
#[error("this user has no home directory to keep settings in; set WARROOM_CONFIG_DIR and WARROOM_DATA_DIR")]
pub struct NoHome;

impl Paths {
    /// What `WARROOM_CONFIG_DIR` and `WARROOM_DATA_DIR` say (read through `env`), else the platform's
    /// folders.
    ///
    /// # Errors
    /// One of the two is not set, and the platform has no such folder for this user.
    pub fn find(env: impl Fn(&str) -> Option<String>) -> Result<Self, NoHome> {
        let set = |name| env(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let home = ProjectDirs::from("", "", "warroom");
        let config_dir = set("WARROOM_CONFIG_DIR").or_else(|| Some(home.as_ref()?.config_dir().to_owned()));
        let data_dir = set("WARROOM_DATA_DIR").or_else(|| Some(home.as_ref()?.data_dir().to_owned()));
        Ok(Self { config_dir: config_dir.ok_or(NoHome)?, data_dir: data_dir.ok_or(NoHome)? })
    }
}

/// What `config.toml` says; what it leaves out is here as it is without a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The theme's name; without one it is chosen by the terminal's colours.
    pub theme: Option<String>,
    /// The keymap's name; without one it is `default`.
    pub keymap: Option<String>,
    /// The kube-contexts looked at side by side, the main one first; without one the kubeconfig's current
    /// one.
    pub contexts: Vec<String>,
    /// The namespaces looked at, the first of which is that of steps; none is all of them; left out it is the
    /// kube-context's.
    pub namespaces: Option<Vec<Clean>>,
    /// Where nothing may be changed.
    pub read_only: ReadOnly,
    /// Forbids exec, also where it only reads.
    pub no_exec: bool,
    /// Prometheus.
    pub prometheus: Endpoint,
    /// Alertmanager.
    pub alertmanager: Endpoint,
    /// How Kafka's lag is read; without the table its broker is looked for in the cluster.
    pub kafka: Option<Kafka>,
    /// What Prometheus is asked, and when a service is in trouble.
    pub rates: Rates,
    /// A runbook whose steps lie over all others: a path, seen from the settings' folder.
    pub runbook: Option<PathBuf>,
    /// The mouse chooses panes and rows; without it the terminal selects text with it.
    pub mouse: bool,
    /// How a person who does not look is called: for a new trouble, a firing alert, a change with an unknown
    /// outcome or no effect.
    pub notify: CallBy,
    /// How long `:arm` allows changes, in minutes.
    pub arm_minutes: u16,
    /// What is forbidden where and when, or asks for more than a key.
    pub guardrails: Vec<Placed>,
}

/// `read_only`: `true`, `false`, or a list of kube-contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// Changes are allowed everywhere, once armed.
    Nowhere,
    /// Changes are allowed nowhere.
    Everywhere,
    /// Changes are forbidden in these contexts.
    In(Vec<String>),
}

impl ReadOnly {
    /// Whether changes are forbidden in this kube-context.
    pub fn covers(&self, context: &str) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Everywhere => true,
            Self::In(contexts) => contexts.iter().any(|covered| covered == context),
        }
    }
}

impl Field for ReadOnly {
    fn read(value: &Value<'_>, log: &Log<'_>) -> Option<Self> {
        if value.get_ref().is_array() {
            return Field::read(value, log).map(Self::In);
        }
        Some(if bool::read(value, log)? { Self::Everywhere } else { Self::Nowhere })
    }
}

impl Settings {
    /// Reads the outermost table of `config.toml`.
    fn read(root: &mut Reader<'_>) -> Self {
        Self {
            theme: root.get("theme"),
            keymap: root.get("keymap"),
            contexts: contexts(root),
            namespaces: namespaces(root),
            read_only: root.get("read_only").unwrap_or(ReadOnly::Nowhere),
            no_exec: root.get("no_exec").unwrap_or(false),
            prometheus: root.get("prometheus").unwrap_or_default(),
            alertmanager: root.get("alertmanager").unwrap_or_default(),
            kafka: root.table("kafka", "setting of kafka").map(Kafka::read),
            rates: root.table("rates", "setting of rates").map(Rates::read).unwrap_or_default(),
            runbook: root.get::<String>("runbook").map(PathBuf::from),
            mouse: root.get("mouse").unwrap_or(true),
            notify: call_by(root.table("notify", "setting of notify")),
            arm_minutes: root.within("arm_minutes", &(1..=240)).unwrap_or(15),
            guardrails: guardrails(root),
        }
    }
}

impl Settings {
    /// With the files that it names as seen from a folder.
    fn seen_from(mut self, folder: &Path) -> Self {
        self.prometheus.seen_from(folder);
        self.alertmanager.seen_from(folder);
        self.kafka.iter_mut().for_each(|kafka| kafka.seen_from(folder));
        self
    }
}

/// Both, unless the settings say otherwise.
fn call_by(table: Option<Reader<'_>>) -> CallBy {
    let (bell, desktop) = table.map_or((None, None), |mut table| (table.get("bell"), table.get("desktop")));
    CallBy { bell: bell.unwrap_or(true), desktop: desktop.unwrap_or(true) }
}

/// `context = "prod"`, or `contexts = ["prod-eu", "prod-us"]`.
fn contexts(root: &mut Reader<'_>) -> Vec<String> {
    let one: Option<String> = root.get("context");
    let several: Option<Vec<String>> = root.get("contexts");
    if one.is_some() && several.is_some() {
        root.fault(Problem::new("\"context\" and \"contexts\" say the same thing: keep one of them"));
    }
    let named = several.unwrap_or_else(|| one.into_iter().collect());
    if let Err(why) = apart(&named) {
        root.fault(Problem::new(why.to_string()));
    }
    named
}

/// Why contexts cannot be looked at side by side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApart {
    /// This one is named more than once.
    #[error("context \"{0}\" is named twice: once is enough")]
    Twice(String),
    /// So many are named.
    #[error("{0} contexts are named; at most {most} can be used at once", most = ContextId::MOST)]
    TooMany(usize),
}

/// Whether contexts can be looked at side by side.
///
/// # Errors
/// One is named twice, or there are too many.
pub fn apart(contexts: &[String]) -> Result<(), NotApart> {
    if let Some((_, twice)) = contexts.iter().enumerate().find(|(at, name)| contexts[..*at].contains(name)) {
        return Err(NotApart::Twice(twice.clone()));
    }
    if contexts.len() > ContextId::MOST { Err(NotApart::TooMany(contexts.len())) } else { Ok(()) }
}

/// `namespace = "shop"`, or `namespaces = ["shop", "prod"]`; an empty list is all of them.
fn namespaces(root: &mut Reader<'_>) -> Option<Vec<Clean>> {
    let one: Option<Namespace> = root.get("namespace");
    let several: Option<Vec<Namespace>> = root.get("namespaces");
    if one.is_some() && several.is_some() {
        root.fault(Problem::new("\"namespace\" and \"namespaces\" say the same thing: keep one of them"));
    }
    several
        .or_else(|| one.map(|one| vec![one]))
        .map(|all| all.into_iter().map(|Namespace(name)| name).collect())
}

/// The name of a namespace: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(pub Clean);

impl FromStr for Namespace {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match crate::event::namespaces(text).as_deref() {
            Ok([one]) if one.as_str() == text => Ok(Self(one.clone())),
            _ => Err(Problem::new(format!(
                "{text:?} is not the name of a namespace, such as \"medcontract-prod\""
            ))),
        }
    }
}

text_fields!(Namespace);

/// Where the names stand that other files must answer to.
struct Places {
    theme: Location,
    keymap: Location,
    runbook: Location,
}

impl Places {
    fn read(root: &Reader<'_>) -> Self {
        let [theme, keymap, runbook] = ["theme", "keymap", "runbook"].map(|key| root.place_of(key));
        Self { theme, keymap, runbook }
    }
}

#[cfg(test)]
mod tests;
