//! The circuit breaker of a service goes, or its rule gets back the traffic policy that it had.

use serde_json::{Value, json};

use super::circuit_breaker::{EJECTION, ERRORS, INTERVAL, PERCENT};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::istio::{POLICY, Rule, groups, rule, rules};
use super::parameters::Parameters;
use super::target::{Aim, Found, SERVICE};
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, check, text};
use crate::event::{Naming, Refusal, StepCall};

const INPUTS: &[InputSpec] =
    &[InputSpec::required("service", InputKind::Service), InputSpec::optional("policy", InputKind::Text)];

pub(super) struct CircuitBreakerRemove;

impl StepKind for CircuitBreakerRemove {
    fn name(&self) -> &'static str {
        "circuit-breaker-remove"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        policy(inputs)?;
        let service = Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?;
        match answers {
            [] => Ok(vec![groups()]),
            [groups] => rules(Some(groups), &service),
            _ => Ok(Vec::new()),
        }
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        let back = call.inputs.contains_key("policy");
        Some(if back { "restores the traffic policy" } else { "removes the circuit breaker" }.to_owned())
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl delete destinationrule circuit-breaker-emergency[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let service = Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?;
        let Rule { aim, object } = rule(answers.first(), &service, answers.get(1..).unwrap_or_default())?;
        if object.is_null() {
            return Err(Refusal::failed(format!("nothing to do: {} has no circuit breaker", service.name)));
        }
        let found = Found { aim, object };
        let given = inputs.needed("service")?;
        match policy(inputs)? {
            Some(policy) => restored(&found, &service, given, &policy, ctx),
            None => Ok(removed(&found, &service, given, ctx)),
        }
    }
}

/// The traffic policy that is to be restored: `null` where there was none.
fn policy(inputs: &Inputs) -> Result<Option<Value>, Refusal> {
    let Some(given) = inputs.get("policy") else { return Ok(None) };
    let policy = serde_json::from_str::<Value>(given).ok().filter(|one| one.is_object() || one.is_null());
    policy.map(Some).ok_or_else(|| {
        Refusal::usage(format!("policy is \"{given}\": give the trafficPolicy as JSON, or leave it out"))
    })
}

fn removed(found: &Found, service: &Aim, given: &str, ctx: &Ctx) -> Draft {
    let undo = again(found, service, given);
    let naming = if let Undo::None(why) = &undo {
        Some(Naming { why: why.as_str().into(), lasting: true })
    } else {
        None
    };
    let words = ["delete", "destinationrule", found.name()].map(Into::into).to_vec();
    Draft {
        title: format!("remove the circuit breaker of {}", service.name),
        requests: vec![found.delete(ctx)],
        undo,
        command: found.kubectl(ctx, words),
        naming,
        ..draft(found, service, ctx)
    }
}

/// The step that makes the rule again: it knows the four values of a circuit breaker, and nothing else.
fn again(found: &Found, service: &Aim, given: &str) -> Undo {
    let detection = &found.object["spec"]["trafficPolicy"]["outlierDetection"];
    let plain = json!({"host": service.name, "trafficPolicy": {"outlierDetection": detection}});
    let fields = [ERRORS, INTERVAL, EJECTION, PERCENT];
    let whole = detection.as_object().is_some_and(|all| all.len() == fields.len())
        && fields.iter().all(|field| !detection[field].is_null());
    if found.object["spec"] != plain || !whole {
        return Undo::None(format!("{} holds more than a circuit breaker", found.name()));
    }
    let value = |field: &'static str| {
        let number = detection[field].as_u64().map(|number| number.to_string());
        (field, number.unwrap_or_else(|| text(detection, &format!("/{field}")).to_owned()))
    };
    let inputs = std::iter::once(("service", given.to_owned())).chain(fields.map(value)).collect();
    Undo::Step { kind: "circuit-breaker", inputs }
}

/// # Errors
/// The policy is so already.
fn restored(found: &Found, service: &Aim, given: &str, policy: &Value, ctx: &Ctx) -> Result<Draft, Refusal> {
    let now = found.object.pointer(POLICY).unwrap_or(&Value::Null);
    if now == policy {
        return Err(Refusal::failed(format!("nothing to do: {} has that policy already", found.name())));
    }
    let write = match policy {
        Value::Null => json!({"op": "remove", "path": POLICY}),
        policy => json!({"op": "add", "path": POLICY, "value": policy}),
    };
    let patch = json!([write]).to_string();
    let words = ["patch", "destinationrule", found.name(), "--type=json", "-p", &patch];
    Ok(Draft {
        title: format!("restore the traffic policy of {}", found.name()),
        requests: vec![found.patch(ctx, "", vec![found.test(POLICY), write], &[(POLICY, policy.clone())])],
        undo: Undo::Step {
            kind: "circuit-breaker-remove",
            inputs: vec![("service", given.to_owned()), ("policy", now.to_string())],
        },
        command: found.kubectl(ctx, words.map(Into::into).to_vec()),
        ..draft(found, service, ctx)
    })
}

/// What both ways have in common.
fn draft(found: &Found, service: &Aim, ctx: &Ctx) -> Draft {
    let name = &service.name;
    Draft {
        title: String::new(),
        target: found.target(ctx),
        requests: Vec::new(),
        checks: vec![check::errors_below(name, ctx.rates.threshold_of(name))],
        undo: Undo::None(String::new()),
        command: crate::event::Command::default(),
        touches: format!("requests to {name} within the mesh"),
        facts: Vec::new(),
        lines: Vec::new(),
        naming: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::samples::{body, operations, plan};

    fn answers(spec: &Value) -> Vec<Answer> {
        let groups = json!({"groups": [{"name": "networking.istio.io", "versions": [{"version": "v1"}]}]});
        let metadata = json!({"name": "circuit-breaker-emergency", "namespace": "ns", "uid": "r1"});
        let rule = json!({"kind": "DestinationRule", "metadata": metadata, "spec": spec});
        vec![Answer::Found(groups), Answer::Found(rule), Answer::Missing]
    }

    fn breaker() -> Value {
        let detection = json!({
            "consecutive5xxErrors": 1, "interval": "5s", "baseEjectionTime": "30s", "maxEjectionPercent": 50,
        });
        json!({"host": "app", "trafficPolicy": {"outlierDetection": detection}})
    }

    #[test]
    fn the_rule_that_was_read_is_deleted_and_can_be_made_again() {
        let draft = plan("circuit-breaker-remove", &[("service", "app")], &answers(&breaker())).unwrap();
        assert_eq!(body(&draft)["preconditions"], json!({"uid": "r1"}));
        let values =
            [("service", "app"), (ERRORS, "1"), (INTERVAL, "5s"), (EJECTION, "30s"), (PERCENT, "50")];
        let inputs = values.map(|(name, value)| (name, value.to_owned())).to_vec();
        assert_eq!(draft.undo, Undo::Step { kind: "circuit-breaker", inputs });
        assert!(draft.naming.is_none());
        let mut more = breaker();
        more["subsets"] = json!([{"name": "v1"}]);
        let draft = plan("circuit-breaker-remove", &[("service", "app")], &answers(&more)).unwrap();
        assert!(draft.naming.is_some_and(|naming| naming.lasting), "nothing brings the subsets back");
    }

    #[test]
    fn a_policy_is_restored_as_it_was() {
        let restore = |policy: &str| {
            plan("circuit-breaker-remove", &[("service", "app"), ("policy", policy)], &answers(&breaker()))
        };
        let draft = restore(r#"{"tls":{"mode":"ISTIO_MUTUAL"}}"#).unwrap();
        assert_eq!(body(&draft)[1]["value"], breaker()["trafficPolicy"]);
        assert_eq!(body(&draft)[2]["value"], json!({"tls": {"mode": "ISTIO_MUTUAL"}}));
        let none = restore("null").unwrap();
        let steps = ["test /metadata/uid", "test /spec/trafficPolicy", "remove /spec/trafficPolicy"];
        assert_eq!(operations(&none), steps);
        assert!(restore("[1]").unwrap_err().starts_with("policy is"));
        assert!(restore(&breaker()["trafficPolicy"].to_string()).unwrap_err().starts_with("nothing to do"));
    }
}
