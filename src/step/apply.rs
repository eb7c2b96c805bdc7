//! Server-side apply: an object is made what a manifest says, whether it is there yet or not. It is never
//! forced: a field that somebody else manages and that has another value is a conflict, which the server
//! refuses.

use serde_json::{Value, json};

use super::target::{Aim, generation, managed_by_warroom};
use super::{Ctx, Request, text};
use crate::clean::Clean;
use crate::event::{Expectation, Made, Op, Sealed, Server, Write, digest};

/// Content type of a manifest that is applied; JSON is YAML too.
pub(super) const MEDIA: &str = "application/apply-patch+yaml";

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
    let Aim { resource, namespace, name } = aim;
    let uid = text(before, "/metadata/uid");
    let path = resource.path(namespace, name);
    let write = Write {
        server: Server::Cluster,
        target: ctx.target(resource.word, namespace, name, uid),
        method: "PATCH".into(),
        path: path.as_str().into(),
        content_type: MEDIA.into(),
        body: Sealed::Open(manifest(aim, before, spec)),
        expect: expectation(&path, before, spec),
    };
    let verbs = if before.is_null() { &["patch", "create"][..] } else { &["patch"] };
    let rights = verbs.iter().map(|verb| resource.right(verb, "", namespace, name)).collect();
    Request { op: Op::Write(write), rights, object: before.clone(), scale: false }
}

fn expectation(path: &str, before: &Value, spec: &Value) -> Expectation {
    let mut values = Vec::new();
    leaves("/spec", spec, &mut values);
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

/// The values of an object by their JSON pointers; the keys that are applied here need no escape.
fn leaves<'a>(at: &str, value: &'a Value, into: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| leaves(&format!("{at}/{key}"), value, into));
        }
        value => into.push((at.to_owned(), value)),
    }
}
