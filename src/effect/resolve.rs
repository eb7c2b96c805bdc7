//! What became of a change whose answer was lost: found out by reading, for as long as it may still arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::caller::{Caller, Unread};
use super::identity::Meant;
use crate::clean::Clean;
use crate::event::{Expectation, Made, Server, Target, Write, digest};
use crate::net::clock::Clock;
use crate::step::target::{generation, managed_by_warroom};
use crate::step::text;

/// Why a change whose answer was lost was not made, or is not there any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotMade {
    /// The request did not arrive within the time that it may take.
    #[error("it never arrived: {0} is as it was")]
    NeverArrived(Clean),
    /// The object is as before, and has been something else meanwhile.
    #[error("{0} is as it was, but was changed in between: if this was made, somebody took it back")]
    TakenBack(Clean),
    /// There is no such object any more.
    #[error("{0} is gone, and whatever was changed went with it")]
    Gone(Clean),
    /// Another object has its name now.
    #[error("{0} was recreated, and whatever was changed went with the old one")]
    Recreated(Clean),
    /// Its values are neither those from before nor those that were written.
    #[error("{0}: somebody else changed it first")]
    Overtaken(Clean),
    /// The list does not have it any more.
    #[error("{0} is not there any more")]
    Unlisted(Clean),
}

/// What one reading says of a write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    /// It was made; the generation afterwards.
    Made(i64),
    /// It was not, and will not be, because of this.
    Not(NotMade),
    /// As it was before: the request may still be on its way.
    Unchanged,
    /// The same, but the spec was changed meanwhile, and changed back.
    Back,
    /// What was read is not of this cluster.
    Elsewhere,
}

/// Reads until it is clear what became of a write: its generation, or why it was not made. A request that has
/// not arrived after `patience` will not arrive: API servers give one a minute at the most. A server that
/// answers nothing may hold it all the while, so patience begins with the first answer. Another cluster than
/// the one that was meant can say nothing.
pub(super) async fn resolve(
    reader: &Caller,
    write: &Write,
    clock: &Clock,
    patience: Duration,
    meant: Option<&Meant<'_>>,
) -> Result<i64, NotMade> {
    let patience = chrono::TimeDelta::from_std(patience).unwrap_or_default();
    let mut until = None;
    let mut pause = Duration::from_millis(500);
    loop {
        let reading = match read_once(reader, write).await {
            Ok(reading) if is_meant(meant).await => Some(reading),
            // the server cannot be asked now, or another one answers: it stays unknown until it can
            _ => None,
        };
        let name = &write.target.name;
        let mut late = || clock.now() >= *until.get_or_insert_with(|| clock.now() + patience);
        match reading {
            Some(Reading::Made(generation)) => return Ok(generation),
            Some(Reading::Not(why)) => return Err(why),
            Some(Reading::Unchanged) if late() => {
                return Err(NotMade::NeverArrived(name.clone()));
            }
            Some(Reading::Back) if late() => return Err(NotMade::TakenBack(name.clone())),
            _ => {}
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn is_meant(meant: Option<&Meant<'_>>) -> bool {
    match meant {
        Some(meant) => meant.same().await == Some(true),
        None => true,
    }
}

/// Reads once; an error is that nothing could be read.
pub(super) async fn read_once(reader: &Caller, write: &Write) -> Result<Reading, Unread> {
    let target = &write.target;
    let expect = &write.expect;
    match reader.get(&expect.path).await.read() {
        Ok(value) => Ok(judge(&value, target, expect)),
        Err(Unread::Refused(refused)) if refused.code == 404 && write.server == Server::Cluster => {
            Ok(vanished(expect, NotMade::Gone(target.name.clone())))
        }
        Err(why) => Err(why),
    }
}

/// JSON pointer → digest of the value.
type Values = BTreeMap<Clean, Clean>;

/// The object that was meant is not there: for a deletion, that is all that was wanted, and what is to be
/// created may still come.
fn vanished(expect: &Expectation, why: NotMade) -> Reading {
    match expect.made {
        Made::Gone => Reading::Made(0),
        Made::Created => Reading::Unchanged,
        Made::Values | Made::Listed => Reading::Not(why),
    }
}

/// What is there of an object that was not: ours, or somebody else's, on top of which ours may still come.
fn created(object: &Value, target: &Target, expect: &Expectation) -> Reading {
    match managed_by_warroom(object) {
        Some(_) if holds(object, &expect.values) => Reading::Made(generation(object)),
        Some(_) => Reading::Not(NotMade::Overtaken(target.name.clone())),
        None => Reading::Unchanged,
    }
}

fn holds(object: &Value, values: &Values) -> bool {
    values.iter().all(|(at, want)| digest(object.pointer(at).unwrap_or(&Value::Null)) == *want)
}

/// What is kept in a list, as silences are, was made once an element of it is as expected.
fn judge_list(list: &Value, target: &Target, expect: &Expectation) -> Reading {
    let Some(list) = list.as_array() else { return Reading::Elsewhere };
    let any = |values: &Values| list.iter().any(|element| holds(element, values));
    if any(&expect.values) {
        return Reading::Made(0);
    }
    if expect.before.is_empty() || any(&expect.before) {
        return Reading::Unchanged;
    }
    Reading::Not(NotMade::Unlisted(target.name.clone()))
}

fn judge(object: &Value, target: &Target, expect: &Expectation) -> Reading {
    if expect.made == Made::Listed || object.is_array() {
        return judge_list(object, target, expect);
    }
    let of = |at: &str| text(object, at);
    if *target.name != *of("/metadata/name") || *target.namespace != *of("/metadata/namespace") {
        return Reading::Elsewhere; // the answer to another question
    }
    if expect.made == Made::Created {
        return created(object, target, expect);
    }
    if of("/metadata/uid") != target.uid.as_str() {
        return vanished(expect, NotMade::Recreated(target.name.clone()));
    }
    if expect.made == Made::Gone {
        return if object["metadata"]["deletionTimestamp"].is_string() {
            Reading::Made(0)
        } else {
            Reading::Unchanged
        };
    }
    let ours = managed_by_warroom(object).is_some_and(|time| Some(&time) >= expect.managed_before.as_ref());
    if holds(object, &expect.values) && ours {
        return Reading::Made(generation(object));
    }
    if holds(object, &expect.before) {
        return if generation(object) == expect.generation_before {
            Reading::Unchanged
        } else {
            Reading::Back
        };
    }
    if managed_by_warroom(object) > expect.managed_before {
        return Reading::Made(generation(object)); // and somebody changed it again since
    }
    Reading::Not(NotMade::Overtaken(target.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expectation(managed_before: Option<&str>) -> Expectation {
        let values = |n: u64| BTreeMap::from([("/spec/replicas".into(), digest(&json!(n)))]);
        Expectation {
            made: Made::Values,
            path: "/x".into(),
            values: values(10),
            before: values(1),
            managed_before: managed_before.map(Clean::from),
            generation_before: 4,
        }
    }

    fn target() -> Target {
        crate::event::samples::target("app")
    }

    fn object(uid: &str, replicas: u64, managed: Option<&str>, generation: i64) -> Value {
        let fields: Vec<Value> =
            managed.iter().map(|time| json!({"manager": "warroom", "time": time})).collect();
        let meta = json!({"name": "app", "namespace": "ns", "uid": uid, "generation": generation, "managedFields": fields});
        json!({"metadata": meta, "spec": {"replicas": replicas}})
    }

    fn judged(uid: &str, replicas: u64, managed: Option<&str>, before: Option<&str>) -> Reading {
        judge(&object(uid, replicas, managed, 4), &target(), &expectation(before))
    }

    #[test]
    fn reading_tells_what_became_of_a_lost_answer() {
        let t1 = Some("2026-01-01T00:00:00Z");
        let t2 = Some("2026-01-01T00:00:09Z");
        let overtaken = Reading::Not(NotMade::Overtaken("app".into()));
        assert_eq!(judged("u", 10, t2, None), Reading::Made(4));
        assert_eq!(judged("u", 10, t2, t1), Reading::Made(4));
        assert_eq!(judged("u", 1, None, None), Reading::Unchanged);
        assert_eq!(judged("u", 10, None, None), overtaken);
        assert_eq!(judged("u", 5, t2, t1), Reading::Made(4), "and somebody changed it again since");
        assert_eq!(judged("u", 5, t1, t1), overtaken);
        assert_eq!(judge(&object("u", 1, None, 6), &target(), &expectation(None)), Reading::Back);
        assert_eq!(judged("other", 10, t2, None), Reading::Not(NotMade::Recreated("app".into())));
        let other =
            json!({"metadata": {"name": "other", "namespace": "ns", "uid": "u"}, "spec": {"replicas": 10}});
        assert_eq!(judge(&other, &target(), &expectation(None)), Reading::Elsewhere);
    }

    #[test]
    fn what_was_not_there_is_made_once_it_is_and_warroom_manages_it() {
        let expect = Expectation { made: Made::Created, before: BTreeMap::new(), ..expectation(None) };
        let gone = || NotMade::Gone("app".into());
        assert_eq!(vanished(&expect, gone()), Reading::Unchanged, "it may still be on its way");
        let managed = Some("2026-01-01T00:00:00Z");
        assert_eq!(judge(&object("new", 10, managed, 1), &target(), &expect), Reading::Made(1));
        assert_eq!(judge(&object("new", 10, None, 1), &target(), &expect), Reading::Unchanged);
        let other = judge(&object("new", 3, managed, 1), &target(), &expect);
        assert_eq!(other, Reading::Not(NotMade::Overtaken("app".into())));
    }

    #[test]
    fn a_deletion_is_made_once_the_object_is_gone_or_on_its_way() {
        let expect = Expectation { made: Made::Gone, ..expectation(None) };
        let mut pod = object("u", 1, None, 1);
        assert_eq!(judge(&pod, &target(), &expect), Reading::Unchanged);
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(judge(&pod, &target(), &expect), Reading::Made(0));
        assert_eq!(judge(&object("other", 1, None, 1), &target(), &expect), Reading::Made(0));
    }
}
