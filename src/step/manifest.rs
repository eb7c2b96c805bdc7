//! Manifests of a file: which objects they are, and where the server keeps each, by what it says that it
//! serves (`/api/v1`, `/apis/GROUP/VERSION`).

use serde_json::{Value, json};

use super::apply::Place;
use super::target::is_name;
use super::{Answer, Ctx, Is, Read, ReadAs, Whom, text};
use crate::data::Problem;
use crate::event::Refusal;

/// Objects that one file has at most.
const MOST: usize = 100;

/// What servers write into an object; in a manifest it says nothing, or is refused.
const SERVERS_OWN: [&str; 6] =
    ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"];

/// A manifest of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    /// Where it stands: `page.yaml:12`.
    at: String,
    /// The object, without what servers write.
    object: Value,
}

/// Returns the read of a file.
pub(super) fn file(path: &str) -> Read {
    let path = path.to_owned();
    Read { whom: Whom::File, what: path.clone(), path, is: None, required: true, wanted: ReadAs::Objects }
}

impl Document {
    /// Takes the manifests of a file that was read, those of a `List` one by one.
    ///
    /// # Errors
    /// One of them is no object that could be applied, or there is none.
    pub(super) fn all(path: &str, answer: Option<&Answer>) -> Result<Vec<Self>, Refusal> {
        let read = answer.and_then(Answer::found).and_then(Value::as_array);
        let mut all = Vec::new();
        for one in read.into_iter().flatten() {
            let at = format!("{path}:{}", one["line"]);
            let document = &one["document"];
            match document["items"].as_array().filter(|_| text(document, "/kind").ends_with("List")) {
                Some(items) => {
                    for item in items {
                        all.push(Self::of(&at, item)?);
                    }
                }
                None => all.push(Self::of(&at, document)?),
            }
        }
        match all.len() {
            0 => Err(Refusal::usage(format!("{path} holds no object"))),
            1..=MOST => Ok(all),
            many => Err(Refusal::usage(format!("{path} holds {many} objects: {MOST} are the most"))),
        }
    }

    fn of(at: &str, document: &Value) -> Result<Self, Refusal> {
        let refused = |why: &str| Err(Refusal::usage(format!("{at}: {why}")));
        if !document.is_object() {
            return refused("it is no object: a manifest begins with apiVersion and kind");
        }
        if ["/apiVersion", "/kind"].iter().any(|field| text(document, field).is_empty()) {
            return refused("it has no apiVersion, or no kind");
        }
        if !text(document, "/apiVersion").split('/').all(is_name) {
            return refused("its apiVersion is none: give v1, or group/version");
        }
        if !is_path_segment(text(document, "/metadata/name")) {
            return refused("its metadata.name is none");
        }
        if document["metadata"].get("namespace").is_some_and(|one| !one.as_str().is_some_and(is_name)) {
            return refused("its metadata.namespace is none");
        }
        let mut object = document.clone();
        object.as_object_mut().map(|fields| fields.remove("status"));
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.retain(|field, _| !SERVERS_OWN.contains(&field.as_str()));
        }
        Ok(Self { at: at.to_owned(), object })
    }

    /// Returns where the object is, by the answer that lists what its API version serves.
    ///
    /// # Errors
    /// The server serves no such kind, or it is not known.
    pub(super) fn place(&self, served: &Answer, ctx: &Ctx) -> Result<Place, Refusal> {
        let Self { at, object } = self;
        let api = text(object, "/apiVersion");
        let kind = text(object, "/kind");
        let list = match served {
            Answer::Found(list) => list,
            Answer::Missing => return Err(Refusal::failed(format!("{at}: this cluster serves no {api}"))),
            Answer::Unknown(why) | Answer::Forbidden(why) => {
                return Err(Refusal::failed(format!("{at}: what {api} serves cannot be read: {why}")));
            }
        };
        let all = || list["resources"].as_array().into_iter().flatten().filter(|one| is_applied(one));
        let Some(resource) = all().find(|one| text(one, "/kind") == kind) else {
            let problem = Problem::unknown("kind", kind, all().map(|one| text(one, "/kind")));
            return Err(Refusal::failed(format!("{at}: {problem} in {api}")));
        };
        let plural = text(resource, "/name").to_owned();
        let namespaced = resource["namespaced"] == true;
        let given = text(object, "/metadata/namespace");
        let namespace = match (namespaced, given) {
            (false, _) => "",
            (true, "") => &ctx.namespace,
            (true, given) => given,
        };
        let name = text(object, "/metadata/name").to_owned();
        let within = if namespaced { format!("namespaces/{namespace}/") } else { String::new() };
        let path = format!("{}/{within}{plural}/{name}", root(api));
        let group = api.split_once('/').map_or("", |(group, _)| group).to_owned();
        Ok(Place { kind: kind.to_owned(), group, plural, path, namespace: namespace.to_owned(), name })
    }

    /// Returns the manifest to apply to what was read there. Its uid guards against another of its name.
    pub(super) fn manifest(&self, place: &Place, before: &Value) -> Value {
        let mut object = self.object.clone();
        if !place.namespace.is_empty() {
            object["metadata"]["namespace"] = json!(place.namespace);
        }
        if let Some(uid) = before.pointer("/metadata/uid") {
            object["metadata"]["uid"] = uid.clone();
        }
        object
    }

    fn api(&self) -> &str {
        text(&self.object, "/apiVersion")
    }
}

/// Returns the file of the data folder in which is kept what an intent has changed, by its id.
pub(super) fn kept_in(id: &str) -> String {
    format!("reverts/{id}.json")
}

/// Returns the API versions of manifests, each once.
pub(super) fn versions(documents: &[Document]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for api in documents.iter().map(Document::api) {
        if !all.contains(&api) {
            all.push(api);
        }
    }
    all
}

/// Returns the reads that say what these API versions serve.
pub(super) fn discovery(versions: &[&str]) -> Vec<Read> {
    let read = |api: &&str| Read {
        whom: Whom::Cluster,
        path: root(api),
        what: format!("what {api} serves"),
        is: Some(Is { kind: "APIResourceList".to_owned(), place: None }),
        required: false,
        wanted: ReadAs::Objects,
    };
    versions.iter().map(read).collect()
}

/// Returns where each manifest's object is, by what the versions serve.
///
/// # Errors
/// One of them has no place, or two have the same.
pub(super) fn places(documents: &[Document], served: &[Answer], ctx: &Ctx) -> Result<Vec<Place>, Refusal> {
    let versions = versions(documents);
    let mut all: Vec<Place> = Vec::new();
    for document in documents {
        let at = versions.iter().position(|api| *api == document.api());
        let unread = Answer::Unknown("it was not read".into());
        let place = document.place(at.and_then(|at| served.get(at)).unwrap_or(&unread), ctx)?;
        if all.iter().any(|one| one.path == place.path) {
            let what = place.what();
            return Err(Refusal::usage(format!("{}: {what} stands in this file twice", document.at)));
        }
        all.push(place);
    }
    Ok(all)
}

fn root(api: &str) -> String {
    if api.contains('/') { format!("/apis/{api}") } else { format!("/api/{api}") }
}

/// Whether a resource is a kind of object, and no part of one (`pods/log`), and can be applied.
fn is_applied(resource: &Value) -> bool {
    let verbs = resource["verbs"].as_array();
    !text(resource, "/name").contains('/')
        && verbs.is_some_and(|verbs| verbs.iter().any(|verb| verb == "patch"))
}

/// Returns whether a text can stand in a path: nothing that could leave its place does. Names of roles have
/// colons.
pub(super) fn is_path_segment(part: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.:_".contains(c);
    !part.is_empty() && part.chars().all(fits) && !part.starts_with('.')
}
