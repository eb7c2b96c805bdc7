//! A server at an address, with its credentials and its TLS.

use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url};

use super::{Question, Reply, whole};
use crate::config::{Address, Auth, Endpoint, Secret, Tls};
use crate::net::clock::Clock;
use crate::net::credential::{Credential, Credentials, Token};
use crate::net::failure::{Failure, root};
use crate::net::proxy::is_loopback;
use crate::net::stack::{AGENT, install_crypto};
use crate::net::timing::Timing;

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
        install_crypto();
        let wrong = |why: String| Failure::Rejected(format!("{name} cannot be asked: {why}"));
        let base = Url::parse(address.as_str()).map_err(|error| wrong(error.to_string()))?;
        let builder =
            Client::builder().user_agent(AGENT).connect_timeout(timing.connect).redirect(Policy::none());
        let builder = if base.host_str().is_some_and(is_loopback) { builder.no_proxy() } else { builder };
        // Nothing follows a redirect: without https no certificate is ever looked at, and this machine has a
        // hundred to read.
        let builder = if base.scheme() == "http" {
            Ok(builder.tls_certs_only([]))
        } else {
            tls(builder, &endpoint.tls)
        };
        let client = builder.map_err(&wrong)?.build().map_err(|error| wrong(root(&error)))?;
        let credential = credential(&endpoint.auth).map_err(wrong)?;
        let guarded = endpoint.auth != Auth::Open || !base.username().is_empty();
        Ok(Self {
            base,
            client,
            credentials: Credentials::new(credential, Clock::system(), timing.plugin),
            guarded,
        })
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

fn tls(mut builder: ClientBuilder, tls: &Tls) -> Result<ClientBuilder, String> {
    let unusable =
        |path: &Path, error: &reqwest::Error| format!("{} cannot be used: {}", path.display(), root(error));
    if let Some(path) = &tls.ca_file {
        let authorities =
            Certificate::from_pem_bundle(&read(path)?).map_err(|error| unusable(path, &error))?;
        if authorities.is_empty() {
            return Err(format!("{} has no certificate in PEM", path.display()));
        }
        builder = builder.tls_certs_merge(authorities);
    }
    if let Some((certificate, key)) = &tls.client {
        let pem = [read(key)?, b"\n".to_vec(), read(certificate)?].concat();
        builder = builder.identity(Identity::from_pem(&pem).map_err(|error| unusable(certificate, &error))?);
    }
    Ok(builder.tls_danger_accept_invalid_certs(tls.insecure_skip_verify))
}

/// A file of certificates or of a key.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// What the settings name, as it is shown to the server.
pub(super) fn credential(auth: &Auth) -> Result<Credential, String> {
    let set = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        value
            .ok_or_else(|| format!("the variable {name}, which the settings name for its secret, is not set"))
    };
    let fixed = |header: Result<_, crate::net::credential::NoCredentials>| {
        header.map(Credential::Fixed).map_err(|error| error.to_string())
    };
    match auth {
        Auth::Open => Ok(Credential::None),
        Auth::Bearer(Secret::File(path)) => Ok(Credential::File { path: path.clone(), user: None }),
        Auth::Bearer(Secret::Env(name)) => fixed(Credential::bearer(&set(name)?)),
        Auth::Basic { user, password: Secret::File(path) } => {
            Ok(Credential::File { path: path.clone(), user: Some(user.clone()) })
        }
        Auth::Basic { user, password: Secret::Env(name) } => fixed(Credential::basic(user, &set(name)?)),
    }
}
