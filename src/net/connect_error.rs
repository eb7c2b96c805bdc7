//! Why there is no connection to a cluster, in sentences that say what to do.

use std::path::PathBuf;

use kube::config::InClusterError;

use super::credential::NoCredentials;
use super::failure::root;
use crate::data::Problem;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing to read.
    #[error(
        "no kubeconfig found: looked at {looked}; set KUBECONFIG or copy your cluster's file there, or see `warroom demo`"
    )]
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
    /// No context is chosen.
    #[error("the kubeconfig has no current context; choose one with --context: {0}")]
    NoCurrentContext(String),
    /// The context does not exist.
    #[error("{0}")]
    NoSuchContext(Problem),
    /// A context whose parts do not fit together.
    #[error("context {context:?} of the kubeconfig is not complete: {why}")]
    Incomplete {
        /// The context.
        context: String,
        /// What is missing.
        why: String,
    },
    /// The service account of the pod that warroom runs in cannot be used.
    #[error("the service account of this pod cannot be used: {0}")]
    InCluster(#[from] InClusterError),
    /// Certificates, tokens or a credential plugin cannot be used.
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
    /// The proxy's protocol is not supported.
    #[error("the proxy {0} cannot be used: warroom reaches clusters through http:// proxies only")]
    Proxy(String),
}

impl From<kube::Error> for ConnectError {
    fn from(error: kube::Error) -> Self {
        Self::Credentials(format!(
            "the kubeconfig's certificates or credentials cannot be used: {}",
            root(&error)
        ))
    }
}

impl From<NoCredentials> for ConnectError {
    fn from(error: NoCredentials) -> Self {
        Self::Credentials(error.0)
    }
}
