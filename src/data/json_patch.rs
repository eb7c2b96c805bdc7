//! JSON Patch (RFC 6902) on a JSON value.

use serde::Deserialize;
use serde_json::Value;

/// One operation.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(crate) enum Operation {
    Test { path: String, value: Value },
    Add { path: String, value: Value },
    Replace { path: String, value: Value },
    Remove { path: String },
    Move { from: String, path: String },
    Copy { from: String, path: String },
}

/// Why a patch could not be applied: a path that is not there, or a `test` that does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Applies every operation in order; after a failure the value is not to be used.
pub(crate) fn apply(value: &mut Value, operations: Vec<Operation>) -> Result<(), Failed> {
    operations.into_iter().try_for_each(|operation| one(value, operation))
}

fn one(value: &mut Value, operation: Operation) -> Result<(), Failed> {
    match operation {
        Operation::Test { path, value: wanted } => {
            (value.pointer(&path).unwrap_or(&Value::Null) == &wanted).then_some(()).ok_or(Failed)
        }
        Operation::Add { path, value: new } => add(value, &path, new),
        Operation::Replace { path, value: new } => {
            *value.pointer_mut(&path).ok_or(Failed)? = new;
            Ok(())
        }
        Operation::Remove { path } => remove(value, &path).map(drop),
        Operation::Move { from, path } => {
            let moved = remove(value, &from)?;
            add(value, &path, moved)
        }
        Operation::Copy { from, path } => {
            let copied = value.pointer(&from).ok_or(Failed)?.clone();
            add(value, &path, copied)
        }
    }
}

fn split(path: &str) -> Result<(&str, String), Failed> {
    let (parent, key) = path.rsplit_once('/').ok_or(Failed)?;
    Ok((parent, key.replace("~1", "/").replace("~0", "~")))
}

fn add(value: &mut Value, path: &str, new: Value) -> Result<(), Failed> {
    if path.is_empty() {
        *value = new;
        return Ok(());
    }
    let (parent, key) = split(path)?;
    match value.pointer_mut(parent).ok_or(Failed)? {
        Value::Object(fields) => {
            fields.insert(key, new);
        }
        Value::Array(items) => {
            let index = if key == "-" { items.len() } else { key.parse().map_err(|_| Failed)? };
            if index > items.len() {
                return Err(Failed);
            }
            items.insert(index, new);
        }
        _ => return Err(Failed),
    }
    Ok(())
}

fn remove(value: &mut Value, path: &str) -> Result<Value, Failed> {
    let (parent, key) = split(path)?;
    match value.pointer_mut(parent).ok_or(Failed)? {
        Value::Object(fields) => fields.remove(&key).ok_or(Failed),
        Value::Array(items) => {
            let index = key.parse().ok().filter(|index: &usize| *index < items.len()).ok_or(Failed)?;
            Ok(items.remove(index))
        }
        _ => Err(Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations() {
        let cases = [
            (
                json!([{"op": "replace", "path": "/a/0", "value": 9}]),
                Some(json!({"a": [9, 2], "b/c": {"d": 1}})),
            ),
            (
                json!([{"op": "add", "path": "/a/-", "value": 3}]),
                Some(json!({"a": [1, 2, 3], "b/c": {"d": 1}})),
            ),
            (
                json!([{"op": "add", "path": "/a/1", "value": 3}]),
                Some(json!({"a": [1, 3, 2], "b/c": {"d": 1}})),
            ),
            (json!([{"op": "remove", "path": "/b~1c/d"}]), Some(json!({"a": [1, 2], "b/c": {}}))),
            (
                json!([{"op": "move", "from": "/a", "path": "/e"}]),
                Some(json!({"b/c": {"d": 1}, "e": [1, 2]})),
            ),
            (
                json!([{"op": "copy", "from": "/a/0", "path": "/e"}]),
                Some(json!({"a": [1, 2], "b/c": {"d": 1}, "e": 1})),
            ),
            (
                json!([{"op": "test", "path": "/b~1c/d", "value": 1}, {"op": "remove", "path": "/a"}]),
                Some(json!({"b/c": {"d": 1}})),
            ),
            (
                json!([{"op": "test", "path": "/none", "value": null}]),
                Some(json!({"a": [1, 2], "b/c": {"d": 1}})),
            ),
            (json!([{"op": "test", "path": "/a/0", "value": 2}]), None),
            (json!([{"op": "replace", "path": "/none", "value": 2}]), None),
            (json!([{"op": "remove", "path": "/a/2"}]), None),
            (json!([{"op": "add", "path": "/a/3", "value": 2}]), None),
        ];
        for (patch, expected) in cases {
            let mut value = json!({"a": [1, 2], "b/c": {"d": 1}});
            let operations = serde_json::from_value(patch.clone()).unwrap();
            let applied = apply(&mut value, operations).ok().map(|()| value);
            assert_eq!(applied, expected, "{patch}");
        }
    }
}
