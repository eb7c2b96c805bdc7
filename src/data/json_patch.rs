//! JSON Patch (RFC 6902) as the API server applies it.

pub(crate) use json_patch::Patch;
use json_patch::jsonptr::Pointer;
use json_patch::{PatchError, PatchOperation};
use serde_json::Value;

/// Applies every operation in order; after a failure the value is not to be used.
///
/// To the API server a field that is absent is `null` in a `test`, as long as the object that would hold it
/// is there (`Patch.test` of github.com/evanphx/json-patch); to the crate, and to the RFC, such a `test`
/// fails. The steps guard fields that are absent with it.
pub(crate) fn apply(value: &mut Value, patch: &Patch) -> Result<(), PatchError> {
    patch.iter().try_for_each(|operation| match operation {
        PatchOperation::Test(test) if test.value.is_null() && absent(value, &test.path) => Ok(()),
        _ => json_patch::patch(value, std::slice::from_ref(operation)),
    })
}

fn absent(value: &Value, path: &Pointer) -> bool {
    let parent = path.parent().and_then(|parent| value.pointer(parent.as_str()));
    parent.is_some_and(Value::is_object) && value.pointer(path.as_str()).is_none()
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
            (json!([{"op": "test", "path": "/none", "value": 1}]), None),
            (json!([{"op": "test", "path": "/none/d", "value": null}]), None),
            (json!([{"op": "test", "path": "/a/2", "value": null}]), None),
            (json!([{"op": "test", "path": "/b~1c", "value": null}]), None),
            (json!([{"op": "replace", "path": "/none", "value": 2}]), None),
            (json!([{"op": "remove", "path": "/a/2"}]), None),
            (json!([{"op": "add", "path": "/a/3", "value": 2}]), None),
        ];
        for (patch, expected) in cases {
            let mut value = json!({"a": [1, 2], "b/c": {"d": 1}});
            let operations = serde_json::from_value(patch.clone()).unwrap();
            let applied = apply(&mut value, &operations).ok().map(|()| value);
            assert_eq!(applied, expected, "{patch}");
        }
    }
}
