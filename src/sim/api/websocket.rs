//! The server's side of a WebSocket's opening handshake (RFC 6455, section 4.2), over HTTP/1.1.

use axum::body::Body;
use axum::http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A WebSocket that a client of the simulated server has opened.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The answer that opens a WebSocket, and the connection that is one once the answer has been sent; `None` if
/// the request does not ask for it. Of `protocols`, in order of preference, the first that the client offers
/// is chosen.
pub(super) fn accept(mut parts: Parts, protocols: &[&'static str]) -> Option<(Response, OnUpgrade)> {
    let headers = &parts.headers;
    let asked = parts.method == Method::GET
        && values(headers, CONNECTION).any(|value| value.eq_ignore_ascii_case("upgrade"))
        && values(headers, UPGRADE).any(|value| value.eq_ignore_ascii_case("websocket"))
        && values(headers, SEC_WEBSOCKET_VERSION).any(|value| value == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked)?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()?;
    let offered = |known: &&&str| values(headers, SEC_WEBSOCKET_PROTOCOL).any(|value| value == **known);
    let chosen = protocols.iter().find(offered).map(|known| HeaderValue::from_static(known));
    let connection = parts.extensions.remove()?;

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers.extend(chosen.map(|protocol| (SEC_WEBSOCKET_PROTOCOL, protocol)));
    Some((response, connection))
}

/// Serves a connection whose handshake is done.
pub(super) async fn serve(connection: Upgraded) -> Socket {
    WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, None).await
}

/// The values of a header that is a list, however many lines it takes.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    /// The request of RFC 6455, section 1.2, with one header as given: set, or left out.
    fn accepted(method: Method, name: HeaderName, value: Option<&'static str>) -> Option<Response> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = method;
        parts.extensions.insert(hyper::upgrade::on(Request::new(())));
        let usual = [
            (CONNECTION, "keep-alive, Upgrade"),
            (UPGRADE, "WebSocket"),
            (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            (SEC_WEBSOCKET_VERSION, "13"),
        ];
        parts.headers.extend(usual.map(|(name, value)| (name, HeaderValue::from_static(value))));
        parts.headers.remove(&name);
        parts.headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
        accept(parts, &["v5", "v4"]).map(|(response, _)| response)
    }

    #[test]
    fn a_websocket_is_opened_with_the_preferred_protocol_of_those_offered() {
        for (offered, chosen) in
            [(Some("v4, v5"), Some("v5")), (Some("v3,v4"), Some("v4")), (Some("v3"), None), (None, None)]
        {
            let response = accepted(Method::GET, SEC_WEBSOCKET_PROTOCOL, offered).unwrap();
            assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
            assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            let protocol = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
            assert_eq!(protocol.map(HeaderValue::as_bytes), chosen.map(str::as_bytes), "{offered:?}");
        }
    }

    #[test]
    fn what_does_not_ask_for_a_websocket_opens_none() {
        for (name, value) in [
            (CONNECTION, None),
            (CONNECTION, Some("keep-alive")),
            (UPGRADE, None),
            (UPGRADE, Some("SPDY/3.1")),
            (SEC_WEBSOCKET_KEY, None),
            (SEC_WEBSOCKET_VERSION, Some("8")),
        ] {
            assert!(accepted(Method::GET, name.clone(), value).is_none(), "{name}: {value:?}");
        }
        assert!(accepted(Method::POST, SEC_WEBSOCKET_PROTOCOL, None).is_none());
    }
}
