//! The two HTTP stacks under the kube clients, and the TLS provider of all of them.
//!
//! kube's own stack resends a request of any verb on 429, 503 and 504 (kube-rs/kube#2082), and hyper sends
//! again what a dead pooled connection swallowed. A reader may do the latter; the writer must not: one intent
//! is one request on the wire (invariant 5).

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{HeaderValue, USER_AGENT};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ConfigExt};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder};

use super::credential::Identity;
use super::proxy::Proxy;
use super::timing::Timing;

/// User agent of every request; the API server's audit log shows it.
pub const AGENT: &str = concat!("warroom/", env!("CARGO_PKG_VERSION"));

/// How long a connection is idle before TCP asks whether the other side is still there, and the distance of
/// the next asks.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Bytes of an answer read at once, at most. A listing is many times more; hyper's own bound, 400 KB a
/// connection, would stay behind as holes in memory.
const READ: usize = 64 << 10;

/// Installs ring as the cryptography of every client. Doing it twice does no harm.
pub fn install_crypto() {
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
}

/// A way for requests, without credentials that are headers.
pub(super) type Stack = BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>;

/// The way for what reads, and the way for what changes something.
#[derive(Clone)]
pub(super) struct Stacks {
    pub(super) reader: Stack,
    pub(super) writer: Stack,
}

impl Stacks {
    /// To the configured server, through the proxy, with this certificate or the configured one.
    pub(super) fn build(
        mut config: Config,
        proxy: Option<Proxy>,
        identity: Option<&Identity>,
        timing: &Timing,
    ) -> kube::Result<Self> {
        install_crypto();
        config.headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
        if let Some(identity) = identity {
            config.auth_info.client_certificate_data = Some(BASE64_STANDARD.encode(&identity.certificate));
            config.auth_info.client_key_data = Some(BASE64_STANDARD.encode(&identity.key).into());
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timing.connect));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        match proxy {
            None => Self::over(&config, config.rustls_https_connector_with_connector(tcp)?),
            Some(proxy) => {
                Self::over(&config, config.rustls_https_connector_with_connector(proxy.tunnel(tcp))?)
            }
        }
    }

    fn over<C>(config: &Config, https: C) -> kube::Result<Self>
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        let headers = config.extra_headers_layer()?;
        let stack = |http: legacy::Client<C, Body>| {
            let layers = ServiceBuilder::new().layer(config.base_uri_layer()).layer(headers.clone());
            Stack::new(layers.map_err(BoxError::from).service(http))
        };
        let mut hyper = legacy::Client::builder(TokioExecutor::new());
        hyper.http1_max_buf_size(READ);
        let reader = stack(hyper.build(https.clone()));
        let writer = stack(hyper.retry_canceled_requests(false).pool_max_idle_per_host(0).build(https));
        Ok(Self { reader, writer })
    }
}
