//! The two HTTP stacks under the kube clients, and the TLS provider of all of them.
//!
//! kube's own stack resends a request of any verb on 429, 503 and 504 (kube-rs/kube#2082), and hyper sends again what a dead pooled
//! connection swallowed. A reader may do the latter; the writer must not: one intent is one request on the wire (invariant 5).

use std::time::Duration;

use http::Uri;
use http::header::{HeaderValue, USER_AGENT};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use tower::util::option_layer;
use tower::{BoxError, ServiceBuilder};

use super::connect::ConnectError;
use super::timing::Timing;

/// How every client of warroom names itself; the API server's audit log shows it.
pub const AGENT: &str = concat!("warroom/", env!("CARGO_PKG_VERSION"));

/// How long a connection is idle before TCP asks whether the other side is still there, and the distance of the next asks.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Chooses ring for every client. Doing it twice does no harm.
pub fn install_crypto() {
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
}

/// An HTTP proxy on the way to the API server.
#[derive(Debug)]
pub struct Proxy {
    address: Uri,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    fn tunnel<C>(self, tcp: C) -> Tunnel<C> {
        let tunnel = Tunnel::new(self.address, tcp);
        match self.authorization {
            Some(secret) => tunnel.with_auth(secret),
            None => tunnel,
        }
    }

    /// The context's `proxy-url`, else what `HTTPS_PROXY` and `NO_PROXY` say; never for this machine itself (as Go's client has it).
    pub fn choose(server: &Uri, explicit: Option<&str>) -> Result<Option<Self>, ConnectError> {
        let matcher = match explicit.filter(|url| !url.is_empty()) {
            Some(url) => Matcher::builder().all(url).build(),
            None if is_loopback(server.host().unwrap_or_default()) => return Ok(None),
            None => Matcher::from_env(),
        };
        let Some(found) = matcher.intercept(server) else {
            return explicit.filter(|url| !url.is_empty()).map_or(Ok(None), |url| Err(ConnectError::Proxy(url.to_owned())));
        };
        if found.uri().scheme_str() != Some("http") {
            return Err(ConnectError::Proxy(found.uri().to_string()));
        }
        Ok(Some(Self { address: found.uri().clone(), authorization: found.basic_auth().cloned() }))
    }
}

/// Whether a host is this machine itself.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The reader and the writer. Runs the context's credential plugin, if it has one: not for a thread that must not wait.
pub fn clients(mut config: Config, proxy: Option<Proxy>, timing: &Timing) -> Result<(Client, Client), ConnectError> {
    install_crypto();
    config.headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(timing.connect));
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE));
    match proxy {
        None => stacks(&config, config.rustls_https_connector_with_connector(tcp)?),
        Some(proxy) => stacks(&config, config.rustls_https_connector_with_connector(proxy.tunnel(tcp))?),
    }
}

/// Both clients share the TLS settings and the token, so that a plugin that renews it is asked once for both.
fn stacks<C>(config: &Config, https: C) -> Result<(Client, Client), ConnectError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let auth = config.auth_layer()?;
    let headers = config.extra_headers_layer()?;
    let client = |http: legacy::Client<C, Body>| {
        let layers = ServiceBuilder::new().layer(config.base_uri_layer()).layer(option_layer(auth.as_ref())).layer(headers.clone());
        let layers = layers.map_err(BoxError::from);
        Client::new(layers.service(http), config.default_namespace.clone())
    };
    let mut hyper = legacy::Client::builder(TokioExecutor::new());
    let reader = client(hyper.build(https.clone()));
    let writer = client(hyper.retry_canceled_requests(false).pool_max_idle_per_host(0).build(https));
    Ok((reader, writer))
}
