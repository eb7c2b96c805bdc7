//! What a read for a plan came to: the thing that was asked for, nothing of that name, or not known, because
//! of this.

use serde_json::Value;

use super::caller::{Refused, Reply};
use crate::clean::Clean;
use crate::event::Refusal;
use crate::net::failure::LOGGED_OUT;
use crate::step::{Answer, Ctx, Is, Read, Whom, text};

/// What the reply to a read says.
///
/// # Errors
/// The plan needs it, and it is not there or not known.
pub(super) fn answer(reply: Reply, read: &Read, ctx: &Ctx) -> Result<Answer, Refusal> {
    let what = &read.what;
    let of = ctx.of_context();
    match reply {
        Reply::Done(value) => match mismatch(&value, read) {
            None => Ok(Answer::Found(value)),
            Some(why) => unknown(read, &why),
        },
        Reply::Refused(Refused { code: 404, .. }) if read.required && read.whom == Whom::Cluster => {
            Err(Refusal::usage(format!("there is no {what}{of}")))
        }
        Reply::Refused(Refused { code: 404, .. }) if !read.required => Ok(Answer::Missing),
        Reply::Refused(Refused { code: 401, .. }) if read.required && read.whom == Whom::Cluster => {
            Err(Refusal::Denied(LOGGED_OUT.into()))
        }
        Reply::Refused(Refused { code: 401 | 403, why, .. }) if read.required => Err(denied(read, &why)),
        Reply::Refused(Refused { why, .. }) | Reply::NotSent(why) | Reply::Lost(why) => unknown(read, &why),
    }
}

fn denied(read: &Read, why: &Clean) -> Refusal {
    Refusal::Denied(match read.whom {
        Whom::Cluster => format!("you may not read {}: {why}", read.what).into(),
        Whom::Alertmanager => format!("Alertmanager wants credentials: {why}; see `warroom init`").into(),
    })
}

fn unknown(read: &Read, why: &str) -> Result<Answer, Refusal> {
    match read.whom {
        _ if !read.required => Ok(Answer::Unknown(why.into())),
        Whom::Cluster => Err(Refusal::failed(format!("{} cannot be read: {why}", read.what))),
        Whom::Alertmanager => Err(Refusal::failed(format!("Alertmanager cannot be read: {why}"))),
    }
}

/// Why a value is not what was asked for: of another kind, name or namespace, or not all of a list.
fn mismatch(value: &Value, read: &Read) -> Option<String> {
    let Is { kind, place } = read.is.as_ref()?;
    if text(value, "/kind") != kind {
        return Some(format!("the answer is a {} and not a {kind}", Clean::new(text(value, "/kind"))));
    }
    if !text(value, "/metadata/continue").is_empty() {
        return Some("the list is not whole".to_owned());
    }
    let (namespace, name) = place.as_ref()?;
    let same = text(value, "/metadata/name") == name && text(value, "/metadata/namespace") == namespace;
    (!same).then(|| "the answer is of another object".to_owned())
}
