//! `kubectl cp POD:PATH`: a file out of a container, into the data folder, as it is.

use super::example::fill;
use super::exec_check::container;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::{Aim, Found, POD};
use super::{Answer, Ctx, Draft, Read, Request, StepKind, Undo, text};
use crate::clean::Clean;
use crate::event::{Command, Danger, Fact, FileCopy, Op, Refusal, Typed};

/// Seconds that a copy may take.
const SECONDS: u32 = 3600;

/// Bytes that a path has at most (`PATH_MAX` of Linux, with its end).
const LONGEST: usize = 4095;

const INPUTS: &[InputSpec] = &[
    InputSpec::required("pod", InputKind::Pod),
    InputSpec::required("path", InputKind::Text),
    InputSpec::optional("container", InputKind::Text),
];

pub(super) struct CopyOut;

impl StepKind for CopyOut {
    fn name(&self) -> &'static str {
        "copy-out"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl cp <pod>:<path> ./copy[ -c <container>]", inputs))
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        path(inputs)?;
        pod(inputs, answers, ctx)
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let path = path(inputs)?;
        let found = running(inputs, answers, ctx)?;
        let base = path.rsplit('/').next().unwrap_or_default();
        let file = file(&format!("{}-{}-{base}", found.name(), ctx.now.timestamp()), ctx);
        let copy = Copying { pod: &found, inputs, path, file: &file, before: Vec::new() };
        Ok(Draft {
            title: format!("copy {path} out of {}", found.name()),
            command: copy.cp(ctx),
            undo: Undo::None("it only reads".to_owned()),
            ..copy.draft(ctx)?
        })
    }
}

/// Reads the pod.
pub(super) fn pod(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
    let aim = Aim::parse(&POD, inputs.needed("pod")?, ctx)?;
    Ok(if answers.is_empty() { vec![aim.read(true)] } else { Vec::new() })
}

/// Returns the pod, in which something can be run.
///
/// # Errors
/// It is not there, or does not run.
pub(super) fn running(inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Found, Refusal> {
    let found = Found::of(&[Aim::parse(&POD, inputs.needed("pod")?, ctx)?], answers, ctx)?;
    let phase = text(&found.object, "/status/phase");
    if phase != "Running" {
        return Err(Refusal::failed(format!("{} is {phase}: nothing can be read in it", found.name())));
    }
    Ok(found)
}

/// The path in the container. An absolute one is never taken for an option.
fn path(inputs: &Inputs) -> Result<&str, Refusal> {
    let given = inputs.needed("path")?;
    let whole = given.starts_with('/') && !given.ends_with('/');
    if whole && given.len() <= LONGEST && !given.contains('\0') {
        return Ok(given);
    }
    Err(Refusal::usage(
        "path is none of a file: give it from the root on, such as /var/log/app.log".to_owned(),
    ))
}

/// Returns the place of a copy in the data folder: those of a day are together.
pub(super) fn file(name: &str, ctx: &Ctx) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).take(200).collect();
    format!("incidents/{}/{name}", ctx.now.format("%Y-%m-%d"))
}

/// A copy that is planned.
pub(super) struct Copying<'a> {
    pub(super) pod: &'a Found,
    pub(super) inputs: &'a Inputs,
    /// In the container.
    pub(super) path: &'a str,
    /// In the data folder.
    pub(super) file: &'a str,
    /// What writes the file; empty where it is there.
    pub(super) before: Vec<Typed>,
}

impl Copying<'_> {
    fn container(&self) -> Result<String, Refusal> {
        container(self.pod, self.inputs.get("container"))
    }

    /// Returns what copies have in common; the title, the command and the undo are theirs.
    ///
    /// # Errors
    /// The pod has no such container.
    pub(super) fn draft(self, ctx: &Ctx) -> Result<Draft, Refusal> {
        let container = self.container()?;
        let Found { aim, .. } = self.pod;
        let rights = [("create", "exec"), ("get", "exec"), ("get", "")]
            .map(|(verb, sub)| POD.right(verb, sub, &aim.namespace, &aim.name));
        let touches = format!("container {container} of pod {}", aim.name);
        let copy = FileCopy {
            target: self.pod.target(ctx),
            container: Clean::new(&container),
            before: self.before,
            path: Typed::new(self.path),
            file: self.file.into(),
            seconds: SECONDS,
        };
        let into = Fact::plain("copied to", format!("{} in the data folder, for its owner alone", self.file));
        Ok(Draft {
            title: String::new(),
            target: self.pod.target(ctx),
            requests: vec![Request {
                op: Op::Copy(copy),
                rights: rights.to_vec(),
                object: serde_json::Value::Null,
                scale: false,
            }],
            checks: Vec::new(),
            undo: Undo::None(String::new()),
            command: Command::default(),
            touches,
            facts: vec![into],
            lines: Vec::new(),
            naming: None,
        })
    }

    /// Returns the words of `kubectl cp`.
    pub(super) fn cp(&self, ctx: &Ctx) -> Command {
        let Found { aim, .. } = self.pod;
        let from = format!("{}/{}:{}", aim.namespace, aim.name, self.path);
        let container = self.container().unwrap_or_default();
        let to = self.file.rsplit('/').next().unwrap_or_default();
        let words = ["kubectl", "cp", &from, to, "-c", &container, "--context", ctx.place.context.as_str()];
        super::command::line(&words.map(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::plan;

    fn pod(phase: &str) -> Answer {
        let metadata = json!({"name": "app-1", "namespace": "ns", "uid": "p1"});
        let spec = json!({"containers": [{"name": "app"}]});
        Answer::Found(json!({"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": phase}}))
    }

    fn copy(path: &str, answers: &[Answer]) -> Result<Draft, String> {
        plan("copy-out", &[("pod", "app-1"), ("path", path)], answers)
    }

    #[test]
    fn a_file_goes_into_the_folder_of_the_day_under_a_name_that_stays_there() {
        let draft = copy("/var/log/a b", &[pod("Running")]).unwrap();
        let Op::Copy(copy) = &draft.requests[0].op else { panic!("{draft:?}") };
        assert_eq!(copy.file, "incidents/2026-11-23/app-1-1795445192-a-b");
        assert_eq!((copy.path.raw(), copy.container.as_str()), ("/var/log/a b", "app"));
        let command = draft.command.to_copy().unwrap();
        assert_eq!(command, "kubectl cp 'ns/app-1:/var/log/a b' app-1-1795445192-a-b -c app --context prod");
    }

    #[test]
    fn what_is_no_path_of_a_file_or_does_not_run_is_refused() {
        for wrong in ["log", "--help", "-C/", "/tmp/", "; rm -rf /", "$(x)", "/a\0b"] {
            assert!(copy(wrong, &[]).unwrap_err().starts_with("path is none of a file"), "{wrong}");
        }
        assert!(copy(&format!("/{}", "a".repeat(10_000)), &[]).is_err());
        let why = copy("/a", &[pod("Pending")]).unwrap_err();
        assert_eq!(why, "app-1 is Pending: nothing can be read in it");
    }
}
