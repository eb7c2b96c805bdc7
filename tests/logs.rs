//! Logs with the real program in a terminal: a workload's pods together, searched, saved; and, on the bed,
//! followed over a rollout on a real cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/bed.rs"]
mod bed;
mod pty;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use pty::{Cluster, Home, Term};

const MINUTE: Duration = Duration::from_secs(60);
const NAMESPACE: &str = "medcontract-prod";

/// The ends of the names of the pods whose lines are seen, in order.
fn told(screen: &str, pods: &[String]) -> Vec<String> {
    let end = |pod: &String| pod.rsplit('-').next().unwrap().to_owned();
    let ends = pods.iter().map(end);
    ends.filter(|end| {
        screen.lines().any(|line| line.contains(&format!(" {end} ")) && line.contains("served"))
    })
    .collect()
}

fn open<'a>(term: &'a mut Term, workload: &str) -> &'a mut Term {
    term.sees("worker-service")
        .sees("  rev ")
        .press(&format!("1/{workload}\r"))
        .loses("clickhouse")
        .press("j")
        .press("l");
    term.sees(&format!("Logs of deployment {workload}")).sees("following")
}

#[test]
fn keys_read_the_logs_of_a_workload() {
    let cluster = Cluster::calm();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    let pods = cluster.sim.list("Pod");
    let of_app = pods.iter().filter(|pod| pod["metadata"]["labels"]["app"] == "medcontracthub-app");
    let pods: Vec<String> = of_app.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    open(&mut term, "medcontracthub-app").until("both pods", MINUTE, |screen| told(screen, &pods).len() == 2);
    term.sees("INFO  served")
        .sees("ok=")
        .loses("\"msg\"")
        .press("r")
        .sees(r#""msg":"served""#)
        .press("r")
        .loses("\"msg\"");
    cluster.sim.write_log(&pods[0], b"\x1b[31mERROR\x1b[0m cannot reach s3");
    term.sees("ERROR cannot reach s3")
        .loses("␛")
        .press("/cannot\r")
        .sees("1 of 1")
        .sees("scrolling paused")
        .press("&")
        .sees("only /cannot");
    term.loses("served").press("\x13").sees("saved 1 line, cleaned: ");
    let saved: Vec<_> = std::fs::read_dir(cluster.home.path("data/logs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [saved] = &saved[..] else { panic!("{saved:?}") };
    assert!(std::fs::read_to_string(saved).unwrap().ends_with(" ERROR cannot reach s3\n"));
    assert_eq!(std::fs::metadata(saved).unwrap().permissions().mode() & 0o777, 0o600);
    term.press("&")
        .sees("served")
        .press("G")
        .sees("follow ●")
        .press("E")
        .sees("▸")
        .press("s")
        .sees("Show the last hour");
    term.press("1")
        .sees("since 1 m")
        .press("p")
        .sees("no earlier run")
        .press("q")
        .loses("Logs of")
        .press("q");
    assert!(term.ends().success());
    term.assert_given_back();
}

fn run(program: &str, args: &[&str]) {
    assert!(Command::new(program).args(args).status().unwrap().success(), "{program} {args:?}");
}

#[test]
#[ignore = "needs the bed"]
fn bed_logs_go_on_over_a_rollout() {
    let kubeconfig = bed::kubeconfig();
    let home = Home::new();
    std::fs::copy(&kubeconfig, home.path("kubeconfig")).unwrap();
    let mut term = Term::run(&home, &["--namespace", NAMESPACE]);
    open(&mut term, "analytics-service").sees_within(MINUTE, "served");
    let before = following(&term.text());
    let _undone = Restarted::new("deployment/analytics-service");
    term.until("the new pod is followed, the old one has ended", 2 * MINUTE, |screen| {
        let now = following(screen);
        let ended = screen.contains("it ended: exit 0") || screen.contains("the pod is gone");
        now.len() == 1
            && now != before
            && ended
            && screen.matches(&format!(" {} INFO  served", now[0])).count() > 1
    });
    let screen = term.text();
    let mut lines: Vec<&str> = screen.lines().filter(|line| line.contains("INFO  served")).collect();
    lines.dedup();
    assert_eq!(lines.len(), screen.matches("INFO  served").count(), "a line came twice: {screen}");
    term.press("q").press("q");
    assert!(term.ends().success());
}

/// The pods whose logs are followed, by the ends of their names.
fn following(screen: &str) -> Vec<String> {
    let strip = screen.lines().skip_while(|line| !line.contains("Logs of")).nth(1).unwrap_or_default();
    strip.split("● ").skip(1).filter_map(|part| Some(part.split_once(" following")?.0.to_owned())).collect()
}

/// A rollout of the same pods anew, which is undone in any case.
struct Restarted(&'static str);

impl Restarted {
    fn new(deployment: &'static str) -> Self {
        run("kubectl", &["-n", NAMESPACE, "rollout", "restart", deployment]);
        Self(deployment)
    }
}

impl Drop for Restarted {
    fn drop(&mut self) {
        run("kubectl", &["-n", NAMESPACE, "rollout", "undo", self.0]);
        run("kubectl", &["-n", NAMESPACE, "rollout", "status", self.0, "--timeout=90s"]);
    }
}
