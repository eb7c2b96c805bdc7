//! The line to the API server: everything that reads or changes goes through it, and it stays the same while
//! what it leads through is replaced. A kubeconfig that changes on disk renews certificates and credentials;
//! it never turns the line to another server.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use kube::client::Body;
use kube::{Client, Config};
use tokio::sync::mpsc;
use tower::{BoxError, Service, ServiceExt};

use super::clock::Clock;
use super::connect_error::ConnectError;
use super::credential::{Credentials, Identity, Token};
use super::kubeconfig::{Chosen, ConnectSettings, Print, Stamp, stamp};
use super::proxy::Proxy;
use super::stack::{Stack, Stacks};
use super::timing::Timing;
use crate::event::Event;

/// Purpose of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// For reading: what was refused for its credentials is asked once more with renewed ones.
    Reader,
    /// For changes: each request leaves once, on a connection of its own.
    Writer,
}

/// A server, and how it is reached at present.
struct Route {
    config: Config,
    proxy: Option<Proxy>,
    credentials: Arc<Credentials>,
    print: Print,
    timing: Timing,
    built: Mutex<(Option<Arc<Identity>>, Stacks)>,
}

impl Route {
    async fn build(
        chosen: Chosen,
        credentials: Arc<Credentials>,
        timing: &Timing,
    ) -> Result<Self, ConnectError> {
        let identity = credentials.pass().await?.identity.clone();
        let config = chosen.config.clone();
        let proxy = chosen.proxy.clone();
        let times = timing.clone();
        let shown = identity.clone();
        let built =
            tokio::task::spawn_blocking(move || Stacks::build(config, proxy, shown.as_deref(), &times)).await;
        let stacks = built.map_err(|fault| {
            ConnectError::Credentials(format!("the clients could not be built: {fault}"))
        })??;
        let config = chosen.config;
        let proxy = chosen.proxy;
        let timing = timing.clone();
        Ok(Self {
            config,
            proxy,
            credentials,
            print: chosen.print,
            timing,
            built: Mutex::new((identity, stacks)),
        })
    }

    /// The way for this role with this pass; another certificate means other connections.
    fn stack(&self, role: Role, pass: &Token) -> Result<Stack, BoxError> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let same = match (&built.0, &pass.identity) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        if !same {
            let stacks = Stacks::build(
                self.config.clone(),
                self.proxy.clone(),
                pass.identity.as_deref(),
                &self.timing,
            )?;
            *built = (pass.identity.clone(), stacks);
        }
        Ok(match role {
            Role::Reader => built.1.reader.clone(),
            Role::Writer => built.1.writer.clone(),
        })
    }

    async fn send(
        &self,
        role: Role,
        mut parts: Parts,
        body: Body,
        pass: &Token,
    ) -> Result<Response<Incoming>, BoxError> {
        if let Some(header) = &pass.header {
            parts.headers.insert(AUTHORIZATION, header.clone());
        }
        self.stack(role, pass)?.oneshot(Request::from_parts(parts, body)).await
    }
}

/// A client that takes over renewed credentials. Bound to one context and one server for as long as it lives.
pub struct ReloadingClient {
    settings: ConnectSettings,
    server: String,
    clock: Clock,
    timing: Timing,
    route: RwLock<Arc<Route>>,
    seen: tokio::sync::Mutex<Seen>,
    news: Mutex<Vec<String>>,
}

impl std::fmt::Debug for ReloadingClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReloadingClient to {}", self.server)
    }
}

/// What the kubeconfig was like when it was last looked at.
#[derive(Default)]
struct Seen {
    files: Vec<PathBuf>,
    stamp: Stamp,
    /// Why it was not taken over, and whether that was told: a file that is just being written is looked at
    /// once more first.
    refused: Option<(String, bool)>,
}

/// Why nothing of a changed kubeconfig is taken over.
enum Kept {
    /// It cannot be used any more.
    Unusable(String),
    /// The context leads to another server, at this address.
    Elsewhere(String),
}

impl ReloadingClient {
    /// Opens the line: gets credentials and reads certificates, and speaks with nobody yet.
    pub(super) async fn open(
        settings: &ConnectSettings,
        chosen: Chosen,
        clock: Clock,
        timing: &Timing,
    ) -> Result<Arc<Self>, ConnectError> {
        let settings = ConnectSettings { context: Some(chosen.context.clone()), ..settings.clone() };
        let server = chosen.config.cluster_url.to_string();
        let files = chosen.files.clone();
        let seen = Seen { stamp: stamp(&files), files, refused: None };
        let credentials = Credentials::new(chosen.credential.clone(), clock.clone(), timing.plugin);
        let route = RwLock::new(Arc::new(Route::build(chosen, credentials, timing).await?));
        Ok(Arc::new(Self {
            settings,
            server,
            clock,
            timing: timing.clone(),
            route,
            seen: seen.into(),
            news: Mutex::default(),
        }))
    }

    /// Returns how the server is reached, in words, without secrets.
    pub fn about(&self) -> String {
        let route = self.route();
        let way = route
            .proxy
            .as_ref()
            .map_or_else(|| "directly".to_owned(), |proxy| format!("through the proxy {proxy}"));
        let blind = if route.config.accept_invalid_certs {
            "; its certificate is not verified (insecure-skip-tls-verify)"
        } else {
            ""
        };
        format!("{way}; credentials: {}{blind}", route.credentials.about())
    }

    /// Returns a Kubernetes client of that role.
    pub fn client(self: &Arc<Self>, role: Role) -> Client {
        let namespace = self.route().config.default_namespace.clone();
        Client::new(ClientHandle { line: Arc::clone(self), role }, namespace)
    }

    /// Checks the kubeconfig every few seconds for as long as somebody listens, and tells what became of its
    /// changes.
    pub async fn follow(self: Arc<Self>, events: mpsc::Sender<Event>) {
        loop {
            tokio::time::sleep(self.timing.kubeconfig).await;
            self.look().await;
            let news = std::mem::take(&mut *self.news());
            for words in news {
                if events.send(Event::Kubeconfig(words.into())).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Takes over what changed in the kubeconfig, if it is still about the same context and server.
    async fn look(&self) {
        let mut seen = self.seen.lock().await;
        if seen.files.is_empty() {
            return;
        }
        let now = stamp(&seen.files);
        if now == seen.stamp && seen.refused.as_ref().is_none_or(|(_, told)| *told) {
            return;
        }
        match self.renewed().await {
            Ok((files, renewed)) => {
                *seen = Seen { stamp: stamp(&files), files, refused: None };
                if renewed {
                    self.news().push(format!(
                        "credentials and certificates of context {} are renewed from the kubeconfig",
                        self.context()
                    ));
                }
            }
            Err(kept) => {
                let why = self.kept(&kept);
                let again = seen.refused.as_ref().is_some_and(|(before, _)| *before == why);
                if again && seen.refused.as_ref().is_some_and(|(_, told)| !told) {
                    self.news().push(why.clone());
                }
                seen.stamp = now;
                seen.refused = Some((why, again));
            }
        }
    }

    /// Why the session goes on as it was, in words.
    fn kept(&self, kept: &Kept) -> String {
        let context = self.context();
        let server = self.server.trim_end_matches('/');
        let still = format!("this session goes on with context {context} as it was, at {server}");
        match kept {
            Kept::Unusable(error) => format!("the kubeconfig changed: {error}; {still}"),
            Kept::Elsewhere(server) => format!(
                "context {context} of the kubeconfig now leads to {server}: {still}; start warroom anew to go there"
            ),
        }
    }

    /// Whether anything was renewed, and the files to look at from now on; or why nothing was taken over.
    async fn renewed(&self) -> Result<(Vec<PathBuf>, bool), Kept> {
        let chosen = Chosen::find(&self.settings).await.map_err(|error| Kept::Unusable(error.to_string()))?;
        let server = chosen.config.cluster_url.to_string();
        if server != self.server {
            return Err(Kept::Elsewhere(server));
        }
        let files = chosen.files.clone();
        let before = self.route();
        if chosen.print == before.print {
            return Ok((files, false));
        }
        let credentials = if chosen.print.user == before.print.user {
            Arc::clone(&before.credentials)
        } else {
            Credentials::new(chosen.credential.clone(), self.clock.clone(), self.timing.plugin)
        };
        let route = Route::build(chosen, credentials, &self.timing)
            .await
            .map_err(|error| Kept::Unusable(error.to_string()))?;
        *self.route.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(route);
        Ok((files, true))
    }

    async fn send(&self, role: Role, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let (parts, body) = request.into_parts();
        // What stands behind a service answers 401 in its own name.
        let proxied = parts.uri.path().contains("/proxy/");
        let again = (role == Role::Reader && parts.method == Method::GET).then(|| parts.clone());
        let route = self.route();
        let pass = route.credentials.pass().await?;
        let answer = route.send(role, parts, body, &pass).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || proxied {
            return Ok(answer);
        }
        route.credentials.refuse(&pass);
        let Some(parts) = again else { return Ok(answer) };
        self.look().await;
        let route = self.route();
        match route.credentials.pass().await {
            Ok(fresh) if !Arc::ptr_eq(&fresh, &pass) => route.send(role, parts, Body::empty(), &fresh).await,
            _ => Ok(answer),
        }
    }

    /// Returns the name of the context.
    pub fn context(&self) -> &str {
        self.settings.context.as_deref().unwrap_or_default()
    }

    fn route(&self) -> Arc<Route> {
        Arc::clone(&self.route.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn news(&self) -> MutexGuard<'_, Vec<String>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's end of the line.
struct ClientHandle {
    line: Arc<ReloadingClient>,
    role: Role,
}

impl Service<Request<Body>> for ClientHandle {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let line = Arc::clone(&self.line);
        let role = self.role;
        Box::pin(async move { line.send(role, request).await })
    }
}

#[cfg(test)]
mod tests;
