//! Logs on a simulated cluster under a clock that the test moves: the lines that a container wrote are heard,
//! each once and in order, whatever happens on the way.

use axum::http::Method;
use chrono::DateTime;
use kube::{Client, Config};

use super::*;
use crate::event::{LogEnd, LogExtent, LogSource};
use crate::sim::fault::{Fault, When};
use crate::sim::scenario::Scenario;
use crate::sim::{Identity, NAMESPACE, Sim, SimConfig};

/// Writes nothing of its own into its log.
const QUIET: &str = "document-intake";
const LIMIT: Duration = Duration::from_secs(120);

struct Bench {
    sim: Sim,
    clock: Clock,
    pod: String,
    logs: Logs,
    events: mpsc::Receiver<Event>,
    /// What the container said, and what warroom said about it.
    lines: Vec<String>,
    marks: Vec<String>,
    states: Vec<LogState>,
    written: Vec<String>,
}

impl Bench {
    async fn start(identity: Identity, previous: bool) -> Self {
        let mut bench = Self::idle(identity).await;
        bench.follow(previous);
        bench
    }

    async fn idle(identity: Identity) -> Self {
        crate::net::stack::install_crypto();
        let clock = Clock::manual(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let measured = Duration::from_secs(60);
        let sim = Sim::start(SimConfig {
            clock: clock.clone(),
            identity,
            measured,
            ..SimConfig::new(Scenario::Calm)
        })
        .await
        .unwrap();
        let client = client(&sim);
        let (sender, events) = mpsc::channel(64);
        let logs = Logs::new(7, Clusters::alone(client), clock.clone(), sender);
        let pod = pod(&sim)["metadata"]["name"].as_str().unwrap().to_owned();
        Self { sim, clock, pod, logs, events, lines: vec![], marks: vec![], states: vec![], written: vec![] }
    }

    fn follow(&mut self, previous: bool) {
        let pod = pod(&self.sim);
        let source = LogSource {
            namespace: NAMESPACE.into(),
            pod: self.pod.as_str().into(),
            uid: pod["metadata"]["uid"].as_str().unwrap().into(),
            container: pod["spec"]["containers"][0]["name"].as_str().unwrap().into(),
        };
        let extent = LogExtent { previous, minutes: previous.then_some(1), lines: 500 };
        self.logs.follow(Following { number: 7, extent, sources: vec![(0, source)] });
    }

    fn write(&mut self, lines: usize) {
        for _ in 0..lines {
            let line = format!("line {}", self.written.len());
            assert!(self.sim.write_log(&self.pod, line.as_bytes()), "it runs");
            self.written.push(line);
        }
    }

    /// Hears what there is while time goes by.
    async fn turn(&mut self) {
        if let Ok(Some(Event::View(View::Logs(news)))) =
            tokio::time::timeout(Duration::from_millis(4), self.events.recv()).await
        {
            assert_eq!(news.following, 7);
            for line in news.lines {
                if line.mark { &mut self.marks } else { &mut self.lines }.push(line.text.text().to_string());
            }
            self.states.extend(news.states.into_iter().map(|(_, state)| state));
        }
        self.clock.advance(Duration::from_millis(100));
    }

    async fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let end = std::time::Instant::now() + LIMIT;
        while !is(self) {
            assert!(
                std::time::Instant::now() < end,
                "{what}: {:?} {:?} {:?} of {:?}",
                self.lines,
                self.marks,
                self.states,
                self.written
            );
            self.turn().await;
        }
    }

    async fn hears_all(&mut self, what: &str) {
        self.until(what, |bench| bench.lines.len() >= bench.written.len()).await;
        assert_eq!(self.lines, self.written, "{what}");
    }

    async fn runs(&mut self) {
        self.until("it runs again", |bench| bench.sim.write_log(&bench.pod, b"probe")).await;
        self.written.push("probe".to_owned());
    }
}

fn client(sim: &Sim) -> Client {
    let mut config = Config::new(sim.kubernetes_url().parse().unwrap());
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

fn pod(sim: &Sim) -> serde_json::Value {
    sim.list("Pod").into_iter().find(|pod| pod["metadata"]["labels"]["app"] == QUIET).unwrap()
}

#[tokio::test]
async fn a_log_is_heard_whole_over_cuts_ends_and_silence() {
    let mut bench = Bench::start(Identity::Admin, false).await;
    bench.write(3);
    bench.hears_all("at first").await;
    bench.sim.faults().cut_watches();
    bench.write(3);
    bench.hears_all("after a cut").await;
    bench.sim.faults().end_logs();
    bench.write(3);
    bench.hears_all("after a load balancer's end").await;
    bench.turn().await;
    bench.sim.faults().stall_logs();
    bench.write(3);
    bench.hears_all("after silence").await;
    assert_eq!(bench.marks, Vec::<String>::new());
}

#[tokio::test]
async fn a_restart_is_told_and_the_last_words_are_not_lost() {
    let mut bench = Bench::start(Identity::Admin, false).await;
    bench.write(2);
    bench.hears_all("the first run").await;
    bench.sim.faults().freeze();
    bench.write(2);
    bench.sim.faults().cut_watches();
    bench.sim.kill(&bench.pod);
    bench.clock.advance(Duration::from_secs(1));
    bench.write(2);
    bench.sim.faults().thaw();
    bench.hears_all("the second run").await;
    bench.sim.kill(&bench.pod);
    bench.runs().await;
    bench.hears_all("the third run, after a back-off").await;
    assert_eq!(
        bench.marks,
        [
            "started again after exit 137, OOMKilled",
            "it ended: exit 137, OOMKilled",
            "started again after exit 137, OOMKilled"
        ]
    );
    assert!(
        bench.states.iter().any(|state| matches!(state, LogState::Waiting(why) if why == "CrashLoopBackOff")),
        "{:?}",
        bench.states
    );
}

#[tokio::test]
async fn runs_that_nobody_can_read_any_more_are_a_gap() {
    let mut bench = Bench::start(Identity::Admin, false).await;
    bench.write(1);
    bench.hears_all("the first run").await;
    bench.sim.faults().freeze();
    bench.sim.faults().cut_watches();
    for _ in 0..2 {
        bench.sim.kill(&bench.pod);
        bench.clock.advance(Duration::from_secs(15));
    }
    bench.write(1);
    bench.sim.faults().thaw();
    bench.hears_all("the third run").await;
    assert_eq!(
        bench.marks,
        [
            "▲ gap: restarted 2 times since, the logs of 1 run are gone",
            "started again after exit 137, OOMKilled"
        ]
    );
}

#[tokio::test]
async fn a_rotation_that_could_not_be_followed_is_a_gap() {
    let mut bench = Bench::start(Identity::Admin, false).await;
    bench.write(2);
    bench.hears_all("before").await;
    bench.sim.faults().stall_logs();
    bench.sim.write_log(&bench.pod, b"in the old file");
    bench.sim.rotate_log(&bench.pod);
    bench.clock.advance(Duration::from_millis(250));
    bench.write(2);
    bench.hears_all("after").await;
    assert_eq!(bench.marks, ["▲ gap: the log was rotated meanwhile, lines may be missing"]);
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_waited_for() {
    let mut bench = Bench::start(Identity::Admin, false).await;
    bench.write(1);
    bench.hears_all("at first").await;
    bench.sim.faults().on(Method::GET, "/log", When::Always, Fault::Status { code: 503, applied: false });
    bench.sim.faults().cut_watches();
    bench.until("told", |bench| matches!(bench.states.last(), Some(LogState::Reconnecting(_)))).await;
    bench.write(2);
    bench.sim.faults().clear();
    bench.hears_all("again").await;
    bench.until("following", |bench| bench.states.last() == Some(&LogState::Following)).await;
}

#[tokio::test]
async fn the_end_of_a_pod_is_the_end_of_its_log() {
    let mut bench = Bench::start(Identity::Admin, false).await;
    bench.write(1);
    bench.hears_all("at first").await;
    bench.write(1);
    bench.sim.delete("Pod", NAMESPACE, &bench.pod);
    bench.until("gone", |bench| matches!(bench.states.last(), Some(LogState::Ended(_)))).await;
    assert_eq!(bench.lines, bench.written);
}

#[tokio::test]
async fn the_run_before_is_read_to_its_end() {
    let mut bench = Bench::idle(Identity::Admin).await;
    bench.follow(true);
    bench.until("nothing", |bench| bench.states.last() == Some(&LogState::Ended(LogEnd::Read))).await;
    assert!(bench.marks[0].starts_with("no earlier run: previous terminated container"), "{:?}", bench.marks);
    bench.write(3);
    bench.sim.kill(&bench.pod);
    bench.clock.advance(Duration::from_secs(100));
    bench.states.clear();
    bench.follow(true);
    bench.hears_all("the run before, whatever the minutes of this one").await;
    bench.until("its end", |bench| bench.states.last() == Some(&LogState::Ended(LogEnd::Read))).await;
    assert_eq!(bench.marks.last().map(String::as_str), Some("it ended: exit 137, OOMKilled"));
}

#[tokio::test]
async fn what_a_kubelet_says_instead_of_a_log_is_no_line_of_it() {
    let mut bench = Bench::idle(Identity::Admin).await;
    bench.sim.faults().on(
        Method::GET,
        "/log",
        When::Always,
        Fault::Malformed(crate::sim::fault::Malformed::LoginPage),
    );
    bench.follow(true);
    bench.until("its end", |bench| bench.states.last() == Some(&LogState::Ended(LogEnd::Gone))).await;
    assert_eq!(bench.lines, Vec::<String>::new());
    assert!(bench.marks[0].starts_with("the kubelet says: <!DOCTYPE html>"), "{:?}", bench.marks);
}

#[tokio::test]
async fn what_may_not_be_read_says_so() {
    let mut bench = Bench::start(Identity::Viewer, false).await;
    bench
        .until(
            "refused",
            |bench| matches!(bench.states.last(), Some(LogState::Refused(why)) if why.contains("pods/log")),
        )
        .await;
}

#[tokio::test]
async fn whatever_happens_each_line_comes_once() {
    let mut chance = 4_u64;
    let mut below = |end: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % end
    };
    let mut bench = Bench::start(Identity::Admin, false).await;
    for _ in 0..30 {
        match below(7) {
            0 => bench.sim.faults().cut_watches(),
            1 => bench.sim.faults().end_logs(),
            2 => bench.sim.faults().stall_logs(),
            3 => bench.sim.faults().on(Method::GET, "/log", When::Nth(1), Fault::Cut { applied: true }),
            4 => bench.sim.faults().on(
                Method::GET,
                "/log",
                When::Nth(1),
                Fault::Status { code: 500, applied: false },
            ),
            _ => {}
        }
        bench.write(usize::try_from(below(4)).unwrap());
        for _ in 0..below(5) {
            bench.turn().await;
        }
    }
    bench.write(1);
    bench.hears_all("all of it").await;
    assert_eq!(bench.marks, Vec::<String>::new());
}
