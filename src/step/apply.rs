//! Server-side apply: an object is made what a manifest says, whether it is there yet or not. It is never
//! forced: a field that somebody else manages and that has another value is a conflict, which the server
//! refuses.

use serde_json::{Value, json};

use super::target::{Aim, escaped, generation, managed_by_warroom};
use super::{Ctx, Request, text};
use crate::clean::Clean;
use crate::event::{Allowed, Expectation, Made, Op, Right, Sealed, Server, Write, digest};

/// Content type of a manifest that is applied; JSON is YAML too.
pub(super) const MEDIA: &str = "application/apply-patch+yaml";

/// Where an object is that is applied, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Kind as manifests have it.
    pub(super) kind: String,
    /// API group; empty for the core one.
    pub(super) group: String,
    /// Plural as rights have it.
    pub(super) plural: String,
    /// Path of the object.
    pub(super) path: String,
    /// Namespace; empty for what has none.
    pub(super) namespace: String,
    /// Name of the object.
    pub(super) name: String,
}

impl Place {
    fn of(aim: &Aim) -> Self {
        let Aim { resource, namespace, name } = aim;
        Self {
            kind: resource.kind.to_owned(),
            group: resource.group.to_owned(),
            plural: resource.plural.to_owned(),
            path: resource.path(namespace, name),
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }

    /// Returns what it is in words: `ConfigMap page in shop`.
    pub(super) fn what(&self) -> String {
        let Self { kind, namespace, name, .. } = self;
        if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {name} in {namespace}") }
    }

    /// Returns the write that a request of these parts makes of the object that was read, `null` where there
    /// is none.
    pub(super) fn write(
        &self,
        (method, content_type): (&str, &str),
        body: Value,
        (before, expect): (&Value, Expectation),
        ctx: &Ctx,
    ) -> Write {
        let Self { kind, namespace, name, path, .. } = self;
        Write {
            server: Server::Cluster,
            target: ctx.target(&kind.to_lowercase(), namespace, name, text(before, "/metadata/uid")),
            method: method.into(),
            path: path.as_str().into(),
            content_type: content_type.into(),
            body: Sealed::Open(body),
            expect,
        }
    }

    /// Returns the right that a verb on it needs.
    pub(super) fn right(&self, verb: &str) -> Right {
        Right {
            verb: verb.into(),
            group: self.group.as_str().into(),
            resource: self.plural.as_str().into(),
            subresource: Clean::default(),
            namespace: self.namespace.as_str().into(),
            name: self.name.as_str().into(),
            allowed: Allowed::Unknown("it was not asked".into()),
        }
    }
}

/// Returns the manifest of an object with this spec. The uid of the one that was read guards against another
/// of its name.
pub(super) fn manifest(aim: &Aim, before: &Value, spec: &Value) -> Value {
    let Aim { resource, namespace, name } = aim;
    let mut metadata = json!({"name": name, "namespace": namespace});
    if let Some(uid) = before.pointer("/metadata/uid") {
        metadata["uid"] = uid.clone();
    }
    let api = format!("{}/{}", resource.group, resource.version);
    json!({"apiVersion": api, "kind": resource.kind, "metadata": metadata, "spec": spec})
}

/// Returns the request that applies this spec. `before` is the object as read, `null` where there is none.
pub(super) fn request(aim: &Aim, before: &Value, spec: &Value, ctx: &Ctx) -> Request {
    whole(&Place::of(aim), before, manifest(aim, before, spec), ctx)
}

/// Returns the request that applies a manifest as it is.
pub(super) fn whole(place: &Place, before: &Value, manifest: Value, ctx: &Ctx) -> Request {
    let expect = expectation(&place.path, before, &manifest);
    let write = place.write(("PATCH", MEDIA), manifest, (before, expect), ctx);
    let verbs = if before.is_null() { &["patch", "create"][..] } else { &["patch"] };
    let rights = verbs.iter().map(|verb| place.right(verb)).collect();
    Request { op: Op::Write(write), rights, object: before.clone(), scale: false }
}

fn expectation(path: &str, before: &Value, manifest: &Value) -> Expectation {
    let values = values(manifest);
    let was = |at: &str| digest(before.pointer(at).unwrap_or(&Value::Null));
    let replaced = values.iter().filter(|_| !before.is_null());
    Expectation {
        made: if before.is_null() { Made::Created } else { Made::Values },
        path: path.into(),
        before: replaced.map(|(at, _)| (Clean::new(at), was(at))).collect(),
        values: values.iter().map(|(at, value)| (Clean::new(at), digest(value))).collect(),
        managed_before: managed_by_warroom(before),
        generation_before: generation(before),
    }
}

/// Returns whether an object holds all that a manifest says. What the server fills in is of no account.
pub(super) fn is_so(object: &Value, manifest: &Value) -> bool {
    !object.is_null()
        && values(manifest)
            .iter()
            .all(|(at, value)| object.pointer(at).is_some_and(|held| holds(held, value)))
}

/// Lists are as long as they should be, and objects hold more where the server has defaults.
fn holds(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::Object(held), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| held.get(key).is_some_and(|held| holds(held, wanted)))
        }
        (Value::Array(held), Value::Array(wanted)) => {
            held.len() == wanted.len() && held.iter().zip(wanted).all(|(held, wanted)| holds(held, wanted))
        }
        _ => held == wanted,
    }
}

/// The values that a manifest gives an object, by their JSON pointers: all but what says which object it is.
fn values(manifest: &Value) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    let fields = manifest.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata"))
    {
        leaves(&format!("/{}", escaped(key)), value, &mut all);
    }
    for key in ["labels", "annotations"] {
        leaves(&format!("/metadata/{key}"), &manifest["metadata"][key], &mut all);
    }
    all
}

fn leaves<'a>(at: &str, value: &'a Value, into: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| leaves(&format!("{at}/{}", escaped(key)), value, into));
        }
        Value::Null => {}
        value => into.push((at.to_owned(), value)),
    }
}
