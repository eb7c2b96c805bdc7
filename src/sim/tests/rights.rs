//! Rights by name, the rights that are documented, and the identity of the cluster.

use serde_json::json;

use super::*;

const SCALE: &str = "/apis/apps/v1/namespaces/medcontract-prod/deployments/medcontracthub-app/scale";
const SYSTEM: &str = "/api/v1/namespaces/kube-system";

async fn as_(identity: Identity) -> Bench {
    Bench::with(|config| config.identity = identity, Scenario::Calm).await
}

#[tokio::test]
async fn one_deployment_may_be_patched_by_its_name_and_no_other() {
    let bench = as_(Identity::Named).await;
    let replicas = || json!([{"op": "replace", "path": "/spec/replicas", "value": 3}]);
    bench.patch(APP, replicas()).await.unwrap();
    bench.patch(SCALE, replicas()).await.unwrap();
    assert_eq!(
        code(&bench.patch(&APP.replace("medcontracthub-app", "ai-service"), replicas()).await.unwrap_err()),
        403
    );
    assert_eq!(
        code(&bench.patch(&SCALE.replace("medcontracthub-app", "ai-service"), replicas()).await.unwrap_err()),
        403
    );
    bench.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).await.unwrap();
    assert_eq!(code(&bench.get(SYSTEM).await.unwrap_err()), 403);
}

#[tokio::test]
async fn the_documented_rights_are_these_and_no_more() {
    let bench = as_(Identity::Documented).await;
    let apps = format!("/apis/apps/v1/namespaces/{NAMESPACE}");
    for path in [
        SYSTEM,
        "/api/v1/pods",
        "/api/v1/services",
        "/apis/batch/v1/jobs",
        "/apis/metrics.k8s.io/v1beta1/nodes",
    ] {
        bench.get(path).await.unwrap();
    }
    for path in [&apps[..], &format!("/apis/autoscaling/v2/namespaces/{NAMESPACE}")].map(str::to_owned) {
        let plural = if path == apps { "replicasets" } else { "horizontalpodautoscalers" };
        bench.get(&format!("{path}/{plural}")).await.unwrap();
    }
    let nothing = || json!([]);
    for path in [APP, SCALE, &format!("{apps}/statefulsets/kafka"), "/api/v1/nodes/ip-10-0-1-11.ec2.internal"]
    {
        bench.patch(path, nothing()).await.unwrap();
    }
    bench.patch(&format!("/api/v1/namespaces/{NAMESPACE}/services/kafka"), nothing()).await.unwrap();
    let pod = format!("/api/v1/namespaces/{NAMESPACE}/pods/kafka-0");
    for refused in
        [pod.clone(), format!("{apps}/replicasets/x"), format!("/api/v1/namespaces/{NAMESPACE}/configmaps/x")]
    {
        assert_eq!(code(&bench.patch(&refused, nothing()).await.unwrap_err()), 403, "{refused}");
    }
    assert_eq!(code(&bench.get(&format!("/api/v1/namespaces/{NAMESPACE}/secrets")).await.unwrap_err()), 403);
    bench.client.request::<Value>(Request::delete(pod).body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(
        code(
            &bench.client.request::<Value>(Request::delete(APP).body(Vec::new()).unwrap()).await.unwrap_err()
        ),
        403
    );
}

#[tokio::test]
async fn a_cluster_is_known_by_the_uid_of_a_namespace_which_may_become_another() {
    let uid = async |seed| {
        let bench = Bench::with(|config| config.seed = seed, Scenario::Calm).await;
        bench.get(SYSTEM).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    assert_eq!(uid(7).await, uid(7).await);
    assert_ne!(uid(7).await, uid(8).await);
    let bench = Bench::start(Scenario::Calm).await;
    bench.sim.set_cluster_identity("7d1f0f0e-0000-4000-8000-000000000000");
    assert_eq!(bench.get(SYSTEM).await.unwrap()["metadata"]["uid"], "7d1f0f0e-0000-4000-8000-000000000000");
}
