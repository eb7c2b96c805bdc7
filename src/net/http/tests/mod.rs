use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::any;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::config::{Auth, Secret, Tls};

/// A server that answers each request as `answer` says; gives its address.
async fn serve(answer: impl Fn(&Request) -> Response<Body> + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(any(move |request: Request| std::future::ready(answer(&request))));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn reply(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// A question to a server that gives this answer, or none.
async fn ask(answer: Option<(u16, Vec<u8>)>) -> Result<Vec<u32>, Failure> {
    let timing = if answer.is_some() { Timing::default() } else { Timing::scaled(0.1) };
    let address = match answer {
        Some((status, body)) => serve(move |_| reply(status, body.clone())).await,
        None => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move {
                let held = listener.accept().await;
                std::future::pending::<()>().await;
                drop(held);
            });
            address
        }
    };
    let address = address.replace("http://", "http://me:s3cret@") + "/prefix/";
    let server = Server::new("Prometheus", &address, &timing).unwrap();
    server.ask(server.get("api", &[])).await
}

#[tokio::test]
async fn whatever_is_wrong_with_an_answer_is_a_sentence() {
    let text = |status: u16, body: &str| Some((status, body.as_bytes().to_vec()));
    let cases = [
        (
            text(200, "<!DOCTYPE html><html><TITLE>\n Sign  in to Corp</title>"),
            "Prometheus answers with a web page instead of JSON (“Sign in to Corp”): is this its address, and does it want a login?",
        ),
        (text(200, "{"), "Prometheus's answer cannot be read: invalid type: map"),
        (text(401, ""), "Prometheus does not accept the credentials of the settings (401)"),
        (text(403, r#"{"error":"not you"}"#), "Prometheus refuses to answer (403): not you"),
        (text(404, ""), "Prometheus answers 404 Not Found; is this the address of Prometheus itself?"),
        (
            text(422, r#"{"status":"error","error":"too many points"}"#),
            "Prometheus answers 422 Unprocessable Entity: too many points",
        ),
        (
            text(400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#),
            "Prometheus answers 400 Bad Request: parse error\0",
        ),
        (text(503, "<html>"), "Prometheus answers 503 Service Unavailable"),
        (Some((200, vec![b' '; LONGEST + 1])), "Prometheus's answer is longer than 16 MiB"),
        (None, "Prometheus has been silent for 1 s"),
    ];
    for (answer, expected) in cases {
        let said = format!("{}\0", ask(answer).await.unwrap_err());
        assert!(said.starts_with(expected), "{said}");
    }
    assert_eq!(ask(text(200, "[1, 2]")).await, Ok(vec![1, 2]));
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    for (to, expected) in [
        (
            "https://sso.corp/login?state=s3cret",
            "redirects to https://sso.corp/login (302): it wants a login in a browser",
        ),
        ("/prometheus/graph", "redirects to /prometheus/graph (302): set that address instead"),
    ] {
        let address = serve(move |_| {
            Response::builder().status(302).header("location", to).body(Body::empty()).unwrap()
        })
        .await;
        let server = Server::new("Prometheus", &address, &Timing::default()).unwrap();
        let said = server.ask::<u32>(server.get("api", &[])).await.unwrap_err().to_string();
        assert!(said.contains(expected) && !said.contains("s3cret"), "{said}");
    }
}

#[tokio::test]
async fn nobody_there_and_a_wrong_address_are_told_without_the_password() {
    let server = Server::new("Prometheus", "http://me:s3cret@127.0.0.1:1", &Timing::default()).unwrap();
    let said = server.ask::<u32>(server.get("api", &[])).await.unwrap_err().to_string();
    assert!(
        said.starts_with("cannot reach Prometheus: Connection refused") && !said.contains("s3cret"),
        "{said}"
    );
    let wrong = Server::new("Prometheus", "localhost:9090", &Timing::default()).unwrap_err().to_string();
    assert!(wrong.contains("is not an address such as"), "{wrong}");
}

/// What a server was shown, and a folder with secrets.
struct Guarded {
    shown: Arc<Mutex<Vec<String>>>,
    address: Address,
    folder: tempfile::TempDir,
}

impl Guarded {
    /// A server that lets in who shows exactly this.
    async fn by(authorization: &'static str) -> Self {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&shown);
        let address = serve(move |request: &Request| {
            let known = request
                .headers()
                .get("authorization")
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default();
            let status = if known == authorization { 200 } else { 401 };
            noted.lock().unwrap().push(known);
            reply(status, "1")
        });
        Self { address: address.await.parse().unwrap(), shown, folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, text: &str) -> Secret {
        let path = self.folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        Secret::File(path)
    }

    fn server(&self, auth: Auth) -> Result<Server, Failure> {
        Server::at("Prometheus", &self.address, &Endpoint { auth, ..Endpoint::default() }, &Timing::default())
    }
}

#[tokio::test]
async fn a_token_of_a_file_is_read_again_when_it_is_refused() {
    let guarded = Guarded::by("Bearer new").await;
    let server = guarded.server(Auth::Bearer(guarded.write("old\n"))).unwrap();
    let said = server.ask::<u32>(server.get("api", &[])).await.unwrap_err();
    assert_eq!(
        said,
        Failure::Unauthenticated("Prometheus does not accept the credentials of the settings (401)".into())
    );
    guarded.write("new\n");
    assert_eq!(server.ask::<u32>(server.post("api", &[("query", "up")])).await, Ok(1));
    assert_eq!(*guarded.shown.lock().unwrap(), ["Bearer old", "Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn a_password_is_shown_as_basic_and_what_is_missing_is_told() {
    let guarded = Guarded::by("Basic bWU6cGFzcw==").await;
    let basic = |password| Auth::Basic { user: "me".into(), password };
    let server = guarded.server(basic(guarded.write("pass\r\n"))).unwrap();
    assert_eq!(server.ask::<u32>(server.get("api", &[])).await, Ok(1));
    let open = guarded.server(Auth::Open).unwrap();
    let said = open.ask::<u32>(open.get("api", &[])).await.unwrap_err().to_string();
    assert!(said.contains("wants credentials (401): run `warroom init`"), "{said}");
    let unset = guarded.server(basic(Secret::Env("WARROOM_TEST_NOT_SET".into()))).unwrap_err().to_string();
    assert!(
        unset.contains("WARROOM_TEST_NOT_SET, which the settings name for its secret, is not set"),
        "{unset}"
    );
    let absent = guarded.server(Auth::Bearer(Secret::File("/nowhere/token".into()))).unwrap();
    let said = absent.ask::<u32>(absent.get("api", &[])).await.unwrap_err().to_string();
    assert!(said.contains("/nowhere/token, cannot be read"), "{said}");
}

fn pem(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/net/http/tests").join(name)
}

/// A server that speaks TLS with a certificate of the test's own authority and asks for one of it.
async fn encrypted() -> Address {
    crate::net::stack::install_crypto();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pem("ca.pem")).unwrap()).unwrap();
    let clients = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let chain = CertificateDer::from_pem_file(pem("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(pem("server.key")).unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![chain], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n7").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn tls_is_believed_as_the_settings_say() {
    let address = encrypted().await;
    let client = Some((pem("client.pem"), pem("client.key")));
    let ask = async |tls: Tls| {
        let server =
            Server::at("Prometheus", &address, &Endpoint { tls, ..Endpoint::default() }, &Timing::default())?;
        Ok::<_, Failure>((server.ask::<u32>(server.get("api", &[])).await?, server.remark()))
    };
    let ca_file = Some(pem("ca.pem"));
    assert_eq!(
        ask(Tls { ca_file: ca_file.clone(), client: client.clone(), insecure_skip_verify: false }).await,
        Ok((7, None))
    );
    let unknown = ask(Tls { client: client.clone(), ..Tls::default() }).await.unwrap_err().to_string();
    assert!(
        unknown.starts_with("cannot reach Prometheus: ") && unknown.to_lowercase().contains("certificate"),
        "{unknown}"
    );
    assert!(ask(Tls { ca_file, ..Tls::default() }).await.is_err(), "it asks for a certificate");
    let (seven, remark) = ask(Tls { client, insecure_skip_verify: true, ..Tls::default() }).await.unwrap();
    assert_eq!(
        (seven, remark.as_deref()),
        (7, Some("its certificate is not verified (insecure_skip_verify)"))
    );
    for (ca_file, expected) in [(pem("none.pem"), "cannot be read"), (pem("server.key"), "no certificate")] {
        let said = ask(Tls { ca_file: Some(ca_file), ..Tls::default() }).await.unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}
