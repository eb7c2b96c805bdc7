//! `warroom steps`: what can be done, for people and for other tools.

use std::io;

use serde_json::json;

use super::{CommandContext, Exit, say};
use crate::keymap::{Action, Context, sequence};
use crate::runbook::Step;

pub(super) fn steps(context: &CommandContext, as_json: bool) -> io::Result<Exit> {
    let steps = &context.config.runbook.steps;
    let ids = steps.iter().map(|step| step.id.len()).max().unwrap_or(0);
    for step in steps {
        let key = key(context, step);
        if as_json {
            let inputs =
                step.inputs.iter().map(|i| json!({"name": i.name, "kind": i.kind.name(), "required": i.required, "default": i.default}));
            say(
                json!({"id": step.id, "section": step.section, "title": step.title, "danger": step.danger.name(), "inputs": inputs.collect::<Vec<_>>(), "key": key,
                    "notes": Some(&step.notes).filter(|notes| !notes.is_empty())}),
            )?;
        } else {
            let inputs = step
                .inputs
                .iter()
                .map(|i| if i.required { i.name.to_string() } else { format!("[{}]", i.name) });
            say(format_args!(
                "{:<ids$}  {:<8} {:<12} {}  ({})",
                step.id,
                key.unwrap_or_default(),
                step.danger,
                step.title,
                inputs.collect::<Vec<_>>().join(", ")
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// The keys that begin the step.
fn key(context: &CommandContext, step: &Step) -> Option<String> {
    let name = Action::Step(step.id.to_string()).to_string();
    let groups = context.config.keymap().help(&[Context::Global]);
    let row = groups.into_iter().flat_map(|group| group.rows).find(|row| row.action == name)?;
    row.keys.first().map(|keys| sequence(keys))
}
