//! The process in a pod: what its environment makes it do, what state it is in, what it has counted and
//! logged.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::sim::json::{items, text};
use crate::sim::scenario::ServiceFault;

/// Lines of log kept for each container.
const LOG_LINES: usize = 2_000;

/// What a process does, read from the environment of its container when it starts.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    pub(crate) service: String,
    pub(crate) version: String,
    /// Share of requests that fail whatever the others do.
    pub(crate) failing: f64,
    /// Services whose failure makes a fifth of the requests fail.
    pub(crate) needs: Vec<String>,
    pub(crate) fault: Option<ServiceFault>,
    /// Requests a second.
    pub(crate) rps: f64,
    pub(crate) role: Role,
}

/// What a process is to Kafka, with records a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Bystander,
    Consumer(f64),
    Producer(f64),
}

impl Behaviour {
    pub(crate) fn of(pod: &Value) -> Self {
        let version = env(pod, "APP_VERSION").unwrap_or("v1.2.3");
        let rate = env(pod, "RATE").and_then(|rate| rate.parse().ok());
        let role = match (rate, env(pod, "GROUP")) {
            (Some(rate), Some(_)) => Role::Consumer(rate),
            (Some(rate), None) => Role::Producer(rate),
            (None, _) => Role::Bystander,
        };
        Self {
            service: env(pod, "SERVICE").unwrap_or_default().to_owned(),
            version: version.to_owned(),
            failing: if env(pod, "BAD_VERSION") == Some(version) { 0.25 } else { 0.0 },
            needs: needs(pod),
            fault: env(pod, "FAULT").and_then(ServiceFault::from_env),
            rps: env(pod, "RPS").and_then(|rps| rps.parse().ok()).unwrap_or_default(),
            role,
        }
    }

    /// Whether `/health` answers 200 in time.
    pub(crate) fn healthy(&self) -> bool {
        !matches!(self.fault, Some(ServiceFault::Unhealthy | ServiceFault::Slow))
    }
}

/// The value of a variable of a pod's first container.
fn env<'a>(pod: &'a Value, name: &str) -> Option<&'a str> {
    items(pod, "/spec/containers/0/env").iter().find(|variable| variable["name"] == name)?["value"].as_str()
}

fn needs(pod: &Value) -> Vec<String> {
    let features =
        env(pod, "FEATURES").unwrap_or_default().split(',').filter_map(|feature| feature.split_once('='));
    let on = features.filter(|(flag, _)| env(pod, flag) != Some("false"));
    on.map(|(_, host)| host.split(':').next().unwrap_or(host).to_owned()).collect()
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Creating {
        until: DateTime<Utc>,
    },
    /// Its image cannot be pulled.
    Unpulled,
    Running {
        since: DateTime<Utc>,
    },
    BackOff {
        until: DateTime<Utc>,
        seconds: i64,
    },
    Terminating {
        until: DateTime<Utc>,
    },
}

/// How the previous run of a container ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) code: i32,
    pub(crate) reason: &'static str,
    pub(crate) started: DateTime<Utc>,
    pub(crate) finished: DateTime<Utc>,
}

/// Answers by status since the process started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) ok: u32,
    pub(crate) error: u32,
    pub(crate) unavailable: u32,
}

impl Answers {
    pub(crate) fn all(self) -> u32 {
        self.ok + self.error + self.unavailable
    }
}

/// A line of a log; not always UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: DateTime<Utc>,
    /// Counts the container's lines, those before the kept ones included.
    pub(crate) number: u64,
    pub(crate) text: Vec<u8>,
}

/// The process of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) uid: String,
    pub(crate) behaviour: Behaviour,
    pub(crate) state: State,
    pub(crate) ready: bool,
    pub(crate) restarts: u32,
    pub(crate) last_exit: Option<Exit>,
    pub(crate) answers: Answers,
    /// Files that commands have written in the container, with their bytes.
    pub(crate) files: BTreeMap<String, usize>,
    /// Requests that are due, of which the whole part is made at the next step.
    pub(crate) owed: f64,
    pub(crate) log: VecDeque<Line>,
    pub(crate) previous_log: VecDeque<Line>,
    /// When the process wrote its last line about how much it served.
    pub(crate) reported: DateTime<Utc>,
    lines: u64,
}

impl Process {
    pub(crate) fn new(pod: &Value, state: State, now: DateTime<Utc>) -> Self {
        Self {
            uid: text(pod, "/metadata/uid").to_owned(),
            behaviour: Behaviour::of(pod),
            state,
            ready: false,
            restarts: 0,
            last_exit: None,
            answers: Answers::default(),
            files: BTreeMap::new(),
            owed: 0.0,
            log: VecDeque::new(),
            previous_log: VecDeque::new(),
            reported: now,
            lines: 0,
        }
    }

    pub(crate) fn running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    pub(crate) fn write(&mut self, at: DateTime<Utc>, text: Vec<u8>) {
        self.lines += 1;
        self.log.push_back(Line { at, number: self.lines, text });
        if self.log.len() > LOG_LINES {
            self.log.pop_front();
        }
    }

    /// Writes a line of JSON as the bed's services do.
    pub(crate) fn write_json(&mut self, at: DateTime<Utc>, level: &str, rest: &str) {
        let ts = at.to_rfc3339_opts(SecondsFormat::Nanos, true);
        let Behaviour { service, version, .. } = &self.behaviour;
        let line = format!(
            r#"{{"ts":"{ts}","level":"{level}","service":"{service}","version":"{version}",{rest}}}"#
        );
        self.write(at, line.into_bytes());
    }

    /// Ends the run that began at `started`: the next one starts with empty counters and an empty log.
    pub(crate) fn exit(&mut self, exit: Exit) {
        self.last_exit = Some(exit);
        self.ready = false;
        self.answers = Answers::default();
        self.previous_log = std::mem::take(&mut self.log);
    }
}
