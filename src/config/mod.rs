//! Settings: `config.toml`, and where it and the recordings live. Flags and the environment's addresses are laid over by the command line.

mod load;

use std::path::PathBuf;
use std::str::FromStr;

use directories::ProjectDirs;

pub use load::{Config, check, load};

use crate::clean::Clean;
use crate::data::{Fault, Field, Log, Place, Reader, Value, text_fields};
use crate::event::CallBy;

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
    /// What `WARROOM_CONFIG_DIR` and `WARROOM_DATA_DIR` say (read through `env`), else the platform's folders.
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
    /// The kube-context; without one the kubeconfig's current one.
    pub context: Option<String>,
    /// The namespaces looked at, the first of which is that of steps; none is all of them; left out it is the kube-context's.
    pub namespaces: Option<Vec<Clean>>,
    /// Where nothing may be changed.
    pub read_only: ReadOnly,
    /// Forbids exec, also where it only reads.
    pub no_exec: bool,
    /// Prometheus; without an address it is looked for in the cluster.
    pub prometheus: Option<Address>,
    /// Alertmanager; without an address it is looked for in the cluster.
    pub alertmanager: Option<Address>,
    /// How Kafka's lag is read.
    pub kafka: Kafka,
    /// The share of 5xx answers, from 0 to 1, above which a service is in trouble.
    pub threshold: f64,
    /// A runbook whose steps lie over all others: a path, seen from the settings' folder.
    pub runbook: Option<PathBuf>,
    /// The mouse chooses panes and rows; without it the terminal selects text with it.
    pub mouse: bool,
    /// How a person who does not look is called: for a new trouble, a firing alert, a change with an unknown outcome or no effect.
    pub notify: CallBy,
    /// How long `:arm` allows changes, in minutes.
    pub arm_minutes: u16,
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

/// The address of a service: `http://` or `https://`, a host, maybe a port and a path; without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let uri = text.parse::<http::Uri>().ok();
        let usable =
            uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()));
        let fault = || Fault::new(format!("{text:?} is not an address such as \"http://prometheus:9090\""));
        usable.map(|_| Self(text.trim_end_matches('/').to_owned())).ok_or_else(fault)
    }
}

text_fields!(Address);

/// How Kafka's consumer groups are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// The way to the groups.
    pub mode: KafkaMode,
    /// The pod that `exec` runs `kafka-consumer-groups.sh` in.
    pub pod: String,
    /// The broker that the groups are asked from, as that pod sees it.
    pub bootstrap: String,
}

crate::data::names! {
    /// A way to the consumer groups.
    KafkaMode "way to read Kafka" {
        /// `kafka-consumer-groups.sh` in a broker's pod.
        Exec "exec",
    }
}

/// The pod and the broker are the runbook's own.
impl Default for Kafka {
    fn default() -> Self {
        Self { mode: KafkaMode::Exec, pod: "kafka-0".into(), bootstrap: "kafka:9092".into() }
    }
}

impl Settings {
    /// Reads the outermost table of `config.toml`.
    fn read(root: &mut Reader<'_>) -> Self {
        let url = |table: Option<Reader<'_>>| table.and_then(|mut table| table.required("url"));
        Self {
            theme: root.get("theme"),
            keymap: root.get("keymap"),
            context: root.get("context"),
            namespaces: namespaces(root),
            read_only: root.get("read_only").unwrap_or(ReadOnly::Nowhere),
            no_exec: root.get("no_exec").unwrap_or(false),
            prometheus: url(root.table("prometheus", "setting of prometheus")),
            alertmanager: url(root.table("alertmanager", "setting of alertmanager")),
            kafka: root.table("kafka", "setting of kafka").map(Kafka::read).unwrap_or_default(),
            threshold: root
                .table("rates", "setting of rates")
                .and_then(|mut rates| rates.within("threshold", &(0.0..=1.0)))
                .unwrap_or(0.05),
            runbook: root.get::<String>("runbook").map(PathBuf::from),
            mouse: root.get("mouse").unwrap_or(true),
            notify: call_by(root.table("notify", "setting of notify")),
            arm_minutes: root.within("arm_minutes", &(1..=240)).unwrap_or(15),
        }
    }
}

/// Both, unless the settings say otherwise.
fn call_by(table: Option<Reader<'_>>) -> CallBy {
    let (bell, desktop) = table.map_or((None, None), |mut table| (table.get("bell"), table.get("desktop")));
    CallBy { bell: bell.unwrap_or(true), desktop: desktop.unwrap_or(true) }
}

/// `namespace = "shop"`, or `namespaces = ["shop", "prod"]`; an empty list is all of them.
fn namespaces(root: &mut Reader<'_>) -> Option<Vec<Clean>> {
    let (one, several): (Option<Namespace>, Option<Vec<Namespace>>) = (root.get("namespace"), root.get("namespaces"));
    if one.is_some() && several.is_some() {
        root.fault(Fault::new("\"namespace\" and \"namespaces\" say the same thing: keep one of them"));
    }
    several.or_else(|| one.map(|one| vec![one])).map(|all| all.into_iter().map(|Namespace(name)| name).collect())
}

/// The name of a namespace: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(pub Clean);

impl FromStr for Namespace {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        match crate::event::namespaces(text).as_deref() {
            Ok([one]) if one.as_str() == text => Ok(Self(one.clone())),
            _ => Err(Fault::new(format!("{text:?} is not the name of a namespace, such as \"medcontract-prod\""))),
        }
    }
}

text_fields!(Namespace);

/// Where the names stand that other files must answer to.
struct Places {
    theme: Place,
    keymap: Place,
    runbook: Place,
}

impl Places {
    fn read(root: &Reader<'_>) -> Self {
        let [theme, keymap, runbook] = ["theme", "keymap", "runbook"].map(|key| root.place_of(key));
        Self { theme, keymap, runbook }
    }
}

impl Kafka {
    fn read(mut table: Reader<'_>) -> Self {
        let (mode, pod, bootstrap) = (table.get("mode"), table.get("pod"), table.get("bootstrap"));
        let usual = Self::default();
        Self { mode: mode.unwrap_or(usual.mode), pod: pod.unwrap_or(usual.pod), bootstrap: bootstrap.unwrap_or(usual.bootstrap) }
    }
}

#[cfg(test)]
mod tests;
