//! `kubectl rollout undo`, by kubectl's own rules (pkg/polymorphichelpers/rollback.go): the second-highest
//! revision unless one is given, half-rolled Deployments too; paused ones are refused; only the pod template
//! and the annotations come back, never the replica count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Found, escaped};
use super::template::{deployment, deployment_and_revisions, template_draft};
use super::{Answer, Ctx, Draft, Flag, Read, StepKind, Suggested, revisions};
use crate::event::{Refusal, StepCall};
use crate::state::{World, rollbacks};

/// Annotations that a rollback leaves as they are (kubectl's `annotationsToSkip`).
const KEPT: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    revisions::REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

const INPUTS: &[InputSpec] = &[
    InputSpec::required("deployment", InputKind::Deployment),
    InputSpec::optional("revision", InputKind::Revision),
];

pub(super) struct RolloutUndo;

impl StepKind for RolloutUndo {
    fn name(&self) -> &'static str {
        "rollout-undo"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        deployment_and_revisions(inputs, answers, ctx)
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill(
            "kubectl rollout undo deployment/<deployment>[ --to-revision=<revision>][ -n <namespace>]",
            inputs,
        ))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let deployment = deployment(inputs, answers, ctx)?;
        let name = deployment.name();
        if deployment.object.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            return Err(Refusal::failed(format!(
                "{name} is paused: resume it first (kubectl rollout resume deployment/{name})"
            )));
        }
        let history = revisions::of(&deployment, answers.get(1)).map_err(|why| {
            Refusal::failed(format!("the revisions of {name} are not known, because {why}"))
        })?;
        let (number, revision) = chosen(inputs, &history, name)?;
        let template = revisions::template(revision);
        if template == deployment.object["spec"]["template"] {
            return Err(Refusal::failed(format!("nothing to do: {name} is already as in revision {number}")));
        }
        let mut operations = vec![
            deployment.test("/spec/template"),
            json!({"op": "replace", "path": "/spec/template", "value": template}),
        ];
        operations.extend(annotations(&deployment, revision));
        let request = deployment.patch(ctx, "", operations, &[("/spec/template", template.clone())]);
        let words = ["rollout", "undo", &format!("deployment/{name}"), &format!("--to-revision={number}")]
            .map(Into::into)
            .to_vec();
        let title = format!("roll back {name} to rev {number}{}", revisions::release(&template));
        Ok(template_draft(&deployment, (inputs, answers), ctx, title, (request, words)))
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        call.inputs.get("revision").map(|number| format!("returns to rev {number}"))
    }

    fn suggest(&self, world: &World, _: &[Flag]) -> Vec<Suggested> {
        rollbacks(world)
    }
}

fn chosen<'a>(
    inputs: &Inputs,
    history: &BTreeMap<u64, &'a Value>,
    name: &str,
) -> Result<(u64, &'a Value), Refusal> {
    let all = || history.keys().map(u64::to_string).collect::<Vec<_>>().join(", ");
    match inputs.get("revision") {
        None => {
            let previous = history.iter().rev().nth(1).map(|(number, rs)| (*number, *rs));
            previous.ok_or_else(|| Refusal::failed(format!("{name} has no earlier revision to go back to")))
        }
        Some(wanted) => {
            let number: u64 = wanted.parse().map_err(|_| {
                Refusal::usage(format!("\"{wanted}\" is no revision of {name}; it has {}", all()))
            })?;
            let found = history.get(&number).map(|rs| (number, *rs));
            found.ok_or_else(|| Refusal::usage(format!("{name} has no revision {number}; it has {}", all())))
        }
    }
}

/// Changes the annotations that differ, each guarded by what it is, and no other: what somebody else writes
/// meanwhile is not lost.
fn annotations(deployment: &Found, revision: &Value) -> Vec<Value> {
    let of = |object: &Value| {
        object.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let now = of(&deployment.object);
    let then = of(revision);
    let keys: BTreeSet<&String> =
        now.keys().chain(then.keys()).filter(|key| !KEPT.contains(&key.as_str())).collect();
    let change = |key: &String| {
        let path = format!("/metadata/annotations/{}", escaped(key));
        let made = match (now.get(key), then.get(key)) {
            (now, Some(then)) if now != Some(then) => json!({"op": "add", "path": path, "value": then}),
            (Some(_), None) => json!({"op": "remove", "path": path}),
            _ => return None,
        };
        Some([deployment.test(&path), made])
    };
    let changes: Vec<Value> = keys.into_iter().filter_map(change).flatten().collect();
    if deployment.object.pointer("/metadata/annotations").is_none() && !changes.is_empty() {
        let whole = [
            deployment.test("/metadata/annotations"),
            json!({"op": "add", "path": "/metadata/annotations", "value": {}}),
        ];
        return whole.into_iter().chain(changes).collect();
    }
    changes
}

#[cfg(test)]
mod tests;
