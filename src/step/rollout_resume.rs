//! `kubectl rollout resume`: what was changed of a Deployment's template while it was paused rolls out.

use serde_json::Value;

use super::example::fill;
use super::input::{InputSpec, Inputs};
use super::parameters::Parameters;
use super::rollout_pause::{Change, INPUTS, draft, held, reads};
use super::target::Found;
use super::template::deployment;
use super::{Answer, Ctx, Draft, Read, StepKind, check};
use crate::event::{Fact, Kind, Refusal, StepCall, Uid};

pub(super) struct RolloutResume;

impl StepKind for RolloutResume {
    fn name(&self) -> &'static str {
        "rollout-resume"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        reads(inputs, answers, ctx)
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        call.inputs.get("deployment").map(|name| format!("resumes the rollout of {name}"))
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl rollout resume deployment/<deployment>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let found = deployment(inputs, answers, ctx)?;
        let given = inputs.needed("deployment")?;
        let change = Change { word: "resume", paused: false, back: "rollout-pause" };
        let draft = draft(&found, given, ctx, &change)?;
        let uid = Uid::new(ctx.place.id, found.uid());
        Ok(Draft {
            checks: vec![held(&found, ctx, false), check::rollout(Kind::Deployment, uid)],
            touches: format!("{}, {}", found.replicas(), found.rolls()),
            facts: waiting(&found).into_iter().collect(),
            ..draft
        })
    }
}

/// What has been waiting to roll out: the pods that are not of the present template.
fn waiting(found: &Found) -> Option<Fact> {
    let count = |at: &str| found.object.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let all = count("/status/replicas");
    let old = all.saturating_sub(count("/status/updatedReplicas"));
    (old > 0).then(|| Fact::warn("rolls out", format!("{old} of {all} pods are of an older template")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::Undo;
    use crate::step::samples::{body, deployment, plan};

    fn app(paused: bool, updated: u64) -> Answer {
        let mut app = deployment(&json!({}));
        app["spec"]["paused"] = json!(paused);
        app["status"] = json!({"replicas": 2, "updatedReplicas": updated, "readyReplicas": 2});
        Answer::Found(app)
    }

    fn resume(answer: Answer) -> Result<Draft, String> {
        plan("rollout-resume", &[("deployment", "app")], &[answer])
    }

    #[test]
    fn a_rollout_is_resumed_guarded_by_that_it_was_paused() {
        let draft = resume(app(true, 2)).unwrap();
        assert_eq!(body(&draft)[1], json!({"op": "test", "path": "/spec/paused", "value": true}));
        assert_eq!(body(&draft)[2], json!({"op": "remove", "path": "/spec/paused"}));
        let back = vec![("deployment", "app".to_owned())];
        assert_eq!(draft.undo, Undo::Step { kind: "rollout-pause", inputs: back });
        assert!(draft.facts.is_empty());
        let so = resume(app(false, 2)).unwrap_err();
        assert_eq!(so, "nothing to do: the rollout of app is not paused");
    }

    #[test]
    fn what_waited_to_roll_out_is_told() {
        let draft = resume(app(true, 0)).unwrap();
        assert_eq!(draft.facts[0].words, "2 of 2 pods are of an older template");
    }
}
