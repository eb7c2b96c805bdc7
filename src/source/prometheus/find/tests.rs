use axum::Router;
use axum::extract::{Query as Parameters, Request};

use super::*;
use crate::config;
use crate::net::timing::Timing;

/// A metric and the labels that its series have, each with one value.
type Metric = (&'static str, &'static [(&'static str, &'static str)]);

/// What is asked of a server that has these metrics: `signal: query`.
async fn asked(metrics: &'static [Metric], rates: &Rates) -> Vec<String> {
    let answer = move |request: Request| async move {
        let Parameters(parameters) =
            Parameters::<Vec<(String, String)>>::try_from_uri(request.uri()).unwrap();
        let wanted = parameters[0].1.clone();
        let of = metrics.iter().filter(|(name, _)| wanted.starts_with('{') || wanted == *name);
        let said: Vec<&str> = match request.uri().path() {
            "/api/v1/label/__name__/values" => {
                of.map(|(name, _)| *name).filter(|name| wanted.contains(name)).collect()
            }
            "/api/v1/label/reporter/values" => of
                .flat_map(|(_, labels)| *labels)
                .filter(|(l, _)| *l == "reporter")
                .map(|(_, v)| *v)
                .collect(),
            _ => of.flat_map(|(_, labels)| *labels).map(|(label, _)| *label).collect(),
        };
        serde_json::json!({"status": "success", "data": said}).to_string()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let server = Server::new("Prometheus", &address, &Timing::default()).unwrap();
    let queries = queries(&server, rates).await.unwrap();
    queries.iter().map(|query| format!("{}: {}", query.signal, query.over("30s"))).collect()
}

#[tokio::test]
async fn where_nothing_is_counted_yet_the_runbooks_counter_is_asked_for() {
    let expected = [
        "errors: sum by (service) (rate(http_requests_total{status=~\"5..\"}[30s]))",
        "requests: sum by (service) (rate(http_requests_total[30s]))",
    ];
    assert_eq!(asked(&[], &Rates::default()).await, expected);
}

#[tokio::test]
async fn labels_are_those_that_the_metric_has() {
    let metrics: &[Metric] = &[
        ("http_requests_total", &[("job", "x"), ("app", "x"), ("code", "200")]),
        ("http_request_duration_seconds_bucket", &[("job", "x"), ("le", "1")]),
        ("process_cpu_seconds_total", &[("job", "x"), ("app", "x")]),
    ];
    let expected = [
        "errors: sum by (app) (rate(http_requests_total{code=~\"5..\"}[30s]))",
        "requests: sum by (app) (rate(http_requests_total[30s]))",
        "latency: histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[30s])))",
        "saturation: sum by (app) (rate(process_cpu_seconds_total[30s]))",
    ];
    assert_eq!(asked(metrics, &Rates::default()).await, expected);
}

#[tokio::test]
async fn a_mesh_is_asked_for_one_end_of_each_request() {
    const LABELS: &[(&str, &str)] = &[
        ("reporter", "source"),
        ("reporter", "destination"),
        ("response_code", "200"),
        ("destination_service_name", "x"),
        ("app", "x"),
    ];
    let metrics: &[Metric] = &[
        ("istio_requests_total", LABELS),
        ("istio_request_duration_milliseconds_bucket", LABELS),
        ("container_cpu_usage_seconds_total", &[("container", "x")]),
        ("kube_pod_container_resource_limits", &[("container", "x"), ("resource", "cpu")]),
    ];
    let by = "sum by (destination_service_name";
    let expected = [
        format!(
            "errors: {by}) (rate(istio_requests_total{{response_code=~\"5..\",reporter=\"destination\"}}[30s]))"
        ),
        format!("requests: {by}) (rate(istio_requests_total{{reporter=\"destination\"}}[30s]))"),
        format!(
            "latency: histogram_quantile(0.95, {by}, le) (rate(istio_request_duration_milliseconds_bucket{{reporter=\"destination\"}}[30s])))"
        ),
        "saturation: sum by (container) (rate(container_cpu_usage_seconds_total{container!=\"\"}[30s])) / \
         sum by (container) (kube_pod_container_resource_limits{resource=\"cpu\"})"
            .to_owned(),
    ];
    assert_eq!(asked(metrics, &Rates::default()).await, expected);
}

#[tokio::test]
async fn what_the_settings_say_is_asked_as_they_say_it() {
    let set = config::Query {
        query: "sum by ($service) (rate(grpc_errors[$window]))".into(),
        unit: Unit::PerMinute,
        threshold: None,
    };
    let rates =
        Rates { label: Some("app".into()), queries: [(Signal::Errors, set)].into(), ..Rates::default() };
    let metrics: &[Metric] = &[("http_requests_total", &[("service", "x"), ("status", "200")])];
    let expected = [
        "errors: sum by (app) (rate(grpc_errors[30s]))",
        "requests: sum by (app) (rate(http_requests_total[30s]))",
    ];
    assert_eq!(asked(metrics, &rates).await, expected);
}
