//! From a kubeconfig, or a plain address, to a [`Connection`]. Whatever is wrong is said before the screen is taken.

use std::path::PathBuf;

use http::Uri;
use kube::config::{Config, ExecInteractiveMode, InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::client::{self, Proxy};
use super::failure::{plugin, root};
use super::timing::Timing;
use crate::clean::Clean;
use crate::data::Fault;

/// Where to connect to.
#[derive(Clone, Debug, Default)]
pub struct ConnectSettings {
    /// A kubeconfig other than `$KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context other than the current one; with a plain address, what it is called.
    pub context: Option<String>,
    /// An API server without credentials, instead of any kubeconfig: the simulated cluster.
    pub url: Option<String>,
}

/// A cluster, and the two clients that speak with it. Bound once: nothing later asks the kubeconfig what is current.
#[derive(Clone)]
pub struct Connection {
    /// For everything that reads.
    pub reader: kube::Client,
    /// For what changes something: sends each request once, on a connection of its own.
    pub writer: kube::Client,
    /// The context's name.
    pub context: Clean,
    /// The server's address; part of every target.
    pub cluster: Clean,
    /// The namespace that the context names.
    pub namespace: Option<Clean>,
    /// The context's user, as the kubeconfig calls it.
    pub user: Option<Clean>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing to read.
    #[error("no kubeconfig found: looked at {looked}; set KUBECONFIG or copy your cluster's file there, or see `warroom demo`")]
    NoKubeconfig {
        /// The places.
        looked: String,
    },
    /// A file that cannot be read or understood.
    #[error("the kubeconfig {path} cannot be used: {why}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without quoting it: it holds secrets.
        why: String,
    },
    /// No context chosen.
    #[error("the kubeconfig has no current context; choose one with --context: {0}")]
    NoCurrentContext(String),
    /// A context that is not there.
    #[error("{0}")]
    NoSuchContext(Fault),
    /// A context whose parts do not fit together.
    #[error("context {context:?} of the kubeconfig is not complete: {why}")]
    Incomplete {
        /// The context.
        context: String,
        /// What is missing.
        why: String,
    },
    /// The service account of the pod that warroom runs in.
    #[error("the service account of this pod cannot be used: {0}")]
    InCluster(#[from] InClusterError),
    /// Certificates, tokens, credential plugins.
    #[error("{0}")]
    Credentials(String),
    /// An address that is none.
    #[error("{url:?} is not the address of an API server: {why}; it looks like https://host:6443")]
    BadUrl {
        /// What was given.
        url: String,
        /// Why not.
        why: String,
    },
    /// A proxy that is not spoken.
    #[error("the proxy {0} cannot be used: warroom reaches clusters through http:// proxies only")]
    Proxy(String),
}

/// Chooses the cluster and builds its clients. A credential plugin is run here, so this may take as long as it takes.
pub async fn connect(settings: &ConnectSettings, timing: &Timing) -> Result<Connection, ConnectError> {
    let chosen = match &settings.url {
        Some(url) => Chosen::plain(url, settings.context.as_deref())?,
        None => Chosen::from_kubeconfig(settings).await?,
    };
    let (config, proxy, timing) = (chosen.config.clone(), chosen.proxy, timing.clone());
    let built = tokio::task::spawn_blocking(move || client::clients(config, proxy, &timing)).await;
    let (reader, writer) = match built {
        Ok(built) => built?,
        Err(panic) => return Err(ConnectError::Credentials(format!("the clients could not be built: {panic}"))),
    };
    let cluster = chosen.config.cluster_url.to_string();
    Ok(Connection {
        reader,
        writer,
        context: Clean::new(&chosen.context),
        cluster: Clean::new(cluster.trim_end_matches('/')),
        namespace: chosen.namespace.as_deref().map(Clean::new),
        user: chosen.user.as_deref().map(Clean::new),
    })
}

impl From<kube::Error> for ConnectError {
    fn from(error: kube::Error) -> Self {
        Self::Credentials(
            plugin(&error).unwrap_or_else(|| format!("the kubeconfig's certificates or credentials cannot be used: {}", root(&error))),
        )
    }
}

struct Chosen {
    config: Config,
    proxy: Option<Proxy>,
    context: String,
    namespace: Option<String>,
    user: Option<String>,
}

impl Chosen {
    fn plain(url: &str, name: Option<&str>) -> Result<Self, ConnectError> {
        let bad = |why: String| ConnectError::BadUrl { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
        if uri.scheme().is_none() || uri.host().is_none() {
            return Err(bad("it has no scheme or no host".into()));
        }
        let context = name.map(str::to_owned).or_else(|| uri.authority().map(ToString::to_string)).unwrap_or_default();
        Ok(Self { config: Config::new(uri), proxy: None, context, namespace: None, user: None })
    }

    async fn from_kubeconfig(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        let Some(kubeconfig) = read(&places(settings))? else { return Self::in_cluster(settings) };
        let (name, context) = choose(&kubeconfig, settings.context.as_deref())?;
        let explicit = kubeconfig.clusters.iter().find(|c| c.name == context.cluster).and_then(|c| c.cluster.as_ref()?.proxy_url.clone());
        let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| ConnectError::Incomplete { context: name.clone(), why: blame(&error) })?;
        if let Some(exec) = &mut config.auth_info.exec {
            // A plugin that asks at the terminal would write over the screen when the token is renewed.
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
        let proxy = Proxy::choose(&config.cluster_url, explicit.as_deref())?;
        Ok(Self { config, proxy, context: name, namespace: context.namespace, user: context.user })
    }

    fn in_cluster(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        if settings.kubeconfig.is_some() || std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
            let looked: Vec<String> = places(settings).iter().map(|path| path.display().to_string()).collect();
            return Err(ConnectError::NoKubeconfig { looked: looked.join(", ") });
        }
        let config = Config::incluster()?;
        let namespace = Some(config.default_namespace.clone());
        Ok(Self { config, proxy: None, context: "in-cluster".into(), namespace, user: None })
    }
}

/// The files that are read, the first one's entries winning, as kubectl does it.
fn places(settings: &ConnectSettings) -> Vec<PathBuf> {
    if let Some(path) = &settings.kubeconfig {
        return vec![path.clone()];
    }
    let listed = std::env::var_os("KUBECONFIG").map(|list| std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect());
    listed.filter(|paths: &Vec<PathBuf>| !paths.is_empty()).unwrap_or_else(|| {
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()).unwrap_or_default();
        vec![home.join(".kube/config")]
    })
}

/// All files that are there, as one; `None` when none of them is.
fn read(places: &[PathBuf]) -> Result<Option<Kubeconfig>, ConnectError> {
    let mut merged: Option<Kubeconfig> = None;
    for path in places {
        let unreadable = |error: KubeconfigError| ConnectError::Unreadable { path: path.clone(), why: blame(&error) };
        match Kubeconfig::read_from(path) {
            Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error)),
            Ok(next) => merged = Some(merged.unwrap_or_default().merge(next).map_err(unreadable)?),
        }
    }
    Ok(merged)
}

/// The parser's own words quote the file, which holds secrets: only the place is told.
fn blame(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => format!("it is not a kubeconfig in YAML (line {}, column {})", place.line(), place.column()),
            None => "it is not a kubeconfig in YAML".into(),
        },
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        other => other.to_string(),
    }
}

fn choose(kubeconfig: &Kubeconfig, wanted: Option<&str>) -> Result<(String, kube::config::Context), ConnectError> {
    let names = || kubeconfig.contexts.iter().map(|context| context.name.as_str());
    let current = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(name) = wanted.or(current) else {
        return Err(ConnectError::NoCurrentContext(names().collect::<Vec<_>>().join(", ")));
    };
    let found = kubeconfig.contexts.iter().find(|context| context.name == name).and_then(|named| named.context.clone());
    found.map(|context| (name.to_owned(), context)).ok_or_else(|| ConnectError::NoSuchContext(Fault::unknown("context", name, names())))
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
