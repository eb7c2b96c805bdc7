//! Guardrails of the settings, from the command line: what they forbid is not sent, and says why.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod pty;

use pty::{Cluster, Ran};
use serde_json::json;

fn with(rule: &str, names: &str) -> Cluster {
    let cluster = Cluster::calm();
    let settings = format!("[[guardrails]]\nrule = '{rule}'\nwhy = 'the night batch'\n{names}\n");
    cluster.home.write("config/config.toml", &settings);
    cluster
}

fn scale(cluster: &Cluster, flags: &[&str]) -> Ran {
    let inputs = ["run", "scale", "--set", "deployment=ai-service", "--set", "replicas=2", "--yes", "--json"];
    cluster.run(&[&inputs[..], flags].concat())
}

#[test]
fn what_is_denied_is_not_sent() {
    for (rule, words) in [("deny", "a guardrail forbids it"), ("two-people", "a second person")] {
        let cluster = with(rule, "step = 'scale'");
        let ran = scale(&cluster, &[]);
        let told = ran.json();
        assert_eq!((ran.code, &told["outcome"]), (3, &json!("not_sent")), "{rule}: {told}");
        let reason = told["reason"].as_str().unwrap();
        assert!(reason.contains(words) && reason.contains("the night batch"), "{reason}");
        assert_eq!(cluster.writes(), []);
    }
    let elsewhere = with("deny", "step = 'scale'\nnamespace = 'shop'");
    assert_eq!(scale(&elsewhere, &["--no-wait"]).code, 0);
}

#[test]
fn where_the_name_is_asked_for_it_must_be_given() {
    let cluster = with("confirm-by-name", "");
    let ran = scale(&cluster, &[]);
    let reason = ran.json()["reason"].to_string();
    assert!(ran.code == 3 && reason.contains("--confirm ai-service"), "{ran:?}");
    assert_eq!(cluster.writes(), []);
    assert_eq!(scale(&cluster, &["--confirm", "ai-service", "--no-wait"]).code, 0);
    assert_eq!(cluster.writes().len(), 1);
}

#[test]
fn guardrails_that_conflict_are_told_with_both_lines() {
    let cluster =
        with("deny", "step = 'scale'\n[[guardrails]]\nrule = 'two-people'\nwhy = 'b'\nstep = 'scale'");
    let ran = cluster.home.run(&["check"]);
    assert!(ran.code == 2 || ran.code == 1, "{ran:?}");
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("config.toml:5:1") && said.contains("config.toml:1:1"), "{said}");
}
