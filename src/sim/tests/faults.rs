//! Faults: what a client is told and what the server did are two things.

use std::time::Duration;

use axum::http::Method;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, WatchParams};
use serde_json::json;

use super::*;
use crate::sim::fault::{Fault, When};

fn replicas(bench: &Bench) -> i64 {
    bench.sim.object(APP).unwrap()["spec"]["replicas"].as_i64().unwrap()
}

#[tokio::test]
async fn a_lost_answer_may_be_that_of_an_applied_change() {
    let cases = [
        (Fault::Cut { applied: true }, None, 5),
        (Fault::Cut { applied: false }, None, 2),
        (Fault::Status { code: 504, applied: true }, Some(504), 5),
        (Fault::Status { code: 500, applied: false }, Some(500), 2),
    ];
    for (fault, expected, size) in cases {
        let bench = Bench::start(Scenario::Calm).await;
        bench.sim.faults().on(Method::PATCH, "/deployments/", When::Nth(1), fault);
        let error = bench
            .patch(APP, json!([{"op": "replace", "path": "/spec/replicas", "value": 5}]))
            .await
            .unwrap_err();
        match expected {
            Some(expected) => assert_eq!(code(&error), expected),
            None => assert!(!matches!(error, kube::Error::Api(_)), "{error}"),
        }
        assert_eq!(replicas(&bench), size, "{fault:?}");
        let seen = bench.sim.requests();
        assert_eq!((seen.len(), seen[0].applied), (1, size == 5), "{fault:?}");
    }
}

#[tokio::test]
async fn any_answer_may_stand_for_the_servers_own() {
    for (applied, size) in [(true, 5), (false, 2)] {
        let bench = Bench::start(Scenario::Calm).await;
        let fault = Fault::Reply {
            status: 499,
            content_type: "text/html",
            body: "<h1>client closed request</h1>",
            applied,
        };
        bench.sim.faults().on(Method::PATCH, "/deployments/", When::Nth(1), fault);
        let patch = json!([{"op": "replace", "path": "/spec/replicas", "value": 5}]).to_string();
        let url = format!("{}{APP}", bench.sim.kubernetes_url());
        let sent =
            http_client().patch(url).header("content-type", "application/json-patch+json").body(patch).send();
        let answer = sent.await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
            (499, "text/html")
        );
        assert_eq!(answer.text().await.unwrap(), "<h1>client closed request</h1>");
        assert_eq!((replicas(&bench), bench.sim.requests()[0].applied), (size, size == 5));
    }
}

#[tokio::test]
async fn who_follows_a_redirect_is_seen_twice() {
    let bench = Bench::start(Scenario::Calm).await;
    let fault = Fault::Reply { status: 307, content_type: "text/html", body: "", applied: false };
    bench.sim.faults().on(Method::PATCH, "/deployments/", When::Nth(1), fault);
    let patch = json!([{"op": "replace", "path": "/spec/replicas", "value": 5}]).to_string();
    let request = http_client()
        .patch(format!("{}{APP}", bench.sim.kubernetes_url()))
        .header("content-type", "application/json-patch+json");
    assert_eq!(request.body(patch).send().await.unwrap().status().as_u16(), 200);
    assert_eq!(bench.sim.requests().iter().map(|request| request.applied).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn a_throttled_client_is_told_when_to_come_back() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.faults().on(Method::GET, "/pods", When::Nth(1), Fault::Status { code: 429, applied: false });
    let answer =
        http_client().get(format!("{}/api/v1/pods", bench.sim.kubernetes_url())).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "1"));
}

#[tokio::test]
async fn a_frozen_server_answers_once_it_is_thawed() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.faults().freeze();
    let mut asked = Box::pin(bench.get("/version"));
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut asked).await.is_err());
    bench.sim.faults().thaw();
    assert_eq!(asked.await.unwrap()["gitVersion"], "v1.35.0");
}

#[tokio::test]
async fn a_hanging_request_ends_when_the_faults_are_cleared() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.faults().on(Method::PATCH, "", When::Always, Fault::Hang { applied: true });
    let mut asked =
        Box::pin(bench.patch(APP, json!([{"op": "replace", "path": "/spec/replicas", "value": 5}])));
    while replicas(&bench) != 5 {
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut asked).await.is_err(), "it is answered");
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut asked).await.is_err());
    bench.sim.faults().clear();
    assert_eq!(asked.await.unwrap()["spec"]["replicas"], 5);
}

#[tokio::test]
async fn a_lost_page_goes_on_as_if_it_were_whole() {
    let bench = Bench::start(Scenario::Calm).await;
    let pods: Api<Pod> = Api::namespaced(bench.client.clone(), NAMESPACE);
    bench.sim.faults().on(Method::GET, "continue=", When::Nth(1), Fault::LostPage);
    let first = pods.list(&ListParams::default().limit(4)).await.unwrap();
    let token = first.metadata.continue_.unwrap();
    let lost = pods.list(&ListParams::default().limit(4).continue_token(&token)).await.unwrap();
    assert!(lost.items.is_empty() && lost.metadata.continue_.is_some());
}

#[tokio::test]
async fn cut_watches_break_off() {
    let bench = Bench::start(Scenario::Calm).await;
    let pods: Api<Pod> = Api::namespaced(bench.client.clone(), NAMESPACE);
    let mut events = pods.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    assert!(events.next().await.unwrap().is_ok());
    bench.sim.faults().cut_watches();
    let rest = tokio::time::timeout(Duration::from_secs(60), events.collect::<Vec<_>>()).await;
    assert!(rest.is_ok(), "the stream is over, in whatever way the client tells it");
}

#[tokio::test]
async fn dropping_the_simulation_ends_its_connections() {
    let bench = Bench::start(Scenario::Calm).await;
    bench.get("/version").await.unwrap();
    let Bench { sim, client, .. } = bench;
    drop(sim);
    let asked = client.request::<Value>(Request::get("/version").body(Vec::new()).unwrap()).await;
    assert!(asked.is_err());
}
