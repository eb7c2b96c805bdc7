//! One object in full, as YAML: read when it is asked for, without what nobody reads (`managedFields`) and
//! without what looks like a secret.

use serde_json::Value;

use super::caller::{Caller, Refused, Reply};
use crate::clean::Clean;
use crate::clean::redact::redact;
use crate::event::{Kind, Target};

/// Lines that are shown at the most.
const MOST: usize = 5_000;

/// Why there is no manifest to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoManifest {
    /// What is asked for has none.
    #[error("a {0} has no manifest")]
    NoSuchKind(Clean),
    /// Another object has its name.
    #[error("{0} is gone: another object has its name now")]
    Recreated(Clean),
    /// The API server refuses.
    #[error("the API server refuses ({}): {}", .0.code, .0.why)]
    Refused(Refused),
    /// It was not read.
    #[error("{0}")]
    Unread(Clean),
}

/// Reads the object and writes it out.
pub(super) async fn fetch(caller: &Caller, target: &Target) -> Result<Vec<Clean>, NoManifest> {
    let kind = Kind::named(&target.kind).ok_or_else(|| NoManifest::NoSuchKind(target.kind.clone()))?;
    let api = kind.api();
    let plural = kind.plural();
    let name = &target.name;
    let path = match target.namespace.as_str() {
        "" => format!("/{api}/{plural}/{name}"),
        namespace => format!("/{api}/namespaces/{namespace}/{plural}/{name}"),
    };
    match caller.get(&path).await {
        Reply::Done(object) if object["metadata"]["uid"] != target.uid.as_str() => {
            Err(NoManifest::Recreated(name.clone()))
        }
        Reply::Done(object) => Ok(written(object)),
        Reply::Refused(refused) => Err(NoManifest::Refused(refused)),
        Reply::NotSent(why) | Reply::Lost(why) => Err(NoManifest::Unread(why)),
    }
}

fn written(mut object: Value) -> Vec<Clean> {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    redact(&mut object);
    match serde_saphyr::to_string(&object) {
        Ok(text) => text.lines().take(MOST).map(Clean::new).collect(),
        Err(error) => vec![format!("it cannot be written as YAML: {error}").into()],
    }
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
            "    - -v",
            "    - a b",
            "  \"n\": 1",
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
