//! What plans of tests begin with.

use chrono::DateTime;
use proptest::test_runner::Config as ProptestConfig;
use serde_json::{Value, json};
use ulid::Ulid;

use super::{Answer, ClusterRef, Ctx, Draft, Kind};
use crate::chance;
use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{ContextId, Op, Sealed};
use crate::step::input::Inputs;
use crate::step::parameters::Parameters;

/// Returns the context of a session with one cluster.
pub fn ctx() -> Ctx {
    Ctx {
        now: DateTime::parse_from_rfc3339("2026-11-23T14:46:32Z").unwrap().to_utc(),
        id: Ulid::from_parts(1, 1),
        actor: "dana".into(),
        place: ClusterRef {
            cluster: "https://prod".into(),
            identity: "uid:prod".into(),
            named: Clean::default(),
            context: "prod".into(),
            id: ContextId::MAIN,
            several: false,
        },
        namespace: "ns".into(),
        alertmanager: "http://am:9093".into(),
        prometheus: Ok("http://prometheus:9090".into()),
        with: Parameters::default(),
        rates: Rates::default(),
    }
}

/// Returns a Deployment `app` with this template.
pub fn deployment(template: &Value) -> Value {
    json!({
        "kind": "Deployment", "metadata": {"name": "app", "namespace": "ns", "uid": "u1", "generation": 3},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "app"}}, "template": template}, "status": {"readyReplicas": 2},
    })
}

/// Returns a revision of it, as its controller writes it.
pub fn revision(number: u64, template: &Value) -> Value {
    let mut template = template.clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!("abc");
    json!({
        "metadata": {"annotations": {"deployment.kubernetes.io/revision": number.to_string()}, "ownerReferences": [{"controller": true, "uid": "u1"}]},
        "spec": {"template": template},
    })
}

/// Returns the answer that lists these revisions.
pub fn list(revisions: &[Value]) -> Answer {
    Answer::Found(json!({"kind": "ReplicaSetList", "items": revisions}))
}

/// Plans a step with these inputs from what was read.
pub fn plan(kind: &str, inputs: &[(&str, &str)], answers: &[Answer]) -> Result<Draft, String> {
    let inputs: Inputs = inputs.iter().copied().collect();
    let kind = Kind::named(kind).unwrap();
    let told = |refusal: crate::event::Refusal| refusal.reason().to_string();
    kind.reads(&inputs, &[], &ctx()).map_err(told)?;
    kind.plan(&inputs, answers, &ctx()).map_err(told)
}

/// Returns the body of a draft's only write.
pub fn body(draft: &Draft) -> &Value {
    match &draft.requests[0].op {
        Op::Write(write) => match &write.body {
            Sealed::Open(body) => body,
            Sealed::Digest(_) => panic!("the body is sealed"),
        },
        Op::Save(_) | Op::Exec(_) | Op::Command(_) | Op::Copy(_) | Op::Look(_) | Op::Browse(_) => {
            panic!("it writes nothing")
        }
    }
}

/// Returns the operations of a JSON patch in words: `test /metadata/uid`.
pub fn operations(draft: &Draft) -> Vec<String> {
    body(draft)
        .as_array()
        .unwrap()
        .iter()
        .map(|op| format!("{} {}", op["op"].as_str().unwrap(), op["path"].as_str().unwrap()))
        .collect()
}

/// How many cases of a property are tried: few as a rule, all of them where that is asked for.
pub(crate) fn cases(few: u32, all: u32) -> ProptestConfig {
    ProptestConfig::with_cases(u32::try_from(chance::seeds(few.into(), all.into())).unwrap())
}
