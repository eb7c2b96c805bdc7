//! `warroom init`, and the first run without settings: what is found, asked and written, on a simulated
//! cluster and on the bed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/bed.rs"]
mod bed;
mod pty;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, Uri};
use pty::{Cluster, Home, Ran, Term};
use serde_json::Value;
use warroom::net::clock::Clock;
use warroom::sim::Identity;

fn source(ran: &Ran, name: &str) -> Value {
    ran.json()["sources"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap()
}

fn settings(home: &Home) -> String {
    fs::read_to_string(home.path("config/config.toml")).unwrap_or_default()
}

#[test]
fn without_settings_everything_is_found_in_the_cluster() {
    let cluster = Cluster::calm();
    let status = cluster.home.run(&["status", "--json"]);
    assert_eq!(status.code, 0, "{status:?}");
    for (name, place) in [
        ("prometheus", "found: monitoring/prometheus-operated:9090"),
        ("alertmanager", "found: monitoring/alertmanager-operated:9093"),
        ("kafka", "found: medcontract-prod/kafka-0"),
    ] {
        let row = source(&status, name);
        assert_eq!(row["state"], "live", "{row}");
        assert!(row["error"].as_str().unwrap().starts_with(place), "{row}");
    }
    assert!(!status.json()["services"].as_array().unwrap().is_empty());
    assert_eq!(cluster.sim.requests(), [], "reading through the API server changes nothing");
    assert_eq!(settings(&cluster.home), "");
}

#[test]
fn what_the_cluster_does_not_have_is_off_with_what_to_do() {
    let cluster = Cluster::calm();
    cluster.sim.delete("Service", "monitoring", "prometheus-operated");
    let status = cluster.home.run(&["status", "--json"]);
    let row = source(&status, "prometheus");
    assert_eq!(row["state"], "off", "{row}");
    for words in [
        "no Prometheus found in the cluster",
        "services of all namespaces",
        "warroom init",
        "--prometheus",
        "WARROOM_PROMETHEUS_URL",
    ] {
        assert!(row["error"].as_str().unwrap().contains(words), "{row}");
    }
    let viewer = Cluster::start(Identity::Viewer, Clock::system());
    let row = source(&viewer.home.run(&["status", "--json"]), "prometheus");
    assert_eq!(row["state"], "blind", "{row}");
    assert!(
        row["error"].as_str().unwrap().contains("get on services/proxy in namespace monitoring"),
        "{row}"
    );
}

#[test]
fn init_takes_the_best_and_keeps_what_is_set() {
    let cluster = Cluster::calm();
    cluster.home.write("config/config.toml", "# ours\narm_minutes = 5 # short\n");
    let shown = cluster.home.run(&["init", "--dry-run"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.out.contains("service = \"monitoring/prometheus-operated:9090\""), "{shown:?}");
    assert_eq!(settings(&cluster.home), "# ours\narm_minutes = 5 # short\n");
    let ran = cluster.home.run(&["init", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "✓ Prometheus: monitoring/prometheus-operated:9090",
        "✓ Alertmanager: monitoring/alertmanager-operated:9093: version 0.",
        "✓ Kafka: medcontract-prod/kafka-0, brokers at kafka:9092: consumer groups read by exec: ",
    ] {
        assert!(ran.out.contains(line), "no {line} in {ran:?}");
    }
    let text = settings(&cluster.home);
    assert!(
        text.starts_with(
            "# ours\narm_minutes = 5 # short\n\n# found by `warroom init` in context test\n[prometheus]\n"
        ),
        "{text}"
    );
    let path = cluster.home.path("config/config.toml");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(cluster.home.run(&["check"]).code, 0);
    let doctor = cluster.home.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{doctor:?}");
    assert!(doctor.out.contains("api server") && doctor.out.contains("directly"), "{doctor:?}");
    let again = cluster.home.run(&["init", "--yes"]);
    assert_eq!((again.code, settings(&cluster.home)), (0, text), "{again:?}");
    assert!(again.out.contains("nothing to write"), "{again:?}");
}

#[test]
fn init_says_what_it_cannot_do() {
    let cluster = Cluster::calm();
    let ran = cluster.home.run(&["init"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("this is no terminal: give --yes"), "{ran:?}");
    let nobody = Home::on("http://127.0.0.1:1", "medcontract-prod");
    let ran = nobody.run(&["init", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("Connection refused"), "{ran:?}");
    assert_eq!(Home::new().run(&["init", "--yes"]).code, 2);
    for (kind, name) in [("prometheus", "prometheus-operated"), ("alertmanager", "alertmanager-operated")] {
        assert!(cluster.sim.delete("Service", "monitoring", name), "{kind}");
    }
    cluster.sim.delete("Service", "medcontract-prod", "kafka");
    let ran = cluster.home.run(&["init", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.contains("✗ Prometheus: no service of the cluster looks like it")
            && ran.out.contains("nothing to write"),
        "{ran:?}"
    );
    assert_eq!(settings(&cluster.home), "");
    let broken = Cluster::calm();
    broken.home.write("config", "a file where the folder should be");
    assert_ne!(broken.home.run(&["init", "--yes"]).code, 0);
}

#[test]
fn what_is_named_and_does_not_answer_is_told_and_not_written() {
    let cluster = Cluster::calm();
    let ran = cluster.home.run(&[
        "init",
        "--yes",
        "--kafka",
        "brokers:127.0.0.1:1",
        "--prometheus",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for line in [
        "✗ Kafka: brokers at 127.0.0.1:1 of the command line: ",
        "✗ Prometheus: http://127.0.0.1:1 of the command line",
        "written: ",
    ] {
        assert!(ran.out.contains(line), "no {line} in {ran:?}");
    }
    let text = settings(&cluster.home);
    assert!(
        text.contains("[alertmanager]") && !text.contains("[kafka]") && !text.contains("[prometheus]"),
        "{text}"
    );
    let named = cluster.home.run(&["init", "--yes", "--kafka", "exec"]);
    assert_eq!(named.code, 0, "{named:?}");
    assert!(settings(&cluster.home).contains("[kafka]\nmode = \"exec\""), "{named:?}");
}

#[test]
fn kafka_that_cannot_be_read_is_not_written() {
    let viewer = Cluster::start(Identity::Viewer, Clock::system());
    let ran = viewer.home.run(&["init", "--yes"]);
    assert!(
        ran.out.contains("✗ Kafka: medcontract-prod/kafka-0, brokers at kafka:9092: exec in pod kafka-0"),
        "{ran:?}"
    );
    assert!(!settings(&viewer.home).contains("[kafka]"), "{ran:?}");
}

#[test]
fn an_empty_address_is_none() {
    let cluster = Cluster::calm();
    let status = cluster.home.run(&["status", "--json", "--prometheus", ""]); // as an empty variable would
    assert_eq!(source(&status, "prometheus")["state"], "live", "{status:?}");
}

/// A Prometheus that lets in who shows this token; and what it was shown.
fn guarded(runtime: &tokio::runtime::Runtime) -> (String, Arc<Mutex<Vec<String>>>) {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&shown);
    let answer = move |uri: Uri, headers: HeaderMap| {
        let known =
            headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = if known == "Bearer s3cret" { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        noted.lock().unwrap().push(known);
        let data = if uri.path().contains("/label") {
            "[]"
        } else {
            r#"{"resultType":"vector","result":[],"activeTargets":[]}"#
        };
        std::future::ready((status, format!(r#"{{"status":"success","data":{data}}}"#)))
    };
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(axum::serve(listener, axum::Router::new().fallback(answer)).into_future());
    (url, shown)
}

#[test]
fn init_asks_for_a_token_that_nobody_sees() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (url, shown) = guarded(&runtime);
    let cluster = Cluster::calm();
    let mut term = Term::run(&cluster.home, &["init"]);
    term.sees("Prometheus: a number, an address, or - to leave it out [1]:").press(&format!("{url}\r"));
    term.sees("wants credentials (401)").sees("user (nothing: a bearer token):").press("\r");
    term.sees("token, not shown").press("s3cret\r").sees("which only you can read");
    term.sees("Alertmanager: a number").press("-\r").sees("Read its groups there?").press("n\r");
    term.sees("config.toml? [Y/n]").press("\r").sees("written: ");
    assert!(term.ends().success());
    assert!(!String::from_utf8_lossy(&term.bytes()).contains("s3cret"));
    assert!(shown.lock().unwrap().contains(&"Bearer s3cret".to_owned()));
    let text = settings(&cluster.home);
    assert!(text.contains(&format!("url = \"{url}\"\nbearer_token_file = \"prometheus.token\"\n")), "{text}");
    let token = cluster.home.path("config/prometheus.token");
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(token).unwrap(), "s3cret");
    let row = source(&cluster.home.run(&["status", "--json"]), "prometheus");
    assert_eq!(row["state"], "live", "{row}");
}

#[test]
#[ignore = "needs the bed"]
fn bed_init_finds_kafka() {
    let home = Home::new();
    fs::copy(bed::kubeconfig(), home.path("kubeconfig")).unwrap();
    let ran = home.run(&["init", "--yes", "--namespace", "medcontract-prod"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in [
        "✗ Prometheus: no service of the cluster looks like it",
        "✗ Alertmanager: no service",
        "✓ Kafka: medcontract-prod/kafka-0, brokers at kafka:9092",
    ] {
        assert!(ran.out.contains(words), "no {words} in {ran:?}");
    }
    assert!(
        settings(&home)
            .contains("[kafka]\nmode = \"exec\"\nnamespace = \"medcontract-prod\"\npod = \"kafka-0\""),
        "{}",
        settings(&home)
    );
}
