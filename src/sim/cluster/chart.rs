//! What the Helm chart of `MedContractHub` installs for a [`Release`]: the workloads of namespace
//! `medcontract-prod`.

use serde_json::{Value, json};

use crate::sim::scenario::Release;

/// Where the company's services live.
pub const NAMESPACE: &str = "medcontract-prod";

/// The node names: each carries its address, in three zones.
pub(crate) const NODES: [&str; 3] =
    ["ip-10-0-1-11.ec2.internal", "ip-10-0-2-12.ec2.internal", "ip-10-0-3-13.ec2.internal"];

/// Where the cluster is watched from, as the Prometheus operator sets it up.
pub(crate) const MONITORING: &str = "monitoring";
/// The service of Prometheus in [`MONITORING`].
pub(crate) const PROMETHEUS: &str = "prometheus-operated";
/// The service of Alertmanager in [`MONITORING`].
pub(crate) const ALERTMANAGER: &str = "alertmanager-operated";

/// The services that only answer requests, 20 a second each.
const SERVICES: [&str; 4] = ["ocr-service", "ai-service", "analytics-service", "realtime-service"];

/// Deployments as the chart renders them: `metadata` with name and labels, and `spec`.
pub(crate) fn deployments(release: &Release) -> Vec<Value> {
    let mut all = vec![app(release)];
    all.extend(SERVICES.map(|name| service(name, release)));
    all.push(worker());
    all.push(intake(release));
    all
}

/// `StatefulSets`: one pod each.
pub(crate) fn stateful_sets() -> Vec<Value> {
    let images = [
        ("kafka", "kafka", "apache/kafka:4.1.0", 9092),
        ("postgres-primary", "postgres", "postgres:15", 5432),
        ("redis-cluster", "redis", "redis:7", 6379),
        ("clickhouse", "clickhouse", "clickhouse/clickhouse-server:25.8", 9000),
    ];
    images.map(|(name, app, image, port)| stateful_set(name, app, image, port)).to_vec()
}

/// Services: name and the port that they and their pods listen on.
pub(crate) fn services() -> Vec<Value> {
    let data = [("kafka", 9092), ("postgres", 5432), ("redis", 6379), ("clickhouse", 9000)];
    let http = SERVICES.into_iter().chain(["medcontracthub-app"]).map(|name| (name, 8080));
    http.chain(data).zip(50..).map(|((name, port), last)| service_object(name, port, last)).collect()
}

/// The services of [`MONITORING`].
pub(crate) fn monitoring() -> Vec<Value> {
    let all = [(PROMETHEUS, 9090, "http-web"), (ALERTMANAGER, 9093, "http-web")];
    all.map(|(name, port, port_name)| {
        let ports = json!([{"name": port_name, "port": port, "protocol": "TCP", "targetPort": port_name}]);
        let spec = json!({"clusterIP": "None", "ports": ports, "selector": {"app.kubernetes.io/name": name}, "type": "ClusterIP"});
        let metadata = json!({"name": name, "namespace": MONITORING, "labels": {"managed-by": "prometheus-operator"}});
        json!({"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}})
    })
    .to_vec()
}

fn service_object(name: &str, port: u16, last: u8) -> Value {
    let ports = json!([{"port": port, "protocol": "TCP", "targetPort": port}]);
    let spec = json!({"clusterIP": format!("10.96.0.{last}"), "ports": ports, "selector": {"app": name}, "sessionAffinity": "None", "type": "ClusterIP"});
    json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": spec, "status": {"loadBalancer": {}}})
}

fn app(release: &Release) -> Value {
    let env = [
        ("SERVICE", "medcontracthub-app"),
        ("APP_VERSION", &release.version),
        ("BAD_VERSION", "v1.3.0"),
        ("FEATURE_AI_PROPOSALS", "true"),
        ("FEATURE_OCR_PROCESSING", "true"),
        ("FEATURES", "FEATURE_AI_PROPOSALS=ai-service:8080,FEATURE_OCR_PROCESSING=ocr-service:8080"),
        ("RPS", "60"),
    ];
    let image = format!("medcontracthub/app:{}", release.version);
    let mut template = template("medcontracthub-app", &http_container("app", &image, &env));
    template["metadata"]["annotations"]["kubernetes.io/change-cause"] =
        json!(format!("release {}", release.version));
    let mut app = deployment("medcontracthub-app", 2, &template);
    app["spec"]["progressDeadlineSeconds"] = json!(30);
    app
}

fn service(name: &str, release: &Release) -> Value {
    let fault = release.faults.get(name).map_or("", |fault| fault.as_str());
    let env = [("SERVICE", name), ("APP_VERSION", "v1.2.3"), ("FAULT", fault), ("RPS", "20")];
    let mut service = deployment(
        name,
        1,
        &template(name, &http_container(name, &format!("medcontracthub/{name}:v1.2.3"), &env)),
    );
    service["spec"]["strategy"]["rollingUpdate"] = json!({"maxSurge": 1, "maxUnavailable": 1});
    service
}

fn worker() -> Value {
    let env = [("SERVICE", "worker-service"), ("GROUP", "worker-service"), ("RATE", "100"), ("RPS", "5")];
    deployment(
        "worker-service",
        1,
        &template("worker-service", &http_container("worker-service", "medcontracthub/worker:v1.2.3", &env)),
    )
}

fn intake(release: &Release) -> Value {
    let container = container(
        "document-intake",
        "medcontracthub/document-intake:v1.2.3",
        &[("RATE", &release.produce_rate.to_string())],
    );
    let mut template = template("document-intake", &container);
    template["metadata"] = json!({"labels": {"app": "document-intake"}});
    deployment("document-intake", 1, &template)
}

fn deployment(name: &str, replicas: u32, template: &Value) -> Value {
    let strategy =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    let spec = json!({
        "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "strategy": strategy, "template": template,
        "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
    });
    json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
}

fn stateful_set(name: &str, app: &str, image: &str, port: u16) -> Value {
    let mut container = container(app, image, &[("TZ", "UTC")]);
    container["ports"] = json!([{"containerPort": port, "protocol": "TCP"}]);
    let mut template = template(app, &container);
    template["metadata"] = json!({"labels": {"app": app}});
    let spec = json!({
        "replicas": 1, "serviceName": app, "selector": {"matchLabels": {"app": app}}, "template": template,
        "podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    });
    json!({"metadata": {"name": name, "labels": {"app": app}}, "spec": spec})
}

fn template(app: &str, container: &Value) -> Value {
    let metadata = json!({"labels": {"app": app, "zone": "us-east-1a"}, "annotations": {"prometheus.io/scrape": "true"}});
    let spec = json!({
        "containers": [container], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
        "securityContext": {}, "terminationGracePeriodSeconds": 2,
    });
    json!({"metadata": metadata, "spec": spec})
}

fn http_container(name: &str, image: &str, env: &[(&str, &str)]) -> Value {
    let mut container = container(name, image, env);
    container["ports"] = json!([{"containerPort": 8080, "protocol": "TCP"}]);
    container["readinessProbe"] = json!({
        "httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"},
        "periodSeconds": 3, "failureThreshold": 2, "successThreshold": 1, "timeoutSeconds": 1,
    });
    container
}

fn container(name: &str, image: &str, env: &[(&str, &str)]) -> Value {
    let env: Vec<_> = env.iter().map(|(name, value)| variable(name, value)).collect();
    json!({
        "name": name, "image": image, "imagePullPolicy": "IfNotPresent", "env": env,
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    })
}

/// A variable with no value has no `value` at all, as the server stores it.
fn variable(name: &str, value: &str) -> Value {
    if value.is_empty() { json!({"name": name}) } else { json!({"name": name, "value": value}) }
}
