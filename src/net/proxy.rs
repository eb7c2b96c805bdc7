//! The HTTP proxy on the way to an API server, if there is one.

use http::Uri;
use http::header::HeaderValue;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;

use super::connect_error::ConnectError;

/// An HTTP proxy on the way to the API server.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: Uri,
    authorization: Option<HeaderValue>,
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}://{}",
            self.address.scheme_str().unwrap_or_default(),
            self.address
                .authority()
                .map(|to| to.as_str().rsplit('@').next().unwrap_or_default())
                .unwrap_or_default()
        )
    }
}

impl Proxy {
    /// Returns a connector that asks the proxy for a tunnel through `tcp`.
    pub fn tunnel<C>(self, tcp: C) -> Tunnel<C> {
        let tunnel = Tunnel::new(self.address, tcp);
        match self.authorization {
            Some(secret) => tunnel.with_auth(secret),
            None => tunnel,
        }
    }

    /// Chooses the proxy: the context's `proxy-url`, else what `HTTPS_PROXY` and `NO_PROXY` say; never for
    /// this machine itself (as Go's client has it).
    pub fn choose(server: &Uri, explicit: Option<&str>) -> Result<Option<Self>, ConnectError> {
        let matcher = match explicit.filter(|url| !url.is_empty()) {
            Some(url) => Matcher::builder().all(url).build(),
            None if is_loopback(server.host().unwrap_or_default()) => return Ok(None),
            None => Matcher::from_env(),
        };
        let Some(found) = matcher.intercept(server) else {
            return explicit
                .filter(|url| !url.is_empty())
                .map_or(Ok(None), |url| Err(ConnectError::Proxy(url.to_owned())));
        };
        if found.uri().scheme_str() != Some("http") {
            return Err(ConnectError::Proxy(found.uri().to_string()));
        }
        Ok(Some(Self { address: found.uri().clone(), authorization: found.basic_auth().cloned() }))
    }
}

/// Returns whether a host is this machine itself.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_taken_from_the_context_and_never_for_this_machine() {
        let uri = |text: &str| -> Uri { text.parse().unwrap() };
        let chosen = |server: &str, proxy: Option<&str>| {
            Proxy::choose(&uri(server), proxy).map(|p| p.map(|p| p.address.to_string()))
        };
        assert_eq!(
            chosen("https://k8s.corp:6443", Some("http://proxy:3128")).unwrap().as_deref(),
            Some("http://proxy:3128/")
        );
        assert_eq!(chosen("https://127.0.0.1:6443", None).unwrap(), None);
        assert_eq!(chosen("https://[::1]:6443", None).unwrap(), None);
        assert!(matches!(
            chosen("https://k8s.corp", Some("socks5://proxy:1080")),
            Err(ConnectError::Proxy(_))
        ));
    }
}
