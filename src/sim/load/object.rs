//! The load's objects: what is kept of each, a few bytes, and its text, made from a template when it is
//! sent.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::sim::rng::suffix;

/// Pods of one `Deployment`, and of its only `ReplicaSet`.
pub(super) const PODS_OF_APP: usize = 100;
/// Pods on one node.
pub(super) const PODS_OF_NODE: usize = 250;
/// Where everything is that has a namespace.
pub const NAMESPACE: &str = "scale";
/// The pods' creation, the same for all: nothing here grows old.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// The kinds that the load has; of every other kind there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pod,
    Deployment,
    ReplicaSet,
    Node,
    Other,
}

/// What can change of a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pod {
    /// Its place, which decides its app and node.
    pub(super) place: usize,
    /// Which of all pods that ever were: a replaced one has a new name and uid.
    pub(super) serial: u64,
    pub(super) restarts: u32,
    pub(super) ready: bool,
}

/// What can change of an app.
#[derive(Clone, Copy, Debug)]
pub(super) struct App {
    pub(super) place: usize,
    pub(super) replicas: usize,
    pub(super) ready: usize,
}

/// An object at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object {
    Pod(Pod),
    Deployment(App),
    ReplicaSet(App),
    Node(usize),
}

/// Text with gaps: `<name>` in a string, `"<#name>"` where a number, a boolean or an object belongs.
struct Template {
    start: String,
    /// The name of a gap and the text after it.
    parts: Vec<(String, String)>,
}

static POD: LazyLock<Template> = LazyLock::new(|| Template::parse(include_str!("pod.json")));
static DEPLOYMENT: LazyLock<Template> = LazyLock::new(|| Template::parse(include_str!("deployment.json")));
static REPLICA_SET: LazyLock<Template> = LazyLock::new(|| Template::parse(include_str!("replicaset.json")));
static NODE: LazyLock<Template> = LazyLock::new(|| Template::parse(include_str!("node.json")));

impl Template {
    fn parse(text: &str) -> Self {
        let compact: String = text.lines().map(str::trim_start).collect();
        let even = compact.replace("\"<#", "<#").replace("#>\"", ">");
        let mut parts = even.split('<');
        let start = parts.next().unwrap_or_default().to_owned();
        let parts = parts
            .filter_map(|part| part.split_once('>'))
            .map(|(name, rest)| (name.to_owned(), rest.to_owned()));
        Self { start, parts: parts.collect() }
    }

    fn fill(&self, out: &mut String, mut gap: impl FnMut(&str, &mut String)) {
        out.push_str(&self.start);
        for (name, rest) in &self.parts {
            gap(name, out);
            out.push_str(rest);
        }
    }
}

impl Object {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Pod(_) => Kind::Pod,
            Self::Deployment(_) => Kind::Deployment,
            Self::ReplicaSet(_) => Kind::ReplicaSet,
            Self::Node(_) => Kind::Node,
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Pod(pod) => pod.name(),
            Self::Deployment(app) => name_of_app(app.place),
            Self::ReplicaSet(app) => name_of_set(app.place),
            Self::Node(place) => name_of_node(*place),
        }
    }

    /// Writes it as the API server does at that version.
    pub(super) fn write(&self, version: u64, out: &mut String) {
        match self {
            Self::Pod(pod) => pod.write(version, out),
            Self::Deployment(app) => app.write(&DEPLOYMENT, ['d', '-'], version, out),
            Self::ReplicaSet(app) => app.write(&REPLICA_SET, ['e', 'd'], version, out),
            Self::Node(place) => NODE.fill(out, |gap, out| match gap {
                "name" => out.push_str(&name_of_node(*place)),
                "uid" => out.push_str(&uid('f', *place as u64)),
                _ => out.push_str(CREATED),
            }),
        }
    }
}

impl Pod {
    fn name(&self) -> String {
        let mut rest = self.serial;
        let end = suffix(5, || {
            let now = rest;
            rest /= 27;
            now
        });
        format!("{}-{end}", name_of_set(self.place / PODS_OF_APP))
    }

    fn write(&self, version: u64, out: &mut String) {
        let app = self.place / PODS_OF_APP;
        POD.fill(out, |gap, out| {
            let _ = match gap {
                "name" => write!(out, "{}", self.name()),
                "set" => write!(out, "{}", name_of_set(app)),
                "app" => write!(out, "{}", name_of_app(app)),
                "hash" => write!(out, "{}", hash(app)),
                "team" => write!(out, "team-{}", app % 12),
                "uid" => write!(out, "{}", uid('a', self.serial)),
                "owner" => write!(out, "{}", uid('e', app as u64)),
                "tail" => write!(out, "{:016x}", self.serial),
                "version" => write!(out, "{version}"),
                "node" => write!(out, "{}", name_of_node(self.place / PODS_OF_NODE)),
                "is" => write!(out, "{}", if self.ready { "True" } else { "False" }),
                "#ready" => write!(out, "{}", self.ready),
                "#restarts" => write!(out, "{}", self.restarts),
                "#last" => write!(out, "{}", last_state(self.restarts)),
                _ => write!(out, "{CREATED}"),
            };
        });
    }
}

impl App {
    /// `letters` are those of its uid and of its owner's.
    fn write(&self, template: &Template, letters: [char; 2], version: u64, out: &mut String) {
        template.fill(out, |gap, out| {
            let _ = match gap {
                "app" => write!(out, "{}", name_of_app(self.place)),
                "set" => write!(out, "{}", name_of_set(self.place)),
                "team" => write!(out, "team-{}", self.place % 12),
                "uid" => write!(out, "{}", uid(letters[0], self.place as u64)),
                "owner" => write!(out, "{}", uid(letters[1], self.place as u64)),
                "version" => write!(out, "{version}"),
                "#replicas" => write!(out, "{}", self.replicas),
                "#ready" => write!(out, "{}", self.ready),
                _ => write!(out, "{CREATED}"),
            };
        });
    }
}

fn last_state(restarts: u32) -> &'static str {
    if restarts == 0 {
        "{}"
    } else {
        r#"{"terminated":{"exitCode":1,"reason":"Error","finishedAt":"2026-01-01T00:00:00Z"}}"#
    }
}

fn name_of_app(place: usize) -> String {
    format!("sim-{place:04}")
}

fn hash(app: usize) -> String {
    format!("{:08x}", 0x9e37_79b9_u32.wrapping_mul(u32::try_from(app).unwrap_or_default() + 1))
}

fn name_of_set(app: usize) -> String {
    format!("{}-{}", name_of_app(app), hash(app))
}

fn name_of_node(place: usize) -> String {
    format!("sim-{place:03}")
}

fn uid(kind: char, number: u64) -> String {
    format!("{kind}0000000-0000-4000-8000-{number:012x}")
}
