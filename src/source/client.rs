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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http::Request;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that reads a request, answers with `reply` (nothing: it hangs up) and notes what it read.
    async fn server(reply: &'static str) -> (Uri, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, seen) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = vec![0; 4096];
                let length = stream.read(&mut buffer).await.unwrap_or_default();
                noted.lock().unwrap().push(String::from_utf8_lossy(&buffer[..length]).into_owned());
                let _ = stream.write_all(reply.as_bytes()).await;
            }
        });
        (address.parse().unwrap(), seen)
    }

    #[tokio::test]
    async fn the_writer_sends_a_request_once_whatever_the_answer_is() {
        let replies = [
            "",
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal",
        ];
        for reply in replies {
            let (address, seen) = server(reply).await;
            let (_, writer) = clients(Config::new(address), None, &Timing::default()).unwrap();
            for asked in 1..=3 {
                let request = Request::patch("/apis/apps/v1/x").body(b"{}".to_vec()).unwrap();
                let answer = writer.request_text(request).await;
                assert!(answer.is_err(), "{reply:?}");
                assert_eq!(seen.lock().unwrap().len(), asked, "{reply:?}");
            }
            assert!(seen.lock().unwrap().iter().all(|request| request.contains(&format!("user-agent: {AGENT}"))));
        }
    }

    #[test]
    fn a_proxy_is_taken_from_the_context_and_never_for_this_machine() {
        let uri = |text: &str| -> Uri { text.parse().unwrap() };
        let chosen = |server: &str, proxy: Option<&str>| Proxy::choose(&uri(server), proxy).map(|p| p.map(|p| p.address.to_string()));
        assert_eq!(chosen("https://k8s.corp:6443", Some("http://proxy:3128")).unwrap().as_deref(), Some("http://proxy:3128/"));
        assert_eq!(chosen("https://127.0.0.1:6443", None).unwrap(), None);
        assert_eq!(chosen("https://[::1]:6443", None).unwrap(), None);
        assert!(matches!(chosen("https://k8s.corp", Some("socks5://proxy:1080")), Err(ConnectError::Proxy(_))));
    }
}
