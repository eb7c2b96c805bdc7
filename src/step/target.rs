//! What steps aim at: where it is, how it is read, changed and guarded, whose it is, and which rights that
//! needs.

use serde_json::{Value, json};

use super::{Answer, Ctx, Is, Read, ReadAs, Request, Whom, text};
use crate::clean::Clean;
use crate::event::{
    Allowed, Command, Expectation, Kind, Made, Op, Refusal, Right, Sealed, Server, Target, Write, digest,
};
use crate::step::command::{Word, line};

/// Field manager of every write, and the name that the audit log and `managedFields` show.
pub const MANAGER: &str = "warroom";

/// A kind of object as the API serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Name as kubectl has it: `deployment`.
    pub word: &'static str,
    /// Kind as manifests have it: `Deployment`.
    pub kind: &'static str,
    /// API group; empty for the core one.
    pub group: &'static str,
    /// API version: `v1`.
    pub version: &'static str,
    /// Plural as paths and rights have it: `deployments`.
    pub plural: &'static str,
    /// Whether its objects belong to a namespace.
    pub namespaced: bool,
}

const fn resource(
    word: &'static str,
    kind: &'static str,
    (group, version): (&'static str, &'static str),
    plural: &'static str,
) -> Resource {
    Resource { word, kind, group, version, plural, namespaced: true }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");

/// Deployments (apps/v1).
pub static DEPLOYMENT: Resource = resource("deployment", "Deployment", APPS, "deployments");
/// StatefulSets (apps/v1).
pub static STATEFUL_SET: Resource = resource("statefulset", "StatefulSet", APPS, "statefulsets");
/// DaemonSets (apps/v1).
pub static DAEMON_SET: Resource = resource("daemonset", "DaemonSet", APPS, "daemonsets");
/// ReplicaSets (apps/v1).
pub static REPLICA_SET: Resource = resource("replicaset", "ReplicaSet", APPS, "replicasets");
/// Jobs (batch/v1).
pub static JOB: Resource = resource("job", "Job", ("batch", "v1"), "jobs");
/// Pods (core/v1).
pub static POD: Resource = resource("pod", "Pod", CORE, "pods");
/// Secrets (core/v1).
pub static SECRET: Resource = resource("secret", "Secret", CORE, "secrets");
/// Events (core/v1).
pub static EVENT: Resource = resource("event", "Event", CORE, "events");
/// Services (core/v1).
pub static SERVICE: Resource = resource("service", "Service", CORE, "services");
/// Nodes (core/v1).
pub static NODE: Resource = Resource { namespaced: false, ..resource("node", "Node", CORE, "nodes") };
/// What nodes use (metrics.k8s.io/v1beta1).
pub static NODE_METRICS: Resource =
    Resource { namespaced: false, ..resource("node", "NodeMetrics", ("metrics.k8s.io", "v1beta1"), "nodes") };
/// Namespaces (core/v1).
pub static NAMESPACE: Resource =
    Resource { namespaced: false, ..resource("namespace", "Namespace", CORE, "namespaces") };
/// `HorizontalPodAutoscaler`s (autoscaling/v2).
pub static AUTOSCALER: Resource =
    resource("autoscaler", "HorizontalPodAutoscaler", ("autoscaling", "v2"), "horizontalpodautoscalers");

/// `PodDisruptionBudget`s (policy/v1).
pub static DISRUPTION_BUDGET: Resource =
    resource("poddisruptionbudget", "PodDisruptionBudget", ("policy", "v1"), "poddisruptionbudgets");

/// Istio's `DestinationRule`s, by version, the newest first.
pub static DESTINATION_RULES: [Resource; 3] =
    [destination_rule("v1"), destination_rule("v1beta1"), destination_rule("v1alpha3")];

const fn destination_rule(version: &'static str) -> Resource {
    let group = ("networking.istio.io", version);
    resource("destinationrule", "DestinationRule", group, "destinationrules")
}

/// Workloads that have a template, in the order in which a bare name is looked for.
pub static WORKLOADS: [&Resource; 3] = [&DEPLOYMENT, &STATEFUL_SET, &DAEMON_SET];

/// Resources that can own a pod, or own what owns it.
pub static OWNERS: [&Resource; 5] = [&REPLICA_SET, &STATEFUL_SET, &DAEMON_SET, &JOB, &DEPLOYMENT];

impl Resource {
    /// Returns the path of all of them in a namespace.
    pub fn list(&self, namespace: &str) -> String {
        let Self { plural, namespaced, .. } = self;
        if !namespaced {
            return self.everywhere();
        }
        format!("{}/namespaces/{namespace}/{plural}", self.api())
    }

    /// Returns the path of all of them, whatever their namespace.
    pub fn everywhere(&self) -> String {
        format!("{}/{}", self.api(), self.plural)
    }

    fn api(&self) -> String {
        let Self { group, version, .. } = self;
        if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
    }

    /// Returns the path of one of them.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.list(namespace))
    }

    /// Returns the read of those of a namespace that a selector matches; without them the rest can be
    /// planned.
    pub fn selected(&self, namespace: &str, selector: &Value, what: String) -> Read {
        let labels = selector["matchLabels"].as_object();
        let pairs: Vec<String> = labels
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        let query = pairs.join(",").replace('/', "%2F").replace('=', "%3D").replace(',', "%2C");
        let is = Some(Is { kind: format!("{}List", self.kind), place: None });
        Read {
            whom: Whom::Cluster,
            path: format!("{}?labelSelector={query}", self.list(namespace)),
            what,
            is,
            required: false,
            wanted: ReadAs::Objects,
        }
    }

    /// Returns the right that a verb on one of them needs.
    pub fn right(&self, verb: &str, subresource: &str, namespace: &str, name: &str) -> Right {
        let namespace = if self.namespaced { namespace } else { "" };
        Right {
            verb: verb.into(),
            group: self.group.into(),
            resource: self.plural.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
            allowed: Allowed::Unknown("it was not asked".into()),
        }
    }

    /// Returns the kind that warroom watches them as; `None` where it does not.
    pub fn watched(&self) -> Option<Kind> {
        Kind::named(self.word)
    }
}

/// One object, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Resource that the object is of.
    pub resource: &'static Resource,
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

impl Aim {
    /// Parses the name of an object of that kind, given as `name` or `namespace/name`.
    ///
    /// # Errors
    /// It is no name. Nothing that could leave its place in a path is one.
    pub fn parse(resource: &'static Resource, given: &str, ctx: &Ctx) -> Result<Self, Refusal> {
        let (namespace, name) = match given.split_once('/').filter(|_| resource.namespaced) {
            Some((namespace, name)) => (namespace, name),
            None => (if resource.namespaced { ctx.namespace.as_str() } else { "" }, given),
        };
        if is_name(name) && (is_name(namespace) || !resource.namespaced) {
            return Ok(Self { resource, namespace: namespace.to_owned(), name: name.to_owned() });
        }
        let how = if resource.namespaced { "its name, or namespace/name" } else { "its name" };
        Err(Refusal::usage(format!("\"{given}\" is no {}: give {how}", resource.word)))
    }

    /// Parses the name of a workload, and returns all that may be meant by `name`, `kind/name`,
    /// `namespace/name` or `namespace/kind/name`: one where the kind is said.
    ///
    /// # Errors
    /// It is no name.
    pub fn workloads(given: &str, ctx: &Ctx) -> Result<Vec<Self>, Refusal> {
        let parts: Vec<&str> = given.split('/').collect();
        let (kind, rest) = match parts.as_slice() {
            [kind, name] if workload(kind).is_some() => (workload(kind), (*name).to_owned()),
            [namespace, kind, name] if workload(kind).is_some() => {
                (workload(kind), format!("{namespace}/{name}"))
            }
            _ => (None, given.to_owned()),
        };
        let kinds: Vec<&'static Resource> = kind.map_or_else(|| WORKLOADS.to_vec(), |kind| vec![kind]);
        let aims = kinds.into_iter().map(|kind| Self::parse(kind, &rest, ctx)).collect::<Result<Vec<_>, _>>();
        aims.map_err(|_| {
            Refusal::usage(format!(
                "\"{given}\" is no workload: give its name, or kind/name, such as statefulset/{}",
                "kafka"
            ))
        })
    }

    /// Returns the read of the object.
    pub fn read(&self, required: bool) -> Read {
        let Self { resource, namespace, name } = self;
        let is = Some(Is { kind: resource.kind.into(), place: Some((namespace.clone(), name.clone())) });
        Read {
            whom: Whom::Cluster,
            path: resource.path(namespace, name),
            what: self.what(),
            is,
            required,
            wanted: ReadAs::Objects,
        }
    }

    /// Returns what it is in words: `deployment app in shop`.
    pub fn what(&self) -> String {
        let Self { resource, namespace, name } = self;
        if namespace.is_empty() {
            format!("{} {name}", resource.word)
        } else {
            format!("{} {name} in {namespace}", resource.word)
        }
    }
}

/// kubectl's words for a workload.
fn workload(word: &str) -> Option<&'static Resource> {
    match word {
        "deployment" | "deployments" | "deploy" => Some(&DEPLOYMENT),
        "statefulset" | "statefulsets" | "sts" => Some(&STATEFUL_SET),
        "daemonset" | "daemonsets" | "ds" => Some(&DAEMON_SET),
        _ => None,
    }
}

/// Returns whether a text can be the name of an object (RFC 1123): nothing that could leave its place in a
/// path is one.
pub fn is_name(part: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    !part.is_empty()
        && part.len() <= 253
        && part.chars().all(fits)
        && part.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// An object that was read.
#[derive(Clone, Debug)]
pub struct Found {
    /// What and where the object is.
    pub aim: Aim,
    /// The object as the API server answered it.
    pub object: Value,
}

impl Found {
    /// Returns the object of a read that was required, or the only one of several kinds that there is.
    ///
    /// # Errors
    /// None is there, or several are, or it is not known.
    pub fn of(aims: &[Aim], answers: &[Answer], ctx: &Ctx) -> Result<Self, Refusal> {
        let found: Vec<Self> = aims
            .iter()
            .zip(answers)
            .filter_map(|(aim, answer)| Some(Self { aim: aim.clone(), object: answer.found()?.clone() }))
            .collect();
        let unknown = aims.iter().zip(answers).find_map(|(aim, answer)| match answer {
            Answer::Unknown(why) | Answer::Forbidden(why) => {
                Some(Refusal::failed(format!("{} cannot be read: {why}", aim.what())))
            }
            _ => None,
        });
        let name = aims
            .first()
            .map(|aim| format!("{} in {}{}", aim.name, aim.namespace, ctx.of_context()))
            .unwrap_or_default();
        match (found.as_slice(), unknown) {
            ([one], None) => Ok(one.clone()),
            ([_] | [], Some(unknown)) => Err(unknown),
            ([], None) => Err(Refusal::usage(format!("there is no workload {name}"))),
            (several, _) => {
                let kinds: Vec<&str> = several.iter().map(|one| one.aim.resource.word).collect();
                let name = &aims[0].name;
                Err(Refusal::usage(format!("{name} is a {}: say {}/{name}", kinds.join(" and a "), kinds[0])))
            }
        }
    }

    /// Returns the name of the object.
    pub fn name(&self) -> &str {
        &self.aim.name
    }

    /// Returns the uid of the object.
    pub fn uid(&self) -> &str {
        text(&self.object, "/metadata/uid")
    }

    /// Returns the target that a change of it is bound to.
    pub fn target(&self, ctx: &Ctx) -> Target {
        ctx.target(self.aim.resource.word, &self.aim.namespace, &self.aim.name, self.uid())
    }

    /// Returns the service that its requests are counted under: the label `app`, or its name.
    pub fn service(&self) -> &str {
        Some(text(&self.object, "/metadata/labels/app"))
            .filter(|app| !app.is_empty())
            .unwrap_or(&self.aim.name)
    }

    /// Returns the operation that guards a change: it is made only while the value is still what was read. A
    /// value that is absent is `null` (RFC 6902 as the API server reads it, as long as its parent is there).
    pub fn test(&self, pointer: &str) -> Value {
        json!({"op": "test", "path": pointer, "value": self.object.pointer(pointer).unwrap_or(&Value::Null)})
    }

    /// Returns a JSON patch of it: guarded by its identity, and by what `operations` say. What is at the
    /// pointers afterwards is what was written.
    pub fn patch(
        &self,
        ctx: &Ctx,
        subresource: &str,
        operations: Vec<Value>,
        values: &[(&str, Value)],
    ) -> Request {
        let body = std::iter::once(self.test("/metadata/uid")).chain(operations).collect();
        let expect = self.expectation(Made::Values, values);
        self.request(ctx, ("PATCH", "patch", subresource), "application/json-patch+json", body, expect)
    }

    /// Returns its deletion, with the grace period that it has itself.
    pub fn delete(&self, ctx: &Ctx) -> Request {
        let body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": self.uid()}});
        self.request(
            ctx,
            ("DELETE", "delete", ""),
            "application/json",
            body,
            self.expectation(Made::Gone, &[]),
        )
    }

    fn request(
        &self,
        ctx: &Ctx,
        (method, verb, sub): (&str, &str, &str),
        media: &str,
        body: Value,
        expect: Expectation,
    ) -> Request {
        let Aim { resource, namespace, name } = &self.aim;
        let part = if sub.is_empty() { String::new() } else { format!("/{sub}") };
        let write = Write {
            server: Server::Cluster,
            target: self.target(ctx),
            method: method.into(),
            path: format!("{}{part}", resource.path(namespace, name)).into(),
            content_type: media.into(),
            body: Sealed::Open(body),
            expect,
        };
        let rights = vec![resource.right(verb, sub, namespace, name)];
        Request { op: Op::Write(write), rights, object: self.object.clone(), scale: sub == "scale" }
    }

    fn expectation(&self, made: Made, values: &[(&str, Value)]) -> Expectation {
        let Aim { resource, namespace, name } = &self.aim;
        let before = |pointer: &str| digest(self.object.pointer(pointer).unwrap_or(&Value::Null));
        Expectation {
            made,
            path: resource.path(namespace, name).into(),
            values: values.iter().map(|(at, value)| (Clean::new(at), digest(value))).collect(),
            before: values.iter().map(|(at, _)| (Clean::new(at), before(at))).collect(),
            managed_before: managed_by_warroom(&self.object),
            generation_before: generation(&self.object),
        }
    }

    /// Returns the kubectl command of these words, with the namespace and context that they are meant for.
    pub fn kubectl(&self, ctx: &Ctx, words: Vec<Word>) -> Command {
        let mut all = vec![Word::from("kubectl")];
        all.extend(words);
        if self.aim.resource.namespaced {
            all.extend(["-n", self.aim.namespace.as_str()].map(Word::from));
        }
        all.extend(["--context", ctx.place.context.as_str()].map(Word::from));
        line(&all)
    }

    /// Returns how many replicas are ready, in words: `2 of 2 replicas ready`.
    pub fn replicas(&self) -> String {
        let number = |at: &str| self.object.pointer(at).and_then(Value::as_u64).unwrap_or(0);
        let (ready, all) = match self.aim.resource.word {
            "daemonset" => (number("/status/numberReady"), number("/status/desiredNumberScheduled")),
            _ => (number("/status/readyReplicas"), number("/spec/replicas")),
        };
        format!("{ready} of {all} replicas ready")
    }

    /// Returns how its pods are replaced when its template changes, in words.
    pub fn rolls(&self) -> &'static str {
        let strategy =
            [text(&self.object, "/spec/strategy/type"), text(&self.object, "/spec/updateStrategy/type")];
        match strategy.into_iter().find(|strategy| !strategy.is_empty()) {
            Some("Recreate") => "all at once",
            Some("OnDelete") => "each when it is deleted",
            _ => "rolling",
        }
    }
}

/// Returns whether a condition of an object's status is true.
pub fn is_true(object: &Value, condition: &str) -> bool {
    let all = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    all.into_iter().any(|one| text(one, "/type") == condition && text(one, "/status") == "True")
}

/// Returns the owner reference of what controls an object.
pub fn controller(object: &Value) -> Option<&Value> {
    let all = object.pointer("/metadata/ownerReferences").and_then(Value::as_array)?;
    all.iter().find(|owner| owner["controller"] == true)
}

/// Returns the time of warroom's newest `managedFields` entry.
pub fn managed_by_warroom(object: &Value) -> Option<Clean> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    entries
        .iter()
        .filter(|entry| entry["manager"] == MANAGER)
        .filter_map(|entry| entry["time"].as_str())
        .max()
        .map(Clean::from)
}

/// Returns `metadata.generation`, which moves with every change of the spec; 0 where an object has none.
pub fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// Escapes a key as a part of a JSON pointer (RFC 6901).
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
