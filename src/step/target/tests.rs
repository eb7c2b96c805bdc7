use super::*;
use crate::step::samples::ctx;

#[test]
fn a_name_never_leaves_its_place_in_a_path() {
    let at = |given: &str| {
        Aim::parse(&DEPLOYMENT, given, &ctx())
            .map(|aim| aim.read(true).path)
            .map_err(|refusal| refusal.reason().to_string())
    };
    assert_eq!(at("app").unwrap(), "/apis/apps/v1/namespaces/ns/deployments/app");
    assert_eq!(at("shop/app").unwrap(), "/apis/apps/v1/namespaces/shop/deployments/app");
    for given in ["", "../x", "a/b/c", "a?x=y", "..", "App", "shop/", "/app"] {
        assert_eq!(
            at(given).unwrap_err(),
            format!("\"{given}\" is no deployment: give its name, or namespace/name")
        );
    }
    assert_eq!(Aim::parse(&NODE, "node-1", &ctx()).unwrap().read(true).path, "/api/v1/nodes/node-1");
}

#[test]
fn a_workload_is_given_with_its_kind_or_found_by_its_name() {
    let paths = |given: &str| {
        Aim::workloads(given, &ctx()).unwrap().into_iter().map(|aim| aim.what()).collect::<Vec<_>>()
    };
    assert_eq!(paths("sts/kafka"), ["statefulset kafka in ns"]);
    assert_eq!(paths("shop/daemonset/agent"), ["daemonset agent in shop"]);
    assert_eq!(paths("app"), ["deployment app in ns", "statefulset app in ns", "daemonset app in ns"]);
    assert_eq!(paths("shop/app")[0], "deployment app in shop");
    let found = |answers: &[Answer]| Found::of(&Aim::workloads("kafka", &ctx()).unwrap(), answers, &ctx());
    let one = Answer::Found(json!({"metadata": {"uid": "u"}}));
    assert_eq!(
        found(&[Answer::Missing, one.clone(), Answer::Missing]).unwrap().aim.resource.word,
        "statefulset"
    );
    let told = |answers: &[Answer]| found(answers).unwrap_err().reason().to_string();
    assert_eq!(
        told(&[one.clone(), one.clone(), Answer::Missing]),
        "kafka is a deployment and a statefulset: say deployment/kafka"
    );
    assert_eq!(
        told(&[Answer::Missing, Answer::Missing, Answer::Missing]),
        "there is no workload kafka in ns"
    );
    assert_eq!(
        told(&[Answer::Missing, Answer::Unknown("forbidden".into()), Answer::Missing]),
        "statefulset kafka in ns cannot be read: forbidden"
    );
}
