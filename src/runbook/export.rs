//! A runbook → Markdown: what to do, with each step's command filled in, for whoever has no warroom at hand.

use super::{InputKind, Runbook, Step, StepInput};
use crate::clean::Clean;
use crate::step::input::Inputs;
use crate::step::target::WORKLOADS;

/// Writes a runbook as Markdown. Defaults stand in the commands; what must be given stands there as
/// `<input>`.
pub fn markdown(runbook: &Runbook) -> String {
    let mut text = format!("# {}\n", runbook.name);
    let mut sections: Vec<&str> = Vec::new();
    for step in &runbook.steps {
        if !sections.contains(&step.section.as_str()) {
            sections.push(&step.section);
        }
    }
    for section in sections {
        let heading = if section.is_empty() { "Other steps" } else { section };
        text.extend(["\n## ", heading, "\n"]);
        runbook
            .steps
            .iter()
            .filter(|step| *step.section == *section)
            .for_each(|one| text.push_str(&self::step(one)));
    }
    text
}

fn step(step: &Step) -> String {
    let mut parts = vec![format!("### {}", step.title), format!("`{}` · {}", step.id, step.danger)];
    parts.extend(
        (!step.inputs.is_empty()).then(|| step.inputs.iter().map(input).collect::<Vec<_>>().join("\n")),
    );
    parts.extend(checks(step));
    parts.push(match step.kind.example(&filled(step), &step.with) {
        Some(command) => fenced(if step.kind.name() == "by-hand" { "text" } else { "sh" }, &command),
        None => format!("No single command stands for it: `warroom run {}`.", step.id),
    });
    parts.extend((!step.notes.is_empty()).then(|| step.notes.to_string()));
    parts.extend((!step.links.is_empty()).then(|| {
        let links = step.links.iter().map(|link| format!("[{}]({})", link.file, link.file));
        format!("See {}.", links.collect::<Vec<_>>().join(", "))
    }));
    format!("\n{}\n", parts.join("\n\n"))
}

/// `- replicas (count): 10`
fn input(input: &StepInput) -> String {
    let StepInput { name, kind, required, default, .. } = input;
    let needed = if *required { "" } else { ", optional" };
    let default = default.as_ref().map(|default| format!(": `{default}`")).unwrap_or_default();
    format!("- {name} ({kind}{needed}){default}")
}

fn checks(step: &Step) -> Option<String> {
    let names = step.verify.as_ref().filter(|names| !names.is_empty())?;
    let names: Vec<&str> = names.iter().map(Clean::as_str).collect();
    Some(format!("Within {} s must come true: {}.", step.verify_within, names.join(", ")))
}

/// The defaults, each without the namespace that it names, which stands by itself.
fn filled(step: &Step) -> Inputs {
    let mut all: Vec<(&str, String)> = Vec::new();
    for StepInput { name, kind, default, .. } in &step.inputs {
        let Some(default) = default else { continue };
        let (namespace, rest) =
            if kind.places() { placed(*kind, default) } else { (None, default.to_string()) };
        all.extend(namespace.map(|namespace| ("namespace", namespace)));
        all.push((name, rest));
    }
    all.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// `shop/deployment/app` is `deployment/app` in `shop`.
fn placed(kind: InputKind, given: &str) -> (Option<String>, String) {
    let is_kind = |part: &str| kind == InputKind::Workload && WORKLOADS.iter().any(|one| one.word == part);
    match given.split_once('/') {
        Some((first, rest)) if !is_kind(first) => (Some(first.to_owned()), rest.to_owned()),
        _ => (None, given.to_owned()),
    }
}

/// A block of code that none of its lines can end.
fn fenced(language: &str, code: &str) -> String {
    let longest = code.lines().map(|line| line.len() - line.trim_start_matches('`').len()).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", code.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::{embedded, read};

    #[test]
    fn each_step_stands_in_its_section_with_its_command() {
        let text = "name = 'Ours'\n[[steps]]\nid = 'grow'\nsection = 'A'\ntitle = 'Grow'\ndanger = 'change'\nkind = 'scale'\nverify = ['ready']\nverify_within = 60\nnotes = 'Ask first.'\nlinks = ['./down.md']\ninputs = [{ name = 'deployment', default = 'shop/app' }]\n[[steps]]\nid = 'call'\ntitle = 'Call'\ndanger = 'read'\nkind = 'by-hand'\nwith = { text = '```' }\n";
        let written = markdown(&read("r.toml", text, None).unwrap());
        let expected = "# Ours\n\n## A\n\n### Grow\n\n`grow` · change\n\n- deployment (deployment): `shop/app`\n- replicas (count)\n\nWithin 60 s must come true: ready.\n\n```sh\nkubectl scale deployment/app --replicas=<replicas> -n shop\n```\n\nAsk first.\n\nSee [./down.md](./down.md).\n\n## Other steps\n\n### Call\n\n`call` · read\n\n````text\n```\n````\n";
        assert_eq!(written, expected);
    }

    #[test]
    fn the_steps_that_come_with_it_have_commands() {
        let runbook = embedded().unwrap();
        let written = markdown(&runbook);
        for wanted in [
            "kubectl rollout undo deployment/<deployment>\n",
            "kubectl scale deployment/<deployment> --replicas=10\n",
            "kubectl exec deployment/medcontracthub-app -- npm run db:health\n",
            "tail -20\n",
            "  host: <service>\n  trafficPolicy:\n    outlierDetection:\n      consecutive5xxErrors: 1\n",
        ] {
            assert!(written.contains(wanted), "{wanted}\n{written}");
        }
        assert!(runbook.steps.iter().all(|step| written.contains(&format!("`{}` · ", step.id))));
    }
}
