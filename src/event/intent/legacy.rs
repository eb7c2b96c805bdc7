//! Forms of earlier releases, converted while they are read: recordings of every release stay readable.
//!
//! 0.1: an intent had one target and one server, `writes` with one `expect` beside them, `verify` as an enum,
//! and `kubectl` as text; a `:` command was its line, which every replay parsed.

use serde::Deserialize;
use serde_json::Value;
use ulid::Ulid;

use super::{Danger, Expectation, Op, Sealed, Server, StepCall, Target};
use crate::clean::Clean;
use crate::event::{Does, Event, Operator, Purpose};

/// An intent of any release.
#[derive(Deserialize)]
pub(super) struct Intent {
    id: Ulid,
    call: StepCall,
    title: Clean,
    #[serde(default)]
    danger: Option<Danger>,
    target: Target,
    #[serde(default)]
    ops: Vec<Op>,
    #[serde(default)]
    server: Server,
    #[serde(default)]
    writes: Vec<Write>,
    #[serde(default)]
    expect: Option<Expectation>,
    #[serde(alias = "verify")]
    checks: Vec<super::Check>,
    verify_within: u32,
    undo: Option<StepCall>,
    #[serde(alias = "kubectl")]
    command: super::Command,
    actor: Clean,
}

/// A write of 0.1.
#[derive(Deserialize)]
struct Write {
    method: Clean,
    path: Clean,
    content_type: Clean,
    body: Sealed,
}

impl From<Intent> for super::Intent {
    fn from(old: Intent) -> Self {
        let Intent {
            id,
            call,
            title,
            danger,
            target,
            mut ops,
            server,
            writes,
            expect,
            checks,
            verify_within,
            undo,
            command,
            actor,
        } = old;
        if let Some(expect) = expect {
            let op = |Write { method, path, content_type, body }| {
                let server = server.clone();
                let target = target.clone();
                let expect = expect.clone();
                Op::Write(super::Write { server, target, method, path, content_type, body, expect })
            };
            ops.extend(writes.into_iter().map(op));
        }
        Self {
            id,
            call,
            title,
            danger: danger.unwrap_or(Danger::Change),
            target,
            ops,
            checks,
            verify_within,
            undo,
            command,
            actor,
        }
    }
}

/// A check of any release: `{"kind": …, "args": …}`, or `{"rollout": …}`.
#[derive(Deserialize)]
pub(super) struct Check(Value);

impl From<Check> for super::Check {
    fn from(Check(mut value): Check) -> Self {
        if let Some(kind) = value["kind"].as_str().filter(|_| value.get("args").is_some()) {
            let kind = Clean::new(kind);
            return Self { kind, args: value["args"].take() };
        }
        let first = value.as_object_mut().and_then(|fields| fields.keys().next().cloned());
        first.map_or_else(
            || Self { kind: Clean::default(), args: value.clone() },
            |kind| Self { kind: Clean::new(&kind), args: value[&kind].clone() },
        )
    }
}

/// A command of any release.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Command {
    Text(Clean),
    Parts {
        shown: Clean,
        #[serde(default)]
        hides: Vec<Clean>,
    },
}

impl From<Command> for super::Command {
    fn from(old: Command) -> Self {
        match old {
            Command::Text(text) => Self::plain(text),
            Command::Parts { shown, hides } => Self { shown, hides, whole: None },
        }
    }
}

impl Event {
    /// Converts a recorded fact to the form of this release. A `:` command was its line, which every replay
    /// parsed.
    #[must_use]
    pub fn upgraded(self) -> Self {
        match self {
            Self::Operator(Operator::Entered { purpose: Purpose::Command, text: line }) => {
                let does = line.raw().parse().map_or_else(|_| Does::Nothing(Clean::default()), Does::Act);
                Self::Operator(Operator::Command { line, does })
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::Action;

    #[test]
    fn a_line_of_an_earlier_release_is_what_it_was_then() {
        let read = |line: &str| {
            let json = format!(r#"{{"operator":{{"entered":{{"purpose":"command","text":"{line}"}}}}}}"#);
            match serde_json::from_str::<Event>(&json).unwrap().upgraded() {
                Event::Operator(Operator::Command { line: kept, does }) if *kept.raw() == *line => does,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read(" disarm "), Does::Act(Action::Disarm));
        assert_eq!(read("ns shop prod"), Does::Act(Action::Namespaces("shop prod".into())));
        assert_eq!(read("scale deployment=worker replicas=3"), Does::Nothing(Clean::default()));
        let note: Event =
            serde_json::from_str(r#"{"operator":{"entered":{"purpose":"note","text":"arm"}}}"#).unwrap();
        assert_eq!(note.clone().upgraded(), note);
    }
}
