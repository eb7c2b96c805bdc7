//! `kubectl uncordon`: a node takes new pods again.

use super::cordon::{INPUTS, draft, node};
use super::example::fill;
use super::input::{InputSpec, Inputs};
use super::parameters::Parameters;
use super::{Answer, Ctx, Draft, Read, StepKind};
use crate::event::{Refusal, StepCall};

pub(super) struct Uncordon;

impl StepKind for Uncordon {
    fn name(&self) -> &'static str {
        "uncordon"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        node(inputs, answers, ctx)
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        call.inputs.get("node").map(|node| format!("uncordons {node}"))
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl uncordon <node>", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        draft((inputs, answers), ctx, ("uncordon", false), "cordon")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::Undo;
    use crate::step::samples::{body, plan};

    #[test]
    fn a_cordoned_node_takes_new_pods_again_until_it_is_cordoned() {
        let node = Answer::Found(
            json!({"kind": "Node", "metadata": {"name": "n1", "uid": "u1"}, "spec": {"unschedulable": true}}),
        );
        let draft = plan("uncordon", &[("node", "n1")], &[node]).unwrap();
        assert_eq!(body(&draft)[1], json!({"op": "test", "path": "/spec/unschedulable", "value": true}));
        assert_eq!(body(&draft)[2], json!({"op": "remove", "path": "/spec/unschedulable"}));
        assert_eq!(draft.undo, Undo::Step { kind: "cordon", inputs: vec![("node", "n1".into())] });
    }
}
