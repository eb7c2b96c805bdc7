//! One op that was authorised leaves, once; its answer is held against what was asked for.

use serde_json::Value;

use super::caller::{Caller, Refused, Reply};
use super::identity::Meant;
use super::resolve::{Reading, read_once};
use crate::clean::Clean;
use crate::event::{Made, Target, Write, digest};
use crate::step::target::generation;
use crate::step::text;

/// What came of sending one write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sent {
    /// It is made, with the generation afterwards.
    Done(i64),
    /// The server refused, and changed nothing.
    Rejected(Clean),
    /// Nothing left.
    Held(Clean),
    /// It may or may not have been made.
    Unknown(Clean),
}

/// Why a success is not believed: its answer is not of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mismatch {
    /// It is of something of another kind.
    #[error("it is a {found} and not a {meant}")]
    Kind {
        /// What it is.
        found: Clean,
        /// What was asked for.
        meant: Clean,
    },
    /// It is of another object, or of one of the same name that is not the same.
    #[error("it is of another object than {0}")]
    Object(Clean),
    /// It has other values than those that were written.
    #[error("it does not carry what was written")]
    Values,
    /// It does not name the object that was to be deleted.
    #[error("it does not say what was deleted")]
    Unnamed,
    /// It is of an object that stays.
    #[error("what it carries is not being deleted")]
    Stays,
}

/// Sends a write, once. The refusal of another cluster than the one that was meant says nothing of the
/// object.
pub(super) async fn send(writer: &Caller, reader: &Caller, write: &Write, meant: Option<&Meant<'_>>) -> Sent {
    match writer.write(write).await {
        Reply::Done(answer) => believed(reader, write, &answer).await,
        Reply::Refused(refused) => match meant {
            Some(meant) if meant.same().await == Some(false) => Sent::Rejected(elsewhere(&write.target)),
            _ => Sent::Rejected(told(&refused, &write.target)),
        },
        Reply::NotSent(reason) => Sent::Held(reason),
        Reply::Lost(reason) => Sent::Unknown(reason),
    }
}

/// The address of a cluster leads to another one.
pub(super) fn elsewhere(target: &Target) -> Clean {
    format!(
        "another cluster answers at {} now: nothing was changed in the one where {} is",
        target.cluster, target.name
    )
    .into()
}

/// A success counts if it carries what was asked for; where the server's answers do not, it is read.
async fn believed(reader: &Caller, write: &Write, answer: &Value) -> Sent {
    let carried = match write.expect.made {
        Made::Values | Made::Created => values(write, answer),
        Made::Gone if write.method == "POST" => return evicted(reader, write, answer).await,
        Made::Gone => gone(write, answer),
        Made::Listed => return listed(reader, write, answer).await,
    };
    match carried {
        Ok(generation) => Sent::Done(generation),
        Err(why) => Sent::Unknown(format!("the answer is a success, but {why}").into()),
    }
}

/// The object that was asked for, with the values that were written.
fn values(write: &Write, answer: &Value) -> Result<i64, Mismatch> {
    is(write, answer)?;
    let scale = answer["kind"] == "Scale";
    let holds = |(at, want): (&Clean, &Clean)| {
        // A Scale leaves out a count of 0.
        let value = answer.pointer(at).cloned().unwrap_or_else(|| if scale { 0.into() } else { Value::Null });
        digest(&value) == *want
    };
    if write.expect.values.iter().all(holds) { Ok(generation(answer)) } else { Err(Mismatch::Values) }
}

/// Whether an answer to a dry run is of the object that was asked for; a deletion may be answered with a
/// `Status` alone, and an eviction is.
///
/// # Errors
/// What it is instead.
pub(super) fn answers(write: &Write, answer: &Value) -> Result<(), Mismatch> {
    let goes = write.method == "DELETE" || write.expect.made == Made::Gone;
    if goes && succeeded(answer) { Ok(()) } else { is(write, answer) }
}

/// Whether an answer is of the object that was asked for. One that was not there has no uid to hold it to.
fn is(write: &Write, answer: &Value) -> Result<(), Mismatch> {
    let target = &write.target;
    let of = |at: &str| text(answer, at);
    // A target's kind is kubectl's word, which is the kind in small letters.
    if of("/kind") != "Scale" && !of("/kind").eq_ignore_ascii_case(&target.kind) {
        return Err(Mismatch::Kind { found: of("/kind").into(), meant: target.kind.clone() });
    }
    let named = *target.name == *of("/metadata/name") && *target.namespace == *of("/metadata/namespace");
    let created = write.expect.made == Made::Created;
    if !named || (!created && *target.uid != *of("/metadata/uid")) {
        return Err(Mismatch::Object(target.name.clone()));
    }
    Ok(())
}

/// A deletion is answered with the object on its way, or with a `Status` that names what is gone.
fn gone(write: &Write, answer: &Value) -> Result<i64, Mismatch> {
    let target = &write.target;
    if answer["kind"] == "Status" {
        let same = succeeded(answer) && *target.uid == *text(answer, "/details/uid");
        return if same { Ok(0) } else { Err(Mismatch::Unnamed) };
    }
    is(write, answer)?;
    if answer["metadata"]["deletionTimestamp"].is_string() { Ok(0) } else { Err(Mismatch::Stays) }
}

fn succeeded(answer: &Value) -> bool {
    answer["kind"] == "Status" && answer["status"] == "Success"
}

/// An eviction (a `POST` after which a pod is gone) is answered with a `Status` that names nothing: whether
/// the pod goes is read.
async fn evicted(reader: &Caller, write: &Write, answer: &Value) -> Sent {
    if !succeeded(answer) {
        return Sent::Unknown("the answer is a success, but not one that an eviction gives".into());
    }
    match read_once(reader, write).await {
        Ok(Reading::Made(generation)) => Sent::Done(generation),
        Ok(_) => Sent::Unknown("the server says that it is evicted, and it is not being deleted".into()),
        Err(why) => {
            Sent::Unknown(format!("the server says that it is evicted, and it cannot be read: {why}").into())
        }
    }
}

/// Alertmanager answers with an id, or with nothing: what it has is read.
async fn listed(reader: &Caller, write: &Write, answer: &Value) -> Sent {
    let documented = match write.method.as_str() {
        "POST" => answer["silenceID"].as_str().is_some_and(|id| !id.is_empty()),
        _ => answer.is_null() || answer.as_object().is_some_and(serde_json::Map::is_empty),
    };
    if !documented {
        return Sent::Unknown("the answer is a success, but not one that Alertmanager gives".into());
    }
    match read_once(reader, write).await {
        Ok(Reading::Made(generation)) => Sent::Done(generation),
        Ok(_) => Sent::Unknown("Alertmanager says that it is done, and does not list it so".into()),
        Err(why) => {
            Sent::Unknown(format!("Alertmanager says that it is done, and cannot be read: {why}").into())
        }
    }
}

/// All that an API server says of a JSON patch that it cannot apply, for the most part because a guard of it
/// does not hold.
const NOT_APPLICABLE: &str = "the server rejected our request due to an error in our request";

/// Why the server refused, by its own reason, and what to do next.
fn told(refused: &Refused, target: &Target) -> Clean {
    let name = &target.name;
    let why = &refused.why;
    match (refused.code, refused.reason.as_str()) {
        (404, _) => format!("{name} is gone: look again").into(),
        (409, "AlreadyExists") => format!("it is there already: {why}").into(),
        (409, _) if why.starts_with("Apply failed") => {
            format!("somebody else manages what it would change: {why}").into()
        }
        (409, _) => {
            format!("{name} is not any more what was confirmed: look again and confirm anew ({why})").into()
        }
        (422, _) if **why == *NOT_APPLICABLE => format!(
            "{name} is not any more what was confirmed (changed or recreated): look again and confirm anew"
        )
        .into(),
        (422, _) => format!("the server does not take it: {why}").into(),
        (403, _) => format!("you may not: {why}").into(),
        (429, _) if why.starts_with("Cannot evict pod") => format!("{name} stays: {why}").into(),
        (429, _) => format!("the server is overloaded and did nothing: try again ({why})").into(),
        _ => why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::samples;

    /// A scaling to 3.
    fn write(method: &str) -> Write {
        let mut write = samples::write();
        write.method = method.into();
        write.expect.values.insert("/spec/replicas".into(), digest(&json!(3)));
        write
    }

    /// An object that answers to the sample's name.
    fn object(kind: &str, uid: &str, replicas: u64) -> Value {
        json!({
            "kind": kind,
            "metadata": {"name": "worker", "namespace": "ns", "uid": uid, "generation": 5},
            "spec": {"replicas": replicas},
        })
    }

    #[test]
    fn a_success_counts_only_with_what_was_written_to_what_was_meant() {
        let patch = write("PATCH");
        let other = Mismatch::Object("worker".into());
        assert_eq!(values(&patch, &object("Deployment", "u", 3)), Ok(5));
        assert_eq!(values(&patch, &object("Scale", "u", 3)), Ok(5));
        assert_eq!(values(&patch, &object("Deployment", "u", 2)), Err(Mismatch::Values));
        assert_eq!(values(&patch, &object("Deployment", "recreated", 3)), Err(other.clone()));
        let login = values(&patch, &json!({"kind": "Login"})).unwrap_err();
        assert_eq!(login, Mismatch::Kind { found: "Login".into(), meant: "deployment".into() });
        assert_eq!(login.to_string(), "it is a Login and not a deployment");
        assert_eq!(answers(&patch, &object("Deployment", "recreated", 2)), Err(other));
        assert_eq!(answers(&patch, &object("Deployment", "u", 2)), Ok(()), "what it holds, the diff shows");
    }

    #[test]
    fn what_was_not_there_counts_by_name_and_values_whatever_its_uid() {
        let mut create = write("PATCH");
        create.target.uid = "".into();
        create.expect.made = Made::Created;
        assert_eq!(values(&create, &object("Deployment", "new", 3)), Ok(5));
        assert_eq!(values(&create, &object("Deployment", "new", 2)), Err(Mismatch::Values));
        let mut other = object("Deployment", "new", 3);
        other["metadata"]["name"] = json!("other");
        assert_eq!(values(&create, &other), Err(Mismatch::Object("worker".into())));
    }

    #[test]
    fn a_deletion_counts_only_if_it_names_what_goes() {
        let delete = write("DELETE");
        let status = |uid: &str| json!({"kind": "Status", "status": "Success", "details": {"uid": uid}});
        assert_eq!(gone(&delete, &status("u")), Ok(0));
        assert_eq!(gone(&delete, &status("other")), Err(Mismatch::Unnamed));
        assert_eq!(answers(&delete, &status("other")), Ok(()), "a dry run deletes nothing");
        let mut object = object("Deployment", "u", 1);
        assert_eq!(gone(&delete, &object), Err(Mismatch::Stays));
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(gone(&delete, &object), Ok(0));
    }
}
