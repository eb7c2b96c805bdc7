//! A server at an address, with its credentials and its TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url};

use super::{Question, Reply, whole};
use crate::config::{Address, Auth, Endpoint, Secret, Tls};
use crate::net::clock::Clock;
use crate::net::connect_error::ConnectError;
use crate::net::credential::{Credential, Credentials, NoCredentials, Token};
use crate::net::failure::{Failure, root};
use crate::net::proxy::is_loopback;
use crate::net::stack::{AGENT, install_crypto};
use crate::net::timing::Timing;

/// Why a server cannot be asked as the settings say.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// Its address is none.
    #[error("{0}")]
    Address(String),
    /// Its address names no host.
    #[error("its address has no host")]
    NoHost,
    /// A file of certificates or of a key is not there, or not ours to read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// A file of certificates or of a key holds something else.
    #[error("{} cannot be used: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of authorities is empty.
    #[error("{} has no certificate in PEM", .0.display())]
    NoCertificate(PathBuf),
    /// The environment does not have the secret.
    #[error("the variable {0}, which the settings name for its secret, is not set")]
    NoSecret(String),
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] NoCredentials),
    /// The proxy on the way cannot be used.
    #[error(transparent)]
    Proxy(#[from] ConnectError),
    /// All of it together makes no client.
    #[error("{0}")]
    Client(String),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Direct {
    base: Url,
    client: Client,
    credentials: Arc<Credentials>,
    /// Whether the settings, or the address itself, have any.
    guarded: bool,
}

impl Direct {
    pub(super) fn new(
        name: &'static str,
        address: &Address,
        endpoint: &Endpoint,
        timing: &Timing,
    ) -> Result<Self, Failure> {
        Self::build(address, endpoint, timing)
            .map_err(|why| Failure::Rejected(format!("{name} cannot be asked: {why}")))
    }

    fn build(address: &Address, endpoint: &Endpoint, timing: &Timing) -> Result<Self, Unusable> {
        install_crypto();
        let base = Url::parse(address.as_str()).map_err(|error| Unusable::Address(error.to_string()))?;
        let builder =
            Client::builder().user_agent(AGENT).connect_timeout(timing.connect).redirect(Policy::none());
        let builder = if base.host_str().is_some_and(is_loopback) { builder.no_proxy() } else { builder };
        // Nothing follows a redirect: without https no certificate is ever looked at, and this machine has a
        // hundred to read.
        let builder =
            if base.scheme() == "http" { builder.tls_certs_only([]) } else { tls(builder, &endpoint.tls)? };
        let client = builder.build().map_err(|error| Unusable::Client(root(&error)))?;
        let credential = credential(&endpoint.auth)?;
        let guarded = endpoint.auth != Auth::Open || !base.username().is_empty();
        let credentials = Credentials::new(credential, Clock::system(), timing.plugin);
        Ok(Self { base, client, credentials, guarded })
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.guarded
    }

    /// Asks; a secret that was renewed in its file in between is shown at once.
    pub(super) async fn send(&self, name: &str, question: &Question) -> Result<Reply, Failure> {
        let pass = self.pass(name).await?;
        let reply = self.once(name, question, &pass).await?;
        if reply.status != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        self.credentials.refuse(&pass);
        let fresh = self.pass(name).await?;
        if fresh.header == pass.header { Ok(reply) } else { self.once(name, question, &fresh).await }
    }

    async fn pass(&self, name: &str) -> Result<Arc<Token>, Failure> {
        self.credentials
            .pass()
            .await
            .map_err(|error| Failure::Unauthenticated(format!("{name} cannot be asked: {error}")))
    }

    async fn once(&self, name: &str, question: &Question, pass: &Token) -> Result<Reply, Failure> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), question.path));
        let request = if question.form {
            self.client.post(url).form(&question.pairs)
        } else {
            self.client.get(url).query(&question.pairs)
        };
        let request = match &pass.header {
            Some(header) => request.header(AUTHORIZATION, header.clone()),
            None => request,
        };
        let answer =
            request.send().await.map_err(|error| Failure::unreachable(name, &error.without_url()))?;
        whole(name, answer.into()).await
    }
}

fn tls(mut builder: ClientBuilder, tls: &Tls) -> Result<ClientBuilder, Unusable> {
    let malformed =
        |path: &Path, error: &reqwest::Error| Unusable::Malformed { path: path.to_owned(), why: root(error) };
    if let Some(path) = &tls.ca_file {
        let authorities =
            Certificate::from_pem_bundle(&read(path)?).map_err(|error| malformed(path, &error))?;
        if authorities.is_empty() {
            return Err(Unusable::NoCertificate(path.clone()));
        }
        builder = builder.tls_certs_merge(authorities);
    }
    if let Some((certificate, key)) = &tls.client {
        let pem = [read(key)?, b"\n".to_vec(), read(certificate)?].concat();
        builder = builder.identity(Identity::from_pem(&pem).map_err(|error| malformed(certificate, &error))?);
    }
    Ok(builder.tls_danger_accept_invalid_certs(tls.insecure_skip_verify))
}

/// A file of certificates or of a key.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    std::fs::read(path).map_err(|why| Unusable::Unreadable { path: path.to_owned(), why })
}

/// What the settings name, as it is shown to the server.
pub(super) fn credential(auth: &Auth) -> Result<Credential, Unusable> {
    let set = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| Unusable::NoSecret(name.to_owned()))
    };
    match auth {
        Auth::Open => Ok(Credential::None),
        Auth::Bearer(Secret::File(path)) => Ok(Credential::File { path: path.clone(), user: None }),
        Auth::Bearer(Secret::Env(name)) => Ok(Credential::Fixed(Credential::bearer(&set(name)?)?)),
        Auth::Basic { user, password: Secret::File(path) } => {
            Ok(Credential::File { path: path.clone(), user: Some(user.clone()) })
        }
        Auth::Basic { user, password: Secret::Env(name) } => {
            Ok(Credential::Fixed(Credential::basic(user, &set(name)?)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_settings_name_and_is_not_there_is_told_apart() {
        crate::net::stack::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let ca = |name: &str| Tls { ca_file: Some(folder.path().join(name)), ..Tls::default() };
        let refused = |name: &str| tls(Client::builder(), &ca(name)).unwrap_err();
        assert!(matches!(refused("missing"), Unusable::Unreadable { .. }));
        std::fs::write(folder.path().join("empty"), "").unwrap();
        assert!(matches!(refused("empty"), Unusable::NoCertificate(_)));
        let token = Auth::Bearer(Secret::Env("WARROOM_NOBODY_SETS_THIS".to_owned()));
        let unset = credential(&token).unwrap_err();
        assert!(matches!(&unset, Unusable::NoSecret(name) if name == "WARROOM_NOBODY_SETS_THIS"), "{unset}");
    }
}
