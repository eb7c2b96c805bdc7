use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::net::connect::{Connection, connect};
use crate::net::stack::AGENT;

/// A server that reads a request and answers as `reply` says of it (nothing: it hangs up); it notes what it
/// read.
async fn server(reply: impl Fn(&str) -> String + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 1 << 16];
            let length = stream.read(&mut buffer).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let answer = reply(&request);
            noted.lock().unwrap().push(request);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, seen)
}

/// Lets in who shows one of these tokens.
fn guard(tokens: &'static [&'static str]) -> impl Fn(&str) -> String + Send + 'static {
    move |request| {
        let known =
            tokens.iter().any(|token| request.contains(&format!("authorization: Bearer {token}\r\n")));
        let status = if known { "200 OK" } else { "401 Unauthorized" };
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}")
    }
}

fn timing() -> Timing {
    Timing { plugin: Duration::from_secs(20), ..Timing::scaled(0.05) }
}

/// Puts a whole file in the place of another, as tools that change a kubeconfig do.
fn put(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, path).unwrap();
}

fn kubeconfig(path: &Path, server: &str, context: &str, user: &serde_json::Value) {
    let text = json!({
        "clusters": [{"name": "c", "cluster": {"server": server}}], "users": [{"name": "u", "user": user}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}], "current-context": context,
    });
    put(path, &text.to_string());
}

async fn open(path: &Path) -> Connection {
    let settings = ConnectSettings { kubeconfig: Some(path.to_owned()), ..ConnectSettings::default() };
    connect(&settings, &timing()).await.unwrap()
}

async fn status(client: &Client, method: Method) -> u16 {
    let request = Request::builder().method(method).uri("/api/v1/x").body(Body::empty()).unwrap();
    client.send(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_writer_sends_a_request_once_whatever_the_answer_is() {
    let replies = [
        "",
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal",
    ];
    for reply in replies {
        let (url, seen) = server(move |_| reply.to_owned()).await;
        let connection =
            connect(&ConnectSettings { url: Some(url), ..ConnectSettings::default() }, &timing())
                .await
                .unwrap();
        for asked in 1..=3 {
            let request = Request::patch("/apis/apps/v1/x").body(b"{}".to_vec()).unwrap();
            let answer = connection.writer.request_text(request).await;
            assert!(answer.is_err(), "{reply:?}");
            assert_eq!(seen.lock().unwrap().len(), asked, "{reply:?}");
        }
        assert!(seen.lock().unwrap().iter().all(|request| request.contains(&format!("user-agent: {AGENT}"))));
    }
}

#[tokio::test]
async fn a_token_that_was_renewed_in_its_file_or_in_the_kubeconfig_is_taken_over_by_the_request_that_needs_it()
 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let file = folder.path().join("token");
    let (url, seen) = server(guard(&["fresh"])).await;
    for user in [json!({"token": "old"}), json!({"tokenFile": "token"})] {
        std::fs::write(&file, "old").unwrap();
        kubeconfig(&path, &url, "here", &user);
        let connection = open(&path).await;
        assert_eq!(status(&connection.reader, Method::GET).await, 401);
        std::fs::write(&file, "fresh").unwrap();
        kubeconfig(
            &path,
            &url,
            "here",
            &if user["token"].is_null() { user } else { json!({"token": "stale"}) },
        );
        kubeconfig(&path, &url, "here", &json!({"token": "fresh"}));
        seen.lock().unwrap().clear();
        assert_eq!(status(&connection.reader, Method::GET).await, 200);
        assert_eq!(seen.lock().unwrap().len(), 2, "once with the old, once with the new");
        assert_eq!(status(&connection.writer, Method::PATCH).await, 200);
        assert_eq!(seen.lock().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_change_that_is_refused_for_its_credentials_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let (url, seen) = server(guard(&["new"])).await;
    kubeconfig(&path, &url, "here", &json!({"token": "old"}));
    let connection = open(&path).await;
    kubeconfig(&path, &url, "here", &json!({"token": "new"}));
    assert_eq!(status(&connection.writer, Method::PATCH).await, 401);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// What is told of the kubeconfig, as soon as it is.
fn news(connection: &Connection) -> mpsc::Receiver<Event> {
    let (events, heard) = mpsc::channel(4);
    tokio::spawn(Arc::clone(&connection.line).follow(events));
    heard
}

#[tokio::test]
async fn a_context_that_is_gone_or_leads_elsewhere_is_told_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let (url, here) = server(guard(&["t"])).await;
    let (other, there) = server(guard(&["t"])).await;
    let user = json!({"token": "t"});
    kubeconfig(&path, &url, "prod", &user);
    let connection = open(&path).await;
    let mut heard = news(&connection);
    let damages: [(&dyn Fn(), &str); 3] = [
        (&|| kubeconfig(&path, &other, "prod", &user), "now leads to"),
        (&|| kubeconfig(&path, &url, "production", &user), "no such context \"prod\"; there is production"),
        (&|| put(&path, "users: [{name: u, user: {token: s3cret"), "it is not a kubeconfig in YAML"),
    ];
    for (damage, expected) in damages {
        damage();
        let Some(Event::Kubeconfig(words)) = heard.recv().await else {
            panic!("nothing is told of {expected}")
        };
        assert!(words.contains(expected) && words.contains("goes on with context prod as it was"), "{words}");
        assert!(!words.contains("s3cret"), "{words}");
        assert_eq!(status(&connection.reader, Method::GET).await, 200);
    }
    kubeconfig(&path, &url, "prod", &json!({"token": "u"}));
    let Some(Event::Kubeconfig(words)) = heard.recv().await else { panic!("nothing is told of the renewal") };
    assert!(words.contains("of context prod are renewed"), "{words}");
    assert_eq!(status(&connection.reader, Method::GET).await, 401);
    assert!(there.lock().unwrap().is_empty(), "the other cluster never heard of it");
    assert!(here.lock().unwrap().last().unwrap().contains("authorization: Bearer u\r\n"));
}

#[tokio::test]
async fn a_plugin_runs_once_for_reader_and_writer_and_not_again_when_others_change_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let plugin = folder.path().join("plugin");
    std::fs::write(&plugin, "#!/bin/sh\necho run >> \"$0.runs\"\necho '{\"status\":{\"token\":\"t\"}}'\n")
        .unwrap();
    std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let runs = || std::fs::read_to_string(folder.path().join("plugin.runs")).unwrap().lines().count();
    let (url, _) = server(guard(&["t"])).await;
    let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"}});
    kubeconfig(&path, &url, "here", &user);
    let connection = open(&path).await;
    let ask = |client: &Client| {
        let client = client.clone();
        async move { status(&client, Method::GET).await }
    };
    let all = futures::future::join_all(
        (0..6).map(|n| ask(if n % 3 == 0 { &connection.writer } else { &connection.reader })),
    )
    .await;
    assert_eq!((all, runs()), (vec![200; 6], 1));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"current-context\":\"here\"", "\"current-context\":\"there\""))
        .unwrap();
    connection.line.look().await;
    assert_eq!((status(&connection.reader, Method::GET).await, runs()), (200, 1));
}

#[tokio::test]
async fn the_proxy_of_the_context_is_asked_for_a_tunnel_with_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let (proxy, seen) = server(|_| "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let proxy = proxy.replace("http://", "http://me:s3cret@");
    let text = json!({
        "clusters": [{"name": "c", "cluster": {"server": "https://k8s.corp:6443", "proxy-url": proxy}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}], "current-context": "c",
    });
    std::fs::write(&path, text.to_string()).unwrap();
    let connection = open(&path).await;
    let error =
        connection.reader.send(Request::get("/version").body(Body::empty()).unwrap()).await.err().unwrap();
    let seen = seen.lock().unwrap().clone();
    assert!(seen[0].starts_with("CONNECT k8s.corp:6443 HTTP/1.1\r\n"), "{seen:?}");
    assert!(seen[0].to_lowercase().contains("proxy-authorization: basic bwu6cznjcmv0"), "{seen:?}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}
