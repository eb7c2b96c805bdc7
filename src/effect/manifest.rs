//! One object in full, as YAML: read when it is asked for, without what nobody reads (`managedFields`) and
//! without what looks like a secret.

use serde_json::Value;

use super::caller::{Caller, Reply};
use crate::clean::Clean;
use crate::clean::redact::redact;
use crate::event::{Kind, Target};

/// Lines that are shown at the most.
const MOST: usize = 5_000;

/// Reads the object and writes it out.
pub(super) async fn fetch(caller: &Caller, target: &Target) -> Result<Vec<Clean>, Clean> {
    let kind =
        Kind::named(&target.kind).ok_or_else(|| Clean::new(&format!("a {} has no manifest", target.kind)))?;
    let api = kind.api();
    let plural = kind.plural();
    let name = &target.name;
    let path = match target.namespace.as_str() {
        "" => format!("/{api}/{plural}/{name}"),
        namespace => format!("/{api}/namespaces/{namespace}/{plural}/{name}"),
    };
    match caller.get(&path).await {
        Reply::Done(object) if object["metadata"]["uid"] != target.uid.as_str() => {
            Err(format!("{name} is gone: another object has its name now").into())
        }
        Reply::Done(object) => Ok(written(object)),
        Reply::Refused(refused) => {
            Err(format!("the API server refuses ({}): {}", refused.code, refused.why).into())
        }
        Reply::NotSent(why) | Reply::Lost(why) => Err(why),
    }
}

fn written(mut object: Value) -> Vec<Clean> {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    redact(&mut object);
    let mut lines = Vec::new();
    write(&object, 0, "", &mut lines);
    lines.truncate(MOST);
    lines.iter().map(|line| Clean::new(line)).collect()
}

/// A value below `head` (`key:`, `-`, or nothing at the top), indented by `depth`.
fn write(value: &Value, depth: usize, head: &str, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let inner = if head == "-" { depth + 1 } else { depth + usize::from(!head.is_empty()) };
            let from = lines.len();
            lines.extend((!head.is_empty() && head != "-").then(|| format!("{indent}{head}")));
            fields.iter().for_each(|(key, value)| write(value, inner, &format!("{}:", key_text(key)), lines));
            if head == "-" {
                let first = lines[from].trim_start().to_owned();
                lines[from] = format!("{indent}- {first}");
            }
        }
        Value::Array(items) if !items.is_empty() => {
            lines.push(format!("{indent}{head}"));
            for item in items {
                write(item, depth, "-", lines);
            }
        }
        Value::String(text) if text.contains('\n') => {
            lines.push(format!("{indent}{head} |"));
            lines.extend(text.lines().map(|line| format!("{indent}  {line}")));
        }
        scalar => lines.push(format!("{indent}{head} {}", plain(scalar)).trim_end().to_owned()),
    }
}

/// A scalar as YAML reads it back: text that could be taken for something else is quoted.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if ambiguous(text) => Value::String(text.clone()).to_string(),
        Value::String(text) => text.clone(),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

fn key_text(key: &str) -> String {
    if ambiguous(key) { Value::String(key.to_owned()).to_string() } else { key.to_owned() }
}

fn ambiguous(text: &str) -> bool {
    let special = |c: char| "{}[]&*#?|-<>=!%@:`\"',~".contains(c);
    let word =
        matches!(text.to_lowercase().as_str(), "" | "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    word || text.parse::<f64>().is_ok()
        || text.starts_with(special)
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.trim() != text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_written_as_yaml_without_secrets() {
        let object = json!({
            "kind": "Pod",
            "metadata": {"name": "p", "managedFields": [{"manager": "x"}], "labels": {"on": "true"}, "annotations": {}},
            "spec": {"containers": [{"name": "c", "args": ["-v", "a b"], "env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}], "n": 1},
            "status": {"message": "two\nlines"},
        });
        let text = written(object).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(!text.contains("hunter2") && !text.contains("managedFields"), "{text}");
        for line in [
            "  name: p",
            "    \"on\": \"true\"",
            "  annotations: {}",
            "  containers:",
            "    - \"-v\"",
            "    - a b",
            "  n: 1",
            "    two",
        ] {
            assert!(text.lines().any(|known| known == line), "{line:?} is missing in\n{text}");
        }
        assert!(
            text.contains("  - args:") || text.contains("  - env:") || text.contains("  - name: c"),
            "{text}"
        );
    }
}
