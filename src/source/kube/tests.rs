//! The watch against a server that follows a script: what it asks, what the world looks like afterwards, what
//! its health says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::ApiScope;
use super::lines::LONGEST;
use crate::event::{ContextId, Event, Kind, SourceHealth, SourceId, SourceState};
use crate::net::clock::Clock;
use crate::net::connect::{ConnectSettings, connect};
use crate::net::timing::Timing;
use crate::source::handle::SourceHandle;
use crate::state::Cluster;

/// How the server ends an answer.
#[derive(Clone, Copy)]
enum End {
    Well,
    Cut,
    Never,
}
use End::{Cut, Never, Well};

/// One answer, JSON or frames of protobuf, in the order of the requests. When the script is at its end,
/// requests are not answered.
#[derive(Clone)]
struct Answer(u16, Vec<u8>, End);

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn serve(State(script): State<Script>, request: Request) -> Response {
    script.asked.lock().unwrap().push(asked(request.uri().query().unwrap_or_default()));
    let next = script.answers.lock().unwrap().pop_front();
    let Some(Answer(status, text, end)) = next else { return std::future::pending().await };
    let form = if text.first() == Some(&0) {
        "application/vnd.kubernetes.protobuf;stream=watch"
    } else {
        "application/json"
    };
    let text = stream::iter([Ok(text)]);
    let end = match end {
        Well => stream::empty().boxed(),
        // What was sent is on its way before the connection breaks.
        Cut => stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut"))
        })
        .boxed(),
        Never => stream::pending().boxed(),
    };
    Response::builder()
        .status(status)
        .header("retry-after", "0")
        .header("content-type", form)
        .body(Body::from_stream(text.chain(end)))
        .unwrap()
}

/// A request in a word: `stream`, `short stream` where it has an early end, `watch 7`, `list`, `list next`.
fn asked(query: &str) -> String {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    match (value("sendInitialEvents"), value("resourceVersion"), value("continue")) {
        (Some(_), ..) => if value("timeoutSeconds").is_some() { "short stream" } else { "stream" }.into(),
        (_, Some(version), _) => format!("watch {version}"),
        (_, _, Some(token)) => format!("list {token}"),
        _ => "list".into(),
    }
}

/// Tries again at once; what is silent is silent for longer than a busy machine is.
fn timing() -> Timing {
    let silence = Duration::from_secs(2);
    let patience = Duration::from_secs(4);
    Timing { connect: patience, answer: silence, silence, patience, ..Timing::scaled(0.02) }
}

/// What a watch has told so far.
struct Told {
    kind: Kind,
    script: Script,
    events: mpsc::Receiver<Event>,
    cluster: Cluster,
    health: Vec<SourceHealth>,
    _tasks: tokio::task::JoinSet<()>,
}

impl Told {
    /// Of pods.
    async fn by(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::of(Kind::Pod, answers).await
    }

    async fn of(kind: Kind, answers: impl IntoIterator<Item = Answer>) -> Self {
        let script =
            Script { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Script::default() };
        let mut tasks = tokio::task::JoinSet::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Some(format!("http://{}", listener.local_addr().unwrap()));
        let router = Router::new().fallback(serve).with_state(script.clone());
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let timing = timing();
        let connection =
            connect(&ConnectSettings { url, ..ConnectSettings::default() }, &timing).await.unwrap();
        let (events, told) = mpsc::channel(4);
        let handle = SourceHandle::new(SourceId::Pods, Clock::system(), events);
        let place =
            ApiScope { client: connection.reader, context: ContextId::MAIN, namespace: Some("shop".into()) };
        tasks.spawn(super::run(kind, place, handle, Clock::system(), timing));
        Self { kind, script, events: told, cluster: Cluster::default(), health: Vec::new(), _tasks: tasks }
    }

    /// Waits until all that was told makes this true.
    async fn until(&mut self, so: impl Fn(&Self) -> bool) -> &mut Self {
        let all = async {
            while !so(self) {
                match self.events.recv().await.unwrap() {
                    Event::Cluster(event) => drop(self.cluster.fold(&event)),
                    Event::Health(health) => self.health.push(health),
                    other => panic!("{other:?}"),
                }
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(60), all).await.is_ok();
        assert!(came, "it never came to that: {:?} {:?} {:?}", self.pods(), self.health, self.asked());
        self
    }

    /// Names of the pods, each with its reason.
    fn pods(&self) -> String {
        let mut names: Vec<String> = self
            .cluster
            .pods
            .values()
            .map(|pod| format!("{}{}", pod.meta.name, pod.reason.as_deref().unwrap_or_default()))
            .collect();
        names.sort();
        names.join(" ")
    }

    fn listed(&self) -> bool {
        self.cluster.is_listed(self.kind, ContextId::MAIN)
    }

    fn asked(&self) -> String {
        self.script.asked.lock().unwrap().join(", ")
    }

    fn state(&self) -> Option<SourceState> {
        self.health.last().map(|health| health.state)
    }

    fn error(&self) -> &str {
        self.health.last().and_then(|health| health.error.as_deref()).unwrap_or_default()
    }
}

fn ok(lines: &[String], end: End) -> Answer {
    Answer(200, lines.concat().into(), end)
}

fn refusal(code: u16) -> Answer {
    let status = r#"{"kind":"Status","metadata":{},"status":"Failure","message":"says no","code":"#;
    Answer(code, format!("{status}{code}}}").into(), Well)
}

fn pod(name: &str, version: u32, reason: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}","resourceVersion":"{version}"}},"spec":{{}},"status":{{"phase":"Running","reason":"{reason}"}}}}"#
    )
}

fn line(is: &str, name: &str, version: u32, reason: &str) -> String {
    format!("{{\"type\":\"{is}\",\"object\":{}}}\n", pod(name, version, reason))
}

fn added(name: &str, version: u32) -> String {
    line("ADDED", name, version, "")
}

/// The bookmark that ends a streaming listing.
fn complete(version: u32) -> String {
    let notes = r#""annotations":{"k8s.io/initial-events-end":"true"}"#;
    format!(
        "{{\"type\":\"BOOKMARK\",\"object\":{{\"kind\":\"Pod\",\"metadata\":{{\"resourceVersion\":\"{version}\",{notes}}},\"spec\":{{\"containers\":null}}}}}}\n"
    )
}

fn broken(code: u16) -> String {
    format!(
        "{{\"type\":\"ERROR\",\"object\":{{\"kind\":\"Status\",\"metadata\":{{}},\"status\":\"Failure\",\"message\":\"oh\",\"code\":{code}}}}}\n"
    )
}

fn page(names: &[&str], version: u32, next: &str) -> Answer {
    let items: Vec<String> = names.iter().map(|name| pod(name, version, "")).collect();
    let meta = format!(r#""metadata":{{"resourceVersion":"{version}","continue":"{next}"}}"#);
    Answer(200, format!(r#"{{"kind":"PodList",{meta},"items":[{}]}}"#, items.join(",")).into(), Well)
}

/// A listing of `a` and `b` at version 5, by a stream that goes on.
fn listing(more: &[String], end: End) -> Answer {
    let head = [added("a", 2), added("b", 4), complete(5)];
    ok(&head.iter().chain(more).cloned().collect::<Vec<_>>(), end)
}

#[tokio::test]
async fn a_stream_lists_and_goes_on_as_a_watch() {
    let more = [added("c", 6), line("MODIFIED", "a", 7, "Evicted"), line("DELETED", "b", 8, "")];
    let mut told = Told::by([listing(&more, Well), ok(&[added("d", 9)], Never)]).await;
    told.until(|told| told.pods() == "aEvicted c d").await;
    assert_eq!((told.asked().as_str(), told.state()), ("stream, watch 8", Some(SourceState::Live)));
}

/// Whatever happens to the connection, the world is the server's in the end, and the place in the stream is
/// kept where it can be.
#[tokio::test]
async fn it_comes_back_after_whatever_happens() {
    let gone = || refusal(410);
    let cases: Vec<(&str, Vec<Answer>, &str)> = vec![
        ("cut between lines", vec![listing(&[], Cut), ok(&[added("c", 6)], Never)], "stream, watch 5"),
        (
            "cut in a line",
            vec![listing(&["{\"type\":\"ADD".into()], Well), ok(&[added("c", 6)], Never)],
            "stream, watch 5",
        ),
        (
            "garbage",
            vec![listing(&["<html>\n".into()], Never), ok(&[added("c", 6)], Never)],
            "stream, watch 5",
        ),
        (
            "too many requests",
            vec![listing(&[], Well), refusal(429), ok(&[added("c", 6)], Never)],
            "stream, watch 5, watch 5",
        ),
        (
            "a failing server",
            vec![listing(&[], Well), refusal(500), refusal(503), ok(&[added("c", 6)], Never)],
            "stream, watch 5, watch 5, watch 5",
        ),
        (
            "an error in the stream",
            vec![listing(&[broken(500)], Never), ok(&[added("c", 6)], Never)],
            "stream, watch 5",
        ),
        (
            "a listing cut short",
            vec![ok(&[added("x", 1)], Cut), ok(&[added("x", 1)], Well), listing(&[added("c", 6)], Never)],
            "stream, stream, stream",
        ),
        ("expired at the start", vec![gone(), listing(&[added("c", 6)], Never)], "stream, stream"),
        (
            "expired watch",
            vec![ok(&[added("x", 1), complete(2)], Well), gone(), listing(&[added("c", 6)], Never)],
            "stream, watch 2, stream",
        ),
        (
            "expired in the stream",
            vec![ok(&[added("x", 1), complete(2), broken(410)], Never), listing(&[added("c", 6)], Never)],
            "stream, stream",
        ),
        ("a silent stream", vec![listing(&[], Never), ok(&[added("c", 6)], Never)], "stream, watch 5"),
        (
            "no end of the listing",
            vec![ok(&[added("x", 1)], Never), page(&["a", "b", "c"], 6, ""), ok(&[], Never)],
            "stream, list, watch 6",
        ),
        (
            "too long a line",
            vec![
                listing(&[format!("{}\n", "x".repeat(LONGEST + 1))], Never),
                listing(&[added("c", 6)], Never),
            ],
            "stream, stream",
        ),
    ];
    for (what, answers, asked) in cases {
        let mut told = Told::by(answers).await;
        told.until(|told| told.pods() == "a b c" && told.state() == Some(SourceState::Live)).await;
        // The last request may still be on its way.
        let got = told.asked();
        let asked = format!("{asked}, ");
        assert!(
            asked.starts_with(&format!("{got}, ")) || format!("{got}, ").starts_with(&asked),
            "{what}: {got}"
        );
    }
}

#[tokio::test]
async fn an_older_server_is_listed_in_pages_and_an_expired_page_begins_anew() {
    let old = || refusal(422);
    let expired = |at: usize| {
        let pages = [page(&["a", "x"], 5, "n1"), page(&["y"], 5, "n2"), page(&["z"], 5, "")];
        pages.into_iter().take(at).chain([
            refusal(410),
            page(&["a"], 7, "n3"),
            page(&["b"], 7, ""),
            ok(&[added("c", 8)], Never),
        ])
    };
    for at in 0..3 {
        let mut told = Told::by([old()].into_iter().chain(expired(at))).await;
        told.until(|told| told.pods() == "a b c").await;
        assert!(
            told.asked().starts_with("stream, list") && told.asked().contains("list, list n3, watch 7"),
            "{}",
            told.asked()
        );
    }
}

#[tokio::test]
async fn what_is_forbidden_is_named_and_the_rights_to_ask_for() {
    let mut told = Told::by([refusal(403), refusal(403), listing(&[], Never)]).await;
    told.until(|told| told.state() == Some(SourceState::Blind)).await;
    assert_eq!(
        told.error(),
        "list pods in namespace shop is forbidden (403): ask for get, list, watch on pods"
    );
    told.until(|told| told.pods() == "a b").await;
    let mut told = Told::by([refusal(401)]).await;
    told.until(|told| told.state() == Some(SourceState::Blind)).await;
    assert!(told.error().contains("does not accept this context's credentials (401)"), "{}", told.error());
}

#[tokio::test]
async fn where_watching_is_forbidden_listings_tell_the_changes() {
    let polls = [page(&["a", "b"], 6, ""), page(&["b"], 6, "n"), page(&["c"], 7, "")];
    let answers = [refusal(403), page(&["a", "b"], 5, "")].into_iter().chain(polls);
    let mut told = Told::by(answers).await;
    told.until(|told| told.listed() && told.pods() == "b c").await;
    assert_eq!(told.asked(), "stream, list, list, list, list n");
    assert_eq!(told.state(), Some(SourceState::Live));
}

#[tokio::test]
async fn a_server_that_answers_nothing_makes_it_stale_since_it_was_last_heard_and_live_again_by_itself() {
    let mut told = Told::by([listing(&[], Never)]).await;
    told.until(|told| told.state() == Some(SourceState::Stale)).await;
    let live = told.health[0].since;
    let stale = told.health[1].since;
    assert!(stale >= live && told.error().contains("has been silent for"), "{:?}", told.health);
    told.script.answers.lock().unwrap().extend([ok(&[added("c", 6)], Never)]);
    told.until(|told| told.state() == Some(SourceState::Live) && told.pods() == "a b c").await;
    assert!(!told.asked()[1..].contains("stream"), "no listing was needed: {}", told.asked());
}

#[tokio::test]
async fn a_server_that_was_never_there_is_down_and_garbage_for_ever_is_not_live() {
    let mut told =
        Told::by([Answer(200, "<html>log in</html>\n".into(), Well), Answer(200, "<html>\n".into(), Well)])
            .await;
    told.until(|told| told.state() == Some(SourceState::Down)).await;
    assert!(told.error().contains("<html>"), "{}", told.error());
}

#[tokio::test]
async fn what_is_too_large_to_read_is_told_as_missing() {
    let huge = format!("{}\n", "x".repeat(LONGEST + 1));
    let mut told = Told::by([ok(&[added("a", 2), huge, complete(5)], Never)]).await;
    told.until(|told| told.state() == Some(SourceState::Live)).await;
    assert_eq!((told.pods().as_str(), told.error()), ("a", "1 pods larger than 8 MiB could not be read"));
}

#[tokio::test]
async fn a_listing_for_each_request_is_never_more_than_one() {
    let mut told = Told::by((0..4).map(|_| listing(&[], Well)).collect::<Vec<_>>()).await;
    told.until(Told::listed).await;
    assert_eq!(told.asked().matches("stream").count(), 1);
}

#[tokio::test]
async fn a_watch_that_comes_as_protobuf_is_read_as_such() {
    let frames = include_bytes!("../../../tests/data/watch.pb");
    let mut told = Told::by([Answer(200, frames.to_vec(), Well), listing(&[], Never)]).await;
    told.until(|told| told.pods() == "oddOdd").await;
    told.until(|told| told.pods() == "a b").await; // it ends with an error: too old a version
    assert_eq!(told.asked(), "stream, stream");
}

#[tokio::test]
async fn a_short_listing_is_ended_by_the_server_and_one_that_takes_longer_is_made_in_pages() {
    let maps = |told: &Told| told.cluster.config_maps.len();
    let answers = [ok(&[added("a", 2), complete(5)], Well), ok(&[added("b", 6)], Never)];
    let mut told = Told::of(Kind::ConfigMap, answers).await;
    told.until(|told| told.listed() && maps(told) == 2).await;
    assert_eq!(told.asked(), "short stream, watch 5");
    for end in [Well, Never] {
        let answers = [ok(&[added("x", 2)], end), page(&["a", "b"], 5, ""), ok(&[added("c", 6)], Never)];
        let mut told = Told::of(Kind::ConfigMap, answers).await;
        told.until(|told| told.listed() && maps(told) == 3).await;
        assert_eq!(told.asked(), "short stream, list, watch 5");
        assert!(told.health.iter().all(|health| health.state == SourceState::Live), "{:?}", told.health);
    }
}
