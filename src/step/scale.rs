//! `kubectl scale`: a patch of the `scale` subresource, guarded by uid and by the count that it replaces.

use serde_json::{Value, json};

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, DEPLOYMENT};
use super::template::deployment;
use super::{Answer, Ctx, Draft, Flag, Read, StepKind, Suggested, Undo, check};
use crate::event::{Kind, Naming, Refusal, StepCall, Uid};
use crate::state::{World, lagging};
use crate::units;

/// More replicas than this are a slip of the finger.
const MOST: u32 = 10_000;

const INPUTS: &[InputSpec] = &[
    InputSpec::required("deployment", InputKind::Deployment),
    InputSpec::required("replicas", InputKind::Count),
];

pub(super) struct Scale;

impl StepKind for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        count(inputs)?;
        Ok(if answers.is_empty() {
            vec![Aim::parse(&DEPLOYMENT, inputs.needed("deployment")?, ctx)?.read(true)]
        } else {
            Vec::new()
        })
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl scale deployment/<deployment> --replicas=<replicas>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let deployment = deployment(inputs, answers, ctx)?;
        let replicas = count(inputs)?;
        let name = deployment.name();
        let given = inputs.needed("deployment")?;
        let now = deployment.object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(0);
        if now == u64::from(replicas) {
            return Err(Refusal::failed(format!("nothing to do: {name} already has {replicas} replicas")));
        }
        // A Scale leaves out a count of 0.
        let read = if now == 0 { Value::Null } else { json!(now) };
        let operations = vec![
            json!({"op": "test", "path": "/spec/replicas", "value": read}),
            json!({"op": "add", "path": "/spec/replicas", "value": replicas}),
        ];
        let request = deployment.patch(ctx, "scale", operations, &[("/spec/replicas", json!(replicas))]);
        let uid = Uid::new(ctx.place.id, deployment.uid());
        let words = ["scale", "deployment", name, &format!("--replicas={replicas}")].map(Into::into).to_vec();
        Ok(Draft {
            title: format!("scale {name} {now} → {replicas}"),
            target: deployment.target(ctx),
            requests: vec![request],
            checks: vec![check::ready(Kind::Deployment, uid, replicas), check::lag_falling(name)],
            undo: Undo::Step {
                kind: "scale",
                inputs: vec![("deployment", given.to_owned()), ("replicas", now.to_string())],
            },
            command: deployment.kubectl(ctx, words),
            touches: deployment.replicas(),
            facts: Vec::new(),
            lines: Vec::new(),
            naming: (replicas == 0)
                .then(|| Naming { why: "it takes the service away".into(), lasting: false }),
        })
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        let count = call.inputs.get("replicas")?.raw().parse().ok()?;
        Some(format!("returns to {}", units::counted(count, "replica")))
    }

    fn suggest(&self, world: &World, _: &[Flag]) -> Vec<Suggested> {
        lagging(world)
    }
}

fn count(inputs: &Inputs) -> Result<u32, Refusal> {
    let wanted = inputs.needed("replicas")?;
    let replicas = wanted.parse::<u32>().ok().filter(|replicas| *replicas <= MOST);
    replicas.ok_or_else(|| {
        Refusal::usage(format!("replicas is \"{wanted}\": give a whole number from 0 to {MOST}"))
    })
}

#[cfg(test)]
mod tests;
