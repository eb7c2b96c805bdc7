//! The kubeconfig: which files, which context, and what it says of cluster and user. Read at the start and
//! whenever a file changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use http::Uri;
use kube::config::{AuthInfo, Config, Context, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::connect_error::ConnectError;
use super::credential::Credential;
use super::proxy::Proxy;
use crate::data::Problem;

/// Settings that choose what to connect to.
#[derive(Clone, Debug, Default)]
pub struct ConnectSettings {
    /// A kubeconfig other than `$KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context other than the current one; with a plain address, what it is called.
    pub context: Option<String>,
    /// An API server without credentials, instead of any kubeconfig: the simulated cluster.
    pub url: Option<String>,
}

/// A cluster and a user, chosen by a context, an address or the pod that warroom runs in.
pub(super) struct Chosen {
    /// How to connect; credentials are taken out of it.
    pub(super) config: Config,
    pub(super) proxy: Option<Proxy>,
    pub(super) credential: Credential,
    pub(super) context: String,
    pub(super) namespace: Option<String>,
    pub(super) user: Option<String>,
    pub(super) print: Print,
    /// Every file that says something of this choice.
    pub(super) files: Vec<PathBuf>,
}

/// What tells whether anything changed, without keeping it: digests of what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    /// Of the user alone.
    pub(super) user: String,
    /// Of cluster, user and all their files.
    pub(super) whole: String,
}

/// When the files were last written, by place: cheap to look at.
pub(super) type Stamp = Vec<Option<(SystemTime, u64)>>;

/// The present stamp of these files.
pub(super) fn stamp(files: &[PathBuf]) -> Stamp {
    let one = |path: &PathBuf| {
        fs::metadata(path).ok().and_then(|about| Some((about.modified().ok()?, about.len())))
    };
    files.iter().map(one).collect()
}

impl Chosen {
    /// Who to connect to, as the settings say.
    pub(super) async fn find(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        match &settings.url {
            Some(url) => Self::plain(url, settings.context.as_deref()),
            None => Self::from_kubeconfig(settings).await,
        }
    }

    fn plain(url: &str, name: Option<&str>) -> Result<Self, ConnectError> {
        let bad = |why: String| ConnectError::BadUrl { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
        if uri.scheme().is_none() || uri.host().is_none() {
            return Err(bad("it has no scheme or no host".into()));
        }
        let context =
            name.map(str::to_owned).or_else(|| uri.authority().map(ToString::to_string)).unwrap_or_default();
        Ok(Self::fixed(Config::new(uri), Credential::None, context))
    }

    /// One that no file can change.
    fn fixed(config: Config, credential: Credential, context: String) -> Self {
        Self {
            config,
            proxy: None,
            credential,
            context,
            namespace: None,
            user: None,
            print: Print::default(),
            files: Vec::new(),
        }
    }

    async fn from_kubeconfig(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        let places = places(settings);
        let Some(kubeconfig) = read(&places)? else { return Self::in_cluster(settings) };
        let (name, context) = choose(&kubeconfig, settings.context.as_deref())?;
        let cluster =
            kubeconfig.clusters.iter().find(|c| c.name == context.cluster).and_then(|c| c.cluster.clone());
        let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| ConnectError::Incomplete { context: name.clone(), why: blame(&error) })?;
        let explicit = cluster.as_ref().and_then(|cluster| cluster.proxy_url.clone());
        let authority = cluster.as_ref().and_then(|cluster| cluster.certificate_authority.clone());
        let user = &config.auth_info;
        let named = [&config.auth_info.client_certificate, &config.auth_info.client_key];
        let referred: Vec<PathBuf> =
            named.into_iter().flatten().cloned().chain(authority).map(PathBuf::from).collect();
        let print = Print::of(
            &serde_json::to_value(user).unwrap_or_default(),
            &serde_json::to_value(&cluster).unwrap_or_default(),
            &referred,
        );
        let credential = Credential::of(user).map_err(|error| ConnectError::Credentials(error.0))?;
        forget(&mut config.auth_info);
        let proxy = Proxy::choose(&config.cluster_url, explicit.as_deref())?;
        let files = places.into_iter().chain(referred).collect();
        Ok(Self {
            config,
            proxy,
            credential,
            context: name,
            namespace: context.namespace,
            user: context.user,
            print,
            files,
        })
    }

    fn in_cluster(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        if settings.kubeconfig.is_some() || std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
            let looked: Vec<String> =
                places(settings).iter().map(|path| path.display().to_string()).collect();
            return Err(ConnectError::NoKubeconfig { looked: looked.join(", ") });
        }
        let mut config = Config::incluster()?;
        let credential =
            Credential::of(&config.auth_info).map_err(|error| ConnectError::Credentials(error.0))?;
        forget(&mut config.auth_info);
        let namespace = Some(config.default_namespace.clone());
        // kube itself reads the certificate authority of a pod again and again.
        Ok(Self { namespace, ..Self::fixed(config, credential, "in-cluster".into()) })
    }
}

impl Print {
    fn of(user: &serde_json::Value, cluster: &serde_json::Value, files: &[PathBuf]) -> Self {
        let own = blake3::hash(format!("{user} {}", &cluster["server"]).as_bytes()).to_hex().to_string();
        let mut whole = blake3::Hasher::new();
        whole.update(user.to_string().as_bytes()).update(cluster.to_string().as_bytes());
        for file in files {
            whole.update(&fs::read(file).unwrap_or_default());
        }
        Self { user: own, whole: whole.finalize().to_hex().to_string() }
    }
}

/// What [`Credential`] has taken over, so that kube does not act on it as well. Certificates and
/// impersonation stay.
fn forget(user: &mut AuthInfo) {
    user.token = None;
    user.token_file = None;
    user.username = None;
    user.password = None;
    user.exec = None;
    user.auth_provider = None;
}

/// The files that are read, the first one's entries winning, as kubectl does it.
fn places(settings: &ConnectSettings) -> Vec<PathBuf> {
    if let Some(path) = &settings.kubeconfig {
        return vec![path.clone()];
    }
    let listed = std::env::var_os("KUBECONFIG")
        .map(|list| std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect());
    listed.filter(|paths: &Vec<PathBuf>| !paths.is_empty()).unwrap_or_else(|| {
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()).unwrap_or_default();
        vec![home.join(".kube/config")]
    })
}

/// All files that are there, as one; `None` when none of them is.
fn read(places: &[PathBuf]) -> Result<Option<Kubeconfig>, ConnectError> {
    let mut merged: Option<Kubeconfig> = None;
    for path in places {
        let unreadable =
            |error: KubeconfigError| ConnectError::Unreadable { path: path.clone(), why: blame(&error) };
        match Kubeconfig::read_from(path) {
            Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error)),
            Ok(next) => {
                merged = Some(merged.unwrap_or_default().merge(rooted(next, path)).map_err(unreadable)?);
            }
        }
    }
    Ok(merged)
}

/// A plugin's command that is a path is seen from the kubeconfig's folder, wherever warroom was started: kube
/// leaves `./plugin` relative where the kubeconfig's own path is.
fn rooted(mut kubeconfig: Kubeconfig, path: &Path) -> Kubeconfig {
    let plugins = kubeconfig
        .auth_infos
        .iter_mut()
        .filter_map(|user| user.auth_info.as_mut()?.exec.as_mut()?.command.as_mut());
    for command in
        plugins.filter(|command| command.contains('/') && Path::new(command.as_str()).is_relative())
    {
        if let Ok(absolute) =
            std::path::absolute(path.parent().unwrap_or(Path::new("")).join(command.as_str()))
        {
            *command = absolute.display().to_string();
        }
    }
    kubeconfig
}

/// The parser's own words quote the file, which holds secrets: only the place is told.
fn blame(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => {
                format!("it is not a kubeconfig in YAML (line {}, column {})", place.line(), place.column())
            }
            None => "it is not a kubeconfig in YAML".into(),
        },
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        other => other.to_string(),
    }
}

fn choose(kubeconfig: &Kubeconfig, wanted: Option<&str>) -> Result<(String, Context), ConnectError> {
    let names = || kubeconfig.contexts.iter().map(|context| context.name.as_str());
    let current = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(name) = wanted.or(current) else {
        return Err(ConnectError::NoCurrentContext(names().collect::<Vec<_>>().join(", ")));
    };
    let found = kubeconfig
        .contexts
        .iter()
        .find(|context| context.name == name)
        .and_then(|named| named.context.clone());
    found
        .map(|context| (name.to_owned(), context))
        .ok_or_else(|| ConnectError::NoSuchContext(Problem::unknown("context", name, names())))
}
