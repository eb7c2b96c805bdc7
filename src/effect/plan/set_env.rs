//! `kubectl set env`: sets (`K=V`) or takes away (`K-`) variables in every container that kubectl would change: all of them.
//! Guarded by uid and by each container's whole list of variables.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Draft, Reading, needed, test, text};
use crate::clean::Clean;
use crate::event::Refusal;

/// A variable's new value; `None` takes it away.
type Changes = BTreeMap<String, Option<String>>;

pub(super) fn draft(inputs: &BTreeMap<Clean, Clean>, read: &Reading) -> Result<Draft, Refusal> {
    let (deployment, name) = (&read.deployment, text(&read.deployment, "/metadata/name"));
    let wanted = needed(inputs, "env")?;
    let changes = parse(wanted)?;
    let containers = deployment.pointer("/spec/template/spec/containers").and_then(Value::as_array).cloned().unwrap_or_default();
    let after: Vec<Value> = containers.iter().map(|container| changed(container, &changes)).collect();
    if after == containers {
        return Err(Refusal::Failed(format!("nothing to do: {name} already has {wanted}").into()));
    }
    let mut patch = vec![test(deployment, "/metadata/uid")];
    for (at, container) in after.iter().enumerate().filter(|(at, container)| **container != containers[*at]) {
        let (name, env) = (format!("/spec/template/spec/containers/{at}/name"), format!("/spec/template/spec/containers/{at}/env"));
        patch.extend([test(deployment, &name), test(deployment, &env), json!({"op": "add", "path": env, "value": container["env"]})]);
    }
    Ok(Draft {
        title: format!("set env of {name}: {}", changes.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        patch,
        subresource: None,
        expect: BTreeMap::from([("/spec/template/spec/containers", Value::Array(after))]),
        undo: BTreeMap::from([("env", inverse(&containers, &changes)?)]),
        kubectl: format!("kubectl set env deployment/{name} {}", wanted.split(',').map(quoted).collect::<Vec<_>>().join(" ")),
        type_name: None,
    })
}

fn parse(wanted: &str) -> Result<Changes, Refusal> {
    let bad = |word: &str| {
        Refusal::Usage(format!("\"{word}\": variables are written NAME=value, or NAME- to take one away, with commas between").into())
    };
    let one = |word: &str| {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.strip_suffix('-').ok_or_else(|| bad(word))?, None),
        };
        let fits = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if fits { Ok((name.to_owned(), value)) } else { Err(bad(word)) }
    };
    wanted.split(',').map(str::trim).filter(|word| !word.is_empty()).map(one).collect()
}

fn changed(container: &Value, changes: &Changes) -> Value {
    let mut container = container.clone();
    let mut env = container["env"].as_array().cloned().unwrap_or_default();
    for (name, value) in changes {
        let at = env.iter().position(|var| var["name"] == *name);
        match (at, value) {
            (Some(at), Some(value)) => env[at] = json!({"name": name, "value": value}),
            (None, Some(value)) => env.push(json!({"name": name, "value": value})),
            (Some(at), None) => drop(env.remove(at)),
            (None, None) => {}
        }
    }
    if container.get("env").is_some() || !env.is_empty() {
        container["env"] = Value::Array(env);
    }
    container
}

/// The change that takes this one back. A variable that came from a Secret or a ConfigMap, or that differs between containers, cannot
/// be put back by `set env`.
fn inverse(containers: &[Value], changes: &Changes) -> Result<String, Refusal> {
    let was = |name: &String| {
        let vars = containers.iter().filter_map(|c| c["env"].as_array()?.iter().find(|var| var["name"] == *name));
        let found: BTreeSet<Option<&str>> =
            vars.map(|var| if var.get("valueFrom").is_some() { None } else { Some(text(var, "/value")) }).collect();
        match found.into_iter().collect::<Vec<_>>()[..] {
            [] => Ok(format!("{name}-")),
            [Some(value)] if !value.contains(',') => Ok(format!("{name}={value}")),
            _ => {
                Err(Refusal::Failed(format!("{name} comes from elsewhere or differs between containers: change it in its manifest").into()))
            }
        }
    };
    Ok(changes.keys().map(was).collect::<Result<Vec<_>, _>>()?.join(","))
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-=./:@%+".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(wanted: &str) -> Result<Draft, String> {
        let env = json!([{"name": "A", "value": "true"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
        let containers = json!([{"name": "app", "env": env}, {"name": "proxy"}]);
        let deployment = json!({"metadata": {"name": "app", "uid": "u"}, "spec": {"template": {"spec": {"containers": containers}}}});
        let inputs = BTreeMap::from([("env".into(), wanted.into())]);
        draft(&inputs, &Reading { deployment, revisions: vec![] }).map_err(|refusal| refusal.reason().to_string())
    }

    #[test]
    fn sets_in_all_containers_and_knows_the_way_back() {
        let draft = set("A=false").unwrap();
        assert_eq!((draft.title.as_str(), draft.undo["env"].as_str()), ("set env of app: A", "A=true"));
        let ops: Vec<&str> = draft.patch.iter().map(|op| text(op, "/path")).collect();
        let of = |at: usize| {
            [
                format!("/spec/template/spec/containers/{at}/name"),
                format!("/spec/template/spec/containers/{at}/env"),
                format!("/spec/template/spec/containers/{at}/env"),
            ]
        };
        assert_eq!(ops, ["/metadata/uid".to_owned()].into_iter().chain(of(0)).chain(of(1)).collect::<Vec<_>>());
        assert_eq!(draft.patch[5]["value"], Value::Null, "the second container has no variables yet");
        assert_eq!(draft.kubectl, "kubectl set env deployment/app A=false");
    }

    #[test]
    fn a_new_variable_is_taken_away_again() {
        assert_eq!(set("N=1,A-").unwrap().undo["env"], "A=true,N-");
    }

    #[test]
    fn refuses_what_it_could_not_undo_and_what_is_no_variable() {
        assert!(set("S=x").unwrap_err().starts_with("S comes from elsewhere"));
        assert!(set("1A=x").unwrap_err().starts_with("\"1A=x\": variables are written"));
        assert!(set("A").unwrap_err().starts_with("\"A\": variables are written"));
        assert_eq!(set("B-").unwrap_err(), "nothing to do: app already has B-");
    }

    #[test]
    fn a_shell_would_read_the_copied_command_as_it_is() {
        assert_eq!(set("N=it's $HOME").unwrap().kubectl, r"kubectl set env deployment/app 'N=it'\''s $HOME'");
    }
}
