//! `kubectl cordon`: a node takes no new pods. Those that run there stay.

use serde_json::{Value, json};

use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, Found, NODE};
use super::{Answer, Ctx, Draft, Read, StepKind, Undo, check};
use crate::event::{Naming, Refusal, StepCall, Uid};

pub(super) const UNSCHEDULABLE: &str = "/spec/unschedulable";

pub(super) const INPUTS: &[InputSpec] = &[InputSpec::required("node", InputKind::Node)];

pub(super) struct Cordon;

impl StepKind for Cordon {
    fn name(&self) -> &'static str {
        "cordon"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        node(inputs, answers, ctx)
    }

    fn as_undo(&self, call: &StepCall) -> Option<String> {
        call.inputs.get("node").map(|node| format!("cordons {node} again"))
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl cordon <node>", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        draft((inputs, answers), ctx, ("cordon", true), "uncordon")
    }
}

/// Reads the node.
pub(super) fn node(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
    let aim = Aim::parse(&NODE, inputs.needed("node")?, ctx)?;
    Ok(if answers.is_empty() { vec![aim.read(true)] } else { Vec::new() })
}

/// Returns whether a node takes no new pods.
pub(super) fn is_cordoned(node: &Value) -> bool {
    node.pointer(UNSCHEDULABLE).and_then(Value::as_bool).unwrap_or(false)
}

/// Makes a node take new pods, or none. What belongs to no namespace is everybody's: its name is typed.
pub(super) fn draft(
    (inputs, answers): (&Inputs, &[Answer]),
    ctx: &Ctx,
    (word, cordoned): (&'static str, bool),
    back: &'static str,
) -> Result<Draft, Refusal> {
    let given = inputs.needed("node")?;
    let node = Found::of(&[Aim::parse(&NODE, given, ctx)?], answers, ctx)?;
    let now = is_cordoned(&node.object);
    if now == cordoned {
        let so = if now { "is cordoned already" } else { "takes new pods already" };
        return Err(Refusal::failed(format!("nothing to do: {given} {so}")));
    }
    // A node leaves out `false`.
    let (write, value) = if cordoned {
        (json!({"op": "add", "path": UNSCHEDULABLE, "value": true}), json!(true))
    } else {
        (json!({"op": "remove", "path": UNSCHEDULABLE}), Value::Null)
    };
    let request = node.patch(ctx, "", vec![node.test(UNSCHEDULABLE), write], &[(UNSCHEDULABLE, value)]);
    let does =
        if cordoned { "it takes no new pods; those that run there stay" } else { "it takes new pods again" };
    Ok(Draft {
        title: format!("{word} {given}"),
        target: node.target(ctx),
        requests: vec![request],
        checks: vec![check::schedulable(Uid::new(ctx.place.id, node.uid()), !cordoned)],
        undo: Undo::Step { kind: back, inputs: vec![("node", given.to_owned())] },
        command: node.kubectl(ctx, vec![word.into(), given.into()]),
        touches: does.to_owned(),
        facts: Vec::new(),
        lines: Vec::new(),
        naming: Some(Naming { why: "a node serves every namespace".into(), lasting: false }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::samples::{body, plan};

    fn node(spec: &Value) -> Answer {
        Answer::Found(json!({"kind": "Node", "metadata": {"name": "n1", "uid": "u1"}, "spec": spec}))
    }

    #[test]
    fn a_node_takes_no_new_pods_until_it_is_uncordoned() {
        let draft = plan("cordon", &[("node", "n1")], &[node(&json!({}))]).unwrap();
        let guard = |value: Value| json!({"op": "test", "path": UNSCHEDULABLE, "value": value});
        assert_eq!(body(&draft)[1], guard(Value::Null));
        assert_eq!(body(&draft)[2], json!({"op": "add", "path": UNSCHEDULABLE, "value": true}));
        assert_eq!(draft.undo, Undo::Step { kind: "uncordon", inputs: vec![("node", "n1".into())] });
        assert_eq!(
            (&*draft.target.namespace, draft.command.to_copy().unwrap().as_str()),
            ("", "kubectl cordon n1 --context prod")
        );
        assert!(draft.naming.is_some_and(|naming| !naming.lasting));
    }

    #[test]
    fn what_is_so_already_and_what_is_no_name_is_refused() {
        let so = plan("cordon", &[("node", "n1")], &[node(&json!({"unschedulable": true}))]).unwrap_err();
        assert_eq!(so, "nothing to do: n1 is cordoned already");
        assert!(plan("cordon", &[("node", "../pods")], &[]).unwrap_err().contains("is no node"));
    }
}
