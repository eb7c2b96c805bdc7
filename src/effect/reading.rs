//! What a read for a plan came to: the thing that was asked for, nothing of that name, or not known, because
//! of this.

use serde_json::Value;

use super::caller::{Refused, Reply};
use crate::clean::Clean;
use crate::event::Refusal;
use crate::net::failure::LOGGED_OUT;
use crate::step::{Answer, Ctx, Is, Read, ReadAs, Whom, text};

/// Why a success is no answer: it is to another question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Mismatch {
    /// It is of another kind.
    #[error("the answer is a {found} and not a {meant}")]
    Kind {
        /// What it is.
        found: Clean,
        /// What was asked for.
        meant: Clean,
    },
    /// There is more of the list.
    #[error("the list is not whole")]
    Partial,
    /// It is of another name or namespace.
    #[error("the answer is of another object")]
    Object,
}

/// What the reply to a read says.
///
/// # Errors
/// The plan needs it, and it is not there or not known.
pub(super) fn answer(reply: Reply, read: &Read, ctx: &Ctx) -> Result<Answer, Refusal> {
    let what = &read.what;
    let of = ctx.of_context();
    match reply {
        Reply::Done(value) => match is_answer(&value, read) {
            Ok(()) => Ok(Answer::Found(value)),
            Err(why) => unknown(read, &why.to_string()),
        },
        Reply::Refused(Refused { code: 404, .. }) if read.required && read.whom == Whom::Cluster => {
            Err(Refusal::usage(format!("there is no {what}{of}")))
        }
        Reply::Refused(Refused { code: 404, .. }) if !read.required => Ok(Answer::Missing),
        Reply::Refused(Refused { code: 401, .. }) if read.required && read.whom == Whom::Cluster => {
            Err(Refusal::Denied(LOGGED_OUT.into()))
        }
        Reply::Refused(Refused { code: 401 | 403, why, .. }) if read.required => Err(denied(read, &why)),
        Reply::Refused(Refused { code: 403, why, .. }) if !read.required => Ok(Answer::Forbidden(why)),
        Reply::Refused(Refused { why, .. }) if read.required && read.whom == Whom::Prometheus => {
            Err(Refusal::failed(format!("Prometheus refuses the query: {why}")))
        }
        Reply::Refused(Refused { why, .. }) | Reply::NotSent(why) | Reply::Lost(why) => unknown(read, &why),
    }
}

fn denied(read: &Read, why: &Clean) -> Refusal {
    Refusal::Denied(match read.whom {
        Whom::Cluster | Whom::File | Whom::Kept => format!("you may not read {}: {why}", read.what).into(),
        Whom::Alertmanager => format!("Alertmanager wants credentials: {why}; see `warroom init`").into(),
        Whom::Prometheus | Whom::Rates => {
            format!("Prometheus wants credentials: {why}; see `warroom init`").into()
        }
    })
}

pub(super) fn unknown(read: &Read, why: &str) -> Result<Answer, Refusal> {
    match read.whom {
        _ if !read.required => Ok(Answer::Unknown(why.into())),
        Whom::Cluster | Whom::File | Whom::Kept => {
            Err(Refusal::failed(format!("{} cannot be read: {why}", read.what)))
        }
        Whom::Alertmanager => Err(Refusal::failed(format!("Alertmanager cannot be read: {why}"))),
        Whom::Prometheus | Whom::Rates => Err(Refusal::failed(format!("Prometheus cannot be read: {why}"))),
    }
}

/// Whether a value is what was asked for: of its kind, name and namespace, and all of a list.
fn is_answer(value: &Value, read: &Read) -> Result<(), Mismatch> {
    let Some(Is { kind, place }) = &read.is else { return Ok(()) };
    if text(value, "/kind") != kind {
        let found = text(value, "/kind").into();
        return Err(Mismatch::Kind { found, meant: kind.as_str().into() });
    }
    if read.wanted == ReadAs::Objects && !text(value, "/metadata/continue").is_empty() {
        return Err(Mismatch::Partial);
    }
    let Some((namespace, name)) = place else { return Ok(()) };
    let same = text(value, "/metadata/name") == name && text(value, "/metadata/namespace") == namespace;
    if same { Ok(()) } else { Err(Mismatch::Object) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, place: Option<(&str, &str)>) -> Read {
        let place = place.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
        let is = Some(Is { kind: kind.to_owned(), place });
        Read {
            whom: Whom::Cluster,
            path: "/x".to_owned(),
            what: "it".to_owned(),
            is,
            required: true,
            wanted: ReadAs::Objects,
        }
    }

    #[test]
    fn the_answer_to_another_question_is_none() {
        let app = read("Deployment", Some(("ns", "app")));
        let of =
            |kind: &str, name: &str| json!({"kind": kind, "metadata": {"namespace": "ns", "name": name}});
        assert_eq!(is_answer(&of("Deployment", "app"), &app), Ok(()));
        assert_eq!(is_answer(&of("Deployment", "other"), &app), Err(Mismatch::Object));
        let kind = Mismatch::Kind { found: "Pod".into(), meant: "Deployment".into() };
        assert_eq!(is_answer(&of("Pod", "app"), &app), Err(kind));
        let part = json!({"kind": "PodList", "metadata": {"continue": "more"}});
        assert_eq!(is_answer(&part, &read("PodList", None)), Err(Mismatch::Partial));
    }
}
