//! `kubectl apply --server-side -f FILE`: the objects of a local file, one after another.

use serde_json::{Value, json};

use super::apply::{self, Place};
use super::command::line;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::manifest::{Document, discovery, file, kept_in, places, versions};
use super::parameters::Parameters;
use super::target::MANAGER;
use super::{Answer, Ctx, Draft, Is, Read, ReadAs, Request, StepKind, Undo, Whom, text};
use crate::event::{Command, Fact, Naming, Op, Refusal, Save, Sealed, Target};
use crate::units::counted;

const INPUTS: &[InputSpec] = &[InputSpec::required("file", InputKind::Text)];

pub(super) struct ApplyManifest;

impl StepKind for ApplyManifest {
    fn name(&self) -> &'static str {
        "apply-manifest"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl apply --server-side --field-manager=warroom -f <file>", inputs))
    }

    /// The file, what its API versions serve, and each object as it is there.
    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        let path = inputs.needed("file")?;
        let Some((first, served)) = answers.split_first() else { return Ok(vec![file(path)]) };
        let documents = Document::all(path, Some(first))?;
        let versions = versions(&documents);
        if served.is_empty() {
            return Ok(discovery(&versions));
        }
        if served.len() == versions.len() {
            return Ok(places(&documents, served, ctx)?.iter().map(present).collect());
        }
        Ok(Vec::new())
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let path = inputs.needed("file")?;
        let documents = Document::all(path, answers.first())?;
        let rest = answers.get(1..).unwrap_or_default();
        let (served, present) = rest.split_at(versions(&documents).len().min(rest.len()));
        let objects = objects(&documents, places(&documents, served, ctx)?, present)?;
        let (same, other): (Vec<_>, Vec<_>) = objects.into_iter().partition(Object::is_so);
        let mut requests: Vec<Request> = other.iter().map(|object| object.request(ctx)).collect();
        let Some(target) = aimed_at(&other, &requests) else {
            return Err(Refusal::failed(format!("nothing to do: all that {path} says is so already")));
        };
        let kept = kept(&other, &target, ctx);
        let saved = kept.is_some().then(|| ctx.id.to_string());
        requests.splice(..0, kept);
        Ok(Draft {
            title: format!("apply {path}: {}", counted(other.len(), "object")),
            target,
            requests,
            checks: Vec::new(),
            undo: undo(&other, saved),
            command: command(path, ctx),
            touches: counted(other.len(), "object"),
            facts: facts(&same, &other),
            lines: Vec::new(),
            naming: naming(&other),
        })
    }
}

/// The read of an object as it is before.
fn present(place: &Place) -> Read {
    let is = Is { kind: place.kind.clone(), place: Some((place.namespace.clone(), place.name.clone())) };
    let path = place.path.clone();
    let what = place.what();
    Read { whom: Whom::Cluster, path, what, is: Some(is), required: false, wanted: ReadAs::Objects }
}

/// An object of the file.
struct Object {
    place: Place,
    manifest: Value,
    /// As it is; `null` where there is none.
    before: Value,
}

fn objects(documents: &[Document], places: Vec<Place>, present: &[Answer]) -> Result<Vec<Object>, Refusal> {
    let one = |((document, place), answer): ((&Document, Place), &Answer)| {
        let before = match answer {
            Answer::Found(object) => object.clone(),
            Answer::Missing => Value::Null,
            Answer::Unknown(why) | Answer::Forbidden(why) => {
                return Err(Refusal::failed(format!("{} cannot be read: {why}", place.what())));
            }
        };
        if !text(&before, "/metadata/deletionTimestamp").is_empty() {
            return Err(Refusal::failed(format!("{} is being deleted: wait until it is gone", place.what())));
        }
        Ok(Object { manifest: document.manifest(&place, &before), place, before })
    };
    documents.iter().zip(places).zip(present).map(one).collect()
}

impl Object {
    fn is_so(&self) -> bool {
        apply::is_so(&self.before, &self.manifest)
    }

    fn is_new(&self) -> bool {
        self.before.is_null()
    }

    fn request(&self, ctx: &Ctx) -> Request {
        apply::whole(&self.place, &self.before, self.manifest.clone(), ctx)
    }
}

/// What is asked about: what belongs to no namespace, else the first.
fn aimed_at(objects: &[Object], requests: &[Request]) -> Option<Target> {
    let at = objects.iter().position(|object| object.place.namespace.is_empty()).unwrap_or(0);
    Some(requests.get(at)?.op.target().clone())
}

/// What is there is kept before any of it is changed.
fn kept(objects: &[Object], target: &Target, ctx: &Ctx) -> Option<Request> {
    let one = |object: &Object| json!({"path": object.place.path, "object": object.before});
    let all: Vec<Value> = objects.iter().filter(|object| !object.is_new()).map(one).collect();
    if all.is_empty() {
        return None;
    }
    let file = kept_in(&ctx.id.to_string()).into();
    let save = Save { target: target.clone(), file, body: Sealed::Open(Value::Array(all)) };
    Some(Request { op: Op::Save(save), rights: Vec::new(), object: Value::Null, scale: false })
}

/// What was not there is deleted again, and the rest becomes what it was, the last first.
fn undo(objects: &[Object], saved: Option<String>) -> Undo {
    let paths: Vec<&str> = objects.iter().rev().map(|object| object.place.path.as_str()).collect();
    let saved = saved.map(|id| ("saved", id));
    let inputs = std::iter::once(("objects", paths.join(","))).chain(saved).collect();
    Undo::Step { kind: "manifest-revert", inputs }
}

fn command(path: &str, ctx: &Ctx) -> Command {
    let manager = format!("--field-manager={MANAGER}");
    let words = ["kubectl", "apply", "--server-side", &manager, "-f", path];
    let place = ["-n", &ctx.namespace, "--context", ctx.place.context.as_str()];
    line(&words.into_iter().chain(place).map(Into::into).collect::<Vec<_>>())
}

fn facts(same: &[Object], other: &[Object]) -> Vec<Fact> {
    let told = |object: &Object| {
        let what = object.place.what();
        Fact::plain(if object.is_new() { "creates" } else { "changes" }, what)
    };
    let unchanged = same.iter().map(|object| Fact::plain("unchanged", object.place.what()));
    other.iter().map(told).chain(unchanged).collect()
}

fn naming(objects: &[Object]) -> Option<Naming> {
    let wide = objects.iter().find(|object| object.place.namespace.is_empty())?;
    let why = format!("{} belongs to no namespace", wide.place.what()).into();
    Some(Naming { why, lasting: false })
}

#[cfg(test)]
mod tests;
