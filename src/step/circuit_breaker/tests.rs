use super::*;
use crate::step::samples::{body, plan};

const ALL: [(&str, &str); 5] =
    [("service", "app"), (ERRORS, "1"), (INTERVAL, "5s"), (EJECTION, "30s"), (PERCENT, "100")];

fn answers(rule: Option<&Value>) -> Vec<Answer> {
    let groups = json!({"groups": [{"name": "networking.istio.io", "versions": [{"version": "v1"}]}]});
    let service = json!({"kind": "Service", "metadata": {"name": "app", "namespace": "ns", "uid": "s1"}});
    let rule = rule.map_or(Answer::Missing, |rule| Answer::Found(rule.clone()));
    vec![Answer::Found(groups), Answer::Found(service), rule, Answer::Missing]
}

fn rule_of(policy: &Value) -> Value {
    json!({
        "kind": "DestinationRule",
        "metadata": {"name": "circuit-breaker-emergency", "namespace": "ns", "uid": "r1"},
        "spec": {"host": "app.ns.svc.cluster.local", "trafficPolicy": policy},
    })
}

#[test]
fn the_rule_of_the_runbook_is_applied_and_taken_away_again() {
    let draft = plan("circuit-breaker", &ALL, &answers(None)).unwrap();
    let metadata = json!({"name": "circuit-breaker-emergency", "namespace": "ns"});
    assert_eq!(body(&draft)["metadata"], metadata);
    assert_eq!(body(&draft)["apiVersion"], "networking.istio.io/v1");
    let detection = json!({
        "consecutive5xxErrors": 1, "interval": "5s", "baseEjectionTime": "30s", "maxEjectionPercent": 100,
    });
    let spec = json!({"host": "app", "trafficPolicy": {"outlierDetection": detection}});
    assert_eq!(body(&draft)["spec"], spec);
    let back = vec![("service", "app".to_owned())];
    assert_eq!(draft.undo, Undo::Step { kind: "circuit-breaker-remove", inputs: back });
    assert!(draft.facts[0].words.contains("every pod of app"));
    let verbs: Vec<&str> = draft.requests[0].rights.iter().map(|right| right.verb.as_str()).collect();
    assert_eq!(verbs, ["patch", "create"]);
    let command = draft.command.to_copy().unwrap();
    assert!(command.starts_with("printf %s '{\"apiVersion\":\"networking.istio.io/v1\""), "{command}");
    let end = "| kubectl apply --server-side --field-manager=warroom -f - -n ns --context prod";
    assert!(command.ends_with(end), "{command}");
}

#[test]
fn a_rule_that_is_there_keeps_its_host_and_gets_its_policy_back() {
    let policy = json!({"outlierDetection": {"interval": "10s"}});
    let draft = plan("circuit-breaker", &ALL, &answers(Some(&rule_of(&policy)))).unwrap();
    assert_eq!(body(&draft)["metadata"]["uid"], "r1");
    assert_eq!(body(&draft)["spec"]["host"], "app.ns.svc.cluster.local");
    let back = vec![("service", "app".to_owned()), ("policy", policy.to_string())];
    assert_eq!(draft.undo, Undo::Step { kind: "circuit-breaker-remove", inputs: back });
    let so = json!({"outlierDetection": {"interval": "10s"}});
    let inputs = [("service", "app"), (INTERVAL, "10s")];
    let so = plan("circuit-breaker", &inputs, &answers(Some(&rule_of(&so)))).unwrap_err();
    assert_eq!(so, "nothing to do: circuit-breaker-emergency is so already");
}

#[test]
fn what_istio_would_not_take_is_refused_before_anything_is_read() {
    for (name, wrong) in
        [(ERRORS, "-1"), (PERCENT, "101"), (INTERVAL, "5"), (EJECTION, "0s"), (INTERVAL, "1d")]
    {
        let refused = plan("circuit-breaker", &[("service", "app"), (name, wrong)], &[]).unwrap_err();
        assert!(refused.starts_with(&format!("{name} is \"{wrong}\"")), "{refused}");
    }
}
