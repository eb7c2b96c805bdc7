//! `kubectl scale`: a patch of the `scale` subresource, guarded by uid and by the count that it replaces.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Draft, Reading, needed, test, text};
use crate::clean::Clean;
use crate::event::Refusal;

/// More replicas than this are a slip of the finger.
const MOST: u32 = 10_000;

pub(super) fn draft(inputs: &BTreeMap<Clean, Clean>, read: &Reading) -> Result<Draft, Refusal> {
    let (deployment, name) = (&read.deployment, text(&read.deployment, "/metadata/name"));
    let wanted = needed(inputs, "replicas")?;
    let replicas = wanted.parse::<u32>().ok().filter(|replicas| *replicas <= MOST);
    let replicas =
        replicas.ok_or_else(|| Refusal::Usage(format!("replicas is \"{wanted}\": give a whole number from 0 to {MOST}").into()))?;
    let now = deployment.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(0);
    if now == u64::from(replicas) {
        return Err(Refusal::Failed(format!("nothing to do: {name} already has {replicas} replicas").into()));
    }
    let guard = if now == 0 { json!({"op": "test", "path": "/spec/replicas", "value": null}) } else { test(deployment, "/spec/replicas") };
    let patch = vec![test(deployment, "/metadata/uid"), guard, json!({"op": "add", "path": "/spec/replicas", "value": replicas})];
    Ok(Draft {
        title: format!("scale {name} {now} → {replicas}"),
        patch,
        subresource: Some("scale"),
        expect: BTreeMap::from([("/spec/replicas", json!(replicas))]),
        undo: BTreeMap::from([("replicas", now.to_string())]),
        kubectl: format!("kubectl scale deployment {name} --replicas={replicas}"),
        type_name: (replicas == 0).then_some("it takes the service away"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(now: u64, wanted: &str) -> Result<Draft, String> {
        let deployment = json!({"metadata": {"name": "worker", "uid": "u"}, "spec": {"replicas": now}});
        let inputs = BTreeMap::from([("replicas".into(), wanted.into())]);
        draft(&inputs, &Reading { deployment, revisions: vec![] }).map_err(|refusal| refusal.reason().to_string())
    }

    #[test]
    fn changes_the_count_that_it_read() {
        let draft = scale(1, "10").unwrap();
        assert_eq!((draft.title.as_str(), &draft.undo["replicas"]), ("scale worker 1 → 10", &"1".to_owned()));
        let body = r#"[{"op":"test","path":"/metadata/uid","value":"u"},{"op":"test","path":"/spec/replicas","value":1},{"op":"add","path":"/spec/replicas","value":10}]"#;
        assert_eq!(Value::Array(draft.patch), serde_json::from_str::<Value>(body).unwrap());
    }

    #[test]
    fn from_zero_the_count_is_absent_and_to_zero_the_name_is_typed() {
        assert_eq!(scale(0, "1").unwrap().patch[1]["value"], Value::Null);
        assert!(scale(2, "0").unwrap().type_name.is_some());
        assert!(scale(2, "1").unwrap().type_name.is_none());
    }

    #[test]
    fn refuses_nonsense_and_what_is_so_already() {
        assert_eq!(scale(1, "-1").unwrap_err(), "replicas is \"-1\": give a whole number from 0 to 10000");
        assert_eq!(scale(1, "99999").unwrap_err(), "replicas is \"99999\": give a whole number from 0 to 10000");
        assert_eq!(scale(3, "3").unwrap_err(), "nothing to do: worker already has 3 replicas");
    }
}
