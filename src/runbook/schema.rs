//! The JSON schema (draft-07) of runbooks, made of the tables that the loader reads them by: editors complete
//! and check what is written.

use serde_json::{Map, Value, json};

use super::{Danger, InputKind};
use crate::event::Rule;
use crate::step::parameters::{ParameterKind, ParameterSpec};
use crate::step::{Kind, check};

/// Returns the schema, as a file.
pub fn json() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Runbook of warroom",
        "description": "Steps of an incident runbook, as docs/runbook.md tells.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": text("Name of the runbook."),
            "workload": text("Name of the workload that tells a cluster which this runbook is for."),
            "include": list("Files that this one includes, as they were when their hashes were written down.", &json!({"$ref": "#/definitions/include"})),
            "steps": list("The steps, in the order in which they are shown.", &json!({"$ref": "#/definitions/step"})),
            "guardrails": list("What is forbidden where and when, or asks for more than a key.", &json!({"$ref": "#/definitions/guardrail"})),
            "tests": list("Calls that `warroom runbook test` runs on the simulated cluster.", &json!({"$ref": "#/definitions/test"})),
            "flags": list("Features that can be turned off when what they depend on fails.", &json!({"$ref": "#/definitions/flag"})),
        },
        "definitions": {
            "include": table("A file that is included.", &[("file", text("Name of one that is built in, or its path beside this file.")), ("blake3", text("Hash of the file."))], &["file", "blake3"]),
            "flag": table("A feature that can be turned off.", &[
                ("dependency", text("The workload that fails.")),
                ("deployment", text("The Deployment that can do without it, in the same namespace.")),
                ("env", text("What turns the feature off, as set-env takes it: NAME=value,OTHER-")),
            ], &["dependency", "deployment", "env"]),
            "guardrail": table("A rule, and what it holds for.", &[
                ("rule", named("What it asks for.", Rule::ALL.iter().map(|one| (one.name(), one.about())))),
                ("why", text("The reason that is shown.")),
                ("context", text("A kube-context, maybe with a * at its end.")),
                ("namespace", text("A namespace, maybe with a * at its end.")),
                ("step", text("Id of a step.")),
                ("hours", text("Hours of the day in UTC: 22:00-06:00.")),
                ("severity", text("Severity of the incident.")),
            ], &["rule", "why"]),
            "call": table("A call of a step.", &[("step", text("Its id.")), ("inputs", inputs())], &["step"]),
            "test": table("A test of a step.", &[
                ("step", text("Its id.")),
                ("inputs", inputs()),
                ("after", list("What is done before.", &json!({"$ref": "#/definitions/call"}))),
                ("files", json!({"description": "Files that inputs name.", "type": "object", "additionalProperties": {"type": "string"}})),
                ("scenario", text("Incident of the simulated cluster.")),
            ], &["step"]),
            "source": table("Where a step was imported from.", &[
                ("file", text("The document.")),
                ("line", count("Line that its command began in, from 1.")),
                ("blake3", text("Hash of the command's text.")),
            ], &["file", "line", "blake3"]),
            "input": input(),
            "step": step(),
        },
    })
}

fn step() -> Value {
    let checks: Vec<&str> = check::names().collect();
    let mut step = table(
        "A step.",
        &[
            ("id", text("What keys, `warroom run` and the recording call it.")),
            ("section", text("The runbook's heading.")),
            ("title", text("What it does, in a few words.")),
            (
                "danger",
                named("How much it can break.", Danger::ALL.iter().map(|one| (one.name(), one.about()))),
            ),
            (
                "kind",
                named(
                    "What it does.",
                    Kind::names().filter_map(|name| Some((name, about(Kind::named(name)?)))),
                ),
            ),
            ("inputs", list("What it asks for.", &json!({"$ref": "#/definitions/input"}))),
            ("with", json!({"description": "What is fixed of it, as its kind has it.", "type": "object"})),
            (
                "verify",
                list(
                    "What must come true afterwards; without it, all checks of its kind.",
                    &json!({"enum": checks}),
                ),
            ),
            ("verify_within", count("Seconds that this may take; 90 without it.")),
            ("notes", text("What is to be known of it besides.")),
            (
                "links",
                list("Documents that it leads to, as seen from this file.", &json!({"type": "string"})),
            ),
            ("source", json!({"$ref": "#/definitions/source"})),
        ],
        &["id", "title", "danger", "kind"],
    );
    step["allOf"] = Kind::names().filter_map(Kind::named).map(of_kind).collect();
    step
}

/// What holds for steps of one kind.
fn of_kind(kind: Kind) -> Value {
    let dangers: Vec<&str> =
        Danger::ALL.iter().filter(|danger| **danger >= kind.danger()).map(|one| one.name()).collect();
    let mut then = json!({"properties": {"danger": {"enum": dangers}}});
    let inputs: Vec<&str> = kind.inputs().iter().map(|spec| spec.name).collect();
    if !kind.takes_own_inputs() {
        then["properties"]["inputs"] = if inputs.is_empty() {
            json!({"maxItems": 0})
        } else {
            json!({"items": {"properties": {"name": {"enum": inputs}}}})
        };
    }
    let parameters = kind.parameters();
    let required: Vec<&str> = parameters.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    let specs: Vec<(&str, Value)> = parameters.iter().map(|spec| (spec.name, parameter(spec))).collect();
    then["properties"]["with"] = table("What is fixed of it.", &specs, &required);
    if !required.is_empty() {
        then["required"] = json!(["with"]);
    }
    json!({"if": {"properties": {"kind": {"const": kind.name()}}, "required": ["kind"]}, "then": then})
}

fn parameter(spec: &ParameterSpec) -> Value {
    match spec.kind {
        ParameterKind::Text => json!({"type": "string"}),
        ParameterKind::List => json!({"type": "array", "items": {"type": "string"}}),
        ParameterKind::Count => json!({"type": "integer", "minimum": 0}),
    }
}

/// What a kind asks for, and how much it can break.
fn about(kind: Kind) -> String {
    let mark = |required: bool| if required { "" } else { "?" };
    let inputs = kind.inputs().iter().map(|spec| format!("{}{}", spec.name, mark(spec.required)));
    let own = kind.takes_own_inputs().then(|| "its own".to_owned());
    let inputs: Vec<String> = inputs.chain(own).collect();
    let fixed: Vec<String> =
        kind.parameters().iter().map(|spec| format!("{}{}", spec.name, mark(spec.required))).collect();
    let part =
        |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("; {what}: {}", names.join(", ")));
    [Some(format!("danger {} at least", kind.danger())), part("inputs", &inputs), part("with", &fixed)]
        .into_iter()
        .flatten()
        .collect()
}

fn input() -> Value {
    table(
        "What a step asks for.",
        &[
            ("name", text("Its name.")),
            (
                "kind",
                named(
                    "What it is; left out where the kind of step has it.",
                    InputKind::ALL.iter().map(|one| (one.name(), one.about())),
                ),
            ),
            ("required", json!({"description": "Whether it must be given.", "type": "boolean"})),
            ("default", text("What it is when it is not given.")),
            ("choices", list("What a choice can be.", &json!({"type": "string"}))),
        ],
        &["name"],
    )
}

/// Inputs of a call, by name.
fn inputs() -> Value {
    json!({"description": "Its inputs.", "type": "object", "additionalProperties": {"type": "string"}})
}

fn text(description: &str) -> Value {
    json!({"description": description, "type": "string"})
}

fn count(description: &str) -> Value {
    json!({"description": description, "type": "integer", "minimum": 0})
}

fn list(description: &str, items: &Value) -> Value {
    json!({"description": description, "type": "array", "items": items})
}

/// One of these names, each with what it means.
fn named<T: AsRef<str>>(description: &str, all: impl Iterator<Item = (&'static str, T)>) -> Value {
    let one = |(name, about): (&str, T)| json!({"const": name, "description": about.as_ref().trim()});
    json!({"description": description, "anyOf": all.map(one).collect::<Vec<_>>()})
}

fn table(description: &str, fields: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    json!({
        "description": description, "type": "object", "additionalProperties": false,
        "properties": properties, "required": required,
    })
}
