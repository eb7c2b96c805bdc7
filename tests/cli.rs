//! The contracts that scripts rely on: exit codes, one sentence that says what to do, JSON with all its
//! fields.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod pty;

use std::io::Read;
use std::process::Stdio;

use pty::{Cluster, Home, Ran, Term};
use serde_json::{Value, json};
use warroom::net::clock::Clock;
use warroom::sim::{Identity, NAMESPACE, SeenRequest};

const UNDO: &[&str] = &["run", "rollout-undo", "--set", "deployment=medcontracthub-app"];
const SCALE: &[&str] = &["run", "scale", "--set", "deployment=worker-service", "--set", "replicas=2"];

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

#[track_caller]
fn assert_says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{ran:?}");
    for word in words {
        assert!(ran.out.contains(word) || ran.err.contains(word), "no \"{word}\" in {ran:?}");
    }
    assert!(!ran.err.contains("panicked") && !ran.err.contains("BACKTRACE"), "{ran:?}");
}

#[test]
fn what_cannot_be_asked_for_exits_2_with_what_there_is() {
    let home = Home::on(NOBODY, NAMESPACE);
    let cases: &[(&[&str], &[&str])] = &[
        (&["--context", "tset", "status"], &["no such context \"tset\"", "did you mean \"test\""]),
        (&["run", "rolout-undo", "--yes"], &["no such step \"rolout-undo\"", "warroom steps"]),
        (&["run", "scale", "--set", "replica=2", "--yes"], &["no input \"replica\"", "deployment, replicas"]),
        (&["run", "scale", "--set", "replicas", "--yes"], &["NAME=VALUE"]),
        (&["--prometheus", "prometheus:9090", "status"], &["http://prometheus:9090"]),
        (&["demo", "bad-relase"], &["bad-release"]),
        (&["replay", "there", "--context", "test"], &["what was recorded", "no --context"]),
        (&["replay", "there", "-n", "shop"], &["what was recorded", "--namespace"]),
        (&["replay", "there", "-A"], &["what was recorded", "--all-namespaces"]),
        (&["replay", "there", "--kafka", "exec"], &["what was recorded", "--kafka"]),
        (&["demo", "--kafka", "exec"], &["a simulated cluster of its own", "--kafka"]),
        (&["demo", "--context", "test"], &["simulated cluster of its own", "no --context"]),
        (&["statsu"], &["status"]),
        (&["replay", "/nowhere"], &["needs a terminal", "warroom status"]),
        (&["recordings", "verify", "/nowhere"], &["cannot read /nowhere"]),
        (&["check", "/nowhere/config.toml"], &["/nowhere/config.toml", "No such file"]),
    ];
    for (args, words) in cases {
        assert_says(&home.run(args), 2, words);
    }
}

#[test]
fn without_a_kubeconfig_it_says_where_it_looked() {
    let home = Home::new();
    let looked = home.path("kubeconfig").display().to_string();
    for args in [&["status"][..], &["status", "--json"], UNDO] {
        assert_says(&home.run(args), 2, &["no kubeconfig found", &looked, "warroom demo"]);
    }
    let doctor = home.run(&["doctor", "--json"]);
    assert_says(&doctor, 1, &["no kubeconfig found"]);
    assert_eq!(doctor.json()["ok"], false);
}

#[test]
fn a_cluster_that_cannot_be_reached_is_told_by_every_source() {
    let home = Home::on(NOBODY, NAMESPACE);
    let status = home.run(&["status", "--json"]);
    assert_eq!(status.code, 1, "{status:?}");
    let status = status.json();
    let row = |name: &str| {
        status["sources"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap()
    };
    for name in ["pods", "deployments", "nodes", "kafka"] {
        assert_eq!(row(name)["state"], "down", "{status}");
        assert!(row(name)["error"].as_str().unwrap().contains("Connection refused"), "{status}");
        assert!(row(name)["since"].is_string(), "{status}");
    }
    for (name, flag) in [("prometheus", "--prometheus"), ("alertmanager", "--alertmanager")] {
        assert_eq!(row(name)["state"], "down", "{status}");
        assert!(row(name)["error"].as_str().unwrap().contains(flag), "{status}");
    }
    assert_says(
        &home.run(&["status"]),
        1,
        &[
            "nothing of this cluster can be read",
            "pods down: cannot reach the API server: Connection refused",
        ],
    );
    assert_says(&home.run(&[UNDO, &["--yes"]].concat()), 1, &["not sent", "Connection refused"]);
    assert_says(&home.run(&["doctor"]), 1, &["✗ pods", "Connection refused"]);
    let mut term = Term::run(&home, &[]);
    term.sees("Connection refused").press("q");
    assert!(term.ends().success());
    term.assert_given_back();
}

#[test]
fn credentials_that_are_not_valid_are_told_as_such() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let refusal = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401});
    let answer = move || std::future::ready((axum::http::StatusCode::UNAUTHORIZED, refusal.to_string()));
    runtime.spawn(axum::serve(listener, axum::Router::new().fallback(answer)).into_future());
    let home = Home::on(&url, NAMESPACE);
    let status = home.run(&["status", "--json"]);
    assert_eq!(status.code, 1, "{status:?}");
    let pods = status.json()["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "pods")
        .cloned()
        .unwrap();
    assert_eq!(pods["state"], "blind", "{status:?}");
    assert!(pods["error"].as_str().unwrap().contains("401"), "{pods}");
    assert_says(&home.run(&[UNDO, &["--yes"]].concat()), 3, &["not sent", "401"]);
}

#[test]
fn mistakes_in_files_are_told_all_at_once_before_anything_else() {
    let home = Home::on(NOBODY, NAMESPACE);
    home.write("config/config.toml", "thema = \"dark\"\n\n[rates]\nthreshold = 2.0\n");
    home.write("config/keymaps/default.toml", "global = [\n  { on = [\"x\"], run = \"quitt\" },\n]\n");
    home.write("config/themes/mine.toml", "[roles]\ntxt = \"#ff0000\"\n");
    let step = "[[steps]]\nid = \"restart\"\nsection = \"x\"\ntitle = \"x\"\ndanger = \"chnge\"\nkind = \"set-env\"\ninputs = []\n";
    home.write("config/runbooks/mine.toml", step);
    let words = [
        "config.toml:1:1: no such setting \"thema\"; did you mean \"theme\"?",
        "config.toml:4:13: threshold is 2",
        "keymaps/default.toml:2:23: no such action \"quitt\"; did you mean \"quit\"?",
        "themes/mine.toml:2:1: no such role \"txt\"; did you mean \"text\"?",
        "runbooks/mine.toml:5:10: no such danger \"chnge\"; did you mean \"change\"?",
    ];
    for args in [&["check"][..], &["status"], UNDO, &["steps"]] {
        assert_says(&home.run(args), 2, &words);
    }
    let mut term = Term::run(&home, &["demo"]);
    assert_eq!(term.ends().exit_code(), 2);
    assert!(!term.bytes().windows(8).any(|bytes| bytes == b"\x1b[?1049h"), "the screen was not taken");
}

#[test]
fn steps_are_told_with_all_their_fields() {
    let home = Home::new();
    let steps = home.run(&["steps", "--json"]).rows();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for step in &steps {
        assert_eq!(fields(step), ["danger", "id", "inputs", "key", "notes", "section", "title"], "{step}");
        assert!(["read", "change", "destructive"].iter().any(|danger| step["danger"] == *danger), "{step}");
        for input in step["inputs"].as_array().unwrap() {
            assert_eq!(fields(input), ["default", "kind", "name", "required"], "{step}");
        }
    }
    let inputs = |id: &str| {
        let step = steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id}"));
        step["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| (input["name"].clone(), input["required"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        inputs("rollout-undo"),
        [("deployment".into(), true.into()), ("revision".into(), false.into())]
    );
    assert_eq!(inputs("scale"), [("deployment".into(), true.into()), ("replicas".into(), true.into())]);
    assert_eq!(inputs("set-env"), [("deployment".into(), true.into()), ("env".into(), true.into())]);
    assert_says(&home.run(&["steps"]), 0, &["rollout-undo", "m u"]);
}

#[test]
fn what_needs_no_cluster_works_without_one() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        assert_says(&home.run(&["completions", shell]), 0, &["warroom"]);
    }
    assert_says(&home.run(&["man"]), 0, &[".TH", "warroom"]);
    assert_says(&home.run(&["check"]), 0, &["no mistakes"]);
    assert_says(&home.run(&["recordings", "list"]), 0, &[]);
    assert_says(&home.run(&["--version"]), 0, &["warroom"]);
}

#[test]
fn a_reader_that_leaves_early_is_no_panic() {
    let home = Home::new();
    for args in [&["steps"][..], &["steps", "--json"], &["man"], &["completions", "bash"], &["check"]] {
        let mut child = home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(child.wait().unwrap().code().is_some(), "{args:?}");
        assert_eq!(err, "", "{args:?}");
    }
}

#[test]
fn nothing_is_changed_without_leave() {
    let cluster = Cluster::calm();
    let missing = ["run", "scale", "--set", "deployment=nobody", "--set", "replicas=2", "--yes"];
    let cases: &[(&[&str], &[&str], i32, &str)] = &[
        (&[], SCALE, 3, "--yes"),
        (&["--read-only"], &[SCALE, &["--yes"]].concat(), 3, "read-only"),
        (&[], &[SCALE, &["--dry-run"]].concat(), 0, "would send: PATCH"),
        (&[], &missing, 2, "there is no deployment nobody"),
    ];
    for (flags, args, code, word) in cases {
        assert_says(&cluster.run(&[*flags, *args].concat()), *code, &[word]);
    }
    assert_eq!(cluster.writes(), Vec::<SeenRequest>::new());
    let told = cluster.run(&[SCALE, &["--json"]].concat()).json();
    assert_eq!(
        (&told["outcome"], &told["writes"], &told["verify"]),
        (&"not_sent".into(), &0.into(), &Value::Null)
    );
    let told = cluster.run(&[&missing[..], &["--json"]].concat()).json();
    for field in ["step", "intent", "outcome", "writes", "reason", "verify", "output"] {
        assert!(told.get(field).is_some(), "no {field} in {told}");
    }
}

#[test]
fn settings_forbid_changes_as_the_flag_does() {
    let cluster = Cluster::calm();
    cluster.home.write("config/config.toml", "read_only = [\"test\"]\n");
    assert_says(&cluster.run(&[SCALE, &["--yes"]].concat()), 3, &["read-only"]);
    assert_eq!(cluster.writes(), Vec::<SeenRequest>::new());
}

#[test]
fn a_viewer_is_told_the_right_that_is_missing() {
    let cluster = Cluster::start(Identity::Viewer, Clock::system());
    assert_says(
        &cluster.run(&[SCALE, &["--yes"]].concat()),
        3,
        &["not sent", "patch", "deployments/scale", "medcontract-prod"],
    );
    assert!(cluster.sim.requests().iter().all(|request| request.dry_run), "{:?}", cluster.sim.requests());
    let status = cluster.run(&["status", "--json"]);
    assert_eq!(status.code, 0, "{status:?}");
    let kafka = status.json()["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "kafka")
        .cloned()
        .unwrap();
    assert_eq!(kafka["state"], "blind", "{kafka}");
}

#[test]
fn a_responder_may_do_what_an_incident_needs() {
    let cluster = Cluster::start(Identity::Responder, Clock::system());
    let ran = cluster.run(&[SCALE, &["--yes", "--json"]].concat());
    assert_eq!((ran.code, &ran.json()["verify"]["ok"]), (0, &true.into()), "{ran:?}");
    assert_eq!(cluster.writes().len(), 1);
}

#[test]
fn a_broker_that_is_not_there_is_told() {
    let cluster = Cluster::calm();
    cluster.home.write("config/config.toml", "[kafka]\npod = \"kafka-7\"\n");
    let status = cluster.run(&["status", "--json"]);
    let told = status.json();
    let kafka =
        told["sources"].as_array().unwrap().iter().find(|row| row["name"] == "kafka").cloned().unwrap();
    assert_eq!((status.code, &kafka["state"]), (0, &"down".into()), "{kafka}");
    assert!(kafka["error"].as_str().unwrap().contains("kafka-7"), "{kafka}");
    assert_eq!(told["groups"], json!([]), "unknown, not 0");
    let off = cluster.run(&["--no-exec", "status", "--json"]).json();
    let kafka =
        off["sources"].as_array().unwrap().iter().find(|row| row["name"] == "kafka").cloned().unwrap();
    assert_eq!(kafka["state"], "off", "{kafka}");
    assert!(kafka["error"].as_str().unwrap().contains("--no-exec"), "{kafka}");
}

#[test]
fn where_nothing_can_be_recorded_nothing_is_changed() {
    let cluster = Cluster::calm();
    cluster.home.write("data", "a file where the folder should be");
    assert_says(&cluster.run(&["status"]), 0, &["all clear"]);
    assert_says(
        &cluster.run(&[SCALE, &["--yes"]].concat()),
        1,
        &["not sent", "the journal cannot be written"],
    );
    assert_says(&cluster.run(&["doctor"]), 1, &["✗ recordings", "WARROOM_DATA_DIR"]);
    assert_eq!(cluster.writes(), Vec::<SeenRequest>::new());
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service").sees("not recorded").press("q");
    assert!(term.ends().success());
}

#[test]
fn a_recording_that_was_changed_does_not_verify() {
    let cluster = Cluster::calm();
    assert_says(&cluster.run(&[SCALE, &["--yes", "--no-wait"]].concat()), 0, &["applied"]);
    let path = cluster.home.sealed();
    let path = path.to_str().unwrap();
    assert_says(&cluster.home.run(&["recordings", "verify", path]), 0, &["chain", "sealed"]);
    assert_says(&cluster.home.run(&["recordings", "show", path]), 0, &["scale worker-service 1 → 2"]);
    let segment = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file())
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let ran = cluster.home.run(&["recordings", "verify", path, "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_ne!(ran.json()["damaged"], json!([]), "{ran:?}");
}

#[test]
fn doctor_says_of_everything_whether_it_is_well() {
    let cluster = Cluster::calm();
    let ran = cluster.run(&["doctor", "--json"]);
    let told = ran.json();
    assert_eq!((ran.code, &told["ok"]), (0, &true.into()), "{told}");
    let names: Vec<_> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["what"].as_str().unwrap())
        .collect();
    for name in ["settings", "recordings", "context", "pods", "prometheus", "alertmanager", "kafka"] {
        assert!(names.contains(&name), "{names:?}");
    }
}
