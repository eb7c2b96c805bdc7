use super::*;

const GOOD: &str = r#"
clusters: [{name: prod, cluster: {server: "https://10.0.0.1:6443"}}, {name: sim, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: me, user: {token: "s3cret"}}]
contexts:
- {name: prod-eu, context: {cluster: prod, user: me, namespace: shop}}
- {name: sim, context: {cluster: sim}}
- {name: broken, context: {cluster: nowhere}}
current-context: prod-eu
"#;

async fn try_with(text: &str, context: Option<&str>) -> Result<Connection, ConnectError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    let settings = ConnectSettings { kubeconfig: Some(path), context: context.map(str::to_owned), url: None };
    connect(&settings, &Timing::default()).await
}

async fn message(text: &str, context: Option<&str>) -> String {
    try_with(text, context).await.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn the_current_context_is_bound_with_its_namespace_and_user() {
    let connection = try_with(GOOD, None).await.unwrap();
    assert_eq!(
        (connection.context.as_str(), connection.cluster.as_str()),
        ("prod-eu", "https://10.0.0.1:6443")
    );
    assert_eq!((connection.namespace.as_deref(), connection.user.as_deref()), (Some("shop"), Some("me")));
    let other = try_with(GOOD, Some("sim")).await.unwrap();
    assert_eq!((other.cluster.as_str(), other.namespace), ("http://127.0.0.1:9", None));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    assert_eq!(
        message(GOOD, Some("prod-us")).await,
        "no such context \"prod-us\"; did you mean \"prod-eu\"?"
    );
    assert!(message(GOOD, Some("nothing-like-it")).await.contains("there is broken, prod-eu, sim"));
    assert!(
        message(GOOD, Some("broken")).await.contains("context \"broken\" of the kubeconfig is not complete")
    );
    assert!(message("contexts: [{name: a}]", None).await.contains("choose one with --context: a"));
    let absent = ConnectSettings { kubeconfig: Some("/nowhere/config".into()), ..ConnectSettings::default() };
    let error = connect(&absent, &Timing::default()).await.err().unwrap().to_string();
    assert!(error.starts_with("no kubeconfig found: looked at /nowhere/config; set KUBECONFIG"), "{error}");
}

#[tokio::test]
async fn a_broken_file_is_not_quoted() {
    let error = message("users: [{name: me, user: {token: s3cret}}\n  oops: [", None).await;
    assert!(error.contains("it is not a kubeconfig in YAML (line "), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_failing_credential_plugin_is_told_by_its_last_word_and_nothing_secret() {
    let text = GOOD.replace(
        r#"{token: "s3cret"}"#,
        r#"{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", "echo s3cret; echo first >&2; echo 'token has expired' >&2; exit 7"]}}"#,
    );
    let error = message(&text, None).await;
    assert!(error.contains("(exit status: 7): token has expired; run it in a shell to log in"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_plain_address_is_enough_for_a_simulated_cluster() {
    let settings = |url: &str| ConnectSettings { url: Some(url.into()), ..ConnectSettings::default() };
    let connection = connect(&settings("http://127.0.0.1:4321"), &Timing::default()).await.unwrap();
    assert_eq!(connection.cluster, "http://127.0.0.1:4321");
    assert!(connect(&settings("localhost"), &Timing::default()).await.is_err());
}

#[tokio::test]
async fn a_main_context_that_there_is_no_way_to_leaves_the_others() {
    let failing = r#"{name: gone, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", "exit 7"]}}}"#;
    let text = GOOD.replace("users: [", &format!("users: [{failing}, ")).replace(
        "- {name: broken,",
        "- {name: expired, context: {cluster: prod, user: gone}}\n- {name: broken,",
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    let at = |name: &str| ConnectSettings {
        kubeconfig: Some(path.clone()),
        context: Some(name.into()),
        url: None,
    };
    let timing = Timing::default();
    let led = connect_all(&[at("expired"), at("sim"), at("prod-eu")], &timing).await.unwrap();
    assert_eq!((led.main().context.as_str(), led.led_by_another), ("sim", true));
    let names: Vec<_> = led
        .all()
        .map(|(_, _, way)| way.map_or_else(|no| no.context.as_str(), |one| one.context.as_str()))
        .collect();
    assert_eq!(names, ["sim", "expired", "prod-eu"]);
    let usual = connect_all(&[at("prod-eu"), at("expired")], &timing).await.unwrap();
    assert_eq!(
        (usual.main().context.as_str(), usual.led_by_another, usual.unreached.len()),
        ("prod-eu", false, 1)
    );
    assert!(
        matches!(
            connect_all(&[at("expired"), at("broken")], &timing).await,
            Err(ConnectError::Credentials(_))
        ),
        "none is left"
    );
    assert!(matches!(
        connect_all(&[at("expired"), at("sim"), at("nope")], &timing).await,
        Err(ConnectError::NoSuchContext(_))
    ));
}
