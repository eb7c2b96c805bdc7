//! What each kind of step would send, worked out from what was read: pure, so that every rule has a test without a server.

mod rollout_undo;
mod scale;
mod set_env;
pub mod silence;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clean::Clean;
use crate::config::Rates;
use crate::event::{ContextId, Kind, Refusal, Sealed, StepCall, Verify, Write};
use crate::runbook::{Step, StepKind, VerifyRule};

/// A deployment, as read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The Deployment.
    pub deployment: Value,
    /// The ReplicaSets of its namespace.
    pub revisions: Vec<Value>,
}

/// What a planner works out.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// In words.
    pub title: String,
    /// The JSON patch: guards (`test`) first, then the change.
    pub patch: Vec<Value>,
    /// The subresource that it goes to.
    pub subresource: Option<&'static str>,
    /// JSON pointer into the Deployment → the value that should be there afterwards.
    pub expect: BTreeMap<&'static str, Value>,
    /// The step that takes it back.
    pub undo: BTreeMap<&'static str, String>,
    /// The same in kubectl's words, without the namespace.
    pub kubectl: String,
    /// Why the name must be typed.
    pub type_name: Option<&'static str>,
}

/// Works out what the step would send.
///
/// # Errors
/// Why it cannot be done, in a sentence that says what to do next.
pub fn draft(kind: StepKind, inputs: &BTreeMap<Clean, Clean>, read: &Reading) -> Result<Draft, Refusal> {
    match kind {
        StepKind::RolloutUndo => rollout_undo::draft(inputs, read),
        StepKind::Scale => scale::draft(inputs, read),
        StepKind::SetEnv => set_env::draft(inputs, read),
        StepKind::Silence | StepKind::Unsilence => Err(Refusal::Usage("a silence is no change of a deployment".into())),
    }
}

/// The one request that a draft stands for.
pub fn write(draft: &Draft, namespace: &str, name: &str) -> Write {
    let path = deployment_path(namespace, name) + &draft.subresource.map(|sub| format!("/{sub}")).unwrap_or_default();
    let body = Sealed::Open(Value::Array(draft.patch.clone()));
    Write { method: "PATCH".into(), path: path.into(), content_type: "application/json-patch+json".into(), body }
}

/// Where a Deployment is.
pub fn deployment_path(namespace: &str, name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
}

/// What should come true afterwards, by the step's rules. Error rates and lag are those of the main context alone.
pub fn verifies(step: &Step, inputs: &BTreeMap<Clean, Clean>, read: &Reading, rates: &Rates, context: ContextId) -> Vec<Verify> {
    let uid = context.mark(text(&read.deployment, "/metadata/uid"));
    let name = text(&read.deployment, "/metadata/name");
    let service = text(&read.deployment, "/metadata/labels/app");
    let service: Clean = if service.is_empty() { name } else { service }.into();
    let replicas = inputs.get("replicas").and_then(|n| n.parse().ok());
    let rule = |rule: &VerifyRule| match rule {
        VerifyRule::Rollout => Some(Verify::Rollout { kind: Kind::Deployment, uid: uid.clone() }),
        VerifyRule::Ready => replicas.map(|replicas| Verify::Ready { kind: Kind::Deployment, uid: uid.clone(), replicas }),
        VerifyRule::Silenced => None,
        VerifyRule::ErrorsBelow | VerifyRule::LagFalling if !context.is_main() => None,
        VerifyRule::ErrorsBelow => Some(Verify::ErrorsBelow { service: service.clone(), ratio: rates.threshold_of(&service) }),
        VerifyRule::LagFalling => Some(Verify::LagFalling { group: name.into() }),
    };
    step.verify.iter().filter_map(rule).collect()
}

/// The undo of a draft as a call, on the same deployment of the same context.
pub fn undo(step: &Step, draft: &Draft, asked: &BTreeMap<Clean, Clean>) -> StepCall {
    let inputs = draft.undo.iter().map(|(name, value)| (Clean::new(name), step.typed(name, value)));
    let same = ["deployment", StepCall::CONTEXT].into_iter().filter_map(|name| asked.get_key_value(name));
    let inputs = inputs.chain(same.map(|(name, value)| (name.clone(), step.typed(name, value)))).collect();
    StepCall { step: step.id.clone(), inputs }
}

/// The text at a JSON pointer, or nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Guards a change: it is made only while the value is still what was read. A value that is absent is `null` (RFC 6902 as the API
/// server reads it).
fn test(read: &Value, pointer: &str) -> Value {
    json!({"op": "test", "path": pointer, "value": read.pointer(pointer).unwrap_or(&Value::Null)})
}

/// An input that must be there.
pub fn needed<'a>(inputs: &'a BTreeMap<Clean, Clean>, name: &str) -> Result<&'a Clean, Refusal> {
    inputs.get(name).ok_or_else(|| Refusal::Usage(format!("{name} is needed: give {name}=…").into()))
}
