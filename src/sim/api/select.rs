//! Which objects of a kind are wanted: namespace, label selector, field selector.

use serde_json::Value;

use super::status::Status;
use super::target::Target;
use crate::sim::cluster::store::Object;
use crate::sim::json::{label, text};
use crate::sim::request::Query;

/// The conditions that an object has to meet.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    namespace: Option<String>,
    labels: Vec<Requirement>,
    fields: Vec<(String, String, bool)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Among(String, Vec<String>, bool),
    Exists(String, bool),
}

/// The fields that a field selector may name.
const FIELDS: [&str; 11] = [
    "metadata.name",
    "metadata.namespace",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.uid",
    "reason",
    "type",
    "status.phase",
    "spec.nodeName",
    "source",
];

impl Selection {
    pub(super) fn parse(target: &Target, query: &Query) -> Result<Self, Status> {
        let labels = split(query.get("labelSelector").unwrap_or_default())
            .into_iter()
            .map(requirement)
            .collect::<Result<_, _>>()?;
        let fields = split(query.get("fieldSelector").unwrap_or_default())
            .into_iter()
            .map(field)
            .collect::<Result<_, _>>()?;
        Ok(Self { namespace: target.namespace.clone(), labels, fields })
    }

    /// Whether every object of the namespace is wanted.
    pub(super) fn is_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        self.namespace
            .as_deref()
            .is_none_or(|namespace| namespace == text(object.value(), "/metadata/namespace"))
            && self.wants(object.value())
    }

    /// Whether labels and fields are as wanted; the namespace is not asked for.
    pub(super) fn wants(&self, object: &Value) -> bool {
        let labels = self.labels.iter().all(|requirement| match requirement {
            Requirement::Among(key, values, wanted) => {
                label(object, key).is_some_and(|value| values.iter().any(|known| known == value)) == *wanted
            }
            Requirement::Exists(key, wanted) => label(object, key).is_some() == *wanted,
        });
        let field = |path: &str| text(object, &format!("/{}", path.replace('.', "/")));
        labels && self.fields.iter().all(|(path, value, wanted)| (field(path) == value) == *wanted)
    }
}

/// Splits at the commas that are not within parentheses.
fn split(selector: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = selector.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn requirement(part: &str) -> Result<Requirement, Status> {
    let among = |key: &str, values: &str, wanted| {
        Requirement::Among(
            key.trim().to_owned(),
            values.split(',').map(|value| value.trim().to_owned()).collect(),
            wanted,
        )
    };
    let set = |part: &str| {
        part.strip_suffix(')').and_then(|part| {
            part.split_once('(').map(|(key, values)| (key.trim().to_owned(), values.to_owned()))
        })
    };
    if let Some((words, values)) = set(part) {
        return match words.split_once(char::is_whitespace) {
            Some((key, "in")) => Ok(among(key, &values, true)),
            Some((key, "notin")) => Ok(among(key, &values, false)),
            _ => Err(Status::bad_request(format!(
                "unable to parse requirement: found '{words}', expected: in, notin"
            ))),
        };
    }
    let pair = part
        .split_once("!=")
        .map(|pair| (pair, false))
        .or_else(|| part.split_once('=').map(|pair| (pair, true)));
    Ok(match pair {
        Some(((key, value), wanted)) => among(key, value.trim_start_matches('='), wanted),
        None => Requirement::Exists(part.trim_start_matches('!').to_owned(), !part.starts_with('!')),
    })
}

fn field(part: &str) -> Result<(String, String, bool), Status> {
    let pair = part
        .split_once("!=")
        .map(|pair| (pair, false))
        .or_else(|| part.split_once('=').map(|pair| (pair, true)));
    let Some(((path, value), wanted)) = pair else {
        return Err(Status::bad_request(format!(
            "invalid field selector: invalid selector: '{part}'; can't understand '{part}'"
        )));
    };
    if !FIELDS.contains(&path) {
        return Err(Status::bad_request(format!("field label not supported: {path}")));
    }
    Ok((path.to_owned(), value.trim_start_matches('=').to_owned(), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_choose() {
        let pod = json!({"metadata": {"name": "p", "labels": {"app": "a", "zone": "z"}}, "status": {"phase": "Running"}});
        let cases = [
            ("", "", true),
            ("app=a,zone==z", "", true),
            ("app!=a", "", false),
            ("app in (x, a),zone", "", true),
            ("app notin (a)", "", false),
            ("!other", "metadata.name=p", true),
            ("", "metadata.name=p,status.phase!=Running", false),
        ];
        for (labels, fields, expected) in cases {
            let query = Query::parse(
                &format!("labelSelector={labels}&fieldSelector={fields}")
                    .replace(' ', "+")
                    .replace("==", "%3D%3D")
                    .replace("!=", "!%3D"),
            );
            let target = Target::parse("/api/v1/pods").unwrap();
            let selection = Selection::parse(&target, &query).unwrap();
            assert_eq!(selection.wants(&pod), expected, "{labels} {fields}");
        }
    }
}
