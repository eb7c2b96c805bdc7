//! A planted canary never survives, and what is no secret stays.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A canary as it may stand in a secret: neither short nor prose.
fn canary() -> impl Strategy<Value = String> {
    "[A-Za-z0-9]{3}[0-9][A-Z][A-Za-z0-9]{7,30}"
}

/// Where a secret may stand in a text; `CANARY` is the canary.
const TEXTS: &[&str] = &[
    "Authorization: Bearer CANARY",
    "authorization:Basic CANARY",
    "curl -H 'Authorization: token CANARY' https://x",
    "got bearer CANARY from the proxy",
    "Basic CANARY",
    "Cookie: session=abc; id=CANARY",
    "set-cookie: a=CANARY; Path=/",
    "x-api-key: CANARY",
    "postgres://admin:CANARY@db:5432/app",
    "redis://:CANARY@cache",
    "amqp://u:a/CANARY@mq/vhost",
    "https://CANARY@github.com/a/b",
    "connect to mongodb+srv://me:p@CANARY@cluster0/x?y=1 failed",
    "eyJhbGciOiCANARY.eyJzdWIiCANARY.CANARY",
    "id_eyJhbGciOiCANARY.x",
    "PASSWORD=CANARY",
    "DB_PASS=CANARY,LOG=debug",
    "set-env api LEVEL=1,API_TOKEN=CANARY",
    "--db-password=CANARY",
    "https://x/y?a=1&access_token=CANARY&b=2",
    "password: CANARY",
    "{\"password\":\"CANARY\"}",
    "{\\\"client_secret\\\":\\\"CANARY\\\",\\\"x\\\":1}",
    "'token': 'CANARY with spaces'",
    "-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----\n",
    "key: -----BEGIN PRIVATE KEY-----\nCANARY",
    "ghp_0123456789abcdefCANARY",
    "https://hooks.slack.com/services/T00000000/B00000000/CANARY",
];

/// Keys whose value is a secret.
const KEYS: &[&str] = &[
    "password",
    "db_password",
    "PASSWD",
    "clientSecret",
    "client-key-data",
    "token",
    "X-Auth-Token",
    "Authorization",
    "api_key",
    "apiKey",
    "private_key",
    "aws_secret_access_key",
    "credentials",
    "Cookie",
    "DB_PASS",
    "auth",
    "kubectl.kubernetes.io/last-applied-configuration",
];

fn objects(key: &str, canary: &str) -> Vec<Value> {
    vec![
        json!({"event": {key: canary}}),
        json!({key: {"deep": [canary, {"x": canary}]}}),
        json!({"env": [{"name": key, "value": canary}]}),
        json!({"argv": ["run", format!("--{key}"), canary, "x"]}),
        json!({"kind": "Secret", "data": {"x": canary}, "stringData": {"y": canary}}),
        json!({"kind": "SecretList", "items": [{"data": {"x": canary}}]}),
        json!({"list": [{"kind": "Secret", "data": {"x": [canary]}}]}),
    ]
}

proptest! {
    #[test]
    fn no_canary_survives_in_a_text(canary in canary(), before in "[ -~]{0,12}[ \n\"]", after in "[ \n\"][ -~]{0,12}") {
        for text in TEXTS {
            let planted = format!("{before}{}{after}", text.replace("CANARY", &canary));
            let clean = redact_text(&planted);
            prop_assert!(!clean.contains(&canary), "{planted:?} became {clean:?}");
        }
    }

    #[test]
    fn no_canary_survives_under_a_key(canary in canary()) {
        for key in KEYS {
            for mut value in objects(key, &canary) {
                let planted = value.to_string();
                prop_assert!(redact(&mut value), "{planted}");
                prop_assert!(!value.to_string().contains(&canary), "{planted} became {value}");
            }
        }
    }

    #[test]
    fn doing_it_twice_changes_nothing_more(text: String, secret in canary()) {
        for planted in TEXTS.iter().map(|place| format!("{text} {}", place.replace("CANARY", &secret))).chain([text.clone()]) {
            let once = redact_text(&planted).into_owned();
            prop_assert_eq!(redact_text(&once), once.as_str());
        }
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "invalid token: expired",
        "secrets \"db\" is forbidden",
        "secret \"db\" not found",
        "basic authentication failed",
        "missing bearer token",
        "https://registry.npmjs.org/@scope/pkg",
        "http://prometheus:9090/api/v1/query?query=up",
        "api-7d9f-x2x1 restarted 4 times: OOMKilled",
        "sha256:9f86d081884c7d659a2feaa0c55ad015",
        "LOG_LEVEL=debug,REPLICAS=3",
        "größer — ‹redacted› ✓",
    ] {
        assert_eq!(redact_text(text), text);
    }
    let kept = json!({
        "kind": "Deployment",
        "data": {"x": "y"},
        "env": [{"name": "LEVEL", "value": "debug"}, {"name": "X", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
        "volumes": [{"secret": null}, {"secretName": "tls"}],
        "automountServiceAccountToken": true,
        "tokens": {"used": 12, "left": null},
        "sample": {"name": "auth-token-service", "value": 0.5},
    });
    let mut value = kept.clone();
    assert!(!redact(&mut value));
    assert_eq!(value, kept);
}

#[test]
fn only_the_secret_goes() {
    for (text, clean) in [
        ("postgres://u:p@db/x", "postgres://‹redacted›@db/x"),
        ("K=1,PASSWORD=a,b,L=2", "K=1,PASSWORD=‹redacted›,L=2"),
        ("try Bearer abc123 now", "try Bearer ‹redacted› now"),
        ("{\"password\": \"a b\", \"x\": 1}", "{\"password\": \"‹redacted›\", \"x\": 1}"),
        ("AKIAIOSFODNN7EXAMPLE!", "‹redacted›!"),
    ] {
        assert_eq!(redact_text(text), clean);
    }
}

#[test]
fn a_typed_value_comes_back_as_its_type() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Note {
        text: String,
        lag: u64,
    }
    let note = Redacted::new(Note { text: "use password=hunter2 for it".into(), lag: 7 }).unwrap();
    assert_eq!(note.into_inner(), Note { text: "use password=‹redacted› for it".into(), lag: 7 });
}
