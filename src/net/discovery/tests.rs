use serde_json::json;

use super::*;
use crate::net::connect::{ConnectSettings, connect};
use crate::sim::scenario::Scenario;
use crate::sim::{Identity, Sim, SimConfig};

fn catalog(services: &[(&str, &str, &[u16])], near: &str) -> Catalog {
    let service = |(namespace, name, ports): &(&str, &str, &[u16])| {
        let ports: Vec<_> = ports.iter().map(|port| json!({"port": port})).collect();
        serde_json::from_value(
            json!({"metadata": {"namespace": namespace, "name": name}, "spec": {"ports": ports, "selector": {"a": "b"}}}),
        )
        .unwrap()
    };
    Catalog {
        services: services.iter().map(service).collect(),
        looked: String::new(),
        near: Some(near.to_owned()),
    }
}

#[test]
fn what_the_common_charts_install_is_known_and_ranked() {
    let catalog = catalog(
        &[
            ("default", "kubernetes", &[443]),
            ("monitoring", "kps-kube-prometheus-stack-prometheus", &[9090, 8080]),
            ("monitoring", "kps-kube-prometheus-stack-operator", &[443]),
            ("monitoring", "kps-prometheus-node-exporter", &[9100]),
            ("monitoring", "prometheus-operated", &[9090]),
            ("shop", "prometheus-operated", &[9090]),
            ("vm", "vmselect-main", &[8481]),
            ("ops", "prometheus-server", &[80]),
            ("monitoring", "prometheus-pushgateway", &[9091]),
            ("monitoring", "alertmanager-operated", &[9093, 9094]),
            ("monitoring", "kps-kube-prometheus-stack-alertmanager", &[9093, 8080]),
            ("obs", "mimir-alertmanager", &[8080, 9095]),
        ],
        "shop",
    );
    let shown = |what| catalog.candidates(what).iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [
        "shop/prometheus-operated:9090",
        "monitoring/prometheus-operated:9090",
        "monitoring/kps-kube-prometheus-stack-prometheus:9090",
        "ops/prometheus-server:80",
        "vm/vmselect-main:8481/select/0/prometheus",
    ];
    assert_eq!(shown(ServiceKind::Prometheus), expected);
    assert_eq!(
        shown(ServiceKind::Alertmanager),
        ["monitoring/alertmanager-operated:9093", "monitoring/kps-kube-prometheus-stack-alertmanager:9093"]
    );
}

#[test]
fn brokers_are_told_from_what_is_only_named_after_them() {
    let catalog = catalog(
        &[
            ("data", "my-cluster-kafka-brokers", &[9091, 9092]),
            ("data", "my-cluster-kafka-bootstrap", &[9091, 9092]),
            ("data", "kafka-ui", &[9092]),
            ("data", "my-kafka-exporter", &[9092]),
            ("shop", "kafka-headless", &[9092]),
            ("shop", "kafka", &[9092]),
            ("shop", "postgres", &[5432]),
        ],
        "shop",
    );
    let shown: Vec<_> = catalog.brokers().iter().map(|service| service.metadata.name.as_str()).collect();
    assert_eq!(shown, ["kafka", "kafka-headless", "my-cluster-kafka-bootstrap", "my-cluster-kafka-brokers"]);
}

async fn discovery(identity: Identity, near: Option<&str>) -> (Sim, Discovery) {
    let measured = Duration::from_secs(60);
    let sim = Sim::start(SimConfig { identity, measured, ..SimConfig::new(Scenario::Calm) }).await.unwrap();
    let settings = ConnectSettings { url: Some(sim.kubernetes_url()), ..ConnectSettings::default() };
    let connection = connect(&settings, &Timing::default()).await.unwrap();
    (sim, Discovery::new(connection.reader, near.map(str::to_owned), &Timing::default()))
}

#[tokio::test]
async fn the_simulated_cluster_is_found_through_its_api_server() {
    let (sim, discovery) = discovery(Identity::Admin, Some("medcontract-prod")).await;
    for (what, expected) in [
        (ServiceKind::Prometheus, "monitoring/prometheus-operated:9090"),
        (ServiceKind::Alertmanager, "monitoring/alertmanager-operated:9093"),
    ] {
        let (service, server) = discovery.find(what).await.unwrap().unwrap();
        assert_eq!(service.to_string(), expected);
        let told = test(what, &server).await.unwrap();
        assert!(told.contains("targets up") || told.contains("version 0."), "{told}");
    }
    let broker = discovery.broker().await.unwrap().unwrap();
    assert_eq!(
        (broker.namespace.as_str(), broker.pod.as_str(), broker.bootstrap.to_string().as_str()),
        ("medcontract-prod", "kafka-0", "kafka:9092")
    );
    assert_eq!(sim.requests(), [], "finding changes nothing, not even in the audit log");
}

#[tokio::test]
async fn what_is_forbidden_is_told_and_the_own_namespace_is_looked_at_instead() {
    let (_sim, narrow) = discovery(Identity::Narrow, Some("medcontract-prod")).await;
    assert!(narrow.find(ServiceKind::Prometheus).await.unwrap().is_none());
    assert_eq!(
        narrow.catalog().await.unwrap().looked,
        "9 services of namespace medcontract-prod; listing those of all is forbidden"
    );
    assert!(narrow.broker().await.unwrap().is_some());
    let (_sim, lost) = discovery(Identity::Narrow, None).await;
    assert_eq!(
        lost.find(ServiceKind::Prometheus).await.unwrap_err(),
        Failure::Forbidden("list services is forbidden (403)".into())
    );
    let (_sim, viewer) = discovery(Identity::Viewer, None).await;
    let said = viewer.find(ServiceKind::Prometheus).await.unwrap_err().to_string();
    assert!(
        said.contains("forbidden (403): ask for get on services/proxy in namespace monitoring"),
        "{said}"
    );
}

#[tokio::test]
async fn a_service_that_is_not_what_it_looks_like_is_passed_over() {
    let (sim, discovery) = discovery(Identity::Admin, None).await;
    sim.delete("Service", "monitoring", "prometheus-operated");
    assert!(discovery.find(ServiceKind::Prometheus).await.unwrap().is_none());
    let gone: InCluster = "monitoring/prometheus-operated:9090".parse().unwrap();
    let server = Server::within("Prometheus", &gone, discovery.client.clone(), &Timing::default());
    let said = test(ServiceKind::Prometheus, &server).await.unwrap_err().to_string();
    assert!(
        said.starts_with("Prometheus is not at monitoring/prometheus-operated:9090 of the cluster (404)"),
        "{said}"
    );
    let other: InCluster = "medcontract-prod/kafka:9092".parse().unwrap();
    let server = Server::within("Prometheus", &other, discovery.client.clone(), &Timing::default());
    assert!(test(ServiceKind::Prometheus, &server).await.unwrap_err().to_string().contains("404 Not Found"));
}
