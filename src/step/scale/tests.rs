use serde_json::{Value, json};

use crate::step::samples::{body, deployment, plan};
use crate::step::{Answer, Draft, Undo};

fn scale(now: u64, wanted: &str) -> Result<Draft, String> {
    let mut app = deployment(&json!({}));
    app["spec"]["replicas"] = json!(now);
    plan("scale", &[("deployment", "app"), ("replicas", wanted)], &[Answer::Found(app)])
}

#[test]
fn changes_the_count_that_it_read() {
    let draft = scale(1, "10").unwrap();
    let back =
        Undo::Step { kind: "scale", inputs: vec![("deployment", "app".into()), ("replicas", "1".into())] };
    assert_eq!((draft.title.as_str(), &draft.undo), ("scale app 1 → 10", &back));
    let wanted = r#"[{"op":"test","path":"/metadata/uid","value":"u1"},{"op":"test","path":"/spec/replicas","value":1},{"op":"add","path":"/spec/replicas","value":10}]"#;
    assert_eq!(*body(&draft), serde_json::from_str::<Value>(wanted).unwrap());
}

#[test]
fn from_zero_the_count_is_absent_and_to_zero_the_name_is_typed() {
    assert_eq!(body(&scale(0, "1").unwrap())[1]["value"], Value::Null);
    assert!(scale(2, "0").unwrap().naming.is_some_and(|naming| !naming.lasting));
    assert!(scale(2, "1").unwrap().naming.is_none());
}

#[test]
fn refuses_nonsense_and_what_is_so_already() {
    assert_eq!(scale(1, "-1").unwrap_err(), "replicas is \"-1\": give a whole number from 0 to 10000");
    assert_eq!(scale(1, "99999").unwrap_err(), "replicas is \"99999\": give a whole number from 0 to 10000");
    assert_eq!(scale(3, "3").unwrap_err(), "nothing to do: app already has 3 replicas");
}
