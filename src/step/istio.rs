//! What the steps of the circuit breaker share: the version in which Istio's `DestinationRule`s are served,
//! and which rule is the circuit breaker of a service.

use serde_json::Value;

use super::target::{Aim, DESTINATION_RULES, Resource};
use super::{Answer, Is, Read, ReadAs, Whom, text};
use crate::event::Refusal;

/// Name of the rule, as the runbook has it.
pub(super) const NAME: &str = "circuit-breaker-emergency";

/// Where the circuit breaker is: its fields are Istio's `OutlierDetection`.
pub(super) const POLICY: &str = "/spec/trafficPolicy";

/// The circuit breaker of a service: the rule that there is, or the one that is to be.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) aim: Aim,
    /// The rule as read; `null` where there is none.
    pub(super) object: Value,
}

/// Returns the read of the API groups: to a group that it does not serve a server has no words of its own.
pub(super) fn groups() -> Read {
    Read {
        whom: Whom::Cluster,
        path: "/apis".to_owned(),
        what: "the API groups".to_owned(),
        is: Some(Is { kind: "APIGroupList".to_owned(), place: None }),
        required: true,
        wanted: ReadAs::Objects,
    }
}

/// Returns the reads of the two rules that can be the circuit breaker of a service.
///
/// # Errors
/// Istio is not installed.
pub(super) fn rules(groups: Option<&Answer>, service: &Aim) -> Result<Vec<Read>, Refusal> {
    Ok(aims(groups, service)?.iter().map(|aim| aim.read(false)).collect())
}

/// Returns the circuit breaker of a service: the rule of the runbook's name, unless that is of another host.
///
/// # Errors
/// Istio is not installed, a rule cannot be read, or both names are taken.
pub(super) fn rule(groups: Option<&Answer>, service: &Aim, answers: &[Answer]) -> Result<Rule, Refusal> {
    let mut free = None;
    for (aim, answer) in aims(groups, service)?.into_iter().zip(answers) {
        match answer {
            Answer::Found(object) if is_host(text(object, "/spec/host"), service) => {
                return Ok(Rule { aim, object: object.clone() });
            }
            Answer::Found(_) => {}
            Answer::Missing => free = free.or(Some(aim)),
            Answer::Unknown(why) | Answer::Forbidden(why) => {
                return Err(Refusal::failed(format!("{} cannot be read: {why}", aim.what())));
            }
        }
    }
    let free = free.map(|aim| Rule { aim, object: Value::Null });
    free.ok_or_else(|| {
        Refusal::failed(format!("{NAME} and {NAME}-{} are rules of other services", service.name))
    })
}

fn aims(groups: Option<&Answer>, service: &Aim) -> Result<[Aim; 2], Refusal> {
    let resource = served(groups)?;
    let aim = |name: String| Aim { resource, namespace: service.namespace.clone(), name };
    Ok([aim(NAME.to_owned()), aim(format!("{NAME}-{}", service.name))])
}

/// The newest version in which the cluster serves the rules.
fn served(groups: Option<&Answer>) -> Result<&'static Resource, Refusal> {
    let groups = groups.and_then(Answer::found).and_then(|list| list["groups"].as_array());
    let istio = groups.into_iter().flatten().find(|group| group["name"] == DESTINATION_RULES[0].group);
    let versions = istio.and_then(|group| group["versions"].as_array()).map_or(&[][..], Vec::as_slice);
    let serves = |resource: &&Resource| versions.iter().any(|one| one["version"] == resource.version);
    let group = DESTINATION_RULES[0].group;
    DESTINATION_RULES.iter().find(serves).ok_or_else(|| {
        Refusal::failed(format!("Istio is not installed here: the cluster does not serve {group}"))
    })
}

/// Whether a rule's host is this service, by its short or its full name.
fn is_host(host: &str, service: &Aim) -> bool {
    let Aim { namespace, name, .. } = service;
    let long = format!("{name}.{namespace}");
    host == name || host == long || host == format!("{long}.svc") || host.starts_with(&format!("{long}.svc."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::target::SERVICE;

    fn service() -> Aim {
        Aim { resource: &SERVICE, namespace: "ns".to_owned(), name: "app".to_owned() }
    }

    fn installed(versions: &[&str]) -> Answer {
        let versions: Vec<Value> = versions.iter().map(|version| json!({"version": version})).collect();
        Answer::Found(json!({"groups": [{"name": "networking.istio.io", "versions": versions}]}))
    }

    fn of(host: &str) -> Answer {
        Answer::Found(json!({"spec": {"host": host}}))
    }

    #[test]
    fn the_newest_version_that_is_served_is_used() {
        let path =
            |versions: &[&str]| rules(Some(&installed(versions)), &service()).map(|all| all[0].path.clone());
        let at = |version: &str| {
            format!("/apis/networking.istio.io/{version}/namespaces/ns/destinationrules/{NAME}")
        };
        assert_eq!(path(&["v1alpha3", "v1beta1", "v1"]).unwrap(), at("v1"));
        assert_eq!(path(&["v1alpha3", "v1beta1"]).unwrap(), at("v1beta1"));
        let none = rules(Some(&Answer::Found(json!({"groups": []}))), &service()).unwrap_err();
        assert!(none.reason().starts_with("Istio is not installed here"));
    }

    #[test]
    fn a_rule_of_another_host_is_left_alone() {
        let groups = installed(&["v1"]);
        let name = |plain: Answer, own: Answer| {
            rule(Some(&groups), &service(), &[plain, own]).map(|rule| (rule.aim.name, rule.object.is_null()))
        };
        let own = format!("{NAME}-app");
        assert_eq!(name(Answer::Missing, Answer::Missing).unwrap(), (NAME.to_owned(), true));
        assert_eq!(name(of("app.ns.svc.cluster.local"), Answer::Missing).unwrap(), (NAME.to_owned(), false));
        assert_eq!(name(of("app.other"), Answer::Missing).unwrap(), (own.clone(), true));
        assert_eq!(name(Answer::Missing, of("app")).unwrap(), (own, false));
        assert!(name(of("other"), of("other")).unwrap_err().reason().contains("other services"));
        let unread = name(Answer::Unknown("forbidden".into()), Answer::Missing).unwrap_err();
        assert!(unread.reason().ends_with("cannot be read: forbidden"));
    }
}
