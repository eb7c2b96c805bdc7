//! `kubectl rollout pause`: a Deployment's template may change, and no pod is replaced until it is resumed.

use serde_json::{Value, json};

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, DEPLOYMENT, Found};
use super::template::deployment;
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, check};
use crate::event::{Check, Fact, Refusal, StepCall, Uid};

const PAUSED: &str = "/spec/paused";

pub(super) const INPUTS: &[InputSpec] = &[InputSpec::required("deployment", InputKind::Deployment)];

pub(super) struct RolloutPause;

impl StepKind for RolloutPause {
    fn name(&self) -> &'static str {
        "rollout-pause"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        reads(inputs, answers, ctx)
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        call.inputs.get("deployment").map(|name| format!("pauses the rollout of {name} again"))
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl rollout pause deployment/<deployment>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let found = deployment(inputs, answers, ctx)?;
        let fact =
            Fact::warn("until resumed", "no release and no rollback of it rolls out; restarts are refused");
        let given = inputs.needed("deployment")?;
        let change = Change { word: "pause", paused: true, back: "rollout-resume" };
        let draft = draft(&found, given, ctx, &change)?;
        Ok(Draft {
            checks: vec![held(&found, ctx, true)],
            touches: format!("{}; its pods stay as they are", found.replicas()),
            facts: vec![fact],
            ..draft
        })
    }
}

/// What becomes of a Deployment's rollout.
pub(super) struct Change {
    /// kubectl's word for it.
    pub(super) word: &'static str,
    /// Whether the rollout is paused afterwards.
    pub(super) paused: bool,
    /// Kind of the step that undoes it.
    pub(super) back: &'static str,
}

/// Reads the Deployment.
pub(super) fn reads(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
    let aim = Aim::parse(&DEPLOYMENT, inputs.needed("deployment")?, ctx)?;
    Ok(if answers.is_empty() { vec![aim.read(true)] } else { Vec::new() })
}

/// The check that the rollout is paused, or not.
pub(super) fn held(found: &Found, ctx: &Ctx, paused: bool) -> Check {
    check::paused(Uid::new(ctx.place.id, found.uid()), paused)
}

/// Pauses or resumes a rollout, guarded by what was so before.
///
/// # Errors
/// It is so already.
pub(super) fn draft(found: &Found, given: &str, ctx: &Ctx, change: &Change) -> Result<Draft, Refusal> {
    let Change { word, paused, back } = *change;
    let name = found.name();
    if (found.object.pointer(PAUSED) == Some(&Value::Bool(true))) == paused {
        let so = if paused { "is paused already" } else { "is not paused" };
        return Err(Refusal::failed(format!("nothing to do: the rollout of {name} {so}")));
    }
    // A Deployment leaves out `false`.
    let (write, value) = if paused {
        (json!({"op": "add", "path": PAUSED, "value": true}), json!(true))
    } else {
        (json!({"op": "remove", "path": PAUSED}), Value::Null)
    };
    Ok(Draft {
        title: format!("{word} the rollout of {name}"),
        target: found.target(ctx),
        requests: vec![found.patch(ctx, "", vec![found.test(PAUSED), write], &[(PAUSED, value)])],
        checks: Vec::new(),
        undo: Undo::Step { kind: back, inputs: vec![("deployment", given.to_owned())] },
        command: found
            .kubectl(ctx, ["rollout", word, &format!("deployment/{name}")].map(Into::into).to_vec()),
        touches: found.replicas(),
        facts: Vec::new(),
        lines: Vec::new(),
        naming: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::samples::{body, deployment, plan};

    fn app(paused: &Value) -> Answer {
        let mut app = deployment(&json!({}));
        app["spec"]["paused"] = paused.clone();
        Answer::Found(app)
    }

    #[test]
    fn a_rollout_is_paused_guarded_by_that_it_was_not() {
        let draft = plan("rollout-pause", &[("deployment", "app")], &[app(&Value::Null)]).unwrap();
        assert_eq!(body(&draft)[1], json!({"op": "test", "path": PAUSED, "value": null}));
        assert_eq!(body(&draft)[2], json!({"op": "add", "path": PAUSED, "value": true}));
        assert_eq!(
            draft.command.to_copy().unwrap(),
            "kubectl rollout pause deployment/app -n ns --context prod"
        );
        let back = vec![("deployment", "app".to_owned())];
        assert_eq!(draft.undo, Undo::Step { kind: "rollout-resume", inputs: back });
        assert_eq!(draft.touches, "2 of 2 replicas ready; its pods stay as they are");
    }

    #[test]
    fn what_is_paused_already_is_refused() {
        let so = plan("rollout-pause", &[("deployment", "app")], &[app(&json!(true))]).unwrap_err();
        assert_eq!(so, "nothing to do: the rollout of app is paused already");
    }
}
