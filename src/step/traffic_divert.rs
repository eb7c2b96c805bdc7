//! Traffic diversion: a Service sends its requests only to pods of one zone, by a label more in its selector
//! (`kubectl patch service`).

use serde_json::json;

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::selector::{Change, Labels, is_value};
use super::target::{Aim, SERVICE};
use super::{Answer, Ctx, Draft, Read, StepKind};
use crate::event::Refusal;

/// Label of pods that says which zone they are in.
const ZONE: &str = "zone";

const INPUTS: &[InputSpec] =
    &[InputSpec::required("service", InputKind::Service), InputSpec::required("zone", InputKind::Text)];

pub(super) struct TrafficDivert;

impl StepKind for TrafficDivert {
    fn name(&self) -> &'static str {
        "traffic-divert"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        zone(inputs)?;
        match answers {
            [] => Ok(vec![Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?.read(true)]),
            [_] => Ok(change(inputs, answers, ctx)?.pods()),
            _ => Ok(Vec::new()),
        }
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill(
            r#"kubectl patch service <service>[ -n <namespace>] -p '{"spec":{"selector":{"zone":"<zone>"}}}'"#,
            inputs,
        ))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let change = change(inputs, answers, ctx)?;
        let zone = zone(inputs)?;
        let name = change.service.name();
        let patch = json!({"spec": {"selector": {ZONE: zone}}}).to_string();
        let words = ["patch", "service", name, "-p", &patch].map(Into::into).to_vec();
        change.draft((inputs, answers), ctx, format!("divert {name} to zone {zone}"), words)
    }
}

/// The selector with the zone, as kubectl's strategic merge has it.
fn change(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Change, Refusal> {
    Change::of((inputs, answers), ctx, |now| {
        let mut then: Labels = now.clone();
        then.insert(ZONE.to_owned(), zone(inputs)?.to_owned());
        Ok(then)
    })
}

fn zone(inputs: &Inputs) -> Result<&str, Refusal> {
    let given = inputs.needed("zone")?;
    if is_value(given) {
        return Ok(given);
    }
    Err(Refusal::usage(format!("zone is \"{given}\": give the value of a label, such as us-east-1a")))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::step::Undo;
    use crate::step::samples::{body, plan};

    fn service(selector: &Value) -> Answer {
        let metadata = json!({"name": "app", "namespace": "ns", "uid": "u1"});
        Answer::Found(json!({"kind": "Service", "metadata": metadata, "spec": {"selector": selector}}))
    }

    fn pods(ready: &[&str]) -> Answer {
        let pod = |status: &&str| json!({"status": {"conditions": [{"type": "Ready", "status": status}]}});
        Answer::Found(json!({"kind": "PodList", "items": ready.iter().map(pod).collect::<Vec<_>>()}))
    }

    fn divert(zone: &str, answers: &[Answer]) -> Result<Draft, String> {
        plan("traffic-divert", &[("service", "app"), ("zone", zone)], answers)
    }

    #[test]
    fn the_zone_is_merged_into_the_selector_and_the_one_before_is_the_way_back() {
        let before = json!({"app": "app", "tier": ""});
        let answers = [service(&before), pods(&["True", "True"]), pods(&["True", "False"])];
        let draft = divert("us-east-1a", &answers).unwrap();
        assert_eq!(body(&draft)[1], json!({"op": "test", "path": "/spec/selector", "value": before}));
        assert_eq!(body(&draft)[2]["value"], json!({"app": "app", "tier": "", "zone": "us-east-1a"}));
        assert_eq!(draft.touches, "ready pods that get its requests: 2 → 1");
        assert!(draft.naming.is_none() && draft.facts.is_empty());
        let back = vec![("service", "app".to_owned()), ("selector", "app=app,tier=".to_owned())];
        assert_eq!(draft.undo, Undo::Step { kind: "selector-restore", inputs: back });
        assert_eq!(
            draft.command.to_copy().unwrap(),
            r#"kubectl patch service app -p '{"spec":{"selector":{"zone":"us-east-1a"}}}' -n ns --context prod"#
        );
    }

    #[test]
    fn where_no_ready_pod_is_left_or_nobody_knows_the_name_is_typed() {
        let service = service(&json!({"app": "app"}));
        let draft = divert("b", &[service.clone(), pods(&["True"]), pods(&["False"])]).unwrap();
        assert_eq!(draft.facts[0].words, "no ready pod matches: app stops answering");
        assert!(draft.naming.is_some());
        let draft = divert("b", &[service, pods(&["True"]), Answer::Unknown("forbidden".into())]).unwrap();
        assert!(draft.naming.unwrap().why.contains("not known: forbidden"));
        assert_eq!(draft.touches, "ready pods that get its requests: 1 → unknown");
    }

    #[test]
    fn what_cannot_be_diverted_is_refused() {
        let zoned = divert("a", &[service(&json!({"app": "app", "zone": "a"}))]).unwrap_err();
        assert_eq!(zoned, "nothing to do: app selects app=app,zone=a already");
        assert!(divert("a", &[service(&Value::Null)]).unwrap_err().starts_with("app has no selector"));
        let out = json!({"metadata": {"name": "app"}, "spec": {"type": "ExternalName"}});
        assert!(divert("a", &[Answer::Found(out)]).unwrap_err().contains("ExternalName"));
        for wrong in ["a b", "-a", "a,b", &"a".repeat(64)] {
            assert!(divert(wrong, &[]).unwrap_err().starts_with("zone is"), "{wrong}");
        }
    }
}
