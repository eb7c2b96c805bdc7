//! The commands that the simulated containers know: those of the runbook, and a few of every container's own.
//! There is no shell.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::sim::cluster::Cluster;
use crate::sim::cluster::process::Process;
use crate::sim::json::{items, label, text};

/// Where a command is run.
pub(super) struct ExecTarget<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) pod: &'a Value,
    pub(super) container: &'a Value,
    pub(super) process: &'a Process,
}

/// What a command prints, how long it then still runs, and how it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
    pub(super) code: u8,
    /// How long it runs after it has printed, in simulated time.
    pub(super) runs: Duration,
}

impl Output {
    pub(super) fn ok(stdout: impl Into<Vec<u8>>) -> Self {
        Self { stdout: stdout.into(), stderr: String::new(), code: 0, runs: Duration::ZERO }
    }

    pub(super) fn failed(stderr: impl Into<String>, code: u8) -> Self {
        Self { stderr: stderr.into(), code, ..Self::ok("") }
    }
}

/// Runs a command, given as an argument vector.
///
/// | command | |
/// |---|---|
/// | `kafka-consumer-groups.sh … --describe --all-groups` | in pods `kafka-…` |
/// | `wget -qO- …:8080/health` | the service's own health |
/// | `npm run db:health` | in pods of `medcontracthub-app`: a line of JSON |
/// | `curl -s https://api.sam.gov/status` | in pods of `medcontracthub-app`: a line of JSON |
/// | `psql`, `redis-cli`, `clickhouse-client` with the runbook's question | in their own pods |
/// | `echo WORD…`, `printenv NAME`, `seq COUNT`, `true`, `false` | as everywhere; `seq` prints much |
/// | `printf TEXT` | `\n`, `\t`, `\\`, `\xHH` and `\NNN` (octal) are interpreted: any byte |
/// | `sleep SECONDS` | ends after simulated time |
/// | `top` | prints a line and never ends |
pub(super) fn execute(place: &ExecTarget<'_>, command: &[&str]) -> Output {
    match command {
        [tool, "--bootstrap-server", _, "--describe", "--all-groups"]
            if text(place.pod, "/metadata/name").starts_with("kafka-")
                && tool.ends_with("kafka-consumer-groups.sh") =>
        {
            let (stdout, stderr) = place.cluster.kafka.describe_all_groups();
            Output { stderr, ..Output::ok(stdout) }
        }
        ["wget", "-qO-", address] if address.ends_with(":8080/health") => health(place.process),
        ["npm", "run", "db:health"] if label(place.pod, "app") == Some("medcontracthub-app") => {
            Output::ok("{\"status\":\"ok\",\"database\":\"postgres-primary\",\"latency_ms\":3}\n")
        }
        ["curl", "-s", "https://api.sam.gov/status"]
            if label(place.pod, "app") == Some("medcontracthub-app") =>
        {
            Output::ok("{\"status\":\"UP\"}\n")
        }
        [tool, rest @ ..]
            if database(tool).is_some_and(|of| text(place.pod, "/metadata/name").starts_with(of)) =>
        {
            rows(tool, rest)
        }
        ["echo", words @ ..] => Output::ok(format!("{}\n", words.join(" "))),
        ["printenv", name] => environment(place.container, name)
            .map_or_else(|| Output::failed("", 1), |value| Output::ok(format!("{value}\n"))),
        ["printf", text] => Output::ok(interpreted(text)),
        ["seq", count] => Output::ok(numbers(count.parse().unwrap_or_default())),
        ["sleep", seconds] => {
            Output { runs: Duration::from_secs(seconds.parse().unwrap_or_default()), ..Output::ok("") }
        }
        ["top", ..] => Output {
            runs: Duration::from_secs(u64::from(u32::MAX)),
            ..Output::ok("Mem: 15625K used, 246519K free\n")
        },
        ["true"] => Output::ok(""),
        ["false"] => Output::failed("", 1),
        [] => Output::failed("you must specify at least one command for the container\n", 126),
        [tool, ..] => Output::failed(format!("exec: \"{tool}\": executable file not found in $PATH\n"), 127),
    }
}

/// The workload in whose pods a database's client is.
fn database(tool: &str) -> Option<&'static str> {
    match tool {
        "psql" => Some("postgres-primary"),
        "redis-cli" => Some("redis-cluster"),
        "clickhouse-client" => Some("clickhouse"),
        _ => None,
    }
}

/// What a database answers to the runbook's question.
fn rows(tool: &str, question: &[&str]) -> Output {
    match (tool, question) {
        ("psql", ["-U", "postgres", "-c", query]) if query.contains("FROM pg_stat_activity") => Output::ok(
            " datid |  datname  | pid |  usename  | state  | query\n\
             -------+-----------+-----+-----------+--------+----------------------------------\n \
             16384 | contracts | 211 | contracts | active | SELECT * FROM contracts LIMIT 10\n(1 row)\n\n",
        ),
        ("redis-cli", ["cluster", "info"]) => Output::ok(
            "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n\
             cluster_known_nodes:1\r\ncluster_size:1\r\n",
        ),
        ("clickhouse-client", ["--query", query]) if query.contains("FROM system.clusters") => {
            Output::ok("default\t1\t1\t1\tlocalhost\t127.0.0.1\t9000\t1\tdefault\n")
        }
        _ => Output::failed(format!("{tool}: the simulated one knows only the runbook's question\n"), 1),
    }
}

/// GNU wget says nothing with `-q` and ends with 8 when the server answers with an error, with 4 when nobody
/// listens.
fn health(process: &Process) -> Output {
    let behaviour = &process.behaviour;
    if behaviour.service.is_empty() {
        return Output::failed("", 4);
    }
    if !behaviour.healthy() {
        return Output::failed("", 8);
    }
    Output::ok(format!(
        r#"{{"status":"ok","service":"{}","version":"{}"}}"#,
        behaviour.service, behaviour.version
    ))
}

/// The value of a variable; empty for one that has none.
fn environment<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let variable = items(container, "/env").iter().rfind(|variable| variable["name"] == name)?;
    Some(text(variable, "/value"))
}

fn numbers(count: u32) -> String {
    (1..=count).fold(String::new(), |mut lines, number| {
        let _ = writeln!(lines, "{number}");
        lines
    })
}

/// The bytes that `printf` makes of its first argument.
fn interpreted(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, left) = if *first == b'\\' { escape(after) } else { (*first, after) };
        bytes.push(byte);
        rest = left;
    }
    bytes
}

/// The byte that an escape stands for, and what follows it; a backslash before anything else is one.
fn escape(after: &[u8]) -> (u8, &[u8]) {
    let number = |digits: &[u8], radix| {
        std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, radix).ok())
    };
    match after {
        [b'n', rest @ ..] => (b'\n', rest),
        [b't', rest @ ..] => (b'\t', rest),
        [b'r', rest @ ..] => (b'\r', rest),
        [b'\\', rest @ ..] => (b'\\', rest),
        [b'x', high, low, rest @ ..] if number(&[*high, *low], 16).is_some() => {
            (number(&[*high, *low], 16).unwrap_or_default(), rest)
        }
        [a, b, c, rest @ ..] if number(&[*a, *b, *c], 8).is_some() => {
            (number(&[*a, *b, *c], 8).unwrap_or_default(), rest)
        }
        _ => (b'\\', after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printf_makes_any_byte() {
        assert_eq!(interpreted(r"a\n\t\\\033[2J\x9b\q\0"), b"a\n\t\\\x1b[2J\x9b\\q\\0");
    }
}
