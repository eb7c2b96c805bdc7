//! A Service gets a selector as a whole: the one that it had before its traffic was diverted.

use serde_json::json;

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::selector::{Change, parse, written};
use super::target::{Aim, SERVICE};
use super::{Answer, Ctx, Draft, Read, StepKind};
use crate::event::{Refusal, StepCall};

const INPUTS: &[InputSpec] =
    &[InputSpec::required("service", InputKind::Service), InputSpec::required("selector", InputKind::Text)];

pub(super) struct SelectorRestore;

impl StepKind for SelectorRestore {
    fn name(&self) -> &'static str {
        "selector-restore"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        parse(inputs.needed("selector")?)?;
        match answers {
            [] => Ok(vec![Aim::parse(&SERVICE, inputs.needed("service")?, ctx)?.read(true)]),
            [_] => Ok(change(inputs, answers, ctx)?.pods()),
            _ => Ok(Vec::new()),
        }
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        call.inputs.get("selector").map(|selector| format!("returns to the selector {selector}"))
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl set selector service <service> <selector>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let change = change(inputs, answers, ctx)?;
        let name = change.service.name();
        let patch = json!([{"op": "replace", "path": "/spec/selector", "value": change.then}]).to_string();
        let words = ["patch", "service", name, "--type=json", "-p", &patch].map(Into::into).to_vec();
        let title = format!("send requests to {name} to the pods with {}", written(&change.then));
        change.draft((inputs, answers), ctx, title, words)
    }
}

fn change(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Change, Refusal> {
    Change::of((inputs, answers), ctx, |_| parse(inputs.needed("selector")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Undo;
    use crate::step::samples::{body, plan};

    #[test]
    fn a_selector_is_restored_as_a_whole_without_the_zone() {
        let metadata = json!({"name": "app", "namespace": "ns", "uid": "u1"});
        let now = json!({"app": "app", "zone": "a"});
        let service =
            Answer::Found(json!({"kind": "Service", "metadata": metadata, "spec": {"selector": now}}));
        let pods = Answer::Found(json!({"kind": "PodList", "items": []}));
        let restore = |selector: &str| {
            let inputs = [("service", "app"), ("selector", selector)];
            plan("selector-restore", &inputs, &[service.clone(), pods.clone(), pods.clone()])
        };
        let draft = restore("app=app,example.com/tier=").unwrap();
        assert_eq!(body(&draft)[1]["value"], now);
        assert_eq!(body(&draft)[2]["value"], json!({"app": "app", "example.com/tier": ""}));
        let back = vec![("service", "app".to_owned()), ("selector", "app=app,zone=a".to_owned())];
        assert_eq!(draft.undo, Undo::Step { kind: "selector-restore", inputs: back });
        assert!(draft.naming.is_some(), "no pod is ready");
        for wrong in ["app", "app=a b", "=a", "app=a,,"] {
            assert!(restore(wrong).unwrap_err().contains("is no selector"), "{wrong}");
        }
    }
}
