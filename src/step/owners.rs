//! Who may fight a change: what an object says of who deploys it, and the autoscalers that scale it.

use serde_json::Value;

use super::{Answer, text};
use crate::event::{Fact, Target};

/// Returns findings about who deploys an object and may revert what is changed of it.
pub fn declared_owners(object: &Value) -> Vec<Fact> {
    let note = |kind: &str, name: &str| {
        let of = &object["metadata"][kind][name];
        of.as_str().filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let helm = note("annotations", "meta.helm.sh/release-name")
        .map(|r| format!("Helm release {r}: the next upgrade may bring the old state back"));
    let argo = note("labels", "argocd.argoproj.io/instance")
        .or_else(|| note("annotations", "argocd.argoproj.io/tracking-id"));
    let argo = argo.map(|app| {
        format!(
            "Argo CD application {}: self-heal may revert it at once",
            app.split(':').next().unwrap_or(&app)
        )
    });
    let flux = note("labels", "kustomize.toolkit.fluxcd.io/name")
        .or_else(|| note("labels", "helm.toolkit.fluxcd.io/name"));
    let flux = flux.map(|name| format!("Flux {name}: the next reconciliation may revert it"));
    [helm, argo, flux].into_iter().flatten().map(|words| Fact::warn("owner", words)).collect()
}

/// Returns findings about the autoscalers of a namespace that scale an object.
pub fn autoscalers(target: &Target, answer: &Answer) -> Vec<Fact> {
    let list = match answer {
        Answer::Found(list) => list,
        Answer::Missing => {
            return vec![Fact::unknown("autoscaler", "this cluster serves no autoscalers in autoscaling/v2")];
        }
        Answer::Unknown(why) | Answer::Forbidden(why) => return vec![Fact::unknown("autoscaler", why)],
    };
    let aims = |hpa: &&Value| {
        text(hpa, "/spec/scaleTargetRef/kind").to_lowercase() == *target.kind
            && text(hpa, "/spec/scaleTargetRef/name") == &*target.name
    };
    let told = |hpa: &Value| {
        let bound = |at: &str| hpa["spec"][at].as_u64().unwrap_or(1);
        let least = bound("minReplicas");
        let most = bound("maxReplicas");
        Fact::warn("autoscaler", format!("{} keeps {least} to {most} replicas", text(hpa, "/metadata/name")))
    };
    list["items"].as_array().into_iter().flatten().filter(aims).map(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::step::samples::ctx;

    #[test]
    fn owners_are_read_from_what_they_leave() {
        let object = json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "hub", "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:ns/app"}}});
        let told: Vec<String> = declared_owners(&object).iter().map(|fact| fact.words.to_string()).collect();
        let helm = "Helm release hub: the next upgrade may bring the old state back";
        assert_eq!(told, [helm, "Argo CD application shop: self-heal may revert it at once"]);
    }

    #[test]
    fn autoscalers_that_are_not_known_are_not_none() {
        let target = ctx().target("deployment", "ns", "app", "u");
        let of = |answer: Answer| {
            autoscalers(&target, &answer).iter().map(|fact| fact.words.to_string()).collect::<Vec<_>>()
        };
        let hpa = json!({"items": [{"metadata": {"name": "h"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "app"}, "maxReplicas": 9}}]});
        assert_eq!(of(Answer::Found(hpa)), ["h keeps 1 to 9 replicas"]);
        assert_eq!(of(Answer::Unknown("forbidden".into())), ["unknown, because forbidden"]);
        assert_eq!(of(Answer::Found(json!({"items": []}))), [] as [&str; 0]);
    }
}
