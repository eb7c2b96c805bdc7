//! `kubectl set env`: sets (`K=V`) or takes away (`K-`) variables in every container, as kubectl does.
//! Guarded by uid and by each container's whole list of variables. What was there comes back from the
//! revision that holds it, exactly: a variable that only one container had, one that came from a Secret,
//! duplicates, any text. Values are in the request alone; elsewhere they are hidden.

use serde_json::{Value, json};

use super::command::Word;
use super::example::fill;
use super::input::{InputKind, InputSpec, Inputs};
use super::parameters::Parameters;
use super::target::Found;
use super::template::{deployment, deployment_and_revisions, template_draft};
use super::{Answer, Ctx, Draft, Flag, Read, StepKind, Suggested, text};
use crate::clean::redact::{hide_env, is_secret_env, split_env};
use crate::event::{Fact, Refusal};
use crate::state::{World, flags};

const INPUTS: &[InputSpec] =
    &[InputSpec::required("deployment", InputKind::Deployment), InputSpec::required("env", InputKind::Env)];

pub(super) struct SetEnv;

/// A variable, and its new value; `None` takes it away.
type Change = (String, Option<String>);

impl StepKind for SetEnv {
    fn name(&self) -> &'static str {
        "set-env"
    }

    fn inputs(&self) -> &'static [InputSpec] {
        INPUTS
    }

    fn reads(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Vec<Read>, Refusal> {
        parse(inputs.needed("env")?)?;
        deployment_and_revisions(inputs, answers, ctx)
    }

    fn example(&self, inputs: &Inputs, _: &Parameters) -> Option<String> {
        Some(fill("kubectl set env deployment/<deployment> <env>[ -n <namespace>]", inputs))
    }

    fn plan(&self, inputs: &Inputs, answers: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let deployment = deployment(inputs, answers, ctx)?;
        let changes = parse(inputs.needed("env")?)?;
        let name = deployment.name();
        let containers = containers(&deployment);
        let after: Vec<Value> = containers.iter().map(|container| changed(container, &changes)).collect();
        let names = changes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        if after == containers {
            return Err(Refusal::failed(format!("nothing to do: {name} already has {names} so")));
        }
        let mut template = deployment.object["spec"]["template"].clone();
        template["spec"]["containers"] = Value::Array(after.clone());
        let request = deployment.patch(
            ctx,
            "",
            operations(&deployment, &containers, &after),
            &[("/spec/template", template)],
        );
        let words =
            ["set", "env"].map(Word::from).into_iter().chain([Word::from(format!("deployment/{name}"))]);
        let words = words.chain(changes.iter().map(word)).collect();
        let mut draft = template_draft(
            &deployment,
            (inputs, answers),
            ctx,
            format!("set env of {name}: {names}"),
            (request, words),
        );
        draft.facts.extend(elsewhere(&containers, &changes));
        Ok(draft)
    }

    fn suggest(&self, world: &World, known: &[Flag]) -> Vec<Suggested> {
        flags(world, known)
    }
}

fn containers(deployment: &Found) -> Vec<Value> {
    deployment
        .object
        .pointer("/spec/template/spec/containers")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// Replaces the list of each container that changes, guarded by its name and by the list as it was read.
fn operations(deployment: &Found, before: &[Value], after: &[Value]) -> Vec<Value> {
    let mut operations = Vec::new();
    for (at, container) in after.iter().enumerate().filter(|(at, container)| **container != before[*at]) {
        let name = format!("/spec/template/spec/containers/{at}/name");
        let env = format!("/spec/template/spec/containers/{at}/env");
        let write = match container.get("env") {
            Some(list) => json!({"op": "add", "path": env, "value": list}),
            None => json!({"op": "remove", "path": env}),
        };
        operations.extend([deployment.test(&name), deployment.test(&env), write]);
    }
    operations
}

/// Parses an `env` input.
///
/// # Errors
/// What is no variable in it.
pub fn parse(wanted: &str) -> Result<Vec<Change>, Refusal> {
    let bad = |word: &str| {
        let shown = hide_env(word);
        Refusal::usage(format!(
            "\"{shown}\": variables are written NAME=value, or NAME- to take one away, with commas between (\\, within a value)"
        ))
    };
    let one = |word: String| {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.trim_end().strip_suffix('-').ok_or_else(|| bad(&word))?, None),
        };
        let fits = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if fits { Ok((name.to_owned(), value)) } else { Err(bad(&word)) }
    };
    split_env(wanted).into_iter().filter(|word| !word.trim().is_empty()).map(one).collect()
}

/// A container with the variables changed. One that is there more often is there once, where it stood first:
/// the last of them counts for a container, and no other may contradict. An empty list and an empty value are
/// left out, as the API server stores them.
fn changed(container: &Value, changes: &[Change]) -> Value {
    let mut container = container.clone();
    let mut env = container["env"].as_array().cloned().unwrap_or_default();
    for (name, value) in changes {
        let at = env.iter().position(|var| var["name"] == **name);
        env.retain(|var| var["name"] != **name);
        let made = value.as_ref().map(|value| {
            if value.is_empty() { json!({"name": name}) } else { json!({"name": name, "value": value}) }
        });
        if let Some(made) = made {
            env.insert(at.unwrap_or(env.len()), made);
        }
    }
    match container.as_object_mut() {
        Some(fields) if env.is_empty() => drop(fields.remove("env")),
        Some(fields) => drop(fields.insert("env".to_owned(), Value::Array(env))),
        None => {}
    }
    container
}

/// `NAME=value` as a word of the command, of which only its name is kept.
fn word((name, value): &Change) -> Word {
    match value {
        Some(value) => {
            let raw = format!("{name}={value}");
            Word::hiding(
                &raw,
                &hide_env(&raw.replace('\\', r"\\").replace(',', r"\,")),
                name,
                is_secret_env(name, value),
            )
        }
        None => Word::from(format!("{name}-")),
    }
}

/// What a variable came from, where that was not a text: the change puts a text in its place.
fn elsewhere(containers: &[Value], changes: &[Change]) -> Vec<Fact> {
    let source = |container: &Value, name: &str| {
        let vars = container["env"].as_array()?;
        let from = vars.iter().find(|var| var["name"] == *name)?.get("valueFrom")?;
        let of = |key: &str, what: &str| {
            from.get(key).map(|at| format!("{what} {}, key {}", text(at, "/name"), text(at, "/key")))
        };
        let known = of("secretKeyRef", "Secret").or_else(|| of("configMapKeyRef", "ConfigMap"));
        Some(known.unwrap_or_else(|| "the pod's own fields".to_owned()))
    };
    let told = |container: &Value, name: &str| {
        let of = text(container, "/name").to_owned();
        let from = source(container, name)?;
        Some(Fact::warn("replaces", format!("{name} of container {of}, which comes from {from}")))
    };
    changes
        .iter()
        .flat_map(|(name, _)| containers.iter().filter_map(move |container| told(container, name)))
        .collect()
}

#[cfg(test)]
mod tests;
