//! Text from outside is shown, recorded and printed, and never obeyed: nothing that a cluster says reaches a
//! terminal as a command.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod pty;

use std::fs;
use std::path::Path;
use std::time::Duration;

use pty::{Cluster, Term};
use reqwest::Method;
use serde_json::json;
use warroom::sim::scenario::{Release, ServiceFault};

/// A title, a cleared screen, a clipboard, a terminfo query, C1 bytes, an override of direction, a line
/// written over.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}]52;c;b3duZWQ=\u{7}\u{1b}P+q544e\u{1b}\\\u{9b}31m\u{9d}0;owned\u{9c}\u{202e}drawkcab\rover";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/medcontract-prod/deployments";
const LONG: Duration = Duration::from_secs(60);

/// A cluster with a hostile log, version and change cause.
fn hostile() -> Cluster {
    let cluster = Cluster::calm();
    cluster.release(&Release::fault("realtime-service", ServiceFault::Hostile));
    let template = "/spec/template";
    let patch = json!([
        {"op": "add", "path": format!("{template}/spec/containers/0/env/-"), "value": {"name": "HOSTILE", "value": HOSTILE}},
        {"op": "replace", "path": format!("{template}/spec/containers/0/env/1/value"), "value": format!("v9{HOSTILE}")},
        {"op": "add", "path": format!("{template}/metadata/annotations/kubernetes.io~1change-cause"), "value": HOSTILE},
    ]);
    cluster.send(
        Method::PATCH,
        &format!("{DEPLOYMENTS}/medcontracthub-app"),
        "application/json-patch+json",
        &patch,
    );
    cluster
}

/// Events about the pods of the service with the hostile log.
fn tell_hostile_events(cluster: &Cluster) {
    let pods = cluster.sim.list("Pod");
    for pod in pods.iter().filter(|pod| pod["metadata"]["labels"]["app"] == "realtime-service") {
        let meta = &pod["metadata"];
        let about =
            json!({"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]});
        let now = chrono::DateTime::parse_from_rfc3339(meta["creationTimestamp"].as_str().unwrap()).unwrap();
        let event = json!({
            "metadata": {"name": format!("hostile.{}", meta["uid"].as_str().unwrap()), "namespace": "medcontract-prod"},
            "involvedObject": about, "type": "Warning", "reason": format!("Bad{HOSTILE}"), "message": format!("kubelet says {HOSTILE}"),
            "count": 3, "firstTimestamp": now, "lastTimestamp": now,
        });
        cluster.send(Method::POST, "/api/v1/namespaces/medcontract-prod/events", "application/json", &event);
    }
}

/// The text without warroom's own calls, each a bell and a notification in which nothing is a control.
#[track_caller]
fn without_calls(text: &str) -> String {
    let mut parts = text.split("\x07\x1b]9;warroom: ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |rest, part| {
        let (told, after) = part.split_once('\x07').expect("a notification ends");
        assert!(!told.contains(char::is_control), "{told:?}");
        rest + after
    })
}

/// Nothing but text, colours, cursor movements and calls was written: no string command (title, clipboard,
/// query), no bell, no C1.
#[track_caller]
fn assert_harmless(written: &[u8]) {
    let text = without_calls(std::str::from_utf8(written).unwrap());
    for (command, name) in [
        ("\x1b]", "OSC"),
        ("\x1bP", "DCS"),
        ("\x1b_", "APC"),
        ("\x1b^", "PM"),
        ("\x1bX", "SOS"),
        ("\x07", "BEL"),
    ] {
        assert!(!text.contains(command), "{name} reached the terminal");
    }
    let obeyed = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{7f}');
    assert!(!text.contains(obeyed), "a control reached the terminal");
}

#[track_caller]
fn assert_plain(what: &str, text: &str) {
    let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    assert_eq!(bad, None, "in {what}");
    assert!(!text.contains("\\u001b") && !text.contains("\\u009b"), "an escaped control in {what}");
}

/// Every line of a recording, closed segments unpacked.
fn journal(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let segments = files.filter(|path| path.file_name().unwrap().to_string_lossy().contains(".ndjson"));
    let unpacked = segments.map(|path| {
        let bytes = fs::read(&path).unwrap();
        if path.extension().unwrap() == "zst" { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
    });
    unpacked.map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

#[test]
fn nothing_that_a_cluster_says_is_obeyed() {
    let cluster = hostile();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees_within(LONG, "v9␛]0;owned␇␛[2J");
    term.press("1/realtime\r").loses("clickhouse").press("j").press("l");
    term.sees_within(LONG, "␛]0;owned␇␛[2J␛[1;1H␛]52;c;b3duZWQ=␇␛P+q544e␛\\")
        .sees("31mred")
        .sees("<U+202E>RTL<U+202C> ␍ overwritten");
    tell_hostile_events(&cluster);
    term.press("q")
        .press("\r")
        .sees("realtime-serv…")
        .press("j")
        .press("d")
        .sees_within(LONG, "kubelet says ␛]0;owned␇");
    term.press("q")
        .loses("kubelet says")
        .press("\x1b")
        .loses("sorting paused")
        .press("\x1b")
        .sees("clickhouse");
    term.press("aseen by hand\r").sees("seen by hand").press("q");
    assert!(term.ends().success());
    assert_harmless(&term.bytes());
    term.assert_given_back();
    let path = cluster.home.sealed();
    let recorded = journal(&path);
    assert!(recorded.contains("␛]0;owned"), "it is recorded, cleaned");
    assert_plain("the journal", &recorded);
    let mut replay = Term::run(&cluster.home, &["replay", path.to_str().unwrap()]);
    replay.press(")").sees("v9␛]0;owned␇").press("q");
    assert!(replay.ends().success());
    assert_harmless(&replay.bytes());
}

#[test]
fn what_is_printed_for_scripts_holds_no_controls() {
    let cluster = hostile();
    let undo = ["run", "rollout-undo", "--set", "deployment=medcontracthub-app"];
    let commands: [&[&str]; 7] = [
        &["status"],
        &["status", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &[&undo[..], &["--dry-run"]].concat(),
        &[&undo[..], &["--dry-run", "--json"]].concat(),
        &[&undo[..], &["--yes", "--no-wait", "--json"]].concat(),
    ];
    let dry = cluster.run(&[&undo[..], &["--dry-run"]].concat());
    assert!(dry.out.contains("␛]0;owned"), "{dry:?}");
    for args in commands {
        let ran = cluster.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        assert_plain(&args.join(" "), &format!("{}{}", ran.out, ran.err));
    }
    let path = cluster.home.sealed();
    for command in ["show", "verify"] {
        for flags in [&[][..], &["--json"]] {
            let ran = cluster.run(&[&["recordings", command, path.to_str().unwrap()], flags].concat());
            assert_plain(command, &format!("{}{}", ran.out, ran.err));
        }
    }
    assert_plain("the journal", &journal(&path));
}

#[test]
fn what_is_pasted_or_asked_for_is_cleaned_as_well() {
    let cluster = Cluster::calm();
    let inputs = format!("deployment={HOSTILE}");
    for args in [
        &["run", "rollout-undo", "--set", &inputs][..],
        &["run", HOSTILE],
        &["--context", HOSTILE, "status"],
        &["check", HOSTILE],
    ] {
        let ran = cluster.run(args);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert_plain("an answer", &format!("{}{}", ran.out, ran.err));
    }
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service").press("a").sees("note:");
    term.press("\x1b[200~pasted \u{9b}31m\u{202e}text\x1b[201~\r").sees("pasted");
    term.press("q");
    assert!(term.ends().success());
    assert_harmless(&term.bytes());
}
