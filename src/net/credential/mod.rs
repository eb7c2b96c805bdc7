//! Credentials, as a server wants them with each request: fixed ones, those of a file that somebody else
//! renews, those of a plugin.
//!
//! Whoever sends a request asks for a [`Token`]. It is got anew when it has run out, or when the server
//! refused it: once for all who wait, in a task of its own, so that nobody's impatience runs a plugin twice;
//! and after a failure not again for [`PAUSE`], for a plugin may be a person's login that too many tries lock
//! out. Nothing in here is ever shown: `Debug` and every message leave the secrets out.

mod plugin;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use http::HeaderValue;
use kube::config::AuthInfo;
use secrecy::ExposeSecret;

use self::plugin::Plugin;
use super::clock::Clock;

/// How long nothing is tried again after a failure or a refusal.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// How long what a file says is taken to hold (client-go's figure).
const FILE: TimeDelta = TimeDelta::seconds(60);

/// So long before its end a pass is renewed, while it is still in use; less where it lives shortly.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// Source of credentials.
#[derive(Clone, Debug)]
pub enum Credential {
    /// No credentials are needed, or a certificate is enough.
    None,
    /// A fixed `Authorization` header.
    Fixed(HeaderValue),
    /// A file: a token, or with a user its password.
    File {
        /// The file.
        path: PathBuf,
        /// Whose password it is.
        user: Option<String>,
    },
    /// A program of the kubeconfig that answers with a token or a certificate.
    Plugin(Box<Plugin>),
}

/// Why there are no credentials, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCredentials(pub String);

/// Credentials as they are sent to the server, and until when they hold.
#[derive(Debug, Default)]
pub struct Token {
    /// `Authorization` header, marked as sensitive.
    pub header: Option<HeaderValue>,
    /// Client certificate.
    pub identity: Option<Arc<Identity>>,
    /// When it ends; without one it holds until it is refused.
    until: Option<DateTime<Utc>>,
}

/// A client certificate and its key, in PEM.
pub struct Identity {
    /// Certificate, and those that lead to its root.
    pub certificate: String,
    /// Private key.
    pub key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Credential {
    /// Returns the `Authorization` header of a token, surrounding blanks aside.
    pub fn bearer(token: &str) -> Result<HeaderValue, NoCredentials> {
        sensitive(&format!("Bearer {}", token.trim()))
    }

    /// Returns the `Authorization` header of a user and a password.
    pub fn basic(user: &str, password: &str) -> Result<HeaderValue, NoCredentials> {
        sensitive(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }

    /// Returns the credentials of a kubeconfig's user, with client-go's precedence: the file before the
    /// token, anything before a plugin.
    pub fn of(user: &AuthInfo) -> Result<Self, NoCredentials> {
        if let Some(path) = &user.token_file {
            return Ok(Self::File { path: path.into(), user: None });
        }
        if let Some(token) = &user.token {
            return Self::bearer(token.expose_secret()).map(Self::Fixed);
        }
        if let (Some(name), Some(password)) = (&user.username, &user.password) {
            return Self::basic(name, password.expose_secret()).map(Self::Fixed);
        }
        if let Some(exec) = &user.exec {
            return Ok(Self::Plugin(Box::new(Plugin::new(exec.clone())?)));
        }
        match &user.auth_provider {
            None => Ok(Self::None),
            Some(provider) => match provider.config.get("id-token") {
                Some(token) if provider.name == "oidc" => Self::bearer(token).map(Self::Fixed),
                _ => Err(NoCredentials(format!(
                    "the kubeconfig's auth-provider {:?} is one that Kubernetes gave up in 1.26: set its user up with an exec plugin",
                    provider.name
                ))),
            },
        }
    }

    async fn get(&self, now: DateTime<Utc>, deadline: Duration) -> Result<Token, NoCredentials> {
        match self {
            Self::None => Ok(Token::default()),
            Self::Fixed(header) => Ok(Token { header: Some(header.clone()), ..Token::default() }),
            Self::Plugin(plugin) => plugin.run(deadline).await,
            Self::File { path, user } => {
                let unreadable = |error| {
                    NoCredentials(format!(
                        "the file of the credentials, {}, cannot be read: {error}",
                        path.display()
                    ))
                };
                let secret = tokio::fs::read_to_string(path).await.map_err(unreadable)?;
                let header = match user {
                    None => Self::bearer(&secret)?,
                    Some(user) => Self::basic(user, secret.trim_end_matches(['\r', '\n']))?,
                };
                Ok(Token { header: Some(header), identity: None, until: Some(now + FILE) })
            }
        }
    }

    /// In words, without anything secret.
    fn about(&self) -> String {
        match self {
            Self::None => "a certificate or none".to_owned(),
            Self::Fixed(_) => "a token or password".to_owned(),
            Self::File { path, .. } => format!("the token file {}", path.display()),
            Self::Plugin(plugin) => format!("the plugin {}", plugin.name),
        }
    }

    /// How long to leave it alone after it said something.
    fn pause(&self) -> TimeDelta {
        if matches!(self, Self::Plugin(_)) { PAUSE } else { TimeDelta::zero() }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, NoCredentials> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| NoCredentials("the token or password has characters that no header can carry".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

type Renewal = Shared<BoxFuture<'static, Result<Arc<Token>, NoCredentials>>>;

/// Credentials in use, shared by all who use them.
#[derive(Debug)]
pub struct Credentials {
    credential: Credential,
    clock: Clock,
    deadline: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    renewal: Option<Renewal>,
    failed: Option<NoCredentials>,
    /// Until when nothing is tried again.
    paused: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Held {
    pass: Arc<Token>,
    since: DateTime<Utc>,
    refused: bool,
}

impl Held {
    fn holds(&self, now: DateTime<Utc>) -> bool {
        !self.refused && self.pass.until.is_none_or(|until| now < until)
    }

    /// Whether it is time to renew it.
    fn ends_soon(&self, now: DateTime<Utc>) -> bool {
        self.pass.until.is_some_and(|until| now + AHEAD.min((until - self.since) / 4) >= until)
    }
}

impl Credentials {
    /// Creates credentials that ask for nothing yet; a plugin may take as long as `deadline`.
    pub fn new(credential: Credential, clock: Clock, deadline: Duration) -> Arc<Self> {
        Arc::new(Self { credential, clock, deadline, state: Mutex::default() })
    }

    /// Returns the credentials to send now.
    ///
    /// # Errors
    /// There is nothing to show, now or for a while.
    pub async fn pass(self: &Arc<Self>) -> Result<Arc<Token>, NoCredentials> {
        let renewal = {
            let now = self.clock.now();
            let mut state = self.state();
            let paused = state.paused.is_some_and(|until| now < until);
            match &state.held {
                Some(held) if held.holds(now) => {
                    let pass = Arc::clone(&held.pass);
                    if held.ends_soon(now) && !paused && state.renewal.is_none() {
                        let _in_its_own_task = self.renew(&mut state);
                    }
                    return Ok(pass);
                }
                held => match (&state.renewal, &state.failed, held) {
                    (Some(renewal), ..) => renewal.clone(),
                    (None, Some(failed), _) if paused => return Err(failed.clone()),
                    (None, None, Some(held)) if paused => return Ok(Arc::clone(&held.pass)),
                    (None, ..) => self.renew(&mut state),
                },
            }
        };
        renewal.await
    }

    /// Returns what the credentials are and how long they hold, in words, without secrets.
    pub fn about(&self) -> String {
        let until = self
            .state()
            .held
            .as_ref()
            .and_then(|held| held.pass.until)
            .filter(|_| matches!(self.credential, Credential::Plugin(_)));
        let until =
            until.map(|until| format!(", good until {}", until.format("%H:%M:%S UTC"))).unwrap_or_default();
        format!("{}{until}", self.credential.about())
    }

    /// Marks credentials as refused by the server (401): who asks next gets another, if there is one.
    pub fn refuse(&self, pass: &Arc<Token>) {
        let can_change = matches!(self.credential, Credential::File { .. } | Credential::Plugin(_));
        if let Some(held) =
            self.state().held.as_mut().filter(|held| can_change && Arc::ptr_eq(&held.pass, pass))
        {
            held.refused = true;
        }
    }

    fn renew(self: &Arc<Self>, state: &mut State) -> Renewal {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let got = this.credential.get(this.clock.now(), this.deadline).await;
            this.take(got)
        });
        let renewal = async {
            task.await
                .unwrap_or_else(|fault| Err(NoCredentials(format!("asking for credentials failed: {fault}"))))
        };
        let renewal = renewal.boxed().shared();
        state.renewal = Some(renewal.clone());
        renewal
    }

    fn take(&self, got: Result<Token, NoCredentials>) -> Result<Arc<Token>, NoCredentials> {
        let now = self.clock.now();
        let mut state = self.state();
        state.renewal = None;
        match got {
            Ok(pass) => {
                let lifetime =
                    pass.until.map(|until| until - now).filter(|lifetime| *lifetime > TimeDelta::zero());
                state.paused = Some(
                    now + lifetime
                        .map_or(self.credential.pause(), |lifetime| lifetime.min(self.credential.pause())),
                );
                state.failed = None;
                let pass = Arc::new(pass);
                state.held = Some(Held { pass: Arc::clone(&pass), since: now, refused: false });
                Ok(pass)
            }
            // A file that is gone after it was read: what it said may still be good
            // (kubernetes/kubernetes#68164).
            Err(_) if matches!(self.credential, Credential::File { .. }) && state.held.is_some() => {
                let held = state.held.take().map(|held| held.pass);
                let pass = Arc::new(Token {
                    header: held.and_then(|pass| pass.header.clone()),
                    identity: None,
                    until: Some(now + FILE),
                });
                state.held = Some(Held { pass: Arc::clone(&pass), since: now, refused: false });
                Ok(pass)
            }
            Err(failed) => {
                state.paused = Some(now + PAUSE.max(self.credential.pause()));
                state.failed = Some(failed.clone());
                Err(failed)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
