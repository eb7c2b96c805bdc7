//! Steps → a runbook's TOML, laid out as the built-in ones are.

use std::fmt::Write as _;

use super::NewStep;
use super::draft::{Input, With};
use crate::event::Danger;

/// Writes a runbook of these steps.
pub(super) fn toml(name: &str, file: &str, steps: &[NewStep]) -> String {
    let mut text = format!(
        "# Imported from {}: read every step, and correct its danger, inputs and checks, before it is relied on.\n",
        file.replace(['\n', '\r'], " ")
    );
    let _ = writeln!(text, "\nname = {}", quoted(name));
    for step in steps {
        text.push('\n');
        text.push_str(&one(file, step));
    }
    text
}

fn one(file: &str, step: &NewStep) -> String {
    let NewStep { id, section, draft, line, blake3 } = step;
    let mut lines = vec!["[[steps]]".to_owned(), format!("id = {}", quoted(id))];
    if !section.is_empty() {
        lines.push(format!("section = {}", quoted(section)));
    }
    lines.push(format!("title = {}", quoted(&draft.title)));
    lines.push(format!("danger = {}", quoted(draft.danger.name())));
    lines.push(format!("kind = {}", quoted(draft.kind)));
    lines.extend(inputs(&draft.inputs));
    lines.extend(with(&draft.with));
    lines.extend((!draft.notes.is_empty()).then(|| format!("notes = {}", quoted(&draft.notes.join("; ")))));
    lines.extend((!draft.links.is_empty()).then(|| format!("links = {}", list(&draft.links))));
    lines.push(format!("source = {{ file = {}, line = {line}, blake3 = \"{blake3}\" }}", quoted(file)));
    lines.join("\n") + "\n"
}

fn inputs(inputs: &[Input]) -> Option<String> {
    let one = |input: &Input| {
        let kind = input.kind.map(|kind| format!(", kind = {}", quoted(kind.name()))).unwrap_or_default();
        let required = if input.kind.is_some() || input.default.is_none() { ", required = true" } else { "" };
        let default = input.default.as_ref().map(|default| format!(", default = {}", quoted(default)));
        format!("    {{ name = {}{kind}{required}{} }},\n", quoted(&input.name), default.unwrap_or_default())
    };
    let all: String = inputs.iter().map(one).collect();
    (!all.is_empty()).then(|| format!("inputs = [\n{all}]"))
}

fn with(with: &[(&'static str, With)]) -> Option<String> {
    let value = |value: &With| match value {
        With::Text(text) => quoted(text),
        With::List(words) => list(words),
    };
    let all: Vec<String> = with.iter().map(|(name, given)| format!("{name} = {}", value(given))).collect();
    (!all.is_empty()).then(|| format!("with = {{ {} }}", all.join(", ")))
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML has it, in quotes or as several lines.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// How much it can break at least: what its kind can.
pub(super) fn at_least(danger: Danger, kind: &str) -> Danger {
    crate::step::Kind::named(kind).map_or(danger, |kind| danger.max(kind.danger()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back_as_they_are() {
        for text in ["a", "it's \"so\"", "two\nlines\n", "back\\slash '''", "tab\t\u{1b}[31m", "\"\"\"", ""] {
            let whole = format!("x = {}", quoted(text));
            let read: toml::Table = toml::from_str(&whole).unwrap();
            assert_eq!(read["x"].as_str(), Some(text), "{whole}");
        }
    }
}
