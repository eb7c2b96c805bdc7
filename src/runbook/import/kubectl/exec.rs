//! What is read of pods and run in them: logs, exec, copies.

use super::super::draft::{Cannot, Draft, argument, by_hand};
use super::super::judge;
use super::super::lex::Word;
use super::Call;
use crate::event::Danger;
use crate::step::command::quoted;

/// Labels that say which application a pod is of.
const APP: &str = "app";

impl Call<'_> {
    pub(super) fn logs(&self) -> Result<Draft, Cannot> {
        let app = match self.args.value(&["-l", "--selector"]) {
            Some(selector) => {
                selector.split_once('=').filter(|(label, _)| label == APP).map(|(_, app)| (app, None))
            }
            None => super::target(&self.args.words)
                .filter(|_| self.args.text(0).contains('/') || self.args.words[0].split_once('/').is_some())
                .map(|(kind, name)| {
                    (
                        name,
                        Some(format!(
                            "the document reads one pod of the {kind}; the label app is taken to be its name"
                        )),
                    )
                }),
        };
        let followed = self.args.has(&["-f", "--follow"]);
        let Some((app, note)) = app else {
            return if followed {
                by_hand("it goes on until somebody stops it")
            } else {
                Err(Cannot::Native)
            };
        };
        let made = Draft::read("logs", format!("Logs of {}", argument(&app).replace(['{', '}'], "")))
            .input("app", Some(&app))?
            .input("namespace", self.namespace().as_ref())?
            .input("tail", self.args.value(&["--tail"]).filter(|word| word.literal() != Some("-1")))?
            .input("container", self.args.value(&["-c", "--container"]))?;
        Ok(note.map_or(made.clone(), |note| made.note(note)))
    }

    pub(super) fn exec(&self) -> Result<Draft, Cannot> {
        let behind = self.args.words.get(1..).unwrap_or_default();
        let command = self.args.rest.as_deref().unwrap_or(behind);
        if command.is_empty() {
            return by_hand("it wants a terminal");
        }
        if let Some(why) = judge::wants_a_person(command) {
            return by_hand(why);
        }
        if let Some(made) = self.heap_dump(command)? {
            return Ok(made);
        }
        if self.args.has(&["-it", "-ti", "-t", "--tty"])
            && command.len() == 1
            && !command[0].literal().is_some_and(|word| word.contains(['-', '.']))
        {
            return by_hand("it wants a terminal");
        }
        let reads = judge::reads_in_a_pod(command);
        if !reads && judge::changes(command) {
            return Err(Cannot::Native); // whoever runs it is asked as for a change
        }
        let words: Option<Vec<&str>> = command.iter().map(Word::literal).collect();
        let line = words.ok_or(Cannot::Native)?.into_iter().map(quoted).collect::<Vec<_>>().join(" ");
        let (kind, name, note) = self.workload()?;
        let danger = if reads { Danger::Read } else { Danger::Change };
        let made = Draft::new(
            "exec-check",
            danger,
            format!("{} in {}", command[0].literal().unwrap_or_default(), argument(&name)),
        )
        .object("workload", &kind, &name, self.namespace().as_ref())?
        .default("command", line)
        .input("container", self.args.value(&["-c", "--container"]))?;
        Ok(note.map_or(made.clone(), |note| made.note(note)))
    }

    /// The workload that it runs in: that of a pod whose name ends with a number is a StatefulSet.
    fn workload(&self) -> Result<(String, Word, Option<String>), Cannot> {
        let first = self.args.words.first().ok_or(Cannot::Native)?;
        if let Some((kind, name)) = first.split_once('/') {
            let kind = super::singular(&kind).to_owned();
            let known = ["deployment", "statefulset", "daemonset"].contains(&kind.as_str());
            return if known { Ok((kind, super::named(&name), None)) } else { Err(Cannot::Native) };
        }
        let pod = first.literal().ok_or(Cannot::Native)?;
        let (set, number) = pod.rsplit_once('-').ok_or(Cannot::Native)?;
        if number.parse::<u16>().is_err() {
            return Err(Cannot::Native);
        }
        let note =
            format!("the document means pod {pod}; it is done in the first ready pod of the StatefulSet");
        Ok(("statefulset".to_owned(), Word::text(set), Some(note)))
    }

    /// `jmap -dump:format=b,file=… PID`
    fn heap_dump(&self, command: &[Word]) -> Result<Option<Draft>, Cannot> {
        let [program, flags @ .., process] = command else { return Ok(None) };
        let dumps = flags.iter().any(|flag| argument(flag).starts_with("-dump"));
        if program.literal().map(judge::name) != Some("jmap") || !dumps {
            return Ok(None);
        }
        let pod = self.args.words.first().ok_or(Cannot::Native)?;
        let made = Draft::new("heap-dump", Danger::Change, "Take a heap dump").object(
            "pod",
            "",
            pod,
            self.namespace().as_ref(),
        )?;
        let made = made.input("container", self.args.value(&["-c", "--container"]))?;
        made.input("process", Some(process)).map(Some)
    }

    /// `kubectl cp namespace/pod:path here`; the other way round something is changed in the pod.
    pub(super) fn copy(&self) -> Result<Draft, Cannot> {
        let from = self.args.words.first().ok_or(Cannot::Native)?;
        let (place, path) = from.split_last(':').ok_or(Cannot::Native)?;
        let (namespace, pod) = match place.split_last('/') {
            Some((namespace, pod)) => (Some(namespace), pod),
            None => (self.namespace(), place),
        };
        let made = Draft::read("copy-out", "Copy a file out of a pod").object(
            "pod",
            "",
            &super::named(&pod),
            namespace.as_ref(),
        )?;
        made.input("path", Some(&path))?.input("container", self.args.value(&["-c", "--container"]))
    }
}
