//! What holds for every kind of step.

use serde_json::json;

use super::samples::ctx;
use super::*;
use crate::step::input::InputKind;

/// What somebody may type, and what a path or a query would make of it.
const HOSTILE: [&str; 14] = [
    "; rm -rf /",
    "$(x)",
    "--help",
    "🔥",
    "../..",
    "a/../b",
    "a/b/c/d",
    "a?b=c",
    "a&b=c",
    "a%2Fb",
    "a\nb",
    "a#b",
    ".",
    "..",
];

/// A value that fits, so that another input is what it is about.
fn fitting(kind: InputKind, name: &str) -> &'static str {
    match (kind, name) {
        (InputKind::Count | InputKind::Revision, _) => "2",
        (InputKind::Env, _) => "A=b",
        (InputKind::Span, _) => "15m",
        (_, "selector") => "app=x",
        _ => "x",
    }
}

/// Nothing in a path is more than a name, and what is in a query is encoded.
fn is_plain(path: &str) -> bool {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let plain = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let whole = path.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
    whole && plain(path, "/-._:") && plain(query, "-._~=&%")
}

/// The paths that a step reads first, for its plan and to look.
fn paths(kind: Kind, inputs: &Inputs) -> Vec<String> {
    let ctx = ctx();
    let page = Answer::Found(json!([]));
    [kind.reads(inputs, &[], &ctx), kind.looks(inputs, &[], &ctx), kind.looks(inputs, &[page], &ctx)]
        .into_iter()
        .flatten()
        .flatten()
        .filter(|read| read.whom != Whom::File) // a path of this machine is what somebody says
        .map(|read| read.path)
        .filter(|path| !path.is_empty())
        .collect()
}

#[test]
fn no_input_of_any_kind_leads_a_read_to_another_path() {
    let mut read = 0;
    for kind in Kind::names().filter_map(Kind::named) {
        for about in kind.inputs() {
            for value in HOSTILE {
                let inputs: Inputs = kind
                    .inputs()
                    .iter()
                    .map(|one| {
                        if one.name == about.name {
                            (one.name, value)
                        } else {
                            (one.name, fitting(one.kind, one.name))
                        }
                    })
                    .collect();
                for path in paths(kind, &inputs) {
                    read += 1;
                    assert!(is_plain(&path), "{} {}={value:?}: {path}", kind.name(), about.name);
                }
            }
        }
    }
    assert!(read > 100, "{read} paths: it tries nothing");
}
