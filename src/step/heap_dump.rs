//! `jmap -dump` in a container, and the dump copied out of it (`kubectl cp`): a picture of a JVM's memory.

use super::copy_out::{Copying, file, pod, running};
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::{Answer, Ctx, Draft, Read, StepKind, Undo};
use crate::event::{Command, Fact, Refusal, Typed};

const INPUTS: &[InputSpec] = &[
    InputSpec::required("pod", InputKind::Pod),
    InputSpec::optional("process", InputKind::Count),
    InputSpec::optional("container", InputKind::Text),
];

pub(super) struct HeapDump;

impl StepKind for HeapDump {
    fn name(&self) -> &'static str {
        "heap-dump"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        let command =
            "kubectl exec <pod>[ -c <container>] -- jmap -dump:format=b,file=/tmp/heap.bin <process>";
        Some(fill(command, inputs))
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        process(inputs)?;
        pod(inputs, answers, ctx)
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let process = process(inputs)?;
        let found = running(inputs, answers, ctx)?;
        let path = format!("/tmp/heap-{}.bin", ctx.id);
        let file = file(&format!("heap-{}.bin", ctx.now.timestamp()), ctx);
        let option = format!("-dump:format=b,file={path}");
        let words = ["jmap", &option, &process];
        let before = words.map(Typed::new).to_vec();
        let copy = Copying { pod: &found, inputs, path: &path, file: &file, before };
        let exec = found.kubectl(
            ctx,
            ["exec", found.name(), "--"].iter().chain(&words).map(|word| (*word).into()).collect(),
        );
        let command = Command::plain(format!("{} && {}", exec.shown, copy.cp(ctx).shown));
        let mut draft = copy.draft(ctx)?;
        let stops = "the JVM while its memory is written: it answers nothing for seconds to minutes, and its liveness probe may have it restarted";
        let room = format!("as much room as its heap in {path}, until it is copied and removed there");
        draft.facts.splice(..0, [Fact::warn("stops", stops), Fact::warn("takes", room)]);
        Ok(Draft {
            title: format!("heap dump of process {process} in {}", found.name()),
            undo: Undo::None("the JVM stood still meanwhile".to_owned()),
            command,
            ..draft
        })
    }
}

/// Number of the JVM's process in its container: 1, unless it is given.
fn process(inputs: &Inputs) -> Result<String, Refusal> {
    let given = inputs.get("process").unwrap_or("1");
    match given.parse::<u32>() {
        Ok(number @ 1..) => Ok(number.to_string()),
        _ => Err(Refusal::usage(format!(
            "process is \"{given}\": give its number in the container, such as 1"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Op;
    use crate::step::samples::plan;

    fn dump(process: &str) -> Result<Draft, String> {
        let metadata = json!({"name": "app-1", "namespace": "ns", "uid": "p1"});
        let spec = json!({"containers": [{"name": "app"}]});
        let pod = json!({"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}});
        plan("heap-dump", &[("pod", "app-1"), ("process", process)], &[Answer::Found(pod)])
    }

    #[test]
    fn the_dump_is_written_copied_and_named_by_its_time() {
        let draft = dump("7").unwrap();
        let Op::Copy(copy) = &draft.requests[0].op else { panic!("{draft:?}") };
        let words: Vec<&str> = copy.before.iter().map(Typed::raw).collect();
        assert_eq!(words, ["jmap", &format!("-dump:format=b,file={}", copy.path.raw()), "7"]);
        assert_eq!(copy.file, "incidents/2026-11-23/heap-1795445192.bin");
        assert!(draft.facts[0].words.starts_with("the JVM while its memory is written"));
        assert!(matches!(draft.undo, Undo::None(_)));
        let command = draft.command.to_copy().unwrap();
        assert!(
            command.starts_with("kubectl exec app-1 -- jmap -dump:format=b,file=/tmp/heap-"),
            "{command}"
        );
        assert!(command.contains(" && kubectl cp ns/app-1:/tmp/heap-"), "{command}");
    }

    #[test]
    fn what_is_no_process_is_refused() {
        for wrong in ["0", "-1", "1; rm", "x"] {
            assert!(dump(wrong).unwrap_err().starts_with("process is"), "{wrong}");
        }
    }
}
