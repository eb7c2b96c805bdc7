//! What would change of an object. Compared first, hidden afterwards: a secret that changes is shown as a
//! change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::clean::redact::{is_secret_key, redact_text};
use crate::event::{DiffLine, Sign};
use crate::step::text;

/// What servers write by themselves with every change.
const BOOKKEEPING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// A leaf: its text, and whether it is a secret.
type Leaf = (String, bool);

/// Returns the leaves that differ, below the path that they share; the status is not asked for by anybody.
/// What is gone afterwards is one line.
pub fn diff(before: &Value, after: &Value) -> Vec<DiffLine> {
    if after.is_null() {
        let whole = format!("{} {}, as a whole", text(before, "/kind"), text(before, "/metadata/name"));
        return vec![DiffLine { sign: Sign::Remove, text: whole.into() }];
    }
    let mut before = leaves(before);
    let mut after = leaves(after);
    let secrets: Vec<String> =
        before.keys().chain(after.keys()).filter_map(|path| from_secret(path)).collect();
    for path in secrets {
        before.entry(path.clone()).and_modify(|leaf| leaf.1 = true);
        after.entry(path).and_modify(|leaf| leaf.1 = true);
    }
    let changed: BTreeSet<&String> =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    let mut lines = Vec::new();
    let mut heading = String::new();
    for path in changed {
        let (parent, leaf) = path.rsplit_once('\u{0}').unwrap_or(("", path));
        if parent != heading {
            parent.clone_into(&mut heading);
            lines.push(DiffLine { sign: Sign::Keep, text: parent.replace('\u{0}', ".").into() });
        }
        lines.extend(told(leaf, before.get(path), after.get(path)));
    }
    lines
}

/// Returns the line that says which object the lines after it are of; `None` where none is left.
pub fn heading(after: &Value) -> Option<DiffLine> {
    let text = format!("{} {}", text(after, "/kind"), text(after, "/metadata/name"));
    (!after.is_null()).then(|| DiffLine { sign: Sign::Keep, text: text.into() })
}

/// The path of a variable's own value where it is taken from a Secret: what takes its place is one too.
fn from_secret(path: &str) -> Option<String> {
    let (variable, _) = path.split_once("]\u{0}valueFrom\u{0}secretKeyRef")?;
    let (list, name) = variable.rsplit_once('[')?;
    Some(format!("{list}\u{0}{name}"))
}

fn told(leaf: &str, before: Option<&Leaf>, after: Option<&Leaf>) -> Vec<DiffLine> {
    let line = |sign, text: String| DiffLine { sign, text: text.into() };
    if before.is_some_and(|(_, secret)| *secret) || after.is_some_and(|(_, secret)| *secret) {
        let what = match (before, after) {
            (Some(_), Some(_)) => "changed",
            (None, _) => "set",
            (_, None) => "removed",
        };
        return vec![line(Sign::Hide, format!("{leaf} {what} (hidden)"))];
    }
    let of = |sign, leaf_of: Option<&Leaf>| leaf_of.map(|(text, _)| line(sign, format!("{leaf}  {text}")));
    of(Sign::Remove, before).into_iter().chain(of(Sign::Add, after)).collect()
}

fn leaves(object: &Value) -> BTreeMap<String, Leaf> {
    let mut out = BTreeMap::new();
    let secret = object["kind"] == "Secret";
    for (key, value) in object.as_object().into_iter().flatten().filter(|(key, _)| *key != "status") {
        match (key.as_str(), value) {
            ("metadata", Value::Object(fields)) => {
                let kept = fields.iter().filter(|(key, _)| !BOOKKEEPING.contains(&key.as_str()));
                kept.for_each(|(key, value)| {
                    flatten(&format!("metadata\u{0}{key}"), value, is_secret_key(key), &mut out);
                });
            }
            (key, value) => {
                let hidden = secret && matches!(key, "data" | "stringData");
                flatten(key, value, hidden, &mut out);
            }
        }
    }
    out
}

/// Leaves by path. Elements of a list are known by their `name` where they have one, a second of that name
/// with its number; a variable is one leaf.
fn flatten(path: &str, value: &Value, secret: bool, out: &mut BTreeMap<String, Leaf>) {
    let join = |key: &str| format!("{path}\u{0}{key}");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| flatten(&join(key), value, secret || is_secret_key(key), out));
        }
        Value::Array(items) => {
            let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
            for (at, item) in items.iter().enumerate() {
                let place =
                    item["name"].as_str().map_or_else(|| at.to_string(), |name| numbered(name, &mut seen));
                match (item["name"].as_str(), variable(item)) {
                    (Some(name), Some(text)) => {
                        drop(out.insert(join(&place), leaf(text, secret || is_secret_key(name))));
                    }
                    _ => flatten(&format!("{path}[{place}]"), item, secret, out),
                }
            }
        }
        Value::Null => {}
        Value::String(text) => drop(out.insert(path.to_owned(), leaf(text, secret))),
        plain => drop(out.insert(path.to_owned(), (plain.to_string(), secret))),
    }
}

fn leaf(text: &str, secret: bool) -> Leaf {
    (text.to_owned(), secret || redact_text(text) != text)
}

/// The value of an environment variable: an object of a name and a value, or of a name alone.
fn variable(item: &Value) -> Option<&str> {
    let fields = item.as_object()?;
    let plain = fields.keys().all(|key| key == "name" || key == "value");
    plain.then(|| item["value"].as_str().unwrap_or_default())
}

fn numbered<'a>(name: &'a str, seen: &mut BTreeMap<&'a str, usize>) -> String {
    let count = seen.entry(name).or_default();
    *count += 1;
    if *count == 1 { name.to_owned() } else { format!("{name} #{count}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        diff(before, after).iter().map(|line| format!("{:?} {}", line.sign, line.text)).collect()
    }

    fn with(env: &Value) -> Value {
        json!({"metadata": {"annotations": {"a": "1"}, "generation": env.as_array().map_or(0, Vec::len), "resourceVersion": env.to_string()},
               "spec": {"template": {"spec": {"containers": [{"name": "app", "env": env}]}}}, "status": {"n": env}})
    }

    #[test]
    fn what_takes_the_place_of_a_secret_is_one() {
        let from = json!({"name": "PLAIN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
        let of = |variable: &Value| with(&json!([variable]));
        let typed = of(&json!({"name": "PLAIN", "value": "hunter2"}));
        for lines in [told(&of(&from), &typed), told(&typed, &of(&from))] {
            let lines = lines.join("\n");
            assert!(
                lines.contains("PLAIN set (hidden)") || lines.contains("PLAIN removed (hidden)"),
                "{lines}"
            );
            assert!(!lines.contains("hunter2"), "{lines}");
        }
    }

    #[test]
    fn a_diff_names_the_variable_that_changes() {
        let of = |version: &str| {
            with(&json!([{"name": "APP_VERSION", "value": version}, {"name": "X", "value": "y"}]))
        };
        assert_eq!(
            told(&of("v1.3.0"), &of("v1.2.3")),
            [
                "Keep spec.template.spec.containers[app].env",
                "Remove APP_VERSION  v1.3.0",
                "Add APP_VERSION  v1.2.3"
            ]
        );
    }

    #[test]
    fn a_secret_that_changes_is_a_change_and_hidden() {
        let of = |value: &str| with(&json!([{"name": "DB_PASSWORD", "value": value}]));
        let heading = "Keep spec.template.spec.containers[app].env";
        assert_eq!(told(&of("hunter2"), &of("hunter3")), [heading, "Hide DB_PASSWORD changed (hidden)"]);
        assert_eq!(told(&with(&json!([])), &of("x")), [heading, "Hide DB_PASSWORD set (hidden)"]);
        assert_eq!(told(&of("x"), &with(&json!([]))), [heading, "Hide DB_PASSWORD removed (hidden)"]);
        let address = |password: &str| {
            with(&json!([{"name": "DB", "value": format!("postgres://me:{password}@db/shop")}]))
        };
        assert_eq!(told(&address("one"), &address("two")), [heading, "Hide DB changed (hidden)"]);
    }

    #[test]
    fn what_a_secret_holds_is_hidden_whatever_its_keys() {
        let of = |value: &str| json!({"kind": "Secret", "data": {"plain": value}});
        assert_eq!(told(&of("YQ=="), &of("Yg==")), ["Keep data", "Hide plain changed (hidden)"]);
    }

    #[test]
    fn duplicates_and_empty_values_are_seen() {
        let of = |second: &str| with(&json!([{"name": "A", "value": "1"}, {"name": "A", "value": second}]));
        assert_eq!(
            told(&of("2"), &of("3")),
            ["Keep spec.template.spec.containers[app].env", "Remove A #2  2", "Add A #2  3"]
        );
        let empty = with(&json!([{"name": "A"}]));
        assert_eq!(
            told(&with(&json!([])), &empty),
            ["Keep spec.template.spec.containers[app].env", "Add A  "]
        );
        assert_eq!(told(&with(&json!([1])), &with(&json!([1]))), [] as [&str; 0]);
    }
}
